"""SETATTR: truncate."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import Finding, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.setattr.truncate-zeros", op="SETATTR", source="catalogue 3.4.9; POSIX ftruncate", quick=True,
    also=("READ",), needs=("write",), killers=("SETATTR:fake", "SETATTR:errno=ENOSYS", "READ:flip"),
)
def truncate_zeros(m: Mount) -> None:
    """A file cut to 3 bytes and grown to 6 again holds zeros, not its old data."""
    path = m.file("cut", b"abcdef")
    os.truncate(path, 3)
    m.expect_equal(3, m.stat(path).size, "the size after shrinking")
    os.truncate(path, 6)
    m.expect_equal(6, m.stat(path).size, "the size after growing")
    m.expect_equal(b"abc\0\0\0", m.read(path), "the content")


@mount_check(
    "posix.setattr.truncate-grows", op="SETATTR", source="catalogue 3.4.10; POSIX ftruncate", also=("READ",),
    needs=("write",), killers=("SETATTR:fake", "GETATTR:attr.size=+1", "READ:flip"),
)
def truncate_grows(m: Mount) -> None:
    """ftruncate beyond the end gives the exact size, and zeros after the data."""
    fd = m.open(m.file("grown", b"abc"), os.O_RDWR)
    os.ftruncate(fd, 10_000)
    m.expect_equal(10_000, m.stat(fd).size, "the size")
    m.expect_equal(b"abc" + bytes(9_997), m.pread(fd, 20_000, 0), "the content")


@mount_check(
    "posix.setattr.ftruncate-by-handle", op="SETATTR", source="catalogue 3.4.10", also=("CREATE",), needs=("write",),
    killers=("SETATTR:errno=EACCES", "SETATTR:fake"),
)
def ftruncate_by_handle(m: Mount) -> None:
    """ftruncate works on a writable descriptor of a file whose mode is 0444."""
    path = m.path("read-only-mode")
    with m.setup():
        fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o444)
        os.write(fd, b"abcdef")
    os.ftruncate(fd, 2)
    m.expect_equal(2, m.stat(fd).size, "the size")


@mount_check(
    "posix.setattr.truncate-mtime", op="SETATTR", source="catalogue 3.4.11; POSIX ftruncate", needs=("write",),
    killers=("GETATTR:attr.mtime=1000000000", "SETATTR:errno=EIO,path=*aged,nth=2"), quick=True,
)
def truncate_mtime(m: Mount) -> None:
    """truncate to another size updates mtime."""
    path = m.file("aged", b"abcdef")
    m.age(path)
    os.truncate(path, 3)
    m.expect_newer(path, "truncate")


@mount_check(
    "posix.setattr.truncate-huge", op="SETATTR", source="catalogue 3.4.12; POSIX truncate", needs=("write",),
    extreme=True, killers=("SETATTR:crash", "SETATTR:errno=EIO", "vexfs:crash-on-truncate"), quick=True,
)
def truncate_huge(m: Mount) -> None:
    """truncate to 2^63-1 bytes is granted or refused as too big, and the file system lives on."""
    path = m.file("huge", b"abc")
    try:
        os.truncate(path, 2**63 - 1)
    except OSError as error:
        name = linux.errno_name(error.errno or 0)
        if error.errno not in (errno.EFBIG, errno.EINVAL, errno.ENOSPC, errno.EDQUOT):
            raise Finding("success or EFBIG from truncate to 2^63-1", name) from error
        m.info(f"truncate to 2^63-1: {name}")
    os.truncate(path, 3)
    m.expect_equal(b"abc", m.read(path), "the content afterwards")
