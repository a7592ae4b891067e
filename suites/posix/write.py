"""WRITE: all of it, in the right place, seen at once."""

from __future__ import annotations

import os

from fsprobe.checks import SHOULD, Skip, mount_check
from fsprobe.checks.mount import Mount

EDGES = (0, 1, 4095, 4096, 4097, 131_071, 131_072, 131_073)


@mount_check(
    "posix.write.stores", op="WRITE", source="catalogue 3.15.1; POSIX write", main=True, quick=True, also=("READ",),
    needs=("write",), killers=("WRITE:fake", "WRITE:short", "WRITE:flip", "WRITE:errno=EIO", "WRITE:errno=ENOSYS"),
)
def stores(m: Mount) -> None:
    """write takes all bytes given, and they are read back through another descriptor."""
    data = m.rng.randbytes(10_000)
    path = m.path("written")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    m.expect_equal(10_000, os.write(fd, data), "bytes written")
    m.expect_equal(10_000, m.stat(path).size, "the size")
    m.expect_equal(data, m.read(path), "the content")


@mount_check(
    "posix.write.unaligned", op="WRITE", source="catalogue 3.15.6", also=("READ",), needs=("write",),
    killers=("WRITE:flip", "WRITE:fake,nth=9", "READ:flip"),
)
def unaligned(m: Mount) -> None:
    """Overwriting across the borders of pages and of requests changes those bytes and no others."""
    shadow = bytearray(m.rng.randbytes(140_000))
    fd = m.open(m.file("overwritten", bytes(shadow)), os.O_RDWR)
    for edge in EDGES:
        offset, data = max(0, edge - 3), m.rng.randbytes(7)
        os.pwrite(fd, data, offset)
        shadow[offset : offset + 7] = data
    m.expect_equal(bytes(shadow), m.pread(fd, 200_000, 0), "the content")


@mount_check(
    "posix.write.mtime", op="WRITE", source="catalogue 3.15.2; POSIX write", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.mtime=1000000000", "WRITE:errno=EIO,path=*aged"),
)
def mtime(m: Mount) -> None:
    """write updates mtime."""
    path = m.file("aged")
    m.age(path)
    fd = m.open(path, os.O_WRONLY)
    os.write(fd, b"data")
    m.expect_newer(path, "write")


@mount_check(
    "posix.write.mtime-after-close", op="WRITE", source="catalogue 3.15.2, 3.36 timestamps", also=("FLUSH", "RELEASE"),
    needs=("write",), killers=("GETATTR:attr.mtime=+7", "SETATTR:errno=EIO,path=*stamped"),
)
def mtime_after_close(m: Mount) -> None:
    """A time set through the descriptor after writing, as cp -p and tar do, stays after close."""
    path = m.path("stamped")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, b"data")
    os.utime(fd, ns=(1_000_000_000 * 10**9, 1_000_000_000 * 10**9))
    m.close(fd)
    m.expect_same_mtime(path, "close")


@mount_check(
    "posix.write.sparse", op="WRITE", source="catalogue 3.15.3; POSIX lseek", also=("GETATTR",), needs=("write",),
    killers=("WRITE:fake", "GETATTR:attr.size=+1"),
)
def sparse(m: Mount) -> None:
    """A write far beyond the end gives the exact size and leaves zeros between."""
    path = m.file("sparse", b"start")
    fd = m.open(path, os.O_RDWR)
    os.pwrite(fd, b"end", 1 << 20)
    m.expect_equal((1 << 20) + 3, m.stat(path).size, "the size")
    m.expect_equal(b"start" + bytes(100), m.pread(fd, 105, 0), "the content at the start")
    m.expect_equal(bytes(8) + b"end", m.pread(fd, 100, (1 << 20) - 8), "the content at the end")


@mount_check(
    "posix.write.other-process", op="WRITE", source="catalogue 3.15.4", also=("READ",), needs=("write",),
    killers=("WRITE:fake", "READ:flip"),
)
def other_process(m: Mount) -> None:
    """What one process wrote another reads at once, before the file is closed."""
    path = m.path("shared")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, b"from the first")
    m.expect_equal(b"from the first", m.fork(lambda: m.read(path)), "the content in another process")


@mount_check(
    "posix.write.clears-setuid", op="WRITE", level=SHOULD, source="catalogue 3.15.7; man 7 inode", also=("SETATTR",),
    needs=("write",), killers=("GETATTR:attr.mode=0o106777,path=*program", "WRITE:errno=EPERM"),
)
def clears_setuid(m: Mount) -> None:
    """A write by an ordinary user clears set-user-ID and set-group-ID of an executable file."""
    path = m.path("program")

    def work() -> int:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o777)
        with m.setup("fchmod"):
            os.fchmod(fd, 0o6777)
        if m.stat(path).permissions != 0o6777:
            raise Skip("set-user-ID and set-group-ID are not kept here")
        os.write(fd, b"data")
        os.close(fd)
        return m.stat(path).permissions

    if os.geteuid() == 0:
        m.need("allow_other")
        with m.setup():
            os.chmod(m.dir, 0o777)
    mode = m.fork(work, uid=65534) if os.geteuid() == 0 else work()
    m.expect_equal(0o777, mode, "the mode after the write", show=oct)
