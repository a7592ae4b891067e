"""SYMLINK and READLINK."""

from __future__ import annotations

from errno import EILSEQ, EINVAL, EPERM, EROFS

from fsprobe.checks import OPTIONAL, SHOULD, Finding, wire_check
from fsprobe.checks.kernel import Kernel


@wire_check(
    "protocol.symlink.created", op="SYMLINK", also=("LOOKUP",), source="catalogue 3.5.3, 4", level=OPTIONAL,
    needs=("write",), quick=True, main=True,
    killers=("SYMLINK:errno=EIO", "SYMLINK:attr.mode=0o100777", "SYMLINK:nodeid"),
)
def created(k: Kernel) -> None:
    """A symbolic link can be made, even to nothing, and is found again as a link."""
    with k.optional(EPERM, EROFS):
        made = k.symlink(k.dir, "link", "no/such/target")
    k.expect_equal("symbolic link", k.type_of(made.attr), "type")
    found = k.lookup(k.dir, "link")
    k.expect_equal(made.nodeid, found.nodeid, "nodeid")


@wire_check(
    "protocol.readlink.bytes", op="READLINK", source="catalogue 3.5.1", needs=("symlink",), quick=True, main=True,
    killers=("READLINK:errno=ENOSYS", "READLINK:errno=EIO", "READLINK:flip", "READLINK:short"),
)
def target_bytes(k: Kernel) -> None:
    """READLINK gives back the target's exact bytes, with no NUL at the end."""
    if k.read_only:
        sample = k.some_symlink()
        target = k.readlink(sample.node)
        k.expect(len(target) > 0 and b"\0" not in target, "a target without NUL", repr(target[:80]))
        return
    for number, target in enumerate((b"x", b"/absolute/path", b"d/" * 500 + b"end")):
        node = k.given_symlink(f"link{number}", target)
        k.expect_equal(target, k.readlink(node), "target")


@wire_check(
    "protocol.symlink.size", op="GETATTR", also=("SYMLINK",), source="catalogue 3.3.5", needs=("symlink",), quick=True,
    killers=("GETATTR:attr.size=+1",),
)
def size(k: Kernel) -> None:
    """A symbolic link's size is the length of its target."""
    node = k.some_symlink().node
    length, said = len(k.readlink(node)), k.getattr(node).size
    if said == 0 != length:
        raise Finding(f"size {length}", "size 0: programs that trust it read an empty target", warn=True)
    k.expect_equal(length, said, "size")


@wire_check(
    "protocol.symlink.odd-bytes", op="SYMLINK", also=("READLINK",), source="catalogue 3.5.1", level=SHOULD,
    needs=("write", "symlink"), killers=("READLINK:flip", "SYMLINK:errno=EIO,nth=2"), quick=True,
)
def odd_bytes(k: Kernel) -> None:
    """A target is bytes: one that is no UTF-8 comes back as it was."""
    k.given_symlink("plain", "target")
    try:
        node = k.symlink(k.dir, "odd", b"\xff\xfe\n").nodeid
    except OSError as error:
        if error.errno in (EILSEQ, EINVAL):
            raise Finding("any bytes but NUL", error.strerror or "", warn=True) from None
        raise
    k.expect_equal(b"\xff\xfe\n", k.readlink(node), "target")
