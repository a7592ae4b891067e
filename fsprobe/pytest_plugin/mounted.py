"""One mount that pytest's tests see: its daemon, what passes, and the evidence when it hangs.

Owns the mount from its start to its end, in the guard's process; knows nothing of pytest but its pid.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections import deque
from contextlib import suppress
from typing import Any

from fsprobe.diagnose.advice import implement
from fsprobe.diagnose.library import UNKNOWN
from fsprobe.errors import FsprobeError
from fsprobe.relay.client import Sandbox, SandboxLost
from fsprobe.results.errnos import errno_name
from fsprobe.runners import facts, scene
from fsprobe.runners.exits import describe_exit
from fsprobe.runners.options import RunOptions
from fsprobe.runners.suspicion import Suspicion
from fsprobe.runners.target_run import TargetRun
from fsprobe.runners.traffic import Traffic
from fsprobe.sandbox import mounts
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import Opcode, opcode_name

KEPT = 50_000
"""Exchanges that a mount remembers."""
_SHOWN, _OUTPUT_SHOWN = 30, 20
# What a sound daemon may leave open as long as it likes.
_MAY_WAIT = frozenset({Opcode.SETLKW, Opcode.POLL})
_FREED = errno.ETIMEDOUT
_NODEID, _PID = slice(16, 24), slice(32, 36)  # of fuse_in_header


class Mounted:
    """`start` to `end`. timeout: seconds after which a request counts as hung."""

    def __init__(self, number: int, sandbox: Sandbox, options: RunOptions) -> None:
        assert options.target is not None
        self.number, self.sandbox, self.options = number, sandbox, options
        self.life = TargetRun(options, options.target, sandbox, sandbox.token)
        self.timeout = options.timeout
        self.traffic = Traffic()
        self.died = ""
        self.given_up = False
        self.source = self.path = ""
        self.pid = 0
        self._calls: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._seen = self._marked = 0
        self._suspicion = Suspicion()
        self._library = UNKNOWN

    def start(self) -> None:
        """Raises FsprobeError where the target does not come to serve."""
        self.sandbox.exchanges()  # of the mount before
        self.life.start("mount")
        self.path = self.life.mountpoint
        place, name = os.path.split(self.path)
        self.source = os.path.join(place, name.replace("mnt", "source", 1))
        processes = self.sandbox.call("evidence")
        self.life.rest(processes)
        self._suspicion.resting = self.life.resting
        self.pid = int(processes[0]["pid"]) if processes else self.life.pid
        self._library = facts.library_of(processes, list(self.life.target.argv))
        self.mark()

    # -- what passes

    def calls(self) -> deque[dict[str, Any]]:
        """Every exchange so far, the last `KEPT` of them."""
        exchanges = self.sandbox.exchanges()
        self.traffic.feed(exchanges)
        for one in exchanges:
            self._seen += 1
            line = self.traffic.describe(one)
            self._calls.append({
                "op": opcode_name(one.opcode), "line": line, "nodeid": one.nodeid, "pid": one.pid, "note": one.note,
                "error": None if one.error is None else errno_name(one.error) or "", "head": one.request[:40],
                "seconds": None if one.latency_us is None else one.latency_us / 1e6,
            })  # fmt: skip
        return self._calls

    def mark(self) -> None:
        """A test begins."""
        self.calls()
        self._marked = self._seen

    def inject(self, rules: list[str]) -> None:
        """Rules beside those of the start."""
        self.sandbox.call("rules", rules=[*self.options.inject, *rules])

    def output(self) -> str:
        """What the daemon has printed."""
        printed: bytes = self.sandbox.call("status")["output"]
        return printed.decode("utf-8", "backslashreplace")

    # -- hanging

    def _open(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sandbox.call("status")["open"]
        return [one for one in found if one["opcode"] not in _MAY_WAIT]

    def oldest(self) -> float:
        """The age in seconds of the oldest request that nobody has answered, 0 where none is open."""
        self._events()
        return max((float(one["age"]) for one in self._open()), default=0.0)

    def _events(self) -> None:
        while (event := self.sandbox.next_event(0)) is not None:
            if event["event"] == "exit" and (event["first"] or event["status"]):
                self.died = f"the daemon {describe_exit(event['status'])}"
            elif event["event"] == "daemon-gone":
                self.died = self.died or "the daemon closed its end of the connection"

    def give_up(self, when: str, pytest: int) -> list[dict[str, Any]]:
        """Take down what hangs and why, then free every caller, for good. One entry for each request that was open."""
        opened = self._open()
        if not opened or self.given_up:
            return []
        self.given_up = True
        oldest = opened[0]
        seen = scene.take(self.sandbox, pytest, stacks=True)
        askers = {int.from_bytes(one["head"][_PID], "little") for one in opened}
        seen["callers"] = [one for one in seen["callers"] if one["tid"] in askers]
        may_be_lost = bool(oldest["taken"])
        found = None
        for _ in range(3):
            light = self.sandbox.call("evidence", light=True)
            found = self._suspicion.look(oldest["unique"], light, opened, may_be_lost=may_be_lost)
        found = found or self._suspicion.guess(seen["daemon"], opened)
        self.sandbox.call("condemn", error=_FREED)
        self.calls()
        why = scene.at(found, seen) if found is not None else ""
        hangs = []
        for one in opened:
            taken = "it was taken and not answered" if one["taken"] else "the daemon does not read it"
            hangs.append({
                "op": opcode_name(one["opcode"]), "request": self._request(one), "how": f"{taken} {when}", "why": why,
                "cause": str(found.cause) if found is not None else "", "evidence": list(scene.lines(seen)),
                "path": self.path, "target": self.life.target.name,
            })  # fmt: skip
        return hangs

    def _request(self, one: dict[str, Any]) -> str:
        """The open request in words, as the trace has it."""
        made = Exchange(
            one["seq"], 0, "", one["unique"], one["opcode"], int.from_bytes(one["head"][_NODEID], "little"), 0, 0, 0,
            one["head"], one["length"], None, 0, None, one["sent_ns"], None, "",
        )  # fmt: skip
        line = next(
            (call["line"] for call in reversed(self._calls) if call["head"] == one["head"][:40]),
            self.traffic.describe(made),
        )
        return str(line).partition(" → ")[0]

    # -- what is told

    def sections(self) -> list[list[str]]:
        """(title, text): the exchanges since the test began, what they tell, what the daemon printed."""
        try:
            calls = list(self.calls())
            self._events()
            output = self.output().strip().splitlines()
        except (SandboxLost, OSError) as error:
            return [[f"fsprobe: {self.path}", f"nothing can be told of it: {error}"]]
        count = min(self._seen - self._marked, len(calls))
        mine = calls[len(calls) - count :]
        title = f"{self.life.target.name} on {self.path}"
        lines = [call["line"] for call in mine[-_SHOWN:]]
        if count > _SHOWN:
            lines.insert(0, f"… {count - _SHOWN} more before")
        sections = [[f"FUSE traffic of {title}", "\n".join(lines) or "no request came"]]
        told = self._told(mine)
        if told:
            sections.append([f"what it tells of {title}", "\n".join(told)])
        if output:
            sections.append([f"output of {title}", "\n".join(output[-_OUTPUT_SHOWN:])])
        return sections

    def _told(self, calls: list[dict[str, Any]]) -> list[str]:
        told = [self.died] if self.died else []
        noted = (call for call in calls if call["note"] and not call["note"].startswith("answered by fsprobe"))
        told += list(dict.fromkeys(f"{call['op']}: {call['note']}" for call in noted))[:5]
        for op in dict.fromkeys(call["op"] for call in calls if call["error"] == "ENOSYS"):
            told.append(f"{op} is not implemented: the daemon answered ENOSYS. {implement(op, self._library)}")
        return told

    # -- the end

    def end(self) -> bool:
        """Stop the daemon and remove what the mount was made of. Whether the sandbox can serve another one."""
        try:
            self.life.stop()
        except (FsprobeError, OSError):
            return False
        with suppress(OSError):  # EBUSY where it is still mounted: it is looked up in its parent only
            os.rmdir(self.path)
        if self.source and not mounts.below(self.source):
            shutil.rmtree(self.source, ignore_errors=True)
        return not self.life.leaked_processes
