"""The front that speaks the protocol on /dev/fuse itself."""

from __future__ import annotations

import errno

from reference_fs.model_inode import fail
from reference_fs.options import Options
from reference_fs.profiles import Profile


def run(mountpoint: str, options: Options, profile: Profile, *, foreground: bool) -> int:
    """Mount and serve until unmounted."""
    raise fail(errno.ENOTSUP)
