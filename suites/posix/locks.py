"""GETLK, SETLK, SETLKW, INTERRUPT: locks between processes."""

from __future__ import annotations

import errno
import fcntl
import functools
import os
import signal
from typing import Any

from fsprobe.checks import SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount


def set_lock(fd: int, kind: int, start: int = 0, length: int = 0, *, wait: bool = False) -> None:
    """A POSIX lock by fcntl; length 0 reaches to the end."""
    command = fcntl.F_SETLKW if wait else fcntl.F_SETLK
    fcntl.fcntl(fd, command, linux.Flock(kind, start=start, length=length).pack())


def holder(fd: int, kind: int, start: int = 0, length: int = 0) -> linux.Flock:
    """Who is in the way of such a lock; type F_UNLCK where nobody is."""
    return linux.Flock.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, linux.Flock(kind, start=start, length=length).pack()))


def try_lock(path: str, kind: int, start: int = 0, length: int = 0) -> str:
    """"success", or the name of the error; to be run in another process."""
    fd = os.open(path, os.O_RDWR)
    try:
        set_lock(fd, kind, start, length)
    except OSError as error:
        return linux.errno_name(error.errno or 0)
    finally:
        os.close(fd)
    return "success"


@mount_check(
    "posix.setlk.conflict", op="SETLK", source="catalogue 3.22.1; POSIX fcntl", main=True, quick=True, also=("FLUSH",),
    needs=("write",), killers=("SETLK:fake", "SETLK:errno=ENOSYS", "SETLK:errno=EIO"),
)
def conflict(m: Mount) -> None:
    """A write lock keeps other processes from locking the same bytes, and lets them lock others."""
    path = m.file("locked", b"x" * 100)
    fd = m.open(path, os.O_RDWR)
    set_lock(fd, fcntl.F_WRLCK, 0, 10)
    got = m.fork(lambda: [try_lock(path, fcntl.F_WRLCK, *part) for part in ((0, 10), (5, 1), (10, 10))])
    m.expect(got[0] in ("EAGAIN", "EACCES") and got[1] in ("EAGAIN", "EACCES"),
             "EAGAIN or EACCES from a lock of locked bytes", " and ".join(got[:2]))
    m.expect_equal("success", got[2], "a lock of other bytes:", show=str)
    set_lock(fd, fcntl.F_UNLCK, 0, 10)
    again = m.fork(lambda: try_lock(path, fcntl.F_WRLCK, 0, 10))
    m.expect_equal("success", again, "a lock after unlocking:", show=str)


@mount_check(
    "posix.getlk.holder", op="GETLK", source="catalogue 3.22.1; POSIX fcntl", main=True, quick=True, also=("SETLK",),
    needs=("write",), killers=("GETLK:errno=EIO", "GETLK:errno=ENOSYS", "SETLK:fake"),
)
def lock_holder(m: Mount) -> None:
    """F_GETLK names the type, the range and the process of a lock in the way, and says when there is none."""
    path = m.file("locked", b"x" * 100)
    fd = m.open(path, os.O_RDWR)
    set_lock(fd, fcntl.F_WRLCK, 0, 10)

    def ask() -> list[Any]:
        other = os.open(path, os.O_RDWR)
        found, free = holder(other, fcntl.F_WRLCK, 5, 50), holder(other, fcntl.F_WRLCK, 10, 10)
        return [found.type, found.start, found.length, found.pid, free.type]

    kind, start, length, pid, free = m.fork(ask)
    m.expect_equal((fcntl.F_WRLCK, 0, 10), (kind, start, length), "type, start and length of the lock")
    m.expect_equal(fcntl.F_UNLCK, free, "the type where nothing is locked")
    m.expect_equal(os.getpid(), pid, "the process that holds the lock", warn=True)


@mount_check(
    "posix.setlk.dropped-on-close", op="SETLK", source="catalogue 3.22.2, 3.17.4; POSIX close", also=("FLUSH",),
    needs=("write", "locks"), killers=("FLUSH:fake,path=*locked", "SETLK:errno=EIO"),
)
def dropped_on_close(m: Mount) -> None:
    """Closing any descriptor of a file drops all POSIX locks of the process on it."""
    path = m.file("locked")
    keep, other = m.open(path, os.O_RDWR), m.open(path, os.O_RDWR)
    set_lock(keep, fcntl.F_WRLCK)
    m.close(other)
    got = m.fork(lambda: try_lock(path, fcntl.F_WRLCK))
    m.expect_equal("success", got, "a lock by another process after that close:", show=str)


@mount_check(
    "posix.setlk.ranges", op="SETLK", source="catalogue 3.22.3; POSIX fcntl", also=("GETLK",), needs=("write", "locks"),
    killers=("SETLK:fake", "SETLK:errno=ENOLCK,nth=2"), quick=True,
)
def ranges(m: Mount) -> None:
    """Unlocking the middle of a range leaves both ends locked, and a write lock can become a read lock."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    set_lock(fd, fcntl.F_WRLCK, 0, 100)
    set_lock(fd, fcntl.F_UNLCK, 40, 20)
    set_lock(fd, fcntl.F_RDLCK, 90, 10)
    tries = ((fcntl.F_WRLCK, 0, 40), (fcntl.F_WRLCK, 40, 20), (fcntl.F_RDLCK, 60, 5), (fcntl.F_RDLCK, 90, 10))
    got = m.fork(lambda: ["refused" if try_lock(path, *t) in ("EAGAIN", "EACCES") else "granted" for t in tries])
    m.expect_equal(["refused", "granted", "refused", "granted"], got, "the locks of another process")


@mount_check(
    "posix.setlkw.wakes", op="SETLKW", source="catalogue 3.22.4; POSIX fcntl", main=True, quick=True, also=("SETLK",),
    needs=("write",), killers=("SETLKW:errno=EDEADLK", "SETLKW:errno=ENOSYS", "SETLKW:drop"),
)
def wakes(m: Mount) -> None:
    """F_SETLKW waits for a lock and has it once it is released; other operations go on meanwhile."""
    path = m.file("locked", b"data")
    fd = m.open(path, os.O_RDWR)
    set_lock(fd, fcntl.F_WRLCK)

    def wait() -> str:
        set_lock(os.open(path, os.O_RDWR), fcntl.F_WRLCK, wait=True)
        return "locked"

    waiter = m.start(wait)
    waiter.wait_until_it_waits()
    m.expect_equal(4, m.stat(path).size, "the size, asked while a process waits for a lock")
    set_lock(fd, fcntl.F_UNLCK)
    m.expect_equal("locked", waiter.result(), "the waiting process")


@mount_check(
    "posix.setlkw.interruptible", op="INTERRUPT", level=SHOULD, source="catalogue 3.22.4; POSIX fcntl", main=True,
    also=("SETLKW",), needs=("write", "locks"), killers=("INTERRUPT:fake", "INTERRUPT:drop"),
)
def interruptible(m: Mount) -> None:
    """A signal ends the wait for a lock with EINTR."""
    path = m.file("locked")
    fd = m.open(path, os.O_RDWR)
    set_lock(fd, fcntl.F_WRLCK)

    def wait() -> str:
        def stop(number: int, frame: Any) -> None:
            raise InterruptedError(errno.EINTR, "interrupted")

        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        try:
            set_lock(os.open(path, os.O_RDWR), fcntl.F_WRLCK, wait=True)
        except InterruptedError:
            return "EINTR"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return "locked"

    waiter = m.start(wait)
    if not waiter.ended_within(2.0):
        set_lock(fd, fcntl.F_UNLCK)
        raise Finding("EINTR from the waiting fcntl within 2 s of a signal", "it waits on")
    m.expect_equal("EINTR", waiter.result(), "the waiting process")


@mount_check(
    "posix.setlk.flock", op="SETLK", source="catalogue 3.22.5; man 2 flock", also=("RELEASE",),
    needs=("write",), killers=("SETLK:errno=EIO", "SETLK:fake"),
)
def flock(m: Mount) -> None:
    """flock conflicts between two opens, goes with the last close, and does not meet fcntl's locks."""
    path = m.file("locked")
    one, two = m.open(path, os.O_RDWR), m.open(path, os.O_RDWR)
    fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with m.raises(errno.EAGAIN, what="flock of a file that is locked"):
        fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
    got = m.fork(lambda: try_lock(path, fcntl.F_WRLCK))
    m.expect_equal("success", got, "a POSIX lock beside flock:", show=str, warn=True)
    m.close(one)
    # RELEASE, which unlocks, is asynchronous: a blocking lock has to come through.
    m.fork(functools.partial(fcntl.flock, two, fcntl.LOCK_EX))
    set_lock(two, fcntl.F_WRLCK)
    refused = m.fork(lambda: try_lock(path, fcntl.F_WRLCK))
    m.expect(refused in ("EAGAIN", "EACCES"), "EAGAIN or EACCES from a POSIX lock in the way", refused)
