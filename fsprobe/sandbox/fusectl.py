"""The kernel's own way out: aborting a FUSE connection through fusectl, as root or as the user who mounted it.

Owns that act and the count of open requests, for root in a mount namespace of its own since fusectl may not be mounted;
aborts nothing but the connection it is told.
"""

from __future__ import annotations

import os
import subprocess
import sys

from fsprobe.posix import linux
from fsprobe.sandbox import process

_TIMEOUT = 5.0


def abort(minor: int) -> bool:
    """Abort connection `minor` (the minor of the mount's st_dev). Returns whether that was possible."""
    if minor < 0:
        return False
    if not linux.has_sys_admin():
        return _write(minor)
    command = [*process.python_command("fsprobe.sandbox.fusectl"), str(minor)]
    try:
        done = subprocess.run(
            command, timeout=_TIMEOUT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def told(minor: int) -> int | None:
    """How many requests of a connection are open, where fusectl is mounted here; else None."""
    try:
        with open(f"/sys/fs/fuse/connections/{minor}/waiting") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def waiting(minor: int) -> int | None:
    """How many requests of a connection are open; None where nobody tells this user. It never blocks."""
    known = told(minor)
    if known is not None:
        return known
    if not linux.has_sys_admin() or os.path.isdir(f"/sys/fs/fuse/connections/{minor}"):
        return None
    command = [*process.python_command("fsprobe.sandbox.fusectl"), str(minor), "waiting"]
    try:
        done = subprocess.run(
            command, timeout=_TIMEOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return int(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None


def mount_here() -> None:
    """Mount fusectl for this process, which has to be in a mount namespace of its own; as far as it may."""
    try:
        if not os.listdir("/sys/fs/fuse/connections"):
            linux.mount(b"none", b"/sys/fs/fuse/connections", b"fusectl")
    except OSError:
        pass  # then nobody tells how many requests are open


def show_here() -> None:
    """Mount fusectl for this process alone, which enters a mount namespace of its own. Raises OSError."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(b"none", b"/", b"", linux.MS_REC | linux.MS_PRIVATE)
    linux.mount(b"none", b"/sys/fs/fuse/connections", b"fusectl")


def main() -> None:
    """`python -m fsprobe.sandbox.fusectl MINOR [waiting]`: abort it, or print how many requests are open."""
    minor = int(sys.argv[1])
    show_here()
    if sys.argv[2:] == ["waiting"]:
        print(waiting(minor))
        return
    os._exit(0 if _write(minor) else 1)


def _write(minor: int) -> bool:
    try:
        with open(f"/sys/fs/fuse/connections/{minor}/abort", "w") as file:
            file.write("1")
    except OSError:
        return False
    return True
