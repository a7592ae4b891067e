"""FORGET: the kernel gives nodes back when files go, and the daemon must neither lose nor mix up what is left."""

from __future__ import annotations

import os

from fsprobe.checks import Skip, linux, mount_check
from fsprobe.checks.mount import Mount

READING = os.O_RDONLY | os.O_DIRECTORY


def settle(m: Mount, folder: str) -> None:
    """RELEASE is asynchronous: where a file closed before was hidden, a few round trips let it go."""
    for _ in range(50):
        if not m.hidden(f"{folder}/any"):
            break


@mount_check(
    "posix.forget.name-used-again", op="FORGET", source="catalogue 3.2.4, 3.2.5", main=True, quick=True,
    also=("UNLINK", "CREATE", "READ"), needs=("write",), killers=("FORGET:crash", "UNLINK:fake", "READ:flip"),
)
def name_used_again(m: Mount) -> None:
    """A name made, forgotten and made again thirty times is a new file each time, with its own content."""
    path = m.path("name")
    for turn in range(30):
        fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
        m.expect_equal(0, m.stat(fd).size, f"the size of the new file in turn {turn}")
        os.write(fd, b"turn %02d" % turn)
        m.close(fd)
        m.expect_equal(b"turn %02d" % turn, m.read(path), f"the content in turn {turn}")
        os.unlink(path)


@mount_check(
    "posix.forget.open-file-stays", op="FORGET", source="catalogue 3.2.3; POSIX unlink", also=("UNLINK", "READ"),
    needs=("write",), killers=("FORGET:crash", "READ:flip,path=*kept,nth=2", "UNLINK:errno=EIO,path=*other9"),
)
def open_file_stays(m: Mount) -> None:
    """An unlinked file that is open keeps its content while the nodes of twenty others are given back."""
    path = m.file("kept", b"kept data")
    fd = m.open(path, os.O_RDWR)
    number = m.stat(fd).ino
    with m.setup():
        os.unlink(path)
        if m.pread(fd, 100, 0) != b"kept data":
            raise Skip("an open file does not outlive its unlink here, whatever is forgotten")
    for turn in range(20):
        os.unlink(m.file(f"other{turn}", b"other data"))
    m.expect_equal(b"kept data", m.pread(fd, 100, 0), "the content of the open file")
    m.expect_equal(number, m.stat(fd).ino, "the inode number of the open file")


@mount_check(
    "posix.forget.tree", op="FORGET", source="catalogue 3.2.2, 3.2.5", also=("UNLINK", "RMDIR", "MKDIR"),
    needs=("write",), killers=("FORGET:crash", "RMDIR:fake", "*:entries=lose"),
)
def tree(m: Mount) -> None:
    """A tree removed from its leaves up and made again three times is complete and fresh each time."""
    for turn in range(3):
        top = m.path("top")
        for folder in ("", "/a", "/a/b", "/c"):
            os.mkdir(top + folder)
            fd = m.open(f"{top}{folder}/leaf", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            os.write(fd, b"turn %d" % turn)
            m.close(fd)
        m.expect_equal([b"a", b"c", b"leaf"], m.names(top), f"the names in turn {turn}")
        for folder in ("/a/b", "/a", "/c", ""):
            m.expect_equal(b"turn %d" % turn, m.read(f"{top}{folder}/leaf"), f"the content of {folder}/leaf")
            os.unlink(f"{top}{folder}/leaf")
            settle(m, top + folder)
            os.rmdir(top + folder)
        m.expect(not os.path.lexists(top), "no tree after its removal", "it is still there")


@mount_check(
    "posix.forget.one-of-two-names", op="FORGET", source="catalogue 3.2.2, 3.12.6", also=("LINK", "UNLINK", "READ"),
    needs=("write", "hardlink"), killers=("READ:errno=ESTALE", "UNLINK:fake", "GETATTR:attr.nlink=2"),
)
def one_of_two_names(m: Mount) -> None:
    """After each of two names was removed in turn and made again, the other still leads to the same file."""
    first = m.file("first", b"shared")
    second = m.hard_link(first, "second")
    number = m.stat(first).ino
    for gone, left in ((first, second), (second, first)):
        os.unlink(gone)
        settle(m, os.path.dirname(gone))
        m.expect_equal(b"shared", m.read(left), "the content by the name that is left")
        m.expect_equal(1, m.stat(left).nlink, "the links of what is left")
        with m.setup("link"):
            os.link(left, gone)
    m.expect_equal(b"shared", m.read(second), "the content by the name made again")
    m.expect_equal(number, m.stat(second).ino, "the inode number", warn=True)


@mount_check(
    "posix.forget.directory-held-open", op="FORGET", source="catalogue 3.2.3; POSIX openat",
    also=("LOOKUP", "OPENDIR", "UNLINK"), needs=("write",),
    killers=("READ:flip,path=*leaf", "FORGET:crash", "UNLINK:errno=EIO,path=*other9"),
)
def directory_held_open(m: Mount) -> None:
    """A directory held by a descriptor is entered from there after everything around it was forgotten and renamed."""
    m.subdir("top")
    top = m.subdir("top/held")
    m.file("top/held/leaf", b"leaf")
    fd = m.open(top, READING)
    for turn in range(10):
        os.unlink(m.file(f"top/other{turn}"))
    with m.setup():
        os.rename(m.path("top"), m.path("moved"))
    leaf = m.open("leaf", dir_fd=fd)
    m.expect_equal(b"leaf", os.read(leaf, 100), "the content by the descriptor")
    m.expect_equal("directory", linux.type_name(m.stat(fd).mode), "the type of what is held")
    with m.setup():
        os.rename(m.path("moved/held/leaf"), m.path("moved/held/new-leaf"))
    m.expect_equal(b"leaf", os.read(m.open("new-leaf", dir_fd=fd), 100), "the content under its new name")
