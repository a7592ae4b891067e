"""What a run found, summed up: checks, operations and causes name the same operation."""

from __future__ import annotations

from dataclasses import replace

from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause, Verdict
from fsprobe.runners.findings import charged

REMOVES = CheckResult("shell.rm-r", "shell", "UNLINK", "`rm -r` works.", "MUST", Verdict.FAIL, ops=("UNLINK",))


def cause(op: str, *checks: str, ops: tuple[str, ...] = (), confidence: str = "likely") -> Diagnosis:
    return Diagnosis(Cause.WRONG_DATA, op, confidence, "it is wrong", checks=checks, ops=ops)


def test_what_follows_from_another_operation_blames_that_one() -> None:
    """`rm -r` fails because of READDIR: an author who is pointed at UNLINK finds nothing wrong there."""
    (result,) = charged([REMOVES], [cause("READDIR", "shell.rm-r")])
    assert (result.op, result.ops) == ("READDIR", ("UNLINK",))


def test_one_of_several_that_share_a_cause_keeps_the_blame() -> None:
    """Of eight missing operations each has its own checks."""
    assert charged([REMOVES], [cause("SETATTR", "shell.rm-r", ops=("SETATTR", "UNLINK"))]) == [REMOVES]


def test_nothing_else_moves_the_blame() -> None:
    """A note, a cause without an operation, another check's cause; and what passed blames nobody."""
    causes = [cause("MKNOD", "shell.rm-r", confidence="note"), cause("", "shell.rm-r"), cause("READ", "posix.other")]
    assert charged([REMOVES], causes) == [REMOVES]
    passed = replace(REMOVES, verdict=Verdict.PASS)
    assert charged([passed], [cause("READDIR", "shell.rm-r")]) == [passed]
