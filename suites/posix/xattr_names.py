"""SETXATTR, LISTXATTR, REMOVEXATTR: names of attributes, and lists of many."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import OPTIONAL, SHOULD, mount_check
from fsprobe.checks.mount import Mount

NEEDS = ("write", "xattr")
LIMITS = (errno.ENOSPC, errno.E2BIG, errno.EDQUOT)
REFUSED = (errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.ERANGE)


def mine(path: str) -> list[str]:
    """The user attributes of a file, sorted, each as often as it is listed."""
    return sorted(name for name in os.listxattr(path) if name.startswith("user."))


@mount_check(
    "posix.listxattr.many", op="LISTXATTR", level=OPTIONAL, source="catalogue 3.19.3; man 2 listxattr", needs=NEEDS,
    also=("SETXATTR", "REMOVEXATTR"), killers=("LISTXATTR:short", "REMOVEXATTR:fake", "SETXATTR:fake,nth=7"),
)
def many(m: Mount) -> None:
    """Twenty attributes are listed once each; when every second was removed the others are, with their values."""
    path = m.file("file")
    names = [f"user.fsprobe.{number:02}" for number in range(20)]
    for number, name in enumerate(names):
        with m.optional(*LIMITS, what="twenty attributes"):
            os.setxattr(path, name, b"%d" % number)
    m.expect_equal(names, mine(path), "the attributes")
    for name in names[::2]:
        os.removexattr(path, name)
    m.expect_equal(names[1::2], mine(path), "the attributes that are left")
    for number in range(1, 20, 2):
        m.expect_equal(b"%d" % number, os.getxattr(path, names[number]), f"the value of {names[number]}")


@mount_check(
    "posix.setxattr.longest-name", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.5; man 7 xattr", needs=NEEDS,
    also=("GETXATTR", "LISTXATTR"), killers=("SETXATTR:fake", "GETXATTR:flip", "LISTXATTR:short"),
)
def longest_name(m: Mount) -> None:
    """A name of 255 bytes works, and is listed whole; one of 256 is ERANGE."""
    path = m.file("file")
    name = "user." + "n" * 250
    with m.optional(*LIMITS, errno.ENAMETOOLONG, errno.ERANGE, what="a name of 255 bytes"):
        os.setxattr(path, name, b"value")
    m.expect_equal(b"value", os.getxattr(path, name), "the value")
    m.expect_equal([name], mine(path), "the attributes")
    with m.raises(errno.ERANGE, what="setxattr with a name of 256 bytes"):
        os.setxattr(path, name + "n", b"value")


@mount_check(
    "posix.setxattr.any-name", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.5; man 7 xattr", needs=NEEDS,
    also=("LISTXATTR", "GETXATTR"), killers=("SETXATTR:fake", "LISTXATTR:short", "GETXATTR:flip"), quick=True,
)
def any_name(m: Mount) -> None:
    """Names with dots, spaces, capitals and UTF-8 are different names, and are listed as they were given."""
    path = m.file("file")
    names = sorted(("user.a", "user.A", "user.a.b", "user.with space", "user.DOSATTRIB", "user.n\u00e4me", "user.k=v"))
    for name in names:
        os.setxattr(path, name, name.encode())
    m.expect_equal(names, mine(path), "the attributes")
    for name in names:
        m.expect_equal(name.encode(), os.getxattr(path, name), f"the value of {name}")


@mount_check(
    "posix.setxattr.odd-namespace", op="SETXATTR", level=SHOULD, source="catalogue 3.19.5; man 2 setxattr",
    needs=NEEDS, killers=("SETXATTR:errno=EIO", "SETXATTR:fake"),
)
def odd_namespace(m: Mount) -> None:
    """A name outside of every namespace of Linux is refused as not supported, and `user.` alone as no name."""
    path = m.file("file")
    for name in ("nonamespace", "unknown.name"):
        with m.raises(*REFUSED, what=f"setxattr of {name}"):
            os.setxattr(path, name, b"value")
    with m.raises(*REFUSED, what="setxattr of `user.`"):
        os.setxattr(path, "user.", b"value")


@mount_check(
    "posix.removexattr.set-again", op="REMOVEXATTR", level=OPTIONAL, source="catalogue 3.19.1, 3.19.2", needs=NEEDS,
    also=("SETXATTR", "LISTXATTR"), killers=("REMOVEXATTR:fake", "REMOVEXATTR:errno=EIO", "LISTXATTR:short"),
)
def set_again(m: Mount) -> None:
    """A removed attribute can be created again with XATTR_CREATE, five times over, and is listed once."""
    path = m.file("file")
    for turn in range(5):
        os.setxattr(path, "user.fsprobe", b"turn %d" % turn, os.XATTR_CREATE)
        m.expect_equal(["user.fsprobe"], mine(path), "the attributes")
        m.expect_equal(b"turn %d" % turn, os.getxattr(path, "user.fsprobe"), "the value")
        os.removexattr(path, "user.fsprobe")
        m.expect_equal([], mine(path), "the attributes after removal")


@mount_check(
    "posix.listxattr.of-each", op="LISTXATTR", level=OPTIONAL, source="catalogue 3.19.6; man 7 xattr", needs=NEEDS,
    also=("SETXATTR",), killers=("LISTXATTR:errno=EIO", "LISTXATTR:short", "SETXATTR:fake,path=*folder"),
)
def of_each(m: Mount) -> None:
    """Two files and their directory have each their own attributes."""
    top = m.subdir("folder")
    paths = {"user.folder": top, "user.one": m.file("folder/one"), "user.two": m.file("folder/two")}
    for name, path in paths.items():
        os.setxattr(path, name, b"value")
    for name, path in paths.items():
        m.expect_equal([name], mine(path), f"the attributes of {os.path.basename(path)}")
