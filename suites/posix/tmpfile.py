"""TMPFILE: files without a name."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import OPTIONAL, linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EISDIR)


@mount_check(
    "posix.tmpfile.nameless", op="TMPFILE", level=OPTIONAL, source="catalogue 3.33.1; man 2 open", main=True,
    quick=True, also=("WRITE", "READ"), needs=("write",), killers=("TMPFILE:errno=EIO", "TMPFILE:attr.mode=0o40755"),
)
def nameless(m: Mount) -> None:
    """O_TMPFILE opens a file that is not listed, has no links, and can be written and read."""
    top = os.path.dirname(m.path("nothing"))
    before = m.names(top)
    with m.optional(*DECLINED, what="O_TMPFILE"):
        fd = m.open(top, linux.O_TMPFILE | os.O_RDWR, 0o600)
    m.expect_equal(before, m.names(top), "the names listed")
    m.expect_equal(0, m.stat(fd).nlink, "the links")
    os.write(fd, b"data")
    m.expect_equal(b"data", m.pread(fd, 100, 0), "the content")


@mount_check(
    "posix.tmpfile.named-later", op="TMPFILE", level=OPTIONAL, source="catalogue 3.33.1; man 2 open", also=("LINK",),
    needs=("write",), killers=("LINK:errno=EIO,path=*named", "TMPFILE:errno=EIO"),
)
def named_later(m: Mount) -> None:
    """A file opened with O_TMPFILE can be given a name by linkat, and is then listed with one link."""
    path = m.path("named")
    top = os.path.dirname(path)
    with m.optional(*DECLINED, what="O_TMPFILE"):
        fd = m.open(top, linux.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"data")
    linux.linkat(f"/proc/self/fd/{fd}", path, linux.AT_SYMLINK_FOLLOW)
    m.expect(m.listed(path), "the new name to be listed", "it is not")
    m.expect_equal(1, m.stat(path).nlink, "the links")
    m.expect_equal(b"data", m.read(path), "the content")


@mount_check(
    "posix.tmpfile.never-named", op="TMPFILE", level=OPTIONAL, source="catalogue 3.33.1; man 2 open", also=("LINK",),
    needs=("write",), killers=("TMPFILE:errno=EIO", "TMPFILE:attr.mode=0o40755"),
)
def never_named(m: Mount) -> None:
    """A file opened with O_TMPFILE|O_EXCL cannot be given a name: ENOENT."""
    path = m.path("named")
    with m.optional(*DECLINED, what="O_TMPFILE"):
        fd = m.open(os.path.dirname(path), linux.O_TMPFILE | os.O_EXCL | os.O_RDWR, 0o600)
    with m.raises(errno.ENOENT, what="linkat of a file opened with O_TMPFILE|O_EXCL"):
        linux.linkat(f"/proc/self/fd/{fd}", path, linux.AT_SYMLINK_FOLLOW)
    m.expect(not m.listed(path), "no such name", "it is listed")


@mount_check(
    "posix.tmpfile.gone", op="TMPFILE", level=OPTIONAL, source="catalogue 3.33.2; man 2 open",
    also=("RELEASE", "RMDIR"), needs=("write",), killers=("TMPFILE:errno=EIO", "RMDIR:errno=ENOTEMPTY"),
)
def gone(m: Mount) -> None:
    """A file opened with O_TMPFILE does not keep its directory from being removed, before or after it was closed."""
    for name, early in (("one", False), ("two", True)):
        top = m.subdir(name)
        with m.optional(*DECLINED, what="O_TMPFILE"):
            fd = m.open(top, linux.O_TMPFILE | os.O_RDWR, 0o600)
        os.write(fd, b"data")
        if early:
            m.close(fd)
        os.rmdir(top)
        if not early:
            m.expect_equal(b"data", m.pread(fd, 10, 0), "the content after the directory was removed")


@mount_check(
    "posix.tmpfile.attributes", op="TMPFILE", level=OPTIONAL, source="catalogue 3.33.1; man 2 open",
    also=("GETATTR", "SETATTR"), needs=("write",),
    killers=("TMPFILE:errno=EIO", "GETATTR:attr.mode=0o100666", "SETATTR:fake"),
)
def attributes(m: Mount) -> None:
    """A file opened with O_TMPFILE has the mode asked for, less the umask, and can be changed and cut."""
    os.umask(0o027)
    with m.optional(*DECLINED, what="O_TMPFILE"):
        fd = m.open(os.path.dirname(m.path("nothing")), linux.O_TMPFILE | os.O_RDWR, 0o666)
    m.expect_equal(0o640, m.stat(fd).permissions, "0o666 with umask 027", show=oct)
    os.fchmod(fd, 0o600)
    m.expect_equal(0o600, m.stat(fd).permissions, "the mode after fchmod", show=oct)
    os.write(fd, b"0123456789")
    os.ftruncate(fd, 4)
    m.expect_equal(b"0123", m.pread(fd, 100, 0), "the content after a cut")


@mount_check(
    "posix.tmpfile.two", op="TMPFILE", level=OPTIONAL, source="catalogue 3.33.1; man 2 open",
    also=("READ", "WRITE", "LINK"), needs=("write",), killers=("TMPFILE:errno=EIO", "WRITE:fake", "READ:flip"),
)
def two(m: Mount) -> None:
    """Two files opened with O_TMPFILE in one directory are two, and take a name each."""
    top = m.subdir("folder")
    fds = []
    for data in (b"first", b"second"):
        with m.optional(*DECLINED, what="O_TMPFILE"):
            fds.append(m.open(top, linux.O_TMPFILE | os.O_RDWR, 0o600))
        os.write(fds[-1], data)
    one, other = (m.stat(fd).ino for fd in fds)
    m.expect(one != other, "two numbers", f"{one} twice")
    for fd, name in zip(fds, ("one", "two"), strict=True):
        linux.linkat(f"/proc/self/fd/{fd}", f"{top}/{name}", linux.AT_SYMLINK_FOLLOW)
    m.expect_equal([b"one", b"two"], m.names(top), "the names listed")
    m.expect_equal(b"first", m.read(f"{top}/one"), "the content of the first")
    m.expect_equal(b"second", m.read(f"{top}/two"), "the content of the second")
