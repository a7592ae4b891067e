"""MKNOD: files, FIFOs, sockets and devices."""

from __future__ import annotations

import errno
import os
import socket
import stat

from fsprobe.checks import OPTIONAL, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)


@mount_check(
    "posix.mknod.regular", op="MKNOD", source="catalogue 3.6.1; man 2 mknod", main=True, quick=True, needs=("write",),
    killers=("MKNOD:errno=EIO", "MKNOD:attr.mode=0o40755", "GETATTR:attr.mode=0o100600"),
)
def regular(m: Mount) -> None:
    """mknod makes an empty regular file with mode & ~umask."""
    path = m.path("plain")
    with m.optional(*DECLINED, what="mknod of a regular file"):
        os.mknod(path, stat.S_IFREG | 0o666)
    got = m.stat(path)
    m.expect_equal("file", linux.type_name(got.mode), "the type")
    m.expect_equal(0o644, got.permissions, "the mode with umask 022", show=oct)
    m.expect_equal(0, got.size, "the size")


@mount_check(
    "posix.mknod.fifo", op="MKNOD", level=OPTIONAL, source="catalogue 3.6.1, 3.6.3; POSIX mkfifo",
    needs=("write",), killers=("MKNOD:errno=EIO,path=*pipe", "GETATTR:attr.mode=0o100644"),
)
def fifo(m: Mount) -> None:
    """A FIFO can be made, has that type, and passes data."""
    path = m.path("pipe")
    with m.optional(*DECLINED, errno.EINVAL, what="mkfifo"):
        os.mkfifo(path)
    m.expect_equal("fifo", linux.type_name(m.stat(path).mode), "the type")
    reader = m.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = m.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.write(writer, b"through")
    m.expect_equal(b"through", os.read(reader, 100), "what came through")


@mount_check(
    "posix.mknod.socket", op="MKNOD", level=OPTIONAL, source="catalogue 3.6.3; man 7 unix", needs=("write",),
    killers=("MKNOD:errno=EIO,path=*sock", "GETATTR:attr.mode=0o100644,path=*sock"),
)
def unix_socket(m: Mount) -> None:
    """A Unix socket can be bound to a name and connected to, and a second bind is EADDRINUSE."""
    path = m.path("sock")
    folder = m.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    # The address holds 107 bytes: the way over the descriptor is always short enough.
    address = f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    kind = socket.SOCK_STREAM
    with socket.socket(socket.AF_UNIX, kind) as server, socket.socket(socket.AF_UNIX, kind) as client:
        with m.optional(*DECLINED, errno.EINVAL, what="bind of a Unix socket"):
            server.bind(address)
        m.expect_equal("socket", linux.type_name(m.stat(path).mode), "the type")
        server.listen(1)
        client.connect(address)
        with m.raises(errno.EADDRINUSE, what="a second bind"), socket.socket(socket.AF_UNIX, kind) as second:
            second.bind(address)


@mount_check(
    "posix.mknod.device", op="MKNOD", level=OPTIONAL, source="catalogue 3.6.1; man 2 mknod", needs=("write", "root"),
    killers=("MKNOD:errno=EIO,path=*null", "MKNOD:attr.rdev=0x107,path=*null"),
)
def device(m: Mount) -> None:
    """root can make a character device, and its number is kept."""
    path = m.path("null")
    with m.optional(*DECLINED, errno.EINVAL, what="mknod of a device"):
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    got = m.stat(path)
    m.expect_equal("character device", linux.type_name(got.mode), "the type")
    if got.rdev != os.makedev(1, 3):
        raise Finding("device number 1:3", f"{os.major(got.rdev)}:{os.minor(got.rdev)}")
