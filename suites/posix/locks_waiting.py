"""SETLKW: locks that are waited for, and counted by."""

from __future__ import annotations

import errno
import fcntl
import functools
import os
import select
import signal
from typing import Any

from fsprobe.checks import SHOULD, Unsupported, linux, mount_check
from fsprobe.checks.mount import Mount

NEEDS = ("write", "locks")
READ, WRITE, FREE = fcntl.F_RDLCK, fcntl.F_WRLCK, fcntl.F_UNLCK


def lock(fd: int, kind: int, start: int = 0, length: int = 0, *, wait: bool = False) -> None:
    """A POSIX lock; length 0 reaches to the end."""
    fcntl.fcntl(fd, fcntl.F_SETLKW if wait else fcntl.F_SETLK, linux.Flock(kind, os.SEEK_SET, start, length).pack())


def wait_for(path: str, kind: int, start: int = 0, length: int = 0) -> str:
    """Wait for a lock in a process of its own; it ends with the process."""
    lock(os.open(path, os.O_RDWR), kind, start, length, wait=True)
    return "locked"


@mount_check(
    "posix.setlkw.many-waiters", op="SETLKW", source="catalogue 3.22.4; POSIX fcntl", needs=NEEDS, also=("SETLK",),
    parallel=True, killers=("SETLKW:errno=EDEADLK", "SETLK:errno=EIO", "READ:flip"),
)
def many_waiters(m: Mount) -> None:
    """While twelve processes wait for a lock the file system answers others, and each has the lock in its turn."""
    path = m.file("locked", b"data")
    fd = m.open(path, os.O_RDWR)
    lock(fd, WRITE)
    waiters = [m.start(functools.partial(wait_for, path, WRITE)) for _ in range(12)]
    for waiter in waiters:
        waiter.wait_until_it_waits()
    m.expect_equal(4, m.stat(path).size, "the size, asked while twelve processes wait")
    m.expect_equal(b"data", m.pread(fd, 100, 0), "the content, read while twelve processes wait")
    lock(fd, FREE)
    m.expect_equal(["locked"] * 12, [waiter.result() for waiter in waiters], "the twelve processes")


@mount_check(
    "posix.setlkw.after-readers", op="SETLKW", source="catalogue 3.22.4; POSIX fcntl", needs=NEEDS, also=("SETLK",),
    killers=("SETLKW:errno=EDEADLK", "SETLKW:fake"),
)
def after_readers(m: Mount) -> None:
    """Who waits for bytes that two locks cover has them after both are gone, and not before."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    lock(fd, READ, 0, 10)
    lock(fd, WRITE, 20, 10)
    waiter = m.start(functools.partial(wait_for, path, WRITE, 5, 20))
    waiter.wait_until_it_waits()
    lock(fd, FREE, 0, 10)
    m.expect(not waiter.ended_within(0.01), "the process to wait for the second lock", "it has the lock")
    lock(fd, FREE, 20, 10)
    m.expect_equal("locked", waiter.result(), "the waiting process")


@mount_check(
    "posix.setlkw.killed-waiter", op="SETLKW", source="catalogue 3.22.4, 3.25.3", needs=NEEDS,
    also=("SETLK", "INTERRUPT", "FLUSH"), killers=("SETLKW:fake", "SETLKW:errno=EDEADLK", "SETLK:errno=EIO"),
)
def killed_waiter(m: Mount) -> None:
    """A process that is killed while it waits for a lock leaves none behind: the next one has it."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    lock(fd, WRITE)
    ready = os.pipe()

    def work() -> str:
        os.write(ready[1], os.getpid().to_bytes(4, "little"))
        return wait_for(path, WRITE)

    waiter = m.start(work)
    os.close(ready[1])
    pid = int.from_bytes(os.read(ready[0], 4), "little")
    os.close(ready[0])
    waiter.wait_until_it_waits()
    m.expect(not waiter.ended_within(0.02), "the process to wait for the lock", "it came back")
    os.kill(pid, signal.SIGKILL)
    lock(fd, FREE)
    m.expect(waiter.ended_within(5.0), "the killed process to end within 5 s of the unlock", "it waits on")
    m.expect_equal("locked", m.fork(functools.partial(wait_for, path, WRITE)), "the next process")


@mount_check(
    "posix.setlkw.given-up", op="INTERRUPT", level=SHOULD, source="catalogue 3.25.3, 3.22.4", needs=NEEDS,
    also=("SETLKW", "SETLK"), killers=("SETLKW:fake", "SETLKW:errno=EDEADLK"),
)
def given_up(m: Mount) -> None:
    """A process that gave up waiting for a lock, and lives on, does not get it later: the next one does."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    lock(fd, WRITE)
    ready, go = os.pipe(), os.pipe()

    def work() -> str:
        def stop(number: int, frame: Any) -> None:
            raise InterruptedError(errno.EINTR, "interrupted")

        mine = os.open(path, os.O_RDWR)
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        try:
            lock(mine, WRITE, wait=True)
        except InterruptedError:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            return "given up"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.close(ready[1])
        return "locked"

    waiter = m.start(work)
    os.close(ready[1])
    try:
        if not _readable(ready[0], 1.0):
            lock(fd, FREE)
            raise Unsupported("who waits for a lock cannot be interrupted")
        lock(fd, FREE)
        m.expect_equal("locked", m.fork(functools.partial(wait_for, path, WRITE)), "the next process")
        os.write(go[1], b"x")
        m.expect_equal("given up", waiter.result(), "the process that was interrupted", show=str)
    finally:
        for end in (ready[0], *go):
            os.close(end)


def _readable(fd: int, seconds: float) -> bool:
    """Whether something comes, or the other end closes, in that time."""
    return bool(select.select([fd], [], [], seconds)[0])


@mount_check(
    "posix.setlkw.counter", op="SETLKW", source="catalogue 3.36 concurrency; POSIX fcntl", needs=NEEDS,
    also=("READ", "WRITE", "SETLK"), parallel=True,
    killers=("SETLKW:errno=EIO", "READ:errno=EIO", "WRITE:fake"),
)
def counter(m: Mount) -> None:
    """Four processes that each add 1 to a number in a file 20 times, under a lock, come to 80."""
    path = m.file("counter", bytes(8))

    def count() -> None:
        fd = os.open(path, os.O_RDWR)
        for _ in range(20):
            lock(fd, WRITE, wait=True)
            value = int.from_bytes(os.pread(fd, 8, 0), "little")
            os.pwrite(fd, (value + 1).to_bytes(8, "little"), 0)
            lock(fd, FREE)

    for process in [m.start(count) for _ in range(4)]:
        process.result()
    m.expect_equal(80, int.from_bytes(m.read(path), "little"), "the number")
