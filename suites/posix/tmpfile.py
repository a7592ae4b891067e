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
