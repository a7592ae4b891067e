"""One target in one sandbox: its starts, the worker of the layer at hand, and the end.

Owns starting and stopping the daemon and its workers; knows nothing of which checks there are or of verdicts.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, field, replace
from typing import Any

from fsprobe.config.target import Target
from fsprobe.diagnose.evidence import StartFailure
from fsprobe.errors import TargetError
from fsprobe.posix.channel import ChannelClosed
from fsprobe.relay.kinds import WITHHOLD
from fsprobe.results.records import Incident
from fsprobe.runners.ask import Asking, Surroundings
from fsprobe.runners.exits import describe_exit
from fsprobe.runners.options import RunOptions
from fsprobe.runners.setup import Setup
from fsprobe.runners.suspicion import Suspicion

WORKER = "fsprobe.runners.worker:main"
CLOSE_TIMEOUT = 10.0
PART_PATIENCE = 4.0  # removing what the checks made takes under 1 s, but on a busy machine
_POLL = 0.05
# Without these there is nothing to check: an incident in one of them, or an unknown one, ends the run.
_FIRST = frozenset({"", "INIT", "LOOKUP", "GETATTR", "OPENDIR", "READDIR"})
MAX_UNREADY = 8  # starts of the daemon, beyond which getting ready is given up


class StartError(TargetError):
    """The target did not start, mount or answer INIT."""

    def __init__(self, failure: StartFailure, command: str) -> None:
        causes = tuple(f"it said: {line}" for line in failure.last_words[-8:]) or ("it said nothing",)
        super().__init__(failure.detail, causes=causes, command=command)
        self.failure = failure


class Unready(Exception):
    """An operation that only prepares the checks hung or killed the daemon; it can be done without."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(incident.detail)
        self.incident = incident


@dataclass(slots=True)
class TargetRun:
    """The daemon's life over a run. `start` begins one, `open_worker` a layer on it."""

    options: RunOptions
    target: Target
    sandbox: Surroundings
    token: str
    starts: int = 0
    pid: int = 0
    mode: str = ""
    mountpoint: str = ""
    mount: dict[str, Any] = field(default_factory=dict)
    exits: list[dict[str, Any]] = field(default_factory=list)
    limits: dict[str, Any] = field(default_factory=dict)
    """What the daemon's processes used at the end of the last start, and might have used."""
    leaked_processes: list[int] = field(default_factory=list)
    leaked_files: list[str] = field(default_factory=list)
    asking: Asking | None = None
    work: str = ""
    lost_work: list[str] = field(default_factory=list)
    resting: frozenset[str] = frozenset()
    withheld: set[str] = field(default_factory=set)
    early: bool = False
    """Whether one of its processes mounts what another one reads: the socket is handed over at the device's opening."""

    @property
    def running(self) -> bool:
        """Whether a start is under way that can be used."""
        return bool(self.mode)

    def mode_of(self, layer: str) -> str:
        """The hand-over's mode for a layer."""
        if layer == "wire":
            return "wire" if self.sandbox.device and not self.early else "wire-early"
        relayed = "mount-early" if self.early else "mount"
        return "direct" if self.options.no_relay else relayed

    def withheld_rules(self) -> list[str]:
        """Rules by which the relay answers operations that hung before, so that checks of others go on."""
        return [f"{op}:{WITHHOLD}" for op in sorted(self.withheld)]

    def start(self, layer: str) -> None:
        """Start the daemon and wait until it is mounted and has answered INIT. Raises StartError."""
        place = self.sandbox.call("place")
        self.mountpoint, self.mode = place["mnt"], self.mode_of(layer)
        argv = self.target.command(place["mnt"], place["source"])
        self.starts += 1
        self.sandbox.events.clear()
        try:
            self.pid = self.sandbox.call(
                "start", argv=argv, env={**os.environ, **self.target.env}, cwd=self.target.cwd or os.getcwd(),
                mode=self.mode, layer=layer, rules=[*self.withheld_rules(), *self.options.inject],
            )  # fmt: skip
        except OSError as error:
            raise self._failed("not-executable", None, f"{argv[0]} cannot be executed: {error.strerror}", "") from error
        if not self._wait_until_ready():
            self.early = True
            self.stop()
            self.start(layer)

    def _wait_until_ready(self) -> bool:
        """False where the socket has to be handed over early. Raises StartError."""
        deadline = time.monotonic() + self.options.start_timeout
        mounted = False
        while True:
            event = self.sandbox.next_event(_POLL)
            name = event["event"] if event else ""
            if event is not None and name == "mounted":
                mounted, self.mount = True, event
                if not self.mode.startswith("mount"):  # INIT is ours to send, or not ours to see
                    return True
            elif name == "ready":
                return True
            elif name == "device-shared":
                return False
            elif event is not None and name == "init-failed":
                raise self._failed("refused-init", None, f"the target answered INIT with errno {event['errno']}")
            elif event is not None and (name == "exit" or name == "daemon-gone"):
                self._look_at_exit(event, mounted)
            if time.monotonic() > deadline:
                what = "did not answer INIT" if mounted else "is alive but did not mount"
                kind = "no-init" if mounted else "timeout"
                raise self._failed(kind, None, f"the target {what} within {self.options.start_timeout:g} s")

    def _look_at_exit(self, event: dict[str, Any], mounted: bool) -> None:
        """Raise StartError unless what ended was only the parent of a daemon in the background.

        A launcher that fails at something of its own after the mount (status above 0) leaves a daemon all the same.
        """
        unharmed = event["event"] == "exit" and (event["status"] == 0 or (mounted and event["status"] > 0))
        if unharmed and self._lives_on():
            return
        status = event.get("status")
        if status is None:
            later = self.sandbox.next_event(0.5)
            status = later.get("status") if later else None
        what = "mounted and then " if mounted else ""
        how = describe_exit(status) + ("" if mounted else " without mounting")
        raise self._failed("died" if mounted else "exited", status, f"the target {what}{how}")

    def _lives_on(self) -> bool:
        return bool(self.sandbox.call("others"))

    def _failed(self, kind: str, status: int | None, fact: str, words: str | None = None) -> StartError:
        if words is None:
            words = self.sandbox.call("status")["output"].decode("utf-8", "backslashreplace").strip()
        if kind in ("no-init", "refused-init"):  # nothing was asked, so nothing was made
            self.work = ""
        self.stop()
        command = " ".join(self.target.command("MOUNTPOINT", "SOURCE"))
        failure = StartFailure(
            kind, fact, status if status is not None and status >= 0 else None,
            -status if status is not None and status < 0 else None, tuple(words.splitlines()[-40:]),
            self.options.start_timeout,
        )  # fmt: skip
        return StartError(failure, command)

    def open_worker(self, layer: str, suites: tuple[str, ...], seed: int, avoid: tuple[str, ...]) -> dict[str, str]:
        """Start the layer's worker; returns the features it found.

        avoid: operations that getting ready does without. Raises Unready where one of the others came to
        grief meanwhile, StartError where the target does not serve at all.
        """
        self.sandbox.call("layer", layer=layer)
        read_only = True if self.options.expect == "read-only" else None
        self.work = f".fsprobe-{self.token}-{self.starts}{layer[0]}"
        setup = Setup(
            layer, "" if layer == "wire" else self.mountpoint, self.work,
            suites, timeout=self.options.timeout, start_timeout=self.options.start_timeout, seed=seed,
            read_only=read_only, avoid=avoid,
            fs_type=self.mount.get("fs_type", ""), mount_flags=self.mount.get("flags", 0),
            earlier=tuple(self.lost_work),
        )  # fmt: skip
        channel, pid = self.sandbox.worker(WORKER, setup.to_wire())
        relayed = self.mode != "direct"
        self.asking = Asking(self.sandbox, channel, pid, self.options.timeout, relayed, Suspicion(self.resting))
        if layer == "wire":  # its worker sends INIT
            self.asking.timeout = max(self.options.timeout, self.options.start_timeout)
        answer, incident = self.asking.wait()
        self.asking.timeout = self.options.timeout
        if answer is not None and "ready" in answer and (incident is None or incident.kind != "crash"):
            features: dict[str, str] = answer["ready"]
            if not features.get("read-only", "absent"):
                self.work = ""
            return features
        if incident is not None:
            raise Unready(incident)
        if answer is not None and answer.get("errno") == errno.EACCES and layer != "wire":
            raise self._failed("no-access", None, f"the kernel lets this user not in: {answer['failed']}")
        raise self.not_serving(Incident("hang", detail=(answer or {}).get("failed", "its first requests failed")))

    def rest(self, processes: list[dict[str, Any]]) -> None:
        """Remember where the daemon's threads wait while nothing is asked of it; not where a request is still open."""
        if self.mode != "direct" and self.sandbox.call("status")["open"]:
            return
        self.resting = frozenset(thread["wchan"] for process in processes for thread in process["threads"])
        if self.asking is not None:
            self.asking.suspicion.resting = self.resting

    def not_serving(self, incident: Incident) -> StartError:
        """The error to raise where an incident leaves nothing to check."""
        if incident.kind == "crash":
            how = f"the target mounted and then {incident.detail.removeprefix('the daemon ')}"
            return self._failed("died", None, how)
        kind = "no-init" if incident.opcode in ("", "INIT") and self.mode.startswith("wire") else "hung"
        if incident.detail.startswith("INIT: "):  # so `Link.handshake` tells of an answer that is of no use
            kind = "refused-init"
        fact = f"the target mounted, but its first requests came to nothing: {incident.detail}"
        return self._failed(kind, None, fact)

    def can_do_without(self, incident: Incident) -> bool:
        """Whether there is anything to check without the operation that came to grief."""
        return incident.opcode not in _FIRST and self.starts < MAX_UNREADY

    def close_worker(self) -> None:
        """Let the worker tidy up, and lose it where it does not come back."""
        if self.asking is None:
            return
        asking, self.asking = self.asking, None
        try:
            answer, incident = asking.converse({"close": True})
        except BaseException:  # an interrupt: whether it has tidied up is not known, so it is named
            self._closed(None)
            raise
        self._closed(answer["closed"] if answer is not None and "closed" in answer else None)
        asking.channel.close()
        if incident is not None and incident.kind == "hang":  # what follows gets a daemon that owes nobody an answer
            self.stop()

    def _closed(self, left: list[str] | None) -> None:
        """What a worker says that it could not remove; None where it did not come back."""
        if left is None:
            self._lose_work()
        else:
            self.leaked_files += left
            self.lost_work.clear()

    def _lose_work(self) -> None:
        """The directory of a worker that is lost may be left; none was made where nothing can be written."""
        if self.work:
            self.lost_work.append(self.work)
            self.work = ""

    def clear(self, layer: str, seed: int, avoid: tuple[str, ...]) -> None:
        """Start the target once more to remove what lost workers left, as far as it lets itself be asked."""
        given, limits = self.options, self.limits
        patience = min(given.timeout, PART_PATIENCE)
        self.options = replace(given, timeout=patience, start_timeout=min(given.start_timeout, PART_PATIENCE))
        try:
            self.start(layer)
            self.open_worker(layer, (), seed, avoid)
            self.part_worker()
        except (StartError, Unready):
            pass  # it is named instead
        self.stop()
        self.options, self.limits = given, limits

    def part_worker(self) -> None:
        """The same where the run ends early: bounded in seconds, and what is left is named."""
        if self.asking is not None:
            asking, self.asking = self.asking, None
            self._closed(asking.part(PART_PATIENCE))
            asking.channel.close()

    def lose_worker(self) -> None:
        """Drop a worker that is beyond use."""
        if self.asking is not None:
            try:
                self.sandbox.call("kill_worker", pid=self.asking.pid)
                self.asking.channel.close()
            except (OSError, ChannelClosed):
                pass
            self.asking = None
            self._lose_work()

    def stop(self) -> None:
        """End the daemon and its mount."""
        if not self.mode:
            return
        self.lose_worker()
        self.limits = self.sandbox.call("limits") or self.limits
        before = self.sandbox.call("status")["exits"]
        before_stop = {pid for pid, status in before.items() if status or int(pid) != self.pid}
        ended = self.sandbox.call("stop")
        self.leaked_processes += ended["left"]
        while (event := self.sandbox.next_event(0)) is not None:
            if event["event"] == "exit":
                before[str(event["pid"])] = event["status"]
        self.exits += [
            {"start": self.starts, "pid": int(pid), "status": status, "how": describe_exit(status),
             "expected": pid not in before_stop}
            for pid, status in before.items()
        ]  # fmt: skip
        self.mode = ""
