"""FLUSH, RELEASE, FSYNC, FSYNCDIR: from the last write to the last close."""

from __future__ import annotations

import os

from fsprobe.checks import SHOULD, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.flush.close", op="FLUSH", source="catalogue 3.17.1; POSIX close", main=True, quick=True, needs=("write",),
    killers=("FLUSH:errno=EIO,path=*file", "FLUSH:errno=EBADF,path=*file"),
)
def close(m: Mount) -> None:
    """close succeeds for every duplicate of a descriptor, and the others work on."""
    path = m.path("file")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    second = os.dup(fd)
    os.write(fd, b"one")
    os.close(second)
    os.write(fd, b"two")
    m.close(fd)
    m.expect_equal(b"onetwo", m.read(path), "the content")


@mount_check(
    "posix.flush.close-to-open", op="FLUSH", source="catalogue 3.17.3", also=("WRITE", "READ", "RELEASE"),
    needs=("write",), killers=("WRITE:fake", "READ:flip", "READ:stale"),
)
def close_to_open(m: Mount) -> None:
    """What was written before close is read after the next open, thirty times over."""
    path = m.file("file")
    for turn in range(30):
        fd = m.open(path, os.O_WRONLY)
        os.write(fd, b"turn %02d" % turn)
        m.close(fd)
        m.expect_equal(b"turn %02d" % turn, m.read(path), "the content after close and open")


@mount_check(
    "posix.release.many", op="RELEASE", source="catalogue 3.17.6", main=True, quick=True, also=("OPEN", "FLUSH"),
    needs=("write",), killers=("RELEASE:crash,path=*file", "OPEN:errno=EMFILE,nth=40"),
)
def many(m: Mount) -> None:
    """A file can be opened and closed sixty times, and after the last close it is there unchanged."""
    path = m.file("file", b"data")
    for _ in range(60):
        m.close(m.open(path))
    m.expect_equal(b"data", m.read(path), "the content")


@mount_check(
    "posix.release.unlinked", op="RELEASE", source="catalogue 3.8.2, 3.17.1", also=("UNLINK", "RMDIR"),
    needs=("write",),
    killers=("UNLINK:fake", "RMDIR:errno=ENOTEMPTY,path=*holder"),
)
def unlinked(m: Mount) -> None:
    """After the last close of an unlinked file nothing of it is left, and its directory can be removed."""
    top = m.subdir("holder")
    fd = m.open(m.file("holder/file", b"data"))
    os.unlink(m.path("holder/file"))
    m.close(fd)
    # RELEASE is asynchronous: another round trip to the daemon lets it arrive where something was hidden.
    for _ in range(50):
        if not m.names(top):
            break
        os.statvfs(top)
    os.rmdir(top)


@mount_check(
    "posix.fsync.file", op="FSYNC", source="catalogue 3.18.1; POSIX fsync", main=True, quick=True, needs=("write",),
    killers=("FSYNC:errno=EIO", "FSYNC:errno=EINVAL"),
)
def fsync_file(m: Mount) -> None:
    """fsync and fdatasync succeed on a written file, and on a descriptor for reading only."""
    path = m.path("file")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    os.write(fd, b"data")
    os.fsync(fd)
    os.write(fd, b"more")
    os.fdatasync(fd)
    os.fsync(m.open(path))
    m.expect_equal(b"datamore", m.read(path), "the content")


@mount_check(
    "posix.fsync.synchronous-write", op="FSYNC", source="catalogue 3.18.6; POSIX open", also=("WRITE",),
    needs=("write",), killers=("FSYNC:errno=EIO", "WRITE:fake"),
)
def synchronous_write(m: Mount) -> None:
    """Writes to a file opened with O_SYNC or O_DSYNC succeed and are stored."""
    path = m.file("file")
    for flag, data in ((os.O_SYNC, b"sync"), (os.O_DSYNC, b"data")):
        fd = m.open(path, os.O_WRONLY | os.O_APPEND | flag)
        m.expect_equal(4, os.write(fd, data), "bytes written")
        m.close(fd)
    m.expect_equal(b"syncdata", m.read(path), "the content")


@mount_check(
    "posix.fsyncdir.directory", op="FSYNCDIR", level=SHOULD, source="catalogue 3.18.1; man 2 fsync", main=True,
    quick=True, needs=("write",), killers=("FSYNCDIR:errno=EINVAL", "FSYNCDIR:errno=EIO"),
)
def directory(m: Mount) -> None:
    """fsync of a directory succeeds; sqlite, git and editors need it."""
    top = os.path.dirname(m.file("file"))
    os.fsync(m.open(top, os.O_RDONLY | os.O_DIRECTORY))
