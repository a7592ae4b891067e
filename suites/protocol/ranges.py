"""FALLOCATE, LSEEK and the two COPY_FILE_RANGE: optional, and new enough to be forgotten."""

from __future__ import annotations

import os
from errno import EINVAL, ENOSYS, ENXIO, EOPNOTSUPP, EXDEV

from fsprobe.checks import OPTIONAL, wire_check
from fsprobe.checks.kernel import Kernel

_NEEDS = ("write", "regular-file")
_KEEP_SIZE, _PUNCH_HOLE, _ZERO_RANGE = 1, 2, 16
_DATA = b"0123456789" * 1000


@wire_check(
    "protocol.fallocate.grows", op="FALLOCATE", also=("GETATTR", "READ"), source="catalogue 3.30.1", level=OPTIONAL,
    needs=_NEEDS, quick=True, main=True, killers=("FALLOCATE:errno=EIO", "FALLOCATE:fake"),
)
def grows(k: Kernel) -> None:
    """Mode 0 grows a file by zeros."""
    node = k.given_file("f", b"abc")
    handle = k.given_handle(node, os.O_RDWR)
    with k.optional():
        k.fallocate(handle, 0, 0, 10_000)
    k.expect_equal(10_000, k.getattr(node).size, "size")
    k.expect_equal(b"abc" + bytes(61), k.read(handle, 64), "content")


@wire_check(
    "protocol.fallocate.keep-size", op="FALLOCATE", also=("GETATTR",), source="catalogue 3.30.1", level=OPTIONAL,
    needs=_NEEDS, killers=("FALLOCATE:errno=EIO", "GETATTR:attr.size=+1"), quick=True,
)
def keep_size(k: Kernel) -> None:
    """KEEP_SIZE leaves the size as it is."""
    node = k.given_file("f", b"abc")
    handle = k.given_handle(node, os.O_RDWR)
    with k.optional(EINVAL):
        k.fallocate(handle, _KEEP_SIZE, 0, 10_000)
    k.expect_equal(3, k.getattr(node).size, "size")


@wire_check(
    "protocol.fallocate.punch-hole", op="FALLOCATE", also=("READ", "GETATTR"), source="catalogue 3.30.1, 3.30.3",
    level=OPTIONAL, needs=_NEEDS, killers=("FALLOCATE:errno=EIO", "FALLOCATE:fake"), quick=True,
)
def punch_hole(k: Kernel) -> None:
    """PUNCH_HOLE makes zeros of a range and of nothing else, or is refused: never a success without the deed."""
    node = k.given_file("f", _DATA)
    handle = k.given_handle(node, os.O_RDWR)
    with k.optional(EINVAL):
        k.fallocate(handle, _PUNCH_HOLE | _KEEP_SIZE, 1000, 3000)
    k.expect_equal(_DATA[:1000] + bytes(3000) + _DATA[4000:], k.read(handle, 65536), "content")
    k.expect_equal(len(_DATA), k.getattr(node).size, "size")


@wire_check(
    "protocol.fallocate.zero-range", op="FALLOCATE", also=("READ",), source="catalogue 3.30.1, 3.30.3", level=OPTIONAL,
    needs=_NEEDS, killers=("FALLOCATE:errno=EIO", "FALLOCATE:fake"), quick=True,
)
def zero_range(k: Kernel) -> None:
    """ZERO_RANGE makes zeros of a range, or is refused."""
    handle = k.given_handle(k.given_file("f", _DATA), os.O_RDWR)
    with k.optional(EINVAL):
        k.fallocate(handle, _ZERO_RANGE, 1000, 3000)
    k.expect_equal(_DATA[:1000] + bytes(3000) + _DATA[4000:], k.read(handle, 65536), "content")


@wire_check(
    "protocol.lseek.data-and-hole", op="LSEEK", source="catalogue 3.31.2", level=OPTIONAL, needs=("regular-file",),
    quick=True, main=True, killers=("LSEEK:errno=EIO", "LSEEK:fake"),
)
def data_and_hole(k: Kernel) -> None:
    """In a file full of data, data starts at 0 and the first hole is its end."""
    sample = k.some_file()
    size = sample.attr.size
    handle = k.open(sample.node)
    with k.optional(EINVAL):
        data = k.lseek(handle, 0, os.SEEK_DATA) if size else 0
        hole = k.lseek(handle, 0, os.SEEK_HOLE) if size else 0
    k.expect(0 <= data <= size, f"data at 0 … {size}", f"{data}")
    k.expect(0 <= hole <= size, f"a hole at 0 … {size}", f"{hole}")
    if sample.content is not None:
        k.expect_equal((0, size), (data, hole), "data and hole")


@wire_check(
    "protocol.lseek.behind-end", op="LSEEK", source="catalogue 3.31.2", level=OPTIONAL, needs=("regular-file",),
    killers=("LSEEK:map=ENXIO>EIO", "LSEEK:fake"), quick=True,
)
def lseek_behind_end(k: Kernel) -> None:
    """No data behind the end: ENXIO."""
    sample = k.some_file()
    handle = k.open(sample.node)
    with k.raises(ENXIO, optional=(ENOSYS, EOPNOTSUPP, EINVAL)):
        k.lseek(handle, sample.attr.size + 1000, os.SEEK_DATA)


def _copy(k: Kernel, *, wide: bool) -> None:
    source = k.given_handle(k.given_file("source", _DATA), os.O_RDONLY)
    node = k.given_file("target", b"abc")
    target = k.given_handle(node, os.O_RDWR)
    with k.optional(EXDEV, EINVAL):
        copied = k.copy_file_range(source, 10, target, 3, 500, wide=wide)
    k.expect(0 < copied <= 500, "1 … 500 bytes copied", f"{copied}")
    k.expect_equal(b"abc" + _DATA[10 : 10 + copied], k.read(target, 65536), "content")
    k.expect_equal(3 + copied, k.getattr(node).size, "size")
    k.expect_equal(2, k.copy_file_range(source, len(_DATA) - 2, target, 0, 100, wide=wide), "bytes copied at the end")


@wire_check(
    "protocol.copy-file-range.copies", op="COPY_FILE_RANGE", also=("READ",), source="catalogue 3.32.1", level=OPTIONAL,
    needs=_NEEDS, quick=True, main=True, killers=("COPY_FILE_RANGE:errno=EIO", "COPY_FILE_RANGE:fake"),
)
def copies(k: Kernel) -> None:
    """A range is copied from file to file, short at the end of the source."""
    _copy(k, wide=False)


@wire_check(
    "protocol.copy-file-range-64.copies", op="COPY_FILE_RANGE_64", also=("READ",), source="catalogue 3.32.3",
    level=OPTIONAL, needs=_NEEDS, main=True, quick=True,
    killers=("COPY_FILE_RANGE_64:errno=EIO", "COPY_FILE_RANGE_64:fake"),
)
def copies_64(k: Kernel) -> None:
    """The newer operation with a 64-bit count copies too, or is not known: ENOSYS."""
    _copy(k, wide=True)
