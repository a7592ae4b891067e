"""WRITE: all of it, in the right place, seen at once."""

from __future__ import annotations

import errno
import mmap
import os
import resource
import signal

from fsprobe.checks import OPTIONAL, SHOULD, mount_check
from fsprobe.checks.mount import Mount

EDGES = (0, 1, 4095, 4096, 4097, 131_071, 131_072, 131_073)


@mount_check(
    "posix.write.stores", op="WRITE", source="catalogue 3.15.1; POSIX write", main=True, quick=True, also=("READ",),
    needs=("write",), killers=("WRITE:fake", "WRITE:short", "WRITE:flip", "WRITE:errno=EIO", "WRITE:errno=ENOSYS"),
)
def stores(m: Mount) -> None:
    """write takes all bytes given, and they are read back through another descriptor."""
    data = m.rng.randbytes(10_000)
    path = m.path("written")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    m.expect_equal(10_000, os.write(fd, data), "bytes written")
    m.expect_equal(10_000, m.stat(path).size, "the size")
    m.expect_equal(data, m.read(path), "the content")


@mount_check(
    "posix.write.unaligned", op="WRITE", source="catalogue 3.15.6", also=("READ",), needs=("write",), quick=True,
    killers=("WRITE:flip", "WRITE:fake,nth=9", "READ:flip"),
)
def unaligned(m: Mount) -> None:
    """Overwriting across the borders of pages and of requests changes those bytes and no others."""
    shadow = bytearray(m.rng.randbytes(140_000))
    fd = m.open(m.file("overwritten", bytes(shadow)), os.O_RDWR)
    for edge in EDGES:
        offset, data = max(0, edge - 3), m.rng.randbytes(7)
        os.pwrite(fd, data, offset)
        shadow[offset : offset + 7] = data
    m.expect_equal(bytes(shadow), m.pread(fd, 200_000, 0), "the content")


@mount_check(
    "posix.write.mtime", op="WRITE", source="catalogue 3.15.2; POSIX write", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.mtime=1000000000", "WRITE:errno=EIO,path=*aged"),
)
def mtime(m: Mount) -> None:
    """write updates mtime."""
    path = m.file("aged")
    m.age(path)
    fd = m.open(path, os.O_WRONLY)
    os.write(fd, b"data")
    m.expect_newer(path, "write")


@mount_check(
    "posix.write.mtime-after-close", op="WRITE", source="catalogue 3.15.2, 3.36 timestamps", also=("FLUSH", "RELEASE"),
    needs=("write",), killers=("GETATTR:attr.mtime=+7", "SETATTR:errno=EIO,path=*stamped"), quick=True,
)
def mtime_after_close(m: Mount) -> None:
    """A time set through the descriptor after writing, as cp -p and tar do, stays after close."""
    path = m.path("stamped")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, b"data")
    os.utime(fd, ns=(1_000_000_000 * 10**9, 1_000_000_000 * 10**9))
    m.close(fd)
    m.expect_same_mtime(path, "close")


@mount_check(
    "posix.write.sparse", op="WRITE", source="catalogue 3.15.3; POSIX lseek", also=("GETATTR",), needs=("write",),
    killers=("WRITE:fake", "GETATTR:attr.size=+1"),
)
def sparse(m: Mount) -> None:
    """A write far beyond the end gives the exact size and leaves zeros between."""
    path = m.file("sparse", b"start")
    fd = m.open(path, os.O_RDWR)
    os.pwrite(fd, b"end", 1 << 20)
    m.expect_equal((1 << 20) + 3, m.stat(path).size, "the size")
    m.expect_equal(b"start" + bytes(100), m.pread(fd, 105, 0), "the content at the start")
    m.expect_equal(bytes(8) + b"end", m.pread(fd, 100, (1 << 20) - 8), "the content at the end")


@mount_check(
    "posix.write.other-process", op="WRITE", source="catalogue 3.15.4", also=("READ",), needs=("write",),
    killers=("WRITE:fake", "READ:flip"),
)
def other_process(m: Mount) -> None:
    """What one process wrote another reads at once, before the file is closed."""
    path = m.path("shared")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, b"from the first")
    m.expect_equal(b"from the first", m.fork(lambda: m.read(path)), "the content in another process")


@mount_check(
    "posix.write.vector", op="WRITE", source="catalogue 3.15.1; man 2 writev", also=("READ",), needs=("write",),
    killers=("WRITE:fake", "WRITE:flip", "READ:flip"), quick=True,
)
def vector(m: Mount) -> None:
    """pwritev stores its pieces one after the other, an empty one too, and preadv fills its buffers alike."""
    pieces = [m.rng.randbytes(length) for length in (1, 4095, 0, 4097, 60_000)]
    fd = m.open(m.path("pieces"), os.O_CREAT | os.O_EXCL | os.O_RDWR)
    m.expect_equal(68_193, os.pwritev(fd, pieces, 100), "bytes written")
    m.expect_equal(bytes(100) + b"".join(pieces), m.pread(fd, 100_000, 0), "the content")
    buffers = [bytearray(len(piece)) for piece in pieces]
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    m.expect_equal(68_193, os.preadv(fd, buffers, 100), "bytes read by preadv")
    m.expect_equal(b"".join(pieces), b"".join(buffers), "the content by preadv")


@mount_check(
    "posix.write.one-large", op="WRITE", source="catalogue 3.15.1, 3.36 large", also=("READ",), needs=("write",),
    killers=("WRITE:flip", "WRITE:short", "READ:flip", "WRITE:errno=EIO,nth=2"),
)
def one_large(m: Mount) -> None:
    """One write of more than a MiB, which takes several requests, is taken whole."""
    data = m.rng.randbytes((1 << 20) + 12_345)
    fd = m.open(m.path("large"), os.O_CREAT | os.O_EXCL | os.O_RDWR)
    m.expect_equal(len(data), os.write(fd, data), "bytes written")
    m.expect_equal(len(data), m.stat(fd).size, "the size")
    m.expect(data == m.pread(fd, len(data) + 1, 0), "the content that was written", "another one")


@mount_check(
    "posix.write.nothing", op="WRITE", source="catalogue 3.15.2; POSIX write", also=("GETATTR",), needs=("write",),
    killers=("GETATTR:attr.size=+1", "OPEN:errno=EIO,path=*aged"),
)
def nothing(m: Mount) -> None:
    """A write of no bytes gives 0 and leaves size and mtime alone."""
    path = m.file("aged", b"data")
    m.age(path)
    fd = m.open(path, os.O_WRONLY)
    m.expect_equal(0, os.write(fd, b""), "bytes written")
    m.close(fd)
    m.expect_equal(4, m.stat(path).size, "the size")
    m.expect_same_mtime(path, "a write of nothing")


@mount_check(
    "posix.write.keeps-atime", op="WRITE", level=SHOULD, source="catalogue 3.15.2; POSIX write", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.atime=+7,path=*aged,nth=3", "WRITE:errno=EIO"),
)
def keeps_atime(m: Mount) -> None:
    """write leaves atime alone."""
    path = m.file("aged")
    m.age(path)
    before = m.stat(path).atime_ns
    fd = m.open(path, os.O_WRONLY)
    os.write(fd, b"data")
    m.expect_equal(before, m.stat(path).atime_ns, "atime in nanoseconds")


@mount_check(
    "posix.write.append-after-cut", op="WRITE", source="catalogue 3.15.5; POSIX write", also=("SETATTR",),
    needs=("write",), killers=("SETATTR:fake", "WRITE:fake", "WRITE:flip"),
)
def append_after_cut(m: Mount) -> None:
    """With O_APPEND each write goes to the end as it is then: after another descriptor cut or grew the file."""
    path = m.file("log", b"0123456789")
    fd, other = m.open(path, os.O_WRONLY | os.O_APPEND), m.open(path, os.O_RDWR)
    os.write(fd, b"abc")
    os.ftruncate(other, 4)
    os.write(fd, b"def")
    os.pwrite(other, b"far", 10)
    os.write(fd, b"end")
    m.expect_equal(b"0123def\0\0\0farend", m.read(path), "the content")


@mount_check(
    "posix.write.append-ignores-position", op="WRITE", source="catalogue 3.15.5; POSIX open", needs=("write",),
    killers=("WRITE:fake", "WRITE:flip", "READ:flip"),
)
def append_ignores_position(m: Mount) -> None:
    """With O_APPEND a write goes to the end wherever the descriptor stood, and leaves it there; reads do not."""
    fd = m.open(m.file("log", b"0123456789"), os.O_RDWR | os.O_APPEND)
    os.lseek(fd, 2, os.SEEK_SET)
    m.expect_equal(b"23", os.read(fd, 2), "what is read at offset 2")
    os.lseek(fd, 2, os.SEEK_SET)
    m.expect_equal(3, os.write(fd, b"abc"), "bytes written")
    m.expect_equal(13, os.lseek(fd, 0, os.SEEK_CUR), "the position after the write")
    m.expect_equal(b"0123456789abc", m.pread(fd, 100, 0), "the content")


@mount_check(
    "posix.write.shared-position", op="WRITE", source="catalogue 3.15.10; POSIX dup, fork", needs=("write",),
    killers=("WRITE:fake", "WRITE:flip"),
)
def shared_position(m: Mount) -> None:
    """A duplicate of a descriptor, and a child's, go on writing where the other stopped."""
    path = m.path("turns")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    second = os.dup(fd)
    os.write(fd, b"ab")
    os.write(second, b"cd")
    os.close(second)
    m.fork(lambda: os.write(fd, b"ef"))
    os.write(fd, b"gh")
    m.expect_equal(b"abcdefgh", m.read(path), "the content")


@mount_check(
    "posix.write.limit", op="WRITE", source="catalogue 3.15.7; POSIX write", needs=("write",),
    killers=("WRITE:errno=EIO", "WRITE:fake"),
)
def limit(m: Mount) -> None:
    """A write across the process's limit of file size stores what fits; the next one is EFBIG and changes nothing."""
    path = m.path("limited")

    def work() -> list[int]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        fitted = os.write(fd, b"x" * 12_000)
        try:
            os.write(fd, b"y")
        except OSError as error:
            return [fitted, error.errno or 0]
        return [fitted, 0]

    m.expect_equal([10_000, errno.EFBIG], m.fork(work), "bytes written, then the error of the next write")
    m.expect_equal(b"x" * 10_000, m.read(path), "the content")


@mount_check(
    "posix.write.direct", op="WRITE", level=OPTIONAL, source="catalogue 3.15.4; man 2 open", also=("READ", "OPEN"),
    needs=("write",), killers=("WRITE:fake", "WRITE:flip", "WRITE:errno=EIO,path=*direct,nth=2"),
)
def direct(m: Mount) -> None:
    """What is written with O_DIRECT is read by who had the old data cached, and a mixed-in plain write is kept."""
    path = m.file("direct", b"o" * 8192)
    plain = m.open(path, os.O_RDWR)
    m.expect_equal(b"o" * 8192, os.pread(plain, 9000, 0), "the content before")
    with m.optional(errno.EINVAL, errno.EOPNOTSUPP, what="O_DIRECT"):
        fd = m.open(path, os.O_WRONLY | os.O_DIRECT)
    with mmap.mmap(-1, 4096) as aligned:
        aligned[:] = b"d" * 4096
        with m.optional(errno.EINVAL, what="a write of 4096 bytes with O_DIRECT"):
            m.expect_equal(4096, os.pwrite(fd, aligned, 0), "bytes written")
    os.pwrite(plain, b"plain", 4090)
    expected = b"d" * 4090 + b"plaind" + b"o" * 4096
    m.expect_equal(expected, os.pread(plain, 9000, 0), "the content by the descriptor that had read it")
    m.expect_equal(expected, m.read(path), "the content")


@mount_check(
    "posix.write.random", op="WRITE", source="catalogue 3.36 stateful; xfstests generic/075", quick=True,
    needs=("write",), also=("READ", "SETATTR", "GETATTR"), killers=("WRITE:flip", "READ:flip", "SETATTR:fake"),
)
def random_work(m: Mount) -> None:
    """After each of 150 random writes, cuts, growths, appends and reads, by two descriptors, the file is as it must be.
    """
    path = m.path("worked")
    fds = [m.open(path, os.O_CREAT | os.O_RDWR), m.open(path, os.O_RDWR)]
    appending = m.open(path, os.O_WRONLY | os.O_APPEND)
    shadow = bytearray()
    for step in range(150):
        fd, at = m.rng.choice(fds), m.rng.randrange(60_000)
        what = m.rng.choice(("write", "write", "write", "append", "size", "read"))
        data = m.rng.randbytes(m.rng.choice((1, 100, 4096, 9000)))
        if what == "write":
            os.pwrite(fd, data, at)
            shadow.extend(bytes(max(0, at - len(shadow))))
            shadow[at : at + len(data)] = data
        elif what == "append":
            os.write(appending, data[:500])
            shadow += data[:500]
        elif what == "size":
            os.ftruncate(fd, at)
            del shadow[at:]
            shadow.extend(bytes(at - len(shadow)))
        else:
            m.expect_equal(bytes(shadow[at : at + 5000]), m.pread(fd, 5000, at), f"5000 bytes at {at} in step {step}")
        m.expect_equal(len(shadow), os.fstat(fd).st_size, f"the size after step {step}, {what}")
    m.expect_equal(bytes(shadow), m.read(path), "the content in the end")


@mount_check(
    "posix.write.splice", op="WRITE", source="catalogue 3.15.1; man 2 splice, sendfile", also=("READ",),
    needs=("write",), killers=("WRITE:fake", "WRITE:flip", "READ:flip"), quick=True,
)
def splice(m: Mount) -> None:
    """By splice through a pipe, and by sendfile from file to file, the same bytes arrive at the offset given."""
    data = m.rng.randbytes(150_000)
    source, path = m.open(m.file("source", data)), m.file("target", b"t" * 100)
    target = m.open(path, os.O_RDWR)
    out, into = os.pipe()
    try:
        done = 0
        while done < 100_000:
            with m.optional(errno.EINVAL, what="splice"):
                count = os.splice(source, into, min(32_768, 100_000 - done), offset_src=1_000 + done)
            m.expect(count > 0, f"bytes from splice after {done}", "none")
            moved = 0
            while moved < count:
                moved += os.splice(out, target, count - moved, offset_dst=50 + done + moved)
            done += count
    finally:
        os.close(out)
        os.close(into)
    m.expect_equal(b"t" * 50 + data[1_000:101_000], m.read(path), "the content by splice")
    os.lseek(target, 0, os.SEEK_END)
    done = 0
    while done < 40_000:
        count = os.sendfile(target, source, 101_000 + done, 40_000 - done)
        m.expect(count > 0, f"bytes from sendfile after {done}", "none")
        done += count
    m.expect_equal(b"t" * 50 + data[1_000:141_000], m.read(path), "the content by splice and sendfile")


@mount_check(
    "posix.write.after-chmod", op="WRITE", source="catalogue 3.15.9; POSIX write", also=("SETATTR", "READ", "FSYNC"),
    needs=("write",), killers=("WRITE:errno=EACCES,nth=2", "WRITE:fake", "FSYNC:errno=EACCES"), quick=True,
)
def after_chmod(m: Mount) -> None:
    """What was open for writing stays so when the mode becomes 0: by the descriptor, and through a mapping of it."""
    path = m.path("closed")

    def work() -> None:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        os.write(fd, b"x" * 5_000)
        with m.setup():
            os.chmod(path, 0)
        os.pwrite(fd, b"descriptor", 100)
        os.ftruncate(fd, 4_500)
        m.expect_equal(4_500, os.fstat(fd).st_size, "the size after ftruncate")
        try:
            with mmap.mmap(fd, 4_500) as mapped:
                mapped[4_200:4_207] = b"mapping"
                mapped.flush()
        except OSError as error:
            if error.errno not in (errno.ENODEV, errno.EACCES):
                raise
            os.pwrite(fd, b"mapping", 4_200)
        os.fsync(fd)
        expected = b"x" * 100 + b"descriptor" + b"x" * 4_090 + b"mapping" + b"x" * 293
        m.expect_equal(expected, m.pread(fd, 9_000, 0), "the content")
        os.close(fd)

    if os.geteuid() == 0 and not m.features.get("allow_other"):
        with m.setup():
            os.chmod(m.dir, 0o777)
        m.fork(work, uid=65534)
    else:
        m.fork(work)
