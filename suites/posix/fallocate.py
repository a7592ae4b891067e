"""FALLOCATE: reserving, punching and zeroing ranges, where a file system can."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import OPTIONAL, linux, mount_check
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
