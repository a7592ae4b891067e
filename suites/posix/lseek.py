"""LSEEK: data and holes."""

from __future__ import annotations

import errno
import functools
import os

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount

MIB = 1 << 20


@mount_check(
    "posix.lseek.data-and-holes", op="LSEEK", source="catalogue 3.31.2; man 2 lseek", main=True, quick=True,
    also=("READ",), needs=("write",), killers=("LSEEK:errno=EIO", "LSEEK:fake"),
)
def data_and_holes(m: Mount) -> None:
    """SEEK_DATA and SEEK_HOLE tell where data is; "all of it is data" is an honest answer too."""
    fd = m.open(m.path("holed"), os.O_CREAT | os.O_EXCL | os.O_RDWR)
    with m.setup():
        os.pwrite(fd, b"d" * 65536, MIB)
        os.ftruncate(fd, 4 * MIB)
    with m.optional(errno.EINVAL, errno.EOPNOTSUPP, what="SEEK_DATA"):
        data = os.lseek(fd, 0, os.SEEK_DATA)
    if data == 0:
        m.info("SEEK_DATA: files have no holes")
        m.expect_equal(4 * MIB, os.lseek(fd, 0, os.SEEK_HOLE), "SEEK_HOLE at the end of a file without holes")
    else:
        m.expect(0 < data <= MIB, f"SEEK_DATA from 0 at or before {MIB}", str(data))
        hole = os.lseek(fd, data, os.SEEK_HOLE)
        m.expect(MIB + 65536 <= hole < 4 * MIB, f"SEEK_HOLE from {MIB + 65536} on", str(hole))
        m.expect_equal(0, os.lseek(fd, 0, os.SEEK_HOLE), "SEEK_HOLE from 0")
        with m.raises(errno.ENXIO, what="SEEK_DATA in the hole at the end"):
            os.lseek(fd, hole, os.SEEK_DATA)
    for whence, name in ((os.SEEK_DATA, "SEEK_DATA"), (os.SEEK_HOLE, "SEEK_HOLE")):
        with m.raises(errno.ENXIO, what=f"{name} at the end"):
            os.lseek(fd, 4 * MIB, whence)


@mount_check(
    "posix.lseek.end", op="LSEEK", source="catalogue 3.31.1; POSIX lseek", also=("WRITE", "GETATTR"),
    needs=("write",), killers=("WRITE:short", "WRITE:fake", "WRITE:errno=EIO"),
)
def end(m: Mount) -> None:
    """SEEK_END sees what another descriptor appended."""
    path = m.file("grown")
    fd = m.open(path)
    m.expect_equal(0, os.lseek(fd, 0, os.SEEK_END), "the end of an empty file")
    writer = m.open(path, os.O_WRONLY | os.O_APPEND)
    m.expect_equal(10, os.write(writer, b"0123456789"), "bytes written")
    m.expect_equal(10, os.lseek(fd, 0, os.SEEK_END), "the end after another descriptor wrote")
    m.expect_equal(10, m.stat(path).size, "the size")
    m.expect_equal(b"0123456789", m.read(path), "the content")


@mount_check(
    "posix.lseek.dense", op="LSEEK", source="catalogue 3.31.2; man 2 lseek", needs=("write",),
    killers=("LSEEK:errno=EIO", "LSEEK:fake"),
)
def dense(m: Mount) -> None:
    """In a file full of data, data is where one looks, and the first hole is its end."""
    fd = m.open(m.file("full", m.rng.randbytes(100_000)))
    with m.optional(errno.EINVAL, errno.EOPNOTSUPP, what="SEEK_DATA"):
        os.lseek(fd, 0, os.SEEK_DATA)
    for at in (0, 1, 4096, 70_001, 99_999):
        m.expect_equal(at, os.lseek(fd, at, os.SEEK_DATA), f"SEEK_DATA from {at}")
        m.expect_equal(100_000, os.lseek(fd, at, os.SEEK_HOLE), f"SEEK_HOLE from {at}")


@mount_check(
    "posix.lseek.walk", op="LSEEK", source="catalogue 3.31.3; man 2 lseek; cp --sparse, tar -S", also=("READ",),
    needs=("write",), killers=("LSEEK:errno=EIO", "LSEEK:fake", "READ:flip"),
)
def walk(m: Mount) -> None:
    """A copy that takes only what SEEK_DATA and SEEK_HOLE show, as cp and tar make it, is equal to the file."""
    path = m.path("holed")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    with m.setup():
        for at in (0, MIB, MIB + 200_000, 3 * MIB):
            os.pwrite(fd, m.rng.randbytes(70_000), at)
        os.ftruncate(fd, 4 * MIB)
        os.fsync(fd)
    copy, at = bytearray(4 * MIB), 0
    for _ in range(1_000):
        try:
            with m.optional(errno.EINVAL, errno.EOPNOTSUPP, what="SEEK_DATA"):
                data = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            break
        hole = os.lseek(fd, data, os.SEEK_HOLE)
        m.expect(at <= data < hole <= 4 * MIB, f"data at or after {at}, and a hole after it", f"{data} and {hole}")
        copy[data:hole] = m.pread(fd, hole - data, data)
        at = hole
        if at >= 4 * MIB:
            break
    else:
        m.expect(False, "the end after 1,000 pieces", f"offset {at}")
    m.expect(bytes(copy) == m.read(path), "a copy equal to the file", "another one")


@mount_check(
    "posix.lseek.behind-the-end", op="LSEEK", source="catalogue 3.31.1; POSIX lseek", also=("WRITE", "GETATTR"),
    needs=("write",), killers=("WRITE:fake", "GETATTR:attr.size=+1", "READ:flip"),
)
def behind_the_end(m: Mount) -> None:
    """Seeking behind the end leaves the file as it is, a read there gives nothing, and a write grows it."""
    path = m.file("file", b"0123")
    fd = m.open(path, os.O_RDWR)
    m.expect_equal(1_000, os.lseek(fd, 1_000, os.SEEK_SET), "the position")
    m.expect_equal(4, m.stat(path).size, "the size after seeking")
    m.expect_equal(b"", os.read(fd, 10), "what is read there")
    m.expect_equal(1_000, os.lseek(fd, 0, os.SEEK_CUR), "the position after reading nothing")
    os.write(fd, b"end")
    m.expect_equal(b"0123" + bytes(996) + b"end", m.read(path), "the content after a write")


@mount_check(
    "posix.lseek.end-after-cut", op="LSEEK", source="catalogue 3.31.1; POSIX lseek", also=("SETATTR", "GETATTR"),
    needs=("write",), killers=("SETATTR:fake", "OPEN:errno=EIO,path=*file"),
)
def end_after_cut(m: Mount) -> None:
    """SEEK_END sees that another process cut the file, or made it longer."""
    path = m.file("file", b"x" * 1_000)
    fd = m.open(path)
    m.expect_equal(1_000, os.lseek(fd, 0, os.SEEK_END), "the end")
    for size in (100, 5_000, 0):
        with m.setup("truncate"):
            m.fork(functools.partial(os.truncate, path, size))
        m.expect_equal(size, os.lseek(fd, 0, os.SEEK_END), f"the end after truncate to {size}")


@mount_check(
    "posix.lseek.refused", op="LSEEK", source="catalogue 3.31.3; POSIX lseek", also=("OPEN",), needs=("write",),
    killers=("OPEN:errno=EIO,path=*file", "READ:flip"),
)
def refused(m: Mount) -> None:
    """An offset before the start and an unknown whence are refused, and the position stays."""
    fd = m.open(m.file("file", b"0123456789"))
    os.lseek(fd, 4, os.SEEK_SET)
    for offset, whence in ((-1, os.SEEK_SET), (-5, os.SEEK_CUR), (-11, os.SEEK_END), (0, 99)):
        with m.raises(errno.EINVAL, what=f"lseek to {offset} from {whence}"):
            os.lseek(fd, offset, whence)
    m.expect_equal(b"456789", os.read(fd, 100), "what is read from the position")
