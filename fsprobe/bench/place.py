"""Where the work is done: a mounted target in its sandbox, or a directory of the kernel's own file systems.

Owns starting it, one sample with its time limit, what the daemon uses, and its end; knows nothing of turns. The daemon
holds its real device (no relay), its output is drained, and what hangs is lost and marked.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass
from typing import Any

import psutil

from fsprobe.config.target import Target
from fsprobe.errors import FsprobeError
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay.client import Sandbox
from fsprobe.relay.opening import end
from fsprobe.runners.ask import describe_exit
from fsprobe.runners.native import mount_of
from fsprobe.runners.options import RunOptions
from fsprobe.runners.target_run import StartError, TargetRun
from fsprobe.sandbox import janitor, process

WORKER = "fsprobe.bench.worker:main"
_TICK = 0.2
_BEGIN = 10.0


class Marked(Exception):
    """There is no figure: a mark for the cell, and why."""

    def __init__(self, mark: str, detail: str) -> None:
        super().__init__(f"{mark}: {detail}")
        self.mark, self.detail = mark, detail


@dataclass(slots=True)
class MountedPlace:
    """A target that was started for the work. relayed: with fsprobe's relay, for the latencies on the wire alone."""

    target: Target
    timeout: float
    relayed: bool = False
    fs_type: str = ""
    started_in: float = 0.0
    sandbox: Sandbox | None = None
    life: TargetRun | None = None
    _channel: Channel | None = None
    _worker: int = 0

    def open(self) -> None:
        """Start it. Raises Marked."""
        avoid = [os.getcwd(), *self.target.argv, *([self.target.cwd] if self.target.cwd else [])]
        self.sandbox = Sandbox.open(avoid)
        if not self.sandbox.mounter:
            raise Marked("cannot mount", "nothing can be mounted here (fsprobe doctor)")
        options = RunOptions(target=self.target, no_relay=not self.relayed, timeout=self.timeout)
        self.life = TargetRun(options, self.target, self.sandbox, uuid.uuid4().hex[:8])
        # Before the daemon: its coming up is no part of the time until the mount answers.
        self._channel, self._worker = self.sandbox.worker(WORKER, {"layer": "mount"})
        began = time.monotonic()
        try:
            self.life.start("mount")
        except StartError as error:
            raise Marked("did not start", error.failure.detail) from error
        self.fs_type = str(self.life.mount.get("fs_type", ""))
        mount = {"fs_type": self.fs_type, "minor": self.life.mount["minor"]}
        message = {"begin": self.life.mountpoint, "mount": mount, "work": f".fsprobe-{uuid.uuid4().hex[:8]}"}
        self.started_in = self.told(message, _BEGIN)["answered"] - began

    def sample(self, told: dict[str, Any]) -> float:
        """One figure. Raises Marked; the place is of no more use then where `broken`."""
        return float(self.told({"sample": told}, self.timeout)["value"])

    def told(self, message: dict[str, Any], timeout: float) -> dict[str, Any]:
        assert self.sandbox is not None and self._channel is not None
        deadline = time.monotonic() + timeout
        try:
            self._channel.send(message)
            while True:
                try:
                    answer: dict[str, Any] = self._channel.receive(_TICK)[0]
                    break
                except TimeoutError:
                    self._look()
                    if time.monotonic() > deadline:
                        raise Marked("hang", f"no end within {timeout:g} s") from None
        except ChannelClosed as error:
            self._look()
            raise Marked("worker lost", str(error)) from error
        if "mark" in answer:
            self._look(0.3 if answer["mark"] in ("ENOTCONN", "ECONNABORTED", "EIO") else 0.0)
            raise Marked(answer["mark"], answer["detail"])
        return answer

    def _look(self, wait: float = 0.0) -> None:
        """Raises Marked where the daemon has ended."""
        assert self.sandbox is not None
        status: int | None = None
        while (event := self.sandbox.next_event(wait)) is not None:
            if event["event"] == "exit":
                status = event["status"]
            wait = 0.0
        if not self.sandbox.call("others"):
            raise Marked("crash", f"the daemon {describe_exit(status)}")

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

    def close(self) -> None:
        """End all of it, whatever state it is in; bounded."""
        if self.sandbox is None:
            return
        sandbox, self.sandbox = self.sandbox, None
        try:
            if self.life is not None and self.life.running:
                self.life.sandbox = sandbox
                self.life.stop()
        except FsprobeError:
            pass  # the sandbox is gone, and all in it
        finally:
            if self._channel is not None:
                self._channel.close()
            sandbox.close()


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
    """A directory of a file system that is mounted already; "" makes a fresh one on local disk and removes it."""

    directory: str
    timeout: float
    fs_type: str = ""
    started_in: float = 0.0
    _child: subprocess.Popen[bytes] | None = None
    _keeper: subprocess.Popen[bytes] | None = None
    _channel: Channel | None = None

    def open(self) -> None:
        """Start the worker there. Raises Marked."""
        directory = self.directory
        token = uuid.uuid4().hex
        if not directory:
            directory = os.path.join(os.path.realpath(tempfile.gettempdir()), f"fsprobe-{token[:12]}")
            self._keeper = janitor.launch(token, directory)  # removes it, whatever becomes of us
            os.mkdir(directory, 0o700)
        mount = mount_of(os.path.realpath(directory))
        self.fs_type = mount.fs_type if mount else "unknown"
        self._channel, theirs = Channel.pair()
        self._child = subprocess.Popen(
            [*process.python_command("fsprobe.bench.native_worker"), str(theirs.fileno())], pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, process.RUN_TAG: token},
        )  # fmt: skip
        theirs.close()
        work = f".fsprobe-{uuid.uuid4().hex[:8]}"
        self.told({"begin": os.path.abspath(directory), "mount": {}, "work": work}, _BEGIN)

    def sample(self, told: dict[str, Any]) -> float:
        """One figure. Raises Marked."""
        return float(self.told({"sample": told}, self.timeout)["value"])

    def told(self, message: dict[str, Any], timeout: float) -> dict[str, Any]:
        assert self._channel is not None
        try:
            self._channel.send(message)
            answer: dict[str, Any] = self._channel.receive(timeout)[0]
        except TimeoutError:
            raise Marked("hang", f"no end within {timeout:g} s") from None
        except ChannelClosed as error:
            raise Marked("worker lost", str(error)) from error
        if "mark" in answer:
            raise Marked(answer["mark"], answer["detail"])
        return answer

    def usage(self) -> dict[str, Any]:
        """There is no daemon."""
        return {}

    def close(self) -> None:
        """Tidy up and end the worker."""
        if self._channel is not None:
            try:
                self.told({"close": True}, self.timeout)
            except (Marked, KeyError):
                pass
            self._channel.close()
        if self._child is not None:
            for pid in process.descendants(self._child.pid) if self._child.poll() is None else ():
                process.kill(pid)
            end(self._child, 1.0)
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            end(self._keeper, 10.0)


Place = MountedPlace | NativePlace
