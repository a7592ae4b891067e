"""A live trace of a target that is started for it: mounted where others can use it, or with one command in it.

Owns the target's life meanwhile and the fetching of its traffic; knows nothing of how requests are shown. The mount
lies in the caller's own namespaces, so that every terminal sees it and callers have the pids that their users know;
where a command is all that uses it, in a sandbox that vanishes with it.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fsprobe.config.target import Target
from fsprobe.errors import FsprobeError, MachineError, UsageError
from fsprobe.posix.channel import Channel, ChannelClosed
from fsprobe.relay.client import CALL_TIMEOUT, Sandbox
from fsprobe.relay.recorder import exchange
from fsprobe.runners.exits import describe_exit
from fsprobe.runners.options import RunOptions
from fsprobe.runners.target_run import TargetRun
from fsprobe.runners.tracing import TICK, Sink
from fsprobe.sandbox import mounts, process, standing
from fsprobe.trace.entry import Decoder, Entry

COMMAND = "fsprobe.runners.tracing_command:main"


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """target: the daemon to start. at: where to mount it, "" for a fresh directory. command: a shell command that is
    run in the mount and ends the trace, "" for none. streams: its standard descriptors.
    """

    target: Target
    at: str = ""
    command: str = ""
    start_timeout: float = 10.0
    streams: tuple[int, int, int] = (0, 1, 2)


class PlacedSandbox(Sandbox):
    """A sandbox whose daemon is mounted where the user wants it."""

    at = ""

    def call(self, name: str, timeout: float = CALL_TIMEOUT, **args: Any) -> Any:
        """As the sandbox has it, but for the mountpoint."""
        result = super().call(name, timeout, **args)
        return {**result, "mnt": self.at} if name == "place" and self.at else result


@dataclass(slots=True)
class TargetTrace:
    """One trace. `run` returns the summary; `reason` says what ended it, `status` the command's exit status."""

    options: TraceOptions
    sink: Sink
    ready: Callable[[TargetRun], None]
    reason: str = ""
    status: int | None = None
    life_began: bool = False
    decoder: Decoder = field(default_factory=Decoder)
    _callers: dict[int, str] = field(default_factory=dict)
    _channel: Channel | None = None
    _pid: int = 0

    def run(self) -> dict[str, Any]:
        """Until the command ends, the daemon does, somebody unmounts it, or KeyboardInterrupt. Raises FsprobeError."""
        at = require_mountpoint(self.options.at) if self.options.at else ""
        outside = bool(at) or not self.options.command
        sandbox = PlacedSandbox.open([os.getcwd(), *self.options.target.argv], ("none",) if outside else None)
        assert isinstance(sandbox, PlacedSandbox)
        sandbox.at = at
        guard = _Guard.start(at) if at else None
        life = TargetRun(
            RunOptions(target=self.options.target, start_timeout=self.options.start_timeout), self.options.target,
            sandbox, uuid.uuid4().hex[:8],
        )  # fmt: skip
        opened: list[tuple[Entry, bool | None]] = []
        try:
            if not sandbox.mounter:
                causes = tuple(sandbox.degraded)
                raise MachineError("nothing can be mounted here", causes=causes, command="fsprobe doctor")
            self._begin(life, sandbox)
            self._follow(sandbox)
        except KeyboardInterrupt:
            self.reason = "interrupted"
        finally:
            try:
                opened = self._end(life, sandbox)
            finally:
                sandbox.close()
                if guard is not None:
                    guard.close()
        return self.sink.finish(opened)

    def _begin(self, life: TargetRun, sandbox: Sandbox) -> None:
        sandbox.call("trace")  # from now on it keeps the names of callers
        life.start("mount")
        self.life_began = True
        self.ready(life)
        if self.options.command:
            setup = {"layer": "mount", "root": life.mountpoint, "command": self.options.command}
            self._channel, self._pid = sandbox.worker(COMMAND, setup)
            self._channel.send({"streams": True}, self.options.streams)

    def _follow(self, sandbox: Sandbox) -> None:
        looked = 0.0
        while not self.reason:
            select.select([sandbox.channel], [], [], TICK)
            opened = self._fetch(sandbox)
            if time.monotonic() - looked > 5 * TICK:
                self.sink.waiting(entry for entry, _ in opened)
                looked = time.monotonic()
            while not self.reason and (event := sandbox.next_event(0)) is not None:
                self._on_event(event, sandbox)

    def _on_event(self, event: dict[str, Any], sandbox: Sandbox) -> None:
        name = event["event"]
        if name == "worker-exit" and event["pid"] == self._pid:
            self.status = event["status"]
            self.reason = f"the command {describe_exit(self.status)}"
        elif name == "unmounted":
            self.reason = "it was unmounted"
        elif name == "daemon-gone":
            later = sandbox.next_event(0.5)
            status = later.get("status") if later else None
            self.reason = f"the target {describe_exit(status)}"
        elif name == "malformed":
            stays = ": its caller waits for ever" if event["open"] else ""
            self.sink.tell(f"the kernel refuses a reply to request {event['unique']}: {event['reason']}{stays}")

    def _fetch(self, sandbox: Sandbox) -> list[tuple[Entry, bool | None]]:
        """Hand on what has ended since the last call; what is open, with whether it was taken."""
        told = sandbox.call("trace")
        changes = sorted(told["callers"], reverse=True)
        entries = []
        for one in sorted(map(exchange, told["records"]), key=lambda e: e.seq):
            while changes and changes[-1][0] <= one.seq:
                _, pid, command = changes.pop()
                self._callers[pid] = command
            entries.append(self.decoder.entry(one, self._callers.get(one.pid, "")))
        for _, pid, command in reversed(changes):
            self._callers[pid] = command
        self.sink.take(entries)
        self.sink.lose(told["dropped"])
        return [(self.decoder.open(one, one["command"]), bool(one["taken"])) for one in told["open"]]

    def _end(self, life: TargetRun, sandbox: Sandbox) -> list[tuple[Entry, bool | None]]:
        """What is still open; then the target is ended, and what passed meanwhile is shown, too."""
        opened: list[tuple[Entry, bool | None]] = []
        try:
            opened = self._fetch(sandbox) if life.running else []
            if self._pid and self.status is None:
                sandbox.call("kill_worker", pid=self._pid)
            if life.running:
                life.stop()
                self._fetch(sandbox)
        except (FsprobeError, ChannelClosed, OSError) as error:
            self.reason = self.reason or f"the sandbox is gone: {error}"
        finally:
            if self._channel is not None:
                self._channel.close()
        return opened


@dataclass(slots=True)
class _Guard:
    """A process that takes away the mount at a place of the user's, should everything else be killed at once."""

    helper: subprocess.Popen[bytes]

    @classmethod
    def start(cls, at: str) -> _Guard:
        command = [*process.python_command("fsprobe.sandbox.guard"), at]
        return cls(subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd="/",
        ))  # fmt: skip

    def close(self) -> None:
        if self.helper.stdin is not None:
            self.helper.stdin.close()
        try:
            self.helper.wait(5.0)
        except subprocess.TimeoutExpired:
            self.helper.kill()


def require_mountpoint(path: str) -> str:
    """The directory as mountinfo will tell it. Raises UsageError where nothing can be mounted there."""
    table = mounts.mounts()
    at = standing.resolve(path, table)
    below = standing.mount_at(at, table)
    if below is not None and standing.is_fuse(below):
        raise UsageError(
            f"--at {path}: lies on a FUSE mount already ({below.fs_type} on {below.mountpoint})",
            command=f"fsprobe trace --mount {below.mountpoint}",
        )
    if not os.path.isdir(at):
        raise UsageError(f"--at {path}: there is no such directory", command=f"mkdir -p {path}")
    if os.listdir(at):
        raise UsageError(f"--at {path}: is not empty, and the mount would hide what is in it")
    return at
