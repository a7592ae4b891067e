"""STATFS."""

from __future__ import annotations

from fsprobe.checks import SHOULD, Finding, wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.statfs.sane", op="STATFS", source="catalogue 3.16.1", quick=True, main=True,
    killers=("STATFS:errno=ENOSYS", "STATFS:errno=EIO"),
)
def sane(k: Kernel) -> None:
    """The block size is not zero, and no more is free than there is."""
    st = k.statfs()
    if st.blocks == st.bsize == 0:
        raise Finding("a number of blocks", "zeros: df leaves it out, installers refuse", warn=True)
    k.expect(st.bsize > 0, "bsize above 0", f"bsize {st.bsize}")
    k.expect(st.bavail <= st.bfree <= st.blocks, "bavail <= bfree <= blocks", f"{st.bavail}, {st.bfree}, {st.blocks}")
    k.expect(st.ffree <= st.files, "ffree <= files", f"{st.ffree}, {st.files}")
    if st.blocks == 0:
        raise Finding("a number of blocks", "0 blocks: df leaves it out, installers refuse", warn=True)


@wire_check(
    "protocol.statfs.name-length", op="STATFS", source="catalogue 3.16.1", level=SHOULD,
    killers=("STATFS:errno=EIO",), quick=True,
)
def name_length(k: Kernel) -> None:
    """The longest name is told: programs that trust it cannot make a file where it is 0."""
    said = k.statfs().namelen
    k.expect(said > 0, "namelen above 0", "namelen 0")


@wire_check(
    "protocol.statfs.any-node", op="STATFS", source="catalogue 3.16.2", needs=("regular-file",), quick=True,
    killers=("STATFS:errno=ENOSYS", "STATFS:errno=EIO,nth=2"),
)
def any_node(k: Kernel) -> None:
    """STATFS of a file says what STATFS of the root says."""
    sample = k.some_file()
    root, file = k.statfs(), k.statfs(sample.node)
    for what in ("bsize", "blocks", "namelen"):
        k.expect_equal(getattr(root, what), getattr(file, what), what)
