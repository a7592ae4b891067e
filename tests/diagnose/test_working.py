"""Which of several handlers are there: an author who has `truncate` already stops reading where it is asked for."""

from __future__ import annotations

from fsprobe.diagnose.library import Library
from fsprobe.diagnose.matrix import summarise
from fsprobe.diagnose.working import missing_handlers, sets_sizes
from fsprobe.results.records import CheckResult
from tests.diagnose.made import check, enosys, stat
from tests.diagnose.test_diagnose import find

TRUNCATED = "SETATTR /d/f size=7 fh=2 lock_owner=0x12 → file 0644 size=7 nlink=1 uid=0 gid=0 48 µs"
NO_TIMES = "SETATTR /d/f atime=now mtime=now → ENOSYS 17 µs"
NO_MODE = "SETATTR /d/f mode=0600 → ENOSYS 17 µs"
MODE_OF_OPEN = "SETATTR /d/f mode=0600 fh=1 → file 0600 size=7 nlink=1 uid=0 gid=0 20 µs"
LIBFUSE = Library("libfuse", "3.14", "high", "libfuse3")


def seen(*lines: str) -> list[CheckResult]:
    """A check that failed after these exchanges."""
    return [enosys("shell.touch", "SETATTR", main=True, trace=lines)]


def missing(family: str, *lines: str) -> list[str]:
    return [handler.word for handler in missing_handlers("SETATTR", family, seen(*lines))]


def test_what_was_seen_at_work_is_not_asked_for() -> None:
    """A size that was set shows `truncate`; its own arguments do not confuse that."""
    assert missing("libfuse3", TRUNCATED, NO_TIMES, NO_MODE) == ["chmod", "chown", "utimens"]
    assert missing("fuse-python", TRUNCATED, NO_TIMES) == ["chmod", "chown", "utimens", "utime"]


def test_what_says_nothing_leaves_all_of_them() -> None:
    """Refusals, other operations, libraries with one handler, and a time that libfuse 2 drops with success."""
    dropped = "SETATTR /d/f atime=1 → file 0644 size=7 nlink=1 uid=0 gid=0 9 µs"
    assert missing("libfuse3", NO_TIMES, dropped, "SETATTR /d/f size=1 → EFBIG 9 µs", "GETATTR /d/f → file 0644") == []
    assert missing("libfuse3", NO_MODE, MODE_OF_OPEN) == []
    assert missing("fuser", TRUNCATED) == []


def test_the_report_names_what_is_missing_alone() -> None:
    """The table of handlers and the fix agree."""
    checks = [*seen(TRUNCATED, NO_TIMES, NO_MODE), check("posix.write", "WRITE", "PASS", main=True)]
    stats = {"SETATTR": stat(ok=3, ENOSYS=9), "WRITE": stat(ok=3)}
    assert summarise(checks, stats, LIBFUSE)["SETATTR"].handler == ".chmod .chown .utimens"
    fix = find(checks, stats, LIBFUSE)[0].fix
    assert fix.startswith("Implement .chmod, .chown, .utimens (libfuse 3.14):") and "truncate(" not in fix


def test_a_handler_that_sets_sizes_alone_is_there() -> None:
    """rclone takes a size and a time, and drops a mode: its author has a NodeSetattrer to look at, none to write."""
    noop = check("posix.chmod", "SETATTR", "FAIL", main=True, expected="mode 0o600", observed="0o644")
    sized = check("posix.cut", "SETATTR", "FAIL", trace=(TRUNCATED,), expected="a newer ctime", observed="the old one")
    kept = "SETATTR /d/f size=9 fh=2 → file 0644 size=7 nlink=1 uid=0 gid=0 48 µs"
    assert sets_sizes([sized])
    assert not sets_sizes([noop, check("a", "SETATTR", "FAIL", trace=(kept, kept, TRUNCATED))])
    bazil = Library("bazil", family="bazil")
    assert find([noop], {"SETATTR": stat(ok=4)}, bazil)[0].fix.startswith("Implement NodeSetattrer (bazil)")
    assert find([noop, sized], {"SETATTR": stat(ok=4)}, bazil)[0].fix.startswith("Look at NodeSetattrer (bazil).")
