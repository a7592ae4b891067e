"""READ: sizes, offsets and ends, holes, and data that changes under the reader."""

from __future__ import annotations

import errno
import functools
import mmap
import os

from fsprobe.checks import SHOULD, Finding, mount_check
from fsprobe.checks.mount import Mount

PAGE = mmap.PAGESIZE


@mount_check(
    "posix.read.around-page-ends", op="READ", source="catalogue 3.14.1, 3.14.2; POSIX read", needs=("write",),
    killers=("READ:short", "READ:flip"),
)
def around_page_ends(m: Mount) -> None:
    """Files of sizes around one, two and thirty-two pages are read whole, across their end, and up to the last byte."""
    for base in (PAGE, 2 * PAGE, 32 * PAGE):
        for size in (base - 1, base, base + 1):
            data = m.rng.randbytes(size)
            fd = m.open(m.file(f"{size}", data))
            m.expect_equal(data, m.pread(fd, size + 1000, 0), f"the whole of {size} bytes")
            m.expect_equal(data[-7:], m.pread(fd, 100, size - 7), f"the last 7 of {size} bytes")
            m.expect_equal(b"", m.pread(fd, 100, size), f"what is behind {size} bytes")
            m.close(fd)


@mount_check(
    "posix.read.one-call", op="READ", source="catalogue 3.14.2; POSIX read", needs=("write",),
    killers=("READ:short", "READ:flip,nth=2"),
)
def one_call(m: Mount) -> None:
    """One read of 600,001 bytes returns them all: programs take less for the end of the file."""
    data = m.rng.randbytes(600_001)
    fd = m.open(m.file("large", data))
    m.expect_equal(data, m.pread(fd, 1 << 20, 0), "what one read returned")
    m.expect_equal(data[5:], m.pread(fd, 1 << 20, 5), "what one read from offset 5 returned")
    m.expect_equal(600_001, m.stat(fd).size, "the size afterwards: a short answer would have cut it")


@mount_check(
    "posix.read.piece-by-piece", op="READ", source="catalogue 3.14.2; POSIX read", needs=("write",),
    killers=("READ:flip", "READ:short", "READ:errno=EIO"),
)
def piece_by_piece(m: Mount) -> None:
    """Byte by byte, in pieces of 1000 that cross pages, backwards, and by two descriptors in turn: the same data."""
    data = m.rng.randbytes(3 * PAGE + 77)
    path = m.file("pieces", data)
    fd = m.open(path)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    m.expect_equal(data[:300], b"".join(os.read(fd, 1) for _ in range(300)), "byte by byte")
    pieces = []
    while piece := os.read(fd, 1000):
        pieces.append(piece)
    m.expect_equal(data[300:], b"".join(pieces), "in pieces of 1000 bytes")
    starts = range(0, len(data), 500)
    backwards = [m.pread(fd, 500, start) for start in reversed(starts)]
    m.expect_equal(data, b"".join(reversed(backwards)), "backwards")
    other, turns = m.open(path), []
    os.lseek(fd, 0, os.SEEK_SET)
    for _ in range(4):
        turns.append((os.read(fd, 1000), os.read(other, 700)))
    m.expect_equal(data[:4000], b"".join(turn[0] for turn in turns), "by the first of two descriptors")
    m.expect_equal(data[:2800], b"".join(turn[1] for turn in turns), "by the second of two descriptors")


@mount_check(
    "posix.read.files-in-turn", op="READ", source="catalogue 3.14.8; POSIX read", needs=("write",),
    killers=("READ:flip,path=*f3", "READ:short"),
)
def files_in_turn(m: Mount) -> None:
    """Six files that are read a piece at a time in turn are not mixed up."""
    contents = [m.rng.randbytes(9000) for _ in range(6)]
    fds = [m.open(m.file(f"f{number}", data)) for number, data in enumerate(contents)]
    for start in range(0, 9000, 1500):
        for fd, data in zip(fds, contents, strict=True):
            m.expect_equal(data[start : start + 1500], m.pread(fd, 1500, start), f"1500 bytes from {start}")
    for number, fd in enumerate(fds):
        m.expect_equal(contents[number], m.pread(fd, 9999, 0), f"the content of file {number}")


@mount_check(
    "posix.read.scattered", op="READ", source="catalogue 3.14.2; man 2 readv", needs=("write",),
    killers=("READ:flip", "READ:short"),
)
def scattered(m: Mount) -> None:
    """preadv fills many small buffers in order, and splice and copying out give the same bytes."""
    data = m.rng.randbytes(20_000)
    fd = m.open(m.file("scattered", data))
    buffers = [bytearray(size) for size in (1, 4095, 2, 4096, 3, 9000, 1000)]
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    count = os.preadv(fd, buffers, 100)
    m.expect_equal(data[100 : 100 + count], b"".join(buffers)[:count], "by preadv")
    m.expect_equal(sum(map(len, buffers)), count, "bytes by preadv")
    read, write = os.pipe()
    try:
        spliced = b""
        while len(spliced) < len(data):
            count = os.splice(fd, write, 4096, offset_src=len(spliced))
            if not count:
                break
            spliced += os.read(read, count)
        m.expect_equal(data, spliced, "by splice")
    finally:
        os.close(read)
        os.close(write)


@mount_check(
    "posix.read.holes-between", op="READ", source="catalogue 3.14.4; POSIX lseek", also=("WRITE", "SETATTR"),
    needs=("write",), killers=("READ:flip", "WRITE:fake", "READ:short"),
)
def holes_between(m: Mount) -> None:
    """Islands of data in a file of holes are read with zeros around them, whichever was written first."""
    size, path = 300_000, m.file("islands")
    fd = m.open(path, os.O_RDWR)
    with m.setup():
        os.ftruncate(fd, size)
    expected = bytearray(size)
    for offset in (200_000, 3, 4095, 131_071, 299_990, 65_536):
        os.pwrite(fd, b"island", offset)
        expected[offset : offset + 6] = b"island"
        start = max(0, offset - 50)
        m.expect_equal(bytes(expected[start : start + 100]), os.pread(fd, 100, start), f"100 bytes from {start}")
    m.expect_equal(bytes(expected), m.read(path), "the whole content")


@mount_check(
    "posix.read.tail", op="READ", source="catalogue 3.14.7; POSIX read", also=("WRITE", "GETATTR"), needs=("write",),
    killers=("WRITE:fake", "READ:flip", "READ:errno=EIO"),
)
def tail(m: Mount) -> None:
    """A reader at the end of a file gets what others append there, piece by piece, as `tail -f` does."""
    path = m.file("log")
    reader = m.open(path)
    m.expect_equal(b"", os.read(reader, 100), "what is read from an empty file")

    def append(text: bytes) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.write(fd, text)
        os.close(fd)

    for turn in range(8):
        text = b"line %d, %s\n" % (turn, b"x" * (turn * 700))
        if turn % 2:
            append(text)
        else:
            m.fork(functools.partial(append, text))
        m.expect_equal(text, os.read(reader, 10_000), f"what is read after line {turn} was appended")
        m.expect_equal(b"", os.read(reader, 100), "what is read at the end")


@mount_check(
    "posix.read.after-own-write", op="READ", source="catalogue 3.14.7; POSIX write", also=("WRITE",), needs=("write",),
    killers=("WRITE:fake", "READ:flip", "WRITE:flip"),
)
def after_own_write(m: Mount) -> None:
    """Reads and writes in turn by one descriptor, at random places, always give what was written last."""
    size = 40_000
    shadow = bytearray(size)
    path = m.file("mixed", bytes(size))
    fd = m.open(path, os.O_RDWR)
    for _ in range(40):
        offset = m.rng.randrange(size - 2000)
        data = m.rng.randbytes(m.rng.randrange(1, 2000))
        os.pwrite(fd, data, offset)
        shadow[offset : offset + len(data)] = data
        start = m.rng.randrange(size)
        m.expect_equal(bytes(shadow[start : start + 3000]), os.pread(fd, 3000, start), f"3000 bytes from {start}")
    m.expect_equal(bytes(shadow), m.read(path), "the whole content")


@mount_check(
    "posix.read.replaced-content", op="READ", source="catalogue 3.14.7; POSIX read", also=("OPEN", "WRITE"),
    needs=("write",), killers=("READ:stale", "WRITE:fake", "READ:flip"),
)
def replaced_content(m: Mount) -> None:
    """A file emptied by O_TRUNC and written anew with the same size is read with the new data, never the old."""
    path = m.file("same-size", b"0" * 5000)
    reader = m.open(path)
    for turn in range(1, 6):
        data = b"%d" % turn * 5000
        fd = m.open(path, os.O_WRONLY | os.O_TRUNC)
        os.write(fd, data)
        m.close(fd)
        m.expect_equal(data, os.pread(reader, 9000, 0), f"the content by the old descriptor in turn {turn}")
        m.expect_equal(data, m.read(path), f"the content in turn {turn}")


@mount_check(
    "posix.read.refused", op="READ", source="catalogue 3.14.5; POSIX read", also=("OPENDIR",), needs=("write",),
    killers=("READ:flip", "READ:errno=EIO"),
)
def refused(m: Mount) -> None:
    """read of a directory is EISDIR, at a negative offset EINVAL; of no bytes it is empty, far beyond the end too."""
    path = m.file("file", b"data")
    with m.raises(errno.EISDIR, what="read of a directory"):
        os.read(m.open(m.subdir("folder"), os.O_RDONLY | os.O_DIRECTORY), 10)
    fd = m.open(path)
    with m.raises(errno.EINVAL, what="pread at offset -1"):
        os.pread(fd, 1, -1)
    m.expect_equal(b"", m.pread(fd, 0, 0), "a read of no bytes")
    for offset in (5, 1 << 31, (1 << 32) + 1, 1 << 40):
        m.expect_equal(b"", m.pread(fd, 10, offset), f"what is read at {offset}")
    m.expect_equal(b"data", m.pread(fd, 10, 0), "the content")


@mount_check(
    "posix.read.keeps-mtime", op="READ", source="catalogue 3.14.6; POSIX read", also=("GETATTR",), needs=("write",),
    killers=("GETATTR:attr.mtime=+7,path=*read,nth=7", "READ:errno=EIO"),
)
def keeps_mtime(m: Mount) -> None:
    """Reading moves neither mtime nor ctime, whatever becomes of atime: a backup would never end."""
    path = m.file("read", b"data" * 3000)
    m.age(path)
    before = m.stat(path)
    for _ in range(4):
        m.read(path)
        after = m.stat(path)
        m.expect_equal((before.mtime_ns, before.ctime_ns), (after.mtime_ns, after.ctime_ns), "mtime and ctime")


@mount_check(
    "posix.read.own-offset", op="READ", source="catalogue 3.15.10; POSIX dup", needs=("write",),
    killers=("READ:flip", "READ:errno=EIO"),
)
def own_offset(m: Mount) -> None:
    """Two opens have two offsets; a duplicate and a child process share one."""
    path = m.file("shared", b"abcdefghijkl")
    one, two = m.open(path), m.open(path)
    copy = os.dup(one)
    try:
        seen = [os.read(one, 2), os.read(two, 2), os.read(copy, 2), m.fork(lambda: os.read(one, 2)), os.read(one, 2)]
    finally:
        os.close(copy)
    m.expect_equal([b"ab", b"ab", b"cd", b"ef", b"gh"], seen, "what each read got")


@mount_check(
    "posix.read.noatime", op="READ", level=SHOULD, source="catalogue 3.14.6; man 2 open", also=("OPEN", "GETATTR"),
    needs=("write",), killers=("GETATTR:attr.atime=+7,path=*read,nth=6", "READ:errno=EIO"),
)
def noatime(m: Mount) -> None:
    """Reading with O_NOATIME leaves atime, as backup programs want it."""
    path = m.file("read", b"data")
    m.age(path)
    before = m.stat(path).atime_ns
    fd = m.open(path, os.O_RDONLY | os.O_NOATIME)
    m.expect_equal(b"data", m.pread(fd, 100, 0), "the content")
    m.close(fd)
    if m.stat(path).atime_ns != before:
        raise Finding("the old atime after reading with O_NOATIME", "a newer one")


@mount_check(
    "posix.read.grown-by-size", op="READ", source="catalogue 3.14.3, 3.4.9; POSIX ftruncate", also=("SETATTR",),
    needs=("write",), killers=("SETATTR:fake", "READ:flip", "GETATTR:attr.size=+1"),
)
def grown_by_size(m: Mount) -> None:
    """A reader of a file that another descriptor grows and cuts gets as many bytes as fstat says, each time."""
    path = m.file("changing", b"x" * 100)
    reader, writer = m.open(path), m.open(path, os.O_RDWR)
    for size in (5000, 100, 4096, 70_000, 1, 8193):
        os.ftruncate(writer, size)
        m.expect_equal(size, os.fstat(reader).st_size, "the size by the reader's descriptor")
        data = os.pread(reader, 100_000, 0)
        m.expect_equal(size, len(data), "the bytes that one read returned")
        m.expect(data[:1] == b"x" and not data[100:].strip(b"\0"), "the first byte kept and zeros behind the data",
                 f"{data[:1]!r}, {data[100:].strip(bytes(1))[:8]!r}")
