"""The last one at a mount that lies at a place of the user's: takes it away when whoever made it is gone.

Owns one process that waits for the end of a pipe; knows nothing of daemons. The mount is only detached, never touched,
and the directory below it stays, since it is not ours.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

from fsprobe.posix import linux
from fsprobe.sandbox import mounts, standing

_PATIENCE = 2.0  # seconds for whoever mounted it to take it away in order


def main() -> None:
    """`python -m fsprobe.sandbox.guard MOUNTPOINT`: until standard input ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    place = sys.argv[1]
    before = {mount.line for mount in mounts.mounts()}
    while os.read(0, 4096):
        pass
    deadline = time.monotonic() + _PATIENCE
    while (found := mounts.find(place)) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    if found is not None and standing.is_fuse(found) and found.line not in before:
        detach(place)


def detach(place: str) -> None:
    """Take a mount out of the tree; as a user through the setuid helper."""
    try:
        linux.umount(os.fsencode(place), linux.MNT_DETACH)
    except OSError:
        helper = shutil.which("fusermount3") or shutil.which("fusermount")
        if helper:
            subprocess.run([helper, "-uz", "--", place], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=3, check=False)  # fmt: skip


if __name__ == "__main__":
    main()
