"""A live trace of a FUSE mount that is there already, by the kernel's tracepoints: nothing is restarted or touched.

Owns finding the connection and following it; knows nothing of how requests are shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsprobe.errors import UsageError
from fsprobe.runners.tracing import TICK, Sink
from fsprobe.sandbox import fusectl, mounts, standing
from fsprobe.sandbox.mounts import Mount
from fsprobe.sandbox.tracefs import Watch
from fsprobe.trace.kernel_events import Assembler


@dataclass(slots=True)
class MountTrace:
    """One trace. `run` returns the summary; `reason` says what ended it."""

    mount: Mount
    sink: Sink
    ready: Callable[[], None]
    reason: str = ""

    def run(self) -> dict[str, Any]:
        """Until KeyboardInterrupt, or the mount is gone. Raises MachineError where the kernel or user cannot."""
        watch = Watch.start(self.mount.minor)
        assembler = Assembler(_command)
        try:
            waiting = fusectl.waiting(self.mount.minor)
            if waiting:
                how_many = "a request was" if waiting == 1 else f"{waiting} requests were"
                self.sink.tell(f"{how_many} open before the trace began: what is asked there is not told here")
                self.sink.tell(f"why, if they stay so: fsprobe diagnose {self.mount.mountpoint}")
            self.ready()
            self._follow(watch, assembler)
        except KeyboardInterrupt:
            self.reason = "interrupted"
        finally:
            rest = watch.close()
        self._hand_on(assembler, rest)
        return self.sink.finish((entry, None) for entry in assembler.open())

    def _follow(self, watch: Watch, assembler: Assembler) -> None:
        while not watch.ended:
            self._hand_on(assembler, watch.read(TICK))
            self.sink.waiting(assembler.open())
            if not any(mount.minor == self.mount.minor for mount in standing.fuse_mounts()):
                self.reason = "it was unmounted"
                return
        self.reason = "the trace instance is gone"

    def _hand_on(self, assembler: Assembler, lines: list[str]) -> None:
        self.sink.take(assembler.feed(lines))
        self.sink.lose(assembler.dropped)


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="backslashreplace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return ""


def require_fuse(path: str, option: str = "") -> Mount:
    """The FUSE mount that a path lies on, without touching it. Raises UsageError, naming the ones there are."""
    table = mounts.mounts()
    resolved = standing.resolve(path, table)
    found = standing.mount_at(resolved, table)
    if found is not None and standing.is_fuse(found):
        return found
    there = [mount.mountpoint for mount in table if standing.is_fuse(mount)]
    causes = []
    if found is not None:
        causes.append(f"it lies on {found.fs_type}, mounted on {found.mountpoint}")
    causes.append(f"FUSE mounts there are: {', '.join(there[:8])}" if there else "there is no FUSE mount here")
    near = sorted(there, key=lambda one: -len(os.path.commonpath([one, resolved])))
    verb = "trace --mount" if option else "diagnose"
    raise UsageError(
        f"{option} {path}: not on a FUSE mount".strip(), causes=tuple(causes),
        command=f"fsprobe {verb} {near[0]}" if near else None,
    )  # fmt: skip
