"""GETLK, SETLK and SETLKW: asked only of a daemon that wants POSIX_LOCKS; else the kernel keeps them."""

from __future__ import annotations

import os
from errno import EACCES, EAGAIN, EINTR
from typing import Any

from fsprobe.checks import SHOULD, Finding, wire_check
from fsprobe.checks.kernel import Kernel

_NEEDS = ("write", "regular-file", "posix-locks")
_READ, _WRITE, _NONE = 0, 1, 2
_ONE, _OTHER = 0x1111, 0x2222  # lock owners
# How long a lock that must wait is watched for an answer that should not come.
_WATCH = 0.05


def _two_handles(k: Kernel) -> tuple[Any, Any]:
    node = k.given_file("f", b"0123456789")
    return k.given_handle(node, os.O_RDWR), k.given_handle(node, os.O_RDWR)


@wire_check(
    "protocol.getlk.free", op="GETLK", source="catalogue 3.22.1, 4", needs=_NEEDS, quick=True, main=True,
    killers=("GETLK:errno=ENOSYS", "GETLK:errno=EIO"),
)
def getlk_free(k: Kernel) -> None:
    """GETLK on a file that nobody has locked says that nothing is in the way."""
    handle, _ = _two_handles(k)
    k.expect_equal(_NONE, k.getlk(handle, _ONE, _WRITE).type, "lock type")


@wire_check(
    "protocol.setlk.conflict", op="SETLK", also=("GETLK",), source="catalogue 3.22.1", needs=_NEEDS, quick=True,
    main=True, killers=("SETLK:errno=ENOSYS", "SETLK:fake", "SETLK:errno=EIO"),
)
def setlk_conflict(k: Kernel) -> None:
    """A locked range is refused to another owner, who is told of it; a range beside it is free."""
    mine, theirs = _two_handles(k)
    k.setlk(mine, _ONE, _WRITE, 0, 9)
    with k.raises(EAGAIN, EACCES):
        k.setlk(theirs, _OTHER, _WRITE, 5, 20)
    k.setlk(theirs, _OTHER, _WRITE, 10, 19)
    held = k.getlk(theirs, _OTHER, _READ, 3, 3)
    k.expect_equal((_WRITE, 0, 9), (held.type, held.start, held.end), "type, start and end of the lock")
    if held.pid != k.link.pid:
        raise Finding(f"the holder's pid {k.link.pid}", f"pid {held.pid}", warn=True)


@wire_check(
    "protocol.setlk.unlock", op="SETLK", source="catalogue 3.22.3", needs=_NEEDS, quick=True,
    killers=("SETLK:errno=EIO", "SETLK:errno=EAGAIN,nth=3"),
)
def unlock(k: Kernel) -> None:
    """A range that was unlocked can be locked by another; the rest stays locked."""
    mine, theirs = _two_handles(k)
    k.setlk(mine, _ONE, _WRITE, 0, 99)
    k.setlk(mine, _ONE, _NONE, 40, 59)
    k.setlk(theirs, _OTHER, _WRITE, 40, 59)
    for place in (39, 60):
        with k.raises(EAGAIN, EACCES):
            k.setlk(theirs, _OTHER, _READ, place, place)


@wire_check(
    "protocol.setlk.read-locks", op="SETLK", source="catalogue 3.22.3", needs=_NEEDS, quick=True,
    killers=("SETLK:errno=EAGAIN", "SETLK:fake"),
)
def read_locks(k: Kernel) -> None:
    """Two owners share a read lock, which keeps a third from writing."""
    mine, theirs = _two_handles(k)
    k.setlk(mine, _ONE, _READ, 0, 9)
    k.setlk(theirs, _OTHER, _READ, 0, 9)
    with k.raises(EAGAIN, EACCES):
        k.setlk(theirs, 0x3333, _WRITE, 0, 9)


@wire_check(
    "protocol.flush.drops-locks", op="FLUSH", also=("SETLK",), source="catalogue 3.17.4, 3.22.2", needs=_NEEDS,
    killers=("FLUSH:fake", "SETLK:errno=EIO"), quick=True,
)
def flush_drops(k: Kernel) -> None:
    """FLUSH with an owner drops that owner's locks: close(2) promises so."""
    mine, theirs = _two_handles(k)
    k.setlk(mine, _ONE, _WRITE, 0, 9)
    k.flush(mine, _ONE)
    k.setlk(theirs, _OTHER, _WRITE, 0, 9)


@wire_check(
    "protocol.setlkw.free", op="SETLKW", source="catalogue 3.22.4", needs=_NEEDS, quick=True, main=True,
    killers=("SETLKW:errno=ENOSYS", "SETLKW:errno=EIO", "SETLKW:drop"),
)
def setlkw_free(k: Kernel) -> None:
    """SETLKW on a free range is granted at once."""
    handle, _ = _two_handles(k)
    k.answer(k.setlkw_later(handle, _ONE, _WRITE, 0, 9))


@wire_check(
    "protocol.setlkw.waits", op="SETLKW", also=("SETLK", "GETATTR"), source="catalogue 3.22.4", needs=_NEEDS,
    killers=("SETLKW:errno=EAGAIN", "SETLKW:fake", "SETLKW:drop"),
)
def setlkw_waits(k: Kernel) -> None:
    """SETLKW on a locked range waits, holds up nobody else, and is granted when the lock goes."""
    mine, theirs = _two_handles(k)
    k.setlk(mine, _ONE, _WRITE, 0, 9)
    waiting = k.setlkw_later(theirs, _OTHER, _WRITE, 0, 9)
    if k.answered(waiting, _WATCH):
        k.answer(waiting)
        raise Finding("to wait for the lock", "success while another owner has it")
    k.getattr(mine.node)
    k.setlk(mine, _ONE, _NONE, 0, 9)
    k.answer(waiting)


@wire_check(
    "protocol.interrupt.lock", op="INTERRUPT", also=("SETLKW",), source="catalogue 3.22.4, 3.25.1", level=SHOULD,
    needs=_NEEDS, killers=("INTERRUPT:drop", "SETLKW:errno=EIO"), quick=True,
)
def interrupt_lock(k: Kernel) -> None:
    """A wait for a lock ends with EINTR when it is interrupted."""
    mine, theirs = _two_handles(k)
    k.setlk(mine, _ONE, _WRITE, 0, 9)
    waiting = k.setlkw_later(theirs, _OTHER, _WRITE, 0, 9)
    k.interrupt(waiting)
    if not k.answered(waiting, 1.0):
        k.setlk(mine, _ONE, _NONE, 0, 9)
        k.answer(waiting)
        raise Finding("EINTR within a second", "no answer: the wait is not interruptible")
    with k.raises(EINTR):
        k.answer(waiting)
