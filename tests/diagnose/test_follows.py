"""What follows from another cause is no cause of its own: an author with one bug reads one line."""

from __future__ import annotations

from typing import Any

from fsprobe.diagnose.diagnose import diagnose
from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.follows import symptoms_of
from fsprobe.diagnose.library import UNKNOWN, Library
from fsprobe.diagnose.matrix import summarise
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Cause
from tests.diagnose.made import check, stat

HIGH = Library("libfuse", "3.14", "high", "libfuse3")
DATA = "64 bytes, at offset 0 b'abc'"


def causes(checks: list[CheckResult], stats: Any = None, library: Library = UNKNOWN) -> list[tuple[Cause, str]]:
    """Cause and operation of each diagnosis that is no note."""
    evidence = Evidence(tuple(checks), summarise(checks, stats or {}, library), library)
    return [(one.cause, one.op) for one in diagnose(evidence) if one.confidence != "note"]


def size(id: str, op: str, *sent: str, **fields: Any) -> CheckResult:
    """A check that was told a wrong size."""
    return check(id, op, "FAIL", expected="fstat: size 4096", observed="0", sent=(op, *sent), **fields)


def test_a_size_that_getattr_tells_wrong_is_one_line() -> None:
    """Whoever writes, copies or seeks meets the wrong size: four lines for one attribute, before."""
    checks = [
        size("wire.getattr.size", "GETATTR", "WRITE", main=True),
        size("posix.write.size", "WRITE", "GETATTR", "CREATE"),
        size("posix.copy.size", "COPY_FILE_RANGE", "GETATTR", "WRITE"),
        check("posix.lseek.data", "LSEEK", "FAIL", errno="ENXIO", expected="the call succeeds",
              sent=("LSEEK", "GETATTR", "WRITE")),
    ]  # fmt: skip
    assert causes(checks, {"GETATTR": stat(ok=9)}) == [(Cause.WRONG_METADATA, "GETATTR")]


def test_two_faults_that_do_not_meet_stay_two() -> None:
    """Who mends the one would look in vain for what the other does."""
    checks = [
        size("wire.getattr.size", "GETATTR", main=True),
        check("wire.fallocate.zeros", "FALLOCATE", "FAIL", expected=f"content {DATA}", observed="other", main=True,
              sent=("FALLOCATE", "WRITE", "READ")),
        check("wire.mkdir.mode", "MKDIR", "FAIL", expected="mode 0o755", observed="0o700", main=True,
              sent=("MKDIR", "GETATTR")),
    ]  # fmt: skip
    assert len(causes(checks)) == 3


def test_a_listing_without_names_is_what_rm_falls_over() -> None:
    """`rm -r` that leaves a directory behind sends people to RMDIR, where nothing is wrong."""
    checks = [
        check("wire.readdir.names", "READDIR", "FAIL", expected="names ['a', 'b']", observed="['a']", main=True,
              sent=("READDIR",)),
        check("shell.rm", "RMDIR", "FAIL", expected="exit 0", sent=("READDIR", "UNLINK", "RMDIR"),
              observed="exit 1: rm: cannot remove 'd': Directory not empty"),
    ]  # fmt: skip
    assert causes(checks) == [(Cause.WRONG_DATA, "READDIR")]
    alone = check("wire.rmdir", "RMDIR", "FAIL", expected="the call succeeds", errno="ENOTEMPTY", main=True)
    stats = {"RMDIR": stat(ENOTEMPTY=1)}
    assert "RMDIR" in {op for _, op in causes([*checks, alone], stats)}, "it fails by itself too"


def test_what_the_library_asks_of_another_handler_is_that_handlers() -> None:
    """libfuse's high level calls getattr for each new name and rename for each hidden file."""
    checks = [
        check("wire.getattr", "GETATTR", "FAIL", errno="EINVAL", main=True),
        check("wire.mkdir", "MKDIR", "FAIL", errno="EINVAL", main=True),
        check("wire.create", "CREATE", "FAIL", errno="EINVAL", main=True),
    ]
    stats = {op: stat(EINVAL=3) for op in ("GETATTR", "MKDIR", "CREATE")}
    assert causes(checks, stats, HIGH) == [(Cause.WRONG_ERRNO, "GETATTR")]
    assert len(causes(checks, stats)) == 3, "nobody else's library does so"
    hidden = [
        check("wire.rename", "RENAME", "FAIL", errno="EPERM", main=True),
        check("posix.unlink.open", "UNLINK", "FAIL", errno="EPERM"),
    ]
    assert causes(hidden, {"RENAME": stat(EPERM=3), "UNLINK": stat(ok=9, EPERM=1)}, HIGH) == [
        (Cause.WRONG_ERRNO, "RENAME")
    ]


def test_who_fails_without_a_kernel_is_the_root() -> None:
    """Content that is wrong after WRITE and READ is charged to the one that errs where it is asked alone."""
    checks = [
        check("wire.write.count", "WRITE", "PASS", main=True),
        check("wire.read.windows", "READ", "FAIL", expected=f"content {DATA}", observed="other",
              sent=("READ", "WRITE")),
        check("shell.sha", "WRITE", "FAIL", expected="SHA-256 of a: 12", observed="34", sent=("WRITE", "READ")),
    ]  # fmt: skip
    assert causes(checks) == [(Cause.WRONG_DATA, "READ")]


def test_symptoms_are_read_from_the_words() -> None:
    """A word that is missed is a line too many."""
    assert symptoms_of(check("shell.wc", "READ", "FAIL", expected="size of f: 3", observed="2")) == {"program", "size"}
    assert symptoms_of(check("posix.x", "READ", "FAIL", errno="EIO")) == {"EIO"}
    assert symptoms_of(check("posix.x", "READ", "HANG", observed="the check does not come to an end")) == {"endless"}
    assert "fault" in symptoms_of(check("posix.x", "READ", "FAIL", observed="the process was killed by SIGBUS"))


def test_what_followed_is_told_in_the_evidence() -> None:
    """Where it was a second bug after all, its words are not lost."""
    checks = [
        check("wire.readdir.names", "READDIR", "FAIL", expected="names ['a', 'b']", observed="['a']", main=True),
        check("posix.rmdir.kept", "RMDIR", "FAIL", errno="ENOTEMPTY", sent=("READDIR", "RMDIR")),
    ]
    evidence = Evidence(tuple(checks), summarise(checks, {}, UNKNOWN), UNKNOWN)
    (one,) = diagnose(evidence)
    assert set(one.checks) == {"wire.readdir.names", "posix.rmdir.kept"}
    assert any(line.startswith("with it: RMDIR") for line in one.evidence)


def test_proof_by_two_witnesses_beats_what_fails_more_often() -> None:
    """SETATTR and CREATE set the mode that GETATTR then tells wrong: most checks are theirs."""
    alone = "GETATTR after a change: the attributes that two other replies give"
    checks = [
        check("wire.getattr.agrees", "GETATTR", "FAIL", expected=alone, observed="mode 33188, others 33152"),
        *(check(f"posix.setattr.{number}", "SETATTR", "FAIL", expected="mode 0o600", observed="0o644",
                sent=("SETATTR", "GETATTR")) for number in range(5)),
        check("wire.setattr.mode", "SETATTR", "FAIL", expected="mode 0o600", observed="0o644", main=True,
              sent=("SETATTR", "GETATTR")),
    ]  # fmt: skip
    assert causes(checks) == [(Cause.WRONG_METADATA, "GETATTR")]


def test_an_error_that_the_daemon_never_said_is_no_missing_handler() -> None:
    """The kernel makes EIO of a reply that it cannot take: nobody has to write a READ that is there."""
    fusepy = Library("fusepy", "", "", "fusepy")
    failed = [check("posix.read", "READ", "FAIL", errno="EIO"), check("posix.mkdir", "MKDIR", "PASS", main=True)]
    said = {"MKDIR": stat(ok=3), "READ": stat(EIO=2)}
    assert causes(failed, said, fusepy) == [(Cause.NOT_IMPLEMENTED, "READ")]
    assert causes(failed, {"MKDIR": stat(ok=3)}, fusepy) == [(Cause.WRONG_ERRNO, "READ")]


def test_attributes_that_no_kernel_takes_are_getattrs_where_it_makes_them() -> None:
    """A getattr that forgets the file type spoils each reply that libfuse makes of it."""
    told = {"expected": "a reply to it that a kernel takes", "observed": "mode 0o755 has no type: the caller gets EIO"}
    checks = [check(f"wire.{op}", op, "FAIL", main=True, **told) for op in ("GETATTR", "MKDIR", "MKNOD")]
    assert causes(checks, library=HIGH) == [(Cause.MALFORMED_REPLY, "GETATTR")]
    assert len(causes(checks)) == 3
