"""COPY_FILE_RANGE: copying inside the file system; the kernel copies itself where the daemon cannot."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount


def copy_all(m: Mount, source: int, target: int, count: int, start: int, place: int) -> None:
    """Copy so many bytes from one offset to another, however many go at a time."""
    done = 0
    while done < count:
        copied = os.copy_file_range(source, target, count - done, start + done, place + done)
        m.expect(copied > 0, f"bytes to be copied after {done} of {count}", "none")
        done += copied
    m.expect_equal(count, done, "bytes copied")


@mount_check(
    "posix.copy_file_range.copies", op="COPY_FILE_RANGE", source="catalogue 3.32.1; man 2 copy_file_range", main=True,
    quick=True, also=("READ", "WRITE"), needs=("write",),
    killers=("COPY_FILE_RANGE:errno=EIO", "COPY_FILE_RANGE:fake"),
)
def copies(m: Mount) -> None:
    """copy_file_range copies the bytes asked for to the offset asked for, and extends the file."""
    data = m.rng.randbytes(20_000)
    source = m.open(m.file("source", data))
    path = m.file("target", b"head")
    target = m.open(path, os.O_RDWR)
    done = 0
    while done < 10_000:
        count = os.copy_file_range(source, target, 10_000 - done, 5_000 + done, 4 + done)
        m.expect(count > 0, "bytes to be copied", "none")
        done += count
    m.expect_equal(10_004, m.stat(path).size, "the size of the target")
    m.expect_equal(b"head" + data[5_000:15_000], m.read(path), "the content of the target")


@mount_check(
    "posix.copy_file_range.end", op="COPY_FILE_RANGE", source="catalogue 3.32.1; man 2 copy_file_range",
    needs=("write",), killers=("COPY_FILE_RANGE:errno=EIO", "COPY_FILE_RANGE:fake"),
)
def end(m: Mount) -> None:
    """At the end of the source it copies what is left, and beyond it nothing."""
    source = m.open(m.file("source", b"0123456789"))
    path = m.file("target")
    target = m.open(path, os.O_RDWR)
    m.expect_equal(2, os.copy_file_range(source, target, 100, 8, 0), "bytes copied, asked for 100 with 2 left")
    m.expect_equal(0, os.copy_file_range(source, target, 100, 10, 2), "bytes copied at the end")
    m.expect_equal(b"89", m.read(path), "the content of the target")


@mount_check(
    "posix.copy_file_range.just-written", op="COPY_FILE_RANGE", source="catalogue 3.32.3", also=("WRITE", "READ"),
    needs=("write",), killers=("WRITE:fake", "COPY_FILE_RANGE:errno=EIO", "COPY_FILE_RANGE:fake"),
)
def just_written(m: Mount) -> None:
    """Data just written to the source is copied, and who has read the target before sees the copy."""
    source = m.open(m.path("source"), os.O_CREAT | os.O_EXCL | os.O_RDWR)
    target = m.open(m.file("target", b"old old"), os.O_RDWR)
    m.expect_equal(b"old old", os.pread(target, 100, 0), "the content of the target before")
    os.write(source, b"new new")
    m.expect_equal(7, os.copy_file_range(source, target, 7, 0, 0), "bytes copied")
    m.expect_equal(b"new new", os.pread(target, 100, 0), "the content of the target")


@mount_check(
    "posix.copy_file_range.inside", op="COPY_FILE_RANGE", source="catalogue 3.32.1; man 2 copy_file_range",
    also=("READ", "WRITE"), needs=("write",), quick=True,
    killers=("COPY_FILE_RANGE:errno=EIO", "COPY_FILE_RANGE:fake", "READ:flip"),
)
def inside(m: Mount) -> None:
    """Inside one file a range is copied to another place; to a place that it overlaps it is EINVAL."""
    data = m.rng.randbytes(20_000)
    path = m.file("file", data)
    fd = m.open(path, os.O_RDWR)
    copy_all(m, fd, fd, 5_000, 1_000, 12_000)
    expected = data[:12_000] + data[1_000:6_000] + data[17_000:]
    m.expect_equal(expected, m.read(path), "the content")
    with m.raises(errno.EINVAL, what="a copy to a place that overlaps"):
        os.copy_file_range(fd, fd, 5_000, 1_000, 3_000)
    m.expect_equal(expected, m.read(path), "the content after the refused copy")


@mount_check(
    "posix.copy_file_range.over-data", op="COPY_FILE_RANGE", source="catalogue 3.32.1; man 2 copy_file_range",
    also=("READ", "WRITE"), needs=("write",), killers=("COPY_FILE_RANGE:errno=EIO", "COPY_FILE_RANGE:fake"), quick=True,
)
def over_data(m: Mount) -> None:
    """A copy into the middle replaces just that; one behind the end leaves a gap of zeros."""
    source = m.open(m.file("source", b"S" * 10_000))
    path = m.file("target", b"t" * 9_000)
    target = m.open(path, os.O_RDWR)
    copy_all(m, source, target, 3_001, 100, 4_095)
    m.expect_equal(b"t" * 4_095 + b"S" * 3_001 + b"t" * 1_904, m.read(path), "the content")
    copy_all(m, source, target, 10, 0, 20_000)
    m.expect_equal(b"t" * 1_904 + bytes(11_000) + b"S" * 10, m.read(path)[7_096:], "the content from 7,096 on")


@mount_check(
    "posix.copy_file_range.positions", op="COPY_FILE_RANGE", source="catalogue 3.32.1; man 2 copy_file_range",
    needs=("write",), also=("READ", "WRITE"),
    killers=("COPY_FILE_RANGE:errno=EIO", "COPY_FILE_RANGE:fake", "READ:flip"),
)
def positions(m: Mount) -> None:
    """Without offsets it copies from where the descriptors stand, and moves both on."""
    source, path = m.open(m.file("source", b"0123456789")), m.path("target")
    target = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    os.lseek(source, 2, os.SEEK_SET)
    m.expect_equal(3, os.copy_file_range(source, target, 3), "bytes copied")
    m.expect_equal([5, 3], [os.lseek(fd, 0, os.SEEK_CUR) for fd in (source, target)], "the positions")
    m.expect_equal(4, os.copy_file_range(source, target, 4), "bytes copied next")
    m.expect_equal(b"2345678", m.read(path), "the content of the target")
    m.expect_equal(b"9", os.read(source, 10), "what is left of the source")


@mount_check(
    "posix.copy_file_range.large", op="COPY_FILE_RANGE", source="catalogue 3.32.1, 3.36 large", needs=("write",),
    also=("READ", "WRITE"), killers=("COPY_FILE_RANGE:errno=EIO", "COPY_FILE_RANGE:fake", "READ:flip"),
)
def large(m: Mount) -> None:
    """A file of more than a MiB is copied whole, and the source is as it was."""
    data = m.rng.randbytes(1_300_001)
    path, copy = m.file("source", data), m.path("target")
    source, target = m.open(path), m.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    copy_all(m, source, target, len(data), 0, 0)
    m.expect(data == m.read(copy), "the content of the source in the target", "another one")
    m.expect(data == m.read(path), "the source as it was", "another content")


@mount_check(
    "posix.copy_file_range.mtime", op="COPY_FILE_RANGE", source="catalogue 3.32.4; POSIX write", needs=("write",),
    also=("GETATTR",), killers=("GETATTR:attr.mtime=1000000000", "COPY_FILE_RANGE:fake", "COPY_FILE_RANGE:errno=EIO"),
)
def mtime(m: Mount) -> None:
    """A copy updates mtime of the target and not of the source."""
    source, target = m.file("aged-source", b"data"), m.file("aged-target", b"old")
    m.age(source)
    m.age(target)
    copy_all(m, m.open(source), m.open(target, os.O_RDWR), 4, 0, 0)
    m.expect_newer(target, "copy_file_range into it")
    m.expect_same_mtime(source, "copy_file_range from it")


@mount_check(
    "posix.copy_file_range.refused", op="COPY_FILE_RANGE", source="catalogue 3.32.1; man 2 copy_file_range",
    needs=("write",), also=("OPEN",), killers=("OPEN:errno=EIO,path=*target", "READ:flip"),
)
def refused(m: Mount) -> None:
    """A target that is open for reading only, or for appending, is EBADF, a directory is EISDIR: nothing changes."""
    path = m.file("target", b"as it was")
    source = m.open(m.file("source", b"0123456789"))
    for flags, name in ((os.O_RDONLY, "for reading only"), (os.O_WRONLY | os.O_APPEND, "for appending")):
        with m.raises(errno.EBADF, what=f"a copy to what is open {name}"):
            os.copy_file_range(source, m.open(path, flags), 5)
    top = m.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    with m.raises(errno.EISDIR, errno.EINVAL, what="a copy from a directory"):
        os.copy_file_range(top, m.open(path, os.O_RDWR), 5)
    m.expect_equal(b"as it was", m.read(path), "the content of the target")
