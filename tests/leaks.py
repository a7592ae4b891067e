"""What a run left behind: mounts, processes, files.

Owns the look around, bounded in time and without ever touching a mount; knows nothing of fsprobe's inside.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

TAG = "FSPROBE_TEST"
RUN_TAG = "FSPROBE_RUN"


def fuse_mounts(below: str = "/") -> set[str]:
    """`mountpoint type` of the FUSE mounts here at or below a directory, from mountinfo alone."""
    found = set()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        mountpoint = fields.split()[4].encode().decode("unicode_escape")
        kind = rest.split()[0]
        if (
            kind.startswith("fuse")
            and kind != "fusectl"
            and (mountpoint + "/").startswith(below.rstrip("/") + "/")
        ):
            found.add(f"{mountpoint} {kind}")
    return found


def tagged_processes(name: str, value: str = "") -> set[str]:
    """`PID command` of every other process with NAME=VALUE in its environment (any value where empty)."""
    wanted = f"{name}={value}".encode()
    found = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            environment = Path("/proc", entry, "environ").read_bytes().split(b"\0")
            if any(item == wanted if value else item.startswith(wanted) for item in environment):
                state = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[0]
                command = (
                    Path("/proc", entry, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
                if state not in "ZX":
                    found.add(f"{entry} {command.strip()[:120]} [{state}]")
        except OSError:
            continue  # it has ended, or belongs to somebody else
    return found


def temporary_files(folder: str | Path = "/tmp") -> set[str]:
    """The fsprobe-* entries of a temporary folder."""
    return {str(path) for path in Path(folder).glob("fsprobe-*")}


class LeakWatch:
    """Everything that is there now and was not when the watch began.

    Processes are found by the tag in their environment, files and mounts by the scratch folder that runs are
    given as TMPDIR, so that several watches (parallel tests) do not see each other.
    """

    def __init__(self, scratch: Path, token: str) -> None:
        self.scratch = scratch
        self.token = token

    def now(self) -> list[str]:
        """Each thing that is left, in words."""
        return [
            *(f"mount {mount}" for mount in sorted(fuse_mounts(str(self.scratch)))),
            *(f"process {process}" for process in sorted(tagged_processes(TAG, self.token))),
            *(f"file {path}" for path in sorted(temporary_files(self.scratch))),
        ]

    def __call__(self, wait: float = 3.0) -> list[str]:
        """The same, giving what is on its way out up to `wait` seconds to go."""
        return settled(self.now, wait)


def settled(look: Callable[[], list[str]], wait: float) -> list[str]:
    """What `look` still finds after at most `wait` seconds; nothing as soon as it finds nothing."""
    deadline = time.monotonic() + wait
    left = look()
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = look()
    return left


class Everywhere:
    """The whole machine's view, before and after a whole test session. Others' runs show here too."""

    def __init__(self) -> None:
        self._before = set(self._look())

    def _look(self) -> list[str]:
        return [
            *(f"mount {mount}" for mount in fuse_mounts()),
            *(f"process {process}" for process in tagged_processes(TAG)),
            *(f"file {path}" for path in temporary_files()),
        ]

    def new(self, wait: float = 5.0) -> list[str]:
        """What has come since and stays."""
        return sorted(settled(lambda: [item for item in self._look() if item not in self._before], wait))
