"""Answers that must follow a change, each beside a witness that tells whose fault a stale one is."""

from __future__ import annotations

from fsprobe.checks import SHOULD, Finding, Skip, wire_check
from fsprobe.checks.kernel import Kernel

UNKNOWN_INO = 0xFFFFFFFF
"""What libfuse's high level writes in an entry where the file system gives no number (FUSE_UNKNOWN_INO)."""


@wire_check(
    "protocol.getxattr.fresh", op="GETXATTR", also=("SETXATTR",), source="catalogue 3.18.1; man 2 getxattr",
    needs=("write", "xattr"), killers=("GETXATTR:stale", "GETXATTR:short", "GETXATTR:flip"),
)
def getxattr_fresh(k: Kernel) -> None:
    """After an attribute was set anew its value has the size that GETXATTR tells, and is the new one."""
    node = k.given_file("f")
    k.given_xattr(node, "user.fsprobe", b"first")
    k.expect_equal(b"first", k.getxattr(node, "user.fsprobe"), "the value")
    k.given_xattr(node, "user.fsprobe", b"the second one")
    size, value = k.getxattr_size(node, "user.fsprobe"), k.getxattr(node, "user.fsprobe")
    k.expect_equal(size, len(value), "the length of the value beside the size told")
    k.expect_equal(b"the second one", value, "the value")


@wire_check(
    "protocol.listxattr.fresh", op="LISTXATTR", also=("SETXATTR", "GETXATTR"), source="man 2 listxattr",
    needs=("write", "xattr"), killers=("LISTXATTR:stale", "LISTXATTR:errno=EIO"),
)
def listxattr_fresh(k: Kernel) -> None:
    """An attribute that GETXATTR finds is in the list, though the list was asked for before it was set."""
    node = k.given_file("f")
    for name in (b"user.one", b"user.two"):
        k.given_xattr(node, name, b"value")
        with k.setup():
            k.getxattr(node, name)
        names = k.listxattr(node)
        k.expect(name in names, f"{name!r} in the list", repr(names))


@wire_check(
    "protocol.readdir.numbers", op="READDIR", also=("LOOKUP", "MKDIR", "CREATE"), level=SHOULD,
    source="catalogue 3.1.9; man 3 readdir", needs=("write",), killers=("READDIR:entries=ino", "READDIR:errno=EIO"),
)
def readdir_numbers(k: Kernel) -> None:
    """An entry has the inode number that LOOKUP and GETATTR give for its name, or none."""
    with k.setup():
        nodes = {b"file": k.given_file("file"), b"folder": k.given_dir("folder")}
    for entry in k.entries(k.dir):
        if entry.name not in nodes:
            continue
        asked, found = k.getattr(nodes[entry.name]).ino, k.lookup(k.dir, entry.name).attr.ino
        if entry.ino in (0, UNKNOWN_INO):
            raise Skip("READDIR gives no inode numbers here")
        if asked == found != entry.ino:
            raise Finding(f"inode number {asked} for {entry.name!r}", f"{entry.ino}")
