"""Why a request stays open, from what /proc tells: a wrong cause sends an author to the wrong line for hours."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from fsprobe.results.verdicts import Cause
from fsprobe.runners import stuck
from fsprobe.wire import Opcode

WRITE, FUTEX = min(stuck.WRITES, key=int, default="1"), stuck.FUTEX
FOR_EVER = f"{FUTEX} 0x7f00 0x189 0x0 0x0 0x0 0xffffffff 0x7ffd 0x7f01"
FOR_A_WHILE = f"{FUTEX} 0x7f00 0x189 0x0 0x7ffe 0x0 0xffffffff 0x7ffd 0x7f01"


def thread(wchan: str, syscall: str = "0 0x3 0x0 0x0 0x0 0x0 0x0", *, tid: int = 7, state: str = "S") -> dict[str, Any]:
    return {"tid": tid, "name": "d", "state": state, "wchan": wchan, "syscall": syscall, "stack": ""}


IDLE = thread("__skb_wait_for_more_packets", tid=8)
LOCKED = thread("futex_do_wait", FOR_EVER)


def daemon(*threads: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"pid": 7, "threads": list(threads)}]


def request(opcode: Opcode = Opcode.WRITE, *, pid: int = 99, taken: bool = True) -> dict[str, Any]:
    head = struct.pack("=IIQQIIIHH", 40, int(opcode), 2, 1, 0, 0, pid, 0, 0)
    return {"unique": 2, "opcode": int(opcode), "head": head, "age": 1.0, "taken": taken}


@pytest.mark.parametrize(
    ("threads", "opened", "resting", "cause", "proven"),
    [
        ([thread("request_wait_answer")], [request(), request(Opcode.STATFS, pid=7)], "", "deadlock-own-mount", True),
        ([thread("request_wait_answer")], [request()], "", "deadlock-own-mount", False),
        ([thread("request_wait_answer")], [request()], "request_wait_answer", "", False),
        ([thread("anon_pipe_write", f"{WRITE} 0x2 0x0 0x400 0x0 0x0 0x0")], [request()], "", "blocked-output", True),
        ([thread("pipe_write", f"{WRITE} 0x1 0x0 0x400 0x0 0x0 0x0"), IDLE], [request()], "", "blocked-output", True),
        ([thread("pipe_write", f"{WRITE} 0x5 0x0 0x400 0x0 0x0 0x0")], [request()], "", "blocked-io", False),
        ([LOCKED], [request()], "", "deadlock-lock", True),
        ([LOCKED, thread("futex_wait_queue", FOR_EVER, tid=9)], [request()], "futex_wait_queue", "deadlock-lock", True),
        ([thread("futex_do_wait", FOR_A_WHILE)], [request()], "", "deadlock-lock", False),
        ([LOCKED, IDLE], [request()], "", "deadlock-lock", False),
        ([LOCKED, IDLE], [request()], "futex_do_wait", "", False),
        ([LOCKED, thread("", tid=9, state="R")], [request()], "", "", False),
        ([LOCKED], [request(taken=False)], "", "", False),
        ([LOCKED], [], "", "", False),
        ([thread("do_signal_stop", state="T"), thread("", tid=9, state="T")], [request()], "", "stopped", True),
        ([thread("do_signal_stop", state="T"), IDLE], [request()], "", "", False),
        ([thread("hrtimer_nanosleep")], [request()], "", "blocked-io", False),
        ([thread("hrtimer_nanosleep"), IDLE], [request()], "hrtimer_nanosleep", "", False),
        ([IDLE], [request()], "", "", False),
        ([], [request()], "", "", False),
        ([thread("", "")], [request()], "", "", False),
    ],
)  # fmt: skip
def test_why(threads: Any, opened: Any, resting: str, cause: str, proven: bool) -> None:
    """What is called proven ends a check at once: it must hold for pools, timers and helpers that wait as well."""
    found = stuck.why(daemon(*threads), opened, frozenset(filter(None, [resting])))
    assert (found.cause if found else "", found.proven if found else False) == (cause, proven)
    if found:
        assert "daemon" in found.sentence and set(found.threads) <= {one["tid"] for one in threads}


WAITS_FOR_FILE_LOCK = thread("fcntl_setlk", tid=10)
HELD = [request(Opcode.SETLKW), request(Opcode.GETATTR, taken=False)]


@pytest.mark.parametrize(
    ("threads", "opened", "op", "proven"),
    [
        ([LOCKED, WAITS_FOR_FILE_LOCK], HELD, "SETLKW", True),
        ([WAITS_FOR_FILE_LOCK, IDLE], HELD, "", False),
        ([WAITS_FOR_FILE_LOCK, thread("hrtimer_nanosleep", tid=9)], HELD, "SETLKW", False),
        ([WAITS_FOR_FILE_LOCK], [request(Opcode.SETLKW)], "", False),
        ([WAITS_FOR_FILE_LOCK], [*HELD, request(Opcode.READ)], "", False),
        ([thread("", tid=10, state="R")], HELD, "", False),
    ],
    ids=["held", "one reads", "one sleeps", "nobody is waited for", "another was taken", "computes"],
)  # fmt: skip
def test_a_daemon_that_waits_for_locks_in_its_handler(threads: Any, opened: Any, op: str, proven: bool) -> None:
    """Ten processes that wait for a lock stop all others; what these asked for would be blamed, or a network."""
    found = stuck.why(daemon(*threads), opened)
    assert (found.op if found else "", bool(found and found.op and found.proven)) == (op, proven)
    if found and found.op:
        assert found.cause is Cause.DEADLOCK_LOCK and found.threads[0] == 10, "not libfuse's main thread"


def test_the_request_that_the_daemon_made_itself_is_named() -> None:
    """An author has to find the call: which operation on its own mount it was."""
    found = stuck.why(daemon(thread("request_wait_answer")), [request(), request(Opcode.GETXATTR, pid=7)])
    assert found is not None and found.sentence.endswith("its own GETXATTR")


def test_a_cause_is_one_of_the_list() -> None:
    """The result file would not match its schema."""
    assert {Cause.STOPPED, Cause.DEADLOCK_LOCK, Cause.BLOCKED_IO} <= set(Cause)


@pytest.mark.parametrize(
    ("processes", "idle"),
    [(daemon(IDLE), True), (daemon(IDLE, IDLE), True), (daemon(IDLE, LOCKED), False), ([], False), (daemon(), False),
     (daemon(IDLE) * 2, False)],
)  # fmt: skip
def test_idle(processes: Any, idle: bool) -> None:
    """A reply would be called lost while a second process works on it."""
    assert stuck.is_idle(processes) is idle
