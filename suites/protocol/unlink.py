"""UNLINK: a name goes, the file stays as long as something holds it."""

from __future__ import annotations

import os
from errno import ENOENT

from fsprobe.checks import Finding, wire_check
from fsprobe.checks.kernel import Kernel

_NEEDS = ("write", "regular-file")


@wire_check(
    "protocol.unlink.gone", op="UNLINK", also=("LOOKUP", "READDIR"), source="catalogue 3.8.1", needs=_NEEDS,
    quick=True, main=True, killers=("UNLINK:errno=ENOSYS", "UNLINK:errno=EIO", "UNLINK:fake"),
)
def gone(k: Kernel) -> None:
    """An unlinked name is found no more, neither by LOOKUP nor by READDIR."""
    k.given_file("f", b"x")
    k.given_file("stays", b"y")
    k.unlink(k.dir, "f")
    with k.raises(ENOENT):
        k.lookup(k.dir, "f")
    k.expect_equal([b"stays"], k.names(k.dir), "names left")


@wire_check(
    "protocol.unlink.missing", op="UNLINK", source="catalogue 3.8.4", needs=_NEEDS, quick=True,
    killers=("UNLINK:fake", "UNLINK:map=ENOENT>EIO", "UNLINK:errno=ENOSYS"),
)
def missing(k: Kernel) -> None:
    """Unlinking a name that is not there (someone was faster) gives ENOENT."""
    with k.raises(ENOENT):
        k.unlink(k.dir, "missing")


@wire_check(
    "protocol.unlink.open-file", op="UNLINK", also=("READ", "WRITE", "GETATTR"), source="catalogue 3.8.2",
    needs=_NEEDS, quick=True,
    killers=("UNLINK:errno=EBUSY", "READ:errno=ENOENT", "GETATTR:errno=ENOENT", "vexfs:unlink-drops-inode"),
)
def open_file(k: Kernel) -> None:
    """A file that is unlinked while open can still be read, written and asked for its size."""
    node = k.given_file("f", b"before")
    handle = k.open(node, os.O_RDWR)
    k.unlink(k.dir, "f")
    k.expect_equal(b"before", k.read(handle, 64), "content")
    k.expect_equal(5, k.write(handle, b"after", 6), "bytes written")
    k.expect_equal(b"beforeafter", k.read(handle, 64), "content")
    k.expect_equal(11, k.getattr(node, handle).size, "size")
    left = k.names(k.dir)
    if left and all(name.startswith(b".fuse_hidden") for name in left):
        raise Finding("no name left", f"{left[0].decode()}: libfuse hides the file until it is closed", warn=True)
    k.expect_equal([], left, "names left")


@wire_check(
    "protocol.unlink.other-link", op="UNLINK", also=("LINK", "GETATTR"), source="catalogue 3.8.1",
    needs=("write", "hardlink"), killers=("UNLINK:fake", "GETATTR:attr.nlink=+1", "UNLINK:errno=EIO"), quick=True,
)
def other_link(k: Kernel) -> None:
    """The other name of a file keeps the data, and the link count falls by one."""
    node = k.given_file("f", b"kept")
    k.given_hardlink(node, "other")
    k.unlink(k.dir, "f")
    left = k.lookup(k.dir, "other").nodeid
    k.expect_equal(b"kept", k.content(left), "content")
    k.expect_equal(1, k.getattr(left).nlink, "nlink")
