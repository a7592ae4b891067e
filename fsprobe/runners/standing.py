"""`fsprobe diagnose`: from a pid or a path to what is stuck on a FUSE connection that somebody else started, and why.

Owns finding the connections, the time that all may take, and the record that is told; looking is `standing_scene`'s,
judging `standing_verdict`'s. Nothing here touches a mount, and what might wait is done by a child that may be lost.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsprobe.errors import MachineError, UsageError
from fsprobe.runners import standing_scene
from fsprobe.runners.standing_verdict import judge
from fsprobe.runners.tracing_mount import require_fuse
from fsprobe.sandbox import evidence, fusectl, process, stacks, standing
from fsprobe.sandbox.looker import Looker
from fsprobe.sandbox.mounts import Mount
from fsprobe.sandbox.standing import Holders
from fsprobe.sandbox.tracefs import Watch
from fsprobe.trace.kernel_events import Assembler

SCHEMA = "fsprobe.standing/1"
PATIENCE = 1.5  # seconds from the start; with starting Python that makes less than 2
_FINDING = 0.5
_WATCHING = 0.3  # at least so long the tracepoints are watched
_ENDING = 0.1  # the tracepoints' helper takes its instance away by itself
_STACKS, _LEAST = 0.8, 0.3
_RELAY = "fsprobe.relay.host"
_MOST = 4  # connections of one process


@dataclass(slots=True)
class Connection:
    """One to look at. sure: whether the kernel says who holds it, else it was guessed. alone: whether there is no other
    FUSE connection that a caller might wait for.
    """

    number: int
    mounts: list[Mount]
    daemons: list[int]
    sure: bool = True
    alone: bool = False
    lookers: list[Looker] = field(default_factory=list)
    watch: Watch | None = None


def diagnose(word: str, began: float, patience: float = PATIENCE) -> list[dict[str, Any]]:
    """A record (fsprobe.standing/1) for each connection that a pid or a path means.

    began: when the command was started (time.monotonic); patience: seconds that it may take from then. Raises
    UsageError where there is no such connection, MachineError where this user can see nothing of it.
    """
    deadline = began + patience
    found, unseen = _connections(word, deadline)
    try:
        for one in found:
            _begin(one, deadline)
        return [_record(one, unseen, began, deadline) for one in found]
    finally:
        for one in found:
            for looker in one.lookers:
                looker.end()
            if one.watch is not None:
                one.watch.close(_ENDING)


# -- which connections


def _connections(word: str, deadline: float) -> tuple[list[Connection], list[str]]:
    if word.isdigit():
        return _of_process(int(word), deadline)
    mount = require_fuse(word)
    holders, relays = _holders(None, deadline)
    if holders is None:
        raise MachineError("the descriptors of processes cannot be read in time",
                           command=f"fsprobe diagnose {word} --patience 10")  # fmt: skip
    daemons = list(holders.of(mount.minor))
    _require_own_device(daemons, relays)
    connection = Connection(mount.minor, [one for one in standing.fuse_mounts() if one.minor == mount.minor], daemons)
    connection.alone = _alone(mount.minor, holders)
    if not daemons and any(one.connection < 0 for one in holders.found):
        connection.daemons, connection.sure = _guess(mount, holders), False
    return [connection], _unseen(holders)


def _holders(pids: Sequence[int] | None, deadline: float) -> tuple[Holders | None, list[int]]:
    """Who holds the device, None where that is not told in time, and which of these are relays of fsprobe. By a child,
    as it might wait.
    """

    def gather() -> Iterator[Any]:
        found = standing.holders(pids)
        yield [[(one.pid, one.connection) for one in found.found], found.unseen]
        yield [one.pid for one in found.found if any(_RELAY in word for word in evidence.command_line(one.pid))]

    looker = Looker.start(gather)
    looker.wait(max(time.monotonic() + _FINDING, deadline - 2 * _FINDING))
    looker.end()
    if not looker.pieces:
        return None, []
    pairs, unseen = looker.pieces[0]
    relays = looker.pieces[1] if len(looker.pieces) > 1 else []
    return Holders(tuple(standing.Holder(*pair) for pair in pairs), unseen), relays


def _require_own_device(daemons: Sequence[int], relays: Sequence[int]) -> None:
    """A mount that fsprobe itself serves: it knows the requests, and its command says what is stuck."""
    ours = [pid for pid in daemons if pid in relays]
    if ours:
        raise UsageError(
            f"this mount is served through fsprobe itself (pid {ours[0]})",
            causes=("the fsprobe run or trace that started it says what is stuck there, and why",),
        )


def _of_process(pid: int, deadline: float) -> tuple[list[Connection], list[str]]:
    if not os.path.isdir(f"/proc/{pid}"):
        raise _no_daemon(f"there is no process {pid}", pid)
    own, relays = _holders([pid], deadline)
    if own is None:
        raise MachineError(f"the descriptors of process {pid} cannot be read in time",
                           command=f"fsprobe diagnose {pid} --patience 10")  # fmt: skip
    _require_own_device([one.pid for one in own.found], relays)
    if own.unseen:
        raise MachineError(
            f"process {pid} belongs to another user: what it holds cannot be seen",
            causes=(f"this is uid {os.geteuid()}",), command=f"sudo fsprobe diagnose {pid}",
        )  # fmt: skip
    if not own.found:
        raise _no_daemon(f"process {pid} ({_name(pid)}) serves no FUSE mount", pid)
    others, _ = _holders(None, deadline)
    holders = others or own
    table = {one.line: one for one in (*standing.fuse_mounts(pid), *standing.fuse_mounts())}.values()
    found = [
        Connection(number, [one for one in table if one.minor == number], list(holders.of(number)),
                   alone=others is not None and _alone(number, holders))
        for number in own.connections(pid)
    ]  # fmt: skip
    if not found:  # the kernel does not tell: every mount that names it
        found = [Connection(one.minor, [one], [pid], sure=False) for one in table if pid in _guess(one, own)]
    if not found:
        raise MachineError(f"which mount process {pid} serves is not told by this kernel",
                           command="fsprobe diagnose MOUNTPOINT")  # fmt: skip
    unread = [] if others else ["who else holds the connection: reading all descriptors took too long"]
    return found[:_MOST], [*_unseen(holders), *unread]


def _no_daemon(fact: str, pid: int) -> UsageError:
    others, _ = _holders(None, time.monotonic() + _FINDING)
    pids = dict.fromkeys(one.pid for one in (others.found if others else ()) if one.pid != pid)
    there = [f"{one} ({_name(one)})" for one in list(pids)[:8]]
    places = [one.mountpoint for one in standing.fuse_mounts()][:8]
    causes = [f"FUSE daemons there are: {', '.join(there)}" if there else "no FUSE daemon is to be seen"]
    if places:
        causes.append(f"FUSE mounts there are: {', '.join(places)}")
    return UsageError(fact, causes=tuple(causes), command=f"fsprobe diagnose {places[0]}" if places else None)


def _name(pid: int) -> str:
    """comm alone: reading the command line may wait for the memory of a stuck process."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="backslashreplace") as file:
            return file.read().strip()
    except OSError:
        return "?"


def _guess(mount: Mount, holders: Holders) -> list[int]:
    """Where the kernel does not say which connection a descriptor serves: who names the mountpoint in its command line,
    or the only daemon there is.
    """
    pids = list(dict.fromkeys(one.pid for one in holders.found))
    named = [pid for pid in pids if mount.mountpoint in evidence.command_line(pid)]
    return named or (pids if len(pids) == 1 else [])


def _unseen(holders: Holders) -> list[str]:
    found = []
    if holders.unseen:
        others = f"{holders.unseen} processes of other users"
        found.append(f"the descriptors of {others}: who holds the connection, who waits")
    if os.geteuid() != 0:
        found.append("kernel stacks, which say the operation of a caller")
        found.append("the tracepoints, which say whether it still serves")
    return found


def _alone(number: int, holders: Holders) -> bool:
    others = {one.connection for one in holders.found} | {mount.minor for mount in standing.fuse_mounts()}
    return not holders.unseen and others <= {number, -1}


# -- looking


def _begin(one: Connection, deadline: float) -> None:
    until = deadline - _LEAST - _ENDING
    one.lookers.append(Looker.start(lambda: standing_scene.look(one.number, one.daemons, one.alone, until)))
    if os.geteuid() == 0:
        try:
            one.watch = Watch.start(one.number, _FINDING)
        except MachineError:
            one.watch = None


def _record(one: Connection, unseen: list[str], began: float, deadline: float) -> dict[str, Any]:
    scene = one.lookers[0]
    watched_from = time.monotonic()
    scene.wait(deadline - _LEAST)
    told = {key: value for piece in scene.pieces for key, value in piece.items()}
    debugger = _debugger(one, told, deadline)
    traffic = _traffic(one, watched_from, deadline)
    record = {
        "schema": SCHEMA, "connection": one.number, "sure": one.sure,
        "mounts": [{"mountpoint": m.mountpoint, "fs_type": m.fs_type, "source": m.source, "options": m.options,
                    "super_options": m.super_options} for m in one.mounts],
        "waiting": told.get("waiting"),
        "daemons": [_told(process) for process in told.get("daemon", [])] or [{"pid": pid} for pid in one.daemons],
        "stacks": debugger.pieces if debugger is not None else [],
        "callers": told.get("callers", []), "traffic": traffic,
        "unseen": [*unseen, *([] if scene.complete else ["all of /proc: reading it took too long"])],
    }  # fmt: skip
    record["verdict"] = judge(record, told.get("found"), bool(told.get("moved")), visible=_visible(one, unseen))
    record["seconds"] = round(time.monotonic() - began, 3)
    return record


def _debugger(one: Connection, told: Mapping[str, Any], deadline: float) -> Looker | None:
    """The stacks of its own code, of a daemon that does not answer only: a debugger stops its threads for a moment.

    After all other looks, which that would disturb.
    """
    pids: list[int] = told.get("stacks", [])
    left = deadline - time.monotonic()
    hopeless = told.get("found") or (told.get("callers") and not told.get("moved"))
    if not pids or not hopeless or left < _LEAST / 2:
        return None
    looker = Looker.start(lambda: iter(stacks.collect(pids, min(_STACKS, left))))
    one.lookers.append(looker)
    looker.wait(deadline)
    return looker


def _visible(one: Connection, unseen: list[str]) -> bool:
    """Whether nothing about holders is hidden from this user: then a connection without one has none."""
    return bool(one.daemons) or not any("descriptors" in text for text in unseen)


def _told(process: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in process.items() if key != "maps"}


def _traffic(one: Connection, since: float, deadline: float) -> dict[str, Any] | None:
    """What the tracepoints saw meanwhile; None where they cannot be used."""
    if one.watch is None:
        return None
    end = min(deadline, max(since + _WATCHING, time.monotonic()))
    assembler = Assembler(lambda pid: "")
    answered = 0
    while time.monotonic() < end and not one.watch.ended:
        answered += len(assembler.feed(one.watch.read(end - time.monotonic())))
    answered += len(assembler.feed(one.watch.close(_ENDING)))
    one.watch = None
    return {"seconds": round(time.monotonic() - since, 3), "answered": answered + assembler.earlier,
            "unanswered": len(assembler.open())}  # fmt: skip


# -- the way out


def abort(record: dict[str, Any]) -> None:
    """Abort this connection and no other; whether that was done stands in the record then. Raises MachineError."""
    number = record["connection"]
    record["aborted"] = fusectl.abort(number)
    if not record["aborted"]:
        raise MachineError(
            f"connection {number} cannot be aborted by uid {os.geteuid()}",
            causes=("only root, or the user who mounted it where fusectl is mounted, may do that",),
            command=f"sudo fsprobe diagnose {record['mounts'][0]['mountpoint']} --abort" if record["mounts"] else None,
        )
    deadline = time.monotonic() + 0.4
    tids = [(caller["pid"], caller["tid"]) for caller in record["callers"]]
    while tids and time.monotonic() < deadline:
        time.sleep(0.02)
        tids = [(pid, tid) for pid, tid in tids if process.state(tid) == "D" or _waits(pid, tid)]
    record["still_waiting"] = [tid for _, tid in tids]


def _waits(pid: int, tid: int) -> bool:
    try:
        with open(f"/proc/{pid}/task/{tid}/wchan") as file:
            return file.read().startswith("request_wait_answer")
    except OSError:
        return False
