"""SETXATTR, GETXATTR, LISTXATTR, REMOVEXATTR: extended attributes, where a file system has them."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import OPTIONAL, linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EOPNOTSUPP, errno.ENOSYS)


@mount_check(
    "posix.setxattr.round-trip", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.1; man 2 setxattr", main=True,
    quick=True, also=("GETXATTR",), needs=("write",),
    killers=("SETXATTR:fake", "SETXATTR:errno=EIO", "GETXATTR:flip"),
)
def round_trip(m: Mount) -> None:
    """A user attribute that was set is read back, and can be set anew."""
    path = m.file("file")
    for value in (b"some value", b"another, longer value"):
        with m.optional(*DECLINED, what="setxattr"):
            os.setxattr(path, "user.fsprobe", value)
        m.expect_equal(value, os.getxattr(path, "user.fsprobe"), "the value")


@mount_check(
    "posix.setxattr.flags", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.2; man 2 setxattr", quick=True,
    needs=("write", "xattr"), killers=("SETXATTR:fake", "SETXATTR:map=EEXIST>EIO", "SETXATTR:map=ENODATA>EIO"),
)
def flags(m: Mount) -> None:
    """XATTR_CREATE of an attribute that is there is EEXIST; XATTR_REPLACE of one that is not is ENODATA."""
    path = m.file("file")
    with m.raises(errno.ENODATA, what="XATTR_REPLACE of a missing attribute"):
        os.setxattr(path, "user.fsprobe", b"x", os.XATTR_REPLACE)
    os.setxattr(path, "user.fsprobe", b"first", os.XATTR_CREATE)
    with m.raises(errno.EEXIST, what="XATTR_CREATE of an existing attribute"):
        os.setxattr(path, "user.fsprobe", b"second", os.XATTR_CREATE)
    m.expect_equal(b"first", os.getxattr(path, "user.fsprobe"), "the value after a refused change")


@mount_check(
    "posix.setxattr.any-bytes", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.4", also=("GETXATTR",),
    needs=("write", "xattr"), killers=("SETXATTR:fake", "GETXATTR:flip", "GETXATTR:short"), quick=True,
)
def any_bytes(m: Mount) -> None:
    """A value can be empty, which is not the same as absent, and can hold any bytes."""
    path = m.file("file")
    for name, value in (("user.empty", b""), ("user.binary", bytes(range(256))), ("user.nul", b"\0a\0")):
        os.setxattr(path, name, value)
        m.expect_equal(value, os.getxattr(path, name), f"the value of {name}")


@mount_check(
    "posix.setxattr.directory", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.6", also=("GETXATTR",),
    needs=("write", "xattr"), killers=("SETXATTR:errno=EIO,path=*folder", "SETXATTR:fake,path=*folder"),
)
def on_directory(m: Mount) -> None:
    """A directory can have user attributes too."""
    path = m.subdir("folder")
    os.setxattr(path, "user.fsprobe", b"value")
    m.expect_equal(b"value", os.getxattr(path, "user.fsprobe"), "the value")


@mount_check(
    "posix.setxattr.moves-along", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.8", also=("RENAME",),
    needs=("write", "xattr"), killers=("SETXATTR:fake", "RENAME:fake", "GETXATTR:errno=ENODATA"), quick=True,
)
def moves_along(m: Mount) -> None:
    """Attributes move with a renamed file, and a new file under the old name has none."""
    old, new = m.file("old"), m.path("new")
    os.setxattr(old, "user.fsprobe", b"value")
    os.rename(old, new)
    m.expect_equal(b"value", os.getxattr(new, "user.fsprobe"), "the value after rename")
    m.file("old")
    with m.raises(errno.ENODATA, what="getxattr of the new file"):
        os.getxattr(old, "user.fsprobe")


@mount_check(
    "posix.getxattr.missing", op="GETXATTR", level=OPTIONAL, source="catalogue 3.19.1; man 2 getxattr", main=True,
    quick=True, needs=("write",), killers=("GETXATTR:errno=EIO", "GETXATTR:map=ENODATA>ENOENT"),
)
def missing(m: Mount) -> None:
    """getxattr of an attribute that a file does not have is ENODATA."""
    path = m.file("file")
    with (
        m.raises(errno.ENODATA, what="getxattr of a missing attribute"),
        m.optional(*DECLINED, what="getxattr"),
    ):
        os.getxattr(path, "user.missing")


@mount_check(
    "posix.getxattr.sizes", op="GETXATTR", level=OPTIONAL, source="catalogue 3.19.3; man 2 getxattr", quick=True,
    also=("LISTXATTR",), needs=("write", "xattr"), killers=("GETXATTR:errno=EIO", "GETXATTR:map=ERANGE>EIO"),
)
def sizes(m: Mount) -> None:
    """A buffer of size 0 asks for the length, and one that is too short is ERANGE, for values and for lists."""
    path = m.file("file")
    with m.setup():
        os.setxattr(path, "user.fsprobe", b"ten bytes!")
    m.expect_equal(10, linux.getxattr(path, "user.fsprobe", 0)[0], "the length of the value")
    with m.raises(errno.ERANGE, what="getxattr into 4 bytes"):
        linux.getxattr(path, "user.fsprobe", 4)
    length = linux.listxattr(path, 0)[0]
    m.expect(length >= len("user.fsprobe\0"), "a length of the list of at least 13", str(length))
    with m.raises(errno.ERANGE, what="listxattr into 4 bytes"):
        linux.listxattr(path, 4)


@mount_check(
    "posix.listxattr.lists", op="LISTXATTR", level=OPTIONAL, source="catalogue 3.19.1; man 2 listxattr", main=True,
    quick=True, needs=("write", "xattr"), killers=("LISTXATTR:errno=EIO", "LISTXATTR:short", "SETXATTR:fake"),
)
def lists(m: Mount) -> None:
    """listxattr names every user attribute once, and none before any was set."""
    path = m.file("file")
    mine = [name for name in os.listxattr(path) if name.startswith("user.")]
    m.expect_equal([], mine, "the user attributes of a new file")
    for name in ("user.one", "user.two"):
        os.setxattr(path, name, b"x")
    mine = sorted(name for name in os.listxattr(path) if name.startswith("user."))
    m.expect_equal(["user.one", "user.two"], mine, "the user attributes")


@mount_check(
    "posix.removexattr.removes", op="REMOVEXATTR", level=OPTIONAL, source="catalogue 3.19.1; man 2 removexattr",
    main=True, quick=True, needs=("write", "xattr"),
    killers=("REMOVEXATTR:fake", "REMOVEXATTR:errno=EIO", "REMOVEXATTR:map=ENODATA>EIO"),
)
def removes(m: Mount) -> None:
    """removexattr removes that attribute and no other, and is ENODATA for a missing one."""
    path = m.file("file")
    with m.setup():
        os.setxattr(path, "user.one", b"1")
        os.setxattr(path, "user.two", b"2")
    with m.optional(*DECLINED, what="removexattr"):
        os.removexattr(path, "user.one")
    mine = [name for name in os.listxattr(path) if name.startswith("user.")]
    m.expect_equal(["user.two"], mine, "the user attributes left")
    with m.raises(errno.ENODATA, what="removexattr of a missing attribute"):
        os.removexattr(path, "user.one")


@mount_check(
    "posix.setxattr.keeps-mtime", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.8", also=("GETATTR",),
    needs=("write", "xattr"), killers=("SETXATTR:errno=EIO,path=*aged",),
)
def keeps_mtime(m: Mount) -> None:
    """setxattr leaves mtime alone."""
    path = m.file("aged")
    m.age(path)
    os.setxattr(path, "user.fsprobe", b"value")
    m.expect_same_mtime(path, "setxattr")
