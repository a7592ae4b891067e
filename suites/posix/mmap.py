"""Mapped files: what mmap shows and stores. Each runs in a child process: a failed page is a SIGBUS."""

from __future__ import annotations

import errno
import mmap
import os

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount

NO_MAP = (errno.ENODEV, errno.EACCES)


def _mapped(m: Mount, fd: int, size: int, what: str, **kind: int) -> mmap.mmap:
    """The whole file as a mapping. A file that is said to be smaller cannot be mapped: that is the finding."""
    m.expect_equal(size, os.fstat(fd).st_size, "the size of the file to map")
    with m.optional(*NO_MAP, what=what):
        return mmap.mmap(fd, size, **kind)


@mount_check(
    "posix.mmap.store", op="WRITE", source="catalogue 3.36 mmap; POSIX mmap", quick=True, also=("READ",),
    needs=("write",), killers=("WRITE:fake", "READ:errno=EIO"),
)
def store(m: Mount) -> None:
    """A store to a shared mapping is read by read(2) at once, and is in the file after msync."""
    path = m.file("mapped", bytes(5000))

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 5000, "a shared writable mapping")
        mapped[4090:4100] = b"0123456789"
        m.expect_equal(b"0123456789", os.pread(fd, 10, 4090), "by read right after the store")
        mapped.flush()
        m.expect_equal(b"0123456789", m.pread(fd, 10, 4090), "by read after msync")

    m.fork(work)
    m.expect_equal(bytes(4090) + b"0123456789" + bytes(900), m.read(path), "the content, opened anew")


@mount_check(
    "posix.mmap.sees-write", op="READ", source="catalogue 3.36 mmap", also=("WRITE",), needs=("write",),
    killers=("READ:flip", "READ:errno=EIO"),
)
def sees_write(m: Mount) -> None:
    """A mapping shows the file's data, and what write(2) changes in it."""
    path = m.file("mapped", b"x" * 5000)

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        mapped = _mapped(m, fd, 5000, "a shared mapping", prot=mmap.PROT_READ)
        m.expect_equal(b"x" * 5000, mapped[:5000], "the mapped data")
        os.pwrite(fd, b"changed", 4093)
        m.expect_equal(b"xxxchangedxxx", mapped[4090:4103], "the mapped data after a write")

    m.fork(work)


@mount_check(
    "posix.mmap.outlives-unlink", op="READ", source="catalogue 3.36 mmap; POSIX mmap", also=("UNLINK",),
    needs=("write",), killers=("READ:errno=EIO", "READ:flip"),
)
def outlives_unlink(m: Mount) -> None:
    """A mapping stays valid after its file was unlinked."""
    path = m.file("mapped", b"y" * 9000)

    def work() -> None:
        fd = os.open(path, os.O_RDONLY)
        mapped = _mapped(m, fd, 9000, "a mapping", prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)
        os.unlink(path)
        m.expect_equal(b"y" * 9000, mapped[:], "the mapped data")

    m.fork(work)


@mount_check(
    "posix.mmap.mtime", op="WRITE", source="catalogue 3.36 mmap, timestamps; POSIX msync", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.mtime=1000000000", "WRITE:errno=EIO,path=*aged,nth=2"),
)
def mtime(m: Mount) -> None:
    """A store to a shared mapping updates mtime by the time of msync."""
    path = m.file("aged", b"x" * 100)
    m.age(path)

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 100, "a shared writable mapping")
        mapped[0:1] = b"y"
        mapped.flush()

    m.fork(work)
    m.expect_newer(path, "a store to a mapping and msync")
