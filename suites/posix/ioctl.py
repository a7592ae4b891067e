"""IOCTL: what isatty and lsattr ask."""

from __future__ import annotations

import array
import errno
import fcntl
import os

from fsprobe.checks import OPTIONAL, linux, mount_check
from fsprobe.checks.mount import Mount

FICLONE = 0x40049409
UNKNOWN = 0x5F7E  # no driver's


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


@mount_check(
    "posix.ioctl.unknown", op="IOCTL", source="catalogue 3.27.1; man 2 ioctl", needs=("write",),
    killers=("IOCTL:errno=EIO", "IOCTL:errno=EACCES"),
)
def unknown(m: Mount) -> None:
    """An ioctl that nobody knows is ENOTTY, and the file is as it was."""
    path = m.file("file", b"data")
    fd = m.open(path, os.O_RDWR)
    with m.raises(errno.ENOTTY, what="an unknown ioctl", warn=(errno.EINVAL, errno.EOPNOTSUPP)):
        fcntl.ioctl(fd, UNKNOWN, bytes(8))
    m.expect_equal(b"data", m.read(path), "the content")


@mount_check(
    "posix.ioctl.directory", op="IOCTL", source="catalogue 3.27.1, 3.27.3; POSIX isatty", also=("OPENDIR",),
    needs=("write",), killers=("OPENDIR:errno=EIO", "*:entries=lose"),
)
def directory(m: Mount) -> None:
    """A terminal's ioctl on a directory is ENOTTY, and it can be listed afterwards."""
    top = m.subdir("folder")
    m.file("folder/file")
    fd = m.open(top, os.O_RDONLY | os.O_DIRECTORY)
    with m.raises(errno.ENOTTY, what="TCGETS of a directory", warn=(errno.EINVAL, errno.EOPNOTSUPP)):
        fcntl.ioctl(fd, linux.TCGETS, bytes(64))
    m.expect_equal([b"file"], m.names(fd), "the entries")


@mount_check(
    "posix.ioctl.clone", op="IOCTL", source="catalogue 3.27.2; man 2 ioctl_ficlone", also=("READ",), needs=("write",),
    killers=("READ:flip", "WRITE:fake"),
)
def clone(m: Mount) -> None:
    """FICLONE, which cp tries first, makes the target equal or is declined, and then changes nothing."""
    data = m.rng.randbytes(8_192)
    source, path = m.open(m.file("source", data)), m.file("target", b"as it was")
    try:
        fcntl.ioctl(m.open(path, os.O_RDWR), FICLONE, source)
    except OSError as error:
        declined = (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EXDEV, errno.ENOSYS)
        if error.errno not in declined:
            raise
        m.info(f"FICLONE: {linux.errno_name(error.errno)}")
        data = b"as it was"
    m.expect_equal(data, m.read(path), "the content of the target")
