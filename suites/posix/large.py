"""Large offsets, deep trees, and many names: where counters and buffers of a daemon end."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import Skip, mount_check
from fsprobe.checks.mount import Mount

MIB, GIB = 1 << 20, 1 << 30


def need_sparse(m: Mount, fd: int) -> None:
    """Skip where a hole would be stored: gigabytes would be written, or held in memory, for real. Both the blocks of
    data and those of a hole have to be told right, or nothing is known."""
    with m.setup():
        os.pwrite(fd, b"x" * MIB, 0)
        os.fsync(fd)
        dense = m.stat(fd).blocks * 512
        os.pwrite(fd, b"x", 9 * MIB)
        os.fsync(fd)
        sparse = m.stat(fd).blocks * 512
        os.ftruncate(fd, 0)
    if dense < MIB // 2 or sparse > 5 * MIB:
        raise Skip("files are not sparse here, by st_blocks: gigabytes would be written for real")


@mount_check(
    "posix.large.borders", op="WRITE", source="catalogue 3.15.3, 3.36 large", also=("READ", "GETATTR"),
    needs=("write",), extreme=True, killers=("WRITE:flip", "GETATTR:attr.size=+1", "READ:flip"),
)
def borders(m: Mount) -> None:
    """Data written across 2, 4 and 8 GiB is read back from there, in the order of no other, and the size is exact."""
    fd = m.open(m.path("large"), os.O_CREAT | os.O_EXCL | os.O_RDWR)
    need_sparse(m, fd)
    try:
        for border in (8 * GIB, 4 * GIB, 2 * GIB):
            with m.optional(errno.EFBIG, errno.ENOSPC, errno.EDQUOT, what=f"a file of {border} bytes"):
                m.expect_equal(10, os.pwrite(fd, b"%010d" % (border >> 28), border - 5), "bytes written")
            m.expect_equal(8 * GIB + 5, m.stat(fd).size, "the size")
        for border in (2 * GIB, 4 * GIB, 8 * GIB):
            found = m.pread(fd, 14, border - 7)
            expected = b"\0\0%010d" % (border >> 28) + (b"" if border == 8 * GIB else b"\0\0")
            m.expect_equal(expected, found, f"the content around {border >> 30} GiB")
        m.expect_equal(bytes(8), m.pread(fd, 8, 5 * GIB), "the content at 5 GiB, where nothing was written")
    finally:
        os.ftruncate(fd, 0)


@mount_check(
    "posix.large.cut", op="SETATTR", source="catalogue 3.4.9, 3.36 large", also=("WRITE", "READ", "GETATTR"),
    needs=("write",), extreme=True, killers=("SETATTR:fake", "GETATTR:attr.size=+1", "SETATTR:errno=EIO,nth=2"),
    quick=True,
)
def cut(m: Mount) -> None:
    """A file of 6 GiB cut to a little more than 4 GiB has that size, its data before, and none behind after growing."""
    fd = m.open(m.path("large"), os.O_CREAT | os.O_EXCL | os.O_RDWR)
    need_sparse(m, fd)
    try:
        with m.optional(errno.EFBIG, errno.ENOSPC, errno.EDQUOT, what="a file of 6 GiB"):
            os.ftruncate(fd, 6 * GIB)
        m.expect_equal(6 * GIB, m.stat(fd).size, "the size")
        os.pwrite(fd, b"before|behind", 4 * GIB + 93)
        os.ftruncate(fd, 4 * GIB + 100)
        m.expect_equal(4 * GIB + 100, m.stat(fd).size, "the size after the cut")
        m.expect_equal(4 * GIB + 100, os.lseek(fd, 0, os.SEEK_END), "the end after the cut")
        os.ftruncate(fd, 5 * GIB)
        m.expect_equal(b"before|" + bytes(20), m.pread(fd, 27, 4 * GIB + 93), "the content around the cut")
    finally:
        os.ftruncate(fd, 0)


@mount_check(
    "posix.large.deep-tree", op="LOOKUP", source="catalogue 3.36 large", also=("MKDIR", "READ"), needs=("write",),
    killers=("MKDIR:errno=EIO,path=*/d40", "LOOKUP:errno=EIO,path=*/d40", "READ:flip"),
)
def deep_tree(m: Mount) -> None:
    """A file 50 directories deep is written there and read by its path."""
    top = m.subdir("top")
    here, place = top, m.open(top, os.O_RDONLY | os.O_DIRECTORY)
    for level in range(50):  # step by step: by its path each would cost as many look-ups as it is deep
        os.mkdir(f"d{level}", dir_fd=place)
        place = m.open(f"d{level}", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place)
        here = f"{here}/d{level}"
    fd = m.open("file", os.O_CREAT | os.O_EXCL | os.O_WRONLY, dir_fd=place)
    os.write(fd, b"deep down")
    m.close(fd)
    m.expect_equal(b"deep down", m.read(f"{here}/file"), "the content")
    m.expect_equal([b"file"], m.names(here), "the entries of the deepest directory")


@mount_check(
    "posix.large.many-attributes", op="GETATTR", source="catalogue 3.36 large", also=("CREATE", "READDIR", "LOOKUP"),
    needs=("write",), killers=("GETATTR:attr.size=+1", "*:entries=lose", "WRITE:fake"),
)
def many_attributes(m: Mount) -> None:
    """A hundred files of as many sizes keep theirs, asked for in another order, and one number each."""
    top = m.subdir("many")
    sizes = {f"{number:03}": number for number in range(100)}
    for name, size in sizes.items():
        m.file(f"many/{name}", b"x" * size)
    order = list(sizes)
    m.rng.shuffle(order)
    got = {name: m.stat(f"{top}/{name}") for name in order}
    m.expect_equal(sizes, {name: got[name].size for name in sizes}, "the sizes", show=lambda s: str(sum(s.values())))
    m.expect_equal(100, len({status.ino for status in got.values()}), "numbers", warn=True)
    m.expect_equal(100, len(m.names(top)), "entries")
