"""LOOKUP: which file a name leads to, told by its inode number, type and content."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import SHOULD, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.lookup.same-number", op="LOOKUP", source="catalogue 3.1.7, 3.1.9; POSIX sys/stat.h", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.ino=+7,path=*kept,nth=2", "LOOKUP:nodeid,path=*other39"), quick=True,
)
def same_number(m: Mount) -> None:
    """A file keeps its inode number while forty others are made beside it and looked up, and none of them has it."""
    path = m.file("kept", b"data")
    number = m.stat(path).ino
    others = [m.file(f"other{index}") for index in range(40)]
    numbers = [os.stat(other).st_ino for other in others]
    m.expect_equal(number, m.stat(path).ino, "the inode number afterwards")
    m.expect_equal(number, os.stat(path).st_ino, "the inode number through the kernel's cache")
    m.expect_equal(41, len({number, *numbers}), "different inode numbers of 41 files")
    for other in others:
        os.unlink(other)
        with m.raises(errno.ENOENT, what="stat of a file that was removed"):
            os.stat(other)
    m.expect_equal(number, m.stat(path).ino, "the inode number after the others were removed")


@mount_check(
    "posix.lookup.type-changes", op="LOOKUP", source="catalogue 3.1.7; k:fuse_stale_inode", also=("UNLINK", "MKDIR"),
    needs=("write",), killers=("UNLINK:fake", "MKDIR:attr.mode=0o100755,path=*name", "RMDIR:errno=EIO,path=*name"),
)
def type_changes(m: Mount) -> None:
    """A name that was a file can become a directory and a file again: each time it has the new type and content."""
    path = m.path("name")
    for turn in range(3):
        data = b"file %d" % turn
        fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
        os.write(fd, data)
        m.close(fd)
        m.expect_equal("file", linux.type_name(os.lstat(path).st_mode), "the type of a new file")
        m.expect_equal(data, m.read(path), "the content of a new file")
        os.unlink(path)
        os.mkdir(path)
        m.expect_equal("directory", linux.type_name(os.lstat(path).st_mode), "the type of a new directory")
        m.expect_equal([], m.names(path), "the entries of a new directory")
        os.rmdir(path)


@mount_check(
    "posix.lookup.link-becomes-file", op="LOOKUP", source="catalogue 3.1.7; k:fuse_stale_inode",
    also=("SYMLINK", "RENAME"), needs=("write", "symlink"),
    killers=("RENAME:fake", "READ:flip", "SYMLINK:errno=EEXIST,path=*name"),
)
def link_becomes_file(m: Mount) -> None:
    """A symbolic link replaced by a file, and a file replaced by a link, is at once what it was replaced by."""
    target, path = m.file("target", b"target"), m.path("name")
    os.symlink(os.path.basename(target), path)
    m.expect_equal(b"target", m.read(path), "the content through the link")
    os.rename(m.file("file", b"file"), path)
    m.expect_equal("file", linux.type_name(os.lstat(path).st_mode), "the type after a file replaced the link")
    m.expect_equal(b"file", m.read(path), "the content after a file replaced the link")
    os.rename(m.link_to(os.path.basename(target), "link"), path)
    m.expect_equal("symbolic link", linux.type_name(os.lstat(path).st_mode), "the type after a link replaced it")
    m.expect_equal(b"target", m.read(path), "the content after a link replaced it")


@mount_check(
    "posix.lookup.after-a-miss", op="LOOKUP", source="catalogue 3.1.1, 3.1.6", also=("CREATE", "MKDIR", "RENAME"),
    needs=("write",), killers=("CREATE:errno=EIO,path=*made", "RENAME:fake", "MKDIR:errno=EIO,path=*folder"),
)
def after_a_miss(m: Mount) -> None:
    """A name that was just found missing is there at once when another process makes it, by whatever call."""
    source = m.file("source", b"moved")
    made, folder, moved = m.path("made"), m.path("folder"), m.path("moved")
    for path in (made, folder, moved):
        m.expect(not os.path.lexists(path), "no such name before", "it exists")

    def make() -> None:
        os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.mkdir(folder)
        os.rename(source, moved)

    m.fork(make)
    for path, kind in ((made, "file"), (folder, "directory"), (moved, "file")):
        m.expect(os.path.lexists(path), f"{os.path.basename(path)!r} after another process made it", "ENOENT")
        m.expect_equal(kind, linux.type_name(os.lstat(path).st_mode), f"the type of {os.path.basename(path)!r}")


@mount_check(
    "posix.lookup.gone-elsewhere", op="LOOKUP", source="catalogue 3.1.6", also=("UNLINK", "RMDIR", "RENAME"),
    needs=("write",), killers=("UNLINK:fake", "RMDIR:fake", "RENAME:fake"),
)
def gone_elsewhere(m: Mount) -> None:
    """A name that was just found is ENOENT at once when another process removes it or moves it away."""
    paths = [m.file("file"), m.subdir("folder"), m.file("moved")]
    for path in paths:
        os.lstat(path)
    target = m.path("target")

    def remove() -> None:
        os.unlink(paths[0])
        os.rmdir(paths[1])
        os.rename(paths[2], target)

    m.fork(remove)
    for path in paths:
        with m.raises(errno.ENOENT, what=f"stat of {os.path.basename(path)!r}, gone by another process"):
            os.lstat(path)


@mount_check(
    "posix.lookup.one-device", op="LOOKUP", level=SHOULD, source="catalogue 3.1.9; POSIX sys/stat.h", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.ino=0",),
)
def one_device(m: Mount) -> None:
    """Files and directories have one device number and no inode number 0: find -xdev, du -x and cp compare them."""
    paths = [os.path.dirname(m.path("top")), m.subdir("top"), m.file("file"), m.file("top/file")]
    seen = [m.stat(path) for path in paths]
    m.expect_equal(1, len({got.dev for got in seen}), "device numbers")
    m.expect(all(got.ino for got in seen), "inode numbers other than 0", "0")
