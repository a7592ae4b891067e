"""Why a request stays open, from where the daemon's threads wait: pure functions of what /proc told.

Owns the table of kernel functions and the rules on them; knows nothing of waiting or of what follows. What is `proven`
leaves no other explanation once it has stayed so for `STEADY` seconds, in which none of the threads ran; all else is
only likely.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fsprobe.results.verdicts import HELD, Cause
from fsprobe.sandbox.callers import call_name
from fsprobe.wire import Opcode, opcode_name

STEADY = 0.08
"""How long a thing must stay so: the threads' counts of switches prove that nothing ran meanwhile."""
BUSY = 0.05  # of the time that has passed, at least: the rest may go to whatever else the machine does

# The kernel function that a thread sleeps in (/proc/PID/task/TID/wchan); the names differ between releases.
SOCKET = ("__skb_wait_for_more_packets", "unix_stream_read_generic", "__skb_recv_datagram")
READING = (*SOCKET, "fuse_dev_do_read", "fuse_dev_read", "fuse_dev_splice_read")
OWN_MOUNT = ("request_wait_answer", "fuse_simple_request", "__fuse_simple_request")
PIPE_FULL = ("anon_pipe_write", "pipe_write", "pipe_wait_writable")
LOCK = "futex_"
_FILE_LOCK = "waits for a lock on a file"
OUTSIDE: dict[str, tuple[str, ...]] = {
    "sleeps": ("hrtimer_nanosleep", "do_nanosleep", "__do_sys_pause", "sigsuspend"),
    "waits for somebody to write into a pipe or FIFO": ("anon_pipe_read", "pipe_read", "pipe_wait_readable"),
    "waits for the other end of a FIFO to be opened": ("wait_for_partner", "fifo_open"),
    "writes into a pipe or FIFO that nobody empties": PIPE_FULL,
    _FILE_LOCK: ("flock_lock_inode_wait", "locks_lock_inode_wait", "fcntl_setlk", "posix_lock_inode"),
    "waits for an answer over a socket": (
        *SOCKET, "wait_for_connect", "inet_csk_accept", "inet_stream_connect", "wait_woken", "tcp_recvmsg_locked",
        "unix_wait_for_peer", "sk_wait_data", "sk_stream_wait_memory", "unix_stream_data_wait",
    ),
    "waits for the network, a pipe or another process": (
        "poll_schedule_timeout", "do_select", "ep_poll", "do_epoll_wait", "do_wait", "do_poll",
    ),
    "waits for another file system": (
        "rpc_wait_bit_killable", "nfs_wait_bit_killable", "folio_wait_bit_common", "io_schedule", "rwsem_down",
        "wait_on_page_bit", "autofs4_wait", "autofs_wait",
    ),
}  # fmt: skip
_NUMBERS = {"x86_64": ({"1", "20"}, "202"), "aarch64": ({"64", "66"}, "98")}
WRITES, FUTEX = _NUMBERS.get(os.uname().machine, (set(), ""))
"""Numbers of write and writev, and of futex (unistd.h)."""
_PID = struct.Struct("=32xI")  # fuse_in_header up to pid: the thread that waits for the answer

Thread = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stuck:
    """One explanation. threads: those that show it, first the one to look at.

    state: what must not change meanwhile, else it is not the same any more: who waits, and how often they ran. op: the
    operation to blame, where it is another than that of the request which was looked at.
    """

    cause: Cause
    proven: bool
    sentence: str
    threads: tuple[int, ...] = ()
    state: tuple[tuple[int, int], ...] = ()
    op: str = ""


def is_idle(processes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every thread of the only daemon process waits for a request, and nothing else could wake one."""
    threads = _threads(processes)
    alone = len(processes) == 1 and not processes[0].get("wakes_itself")
    return alone and bool(threads) and all(map(_reads, threads))


def why(
    processes: Sequence[Mapping[str, Any]],
    opened: Sequence[Mapping[str, Any]],
    resting: frozenset[str] = frozenset(),
    ran: Mapping[int, float] | None = None,
) -> Stuck | None:
    """The best explanation, None where the threads tell none.

    processes: as the sandbox's `evidence` gives them. opened: the open requests of its `status`, the oldest first.
    resting: where threads wait when nothing is asked of the daemon. ran: by thread, which part of the time since the
    request became suspicious it has been running.
    """
    threads = _threads(processes)
    if not threads:
        return None
    rules = (
        _stopped(threads), _own_mount(threads, opened, resting), _output(threads, resting), _cycle(threads, resting),
        _held(threads, opened), _lock(threads, opened, resting), _outside(threads, resting), _busy(threads, ran or {}),
    )  # fmt: skip
    found = next((found for found in rules if found is not None and found.proven), None)
    found = found or next((found for found in rules if found is not None), None)
    if found is None:
        return None
    state = tuple((one["tid"], one.get("switches", 0)) for one in threads if one["tid"] in found.threads)
    return replace(found, state=state)


def _threads(processes: Sequence[Mapping[str, Any]]) -> list[Thread]:
    return [thread for process in processes for thread in process["threads"]]


def _waits(thread: Thread, places: str | tuple[str, ...]) -> bool:
    return str(thread["wchan"]).startswith(places)


def _reads(thread: Thread) -> bool:
    """Whether it waits for the next request, at the daemon's end of the connection where that is known."""
    return bool(thread.get("polls")) or (_waits(thread, READING) and bool(thread.get("fuse", True)))


def _call(thread: Thread) -> list[str]:
    """The system call that a thread is in: its number, then six arguments; empty strings where it is not told."""
    return [*str(thread["syscall"]).split(), *[""] * 7][:7]


def _never_answers(thread: Thread, resting: frozenset[str]) -> bool:
    """Whether a thread beside those that are stuck is no hope either: it waits for work, as at rest, or for ever."""
    return (
        _reads(thread) or _for_ever(thread) or _waits(thread, OWN_MOUNT)
        or (thread["state"] == "S" and thread["wchan"] in resting and not _waits(thread, "hrtimer"))
    )  # fmt: skip


def _hopeless(threads: Sequence[Thread], stuck: Sequence[int], resting: frozenset[str]) -> bool:
    return all(_never_answers(one, resting) for one in threads if one["tid"] not in stuck)


def _stopped(threads: Sequence[Thread]) -> Stuck | None:
    if not all(thread["state"] in ("T", "t") for thread in threads):
        return None
    return Stuck(Cause.STOPPED, True, "the daemon is stopped (state T)", tuple(thread["tid"] for thread in threads))


def _own_mount(
    threads: Sequence[Thread], opened: Sequence[Mapping[str, Any]], resting: frozenset[str]
) -> Stuck | None:
    """A thread that waits for an answer by a FUSE daemon: this one, where one of the open requests is its own.

    Where another thread could still serve that request it is slow at most.
    """
    callers = {_PID.unpack_from(one["head"])[0]: one for one in opened if len(one["head"]) >= _PID.size}
    waiting = [one for one in threads if _waits(one, OWN_MOUNT)]
    for thread in waiting:
        tid = thread["tid"]
        if tid in callers:
            told = f"thread {tid} of the daemon waits for an answer to its own {opcode_name(callers[tid]['opcode'])}"
            return Stuck(Cause.DEADLOCK_OWN_MOUNT, _hopeless(threads, (tid,), resting), told, (tid,))
    for thread in waiting:
        if thread["wchan"] not in resting:
            told = f"thread {thread['tid']} of the daemon waits for a FUSE file system, its own or another"
            return Stuck(Cause.DEADLOCK_OWN_MOUNT, False, told, (thread["tid"],))
    return None


def _output(threads: Sequence[Thread], resting: frozenset[str]) -> Stuck | None:
    for thread in threads:
        number, descriptor, *_ = _call(thread)
        output = {"0x1": "standard output", "0x2": "standard error"}.get(descriptor)
        if _waits(thread, PIPE_FULL) and output and number in WRITES:
            tid, read = thread["tid"], bool(thread.get("readers"))
            told = f"thread {tid} of the daemon writes to its own {output}, a full pipe that " + (
                "is read too slowly" if read else "nobody reads")  # fmt: skip
            return Stuck(Cause.BLOCKED_OUTPUT, not read and _hopeless(threads, (tid,), resting), told, (tid,))
    return None


def _cycle(threads: Sequence[Thread], resting: frozenset[str]) -> Stuck | None:
    """Threads each of which waits, without end, for a mutex that the next one holds (glibc's name their owner)."""
    owner = {one["tid"]: int(one.get("owner") or 0) for one in threads if _for_ever(one)}
    for tid in owner:
        ring = [tid]
        while (holder := owner.get(ring[-1], 0)) and holder not in ring:
            ring.append(holder)
        if holder != tid:
            continue
        if len(ring) == 1:
            told = f"thread {tid} of the daemon waits for a lock that it holds itself"
        else:
            told = f"threads {', '.join(map(str, ring))} of the daemon wait in a ring, each for a lock of the next"
        return Stuck(Cause.DEADLOCK_LOCK, _hopeless(threads, ring, resting), told, tuple(ring))
    return None


def _held(threads: Sequence[Thread], opened: Sequence[Mapping[str, Any]]) -> Stuck | None:
    """Every thread waits in the handler of a lock, so that the unlock which would end that is never read.

    Only where nothing else was taken, and something is open that nobody takes: who answers such requests later reads
    on. Whoever does anything but wait for a lock may come back to it.
    """
    taken = {int(one["opcode"]) for one in opened if one["taken"]}
    waiting = [one for one in threads if _waits(one, (LOCK, *OUTSIDE[_FILE_LOCK])) and one["state"] in ("S", "D")]
    if taken != {Opcode.SETLKW} or all(one["taken"] for one in opened) or any(map(_reads, threads)) or not waiting:
        return None
    number = sum(bool(one["taken"]) for one in opened)
    told = f"every thread of the daemon is {HELD} ({number} of SETLKW), and none is left to read the unlock"
    waiting.sort(key=lambda one: _waits(one, LOCK))  # libfuse's main thread waits in a futex as well
    tids = tuple(one["tid"] for one in waiting)
    return Stuck(Cause.DEADLOCK_LOCK, len(waiting) == len(threads), told, tids, op="SETLKW")


def _lock(threads: Sequence[Thread], opened: Sequence[Mapping[str, Any]], resting: frozenset[str]) -> Stuck | None:
    """No thread is left that could free the lock, or (only likely) those that are left wait for requests.

    A pool's idle threads wait in a futex as well: where that is so at rest, it says nothing.
    """
    waiting = [thread for thread in threads if _waits(thread, LOCK)]
    if not waiting or not opened or not opened[0]["taken"]:
        return None
    waiting.sort(key=lambda thread: thread["wchan"] in resting and not thread.get("owner"))
    tids = tuple(thread["tid"] for thread in waiting)
    told = f"thread {tids[0]} of the daemon waits for a lock"
    if len(waiting) == len(threads) and all(map(_for_ever, waiting)):
        return Stuck(Cause.DEADLOCK_LOCK, True, f"{told}, and no thread is left to free it", tids)
    holder = next((int(one.get("owner") or 0) for one in waiting if one.get("owner")), 0)
    if holder and holder not in tids:
        return None  # what that thread waits for is the cause
    others = [thread for thread in threads if thread not in waiting]
    if all(map(_reads, others)) and (holder or all(thread["wchan"] not in resting for thread in waiting)):
        return Stuck(Cause.DEADLOCK_LOCK, False, told, tids)
    return None


def _for_ever(thread: Thread) -> bool:
    """Whether it is in futex(2) with no timeout, its fourth argument."""
    number, *arguments = _call(thread)
    return _waits(thread, LOCK) and bool(FUTEX) and number == FUTEX and arguments[3] == "0x0"


def _outside(threads: Sequence[Thread], resting: frozenset[str]) -> Stuck | None:
    for what, places in OUTSIDE.items():
        for thread in threads:
            if _waits(thread, places) and not _reads(thread) and thread["wchan"] not in resting:
                told = f"thread {thread['tid']} of the daemon {what}{_on(thread)}"
                return Stuck(Cause.BLOCKED_IO, False, told, (thread["tid"],))
    for thread in threads:
        if thread["state"] == "D" and not _waits(thread, OWN_MOUNT):
            told = f"thread {thread['tid']} of the daemon waits for a disk or the network (state D){_on(thread)}"
            return Stuck(Cause.BLOCKED_IO, False, told, (thread["tid"],))
    return None


def _on(thread: Thread) -> str:
    """The call, and what it is made on, where both are known."""
    name, file = call_name(thread), str(thread.get("file") or "")
    return f": {name} on {file}" if name and file and not name.startswith("system") else ""


def _busy(threads: Sequence[Thread], ran: Mapping[int, float]) -> Stuck | None:
    for thread in threads:
        share = ran.get(thread["tid"], 0.0)
        if thread["state"] == "R" and share >= BUSY:
            told = f"thread {thread['tid']} of the daemon computes without end ({share:.0%} of a processor)"
            return Stuck(Cause.BUSY_LOOP, False, told, (thread["tid"],))
    return None
