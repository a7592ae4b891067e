"""SETATTR of the size: open files, page boundaries, appenders, and who may."""

from __future__ import annotations

import errno
import mmap
import os
import resource
import signal

from fsprobe.checks import INFO, SHOULD, mount_check
from fsprobe.checks.mount import Mount

PAGE = mmap.PAGESIZE


@mount_check(
    "posix.setattr.truncate-within-page", op="SETATTR", source="catalogue 3.4.9; POSIX ftruncate",
    also=("READ", "WRITE"), needs=("write",), killers=("SETATTR:fake", "READ:flip", "WRITE:fake,nth=2"),
)
def truncate_within_page(m: Mount) -> None:
    """A file cut inside a page and written far behind holds zeros in between, not the data that was cut off."""
    path = m.file("cut", b"\xff" * (3 * PAGE))
    fd = m.open(path, os.O_RDWR)
    os.pread(fd, 3 * PAGE, 0)
    os.ftruncate(fd, PAGE + 100)
    os.pwrite(fd, b"end", 3 * PAGE)
    expected = b"\xff" * (PAGE + 100) + bytes(2 * PAGE - 100) + b"end"
    m.expect_equal(expected, os.pread(fd, 4 * PAGE, 0), "the content, as cached")
    m.expect_equal(expected, m.read(path), "the content")


@mount_check(
    "posix.setattr.truncate-sizes", op="SETATTR", source="catalogue 3.4.10; POSIX truncate", also=("READ",),
    needs=("write",), killers=("SETATTR:fake", "GETATTR:attr.size=+1", "READ:short"),
)
def truncate_sizes(m: Mount) -> None:
    """truncate to sizes around page boundaries, up and down, gives exactly these, with zeros behind the old data."""
    path = m.file("sized", b"abc")
    kept = b"abc"
    for size in (PAGE - 1, PAGE, PAGE + 1, 1, 2 * PAGE + 1, 2 * PAGE, 70_000, 0, 5):
        os.truncate(path, size)
        kept = kept[:size].ljust(size, b"\0")
        m.expect_equal(size, m.stat(path).size, "the size")
        m.expect_equal(kept, m.read(path), f"the content at a size of {size}")


@mount_check(
    "posix.setattr.truncate-other-reader", op="SETATTR", source="catalogue 3.4.9; POSIX ftruncate", also=("READ",),
    needs=("write",), killers=("SETATTR:fake", "READ:flip"), quick=True,
)
def truncate_other_reader(m: Mount) -> None:
    """A descriptor that has read a file sees its end at once where another process cuts it, and zeros when it grows."""
    path = m.file("cut", b"x" * 5000)
    fd = m.open(path)
    m.expect_equal(b"x" * 5000, os.pread(fd, 9000, 0), "the content before")
    m.fork(lambda: os.truncate(path, 10))
    m.expect_equal(b"x" * 10, os.pread(fd, 9000, 0), "the content after it was cut")
    m.expect_equal(b"", os.pread(fd, 9000, 10), "what is behind the new end")
    m.fork(lambda: os.truncate(path, 4500))
    m.expect_equal(b"x" * 10 + bytes(4490), os.pread(fd, 9000, 0), "the content after it grew")


@mount_check(
    "posix.setattr.truncate-unlinked", op="SETATTR", source="catalogue 3.4.10; POSIX ftruncate", also=("UNLINK",),
    needs=("write",), killers=("SETATTR:errno=ENOENT", "SETATTR:fake", "GETATTR:attr.size=+1"),
)
def truncate_unlinked(m: Mount) -> None:
    """An open file that was unlinked, as mkstemp leaves it, can be grown and cut."""
    path = m.file("gone", b"abcdef")
    fd = m.open(path, os.O_RDWR)
    with m.setup():
        os.unlink(path)
    for size, content in ((3, b"abc"), (6, b"abc\0\0\0"), (0, b""), (2, b"\0\0")):
        os.ftruncate(fd, size)
        m.expect_equal((size, content), (m.stat(fd).size, m.pread(fd, 100, 0)), "size and content")


@mount_check(
    "posix.setattr.truncate-appender", op="SETATTR", source="catalogue 3.13.3; POSIX write", also=("WRITE",),
    needs=("write",), killers=("SETATTR:fake", "WRITE:flip", "WRITE:fake"), quick=True,
)
def truncate_appender(m: Mount) -> None:
    """After a log is cut to nothing its writer, which has it open for appending, goes on at the start of the file."""
    path = m.path("log")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND)
    os.write(fd, b"old lines of the log\n")
    m.fork(lambda: os.truncate(path, 0))
    os.write(fd, b"new\n")
    m.expect_equal(b"new\n", m.read(path), "the content, as logrotate's copytruncate leaves it")
    os.truncate(path, 2)
    os.write(fd, b"est\n")
    m.expect_equal(b"neest\n", m.read(path), "the content after it was cut to 2 bytes and appended to")


@mount_check(
    "posix.setattr.truncate-keeps-offset", op="SETATTR", source="catalogue 3.4.9; POSIX ftruncate", also=("WRITE",),
    needs=("write",), killers=("SETATTR:fake", "WRITE:flip", "READ:flip"),
)
def truncate_keeps_offset(m: Mount) -> None:
    """ftruncate does not move the descriptor: the next write leaves a hole of zeros before it."""
    path = m.path("file")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    os.write(fd, b"abcdef")
    os.ftruncate(fd, 0)
    os.write(fd, b"xyz")
    m.expect_equal(b"\0" * 6 + b"xyz", m.read(path), "the content")


@mount_check(
    "posix.setattr.truncate-ctime", op="SETATTR", source="catalogue 3.4.11; POSIX ftruncate", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.ctime=+1000,path=*sized,nth=3", "SETATTR:errno=EIO,path=*sized,nth=2"),
)
def truncate_ctime(m: Mount) -> None:
    """A change of the size gives the file a later ctime."""
    path = m.file("sized", b"abcdef")
    sizes = iter(range(7, 1 << 40))
    m.expect_ctime_moves(path, lambda: os.truncate(path, next(sizes)), "truncate to another size")


@mount_check(
    "posix.setattr.truncate-same-mtime", op="SETATTR", level=INFO, source="catalogue 3.4.11; man 2 truncate",
    needs=("write",), killers=("GETATTR:attr.mtime=1000000000", "SETATTR:errno=EIO,path=*same,nth=2"),
)
def truncate_same_mtime(m: Mount) -> None:
    """truncate to the size that a file has already updates mtime too, as on ext4 and tmpfs, not on XFS and Btrfs."""
    path = m.file("same", b"abcdef")
    m.age(path)
    os.truncate(path, 6)
    m.expect_newer(path, "truncate to the same size")
    m.expect_equal(b"abcdef", m.read(path), "the content")


@mount_check(
    "posix.setattr.truncate-keeps-rest", op="SETATTR", source="catalogue 3.4.11; POSIX truncate", needs=("write",),
    killers=("GETATTR:attr.mode=0o100600,path=*kept,nth=5", "SETATTR:fake"),
)
def truncate_keeps_rest(m: Mount) -> None:
    """truncate leaves mode, owner, group, links and inode number as they were, and changes the size alone."""
    path = m.file("kept", b"abcdef", mode=0o640)
    m.chmod(path, 0o640)
    before = m.stat(path)
    for size in (3, 9):
        os.truncate(path, size)
        after = m.stat(path)
        m.expect_equal(size, after.size, "the size")
        kept = (oct(before.mode), before.uid, before.gid, before.nlink, before.ino)
        m.expect_equal(kept, (oct(after.mode), after.uid, after.gid, after.nlink, after.ino), "the other attributes")


@mount_check(
    "posix.setattr.truncate-refusals", op="SETATTR", source="catalogue 3.4.12; POSIX truncate", needs=("write",),
    killers=("READ:flip", "OPEN:errno=EIO,path=*kept"),
)
def truncate_refusals(m: Mount) -> None:
    """truncate of a directory is EISDIR; to a negative size, or by a descriptor for reading, EINVAL."""
    path = m.file("kept", b"abcdef")
    with m.raises(errno.EISDIR, what="truncate of a directory"):
        os.truncate(os.path.dirname(m.file("other")), 0)
    with m.raises(errno.EINVAL, what="truncate to -1"):
        os.truncate(path, -1)
    with m.raises(errno.EINVAL, errno.EBADF, what="ftruncate of a descriptor for reading"):
        os.ftruncate(m.open(path), 0)
    m.expect_equal(b"abcdef", m.read(path), "the content afterwards")


@mount_check(
    "posix.setattr.truncate-limit", op="SETATTR", source="catalogue 3.4.12; POSIX truncate", needs=("write",),
    killers=("GETATTR:attr.size=+1", "SETATTR:errno=EIO"),
)
def truncate_limit(m: Mount) -> None:
    """truncate beyond the caller's limit of file sizes is EFBIG and leaves the size; below it, it works."""
    path = m.file("limited", b"abcdef")

    def grow() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        with m.raises(errno.EFBIG, what="truncate beyond RLIMIT_FSIZE"):
            os.truncate(path, 10_001)
        os.truncate(path, 9_999)

    m.fork(grow)
    m.expect_equal(9_999, m.stat(path).size, "the size")


@mount_check(
    "posix.setattr.truncate-denied", op="SETATTR", source="catalogue 3.4.12; POSIX truncate", needs=("write",),
    killers=("READ:flip", "OPEN:errno=EIO,path=*read-only"),
)
def truncate_denied(m: Mount) -> None:
    """An owner who may only read a file cannot cut it: EACCES, and the content stays."""
    path = m.file("read-only", b"abcdef")
    user = m.ordinary(path)
    m.chmod(path, 0o444)
    refused = m.raises(errno.EACCES, what="truncate of a file with mode 0444", warn=(errno.EPERM,),
                       success_warns=user is None)
    with refused:
        m.fork(lambda: os.truncate(path, 0), uid=user)
    m.expect_equal(b"abcdef", m.read(path), "the content afterwards")


@mount_check(
    "posix.setattr.truncate-clears-setuid", op="SETATTR", level=SHOULD, source="catalogue 3.4.13; POSIX ftruncate",
    needs=("write",), killers=("GETATTR:attr.mode=0o106777,path=*program",),
)
def truncate_clears_setuid(m: Mount) -> None:
    """truncate by somebody without privileges clears set-user-ID and set-group-ID of a program."""
    path = m.file("program", b"abcdef")
    user = m.ordinary(path)
    m.chmod(path, 0o6777)
    m.fork(lambda: os.truncate(path, 3), uid=user)
    m.expect_equal(0o777, m.stat(path).permissions, "the mode after truncate", show=oct)
