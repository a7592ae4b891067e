"""SETLK by flock(2), and by open file descriptions: locks that belong to an open."""

from __future__ import annotations

import errno
import fcntl
import functools
import os

from fsprobe.checks import SHOULD, linux, mount_check
from fsprobe.checks.mount import Mount

NEEDS = ("write", "flocks")
SHARED, ALONE, NOW, FREE = fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_NB, fcntl.LOCK_UN
BUSY = (errno.EAGAIN, errno.EACCES)


@mount_check(
    "posix.setlk.flock-shared", op="SETLK", source="catalogue 3.22.5; man 2 flock", needs=NEEDS, quick=True,
    killers=("SETLK:errno=EIO", "SETLK:fake"),
)
def flock_shared(m: Mount) -> None:
    """Shared flocks go together, an exclusive one waits for all of them, and can become shared again."""
    path = m.file("locked")
    one, two, three = (m.open(path, os.O_RDWR) for _ in range(3))
    fcntl.flock(one, SHARED | NOW)
    fcntl.flock(two, SHARED | NOW)
    with m.raises(*BUSY, what="an exclusive flock where two hold shared ones"):
        fcntl.flock(three, ALONE | NOW)
    fcntl.flock(two, FREE)
    with m.raises(*BUSY, what="an exclusive flock where one holds a shared one"):
        fcntl.flock(three, ALONE | NOW)
    fcntl.flock(one, ALONE | NOW)
    with m.raises(*BUSY, what="a shared flock where one holds an exclusive one"):
        fcntl.flock(two, SHARED | NOW)
    fcntl.flock(one, SHARED | NOW)
    fcntl.flock(two, SHARED | NOW)


@mount_check(
    "posix.setlk.flock-dup", op="SETLK", source="catalogue 3.22.5; man 2 flock", needs=NEEDS, also=("RELEASE",),
    killers=("SETLK:errno=EIO", "SETLK:fake"), quick=True,
)
def flock_dup(m: Mount) -> None:
    """A duplicate shares the flock: closing one of two keeps it, and unlocking through either ends it."""
    path = m.file("locked")
    one, other = m.open(path, os.O_RDWR), m.open(path, os.O_RDWR)
    second = os.dup(one)
    fcntl.flock(one, ALONE | NOW)
    fcntl.flock(second, ALONE | NOW)
    m.close(one)
    with m.raises(*BUSY, what="flock after one of two duplicates was closed"):
        fcntl.flock(other, ALONE | NOW)
    fcntl.flock(second, FREE)
    os.close(second)
    fcntl.flock(other, ALONE | NOW)


@mount_check(
    "posix.setlk.flock-inherited", op="SETLK", source="catalogue 3.22.5; man 2 flock", needs=NEEDS,
    also=("RELEASE", "FLUSH"), killers=("SETLK:errno=EIO", "SETLK:fake"),
)
def flock_inherited(m: Mount) -> None:
    """A child shares its parent's flock: it stays while the child has it open, also where the parent closed it."""
    path = m.file("locked")
    one, other = m.open(path, os.O_RDWR), m.open(path, os.O_RDWR)
    fcntl.flock(one, ALONE | NOW)
    m.fork(lambda: os.close(one))
    with m.raises(*BUSY, what="flock after a child closed the descriptor it inherited"):
        fcntl.flock(other, ALONE | NOW)
    go = os.pipe()

    def hold() -> None:
        os.close(go[1])
        os.read(go[0], 1)

    child = m.start(hold)
    try:
        m.close(one)
        with m.raises(*BUSY, what="flock after the parent closed what its child has open"):
            fcntl.flock(other, ALONE | NOW)
    finally:
        os.close(go[1])
        os.close(go[0])
    child.result()
    # RELEASE, which unlocks, is asynchronous: a blocking lock has to come through.
    m.fork(functools.partial(fcntl.flock, other, ALONE))


@mount_check(
    "posix.setlk.flock-read-only", op="SETLK", source="catalogue 3.22.5; man 2 flock", needs=NEEDS,
    killers=("SETLK:errno=EIO", "SETLK:fake"),
)
def flock_read_only(m: Mount) -> None:
    """Through a descriptor for reading only, an exclusive flock is granted, as git and dpkg's scripts need it."""
    path = m.file("locked")
    one, two = m.open(path), m.open(path)
    fcntl.flock(one, ALONE | NOW)
    with m.raises(*BUSY, what="a second exclusive flock"):
        fcntl.flock(two, ALONE | NOW)


@mount_check(
    "posix.setlk.open-file-description", op="SETLK", level=SHOULD, source="catalogue 3.22.6; man 2 fcntl",
    needs=("write", "locks"), killers=("SETLK:errno=EIO", "SETLK:fake"),
)
def open_file_description(m: Mount) -> None:
    """Open file description locks of two opens conflict in one process, and are shared by a duplicate."""
    path = m.file("locked")
    one, two = m.open(path, os.O_RDWR), m.open(path, os.O_RDWR)
    second = os.dup(one)
    whole = linux.Flock(fcntl.F_WRLCK).pack()
    fcntl.fcntl(one, linux.F_OFD_SETLK, whole)
    with m.raises(*BUSY, what="F_OFD_SETLK by another open"):
        fcntl.fcntl(two, linux.F_OFD_SETLK, whole)
    fcntl.fcntl(second, linux.F_OFD_SETLK, whole)
    os.close(second)
    with m.raises(*BUSY, what="F_OFD_SETLK by another open after a duplicate was closed"):
        fcntl.fcntl(two, linux.F_OFD_SETLK, whole)
    fcntl.fcntl(one, linux.F_OFD_SETLK, linux.Flock(fcntl.F_UNLCK).pack())
    fcntl.fcntl(two, linux.F_OFD_SETLK, whole)
