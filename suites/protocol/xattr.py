"""SETXATTR, GETXATTR, LISTXATTR and REMOVEXATTR: optional as a group."""

from __future__ import annotations

from errno import EEXIST, ENODATA, ENOSYS, EOPNOTSUPP, ERANGE

from fsprobe.checks import OPTIONAL, wire_check
from fsprobe.checks.kernel import Kernel

_NEEDS = ("write", "regular-file", "xattr")
_CREATE, _REPLACE = 1, 2
_NAME = "user.fsprobe"
_NOT_OFFERED = (ENOSYS, EOPNOTSUPP)


@wire_check(
    "protocol.setxattr.round-trip", op="SETXATTR", also=("GETXATTR",), source="catalogue 3.19.1, 3.19.4",
    level=OPTIONAL, needs=_NEEDS, quick=True, main=True,
    killers=("SETXATTR:errno=EIO", "SETXATTR:fake", "GETXATTR:flip"),
)
def round_trip(k: Kernel) -> None:
    """A value is kept byte for byte, NULs and a new value for an old one included."""
    node = k.given_file("f")
    with k.optional():
        k.setxattr(node, _NAME, b"first")
    k.expect_equal(b"first", k.getxattr(node, _NAME), "value")
    k.setxattr(node, _NAME, b"\0bin\xff\0")
    k.expect_equal(b"\0bin\xff\0", k.getxattr(node, _NAME), "value")


@wire_check(
    "protocol.setxattr.empty-value", op="SETXATTR", also=("GETXATTR",), source="catalogue 3.19.4", level=OPTIONAL,
    needs=_NEEDS, killers=("SETXATTR:fake", "GETXATTR:errno=ENODATA"), quick=True,
)
def empty_value(k: Kernel) -> None:
    """An empty value is there, and empty."""
    node = k.given_file("f")
    k.given_xattr(node, _NAME, b"")
    k.expect_equal(b"", k.getxattr(node, _NAME), "value")


@wire_check(
    "protocol.setxattr.create", op="SETXATTR", source="catalogue 3.19.2", level=OPTIONAL, needs=_NEEDS, quick=True,
    killers=("SETXATTR:fake", "SETXATTR:map=EEXIST>EIO"),
)
def create(k: Kernel) -> None:
    """XATTR_CREATE on an attribute that exists gives EEXIST, and the value stays."""
    node = k.given_file("f")
    k.given_xattr(node, _NAME, b"first")
    with k.raises(EEXIST):
        k.setxattr(node, _NAME, b"second", _CREATE)
    k.expect_equal(b"first", k.getxattr(node, _NAME), "value")


@wire_check(
    "protocol.setxattr.replace", op="SETXATTR", source="catalogue 3.19.2", level=OPTIONAL, needs=_NEEDS, quick=True,
    killers=("SETXATTR:fake", "SETXATTR:map=ENODATA>EIO"),
)
def replace(k: Kernel) -> None:
    """XATTR_REPLACE on an attribute that does not exist gives ENODATA."""
    node = k.given_file("f")
    with k.raises(ENODATA, optional=_NOT_OFFERED):
        k.setxattr(node, _NAME, b"value", _REPLACE)


@wire_check(
    "protocol.getxattr.sizes", op="GETXATTR", also=("SETXATTR",), source="catalogue 3.19.3", level=OPTIONAL,
    needs=_NEEDS, quick=True, main=True,
    killers=("GETXATTR:errno=EIO", "GETXATTR:flip", "GETXATTR:short", "GETXATTR:map=ERANGE>EIO"),
)
def sizes(k: Kernel) -> None:
    """Size 0 asks for the length alone, the exact size gets the value, a smaller one ERANGE."""
    node = k.given_file("f")
    k.given_xattr(node, _NAME, b"0123456789")
    k.expect_equal(10, k.getxattr_size(node, _NAME), "length")
    k.expect_equal(b"0123456789", k.getxattr(node, _NAME, 10), "value")
    with k.raises(ERANGE):
        k.getxattr(node, _NAME, 9)


@wire_check(
    "protocol.getxattr.missing", op="GETXATTR", source="catalogue 3.19.1", level=OPTIONAL, needs=("regular-file",),
    quick=True, killers=("GETXATTR:errno=EIO", "GETXATTR:map=ENODATA>ENOENT"),
)
def missing(k: Kernel) -> None:
    """An attribute that does not exist gives ENODATA."""
    node = k.some_file().node
    with k.raises(ENODATA, optional=_NOT_OFFERED):
        k.getxattr(node, "user.fsprobe-none")


@wire_check(
    "protocol.listxattr.names", op="LISTXATTR", also=("SETXATTR",), source="catalogue 3.19.3", level=OPTIONAL,
    needs=_NEEDS, quick=True, main=True, killers=("LISTXATTR:errno=EIO", "LISTXATTR:short", "LISTXATTR:map=ERANGE>EIO"),
)
def listed(k: Kernel) -> None:
    """The list has every name that was set, each ended by NUL; a buffer too small gives ERANGE."""
    node = k.given_file("f")
    k.given_xattr(node, "user.one", b"1")
    k.given_xattr(node, "user.two", b"2")
    with k.optional():
        names = [name for name in k.listxattr(node) if name.startswith(b"user.")]
    k.expect_equal([b"user.one", b"user.two"], sorted(names), "names")
    needed = k.listxattr_size(node)
    k.expect(needed >= 18, "a length of 18 bytes or more", f"{needed}")
    with k.raises(ERANGE):
        k.listxattr(node, 5)


@wire_check(
    "protocol.listxattr.answered", op="LISTXATTR", source="catalogue 3.19.3; fs/fuse/xattr.c fuse_verify_xattr_list",
    quick=True, level=OPTIONAL, needs=("regular-file",), killers=("LISTXATTR:errno=EIO", "LISTXATTR:drop"),
)
def list_answered(k: Kernel) -> None:
    """The list of a file's attributes is one that a kernel takes, and as long as its length says."""
    node = k.some_file().node
    with k.optional():
        needed = k.listxattr_size(node)
        names = k.listxattr(node)
    k.expect_equal(needed, sum(len(name) + 1 for name in names), "length of the list")


@wire_check(
    "protocol.removexattr.gone", op="REMOVEXATTR", also=("GETXATTR", "SETXATTR"), source="catalogue 3.19.1",
    level=OPTIONAL, needs=_NEEDS, quick=True, main=True, killers=("REMOVEXATTR:errno=EIO", "REMOVEXATTR:fake"),
)
def removed(k: Kernel) -> None:
    """A removed attribute is gone."""
    node = k.given_file("f")
    k.given_xattr(node, _NAME, b"value")
    with k.optional():
        k.removexattr(node, _NAME)
    with k.raises(ENODATA):
        k.getxattr(node, _NAME)


@wire_check(
    "protocol.removexattr.missing", op="REMOVEXATTR", source="catalogue 3.19.1", level=OPTIONAL, needs=_NEEDS,
    killers=("REMOVEXATTR:errno=EIO", "REMOVEXATTR:fake"), quick=True,
)
def remove_missing(k: Kernel) -> None:
    """Removing an attribute that does not exist gives ENODATA."""
    node = k.given_file("f")
    with k.raises(ENODATA, optional=_NOT_OFFERED):
        k.removexattr(node, "user.fsprobe-none")
