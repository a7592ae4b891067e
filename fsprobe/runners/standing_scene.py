"""The look at one FUSE connection that somebody else started: its daemon, its callers, and what they wait for.

Owns the order of looking and how long; the rules are those of `stuck`, as for a run of our own. It is carried out in a
child that may be lost (`sandbox.looker`), so it yields what it has found piece by piece.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fsprobe.relay import debugger
from fsprobe.results.verdicts import Cause
from fsprobe.runners import stuck
from fsprobe.runners.suspicion import Suspicion
from fsprobe.sandbox import fusectl, process, stacks, waiting
from fsprobe.sandbox.waiting import Caller
from fsprobe.wire import Opcode

LONGEST = 0.45  # seconds of looking, where nothing is proven
_TICK = 0.06
_FEWEST = 2  # looks: what has moved meanwhile shows in the second
_HEADER = struct.Struct("=IIQQIIIHH")
NOT_LOST = frozenset({"SETLK", "SETLKW"})  # a lock that is waited for is answered late by a sound daemon, too


def look(connection: int, daemons: Sequence[int], alone: bool, until: float) -> Iterator[dict[str, Any]]:
    """Pieces: {"waiting"}, {"callers"}, {"daemon"}, {"stacks": pids to ask}, {"found"} and {"moved"}.

    until: when (time.monotonic) a guess has to do, if nothing was proven. alone: whether there is no other FUSE
    connection that callers of unknown ones may wait for. waiting: what fusectl says, None where it says nothing; root
    mounts it for this process, which enters a namespace of its own.
    """
    if os.geteuid() == 0 and not os.path.isdir(f"/sys/fs/fuse/connections/{connection}"):
        try:
            fusectl.show_here()
        except OSError:
            pass
    open_requests = fusectl.waiting(connection)
    yield {"waiting": open_requests}
    callers = of(connection, waiting.find(), alone)
    yield {"callers": [one.to_wire() for one in callers]}
    processes = debugger.daemons(list(daemons), debugger.DEVICE, light=False)
    resting = {one["pid"]: _rests_by_design(one) for one in processes}
    yield {"daemon": processes}
    yield {"stacks": [pid for pid in daemons if safe_to_debug(pid, callers)]}
    suspicion = Suspicion()
    began, moved, lasting = time.monotonic(), False, _ids(callers)
    found = None
    looks = 0
    while found is None and (looks < _FEWEST or time.monotonic() < min(began + LONGEST, until)):
        looks += 1
        processes = rested(debugger.daemons(list(daemons), debugger.DEVICE, light=True))
        same = [one for one in callers if (one.tid, one.switches) in lasting]
        about = sorted(lasting) or [(0, int(bool(open_requests))), *_reading(processes)]
        found = suspicion.look(about, processes, opened(same, open_requests), may_be_lost=_lost(same, open_requests))
        if found is None:
            time.sleep(_TICK)
            lasting &= _ids(waiting.find([one.pid for one in callers]))
            open_requests = fusectl.waiting(connection)
            if not lasting and callers:
                moved = True
                callers = of(connection, waiting.find(), alone)
                lasting = _ids(callers)
                yield {"callers": [one.to_wire() for one in callers]}
    same = [one for one in callers if (one.tid, one.switches) in lasting]
    yield {"waiting": open_requests}
    proven = found is not None
    found = found or suspicion.guess(processes, opened(same, open_requests))
    if found is None and _lost(same, open_requests) and _idle(processes):
        found = stuck.Stuck(Cause.LOST_REPLY, False, "the daemon waits for the next request: a reply may be lost")
    if found is not None:
        sure = proven and not (found.cause == Cause.LOST_REPLY and "guess" in resting.values())
        yield {"found": {"cause": str(found.cause), "proven": sure, "sentence": found.sentence,
                         "threads": list(found.threads)}}  # fmt: skip
    yield {"moved": moved}


def _ids(callers: Sequence[Caller]) -> set[tuple[int, int]]:
    """Their waits: a thread that slept more often than before waits for something else."""
    return {(one.tid, one.switches) for one in callers}


def _lost(callers: Sequence[Caller], open_requests: int | None) -> bool:
    """Whether a request is open that a sound daemon would have answered by now, were it idle."""
    return any(one.op not in NOT_LOST for one in callers) if callers else bool(open_requests)


def _reading(processes: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Threads that wait for requests, with how often they went to sleep: the same ones have taken none meanwhile."""
    threads = [thread for one in processes for thread in one["threads"]]
    return [(one["tid"], one["switches"]) for one in threads if one["wchan"].startswith(stuck.READING)]


def of(connection: int, callers: Sequence[Caller], alone: bool) -> list[Caller]:
    """Those of a connection; those that may wait for any are its own where there is no other."""
    return [one for one in callers if one.connection == connection or (alone and one.connection < 0)]


def opened(callers: Sequence[Caller], open_requests: int | None) -> list[dict[str, Any]]:
    """Open requests as the relay would tell them, as far as the callers do."""
    found = [
        {"opcode": _opcode(one.op), "head": _HEADER.pack(40, _opcode(one.op), 0, 0, 0, 0, one.tid, 0, 0), "taken": True,
         "age": one.seconds or 0.0}
        for one in callers
    ]  # fmt: skip
    if not found and open_requests:  # asked by the kernel itself: readahead, writing back
        found.append({"opcode": 0, "head": _HEADER.pack(40, 0, 0, 0, 0, 0, 0, 0, 0), "taken": True, "age": 0.0})
    return found


def _opcode(op: str) -> int:
    return int(Opcode[op]) if op in Opcode.__members__ else 0


def rested(processes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The processes without threads that wait for no request by design: libfuse's main thread, while others read; the
    idle ones of Go's scheduler.
    """
    return [
        {**one, "threads": [thread for thread in one["threads"] if not _rests(thread, one["pid"], one["threads"])]}
        for one in processes
    ]


def _rests(thread: Mapping[str, Any], pid: int, threads: Sequence[Mapping[str, Any]]) -> bool:
    if not thread["wchan"].startswith((stuck.LOCK, "do_epoll_wait", "ep_poll")) or thread.get("owner"):
        return False
    others_read = any(one["wchan"].startswith("fuse_dev") for one in threads)
    return others_read and (thread["tid"] == pid or _is_go(threads))


def _is_go(threads: Sequence[Mapping[str, Any]]) -> bool:
    """Go names no thread, so all have the program's name, and one of them (sysmon) sleeps now and then."""
    return len(threads) >= 4 and len({one["name"] for one in threads}) == 1


def _rests_by_design(one: Mapping[str, Any]) -> str:
    """"none" where every thread counts, "libfuse" where its main thread is known to rest, else "guess"."""
    left = rested([one])[0]["threads"]
    if len(left) == len(one["threads"]):
        return "none"
    known = len(one["threads"]) - len(left) == 1 and any("libfuse" in path for path in one.get("maps", ()))
    return "libfuse" if known else "guess"


def _idle(processes: Sequence[Mapping[str, Any]]) -> bool:
    threads = [thread for one in processes for thread in one["threads"]]
    return bool(threads) and all(thread["wchan"].startswith(stuck.READING) for thread in threads)


def safe_to_debug(pid: int, callers: Sequence[Caller]) -> bool:
    """A thread that waits at a mount would not stop for a debugger: it would wait on, and no longer be killable.

    py-spy stops nothing.
    """
    own = any(one.pid == pid for one in callers)
    return process.state(pid) not in ("", "Z") and (not own or stacks.language(pid) == "python")
