"""What an object store may decline, and what it may not: the table behind `--expect object-store`."""

from __future__ import annotations

import pytest

from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause, Verdict
from fsprobe.runners.expectations import ALLOWANCES, OBJECT_STORE, differing, excuse, soften
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import Opcode


def failed(
    id: str, op: str, expected: str, observed: str, errno: str = "", *, main: bool = False, layer: str = "mount"
) -> CheckResult:
    return CheckResult(
        id, layer, op, "title", "MUST", Verdict.FAIL, expected=expected, observed=observed, errno=errno, main=main
    )


def answer(op: str, number: int) -> Exchange:
    return Exchange(0, 0, "shell", 2, Opcode[op], 1, 0, 0, 0, b"", 0, b"", 0, number, 0, 0)


DECLINED = [
    (failed("posix.link.adds-name", "LINK", "the call succeeds", "os.link: EPERM", "EPERM", main=True), "hard links"),
    (failed("posix.symlink.creates", "SYMLINK", "the call succeeds", "EOPNOTSUPP", "EOPNOTSUPP"), "symbolic links"),
    (failed("posix.mknod.fifo", "MKNOD", "the call succeeds", "EPERM", "EPERM"), "FIFOs"),
    (failed("posix.setxattr.round-trip", "SETXATTR", "the call succeeds", "EOPNOTSUPP", "EOPNOTSUPP"), "extended"),
    (failed("posix.setattr.chmod-bits", "SETATTR", "the mode 0o0", "0o644", main=True), "changes of mode"),
    (failed("posix.setattr.chown-one", "SETATTR", "owner and group after chown (1234, 0)", "(0, 0)"), "owner"),
    (failed("posix.setattr.times", "SETATTR", "atime and mtime (1, 2)", "(2, 2)", main=True), "times"),
    (failed("posix.getattr.another-process", "GETATTR", "size and mode by stat (10, 416)", "(10, 420)"), "mode"),
    (failed("posix.mkdir.parent-mtime", "MKDIR", "a newer mtime after mkdir", "the old mtime"), "times"),
    (failed("posix.rename.directory-with-children", "RENAME", "the call succeeds", "EXDEV", "EXDEV"), "directories"),
    (failed("posix.write.middle", "WRITE", "the call succeeds", "ESPIPE", "ESPIPE"), "beginning to end"),
    (failed("posix.unlink.open-file", "UNLINK", "the content after unlink: b'old data'", "b''"), "unlinked"),
    (failed("posix.unlink.twice-open", "READ", "the call succeeds", "ESTALE", "ESTALE"), "unlinked"),
    (failed("shell.cp-p", "SETATTR", "exit 0", "exit 1: cp: preserving times for 'b': Operation not permitted", "EPERM",
            layer="shell"), "times"),
]  # fmt: skip


@pytest.mark.parametrize(("result", "feature"), DECLINED, ids=lambda value: getattr(value, "id", None))
def test_what_it_may_decline_is_no_failure(result: CheckResult, feature: str) -> None:
    """The author of a sound object store would read a hundred failures for what no object store has."""
    found = excuse(result, [], OBJECT_STORE)
    assert found.verdict is Verdict.UNSUPPORTED and "an object store may do without" in found.reason
    assert feature in found.reason
    for expect in (None, "full", "read-only"):
        assert excuse(result, [], expect) == result


STAYS = [
    failed("posix.write.stores", "READ", "content b'abc'", "b'abd'", main=True),
    failed("posix.read.random", "READ", "50 bytes, at offset 3 b'a'", "50 bytes, at offset 3 b'b'"),
    failed("posix.rename.moves", "RENAME", "the call succeeds", "EXDEV", "EXDEV", main=True),
    failed("posix.read.plain", "READ", "the call succeeds", "EPERM", "EPERM", main=True),
    failed("posix.write.stores", "WRITE", "the call succeeds", "EPERM", "EPERM", main=True),
    failed("posix.setattr.truncate", "SETATTR", "the call succeeds", "EIO", "EIO"),
    failed("posix.rename.victim-data", "RENAME", "content b'old content'", "b'new'"),
    failed("posix.getattr.another-process", "GETATTR", "size and mode by stat (10, 416)", "(0, 420)"),
    failed("posix.readdir.lists", "READDIR", "the entries with their modes and names", "2 names"),
    failed("posix.mkdir.creates", "MKDIR", "the call succeeds", "ENOSYS", "ENOSYS", main=True),
    failed("posix.unlink.removes", "UNLINK", "f is gone", "f is still there"),
]


@pytest.mark.parametrize("result", STAYS, ids=lambda result: f"{result.id}-{result.errno or 'words'}")
def test_wrong_data_and_what_does_not_work_at_all_stay_failures(result: CheckResult) -> None:
    """An object store that loses data would be called fine."""
    assert excuse(result, [], OBJECT_STORE) == result


@pytest.mark.parametrize("verdict", [Verdict.HANG, Verdict.CRASH, Verdict.ERROR, Verdict.PASS, Verdict.NOTRUN])
def test_hangs_and_crashes_are_never_excused(verdict: Verdict) -> None:
    """A hang in chmod is a hang, whatever chmod is worth there."""
    hung = CheckResult("posix.setattr.mode", "mount", "SETATTR", "t", "MUST", verdict, expected="mode 0o600")
    assert excuse(hung, [], OBJECT_STORE) == hung


def test_a_refusal_that_programs_misread_is_told() -> None:
    """An author would not learn that EIO for a link makes people look for a broken disk."""
    found = excuse(failed("shell.ln", "LINK", "exit 0", "exit 1: ln: Input/output error", "EIO"), [], OBJECT_STORE)
    assert found.verdict is Verdict.UNSUPPORTED and "EIO is misread by programs" in found.reason


def test_a_program_need_not_name_the_error() -> None:
    """sqlite3 says `disk I/O error` where a write in the middle was refused; the request shows with what."""
    silent = failed("apps.sqlite.wal", "WRITE", "exit 0", "exit 10: Error: stepping, disk I/O error", layer="shell")
    assert excuse(silent, [answer("WRITE", 95)], OBJECT_STORE).verdict is Verdict.UNSUPPORTED
    assert excuse(silent, [answer("WRITE", 5)], OBJECT_STORE) == silent
    assert excuse(silent, [], OBJECT_STORE) == silent


def test_the_values_that_differ_are_what_a_finding_is_about() -> None:
    """A wrong size would be excused because a mode stands beside it, or the other way round."""
    assert differing("size and mode (1, 2)", "(1, 3)") == "mode"
    assert differing("size and mode (1, 2)", "(2, 2)") == "size"
    assert differing("a mode", "0o644") == "a mode"
    assert differing("odd (1, 2, 3)", "(1, 3, 3)") == "odd (1, 2, 3)"


def test_a_cause_that_explains_no_failure_any_more_is_a_note() -> None:
    """The first line of the report would still say that SETATTR is broken."""
    declined = excuse(DECLINED[0][0], [], OBJECT_STORE)
    lost = STAYS[0]
    told = [Diagnosis(Cause.NOT_IMPLEMENTED, "LINK", "proven", "s", (), "f", (declined.id,)),
            Diagnosis(Cause.WRONG_DATA, "READ", "proven", "s", (), "f", (lost.id, declined.id))]  # fmt: skip
    softened = soften(told, [declined, lost], OBJECT_STORE)
    assert [one.confidence for one in softened] == ["note", "proven"]
    assert soften(told, [declined, lost], None) == told


def test_the_table_names_operations_that_there_are() -> None:
    """A row with a misspelt operation excuses nothing, and nobody would notice."""
    assert {op for row in ALLOWANCES for op in row.ops} <= OPERATIONS.keys()
    assert all(row.ops or row.words or row.vanishes for row in ALLOWANCES)
