"""Where the work is done: a mounted target in its sandbox, or a directory of the kernel's own file systems.

Owns starting it, one answer with its time limit, what the daemon uses, and its end; knows nothing of turns. The daemon
holds its real device (no relay) but where that is asked for, its output is drained, and what hangs is lost and marked.
"""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil

from fsprobe.bench.ground import Ground
from fsprobe.bench.priority import processors, raise_groups
from fsprobe.config.built_in import is_built_in
from fsprobe.config.target import Target
from fsprobe.errors import FsprobeError, MachineError
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay.client import Sandbox
from fsprobe.relay.opening import end
from fsprobe.runners.exits import describe_exit
from fsprobe.runners.options import RunOptions
from fsprobe.runners.target_run import StartError, TargetRun
from fsprobe.sandbox import process

WORKER = "fsprobe.bench.worker:main"
_TICK = 0.2
_BEGIN = 10.0
_LATE = 0.3  # seconds after which a daemon's end is known, where its mount has told of it first
_GONE = ("ENOTCONN", "ECONNABORTED", "EIO")


class Marked(Exception):
    """There is no figure: a mark for the cell, and why. phase: what was being measured, "" where that is not known."""

    def __init__(self, mark: str, detail: str, phase: str = "") -> None:
        super().__init__(f"{mark}: {detail}")
        self.mark, self.detail, self.phase = mark, detail, phase

    def told(self) -> dict[str, str]:
        """For the result file."""
        return {"mark": self.mark, "detail": self.detail}


def _answered(place: MountedPlace | NativePlace, message: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Send a message and wait for its answer, for as long as there are signs of life. Raises Marked.

    An answer to an earlier message, whose waiting was interrupted, is passed over.
    """
    assert place.channel is not None
    place.phase = ""
    place.asked += 1
    deadline = time.monotonic() + timeout
    try:
        place.channel.send({**message, "number": place.asked}, timeout=timeout)
        while True:
            try:
                answer: dict[str, Any] = place.channel.receive(_TICK)[0]
            except TimeoutError:
                place.look()
                if time.monotonic() > deadline:
                    during = f" in {place.phase}" if place.phase else ""
                    raise Marked("hang", f"no answer within {timeout:g} s{during}", place.phase) from None
                continue
            if answer.get("number") == place.asked:
                break
            place.phase = answer.get("phase", place.phase)
            deadline = time.monotonic() + timeout
    except (ChannelClosed, TimeoutError) as error:
        place.look()
        raise Marked("worker lost", f"fsprobe's own worker ended in {place.phase or 'between'}: {error}") from error
    if "mark" in answer:
        place.look(_LATE if answer["mark"] in _GONE else 0.0)
        raise Marked(answer["mark"], answer["detail"], answer.get("phase_of_mark", ""))
    return answer


@dataclass(slots=True)
class MountedPlace:
    """A target that was started for the work.

    timeout: seconds without a sign of life. relayed: with fsprobe's relay, for the latencies on the wire alone.
    ground: where its `{source}` lies; None: in the sandbox. inject: fault rules of the relay. lasts: seconds of a
    slice.
    """

    target: Target
    timeout: float
    relayed: bool = False
    ground: Ground | None = None
    inject: tuple[str, ...] = ()
    fs_type: str = ""
    lasts: float = 0.0
    started_in: float = 0.0
    phase: str = ""
    asked: int = 0
    sandbox: Sandbox | None = None
    life: TargetRun | None = None
    channel: Channel | None = None
    left: list[str] = field(default_factory=list)
    _source: str = ""
    _begun: bool = False
    _one: bool = False

    def open(self) -> None:
        """Start it. Raises Marked."""
        target = self.target
        if self.ground is not None:
            target, self._source = self.ground.sourced(target)
        avoid = [os.getcwd(), *target.argv, *([target.cwd] if target.cwd else [])]
        avoid += [self.ground.path] if self.ground is not None else []
        self.sandbox = Sandbox.open(avoid)
        if self.ground is not None:
            self.ground.tell(f"token {self.sandbox.token}")
        if not self.sandbox.mounter:
            raise Marked("cannot mount", "nothing can be mounted here (fsprobe doctor)")
        options = RunOptions(target=target, no_relay=not self.relayed, timeout=self.timeout, inject=self.inject)
        self.life = TargetRun(options, target, self.sandbox, uuid.uuid4().hex[:8])
        # Before the daemon: its coming up is no part of the time until the mount answers.
        self.channel, _ = self.sandbox.worker(WORKER, {"layer": "mount"})
        began = time.monotonic()
        try:
            self.life.start("mount")
        except StartError as error:
            words = next((line.strip() for line in reversed(error.failure.last_words) if line.strip()), "")
            raise Marked("did not start", error.failure.detail + (f": {words[:200]}" if words else "")) from error
        self.fs_type = str(self.life.mount.get("fs_type", ""))
        mount = {"fs_type": self.fs_type, "minor": self.life.mount["minor"]}
        work = f".fsprobe-{uuid.uuid4().hex[:8]}"
        message = {"begin": self.life.mountpoint, "mount": mount, "work": work, "lasts": self.lasts}
        raise_groups(process.tagged(self.sandbox.token))
        self._begun = True
        self.started_in = self.told(message, min(_BEGIN, self.timeout))["answered"] - began

    def told(self, message: dict[str, Any], timeout: float) -> dict[str, Any]:
        """The worker's answer, waited for as long as it goes on. Raises Marked."""
        return _answered(self, message, timeout)

    def run_on(self, *, one: bool) -> None:
        """One processor for daemon and worker, or all of them."""
        if self.sandbox is not None and one is not self._one:
            self._one = one
            self.sandbox.call("affinity", cpus=processors(one=one))

    def look(self, wait: float = 0.0) -> None:
        """Raises Marked where the daemon has ended."""
        assert self.sandbox is not None
        status: int | None = None
        while (event := self.sandbox.next_event(wait)) is not None:
            if event["event"] == "exit":
                status = event["status"]
            wait = 0.0
        if not self.sandbox.call("others"):
            during = f" in {self.phase}" if self.phase else ""
            raise Marked("crash", f"the daemon {describe_exit(status)}{during}", self.phase)

    def usage(self) -> dict[str, Any]:
        """RSS and USS in bytes and processor seconds of the daemon's processes, by psutil; empty where it is gone."""
        assert self.sandbox is not None
        inside = set(self.sandbox.call("others"))
        found = {"rss": 0, "uss": 0, "cpu_s": 0.0, "processes": 0}
        for pid in process.tagged(self.sandbox.token):
            if _inner_pid(pid) not in inside:
                continue
            try:
                one = psutil.Process(pid)
                memory, spent = one.memory_full_info(), one.cpu_times()
            except psutil.Error:
                continue
            found["rss"] += memory.rss
            found["uss"] += memory.uss
            found["cpu_s"] += spent.user + spent.system
            found["processes"] += 1
        return found if found["processes"] else {}

    def close(self, tidy: float = 0.0) -> None:
        """End all of it, whatever state it is in; bounded. tidy: seconds for removing what was made on the mount, which
        nobody needs where it lies in a `{source}` of ours or in the memory of the reference.
        """
        if self.sandbox is None:
            return
        try:
            in_memory = is_built_in(self.target.name) and not self.target.args
            if tidy and self._begun and not self._source and not in_memory:
                self.left += self.told({"close": tidy}, self.timeout)["closed"]
        except (Marked, FsprobeError) as error:
            self.left.append(f"what was made on {self.target.name} ({error})")
        finally:
            self._end()

    def _end(self) -> None:
        assert self.sandbox is not None
        sandbox, self.sandbox = self.sandbox, None
        try:
            if self.life is not None and self.life.running:
                self.life.stop()
        except FsprobeError:
            pass  # the sandbox is gone, and all in it
        finally:
            if self.channel is not None:
                self.channel.close()
            sandbox.close()
            if self.ground is not None:
                try:
                    self.ground.remove(self._source)
                except MachineError as error:
                    self.left.append(str(error))


def _inner_pid(pid: int) -> int:
    """A process's number in its own pid namespace (proc_pid_status(5): NSpid)."""
    try:
        with open(f"/proc/{pid}/status") as status:
            line = next((line for line in status if line.startswith("NSpid:")), "")
        return int(line.split()[-1]) if line else 0
    except OSError:
        return 0


@dataclass(slots=True)
class NativePlace:
    """The ground itself: the same worker, and no daemon."""

    ground: Ground
    timeout: float
    lasts: float = 0.0
    fs_type: str = ""
    phase: str = ""
    asked: int = 0
    started_in: float = 0.0
    channel: Channel | None = None
    left: list[str] = field(default_factory=list)
    _child: subprocess.Popen[bytes] | None = None
    _one: bool = False

    def open(self) -> None:
        """Start the worker there. Raises Marked."""
        self.fs_type = self.ground.fs_type
        self.channel, theirs = Channel.pair()
        token = uuid.uuid4().hex
        self.ground.tell(f"token {token}")
        self._child = subprocess.Popen(
            [*process.python_command("fsprobe.bench.native_worker"), str(theirs.fileno())], pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, process.RUN_TAG: token},
        )  # fmt: skip
        theirs.close()
        raise_groups([self._child.pid])
        work = f"native-{uuid.uuid4().hex[:8]}"
        self.told({"begin": self.ground.path, "mount": {}, "work": work, "lasts": self.lasts}, _BEGIN)

    def told(self, message: dict[str, Any], timeout: float) -> dict[str, Any]:
        """The worker's answer, waited for as long as it goes on. Raises Marked."""
        return _answered(self, message, timeout)

    def run_on(self, *, one: bool) -> None:
        """One processor, or all of them."""
        if self._child is not None and one is not self._one:
            self._one = one
            with suppress(OSError):  # it has ended, which is found out when it is told something
                os.sched_setaffinity(self._child.pid, processors(one=one))

    def look(self, wait: float = 0.0) -> None:
        """There is no daemon to end."""

    def usage(self) -> dict[str, Any]:
        """There is no daemon."""
        return {}

    def close(self, tidy: float = 0.0) -> None:
        """Tidy up and end the worker; what it cannot remove its ground does."""
        if self.channel is not None:
            try:
                if tidy:
                    self.told({"close": tidy}, self.timeout)
            except Marked:
                pass
            self.channel.close()
            self.channel = None
        if self._child is not None:
            for pid in process.descendants(self._child.pid):  # of a worker that hangs
                process.kill(pid)
            end(self._child, 3.0)
            self._child = None


Place = MountedPlace | NativePlace
