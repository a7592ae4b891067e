"""Why a request stays open, from where the daemon's threads wait: pure functions of what /proc told.

Owns the table of kernel functions and the rules on them; knows nothing of waiting or of what follows. What is `proven`
leaves no other explanation once it has stayed so for `STEADY` seconds; all else is only likely.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsprobe.results.verdicts import Cause
from fsprobe.wire import opcode_name

STEADY = 0.5

# The kernel function that a thread sleeps in (/proc/PID/task/TID/wchan); the names differ between releases.
READING = ("__skb_wait_for_more_packets", "unix_stream_read_generic", "__skb_recv_datagram")
OWN_MOUNT = ("request_wait_answer", "fuse_simple_request", "__fuse_simple_request")
PIPE_FULL = ("anon_pipe_write", "pipe_write", "pipe_wait_writable")
LOCK = "futex_"
OUTSIDE: dict[str, tuple[str, ...]] = {
    "sleeps": ("hrtimer_nanosleep", "do_nanosleep", "__do_sys_pause", "sigsuspend"),
    "waits for the network, a pipe or another process": (
        "poll_schedule_timeout", "do_select", "wait_for_connect", "inet_csk_accept", "inet_stream_connect",
        "wait_woken", "tcp_recvmsg_locked", "do_wait", "anon_pipe_read", "pipe_read",
    ),
}  # fmt: skip
_NUMBERS = {"x86_64": ({"1", "20"}, "202"), "aarch64": ({"64", "66"}, "98")}
WRITES, FUTEX = _NUMBERS.get(os.uname().machine, (set(), ""))
"""Numbers of write and writev, and of futex (unistd.h)."""
_PID = struct.Struct("=32xI")  # fuse_in_header up to pid: the thread that waits for the answer


@dataclass(frozen=True, slots=True)
class Stuck:
    """One explanation. threads: those that show it; where they change, it is not the same any more."""

    cause: Cause
    proven: bool
    sentence: str
    threads: tuple[int, ...] = ()


def is_idle(processes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every thread of the only daemon process waits for a request."""
    threads = _threads(processes)
    return len(processes) == 1 and bool(threads) and all(_waits(thread, READING) for thread in threads)


def why(
    processes: Sequence[Mapping[str, Any]], opened: Sequence[Mapping[str, Any]], resting: frozenset[str] = frozenset()
) -> Stuck | None:
    """The best explanation, None where the threads tell none.

    processes: as the sandbox's `evidence` gives them. opened: the open requests of its `status`, the oldest first.
    resting: where threads wait when nothing is asked of the daemon.
    """
    threads = _threads(processes)
    if not threads:
        return None
    rules = (_stopped(threads), _own_mount(threads, opened, resting), _output(threads), _lock(threads, opened, resting),
             _outside(threads, resting))  # fmt: skip
    return next((found for found in rules if found is not None), None)


def _threads(processes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [thread for process in processes for thread in process["threads"]]


def _waits(thread: Mapping[str, Any], places: str | tuple[str, ...]) -> bool:
    return str(thread["wchan"]).startswith(places)


def _call(thread: Mapping[str, Any]) -> list[str]:
    """The system call that a thread is in: its number, then six arguments; empty strings where it is not told."""
    return [*str(thread["syscall"]).split(), *[""] * 7][:7]


def _stopped(threads: Sequence[Mapping[str, Any]]) -> Stuck | None:
    if not all(thread["state"] in ("T", "t") for thread in threads):
        return None
    return Stuck(Cause.STOPPED, True, "the daemon is stopped (state T)", tuple(thread["tid"] for thread in threads))


def _own_mount(
    threads: Sequence[Mapping[str, Any]], opened: Sequence[Mapping[str, Any]], resting: frozenset[str]
) -> Stuck | None:
    """A thread that waits for an answer by a FUSE daemon: this one, where one of the open requests is its own."""
    callers = {_PID.unpack_from(one["head"])[0]: one for one in opened if len(one["head"]) >= _PID.size}
    for thread in threads:
        tid = thread["tid"]
        if not _waits(thread, OWN_MOUNT):
            continue
        if tid in callers:
            told = f"thread {tid} of the daemon waits for an answer to its own {opcode_name(callers[tid]['opcode'])}"
            return Stuck(Cause.DEADLOCK_OWN_MOUNT, True, told, (tid,))
        if thread["wchan"] not in resting:
            told = f"thread {tid} of the daemon waits for a FUSE file system, its own or another"
            return Stuck(Cause.DEADLOCK_OWN_MOUNT, False, told, (tid,))
    return None


def _output(threads: Sequence[Mapping[str, Any]]) -> Stuck | None:
    for thread in threads:
        number, descriptor, *_ = _call(thread)
        output = {"0x1": "standard output", "0x2": "standard error"}.get(descriptor)
        if _waits(thread, PIPE_FULL) and output and number in WRITES:
            told = f"thread {thread['tid']} of the daemon writes to its own {output}, a full pipe that nobody reads"
            return Stuck(Cause.BLOCKED_OUTPUT, True, told, (thread["tid"],))
    return None


def _lock(
    threads: Sequence[Mapping[str, Any]], opened: Sequence[Mapping[str, Any]], resting: frozenset[str]
) -> Stuck | None:
    """No thread is left that could free the lock, or (only likely) those that are left wait for requests.

    A pool's idle threads wait in a futex as well: where that is so at rest, it says nothing.
    """
    waiting = [thread for thread in threads if _waits(thread, LOCK)]
    if not waiting or not opened or not opened[0]["taken"]:
        return None
    tids = tuple(thread["tid"] for thread in waiting)
    told = f"thread {tids[0]} of the daemon waits for a lock"
    if len(waiting) == len(threads) and all(map(_for_ever, waiting)):
        return Stuck(Cause.DEADLOCK_LOCK, True, f"{told}, and no thread is left to free it", tids)
    others = [thread for thread in threads if thread not in waiting]
    if all(thread["wchan"] not in resting for thread in waiting) and all(_waits(one, READING) for one in others):
        return Stuck(Cause.DEADLOCK_LOCK, False, told, tids)
    return None


def _for_ever(thread: Mapping[str, Any]) -> bool:
    """Whether it is in futex(2) with no timeout, its fourth argument."""
    number, *arguments = _call(thread)
    return bool(FUTEX) and number == FUTEX and arguments[3] == "0x0"


def _outside(threads: Sequence[Mapping[str, Any]], resting: frozenset[str]) -> Stuck | None:
    for what, places in OUTSIDE.items():
        for thread in threads:
            if thread["wchan"] in places and thread["wchan"] not in resting:
                return Stuck(Cause.BLOCKED_IO, False, f"thread {thread['tid']} of the daemon {what}", (thread["tid"],))
    return None
