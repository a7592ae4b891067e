"""What a daemon never does, whatever it is asked, is one line and not one for every operation that shows it."""

from __future__ import annotations

from typing import Any

from fsprobe.diagnose.library import Library
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause
from tests.diagnose.made import check, stat
from tests.diagnose.test_diagnose import find

LIBFUSE = Library("libfuse", "3.14", "high", "libfuse3")
FUSER = Library("fuser", "0.15", family="fuser")
SEEN: dict[str, dict[str, Any]] = {"LOOKUP": stat(ok=9)}
OPEN_TO_ALL = {"mount_options": ("rw", "nosuid", "allow_other")}


def _passes(id: str, op: str, error: str = "EACCES") -> CheckResult:
    return check(id, op, "FAIL", expected=f"{error} from something by another user", observed="success")


FORBIDDEN = [
    _passes("posix.unlink.sticky", "UNLINK", "EPERM"),
    _passes("posix.mkdir.denied", "MKDIR"),
    check("posix.open.denied-by-mode", "OPEN", "FAIL", expected="whether an owner can read and write [True, False]",
          observed="[True, True]"),
]  # fmt: skip


def _told(found: list[Diagnosis], word: str) -> list[Diagnosis]:
    return [one for one in found if word in one.summary]


def test_permissions_that_nobody_checks_are_one_line_with_the_option_to_mount_with() -> None:
    """Five lines of wrong errors would send an author to five handlers, where one mount option is missing."""
    (one,) = find(FORBIDDEN, SEEN, FUSER, **OPEN_TO_ALL)
    assert one.cause is Cause.WRONG_ERRNO and set(one.ops) == {"UNLINK", "MKDIR", "OPEN"}
    assert set(one.checks) == {each.id for each in FORBIDDEN}
    assert "default_permissions" in one.summary and "MountOption::DefaultPermissions" in one.fix
    assert "-o default_permissions" in find(FORBIDDEN, SEEN, LIBFUSE, **OPEN_TO_ALL)[0].fix


def test_a_daemon_that_checks_permissions_itself_is_told_where_it_does_not() -> None:
    """One forgotten check among many is a fault of that operation, not a mount option."""
    checking: dict[str, dict[str, Any]] = {"UNLINK": stat(ok=3, EACCES=2)}
    kernel = {"mount_options": ("rw", "default_permissions")}
    no_mode = [*FORBIDDEN, check("posix.chmod", "SETATTR", "FAIL", main=True, observed="0o644, as before",
                                 expected="mode 0o600")]  # fmt: skip
    for checks, stats, how in (
        (FORBIDDEN, checking, OPEN_TO_ALL), (FORBIDDEN, SEEN, kernel), (no_mode, SEEN, OPEN_TO_ALL),
        (FORBIDDEN, {}, OPEN_TO_ALL),  # --no-relay: nobody saw what it answers
    ):  # fmt: skip
        assert not _told(find(checks, stats, LIBFUSE, **how), "nobody checks permissions")


def test_what_is_made_for_another_owner_is_one_line() -> None:
    """A daemon that runs as root and forgets to give things away does so in every handler that makes one."""
    checks = [
        check("posix.mkdir.owner", "MKDIR", "FAIL", expected="owner and group (65534, 65534)", observed="(0, 0)"),
        check("posix.symlink.owner", "SYMLINK", "FAIL", expected="the owner 65534", observed="0"),
    ]
    (one,) = find(checks, {}, LIBFUSE)
    assert one.ops == ("MKDIR", "SYMLINK") and "fuse_get_context()->uid" in one.fix
    elsewhere = [checks[0], check("posix.symlink.owner", "SYMLINK", "FAIL", expected="the owner 65534", observed="7")]
    assert len(find(elsewhere, {}, LIBFUSE)) == 2


def test_names_that_are_taken_for_text_are_one_line() -> None:
    """A language that decodes names loses them in every operation: the replaced bytes show it."""
    checks = [
        check("posix.readlink.exact", "READLINK", "FAIL", expected=r"the target: b'\xff\xfe not utf-8'",
              observed=r"b'\xef\xbf\xbd\xef\xbf\xbd not utf-8'"),
        check("posix.rename.names-are-bytes", "RENAME", "FAIL", expected=r"the names listed [b'\xff\xfe']",
              observed=r"[b'\xef\xbf\xbd\xef\xbf\xbd']"),
    ]  # fmt: skip
    (one,) = find(checks, {}, LIBFUSE)
    assert one.cause is Cause.WRONG_DATA and one.ops == ("READLINK", "RENAME")


def test_names_that_are_too_long_are_one_line() -> None:
    """One limit is missing, in a function that every handler could call."""
    checks = [
        check("protocol.create.longest-name", "CREATE", "FAIL", expected="ENAMETOOLONG", observed="success"),
        check("posix.rename.too-long", "RENAME", "FAIL", expected="ENAMETOOLONG from rename", observed="success"),
        check("shell.long-name", "CREATE", "FAIL", observed="exit 0",
              expected="a failure with 'File name too long' from `: > $(printf '%0256d' 7)`"),
    ]  # fmt: skip
    (one,) = find(checks, {}, LIBFUSE)
    assert one.op == "CREATE" and len(one.checks) == 3 and "f_namemax" in one.fix
    other = [check(f"protocol.{op}.long", op, "FAIL", expected="ENAMETOOLONG", observed="EBADMSG", errno="EBADMSG")
             for op in ("LOOKUP", "CREATE", "MKDIR")]  # fmt: skip
    (one,) = find(other, {op: stat(EBADMSG=1) for op in ("LOOKUP", "CREATE", "MKDIR")}, LIBFUSE)
    assert set(one.ops) == {"LOOKUP", "CREATE", "MKDIR"} and "another error" in one.summary
