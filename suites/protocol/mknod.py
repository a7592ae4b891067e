"""MKNOD: files of any type, without opening them."""

from __future__ import annotations

from errno import EPERM, EROFS

from fsprobe.checks import OPTIONAL, wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.mknod.regular", op="MKNOD", also=("LOOKUP",), source="catalogue 3.6.1, 3.6.4", level=OPTIONAL,
    needs=("write",), quick=True, main=True,
    killers=("MKNOD:errno=EIO", "MKNOD:attr.mode=0o40644", "MKNOD:nodeid"),
)
def regular(k: Kernel) -> None:
    """A regular file can be made without opening it, and is empty."""
    with k.optional(EPERM, EROFS):
        made = k.mknod(k.dir, "node", 0o100640)
    k.expect_equal("regular file", k.type_of(made.attr), "type")
    k.expect_equal(0, made.attr.size, "size")
    k.expect_equal(made.nodeid, k.lookup(k.dir, "node").nodeid, "nodeid")


@wire_check(
    "protocol.mknod.fifo", op="MKNOD", source="catalogue 3.6.1", level=OPTIONAL, needs=("write",), quick=True,
    killers=("MKNOD:errno=EIO", "MKNOD:attr.mode=0o100640"),
)
def fifo(k: Kernel) -> None:
    """A FIFO can be made, and is a FIFO."""
    with k.optional(EPERM, EROFS):
        made = k.mknod(k.dir, "fifo", 0o010640)
    k.expect_equal("FIFO", k.type_of(made.attr), "type")
    k.expect_equal("FIFO", k.type_of(k.getattr(made.nodeid)), "type")
