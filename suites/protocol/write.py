"""WRITE."""

from __future__ import annotations

import os
import time

from fsprobe.checks import SHOULD, wire_check
from fsprobe.checks.kernel import Kernel

_NEEDS = ("write", "regular-file")


@wire_check(
    "protocol.write.count", op="WRITE", also=("READ", "OPEN"), source="catalogue 3.15.1", needs=_NEEDS,
    quick=True, main=True,
    killers=("WRITE:errno=ENOSYS", "WRITE:errno=EIO", "WRITE:fake", "WRITE:short", "WRITE:flip"),
)
def count(k: Kernel) -> None:
    """WRITE takes every byte and says so; READ gives them back."""
    node = k.given_file("f")
    handle = k.given_handle(node, os.O_RDWR)
    data = bytes(range(256)) * 17
    k.expect_equal(len(data), k.write(handle, data), "bytes written")
    k.expect_equal(data, k.read(handle, 65536), "content")
    k.expect_equal(len(data), k.getattr(node).size, "size")


@wire_check(
    "protocol.write.middle", op="WRITE", also=("READ",), source="catalogue 3.15.6", needs=_NEEDS, quick=True,
    killers=("WRITE:fake", "WRITE:short", "READ:flip"),
)
def middle(k: Kernel) -> None:
    """Writing in the middle, across a page, changes those bytes and no other."""
    node = k.given_file("f")
    handle = k.given_handle(node, os.O_RDWR)
    k.expect_equal(10_000, k.write(handle, b"a" * 10_000), "bytes written")
    k.expect_equal(300, k.write(handle, b"bcd" * 100, 4000), "bytes written")
    k.expect_equal(b"a" * 4000 + b"bcd" * 100 + b"a" * 5700, k.read(handle, 65536), "content")


@wire_check(
    "protocol.write.behind-end", op="WRITE", also=("READ", "GETATTR"), source="catalogue 3.15.3", needs=_NEEDS,
    killers=("WRITE:fake", "WRITE:errno=EFBIG,nth=2", "GETATTR:attr.size=+1"), quick=True,
)
def behind_end(k: Kernel) -> None:
    """Writing behind the end leaves a gap of zeros, and the size is exact."""
    node = k.given_file("f", b"abc")
    handle = k.given_handle(node, os.O_RDWR)
    k.write(handle, b"xyz", 70_000)
    k.expect_equal(70_003, k.getattr(node).size, "size")
    k.expect_equal(b"abc" + bytes(61), k.read(handle, 64), "the start")
    k.expect_equal(bytes(4) + b"xyz", k.read(handle, 64, 69_996), "the end")


@wire_check(
    "protocol.write.largest", op="WRITE", also=("READ",), source="catalogue 3.15.6, 3.20.1", needs=_NEEDS, quick=True,
    killers=("WRITE:fake", "WRITE:short", "WRITE:errno=EINVAL", "READ:flip"),
)
def largest(k: Kernel) -> None:
    """A request as large as INIT allows, up to 1 MiB, is taken whole."""
    size = min(k.negotiated.max_write, k.negotiated.max_pages * 4096, 1 << 20)
    handle = k.given_handle(k.given_file("f"), os.O_RDWR)
    data = b"".join(b"%07d\n" % number for number in range(size // 8))  # no page is like another
    k.expect_equal(len(data), k.write(handle, data), "bytes written")
    k.expect_equal(data, k.read_all(handle), "content")


@wire_check(
    "protocol.write.mtime", op="WRITE", also=("GETATTR", "SETATTR"), source="catalogue 3.15.2", level=SHOULD,
    needs=_NEEDS, killers=("WRITE:fake", "GETATTR:attr.mtime=1234567890"), quick=True,
)
def mtime(k: Kernel) -> None:
    """Writing brings mtime to the present."""
    node = k.given_file("f", b"abc")
    with k.setup():
        k.setattr(node, mtime=(1_234_567_890, 0))
    handle = k.given_handle(node, os.O_RDWR)
    k.write(handle, b"x")
    k.close_file(handle)
    said = k.getattr(node).mtime
    k.expect(abs(said - time.time()) < 120, "mtime about now", f"mtime {said}")
