"""GETATTR: the attributes of a nodeid."""

from __future__ import annotations

import time

from fsprobe.checks import SHOULD, wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.getattr.root", op="GETATTR", source="catalogue 3.3.7", quick=True, main=True,
    killers=("GETATTR:errno=ENOSYS", "GETATTR:errno=EIO", "GETATTR:attr.mode=0o100644"),
)
def root(k: Kernel) -> None:
    """The root is a directory."""
    k.expect_equal("directory", k.type_of(k.getattr(k.root)), "type of nodeid 1")


@wire_check(
    "protocol.getattr.size", op="GETATTR", source="catalogue 3.3.2, 3.14.3", needs=("regular-file",), quick=True,
    killers=("GETATTR:attr.size=+1", "GETATTR:attr.size=-1", "GETATTR:attr.mode=0o40644"),
)
def size(k: Kernel) -> None:
    """A regular file says the size that was written to it, or as many bytes as can be read."""
    sample = k.some_file()
    said = k.getattr(sample.node).size
    if sample.content is not None:
        k.expect_equal(len(sample.content), said, "size")
        return
    handle = k.open(sample.node)
    if handle.direct_io or said > k.LONGEST_READ:
        k.note("the size is not compared with the data: the file is read past the cache, or is large")
        return
    k.expect_equal(len(k.read_all(handle)), said, "size")


@wire_check(
    "protocol.getattr.by-handle", op="GETATTR", also=("OPEN",), source="catalogue 3.3.1",
    needs=("regular-file",), killers=("GETATTR:errno=EIO", "GETATTR:attr.size=+1,nth=1"), quick=True,
)
def by_handle(k: Kernel) -> None:
    """GETATTR with an open handle says the same as GETATTR without one."""
    sample = k.some_file()
    plain = k.getattr(sample.node)
    handle = k.open(sample.node)
    asked = k.getattr(sample.node, handle)
    for what in ("mode", "size", "uid", "gid"):
        k.expect_equal(getattr(plain, what), getattr(asked, what), what)


@wire_check(
    "protocol.getattr.links", op="GETATTR", source="catalogue 3.3.4, 3.3.7", level=SHOULD,
    killers=("GETATTR:attr.nlink=0",), quick=True,
)
def links(k: Kernel) -> None:
    """A directory that is there has a link count of one at least."""
    nlink = k.getattr(k.root).nlink
    k.expect(nlink >= 1, "nlink of at least 1", f"nlink {nlink}")


@wire_check(
    "protocol.getattr.new-times", op="GETATTR", also=("CREATE",), source="catalogue 3.36 timestamps; 3.3.2",
    needs=("write",), level=SHOULD, quick=True,
    killers=("GETATTR:attr.mtime=1", "GETATTR:attr.ctime=1", "GETATTR:attr.mtimensec=4000000000"),
)
def new_times(k: Kernel) -> None:
    """A file made just now says so: mtime and ctime within two minutes, nanoseconds below 10^9."""
    node = k.given_file("new", b"x")
    attr = k.getattr(node)
    now = time.time()
    for what in ("mtime", "ctime"):
        said = getattr(attr, what)
        k.expect(abs(said - now) < 120, f"{what} about {now:.0f}", f"{what} {said}")
    for what in ("atimensec", "mtimensec", "ctimensec"):
        k.expect(getattr(attr, what) < 10**9, f"{what} below 10^9", f"{getattr(attr, what)}")


@wire_check(
    "protocol.getattr.block-size", op="GETATTR", source="catalogue 3.3.6", needs=("regular-file",), level=SHOULD,
    killers=("GETATTR:attr.blksize=1", "GETATTR:attr.blksize=0x40000000"), quick=True,
)
def block_size(k: Kernel) -> None:
    """blksize is 0 for the kernel's own, or between 512 bytes and 16 MiB."""
    said = k.getattr(k.some_file().node).blksize
    k.expect(said == 0 or 512 <= said <= 16 << 20, "blksize 0 or 512 … 16 MiB", f"blksize {said}")
