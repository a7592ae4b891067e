"""GETLK, SETLK: ranges of POSIX locks, whose they are, and what ends them."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from typing import Any

from fsprobe.checks import INFO, linux, mount_check
from fsprobe.checks.mount import Mount

NEEDS = ("write", "locks")
READ, WRITE, FREE = fcntl.F_RDLCK, fcntl.F_WRLCK, fcntl.F_UNLCK
BUSY = ("EAGAIN", "EACCES")


def lock(fd: int, kind: int, start: int = 0, length: int = 0, *, whence: int = os.SEEK_SET) -> None:
    """A POSIX lock, or its end, without waiting; length 0 reaches to the end."""
    fcntl.fcntl(fd, fcntl.F_SETLK, linux.Flock(kind, whence, start, length).pack())


def ask(fd: int, kind: int, start: int = 0, length: int = 0) -> linux.Flock:
    """Who is in the way of such a lock; type F_UNLCK where nobody is."""
    return linux.Flock.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, linux.Flock(kind, os.SEEK_SET, start, length).pack()))


def others(m: Mount, path: str, *tries: tuple[int, int, int]) -> list[str]:
    """"granted" or "refused", or another error, for each lock that another process tries in turn."""

    def attempt(kind: int, start: int, length: int) -> str:
        fd = os.open(path, os.O_RDWR)
        try:
            lock(fd, kind, start, length)
        except OSError as error:
            name = linux.errno_name(error.errno or 0)
            return "refused" if name in BUSY else name
        finally:
            os.close(fd)
        return "granted"

    answers: list[str] = m.fork(lambda: [attempt(*one) for one in tries])
    return answers


@mount_check(
    "posix.setlk.to-the-end", op="SETLK", source="catalogue 3.22.3; POSIX fcntl", needs=NEEDS,
    killers=("SETLK:fake", "SETLK:errno=EIO", "SETLK:errno=EINVAL"),
)
def to_the_end(m: Mount) -> None:
    """A lock of length 0 covers everything from its start on, far beyond the end of the file, and nothing before."""
    path = m.file("locked", b"x" * 100)
    fd = m.open(path, os.O_RDWR)
    lock(fd, WRITE, 50)
    got = others(m, path, (WRITE, 0, 50), (WRITE, 49, 2), (WRITE, 99, 1), (WRITE, 1 << 40, 1), (READ, 1 << 62, 0))
    m.expect_equal(["granted"] + ["refused"] * 4, got, "the locks of another process")


@mount_check(
    "posix.setlk.merged", op="SETLK", source="catalogue 3.22.3; POSIX fcntl", needs=NEEDS, also=("GETLK",),
    killers=("SETLK:fake", "SETLK:errno=ENOLCK,nth=2", "GETLK:errno=EIO"),
)
def merged(m: Mount) -> None:
    """Locks side by side are one: told as one range, and ended by one unlock of the whole."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    for start in (0, 20, 10):
        lock(fd, WRITE, start, 10)

    def look() -> list[int]:
        found = ask(os.open(path, os.O_RDWR), WRITE, 0, 100)
        return [found.type, found.start, found.length]

    m.expect_equal([WRITE, 0, 30], m.fork(look), "type, start and length of the lock in the way", warn=True)
    m.expect_equal(["refused"] * 3, others(m, path, *((WRITE, at, 10) for at in (0, 10, 20))), "the other's locks")
    lock(fd, FREE, 0, 30)
    m.expect_equal(["granted"], others(m, path, (WRITE, 0, 0)), "another's lock after one unlock")


@mount_check(
    "posix.setlk.shared", op="SETLK", source="catalogue 3.22.3; POSIX fcntl", needs=NEEDS, quick=True,
    killers=("SETLK:fake", "SETLK:errno=EIO", "SETLK:errno=EAGAIN"),
)
def shared(m: Mount) -> None:
    """Read locks of two processes go together; neither can become a write lock until the other is gone."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    lock(fd, READ)
    m.expect_equal(["granted", "refused"], others(m, path, (READ, 0, 0), (WRITE, 0, 0)), "another's locks")
    ready, go = os.pipe(), os.pipe()

    def hold() -> None:
        lock(os.open(path, os.O_RDWR), READ)
        os.write(ready[1], b"x")
        os.read(go[0], 1)

    other = m.start(hold)
    try:
        os.close(ready[1])
        os.read(ready[0], 1)
        with m.raises(errno.EAGAIN, errno.EACCES, what="a write lock where another process holds a read lock"):
            lock(fd, WRITE)
        os.write(go[1], b"x")
        other.result()
    finally:
        for end in (ready[0], *go):
            os.close(end)
    lock(fd, WRITE)
    m.expect_equal(["refused"], others(m, path, (READ, 0, 0)), "another's read lock after that became a write lock")


@mount_check(
    "posix.setlk.replaced", op="SETLK", source="catalogue 3.22.3; POSIX fcntl", needs=NEEDS,
    killers=("SETLK:fake", "SETLK:errno=EIO,nth=2"),
)
def replaced(m: Mount) -> None:
    """A second lock of the same process replaces the first where they meet: the middle turned to read, the ends not."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    lock(fd, WRITE, 0, 90)
    lock(fd, READ, 30, 30)
    parts = [(READ, 0, 30), (READ, 30, 30), (READ, 60, 30), (WRITE, 30, 30), (WRITE, 90, 0)]
    got = others(m, path, *parts)
    m.expect_equal(["refused", "granted", "refused", "refused", "granted"], got, "the locks of another process")
    lock(fd, WRITE, 0, 90)
    m.expect_equal(["refused"] * 3, others(m, path, *parts[:3]), "the locks of another process after all is written")


@mount_check(
    "posix.setlk.killed-holder", op="SETLK", source="catalogue 3.22.2, 3.17.4; POSIX fcntl", needs=NEEDS,
    also=("FLUSH",), killers=("SETLK:fake", "SETLK:errno=EIO"),
)
def killed_holder(m: Mount) -> None:
    """The locks of a process that is killed end with it."""
    path = m.file("locked")
    ready = os.pipe()

    def hold() -> None:
        lock(os.open(path, os.O_RDWR), WRITE)
        os.write(ready[1], os.getpid().to_bytes(4, "little"))
        signal.pause()

    other = m.start(hold)
    os.close(ready[1])
    told = os.read(ready[0], 4)
    os.close(ready[0])
    if not told:
        other.result()
    m.expect_equal(["refused"], others(m, path, (WRITE, 0, 0)), "a lock while the process lives")
    os.kill(int.from_bytes(told, "little"), signal.SIGKILL)
    m.expect(other.ended_within(5.0), "the killed process to end within 5 s", "it does not")
    m.expect_equal(["granted"], others(m, path, (WRITE, 0, 0)), "a lock after the process was killed")


@mount_check(
    "posix.setlk.not-inherited", op="SETLK", source="catalogue 3.22.2; POSIX fork", needs=NEEDS, also=("FLUSH",),
    killers=("SETLK:fake", "SETLK:errno=EIO"),
)
def not_inherited(m: Mount) -> None:
    """A child has no part in its parent's lock: it is refused it, and closing what it inherited does not end it."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    lock(fd, WRITE)

    def child() -> str:
        try:
            lock(fd, WRITE)
        except OSError as error:
            return "refused" if linux.errno_name(error.errno or 0) in BUSY else linux.errno_name(error.errno or 0)
        finally:
            os.close(fd)
        return "granted"

    m.expect_equal("refused", m.fork(child), "the child's lock through the descriptor it inherited:", show=str)
    m.expect_equal(["refused"], others(m, path, (WRITE, 0, 0)), "another's lock after the child closed it")


@mount_check(
    "posix.setlk.follows-rename", op="SETLK", source="catalogue 3.22.1; POSIX fcntl", needs=NEEDS, also=("RENAME",),
    killers=("SETLK:fake", "RENAME:fake"),
)
def follows_rename(m: Mount) -> None:
    """A lock is on the file and not on its name: it holds after a rename, and not for a new file of the old name."""
    path, new = m.file("locked"), m.path("renamed")
    fd = m.open(path, os.O_RDWR)
    lock(fd, WRITE)
    os.rename(path, new)
    m.expect_equal(["refused"], others(m, new, (WRITE, 0, 0)), "another's lock by the new name")
    m.file("locked")
    m.expect_equal(["granted"], others(m, path, (WRITE, 0, 0)), "another's lock of the new file")


@mount_check(
    "posix.setlk.both-names", op="SETLK", level=INFO, source="catalogue 3.22.1; POSIX fcntl",
    needs=(*NEEDS, "hardlink"), also=("LINK",), killers=("SETLK:fake", "SETLK:errno=EIO"),
)
def both_names(m: Mount) -> None:
    """A lock taken by one of two names of a file is in the way of another process by the other name."""
    one = m.file("one")
    two = m.hard_link(one, "two")
    fd = m.open(one, os.O_RDWR)
    lock(fd, WRITE)
    m.expect_equal(["refused"], others(m, two, (WRITE, 0, 0)), "another's lock by the other name")


@mount_check(
    "posix.setlk.relative", op="SETLK", source="catalogue 3.22.3; POSIX fcntl", needs=NEEDS,
    killers=("SETLK:fake", "SETLK:errno=EIO"),
)
def relative(m: Mount) -> None:
    """A lock from the end of the file, from where the descriptor stands, or of negative length covers what it says."""
    path = m.file("locked", b"x" * 100)
    fd = m.open(path, os.O_RDWR)
    tries = [(WRITE, at, 10) for at in (0, 30, 40, 90)]
    for whence, start, length, covered in (
        (os.SEEK_END, -10, 10, 3), (os.SEEK_CUR, 10, 10, 2), (os.SEEK_SET, 40, -10, 1),
    ):  # fmt: skip
        os.lseek(fd, 30, os.SEEK_SET)
        lock(fd, WRITE, start, length, whence=whence)
        expected = ["refused" if place == covered else "granted" for place in range(4)]
        m.expect_equal(expected, others(m, path, *tries), f"another's locks beside one from {start}, length {length}")
        lock(fd, FREE)


@mount_check(
    "posix.getlk.own", op="GETLK", source="catalogue 3.22.1; POSIX fcntl", needs=NEEDS, also=("SETLK",),
    killers=("GETLK:errno=EIO", "GETLK:errno=ENOSYS", "SETLK:errno=EIO"),
)
def own(m: Mount) -> None:
    """F_GETLK says that a process's own lock is not in its way, also by another descriptor."""
    path = m.file("locked")
    fd, other = m.open(path, os.O_RDWR), m.open(path, os.O_RDWR)
    lock(fd, WRITE, 0, 10)
    for mine in (fd, other):
        m.expect_equal(FREE, ask(mine, WRITE, 0, 0).type, "the type of what is in the way of the holder")


@mount_check(
    "posix.getlk.which", op="GETLK", source="catalogue 3.22.1; POSIX fcntl", needs=NEEDS, also=("SETLK",), quick=True,
    killers=("GETLK:errno=EIO", "SETLK:fake", "SETLK:errno=EIO"),
)
def which(m: Mount) -> None:
    """Of several locks F_GETLK tells one that is in the way: not one elsewhere, nor a read lock to a reader."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    lock(fd, READ, 0, 10)
    lock(fd, WRITE, 50, 10)

    def look() -> list[Any]:
        mine = os.open(path, os.O_RDWR)
        asked = ((READ, 0, 20), (WRITE, 5, 20), (READ, 0, 100), (WRITE, 20, 30))
        return [[found.type, found.start] for found in (ask(mine, *one) for one in asked)]

    free, reader, writer, between = m.fork(look)
    m.expect_equal(FREE, free[0], "the type in the way of a read lock where a read lock is")
    m.expect_equal([READ, 0], reader, "type and start in the way of a write lock where a read lock is")
    m.expect_equal([WRITE, 50], writer, "type and start in the way of a read lock of all")
    m.expect_equal(FREE, between[0], "the type where nothing is locked")
