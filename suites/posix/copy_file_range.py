"""COPY_FILE_RANGE: copying inside the file system; the kernel copies itself where the daemon cannot."""

from __future__ import annotations

import os

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount


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
