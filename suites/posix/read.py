"""READ: the right bytes, however they are asked for."""

from __future__ import annotations

import mmap
import os

from fsprobe.checks import SHOULD, Finding, Skip, mount_check
from fsprobe.checks.mount import Mount

PAGE = mmap.PAGESIZE


@mount_check(
    "posix.read.exact", op="READ", source="catalogue 3.14.1; POSIX read", main=True, quick=True, needs=("write",),
    killers=("READ:short", "READ:flip", "READ:errno=EIO", "READ:errno=ENOSYS"),
)
def exact(m: Mount) -> None:
    """A file of 4097 bytes is read whole, its last byte alone, and nothing beyond its end."""
    data = m.rng.randbytes(4097)
    fd = m.open(m.file("exact", data))
    m.expect_equal(data, m.pread(fd, 8192, 0), "8192 bytes from offset 0")
    m.expect_equal(data[4096:], m.pread(fd, 8192, 4096), "8192 bytes from offset 4096")
    m.expect_equal(b"", m.pread(fd, 100, 4097), "100 bytes from the end")
    m.expect_equal(b"", m.pread(fd, 100, 100_000), "100 bytes from far beyond the end")


@mount_check(
    "posix.read.random", op="READ", source="catalogue 3.14.1", also=("WRITE",), needs=("write",),
    killers=("READ:flip", "READ:short", "WRITE:flip"),
)
def random_reads(m: Mount) -> None:
    """Sixty reads at random offsets of a file of 300 KB give what was written there."""
    data = m.rng.randbytes(300_000)
    fd = m.open(m.file("random", data))
    for _ in range(60):
        offset, size = m.rng.randrange(300_000), m.rng.randrange(1, 20_000)
        m.expect_equal(data[offset : offset + size], m.pread(fd, size, offset), f"{size} bytes from offset {offset}")


@mount_check(
    "posix.read.every-way", op="READ", source="catalogue 3.14.2", needs=("write",),
    killers=("READ:flip", "READ:short", "GETATTR:attr.size=+1"),
)
def every_way(m: Mount) -> None:
    """read(2), readv, sendfile and O_DIRECT give the same bytes, and as many as stat says."""
    data = m.rng.randbytes(70_001)
    path = m.file("same", data)
    m.expect_equal(len(data), m.stat(path).size, "the size")
    m.expect_equal(data, m.read(path), "by read")
    fd = m.open(path)
    parts = [bytearray(33_333), bytearray(50_000)]
    count = os.preadv(fd, parts, 0)
    m.expect_equal(data[:count], b"".join(parts)[:count], "by preadv")
    copy = os.memfd_create("copy")
    with os.fdopen(copy, "rb") as file:
        while os.sendfile(copy, fd, None, 1 << 20):
            pass
        m.expect_equal(data, os.pread(copy, 1 << 20, 0), "by sendfile")
        file.flush()
    try:
        direct = m.open(path, os.O_RDONLY | os.O_DIRECT)
    except OSError:
        m.info("O_DIRECT is refused")
        return
    with mmap.mmap(-1, 1 << 17) as aligned:
        count = os.preadv(direct, [aligned], 0)
        m.expect_equal(data, aligned[:count], "by O_DIRECT")


@mount_check(
    "posix.read.holes", op="READ", source="catalogue 3.14.4; POSIX lseek", also=("WRITE",), needs=("write",),
    killers=("READ:flip", "WRITE:fake", "READ:errno=EIO"),
)
def holes(m: Mount) -> None:
    """Where nothing was ever written a file reads as zeros."""
    fd = m.open(m.path("holed"), os.O_CREAT | os.O_EXCL | os.O_RDWR)
    os.pwrite(fd, b"end", 100_000)
    m.expect_equal(bytes(100_000) + b"end", m.pread(fd, 200_000, 0), "the content")


@mount_check(
    "posix.read.beyond-4-gib", op="READ", source="catalogue 3.14.4, 3.15.3", also=("WRITE", "GETATTR"),
    needs=("write",), killers=("WRITE:flip", "GETATTR:attr.size=+1"), quick=True,
)
def beyond_4_gib(m: Mount) -> None:
    """Data written across 4 GiB is read back from there, and the size is exact; where files can be sparse."""
    fd = m.open(m.path("large"), os.O_CREAT | os.O_EXCL | os.O_RDWR)
    # A daemon that stores holes would really take the 4 GiB: so first see that a hole costs nothing.
    with m.setup():
        os.pwrite(fd, b"x", 8 << 20)
        os.fsync(fd)
        sparse = m.stat(fd).blocks * 512 < 4 << 20
    if not sparse:
        raise Skip("files are not sparse here, by st_blocks: 4 GiB would be written for real")
    offset = (1 << 32) - 4
    m.expect_equal(8, os.pwrite(fd, b"abcdefgh", offset), "bytes written")
    m.expect_equal(offset + 8, m.stat(fd).size, "the size")
    m.expect_equal(b"\0\0abcdefgh", m.pread(fd, 100, offset - 2), "the content around 4 GiB")
    m.expect_equal(bytes(8), m.pread(fd, 8, 1 << 31), "the content at 2 GiB")
    os.ftruncate(fd, 0)


@mount_check(
    "posix.read.fresh", op="READ", source="catalogue 3.14.7", quick=True, also=("WRITE",), needs=("write",),
    killers=("READ:stale", "WRITE:fake", "READ:flip"),
)
def fresh(m: Mount) -> None:
    """A descriptor opened before another one's write reads the new data."""
    path = m.file("fresh", b"old old")
    reader = m.open(path)
    m.expect_equal(b"old old", m.pread(reader, 100, 0), "the content before")
    writer = m.open(path, os.O_WRONLY)
    os.pwrite(writer, b"new data", 0)
    m.expect_equal(b"new data", os.pread(reader, 100, 0), "the content after a write")
    m.expect_equal(b"new data", m.pread(reader, 100, 0), "the content after a write, past the cache")


@mount_check(
    "posix.read.atime", op="READ", level=SHOULD, source="catalogue 3.14.6; POSIX read", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.atime=1000000000", "READ:errno=EIO"),
)
def atime(m: Mount) -> None:
    """The first read after a change updates atime, unless mounted noatime."""
    path = m.file("read", b"data")
    if os.statvfs(path).f_flag & os.ST_NOATIME:
        raise Skip("mounted noatime")
    m.age(path)
    old = m.stat(path).atime_ns
    m.read(path)
    if m.stat(path).atime_ns < old + 10**9:  # the present is decades later
        raise Finding("a newer atime after read", "the old atime")
