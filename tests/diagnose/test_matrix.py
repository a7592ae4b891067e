"""The verdict of an operation: one wrong word and a missing operation looks fine, or a fine one missing."""

from __future__ import annotations

from typing import Any

import pytest

from fsprobe.diagnose.library import Library
from fsprobe.diagnose.matrix import all_enosys, summarise
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import OpVerdict
from tests.diagnose.made import before_fix, check, enosys, stat

OK = check("wire.op", "MKNOD", "PASS", main=True)
FIFO = enosys("posix.mknod.fifo", "MKNOD")


@pytest.mark.parametrize(
    ("checks", "replies", "verdict", "detail"),
    [
        ([OK], {"ok": 3}, "ok", ""),
        ([], {}, "untested", ""),
        ([check("a", "MKNOD", "SKIP")], {"ok": 1}, "untested", ""),
        ([check("a", "MKNOD", "NOTRUN")], {}, "untested", ""),
        ([check("a", "MKNOD", "WARN")], {"ok": 1}, "ok", ""),
        ([enosys("wire.a", "MKNOD", "UNSUPPORTED", main=True)], {"ENOSYS": 3}, "ENOSYS", ""),
        ([enosys("wire.a", "MKNOD", "UNSUPPORTED", main=True)], {"ENOSYS": 3, "ENOENT": 2}, "ENOSYS", ""),
        ([enosys("a", "MKNOD", "FAIL", main=True), check("b", "MKNOD", "PASS")], {"ENOSYS": 9, "ok": 1}, "ENOSYS", ""),
        ([OK, FIFO], {"ENOSYS": 2, "ok": 5}, "partial", "ENOSYS for FIFOs"),
        ([FIFO], {"ENOSYS": 2, "ok": 5}, "partial", "ENOSYS for FIFOs"),
        ([FIFO], {}, "ENOSYS", ""),  # no relay: the check alone says so
        ([check("a", "MKNOD", "FAIL", main=True)], {"ok": 5}, "wrong", ""),
        ([OK, check("a", "MKNOD", "FAIL")], {"ok": 5}, "partial", ""),
        ([OK, check("a", "MKNOD", "XFAIL")], {"ok": 5}, "partial", ""),
        ([check("a", "MKNOD", "UNSUPPORTED", errno="EPERM", main=True)], {"EPERM": 2}, "unsupported", ""),
        ([OK, check("a.socket", "MKNOD", "UNSUPPORTED", errno="EPERM")], {"EPERM": 2, "ok": 1}, "ok",
         "EPERM for sockets"),
        ([OK, FIFO, check("b", "MKNOD", "HANG")], {"ok": 1}, "hang", ""),
        ([OK, check("b", "MKNOD", "HANG"), check("c", "MKNOD", "CRASH")], {"ok": 1}, "crash", ""),
    ],
)
def test_verdict_of_an_operation(
    checks: list[CheckResult], replies: dict[str, int], verdict: str, detail: str
) -> None:
    """The worst that was seen, and the kind where it is not the whole operation."""
    summary = summarise(checks, {"MKNOD": stat(**replies)})["MKNOD"]
    assert (summary.verdict, summary.detail) == (verdict, detail)


def test_layers_by_themselves() -> None:
    """The matrix shows in which layer an operation fails."""
    checks = [
        check("wire.a", "GETXATTR", "PASS", main=True),
        check("posix.b", "GETXATTR", "UNSUPPORTED", errno="EOPNOTSUPP", main=True),
    ]
    summary = summarise(checks)["GETXATTR"]
    assert (summary.wire, summary.mount, summary.shell) == (OpVerdict.OK, OpVerdict.UNSUPPORTED, None)


def test_blame_moved_elsewhere_does_not_stain_the_declared_operation() -> None:
    """mkdir's check that fails because LOOKUP is broken leaves MKDIR untested, not wrong."""
    summary = summarise([check("a", "LOOKUP", "FAIL", declared="MKDIR", ops=("MKDIR", "LOOKUP"), main=True)])
    assert summary["MKDIR"].verdict is OpVerdict.UNTESTED
    assert summary["LOOKUP"].verdict is OpVerdict.PARTIAL


def test_what_a_check_exercises_besides_counts_as_tested() -> None:
    """RELEASE has no check of its own in a short run and is still known to work."""
    summary = summarise([check("a", "OPEN", "PASS", ops=("OPEN", "RELEASE"))])
    assert summary["RELEASE"].verdict is OpVerdict.OK


def test_what_the_kernel_did_alone_does_not_count() -> None:
    """Locks that were not negotiated work without the daemon: they say nothing about its GETLK."""
    checks = [check("a", "GETLK", "PASS", main=True), check("wire.b", "READ", "PASS")]
    recorded = summarise(checks, {"READ": stat(ok=1)})["GETLK"]
    assert (recorded.verdict, recorded.mount) == (OpVerdict.UNTESTED, None)
    assert summarise(checks)["GETLK"].verdict is OpVerdict.OK  # nothing was recorded: the checks are all there is


def test_an_operation_that_never_answered_gains_nothing_from_checks_of_others() -> None:
    """A hang in the wire layer would stand beside an ok of the mount, where nothing was answered either."""
    checks = [check("wire.a", "SETATTR", "HANG"), check("posix.open", "OPEN", "PASS", ops=("OPEN", "SETATTR"))]
    summary = summarise(checks, {"SETATTR": stat(35), "OPEN": stat(ok=3)})["SETATTR"]
    assert (summary.verdict, summary.wire, summary.mount) == (OpVerdict.HANG, OpVerdict.HANG, None)


def test_enosys_is_the_right_answer_to_a_number_that_nobody_knows() -> None:
    """A daemon that declines an opcode of the future is not told that it lacks it."""
    found = summarise([check("wire.unknown", "UNKNOWN", "PASS")], {"OPCODE_2047": stat(ENOSYS=1)})
    assert found["OPCODE_2047"].verdict is OpVerdict.UNTESTED
    assert found["UNKNOWN"].verdict is OpVerdict.OK


def test_before_the_fix() -> None:
    """The historic daemon: eight missing operations and more, each by its name, and none a hang."""
    checks, stats = before_fix()
    found = summarise(checks, stats, Library("fuse (Rust)", "0.3", family="fuse-rs"))
    absent = ["SETATTR", "MKNOD", "MKDIR", "UNLINK", "RMDIR", "RENAME", "LINK", "SYMLINK"]
    assert {op: found[op].verdict for op in absent} == dict.fromkeys(absent, OpVerdict.ENOSYS)
    assert found["CREATE"].verdict is OpVerdict.OK
    assert found["SETATTR"].handler == "Filesystem::setattr"
    assert found["SETATTR"].breaks[0] == "touch"
    assert found["SETATTR"].requests == 10 and found["SETATTR"].shell is OpVerdict.ENOSYS


@pytest.mark.parametrize(
    ("replies", "answer"),
    [({"ENOSYS": 1}, True), ({"ENOSYS": 1, "ENOENT": 4}, True), ({"ENOSYS": 1, "no reply": 1}, True),
     ({"ENOSYS": 4, "ok": 1}, False), ({"ENOSYS": 1, "EIO": 1}, False), ({}, False), ({"ENOENT": 1}, False)],
)  # fmt: skip
def test_all_enosys(replies: dict[str, Any], answer: bool) -> None:
    """An answer given before the handler is looked for says nothing about the handler."""
    assert all_enosys(replies) is answer
