"""The janitor: what removes a run's traces where no namespace does, whatever became of fsprobe.

Owns one process in a session of its own that waits for the end of a pipe; knows nothing of the run but its tag
and its directory. It kills what carries the tag, takes away mounts below the directory, and removes that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from fsprobe.posix import linux
from fsprobe.sandbox import mounts, process

_GRACE = 3.0
_PATIENCE = 5.0  # seconds for killed processes and detached mounts to be gone


def launch(token: str, directory: str) -> subprocess.Popen[bytes]:
    """Start the janitor of a run before its directory is made; closing its stdin sets it to work."""
    env = {key: value for key, value in os.environ.items() if key != process.RUN_TAG}
    return subprocess.Popen(
        [*process.python_command("fsprobe.sandbox.janitor"), token, directory],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, env=env, cwd="/",
    )  # fmt: skip


def clean(token: str, directory: str, grace: float = _GRACE) -> None:
    """Kill, unmount, remove; best effort, within bounds, and harmless where there is nothing.

    grace: seconds in which the run's own processes may tidy up by themselves.
    """
    patience = time.monotonic() + grace
    while time.monotonic() < patience and process.tagged(token):
        time.sleep(0.02)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        left = process.tagged(token)
        for pid in left:
            process.kill(pid)
        mounted = mounts.below(directory)
        for mount in mounted:
            _unmount(mount.mountpoint)
        if not left and not mounted:
            break
        time.sleep(0.02)
    if not mounts.below(directory) and os.path.isdir(directory):
        shutil.rmtree(directory, ignore_errors=True)


def _unmount(mountpoint: str) -> None:
    try:
        linux.umount(os.fsencode(mountpoint), linux.MNT_DETACH)
    except OSError:
        helper = shutil.which("fusermount3") or shutil.which("fusermount")
        if helper:
            subprocess.run([helper, "-uz", "--", mountpoint], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=2, check=False)  # fmt: skip


def main() -> None:
    """Wait for end-of-file, then clean."""
    token, directory = sys.argv[1:3]
    while os.read(0, 4096):
        pass
    clean(token, directory)


if __name__ == "__main__":
    main()
