"""LSEEK: data and holes."""

from __future__ import annotations

import errno
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
