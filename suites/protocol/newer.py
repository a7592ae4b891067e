"""TMPFILE and STATX."""

from __future__ import annotations

from errno import EINVAL, EISDIR

from fsprobe.checks import OPTIONAL, wire_check
from fsprobe.checks.kernel import Kernel

_MTIME, _SIZE, _TYPE, _MODE = 0x40, 0x200, 0x1, 0x2


@wire_check(
    "protocol.tmpfile.nameless", op="TMPFILE", also=("WRITE", "READDIR"), source="catalogue 3.33.1", level=OPTIONAL,
    needs=("write",), quick=True, main=True,
    killers=("TMPFILE:errno=EIO", "TMPFILE:attr.mode=0o40644", "TMPFILE:nodeid"),
)
def nameless(k: Kernel) -> None:
    """A file without a name has no link, is not listed, and can be written and read."""
    with k.optional(EINVAL, EISDIR):
        made, handle = k.tmpfile(k.dir)
    k.expect_equal(0, k.getattr(made.nodeid, handle).nlink, "nlink")
    k.write(handle, b"data")
    k.expect_equal(b"data", k.read(handle, 64), "content")
    k.expect_equal([], k.names(k.dir), "names")


@wire_check(
    "protocol.tmpfile.linked", op="TMPFILE", also=("LINK", "READ"), source="catalogue 3.33.1", level=OPTIONAL,
    needs=("write", "hardlink"), killers=("TMPFILE:errno=EIO", "LINK:errno=ENOENT"), quick=True,
)
def linked(k: Kernel) -> None:
    """A file without a name can be given one."""
    with k.optional(EINVAL, EISDIR):
        made, handle = k.tmpfile(k.dir)
    k.write(handle, b"data")
    k.hardlink(made.nodeid, k.dir, "named")
    k.expect_equal(b"data", k.content(k.lookup(k.dir, "named").nodeid), "content")


@wire_check(
    "protocol.statx.same", op="STATX", also=("GETATTR",), source="catalogue 3.34.1, 3.34.2", level=OPTIONAL,
    needs=("regular-file",), quick=True, main=True, killers=("STATX:errno=EIO", "GETATTR:attr.size=+1"),
)
def same(k: Kernel) -> None:
    """STATX says of size, mode and mtime what GETATTR says."""
    node = k.some_file().node
    with k.optional():
        extended = k.statx(node)
    attr = k.getattr(node)
    if extended.mask & _SIZE:
        k.expect_equal(attr.size, extended.size, "size")
    if extended.mask & (_TYPE | _MODE) == _TYPE | _MODE:
        k.expect_equal(attr.mode, extended.mode, "mode")
    if extended.mask & _MTIME:
        k.expect_equal(attr.mtime, extended.mtime.tv_sec, "mtime")
