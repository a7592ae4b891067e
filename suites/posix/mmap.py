"""Mapped files: what mmap shows and stores. Each runs in a child process: a failed page is a SIGBUS."""

from __future__ import annotations

import errno
import mmap
import os
import resource
from collections.abc import Callable

from fsprobe.checks import Finding, mount_check
from fsprobe.checks.mount import Mount

NO_MAP = (errno.ENODEV, errno.EACCES)


def _mapped(m: Mount, fd: int, size: int, what: str, **kind: int) -> mmap.mmap:
    """The whole file as a mapping. A file that is said to be smaller cannot be mapped: that is the finding."""
    m.expect_equal(size, os.fstat(fd).st_size, "the size of the file to map")
    with m.optional(*NO_MAP, what=what):
        return mmap.mmap(fd, size, **kind)


def _died(m: Mount, work: Callable[[], None]) -> str:
    """How the process that runs this is killed, in words; "" where it comes to its end."""

    def without_core() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        work()

    try:
        m.fork(without_core)
    except Finding as finding:
        if finding.expected == "the process to finish":
            return finding.observed
        raise
    return ""


@mount_check(
    "posix.mmap.store", op="WRITE", source="catalogue 3.36 mmap; POSIX mmap", quick=True, also=("READ",),
    needs=("write",), killers=("WRITE:fake", "READ:errno=EIO"),
)
def store(m: Mount) -> None:
    """A store to a shared mapping is read by read(2) at once, and is in the file after msync."""
    path = m.file("mapped", bytes(5000))

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 5000, "a shared writable mapping")
        mapped[4090:4100] = b"0123456789"
        m.expect_equal(b"0123456789", os.pread(fd, 10, 4090), "by read right after the store")
        mapped.flush()
        m.expect_equal(b"0123456789", m.pread(fd, 10, 4090), "by read after msync")

    m.fork(work)
    m.expect_equal(bytes(4090) + b"0123456789" + bytes(900), m.read(path), "the content, opened anew")


@mount_check(
    "posix.mmap.sees-write", op="READ", source="catalogue 3.36 mmap", also=("WRITE",), needs=("write",),
    killers=("READ:flip", "READ:errno=EIO"),
)
def sees_write(m: Mount) -> None:
    """A mapping shows the file's data, and what write(2) changes in it."""
    path = m.file("mapped", b"x" * 5000)

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        mapped = _mapped(m, fd, 5000, "a shared mapping", prot=mmap.PROT_READ)
        m.expect_equal(b"x" * 5000, mapped[:5000], "the mapped data")
        os.pwrite(fd, b"changed", 4093)
        m.expect_equal(b"xxxchangedxxx", mapped[4090:4103], "the mapped data after a write")

    m.fork(work)


@mount_check(
    "posix.mmap.outlives-unlink", op="READ", source="catalogue 3.36 mmap; POSIX mmap", also=("UNLINK",),
    needs=("write",), killers=("READ:errno=EIO", "READ:flip"),
)
def outlives_unlink(m: Mount) -> None:
    """A mapping stays valid after its file was unlinked."""
    path = m.file("mapped", b"y" * 9000)

    def work() -> None:
        fd = os.open(path, os.O_RDONLY)
        mapped = _mapped(m, fd, 9000, "a mapping", prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)
        os.unlink(path)
        m.expect_equal(b"y" * 9000, mapped[:], "the mapped data")

    m.fork(work)


@mount_check(
    "posix.mmap.mtime", op="WRITE", source="catalogue 3.36 mmap, timestamps; POSIX msync", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.mtime=1000000000", "WRITE:errno=EIO,path=*aged,nth=2"),
)
def mtime(m: Mount) -> None:
    """A store to a shared mapping updates mtime by the time of msync."""
    path = m.file("aged", b"x" * 100)
    m.age(path)

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 100, "a shared writable mapping")
        mapped[0:1] = b"y"
        mapped.flush()

    m.fork(work)
    m.expect_newer(path, "a store to a mapping and msync")


@mount_check(
    "posix.mmap.random-stores", op="WRITE", source="catalogue 3.36 mmap; POSIX msync", also=("READ",), needs=("write",),
    killers=("WRITE:fake", "WRITE:flip", "READ:flip"), quick=True,
)
def random_stores(m: Mount) -> None:
    """Forty stores at random places of a mapping of 600 KB are in the file after msync, and nothing else changed."""
    shadow = bytearray(m.rng.randbytes(600_001))
    path = m.file("mapped", bytes(shadow))
    stores = [(m.rng.randrange(599_000), m.rng.randbytes(m.rng.choice((1, 100, 1_000)))) for _ in range(40)]

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 600_001, "a shared writable mapping")
        for at, data in stores:
            mapped[at : at + len(data)] = data
        mapped.flush()

    m.fork(work)
    for at, data in stores:
        shadow[at : at + len(data)] = data
    m.expect_equal(bytes(shadow), m.read(path), "the content after msync")


@mount_check(
    "posix.mmap.keeps-size", op="WRITE", source="catalogue 3.36 mmap; POSIX mmap", also=("GETATTR",), needs=("write",),
    killers=("WRITE:fake", "WRITE:flip", "GETATTR:attr.size=+1"),
)
def keeps_size(m: Mount) -> None:
    """A store in the last page, which the file does not fill, leaves the size as it is."""
    path = m.file("mapped", b"x" * 4100)

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 4100, "a shared writable mapping")
        mapped[4099:4100] = b"y"
        mapped.flush()

    m.fork(work)
    m.expect_equal(4100, m.stat(path).size, "the size")
    m.expect_equal(b"x" * 4099 + b"y", m.read(path), "the content")


@mount_check(
    "posix.mmap.after-close", op="WRITE", source="catalogue 3.17.7, 3.36 mmap; POSIX mmap", also=("RELEASE", "FLUSH"),
    needs=("write",), killers=("WRITE:fake", "WRITE:flip", "RELEASE:crash,path=*mapped"),
)
def after_close(m: Mount) -> None:
    """A mapping outlives the close of its descriptor: a store made afterwards is in the file after munmap."""
    path = m.file("mapped", b"x" * 5000)

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 5000, "a shared writable mapping")
        os.close(fd)
        mapped[10:15] = b"later"
        mapped.flush()
        mapped.close()

    m.fork(work)
    m.expect_equal(b"x" * 10 + b"later" + b"x" * 4985, m.read(path), "the content")


@mount_check(
    "posix.mmap.private", op="READ", source="catalogue 3.36 mmap; POSIX mmap", needs=("write",),
    killers=("READ:flip", "READ:errno=EIO"),
)
def private(m: Mount) -> None:
    """A store to a private mapping is seen there and never in the file."""
    path = m.file("mapped", b"x" * 5000)

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 5000, "a private mapping", access=mmap.ACCESS_COPY)
        mapped[10:14] = b"mine"
        m.expect_equal(b"xxminexx", mapped[8:16], "the mapped data after the store")
        m.expect_equal(b"xxxxxxxx", os.pread(fd, 8, 8), "by read after the store")

    m.fork(work)
    m.expect_equal(b"x" * 5000, m.read(path), "the content")


@mount_check(
    "posix.mmap.two-processes", op="WRITE", source="catalogue 3.36 mmap; POSIX mmap", also=("READ",), needs=("write",),
    killers=("READ:errno=EIO", "WRITE:fake"), quick=True,
)
def two_processes(m: Mount) -> None:
    """A store to a shared mapping is seen at once in another process's mapping, and by its read."""
    path = m.file("mapped", bytes(8192))
    there, back = os.pipe(), os.pipe()

    def answer() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 8192, "a shared writable mapping")
        os.write(back[1], b"r")
        os.read(there[0], 1)
        m.expect_equal(b"ping", mapped[5000:5004], "the store of the other process, mapped")
        m.expect_equal(b"ping", os.pread(fd, 4, 5000), "the store of the other process, by read")
        mapped[100:104] = b"pong"
        mapped.flush()

    def call() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 8192, "a shared writable mapping")
        os.read(back[0], 1)
        mapped[5000:5004] = b"ping"
        os.write(there[1], b"p")

    first, second = m.start(answer), m.start(call)
    for end in (back[1], there[1]):  # so that neither waits for one that failed
        os.close(end)
    for end in (back[0], there[0]):
        os.close(end)
    second.result()
    first.result()
    m.expect_equal(bytes(100) + b"pong" + bytes(4896) + b"ping" + bytes(3188), m.read(path), "the content")


@mount_check(
    "posix.mmap.mixed", op="WRITE", source="catalogue 3.36 mmap; POSIX mmap", also=("READ",), needs=("write",),
    killers=("WRITE:fake", "WRITE:errno=EIO,nth=2"),
)
def mixed(m: Mount) -> None:
    """Stores to a mapping and writes by a descriptor to the same page are both kept, in turns."""
    path = m.file("mapped", bytes(4096))

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 4096, "a shared writable mapping")
        for turn in range(10):
            mapped[turn * 20 : turn * 20 + 5] = b"store"
            os.pwrite(fd, b"write", turn * 20 + 10)
        m.expect_equal(b"store\0\0\0\0\0write\0\0\0\0\0" * 10, mapped[:200], "the mapped data")
        mapped.flush()

    m.fork(work)
    m.expect_equal(b"store\0\0\0\0\0write\0\0\0\0\0" * 10, m.read(path)[:200], "the content")


@mount_check(
    "posix.mmap.behind-the-end", op="READ", source="catalogue 3.36 mmap; POSIX mmap", also=("SETATTR",),
    needs=("write",), killers=("READ:errno=EIO", "SETATTR:fake"),
)
def behind_the_end(m: Mount) -> None:
    """A page of a mapping that lies wholly behind the end, after the file was cut, is a SIGBUS; those before are not.
    """
    path = m.file("mapped", b"x" * 12_288)

    def touch(at: int) -> str:
        def work() -> None:
            fd = os.open(path, os.O_RDWR)
            os.ftruncate(fd, 12_288)
            mapped = _mapped(m, fd, 12_288, "a shared mapping", prot=mmap.PROT_READ)
            os.ftruncate(fd, 100)
            m.expect_equal(b"x" if at < 100 else b"\0", mapped[at : at + 1], f"the mapped byte at {at}")

        return _died(m, work)

    m.expect_equal("", touch(99), "reading the last byte that is left:", show=str)
    m.expect_equal("", touch(4000), "reading behind the end in its page:", show=str)
    m.expect_equal("the process was killed by SIGBUS", touch(8192), "reading a page behind the end:", show=str)


@mount_check(
    "posix.mmap.cut-and-grown", op="SETATTR", source="catalogue 3.36 mmap, 3.4.9; xfstests generic/029",
    needs=("write",), also=("READ",), killers=("SETATTR:fake", "READ:errno=EIO", "READ:flip"),
)
def cut_and_grown(m: Mount) -> None:
    """A mapped file that is cut and grown again shows zeros there, in the mapping as by read."""
    path = m.file("mapped", b"x" * 12_288)

    def work() -> None:
        fd = os.open(path, os.O_RDWR)
        mapped = _mapped(m, fd, 12_288, "a shared mapping", prot=mmap.PROT_READ)
        m.expect_equal(b"x" * 12_288, mapped[:], "the mapped data before")
        os.ftruncate(fd, 5000)
        os.ftruncate(fd, 12_288)
        m.expect_equal(b"x" * 5000 + bytes(7_288), mapped[:], "the mapped data")
        m.expect_equal(b"x" * 5000 + bytes(7_288), os.pread(fd, 20_000, 0), "by read")

    died = _died(m, work)
    m.expect(not died, "the mapped pages to be there again after the file grew", died)


@mount_check(
    "posix.mmap.read-only", op="OPEN", source="catalogue 3.36 mmap; POSIX mmap", needs=("write",),
    killers=("OPEN:errno=EIO,path=*mapped", "READ:errno=EIO"),
)
def read_only(m: Mount) -> None:
    """A file opened for reading only can be mapped for reading and privately, and is EACCES for a shared store."""
    path = m.file("mapped", b"x" * 100)

    def work() -> None:
        fd = os.open(path, os.O_RDONLY)
        m.expect_equal(100, os.fstat(fd).st_size, "the size of the file to map")
        with m.raises(errno.EACCES, errno.ENODEV, what="a shared writable mapping of what is open for reading only"):
            mmap.mmap(fd, 100)
        mapped = _mapped(m, fd, 100, "a private mapping", access=mmap.ACCESS_COPY)
        m.expect_equal(b"x" * 100, mapped[:], "the mapped data")

    m.fork(work)
