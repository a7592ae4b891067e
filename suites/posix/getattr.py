"""GETATTR: what stat says."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.getattr.file", op="GETATTR", source="catalogue 3.3.1; POSIX stat", main=True, quick=True, needs=("write",),
    killers=("GETATTR:attr.size=+1",),
)
def file(m: Mount) -> None:
    """stat, lstat and fstat of a file agree on its type, mode, size and number."""
    path = m.file("plain", b"hello")
    fd = m.open(path)
    seen = {"stat": m.stat(path), "lstat": m.stat(path, follow=False), "fstat": m.stat(fd)}
    for name, got in seen.items():
        m.expect_equal("file", linux.type_name(got.mode), f"{name}: the type")
        m.expect_equal(seen["stat"].mode, got.mode, f"{name}: the mode", show=oct)
        m.expect_equal(5, got.size, f"{name}: the size")
        m.expect_equal(seen["stat"].ino, got.ino, f"{name}: the inode number")


@mount_check(
    "posix.getattr.root", op="GETATTR", quick=True, source="catalogue 3.3.7",
    killers=("GETATTR:attr.nlink=0", "GETATTR:errno=EIO"),
)
def root(m: Mount) -> None:
    """The root of the mount is a directory with at least one link."""
    got = m.stat(m.root)
    m.expect_equal("directory", linux.type_name(got.mode), "the root's type")
    m.expect(got.nlink >= 1, "at least 1 link of the root", str(got.nlink))


@mount_check(
    "posix.getattr.entry-number", op="GETATTR", level=SHOULD, source="catalogue 3.3.1, 3.21.2", also=("READDIR",),
    needs=("write",), killers=("GETATTR:attr.ino=+1000", "*:entries=lose"),
)
def entry_number(m: Mount) -> None:
    """The inode number of a directory entry is that of stat, and not zero."""
    path = m.file("numbered")
    name = os.fsencode(os.path.basename(path))
    number = next((entry.ino for entry in m.entries(os.path.dirname(path)) if entry.name == name), None)
    m.expect(number is not None, "the file to be listed", "it is not")
    m.expect(number != 0, "a d_ino other than 0", "0")
    m.expect_equal(m.stat(path).ino, number, "d_ino equal to st_ino")


@mount_check(
    "posix.getattr.distinct-numbers", op="GETATTR", source="catalogue 3.1.9; POSIX sys/stat.h",
    main=True, needs=("write",), killers=("GETATTR:attr.ino=7", "GETATTR:attr.ino=0"),
)
def distinct_numbers(m: Mount) -> None:
    """Two files and a directory have three inode numbers: find, cp, mv, diff and tar compare them."""
    paths = [m.file("one"), m.file("two"), os.path.dirname(m.path("one"))]
    numbers = [m.stat(path).ino for path in paths]
    m.expect_equal(3, len(set(numbers)), f"different inode numbers among ino {numbers}:")


@mount_check(
    "posix.getattr.other-descriptor", op="GETATTR", source="catalogue 3.3.2", also=("WRITE", "SETATTR"),
    needs=("write",), killers=("GETATTR:attr.size=+1", "SETATTR:fake"),
)
def other_descriptor(m: Mount) -> None:
    """A size changed through one descriptor is seen at once through another and by path."""
    path = m.file("shared", b"12345")
    one, two = m.open(path, os.O_RDWR), m.open(path)
    os.pwrite(one, b"abcdefghij", 0)
    m.expect_equal(10, m.stat(two).size, "the size by another descriptor after a write")
    os.ftruncate(one, 3)
    m.expect_equal(3, os.fstat(two).st_size, "the size by another descriptor after ftruncate")
    m.expect_equal(3, m.stat(path).size, "the size by path after ftruncate")


@mount_check(
    "posix.getattr.unlinked-open", op="GETATTR", source="catalogue 3.3.3; POSIX unlink", also=("UNLINK",),
    needs=("write",), killers=("GETATTR:attr.size=+1", "GETATTR:attr.nlink=1"),
)
def unlinked_open(m: Mount) -> None:
    """fstat of an open file that was unlinked works, with the right size and no links."""
    path = m.file("gone", b"still here")
    fd = m.open(path)
    with m.setup():
        os.unlink(path)
    got = m.stat(fd)
    m.expect_equal(10, got.size, "the size")
    if got.nlink:
        hidden = m.hidden(path)
        seen = f"{got.nlink}" + (f", and {hidden} in the directory" if hidden else "")
        raise Finding("0 links of an unlinked open file", seen, warn=bool(hidden))


@mount_check(
    "posix.getattr.symlink-size", op="GETATTR", source="catalogue 3.3.5; man 2 lstat", also=("SYMLINK",),
    needs=("write", "symlink"), killers=("GETATTR:attr.size=+1",),
)
def symlink_size(m: Mount) -> None:
    """The size of a symbolic link is the length of its target."""
    got = m.stat(m.link_to("eleven-char", "link"), follow=False)
    m.expect_equal("symbolic link", linux.type_name(got.mode), "the type")
    m.expect_equal(11, got.size, "the size")


@mount_check(
    "posix.getattr.blocks", op="GETATTR", level=SHOULD, source="catalogue 3.3.6; man 7 inode", also=("WRITE",),
    needs=("write",), killers=("GETATTR:attr.blocks=0", "GETATTR:attr.blksize=0x40000000"),
)
def blocks(m: Mount) -> None:
    """st_blocks counts units of 512 bytes, and st_blksize is between 512 bytes and 16 MiB."""
    fd = m.open(m.file("filled", b"\x5a" * 8192), os.O_RDWR)
    os.fsync(fd)
    got = m.stat(fd)
    m.expect(got.blocks >= 16, "at least 16 blocks for 8 KiB of data", str(got.blocks))
    m.expect(512 <= got.blksize <= 16 << 20, "st_blksize from 512 to 16777216", str(got.blksize))


@mount_check(
    "posix.getattr.directory-links", op="GETATTR", level=SHOULD, source="catalogue 3.3.4", also=("MKDIR",),
    needs=("write",), killers=("GETATTR:attr.nlink=9",),
)
def directory_links(m: Mount) -> None:
    """A directory has two links and one more for each subdirectory, or always one."""
    top = m.subdir("counted")
    m.subdir("counted/a")
    m.subdir("counted/b")
    links = m.stat(top).nlink
    m.expect(links in (1, 4), "4 links, or 1", str(links))
    m.info("links of directories: " + ("not counted" if links == 1 else "2 and the subdirectories"))


@mount_check(
    "posix.getattr.deleted", op="GETATTR", source="catalogue 3.3.8", also=("UNLINK", "LOOKUP"), needs=("write",),
    killers=("UNLINK:fake",),
)
def deleted(m: Mount) -> None:
    """stat of a path that was just removed is ENOENT, not old attributes."""
    path = m.file("shortly", b"x")
    os.stat(path)
    os.unlink(path)
    with m.raises(errno.ENOENT, what="stat of a removed file"):
        os.stat(path)
