"""Answers that must follow a change, each beside a witness that tells whose fault a stale one is."""

from __future__ import annotations

import errno
import fcntl
import os

from fsprobe.checks import SHOULD, Finding, Skip, linux, mount_check
from fsprobe.checks.mount import Mount

UNKNOWN_INO = 0xFFFFFFFF
"""What libfuse's high level writes in an entry where the file system gives no number (FUSE_UNKNOWN_INO)."""
NAME = "user.fsprobe"
FIELDS = ("ino", "mode", "nlink", "uid", "gid", "size", "blocks", "atime_ns", "mtime_ns", "ctime_ns")


@mount_check(
    "posix.getxattr.fresh", op="GETXATTR", also=("SETXATTR",), source="catalogue 3.18.1; man 2 getxattr",
    needs=("write", "xattr"), killers=("GETXATTR:stale", "GETXATTR:short", "GETXATTR:flip"),
)
def getxattr_fresh(m: Mount) -> None:
    """After an attribute was set anew its value has the size that is told, and is the new one."""
    path = m.file("file")
    with m.setup():
        os.setxattr(path, NAME, b"first")
    m.expect_equal(b"first", linux.getxattr(path, NAME, 64)[1], "the value")
    with m.setup():
        os.setxattr(path, NAME, b"the second one")
    size, value = linux.getxattr(path, NAME, 0)[0], linux.getxattr(path, NAME, 64)[1]
    m.expect_equal(size, len(value), "the length of the value beside the size told")
    m.expect_equal(b"the second one", value, "the value")


def compare(m: Mount, folder: str, size: int) -> None:
    """Every entry's inode number and type beside those of stat. size: of the buffer, so that one page takes several."""
    for entry in m.entries(folder, size=size):
        if entry.name in (b".", b".."):
            continue
        asked = m.stat(os.path.join(folder, os.fsdecode(entry.name)), follow=False)
        said = linux.DIRENT_TYPES.get(entry.type, "unknown")
        if said not in ("unknown", linux.type_name(asked.mode)):
            raise Finding(f"{linux.type_name(asked.mode)} as the type of {entry.name!r}", said)
        if entry.ino in (0, UNKNOWN_INO):
            raise Skip("the listing gives no inode numbers here")
        if entry.ino != asked.ino:
            raise Finding(f"inode number {asked.ino} for {entry.name!r}", f"{entry.ino}")


def filled(m: Mount, files: int) -> str:
    """A directory with a directory and so many files in it."""
    folder = m.subdir("folder")
    with m.setup():
        os.mkdir(os.path.join(folder, "sub"))
        for number in range(files):
            os.close(os.open(os.path.join(folder, f"file{number}"), os.O_CREAT | os.O_WRONLY))
    return folder


@mount_check(
    "posix.readdir.numbers", op="READDIR", also=("GETATTR", "READDIRPLUS"), source="catalogue 3.1.9; man 3 readdir",
    level=SHOULD, needs=("write",), quick=True,
    killers=("*:entries=ino", "*:entries=type", "*:entries=offset", "*:stale", "READDIR:errno=EIO"),
)
def readdir_numbers(m: Mount) -> None:
    """Every entry, of the first page or a later one, is there, with the inode number and the type that stat gives, and
    is there no more when it was removed."""
    folder = filled(m, 60)
    compare(m, folder, 1024)
    names = {b"sub", *(b"file%d" % number for number in range(60))}
    for removed in ("", "file7", "file8"):
        if removed:
            with m.setup():
                os.unlink(os.path.join(folder, removed))
            names.remove(os.fsencode(removed))
        shown = [entry.name for entry in m.entries(folder, size=1024) if entry.name not in (b".", b"..")]
        m.expect_equal(sorted(names), sorted(shown), "the names listed")


@mount_check(
    "posix.readdirplus.told-attributes", op="READDIRPLUS", also=("GETATTR", "READDIR"),
    source="catalogue 3.20.2; k:fuse_direntplus_link", needs=("write",), quick=True,
    killers=(
        *(
            f"READDIRPLUS:attr.{field}"
            for field in ("ino=+1000", "mode=+1", "nlink=+1", "uid=+1", "gid=+1", "blocks=+8")
        ),
        "READDIRPLUS:attr.mtime=+1000", "READDIRPLUS:attr.ctime=+1000", "READDIRPLUS:attr.size=+1000",
        "*:entries=slash",
    ),
)  # fmt: skip
def readdirplus_told(m: Mount) -> None:
    """The attributes that come with a listing are those that GETATTR gives."""
    folder = filled(m, 3)
    m.forget_names()
    for name in m.names(folder):
        path = os.path.join(folder, os.fsdecode(name))
        told = linux.statx(path, flags=linux.AT_STATX_DONT_SYNC | linux.AT_SYMLINK_NOFOLLOW)
        asked, again = m.stat(path, follow=False), m.stat(path, follow=False)
        wrong = [
            f"{field} {getattr(told, field)}, GETATTR {getattr(asked, field)}"
            for field in FIELDS if getattr(asked, field) == getattr(again, field) != getattr(told, field)
        ]  # fmt: skip
        if wrong:
            raise Finding(f"with {name!r} the attributes that GETATTR gives", "; ".join(wrong))


@mount_check(
    "posix.setlkw.flock-holds", op="SETLKW", also=("SETLK",), source="catalogue 3.22.5; man 2 flock",
    needs=("write", "flocks"), killers=("SETLKW:fake", "SETLKW:errno=EIO"),
)
def flock_holds(m: Mount) -> None:
    """A lock that was granted to one who would have waited keeps others out."""
    path = m.file("file")
    one, other = m.open(path, os.O_RDWR), m.open(path, os.O_RDWR)
    fcntl.flock(one, fcntl.LOCK_EX)
    with m.raises(errno.EAGAIN, what="flock of a file that another descriptor has locked"):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@mount_check(
    "posix.batch-forget.comes-back", op="BATCH_FORGET", also=("LOOKUP", "GETATTR"), source="catalogue 3.2.2, 3.2.4",
    needs=("write",), killers=("BATCH_FORGET:crash", "LOOKUP:errno=EIO,path=*file7,nth=2", "READ:flip"),
)
def batch_forget_comes_back(m: Mount) -> None:
    """Twenty files that the kernel gave back at once are found again, each with its content."""
    paths = [m.file(f"file{number}", b"content %02d" % number) for number in range(20)]
    m.forget_names()
    for number, path in enumerate(paths):
        m.expect_equal(b"content %02d" % number, m.read(path), f"the content of file{number}")
