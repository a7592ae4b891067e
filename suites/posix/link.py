"""LINK: hard links."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


@mount_check(
    "posix.link.adds-name", op="LINK", source="catalogue 3.12.1; POSIX link", main=True, quick=True, needs=("write",),
    killers=("LINK:errno=EIO", "GETATTR:attr.nlink=1"),
)
def adds_name(m: Mount) -> None:
    """link gives a file a second name: two links, and one inode number."""
    path, other = m.file("first", b"data"), m.path("second")
    with m.optional(*DECLINED, what="link"):
        os.link(path, other)
    m.expect_equal(b"data", m.read(other), "the content under the new name")
    for name in (path, other):
        m.expect_equal(2, m.stat(name).nlink, f"the links of the {os.path.basename(name)} name")
    m.expect_equal(m.stat(path).ino, m.stat(other).ino, "one inode number", warn=True)


@mount_check(
    "posix.link.shares-data", op="LINK", source="catalogue 3.12.1; POSIX link", also=("WRITE", "READ"),
    needs=("write", "hardlink"), killers=("WRITE:fake", "READ:flip", "GETATTR:attr.size=4,path=*second"),
)
def shares_data(m: Mount) -> None:
    """What is written through one name is read through the other at once, and the size with it."""
    path = m.file("first", b"data")
    other = m.hard_link(path, "second")
    m.expect_equal(4, os.stat(other).st_size, "the size by the second name")
    fd = m.open(path, os.O_WRONLY)
    os.write(fd, b"longer data")
    m.close(fd)
    m.expect_equal(11, m.stat(other).size, "the size by the second name after a write to the first")
    m.expect_equal(11, os.stat(other).st_size, "the size by the second name, through the kernel's cache")
    m.expect_equal(b"longer data", m.read(other), "the content by the second name")


@mount_check(
    "posix.link.keeps-mtime", op="LINK", source="catalogue 3.12.1; POSIX link", needs=("write", "hardlink"), quick=True,
    killers=("GETATTR:attr.mtime=+7,path=*second", "LINK:errno=EIO,path=*second"),
)
def keeps_mtime(m: Mount) -> None:
    """link leaves the file's mtime alone and updates that of the directory."""
    top = m.subdir("aged")
    path = m.file("first")
    m.age(path)
    m.age(top)
    os.link(path, m.path("aged/second"))
    m.expect_same_mtime(m.path("aged/second"), "link")
    m.expect_newer(top, "link in the directory")


@mount_check(
    "posix.link.of-symlink", op="LINK", source="catalogue 3.12.2; man 2 link", needs=("write", "hardlink", "symlink"),
    killers=("LINK:errno=EIO,path=*second", "READLINK:flip"), quick=True,
)
def of_symlink(m: Mount) -> None:
    """link(2) of a symbolic link makes a second name of the link itself."""
    path, other = m.link_to("nowhere", "first"), m.path("second")
    with m.optional(*DECLINED, what="link of a symbolic link"):
        linux.linkat(path, other, 0)
    m.expect_equal("nowhere", os.readlink(other), "the target of the second link")
