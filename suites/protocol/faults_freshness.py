"""Answers that must follow a change, each beside a witness that tells whose fault a stale one is."""

from __future__ import annotations

import os
from errno import EACCES, EAGAIN

from fsprobe.checks import OPTIONAL, SHOULD, Finding, Skip, wire_check
from fsprobe.checks.kernel import Attr, DirentPlus, Kernel

_WRITE_LOCK = 1  # F_WRLCK
UNKNOWN_INO = 0xFFFFFFFF
"""What libfuse's high level writes in an entry where the file system gives no number (FUSE_UNKNOWN_INO)."""


@wire_check(
    "protocol.getxattr.fresh", op="GETXATTR", also=("SETXATTR",), source="catalogue 3.18.1; man 2 getxattr",
    needs=("write", "xattr"), killers=("GETXATTR:stale", "GETXATTR:short", "GETXATTR:flip"), quick=True,
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
    needs=("write", "xattr"), killers=("LISTXATTR:stale", "LISTXATTR:errno=EIO"), quick=True,
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
    quick=True,
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


@wire_check(
    "protocol.readdirplus.agrees", op="READDIRPLUS", also=("LOOKUP", "GETATTR"), source="catalogue 3.20.2",
    level=OPTIONAL, needs=("write",), quick=True,
    killers=(
        *(
            f"READDIRPLUS:attr.{field}"
            for field in ("ino=+1000", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8", "mode=+1")
        ),
        "READDIRPLUS:attr.mtime=+1000", "READDIRPLUS:attr.ctime=+1000", "READDIRPLUS:attr.atime=+1000",
        "READDIRPLUS:stale", "READDIRPLUS:entries=double", "READDIRPLUS:entries=offset", "READDIRPLUS:entries=type",
        "READDIRPLUS:entries=ino",
    ),
)  # fmt: skip
def readdirplus_agrees(k: Kernel) -> None:
    """A listing with attributes has every name once, with the attributes, type and number that LOOKUP and GETATTR give,
    goes on after any entry, and follows a change."""
    names = [b"a", b"b", b"folder"]
    with k.setup():
        nodes = {b"a": k.given_file("a", b"content"), b"b": k.given_file("b"), b"folder": k.given_dir("folder")}
    for entry in _plus(k, names):
        node = nodes[entry.dirent.name]
        found = k.lookup(k.dir, entry.dirent.name).attr
        asked = k.getattr(node)
        if entry.entry.nodeid:
            alone = differs(entry.entry.attr, found, asked)
            k.expect(not alone, "the attributes that LOOKUP and GETATTR give", "; ".join(alone))
        k.expect_equal(asked.mode >> 12, entry.dirent.type or asked.mode >> 12, f"the type of {entry.dirent.name!r}")
        if entry.dirent.ino not in (0, UNKNOWN_INO, asked.ino):
            wanted = f"the number of {entry.dirent.name!r} {asked.ino}"
            raise Finding(wanted, f"{entry.dirent.ino}", warn=True)  # as in a listing without attributes
    with k.setup():
        k.given_file("later")
    _plus(k, [*names, b"later"])


def _plus(k: Kernel, names: list[bytes]) -> list[DirentPlus]:
    """The named entries of the check's directory, which must be these, once each, and from each offset the rest."""
    handle = k.opendir(k.dir)
    with k.optional():
        listed = k.readdirplus(handle)
    shown = [entry.dirent.name for entry in listed]
    mine = [name for name in shown if name not in (b".", b"..")]
    k.expect_equal(sorted(names), sorted(mine), "the names listed")
    for place, entry in enumerate(listed[:-1]):
        rest = k.readdirplus(handle, entry.dirent.off)
        k.expect_equal(shown[place + 1 :], [one.dirent.name for one in rest], f"what comes after {shown[place]!r}")
    k.release(handle)
    return [entry for entry in listed if entry.dirent.name in names]


def differs(mine: Attr, one: Attr, other: Attr) -> list[str]:
    """Fields in which `mine` stands alone."""
    shown = ("ino", "mode", "nlink", "uid", "gid", "size", "blocks", "atime", "mtime", "ctime")
    return [
        f"{name} {getattr(mine, name)}, others {getattr(one, name)}"
        for name in shown if getattr(one, name) == getattr(other, name) != getattr(mine, name)
    ]  # fmt: skip


@wire_check(
    "protocol.getlk.conflict", op="GETLK", also=("SETLK",), source="catalogue 3.22.1",
    needs=("write", "posix-locks"), quick=True,
    killers=("GETLK:fake", "GETLK:errno=EIO"),
)
def getlk_conflict(k: Kernel) -> None:
    """A lock that keeps SETLK of another owner out is told by GETLK."""
    node = k.given_file("f", b"0123456789")
    mine, theirs = k.given_handle(node, os.O_RDWR), k.given_handle(node, os.O_RDWR)
    with k.setup():
        k.setlk(mine, 1, _WRITE_LOCK, 0, 9)
    try:
        k.setlk(theirs, 2, _WRITE_LOCK, 0, 9)
    except OSError as error:
        if error.errno not in (EAGAIN, EACCES):
            raise
        k.expect_equal(_WRITE_LOCK, k.getlk(theirs, 2, _WRITE_LOCK, 0, 9).type, "the type of the lock that GETLK tells")
    else:
        raise Skip("SETLK lets two owners have one range: its own check says so")
