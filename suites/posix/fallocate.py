"""FALLOCATE: reserving, punching and zeroing ranges, where a file system can."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import OPTIONAL, SHOULD, linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EOPNOTSUPP, errno.ENOSYS)
DATA = b"a" * 4096 + b"b" * 4096 + b"c" * 4096


@mount_check(
    "posix.fallocate.grows", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.1; man 2 fallocate", main=True,
    quick=True, also=("READ",), needs=("write",), killers=("FALLOCATE:fake", "FALLOCATE:errno=EIO"),
)
def grows(m: Mount) -> None:
    """fallocate beyond the end makes the file that long, with zeros, and keeps its data."""
    path = m.file("file", b"data")
    fd = m.open(path, os.O_RDWR)
    with m.optional(*DECLINED, what="fallocate"):
        linux.fallocate(fd, 0, 0, 10_000)
    m.expect_equal(10_000, m.stat(path).size, "the size")
    m.expect_equal(b"data" + bytes(9_996), m.read(path), "the content")


@mount_check(
    "posix.fallocate.keep-size", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.1; man 2 fallocate",
    needs=("write",), killers=("FALLOCATE:errno=EIO", "GETATTR:attr.size=+1"),
)
def keep_size(m: Mount) -> None:
    """FALLOC_FL_KEEP_SIZE leaves the size as it is."""
    path = m.file("file", b"data")
    fd = m.open(path, os.O_RDWR)
    with m.optional(*DECLINED, what="FALLOC_FL_KEEP_SIZE"):
        linux.fallocate(fd, linux.FALLOC_KEEP_SIZE, 0, 10_000)
    m.expect_equal(4, m.stat(path).size, "the size")
    m.expect_equal(b"data", m.read(path), "the content")


@mount_check(
    "posix.fallocate.punch-hole", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.1; man 2 fallocate",
    also=("READ",), needs=("write",), killers=("FALLOCATE:fake", "FALLOCATE:errno=EIO"),
)
def punch_hole(m: Mount) -> None:
    """FALLOC_FL_PUNCH_HOLE zeroes that range, leaves its neighbours, and keeps the size."""
    path = m.file("file", DATA)
    fd = m.open(path, os.O_RDWR)
    with m.optional(*DECLINED, what="FALLOC_FL_PUNCH_HOLE"):
        linux.fallocate(fd, linux.FALLOC_PUNCH_HOLE | linux.FALLOC_KEEP_SIZE, 4000, 5000)
    m.expect_equal(DATA[:4000] + bytes(5000) + DATA[9000:], m.read(path), "the content")
    m.expect_equal(len(DATA), m.stat(path).size, "the size")


@mount_check(
    "posix.fallocate.zero-range", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.1; man 2 fallocate",
    needs=("write",), killers=("FALLOCATE:fake", "FALLOCATE:errno=EIO"),
)
def zero_range(m: Mount) -> None:
    """FALLOC_FL_ZERO_RANGE zeroes that range and nothing beside it."""
    path = m.file("file", DATA)
    fd = m.open(path, os.O_RDWR)
    with m.optional(*DECLINED, what="FALLOC_FL_ZERO_RANGE"):
        linux.fallocate(fd, linux.FALLOC_ZERO_RANGE, 4000, 5000)
    m.expect_equal(DATA[:4000] + bytes(5000) + DATA[9000:], m.read(path), "the content")


@mount_check(
    "posix.fallocate.inside", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.1; man 2 fallocate",
    also=("READ",), needs=("write",), killers=("FALLOCATE:errno=EIO", "READ:flip", "GETATTR:attr.size=+1"), quick=True,
)
def inside(m: Mount) -> None:
    """fallocate of a range that has data, or of a hole, changes neither content nor size."""
    path = m.file("file", DATA)
    fd = m.open(path, os.O_RDWR)
    with m.setup():
        os.ftruncate(fd, 100_000)
    with m.optional(*DECLINED, what="fallocate"):
        linux.fallocate(fd, 0, 1000, 5000)
    linux.fallocate(fd, 0, 50_000, 10_000)
    m.expect_equal(100_000, m.stat(path).size, "the size")
    m.expect_equal(DATA + bytes(100_000 - len(DATA)), m.read(path), "the content")


@mount_check(
    "posix.fallocate.punch-at-end", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.1; man 2 fallocate",
    also=("READ",), needs=("write",), killers=("FALLOCATE:fake", "FALLOCATE:errno=EIO", "GETATTR:attr.size=+1"),
    quick=True,
)
def punch_at_end(m: Mount) -> None:
    """A hole punched across the end zeroes to the end and keeps the size; one behind it changes nothing."""
    path = m.file("file", DATA)
    fd = m.open(path, os.O_RDWR)
    mode = linux.FALLOC_PUNCH_HOLE | linux.FALLOC_KEEP_SIZE
    with m.optional(*DECLINED, what="FALLOC_FL_PUNCH_HOLE"):
        linux.fallocate(fd, mode, 10_000, 50_000)
    linux.fallocate(fd, mode, 100_000, 4096)
    m.expect_equal(len(DATA), m.stat(path).size, "the size")
    m.expect_equal(DATA[:10_000] + bytes(len(DATA) - 10_000), m.read(path), "the content")


@mount_check(
    "posix.fallocate.punched-cache", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.1; xfstests generic/469",
    also=("READ", "WRITE"), needs=("write",), killers=("FALLOCATE:fake", "FALLOCATE:errno=EIO", "WRITE:flip"),
)
def punched_cache(m: Mount) -> None:
    """Who has read the data before sees the hole at once, and what is written into it afterwards."""
    path = m.file("file", DATA)
    fd, reader = m.open(path, os.O_RDWR), m.open(path)
    m.expect_equal(DATA, os.pread(reader, 20_000, 0), "the content before")
    with m.optional(*DECLINED, what="FALLOC_FL_PUNCH_HOLE"):
        linux.fallocate(fd, linux.FALLOC_PUNCH_HOLE | linux.FALLOC_KEEP_SIZE, 4096, 4096)
    expected = DATA[:4096] + bytes(4096) + DATA[8192:]
    m.expect_equal(expected, os.pread(reader, 20_000, 0), "the content by the other descriptor")
    os.pwrite(fd, b"anew", 5000)
    expected = expected[:5000] + b"anew" + expected[5004:]
    m.expect_equal(expected, os.pread(reader, 20_000, 0), "the content after a write into the hole")
    m.expect_equal(expected, m.read(path), "the content, opened anew")


@mount_check(
    "posix.fallocate.zero-grows", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.1; man 2 fallocate",
    needs=("write",), killers=("FALLOCATE:fake", "FALLOCATE:errno=EIO", "GETATTR:attr.size=+1"),
)
def zero_grows(m: Mount) -> None:
    """FALLOC_FL_ZERO_RANGE across the end makes the file that long; with FALLOC_FL_KEEP_SIZE it does not."""
    path = m.file("file", DATA)
    fd = m.open(path, os.O_RDWR)
    with m.optional(*DECLINED, what="FALLOC_FL_ZERO_RANGE"):
        linux.fallocate(fd, linux.FALLOC_ZERO_RANGE | linux.FALLOC_KEEP_SIZE, 12_000, 8_000)
    m.expect_equal(DATA[:12_000] + bytes(len(DATA) - 12_000), m.read(path), "the content with FALLOC_FL_KEEP_SIZE")
    linux.fallocate(fd, linux.FALLOC_ZERO_RANGE, 11_000, 9_000)
    m.expect_equal(20_000, m.stat(path).size, "the size")
    m.expect_equal(DATA[:11_000] + bytes(9_000), m.read(path), "the content")


@mount_check(
    "posix.fallocate.mtime", op="FALLOCATE", level=SHOULD, source="catalogue 3.30.4; man 2 fallocate",
    also=("GETATTR",), needs=("write",), killers=("GETATTR:attr.mtime=1000000000", "FALLOCATE:errno=EIO"),
)
def mtime(m: Mount) -> None:
    """fallocate that makes a file longer updates its mtime."""
    path = m.file("aged", b"data")
    m.age(path)
    fd = m.open(path, os.O_RDWR)
    with m.optional(*DECLINED, what="fallocate"):
        linux.fallocate(fd, 0, 0, 10_000)
    m.expect_newer(path, "fallocate")


@mount_check(
    "posix.fallocate.unlinked", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.1, 3.8.2", needs=("write",),
    also=("UNLINK",), killers=("FALLOCATE:fake", "FALLOCATE:errno=EIO", "FALLOCATE:errno=ENOENT"),
)
def unlinked(m: Mount) -> None:
    """fallocate works by the descriptor of a file that has no name any more."""
    path = m.file("file", b"data")
    fd = m.open(path, os.O_RDWR)
    with m.setup():
        os.unlink(path)
    with m.optional(*DECLINED, what="fallocate"):
        linux.fallocate(fd, 0, 0, 10_000)
    m.expect_equal(b"data" + bytes(9_996), m.pread(fd, 20_000, 0), "the content")


@mount_check(
    "posix.fallocate.posix", op="FALLOCATE", source="catalogue 3.30.3; POSIX posix_fallocate", also=("WRITE", "READ"),
    needs=("write",), killers=("FALLOCATE:fake", "FALLOCATE:errno=EIO", "READ:flip"),
)
def posix(m: Mount) -> None:
    """posix_fallocate, for which the C library writes zeros where need be, makes a file longer and keeps its data."""
    path = m.file("file", b"data")
    fd = m.open(path, os.O_RDWR)
    with m.optional(errno.EOPNOTSUPP, errno.EINVAL, what="posix_fallocate"):
        os.posix_fallocate(fd, 0, 20_000)
    m.expect_equal(20_000, m.stat(path).size, "the size")
    m.expect_equal(b"data" + bytes(19_996), m.read(path), "the content")


@mount_check(
    "posix.fallocate.refused", op="FALLOCATE", source="catalogue 3.30.2; man 2 fallocate", also=("OPEN",),
    needs=("write",), killers=("OPEN:errno=EIO,path=*file", "READ:flip"),
)
def refused(m: Mount) -> None:
    """No length, a negative offset, and a descriptor for reading only are refused, and nothing changes."""
    path = m.file("file", DATA)
    fd, reader = m.open(path, os.O_RDWR), m.open(path)
    for offset, length in ((0, 0), (-1, 10), (0, -1)):
        with m.raises(errno.EINVAL, what=f"fallocate from {offset}, length {length}"):
            linux.fallocate(fd, 0, offset, length)
    with m.raises(errno.EBADF, what="fallocate of what is open for reading only"):
        linux.fallocate(reader, 0, 0, 20_000)
    m.expect_equal(DATA, m.read(path), "the content")
