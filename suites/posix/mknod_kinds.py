"""MKNOD: modes, owners, taken names, what is refused, and what lives on in a FIFO."""

from __future__ import annotations

import errno
import os
import socket
import stat

from fsprobe.checks import OPTIONAL, Skip, linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)


@mount_check(
    "posix.mknod.usable", op="MKNOD", source="catalogue 3.6.1, 3.6.4; man 2 mknod", also=("OPEN", "WRITE", "READ"),
    needs=("write",), killers=("MKNOD:errno=EIO,path=*plain", "WRITE:fake,path=*plain", "OPEN:errno=EIO,path=*plain"),
)
def usable(m: Mount) -> None:
    """A file made by mknod can be opened, written and read like one made by open."""
    path = m.path("plain")
    with m.optional(*DECLINED, what="mknod of a regular file"):
        os.mknod(path, stat.S_IFREG | 0o600)
    fd = m.open(path, os.O_WRONLY)
    m.expect_equal(4, os.write(fd, b"data"), "bytes written")
    m.close(fd)
    m.expect_equal(b"data", m.read(path), "the content")
    m.expect(m.listed(path), "the file to be listed", "it is not")


@mount_check(
    "posix.mknod.exists", op="MKNOD", source="catalogue 3.6.2; POSIX mknod", needs=("write",),
    killers=("READ:flip", "MKNOD:errno=EIO,path=*free"),
)
def exists(m: Mount) -> None:
    """mknod and mkfifo of a taken name are EEXIST and change nothing; of a free one they succeed."""
    file, folder = m.file("file", b"kept"), m.subdir("folder")
    for path in (file, folder):
        with m.raises(errno.EEXIST, what=f"mknod of a name that is a {os.path.basename(path)}"):
            os.mknod(path, stat.S_IFREG | 0o600)
        with m.raises(errno.EEXIST, what=f"mkfifo of a name that is a {os.path.basename(path)}"):
            os.mkfifo(path)
    m.expect_equal(b"kept", m.read(file), "the content of the file")
    with m.optional(*DECLINED, what="mknod of a regular file"):
        os.mknod(m.path("free"), stat.S_IFREG | 0o600)


@mount_check(
    "posix.mknod.directory", op="MKNOD", source="catalogue 3.6.2; man 2 mknod", needs=("write",),
    killers=("LOOKUP:errno=EIO,path=*wrong", "*:entries=lose"),
)
def directory(m: Mount) -> None:
    """mknod of a directory is EPERM and makes nothing."""
    path = m.path("wrong")
    with m.raises(errno.EPERM, errno.EINVAL, what="mknod of a directory"):
        os.mknod(path, stat.S_IFDIR | 0o700)
    with m.raises(errno.ENOENT, what="stat of that name"):
        os.lstat(path)
    other = m.file("other")
    m.expect(m.listed(other) and not m.listed(path), "the other file alone to be listed", "it is not so")


@mount_check(
    "posix.mknod.device-refused", op="MKNOD", source="catalogue 3.6.2; man 2 mknod", needs=("write",),
    killers=("LOOKUP:errno=EIO,path=*null", "*:entries=lose"),
)
def device_refused(m: Mount) -> None:
    """Somebody without privileges cannot make a device: EPERM, and nothing is made."""
    top = m.subdir("top")
    user = m.ordinary(top)
    m.file("top/other")
    path = m.path("top/null")
    with m.raises(errno.EPERM, what="mknod of a device without privileges", warn=(errno.EACCES,)):
        m.fork(lambda: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3)), uid=user)
    m.expect_equal([b"other"], m.names(top), "the names listed")


@mount_check(
    "posix.mknod.mode", op="MKNOD", level=OPTIONAL, source="catalogue 3.6.5; POSIX mkfifo", needs=("write", "fifo"),
    killers=("GETATTR:attr.mode=0o10666,path=*pipe", "MKNOD:errno=EIO,path=*pipe"),
)
def mode(m: Mount) -> None:
    """The mode of a new FIFO is what was asked for, less the umask."""
    path = m.path("pipe")
    if m.stat(m.file("probe", mode=0o600)).permissions != 0o600:
        raise Skip("the mode asked for is not kept here, whatever is made")
    os.umask(0o027)
    with m.optional(*DECLINED, errno.EINVAL, what="mkfifo"):
        os.mkfifo(path, 0o666)
    got = m.stat(path)
    m.expect_equal(("fifo", 0o640), (linux.type_name(got.mode), got.permissions), "type and mode with umask 027")


@mount_check(
    "posix.mknod.owner", op="MKNOD", level=OPTIONAL, source="catalogue 3.6.5; POSIX mkfifo",
    needs=("write", "root", "allow_other", "fifo"),
    killers=("GETATTR:attr.uid=0,path=*theirs", "GETATTR:attr.gid=0,path=*theirs"),
)
def owner(m: Mount) -> None:
    """A FIFO belongs to the user and group who made it."""
    with m.setup():
        os.chmod(m.dir, 0o777)
    path = m.path("theirs")
    user = m.ordinary(m.file("probe"))  # skips where owners are not kept
    m.fork(lambda: os.mkfifo(path), uid=user)
    got = m.stat(path)
    m.expect_equal((65534, 65534), (got.uid, got.gid), "owner and group")


@mount_check(
    "posix.mknod.parent-mtime", op="MKNOD", source="catalogue 3.6; POSIX mknod", needs=("write",),
    killers=("GETATTR:attr.mtime=1000000000,path=*aged", "MKNOD:errno=EIO,path=*child"),
)
def parent_mtime(m: Mount) -> None:
    """mknod updates mtime of the directory."""
    top = m.subdir("aged")
    m.age(top)
    with m.optional(*DECLINED, what="mknod of a regular file"):
        os.mknod(m.path("aged/child"), stat.S_IFREG | 0o600)
    m.expect_newer(top, "mknod in the directory")


@mount_check(
    "posix.mknod.fifo-processes", op="MKNOD", level=OPTIONAL, source="catalogue 3.6.3; POSIX mkfifo",
    also=("RENAME", "UNLINK"), needs=("write", "fifo"), killers=("RENAME:fake", "UNLINK:fake"),
)
def fifo_processes(m: Mount) -> None:
    """A FIFO carries data between two processes, whatever is done to its name meanwhile."""
    path, moved = m.path("pipe"), m.path("moved")
    with m.setup("mkfifo"):
        os.mkfifo(path)

    def write() -> None:
        fd = os.open(path, os.O_WRONLY)
        os.write(fd, b"through")
        os.close(fd)

    reader = m.open(path, os.O_RDONLY | os.O_NONBLOCK)
    m.fork(write)
    os.rename(path, moved)
    m.expect_equal(b"through", os.read(reader, 100), "what came through, after a rename")
    m.expect_equal("fifo", linux.type_name(m.stat(moved).mode), "the type of the new name")
    other = m.open(moved, os.O_WRONLY | os.O_NONBLOCK)
    os.unlink(moved)
    os.write(other, b"still")
    m.expect_equal(b"still", os.read(reader, 100), "what came through, after unlink")
    m.expect(not os.path.lexists(moved), "no name after unlink", "it is still there")


@mount_check(
    "posix.mknod.open-socket", op="MKNOD", level=OPTIONAL, source="catalogue 3.6.3; POSIX open", also=("UNLINK",),
    needs=("write", "fifo"), killers=("MKNOD:errno=EIO,path=*sock", "UNLINK:fake"),
)
def open_socket(m: Mount) -> None:
    """A Unix socket cannot be opened like a file (ENXIO), stays when its process closes it, and can be removed."""
    path = m.path("sock")
    folder = m.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX) as server, m.optional(*DECLINED, errno.EINVAL, what="bind of a Unix socket"):
        server.bind(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    with m.raises(errno.ENXIO, what="open of a socket"):
        m.open(path, os.O_RDWR)
    m.expect_equal("socket", linux.type_name(os.lstat(path).st_mode), "the type after its process closed it")
    os.unlink(path)
    m.expect(not os.path.lexists(path), "no socket after unlink", "it is still there")


@mount_check(
    "posix.mknod.device-numbers", op="MKNOD", level=OPTIONAL, source="catalogue 3.6.1; man 3 makedev", quick=True,
    needs=("write", "root", "fifo"), killers=("MKNOD:attr.rdev=0x107,path=*.dev", "MKNOD:errno=EIO,path=*.dev"),
)
def device_numbers(m: Mount) -> None:
    """Block and character devices keep numbers beyond the 8 bits of old."""
    for number, kind in ((os.makedev(8, 300), stat.S_IFBLK), (os.makedev(259, 100_000), stat.S_IFCHR)):
        path = m.path(f"{number}.dev")
        with m.optional(*DECLINED, errno.EINVAL, what="mknod of a device"):
            os.mknod(path, kind | 0o600, number)
        got = m.stat(path)
        m.expect_equal(linux.type_name(kind), linux.type_name(got.mode), "the type")
        m.expect_equal((os.major(number), os.minor(number)), (os.major(got.rdev), os.minor(got.rdev)), "the number")
