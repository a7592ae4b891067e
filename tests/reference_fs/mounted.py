"""A script run on a mounted VexFS, in namespaces of its own that take everything with them when they end.

Owns starting, waiting and the bound on time; pytest itself never touches the mount.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
"$PYTHON" -m reference_fs "$MOUNT" -f "$@" & export DAEMON=$!
for i in $(seq 500); do
    grep -q " $MOUNT .* fuse.vexfs " /proc/self/mountinfo && break
    kill -0 $DAEMON 2>/dev/null || { wait $DAEMON; echo "daemon exited $?"; exit; }
    sleep 0.01
done
cd "$MOUNT" || exit
(eval "$WORK") 2>&1
exec 2>/dev/null  # bash would tell of a daemon that was killed
cd /
kill -0 $DAEMON 2>/dev/null && umount "$MOUNT"
wait $DAEMON; echo "daemon exited $?"
"""


@dataclass(frozen=True, slots=True)
class Mounted:
    """What a script printed, and the daemon's exit status (as a shell has it: 128 and more for a signal)."""

    lines: list[str]
    status: int


def on_mount(mountpoint: Path, work: str, *arguments: str, seconds: int = 20) -> Mounted:
    """Mount with the front's arguments, run `work` in bash on it, unmount. Fails where that takes too long."""
    mountpoint.mkdir(exist_ok=True)
    command = [
        "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
        "bash", "-c", SCRIPT, "bash", *arguments,
    ]  # fmt: skip
    environment = {
        **os.environ, "PYTHON": sys.executable, "MOUNT": str(mountpoint), "WORK": work, "PYTHONPATH": str(ROOT),
        "LC_ALL": "C",
    }  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, cwd="/") as run:
        try:
            output, _ = run.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            raise
    lines = output.decode(errors="replace").splitlines()
    last = lines.pop() if lines else ""
    assert last.startswith("daemon exited "), lines
    return Mounted(lines, int(last.split()[-1]))
