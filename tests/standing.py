"""Daemons that somebody else started and that are stuck, in a mount namespace of their own; always freed at the end.

Owns their start, the callers that get stuck, and the end: the connection is aborted first, since a process that waits
for its own mount cannot be killed. Never touches the mount itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fsprobe.sandbox import fusectl, mounts, standing

PROGRAMS = Path(__file__).parent / "programs"


def hangs(shared: Path) -> str:
    """tests/programs/hangs.c for libfuse 3, built once a session; SKIP without a compiler or libfuse's headers."""
    built = shared / f"standing-hangs-{os.getpid()}"
    if built.exists():
        return str(built)
    if shutil.which("cc") is None or shutil.which("pkg-config") is None:
        pytest.skip("no C compiler")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], capture_output=True, text=True)
    if flags.returncode:
        pytest.skip("no headers of libfuse 3")
    command = ["cc", "-g", "-pthread", "-DFUSE_USE_VERSION=31", str(PROGRAMS / "hangs.c"), "-o", str(built)]
    subprocess.run([*command, *flags.stdout.split()], check=True, capture_output=True, timeout=60)
    return str(built)


class Standing:
    """One daemon and its callers. `pid` is the daemon's."""

    def __init__(self, place: Path, argv: list[str]) -> None:
        self.mountpoint = place / "standing"
        self.mountpoint.mkdir()
        self.processes: list[subprocess.Popen[Any]] = []
        self.minor = -1
        words = [word.replace("{mountpoint}", str(self.mountpoint)) for word in argv]
        environment = {**os.environ, "HANGS_MOUNTPOINT": str(self.mountpoint)}
        self.daemon = self._start(["unshare", "--mount", "--propagation", "private", "--", *words], environment)
        self.pid = self.daemon.pid
        self._wait_for_mount()

    @classmethod
    def vexfs(cls, place: Path, *arguments: str) -> Standing:
        return cls(place, [sys.executable, "-m", "reference_fs", "{mountpoint}", "-f", *arguments])

    def _start(self, argv: list[str], environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        nothing = subprocess.DEVNULL
        started = subprocess.Popen(argv, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True,
                                   env=environment, cwd=PROGRAMS.parent.parent)  # fmt: skip
        self.processes.append(started)
        return started

    def _wait_for_mount(self) -> None:
        deadline = time.monotonic() + 10
        while self.minor < 0:
            found = [one for one in standing.fuse_mounts(self.pid) if one.mountpoint == str(self.mountpoint)]
            if found:
                self.minor = found[0].minor
                return
            assert self.daemon.poll() is None, "the daemon ended"
            assert time.monotonic() < deadline, "the daemon did not mount"
            time.sleep(0.02)

    def call(self, script: str) -> subprocess.Popen[bytes]:
        """Run a shell script that gets stuck, with $M the mountpoint, in the daemon's mount namespace."""
        command = ["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", "--", "sh", "-c", f"M={self.mountpoint}; {script}"]
        return self._start(command)

    def inside(self, argv: list[str]) -> list[str]:
        """A command that sees the mount."""
        return ["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", "--", *argv]

    def wait_until_stuck(self, at_least: int = 1) -> None:
        """Until so many requests are open and stay so."""
        deadline, since = time.monotonic() + 10, 0.0
        while time.monotonic() < deadline:
            if (fusectl.waiting(self.minor) or 0) < at_least:
                since = 0.0
            elif since and time.monotonic() - since > 0.3:
                return
            else:
                since = since or time.monotonic()
            time.sleep(0.05)
        raise AssertionError("nothing got stuck")

    def end(self) -> None:
        """Free everybody, then end everything."""
        fusectl.abort(self.minor)
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self.processes:
            process.wait(10)
        assert mounts.find(str(self.mountpoint)) is None
