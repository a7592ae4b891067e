"""A run on a directory that is mounted already: a worker process, and nothing else.

Owns starting that worker and looking like a sandbox to `ask`; knows nothing of daemons or relays.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
import uuid
from collections import deque
from typing import Any

from fsprobe.config.target import Target
from fsprobe.errors import UsageError
from fsprobe.posix.channel import Channel
from fsprobe.relay.opening import end
from fsprobe.runners.events import Listener
from fsprobe.runners.options import RunOptions
from fsprobe.runners.session import Session
from fsprobe.runners.target_run import TargetRun
from fsprobe.sandbox import evidence, janitor, mounts, process, waiting
from fsprobe.trace.exchange import Exchange

KEEPER_PATIENCE = 10.0


class Native:
    """What `ask.Asking` needs of a sandbox, where there is no daemon to look at."""

    def __init__(self) -> None:
        self.channel, self._silent = Channel.pair()
        token = uuid.uuid4().hex
        self.directory = os.path.join(tempfile.gettempdir(), f"fsprobe-{token[:12]}")
        self._keeper = janitor.launch(token, self.directory)
        os.mkdir(self.directory, 0o700)
        self._env = {**os.environ, process.RUN_TAG: token, "TMPDIR": self.directory}
        self.events: deque[dict[str, Any]] = deque()
        self.workers: dict[int, subprocess.Popen[bytes]] = {}

    def worker(self, entry: str, setup: dict[str, Any]) -> tuple[Channel, int]:
        """Start a worker as a child of this process; when we are gone it tidies up, and the janitor bounds that."""
        ours, theirs = Channel.pair()
        child = subprocess.Popen(
            [*process.python_command("fsprobe.runners.native"), str(theirs.fileno())], pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env=self._env,
        )  # fmt: skip
        theirs.close()
        self.workers[child.pid] = child
        ours.send({"setup": setup})
        return ours, child.pid

    def next_event(self, timeout: float) -> dict[str, Any] | None:
        """There are none."""
        if timeout > 0:
            time.sleep(timeout)
        return None

    def call(self, name: str, timeout: float = 0, **args: Any) -> Any:
        """The few calls that make sense here."""
        if name == "kill_worker":
            for pid in [*process.descendants(args["pid"]), args["pid"]]:
                process.kill(pid)
            return None
        if name == "caller":
            pids = [args["pid"], *process.descendants(args["pid"])]
            return {"threads": [t.to_wire() for pid in pids for t in evidence.threads(pid)]}
        if name == "waiting":
            pids = [args["pid"], *process.descendants(args["pid"])]
            return {"callers": [one.to_wire() for one in waiting.find(pids)], "connection": -1, "waiting": None}
        if name == "status":
            return {"open": [], "output": b"", "exits": {}}
        return []

    def exchanges(self) -> list[Exchange]:
        """Nothing is recorded."""
        return []

    mounter = "native"
    device = False

    def close(self) -> list[int]:
        """Reap the workers; returns those that cannot be killed (in D on somebody else's mount)."""
        left = []
        for pid, child in self.workers.items():
            child.kill()
            try:
                child.wait(1.0)
            except subprocess.TimeoutExpired:
                left.append(pid)
        self.channel.close()
        self._silent.close()
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        end(self._keeper, KEEPER_PATIENCE)
        return left


class NativeRun(TargetRun):
    """The same life without a daemon: only workers come and go."""

    def mode_of(self, layer: str) -> str:
        """One mode for all layers."""
        return "direct"

    def start(self, layer: str) -> None:
        """Nothing to start: the directory is there."""
        assert self.options.native is not None
        self.mode, self.mountpoint = "direct", os.path.abspath(self.options.native)
        self.starts += 1

    def stop(self) -> None:
        """Lose the worker; the mount is not ours."""
        self.lose_worker()
        self.mode = ""


class NativeSession(Session):
    """A run on a directory in place. Raises UsageError where there is none."""

    def __init__(self, options: RunOptions, emit: Listener) -> None:
        _require_directory(options.native or "")
        super().__init__(options, emit)

    def _begin(self) -> None:
        return None

    def _open_life(self) -> TargetRun:
        assert self.options.native is not None
        directory = os.path.abspath(self.options.native)
        mount = mount_of(directory)
        if mount is not None:
            self.target |= {"fs_type": mount.fs_type, "mount": mount.line}
        self.environment["degraded"] = ["no relay: requests are not seen on a directory that is mounted already"]
        target = Target(directory, ())
        return NativeRun(self.options, target, Native(), self.token)


def _require_directory(path: str) -> None:
    """Asked in a child: on a hung mount it would never come back, which is then for the worker to find."""
    child = subprocess.Popen(["test", "-d", path], stdin=subprocess.DEVNULL)
    try:
        missing = child.wait(2.0) != 0
    except subprocess.TimeoutExpired:
        child.kill()
        return
    if missing:
        raise UsageError(f"--native {path}: there is no such directory", command=f"ls -ld {shlex.quote(path)}")


def mount_of(directory: str) -> mounts.Mount | None:
    """The mount that a directory lies on, by its path alone: a stat could block."""
    best: mounts.Mount | None = None
    for mount in mounts.mounts():
        prefix = mount.mountpoint.rstrip("/") + "/"
        if (directory.rstrip("/") + "/").startswith(prefix) and (best is None or len(prefix) >= len(best.mountpoint)):
            best = mount
    return best


def main() -> None:
    """`python -m fsprobe.runners.native CHANNEL_FD`: the worker itself."""
    from fsprobe.runners import worker

    worker.main(Channel.inherited(int(sys.argv[1])))


if __name__ == "__main__":
    main()
