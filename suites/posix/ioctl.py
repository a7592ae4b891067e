"""IOCTL: what isatty and lsattr ask."""

from __future__ import annotations

import array
import errno
import fcntl
import os

from fsprobe.checks import OPTIONAL, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.ioctl.not-a-terminal", op="IOCTL", source="catalogue 3.27.1; POSIX isatty", main=True, quick=True,
    needs=("write",), killers=("IOCTL:errno=EIO", "IOCTL:errno=EACCES"),
)
def not_a_terminal(m: Mount) -> None:
    """A terminal's ioctl on a file is ENOTTY, so that isatty says no."""
    fd = m.open(m.file("file"), os.O_RDWR)
    with m.raises(errno.ENOTTY, what="TCGETS of a file", warn=(errno.EINVAL, errno.EOPNOTSUPP)):
        fcntl.ioctl(fd, linux.TCGETS, bytes(64))
    m.expect(not os.isatty(fd), "isatty to say no", "yes")


@mount_check(
    "posix.ioctl.flags", op="IOCTL", level=OPTIONAL, source="catalogue 3.27.2; man 2 ioctl_iflags", needs=("write",),
    killers=("IOCTL:errno=EIO",),
)
def flags(m: Mount) -> None:
    """FS_IOC_GETFLAGS, which lsattr uses, answers the flags of a file or ENOTTY."""
    fd = m.open(m.file("file"))
    value = array.array("L", [0])
    with m.optional(errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, what="FS_IOC_GETFLAGS"):
        fcntl.ioctl(fd, linux.FS_IOC_GETFLAGS, value)
