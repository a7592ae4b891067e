"""What the kernel was told of a node by one operation, beside what the file system says when it is asked again.

AT_STATX_DONT_SYNC shows what the last reply left in the kernel, AT_STATX_FORCE_SYNC asks GETATTR.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from fsprobe.checks import OPTIONAL, Blocked, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

FIELDS = ("ino", "mode", "nlink", "uid", "gid", "size", "blocks", "atime_ns", "mtime_ns", "ctime_ns")
SOURCE = "catalogue 3.1.9, 3.3.1; POSIX sys/stat.h"
SAME_MOMENT = 10**9
"""Nanoseconds: a daemon that looks at its backing store twice while it makes a node sees two times, both true."""


def kept(target: str | int) -> linux.Stat:
    """What the kernel knows of a path or descriptor, without asking for its attributes."""
    link = linux.AT_SYMLINK_NOFOLLOW if isinstance(target, str) else 0
    return linux.statx(target, flags=linux.AT_STATX_DONT_SYNC | link)


def expect_kept(m: Mount, op: str, told: linux.Stat, path: str) -> None:
    """Raises Finding where the attributes that `op` told are not those of GETATTR, asked twice."""
    one, other = m.stat(path, follow=False), m.stat(path, follow=False)
    wrong = [
        f"{name} {getattr(told, name)}, GETATTR {getattr(one, name)}"
        for name in FIELDS
        if getattr(one, name) == getattr(other, name) != getattr(told, name)
        and not (name.endswith("_ns") and abs(getattr(one, name) - getattr(told, name)) < SAME_MOMENT)
    ]  # fmt: skip
    if wrong:
        raise Finding(f"{op} told the attributes that GETATTR gives", "; ".join(wrong))


def killers(op: str, *more: str) -> tuple[str, ...]:
    """Wrong attributes in the reply that makes a node."""
    fields = ("ino=+1000", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8", "mtime=+1000", "ctime=+1000", "atime=+1000")
    return (*(f"{op}:attr.{field},path=*new*" for field in fields), *more)


def judge_new(m: Mount, op: str, make: Callable[[str], object]) -> None:
    """Two new nodes, because some faults need a neighbour."""
    for name in ("new1", "new2"):
        path = m.path(name)
        make(path)
        expect_kept(m, op, kept(path), path)


@mount_check(
    "posix.create.told-attributes", op="CREATE", also=("GETATTR",), source=SOURCE, needs=("write",),
    killers=killers("CREATE", "CREATE:attr.mode=+1,path=*new*", "CREATE:attr.size=+1000,path=*new*"),
)
def create_told(m: Mount) -> None:
    """The attributes that CREATE tells are those that GETATTR gives."""
    for name in ("new1", "new2"):
        path = m.path(name)
        fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        expect_kept(m, "CREATE", kept(fd), path)


@mount_check(
    "posix.mkdir.told-attributes", op="MKDIR", also=("GETATTR",), source=SOURCE, needs=("write",),
    killers=killers("MKDIR", "MKDIR:attr.mode=+1,path=*new*"),
)
def mkdir_told(m: Mount) -> None:
    """The attributes that MKDIR tells are those that GETATTR gives."""
    judge_new(m, "MKDIR", os.mkdir)


@mount_check(
    "posix.mknod.told-attributes", op="MKNOD", also=("GETATTR",), source=SOURCE, needs=("write",), level=OPTIONAL,
    killers=killers("MKNOD", "MKNOD:attr.mode=+1,path=*new*"),
)
def mknod_told(m: Mount) -> None:
    """The attributes that MKNOD tells are those that GETATTR gives."""
    judge_new(m, "MKNOD", lambda path: os.mknod(path, stat.S_IFREG | 0o644))


@mount_check(
    "posix.symlink.told-attributes", op="SYMLINK", also=("GETATTR",), source=SOURCE, needs=("write", "symlink"),
    killers=killers("SYMLINK", "SYMLINK:attr.mode=+1,path=*new*", "SYMLINK:attr.size=+1000,path=*new*"),
)
def symlink_told(m: Mount) -> None:
    """The attributes that SYMLINK tells are those that GETATTR gives."""
    judge_new(m, "SYMLINK", lambda path: os.symlink("target", path))


@mount_check(
    "posix.link.told-attributes", op="LINK", also=("GETATTR",), source=SOURCE, needs=("write", "hardlink"),
    killers=killers("LINK", "LINK:attr.mode=+1,path=*new*", "LINK:attr.size=+1000,path=*new*"),
)
def link_told(m: Mount) -> None:
    """The attributes that LINK tells are those that GETATTR gives."""
    old = {m.path(f"new{number}"): m.file(f"old{number}", b"content") for number in (1, 2)}
    judge_new(m, "LINK", lambda path: os.link(old[path], path))


@mount_check(
    "posix.link.open-file-stays", op="LINK", also=("GETATTR",), source="catalogue 3.1.7; k:fuse_stale_inode",
    needs=("write", "hardlink"), killers=("LINK:generation", "LINK:errno=EIO"),
)
def link_open(m: Mount) -> None:
    """A file that is open can still be asked for its attributes after it got a second name."""
    path = m.file("old", b"content")
    fd = m.open(path)
    os.link(path, m.path("new"))
    m.expect_equal(7, m.stat(fd).size, "the size of the open file")


@mount_check(
    "posix.setattr.told-attributes", op="SETATTR", also=("GETATTR",), source="catalogue 3.4.1, 3.3.1",
    needs=("write",),
    killers=(
        *(f"SETATTR:attr.{field}" for field in ("ino=+1000", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8")),
        "SETATTR:attr.mtime=+1000", "SETATTR:attr.ctime=+1000", "SETATTR:attr.atime=+1000", "SETATTR:neighbour",
    ),
)  # fmt: skip
def setattr_told(m: Mount) -> None:
    """The attributes that fchmod, ftruncate and futimens tell are those that GETATTR gives."""
    changes: tuple[Callable[[int], None], ...] = (
        lambda fd: os.fchmod(fd, 0o640), lambda fd: os.ftruncate(fd, 3), lambda fd: os.utime(fd, (1e9, 1e9)),
    )  # fmt: skip
    paths = [m.file(name, b"content") for name in ("first", "second")]
    opened = {path: m.open(path, os.O_RDWR) for path in paths}
    for change in changes:
        for path, fd in opened.items():
            change(fd)
            expect_kept(m, "SETATTR", kept(fd), path)


@mount_check(
    "posix.statx.told-attributes", op="STATX", also=("GETATTR",), source="catalogue 3.34.2", level=OPTIONAL,
    needs=("write",),
    killers=(
        *(f"GETATTR:attr.{field}" for field in ("ino=+1000", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8")),
        *(f"STATX:attr.{field}" for field in ("atime=+1000", "blocks=+8", "ino=+1000", "uid=+1", "size=+1")),
    ),
)  # fmt: skip
def statx_told(m: Mount) -> None:
    """The attributes that come with the time of birth are those that GETATTR gives."""
    path = m.file("file", b"content")
    expect_kept(m, "STATX", m.stat(path, mask=linux.STATX_BASIC_STATS | linux.STATX_BTIME), path)


def looked_up(m: Mount, path: str) -> linux.Stat:
    """What a fresh LOOKUP tells of a path."""
    m.forget_names()
    return kept(path)


@mount_check(
    "posix.lookup.told-attributes", op="LOOKUP", also=("GETATTR",), source=SOURCE, needs=("write",),
    killers=(
        *(f"LOOKUP:attr.{field},path=*new*" for field in ("ino=+1000", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8")),
        *(f"LOOKUP:attr.{field},path=*new*" for field in ("mtime=+1000", "ctime=+1000", "atime=+1000", "size=+1000")),
    ),
)  # fmt: skip
def lookup_told(m: Mount) -> None:
    """The attributes that LOOKUP tells are those that GETATTR gives."""
    paths = [m.file("new1", b"content"), m.subdir("new2"), m.file("new3", b"more content")]
    for path in paths:
        expect_kept(m, "LOOKUP", looked_up(m, path), path)


@mount_check(
    "posix.lookup.open-file-stays", op="LOOKUP", also=("GETATTR", "LINK"), source="catalogue 3.1.7; k:fuse_stale_inode",
    needs=("write", "hardlink"), killers=("LOOKUP:generation,path=*second",),
)
def lookup_open(m: Mount) -> None:
    """A file that is open is the same file when another name of it is looked up."""
    path = m.file("first", b"content")
    fd = m.open(path)
    other = m.hard_link(path, "second")
    m.forget_names()
    found = linux.statx(other, flags=linux.AT_STATX_DONT_SYNC)
    m.expect_equal(7, m.stat(fd).size, "the size of the open file")
    m.expect_equal(m.stat(fd).ino, found.ino, "the inode number by its other name", warn=True)


@mount_check(
    "posix.getattr.beside-lookup", op="GETATTR", also=("LOOKUP", "CREATE"), source=SOURCE, needs=("write",),
    killers=(
        *(f"GETATTR:attr.{field}" for field in ("ino=+1000", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8")),
        "GETATTR:attr.mtime=+1000", "GETATTR:attr.ctime=+1000", "GETATTR:attr.atime=+1000", "GETATTR:neighbour",
    ),
)  # fmt: skip
def getattr_beside(m: Mount) -> None:
    """GETATTR gives the attributes that CREATE told, and LOOKUP after it."""
    for name in ("first", "second"):
        path = m.path(name)
        with m.setup():
            m.close(m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        created = kept(path)
        try:
            found = looked_up(m, path)
        except Blocked:  # no right to remount: CREATE alone is the witness
            found = created
        asked = m.stat(path)
        wrong = [
            f"{field} {getattr(asked, field)}, CREATE and LOOKUP {getattr(created, field)}"
            for field in FIELDS if getattr(created, field) == getattr(found, field) != getattr(asked, field)
        ]  # fmt: skip
        if wrong:
            raise Finding("GETATTR: the attributes that CREATE and LOOKUP told", "; ".join(wrong))
