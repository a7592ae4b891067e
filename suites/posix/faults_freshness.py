"""Answers that must follow a change, each beside a witness that tells whose fault a stale one is."""

from __future__ import annotations

import os

from fsprobe.checks import SHOULD, Finding, Skip, linux, mount_check
from fsprobe.checks.mount import Mount

UNKNOWN_INO = 0xFFFFFFFF
"""What libfuse's high level writes in an entry where the file system gives no number (FUSE_UNKNOWN_INO)."""
NAME = "user.fsprobe"


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


@mount_check(
    "posix.readdir.numbers", op="READDIR", also=("GETATTR",), source="catalogue 3.1.9; man 3 readdir", level=SHOULD,
    needs=("write",), killers=("*:entries=ino", "READDIR:errno=EIO"),
)
def readdir_numbers(m: Mount) -> None:
    """An entry has the inode number that stat gives for its name, or none."""
    folder = m.subdir("folder")
    with m.setup():
        os.mkdir(os.path.join(folder, "sub"))
        os.close(os.open(os.path.join(folder, "file"), os.O_CREAT | os.O_WRONLY))
    for entry in m.entries(folder):
        if entry.name in (b".", b".."):
            continue
        asked = m.stat(os.path.join(folder, os.fsdecode(entry.name))).ino
        if entry.ino in (0, UNKNOWN_INO):
            raise Skip("READDIR gives no inode numbers here")
        if entry.ino != asked:
            raise Finding(f"inode number {asked} for {entry.name!r}", f"{entry.ino}")


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
