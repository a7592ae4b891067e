"""Making the kernel forget the names and attributes that nobody holds open, of the mount under test alone.

Owns the call; knows nothing of checks. A remount with the flags that the mount has shrinks its cache of names
(fs/super.c reconfigure_super) and touches no other file system, as drop_caches would.
"""

from __future__ import annotations

from fsprobe.checks.check import Blocked
from fsprobe.posix import linux
from fsprobe.runners.setup import Setup

_MS_REMOUNT = 0x20


def forget_names(setup: Setup) -> None:
    """A mount that is not fsprobe's own is left as it is. Raises Blocked where it may not be remounted."""
    if not setup.fs_type:
        return
    try:
        linux.mount(b"", setup.root.encode("utf-8", "surrogateescape"), b"", _MS_REMOUNT | setup.mount_flags)
    except OSError as error:
        raise Blocked("remounting, so that the kernel forgets names", error) from error
