"""FLUSH, RELEASE, FSYNC, FSYNCDIR: from the last write to the last close."""

from __future__ import annotations

import os
import signal

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
    "posix.flush.forked", op="FLUSH", source="catalogue 3.17.1; POSIX close", also=("WRITE",), needs=("write",),
    killers=("FLUSH:errno=EIO,path=*file", "WRITE:fake"),
)
def forked(m: Mount) -> None:
    """A child that writes and closes the descriptor it inherited leaves the parent's open: five children in turn."""
    path = m.path("file")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)

    def work() -> None:
        os.write(fd, b"child")
        os.close(fd)

    for _ in range(5):
        m.fork(work)
        os.write(fd, b"parent")
    m.close(fd)
    m.expect_equal(b"childparent" * 5, m.read(path), "the content")


@mount_check(
    "posix.flush.changes-nothing", op="FLUSH", source="catalogue 3.17.1", also=("OPEN", "RELEASE"), needs=("write",),
    killers=("FLUSH:errno=EIO,path=*aged,nth=2", "GETATTR:attr.size=+1"),
)
def changes_nothing(m: Mount) -> None:
    """Reading a file and closing it leaves its size and mtime: make and rsync go by them."""
    path = m.file("aged", b"data")
    m.age(path)
    fd = m.open(path)
    m.expect_equal(b"data", os.read(fd, 100), "the content")
    m.close(fd)
    m.expect_equal(4, m.stat(path).size, "the size")
    m.expect_same_mtime(path, "reading and close")


@mount_check(
    "posix.release.killed", op="RELEASE", source="catalogue 3.17.1", also=("WRITE", "FLUSH"), needs=("write",),
    killers=("WRITE:fake", "WRITE:flip", "RELEASE:crash,path=*file"),
)
def killed(m: Mount) -> None:
    """What a process wrote before it was killed, without a close, is in the file, and the file can be written on."""
    path = m.path("file")

    def work() -> None:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        os.write(fd, b"written")
        os.kill(os.getpid(), signal.SIGKILL)

    m.expect(m.start(work).ended_within(5.0), "the killed process to end within 5 s", "it does not")
    m.expect_equal(b"written", m.read(path), "the content")
    fd = m.open(path, os.O_WRONLY | os.O_APPEND)
    os.write(fd, b" on")
    m.close(fd)
    m.expect_equal(b"written on", m.read(path), "the content after another write")


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


@mount_check(
    "posix.fsync.unlinked", op="FSYNC", source="catalogue 3.18.1; POSIX fsync", also=("UNLINK", "WRITE"),
    needs=("write",), killers=("FSYNC:errno=EIO", "FSYNC:errno=ENOENT", "WRITE:errno=EIO,nth=2"),
)
def fsync_unlinked(m: Mount) -> None:
    """fsync of an open file that has no name any more succeeds, and it goes on as before."""
    path = m.path("file")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    os.write(fd, b"data")
    with m.setup():
        os.unlink(path)
    os.fsync(fd)
    os.write(fd, b"more")
    os.fdatasync(fd)
    m.expect_equal(b"datamore", m.pread(fd, 100, 0), "the content")


@mount_check(
    "posix.fsync.keeps-times", op="FSYNC", source="catalogue 3.18.1, 3.36 timestamps", needs=("write",),
    also=("SETATTR",), killers=("FSYNC:errno=EIO", "GETATTR:attr.mtime=+7,path=*stamped"),
)
def keeps_times(m: Mount) -> None:
    """A time set after writing stays through fsync and close, as tar, cp -p and rsync --fsync need it."""
    path = m.path("stamped")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, b"data")
    with m.setup("utimensat"):
        os.utime(fd, ns=(1_000_000_000 * 10**9, 1_000_000_000 * 10**9))
    os.fsync(fd)
    m.expect_same_mtime(path, "fsync")
    m.close(fd)
    m.expect_same_mtime(path, "fsync and close")


@mount_check(
    "posix.fsync.log", op="FSYNC", source="catalogue 3.18.3", also=("WRITE",), needs=("write",),
    killers=("FSYNC:errno=EIO,nth=5", "WRITE:fake", "WRITE:flip"),
)
def log(m: Mount) -> None:
    """A log that is synced after each record shows every record to another process as soon as it is written."""
    path = m.path("log")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    written = b""
    for turn in range(6):
        record = b"record %d\n" % turn * 50
        os.write(fd, record)
        os.fdatasync(fd)
        written += record
        if turn % 3 == 2:
            m.expect_equal(written, m.fork(lambda: m.read(path)), f"the content after {turn + 1} records")


@mount_check(
    "posix.fsyncdir.safe-save", op="FSYNCDIR", level=SHOULD, source="catalogue 3.18.1, 3.36 recipes", needs=("write",),
    also=("RENAME", "FSYNC"), killers=("FSYNCDIR:errno=EINVAL", "RENAME:fake", "FSYNC:errno=EIO"),
)
def safe_save(m: Mount) -> None:
    """The way to save a file that survives a crash works: write beside it, fsync, rename over it, fsync the directory.
    """
    path, new = m.file("document", b"version 0"), m.path("document.new")
    top = m.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    for turn in (1, 2, 3):
        fd = m.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        os.write(fd, b"version %d" % turn)
        os.fsync(fd)
        m.close(fd)
        os.rename(new, path)
        os.fsync(top)
        m.expect_equal(b"version %d" % turn, m.read(path), "the content")
