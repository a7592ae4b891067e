"""SETATTR, WRITE, SETXATTR and others: when the three times of a file and of its directory move, and when not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from fsprobe.checks import SHOULD, Finding, mount_check
from fsprobe.checks.mount import Mount

SECOND = 1_000_000_000
WHOLE, FINE = 2.2, 0.25
"""Seconds to wait for another time: they may be kept at 2 s (FAT), or, where there are nanoseconds, far finer. Only
what never moves takes so long."""


def expect_ctime_moves(m: Mount, path: str, act: Callable[[int], object], what: str) -> None:
    """Do something to a file again and again until its ctime is another: at the first tick of the clock where all is
    well. `act` is given the number of the turn."""
    before = m.stat(path, follow=False).ctime_ns
    patience = FINE if before % SECOND else WHOLE
    deadline = time.monotonic() + patience
    turn = 0
    while True:
        act(turn)
        after = m.stat(path, follow=False).ctime_ns
        if after > before:
            return
        if after < before:
            raise Finding(f"a later ctime after {what}", f"one that is {(before - after) / SECOND:.9f} s earlier")
        if time.monotonic() > deadline:
            raise Finding(f"a later ctime after {what}", f"the same after {turn + 1} times in {patience:g} s")
        turn += 1


@mount_check(
    "posix.times.ctime-of-write", op="WRITE", level=SHOULD, source="catalogue 3.15.2, 3.36 timestamps; POSIX write",
    needs=("write",), also=("GETATTR",), killers=("GETATTR:attr.ctime=-100,path=*written,nth=2", "WRITE:errno=EIO"),
)
def ctime_of_write(m: Mount) -> None:
    """write updates ctime, by which backups find what changed."""
    path = m.path("written")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    expect_ctime_moves(m, path, lambda turn: os.write(fd, b"data"), "write")


@mount_check(
    "posix.times.ctime-of-setxattr", op="SETXATTR", level=SHOULD, source="catalogue 3.19.8; man 2 setxattr",
    needs=("write", "xattr"), also=("GETATTR", "REMOVEXATTR"),
    killers=("GETATTR:attr.ctime=-100,path=*file,nth=2", "SETXATTR:errno=EIO", "SETXATTR:fake"),
)
def ctime_of_setxattr(m: Mount) -> None:
    """setxattr and removexattr update ctime, by which backups find what changed."""
    path = m.file("file")
    expect_ctime_moves(m, path, lambda turn: os.setxattr(path, "user.fsprobe", b"%d" % turn), "setxattr")

    def remove(turn: int) -> None:
        if turn:
            os.setxattr(path, "user.fsprobe", b"again")
        os.removexattr(path, "user.fsprobe")

    expect_ctime_moves(m, path, remove, "removexattr")


@mount_check(
    "posix.times.ctime-of-times", op="SETATTR", level=SHOULD, source="catalogue 3.4.16; POSIX utimensat",
    needs=("write",), also=("GETATTR",), killers=("GETATTR:attr.ctime=1000000000", "SETATTR:errno=EIO,nth=2"),
)
def ctime_of_times(m: Mount) -> None:
    """Setting times into the past moves ctime to the present: what was dated back is found to have changed."""
    path = m.file("file")
    m.age(path)
    expect_ctime_moves(m, path, lambda turn: os.utime(path, ns=(turn * SECOND, turn * SECOND)), "utimensat")
    got = m.stat(path)
    m.expect(abs(got.ctime_ns / SECOND - time.time()) < 5.0, "ctime within 5 s of the clock",
             f"{got.ctime_ns / SECOND - time.time():+.3f} s from it")


@mount_check(
    "posix.times.ctime-of-directory", op="CREATE", level=SHOULD, source="catalogue 3.36 timestamps; POSIX open, unlink",
    needs=("write",), also=("UNLINK", "GETATTR"), killers=("GETATTR:attr.ctime=-100,path=*folder,nth=2", "UNLINK:fake"),
)
def ctime_of_directory(m: Mount) -> None:
    """Making and removing a file each update ctime of the directory."""
    top = m.subdir("folder")
    path = m.path("folder/file")

    def make(turn: int) -> None:
        if turn:
            os.unlink(path)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))

    def remove(turn: int) -> None:
        if turn:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(path)

    expect_ctime_moves(m, top, make, "creation of a file in the directory")
    expect_ctime_moves(m, top, remove, "removal of a file in the directory")


@mount_check(
    "posix.times.in-order", op="WRITE", level=SHOULD, source="catalogue 3.36 timestamps", needs=("write",),
    also=("CREATE", "GETATTR"), killers=("GETATTR:attr.mtime=-100,path=*19", "GETATTR:attr.mtime=+100,path=*05"),
)
def in_order(m: Mount) -> None:
    """Of files written one after the other none is older than the one before it: make and ninja go by that."""
    paths = []
    for number in range(20):
        paths.append(m.file(f"{number:02}", b"data"))
    times = [m.stat(path).mtime_ns for path in paths]
    for number in range(1, 20):
        older = times[number - 1] - times[number]
        m.expect(older <= 0, "each file as new as the one written before it, or newer",
                 f"number {number} older by {older / SECOND:.9f} s")


@mount_check(
    "posix.times.write-leaves-directory", op="WRITE", source="catalogue 3.36 timestamps; POSIX write",
    needs=("write",), also=("SETATTR", "GETATTR"),
    killers=("WRITE:errno=EIO,path=*file,nth=2", "GETATTR:attr.mtime=+7,path=*aged,nth=2"),
)
def write_leaves_directory(m: Mount) -> None:
    """Writing to a file, cutting it and changing its mode leave mtime of its directory alone."""
    top = m.subdir("aged")
    path = m.file("aged/file", b"data")
    m.age(top)
    fd = m.open(path, os.O_WRONLY)
    os.write(fd, b"more data")
    os.ftruncate(fd, 3)
    m.close(fd)
    os.chmod(path, 0o600)
    m.expect_same_mtime(top, "changes of a file in the directory")


@mount_check(
    "posix.times.listing-leaves-mtime", op="READDIR", source="catalogue 3.36 timestamps; POSIX readdir",
    needs=("write",), also=("LOOKUP", "GETATTR"),
    killers=("OPENDIR:errno=EIO,path=*aged", "*:entries=lose"),
)
def listing_leaves_mtime(m: Mount) -> None:
    """Listing a directory, and looking for what is not there, leave its mtime alone."""
    top = m.subdir("aged")
    m.file("aged/file")
    m.age(top)
    m.expect_equal([b"file"], m.names(top), "the entries")
    m.expect(not os.path.exists(m.path("aged/missing")), "no file of that name", "one")
    m.expect_same_mtime(top, "listing the directory")


@mount_check(
    "posix.times.of-directory", op="SETATTR", source="catalogue 3.4.14; POSIX utimensat", needs=("write",),
    also=("GETATTR",), killers=("SETATTR:fake,path=*folder", "SETATTR:errno=EIO,path=*folder"),
)
def of_directory(m: Mount) -> None:
    """Times of a directory can be set by path and by descriptor, as tar -x and rsync -a do at the end."""
    top = m.subdir("folder")
    m.age(m.file("folder/file"))
    os.utime(top, ns=(1_100_000_000 * SECOND, 1_000_000_000 * SECOND))
    m.expect_equal(1_000_000_000 * SECOND, m.stat(top).mtime_ns, "mtime in nanoseconds, set by path")
    fd = m.open(top, os.O_RDONLY | os.O_DIRECTORY)
    os.utime(fd, ns=(1_100_000_000 * SECOND, 1_200_000_000 * SECOND))
    m.expect_equal(1_200_000_000 * SECOND, m.stat(top).mtime_ns, "mtime in nanoseconds, set by descriptor")
