"""READ."""

from __future__ import annotations

import os

from fsprobe.checks import Finding, wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.read.exact", op="READ", also=("OPEN",), source="catalogue 3.14.1, 3.14.2", needs=("regular-file",),
    quick=True, main=True, killers=("READ:errno=ENOSYS", "READ:errno=EIO", "READ:flip", "READ:short"),
)
def exact(k: Kernel) -> None:
    """A whole file is read in one piece, byte for byte."""
    sample = k.some_file()
    size = min(sample.attr.size, k.LONGEST_READ)
    handle = k.open(sample.node)
    data = k.read(handle, 131072)
    if sample.content is not None:
        k.expect_equal(sample.content, data, "content")
    elif not handle.direct_io:
        k.expect_equal(min(size, 131072), len(data), "bytes read of a file of this size")


@wire_check(
    "protocol.read.pieces", op="READ", source="catalogue 3.14.1", needs=("regular-file",), quick=True,
    killers=("READ:short", "READ:flip,nth=3", "READ:errno=EINVAL"),
)
def pieces(k: Kernel) -> None:
    """A file read in odd pieces at odd offsets is the file read whole."""
    handle = k.open(k.some_file().node)
    whole = k.read(handle, 131072)
    for offset, size in ((0, 1), (1, 4095), (4095, 2), (777, 1234), (max(0, len(whole) - 3), 3)):
        if offset < len(whole):
            k.expect_equal(whole[offset : offset + size], k.read(handle, size, offset), f"{size} bytes at {offset}")


@wire_check(
    "protocol.read.past-end", op="READ", source="catalogue 3.14.1; fs/fuse/file.c fuse_cache_read_iter",
    needs=("regular-file",), killers=("READ:errno=EIO", "READ:errno=EINVAL", "READ:short"), quick=True,
)
def past_end(k: Kernel) -> None:
    """A read across the end gives what is there, one at the end or behind it no bytes and no error."""
    sample = k.some_file()
    handle = k.open(sample.node)
    size = sample.attr.size
    if handle.direct_io or size == 0:
        k.expect_equal(b"", k.read(handle, 4096, max(size, 1 << 24)), "bytes behind the end")
        return
    start = max(0, size - 100)
    k.expect_equal(size - start, len(k.read(handle, 4096, start)), "bytes up to the end")
    for place in (size, size + 100_000):
        try:
            k.expect_equal(b"", k.read(handle, 4096, place), f"bytes at {place} of {size}")
        except OSError as error:
            # The kernel asks so only of files that are read past its cache, or that shrank meanwhile.
            raise Finding(f"no bytes at {place} of {size}", error.strerror or "", warn=True) from None


@wire_check(
    "protocol.read.later-write", op="READ", also=("WRITE",), source="catalogue 3.14.7", needs=("write", "regular-file"),
    quick=True, killers=("READ:stale", "WRITE:fake", "READ:flip"),
)
def later_write(k: Kernel) -> None:
    """An open handle sees what another handle writes later."""
    node = k.given_file("f", b"before")
    reader, writer = k.open(node), k.open(node, os.O_RDWR)
    k.expect_equal(b"before", k.read(reader, 64), "content")
    k.write(writer, b"after and longer")
    k.expect_equal(b"after and longer", k.read(reader, 64), "content")


@wire_check(
    "protocol.read.same-twice", op="READ", source="catalogue 3.36 read-only profile", needs=("regular-file",),
    killers=("READ:flip,nth=2", "READ:errno=EIO,nth=2"), quick=True,
)
def same_twice(k: Kernel) -> None:
    """A file that nobody writes to reads the same through a second handle."""
    node = k.some_file().node
    first, second = k.open(node), k.open(node)
    if first.direct_io:
        k.note("the file is read past the cache: it may differ each time")
        k.read(second, 65536)
        return
    k.expect_equal(k.read(first, 65536), k.read(second, 65536), "content")


@wire_check(
    "protocol.read.windows", op="READ", source="catalogue 3.14.1", needs=("write",), quick=True,
    killers=("READ:flip", "READ:short", "READ:errno=EIO"),
)
def windows(k: Kernel) -> None:
    """Whatever a file of 300 KB holds, READ tells the same in pieces of 128 KiB and in pieces laid across these."""
    size = 300_000
    node = k.given_file("f", bytes(range(251)) * (size // 251 + 1))
    handle = k.open(node)
    stored = min(size, k.getattr(node).size)  # what a WRITE lost is no fault of READ's
    large, small = bytearray(), bytearray()
    for piece, told, first in ((131072, large, 131072), (32768, small, 10_000)):
        while len(told) < stored:
            length = min(first if not told else piece, stored - len(told))
            data = k.read(handle, length, len(told))
            k.expect_equal(length, len(data), f"bytes read at {len(told)}, {stored} being there")
            told += data
    k.expect_equal(bytes(small), bytes(large), "content, as read in other pieces")
