"""Locks: what forbids what, how a range is split, and who is woken."""

from __future__ import annotations

import errno
from fcntl import F_RDLCK, F_UNLCK, F_WRLCK

import pytest

from fsprobe.wire import FileLock, FlushIn, InHeader, LkFlag, LkIn, Opcode, Request
from reference_fs.model_locks import END, Lock, LockTable
from reference_fs.raw_locks import Deferred, Locks


@pytest.mark.parametrize(
    ("held", "wanted", "free"),
    [
        (Lock(1, F_WRLCK, 0, 9), Lock(2, F_RDLCK, 9, 9), False),
        (Lock(1, F_WRLCK, 0, 9), Lock(2, F_WRLCK, 10, 19), True),
        (Lock(1, F_RDLCK), Lock(2, F_RDLCK), True),
        (Lock(1, F_RDLCK), Lock(2, F_WRLCK, END, END), False),
        (Lock(1, F_WRLCK), Lock(1, F_WRLCK), True),
        (Lock(1, F_WRLCK), Lock(2, F_UNLCK), True),
    ],
)
def test_what_is_in_the_way(held: Lock, wanted: Lock, free: bool) -> None:
    """Two processes would both hold a write lock, or one would be refused for nothing."""
    table = LockTable()
    table.set(held)
    assert (table.in_the_way(wanted) is None) is free


def test_a_part_can_be_unlocked_or_changed() -> None:
    """Unlocking one record of a database would unlock its neighbours."""
    table = LockTable()
    table.set(Lock(1, F_WRLCK, 0, 99))
    table.set(Lock(1, F_UNLCK, 40, 59))
    table.set(Lock(1, F_RDLCK, 90, 99))
    held = sorted((lock.start, lock.end, lock.kind) for lock in table.locks)
    assert held == [(0, 39, F_WRLCK), (60, 89, F_WRLCK), (90, 99, F_RDLCK)]


def test_neighbours_are_told_as_one() -> None:
    """Who asks what is in the way is told of the whole range, and of the lowest of an owner's ranges."""
    table = LockTable()
    for start, end in ((50, 59), (10, 19), (20, 29), (0, 9)):
        table.set(Lock(1, F_WRLCK, start, end))
    found = table.in_the_way(Lock(2, F_RDLCK, 5, END))
    assert found is not None
    assert (found.start, found.end) == (0, 29)
    table.set(Lock(1, F_UNLCK, 10, 19))
    assert [(lock.start, lock.end) for lock in table.locks] == [(0, 9), (20, 29), (50, 59)]


def test_an_unlock_is_told_what_it_would_free() -> None:
    """F_OFD_GETLK with F_UNLCK asks for the locks of the open file itself (fcntl(2))."""
    locks = Locks()
    locks.set(lock(1, owner=5))
    for owner, kind in ((5, F_WRLCK), (6, F_UNLCK)):
        assert locks.get(lock(2, owner=owner, kind=F_UNLCK)).lk.type == kind


def ask(unique: int, opcode: Opcode, body: object) -> Request:
    return Request(InHeader(0, opcode, unique, 7), opcode, body)


def lock(unique: int, owner: int, kind: int = F_WRLCK) -> Request:
    return ask(unique, Opcode.SETLKW, LkIn(owner=owner, lk=FileLock(0, END, kind)))


def test_who_waits_is_woken_in_turn_or_interrupted() -> None:
    """A process would wait for ever, or two would be told that they hold the lock."""
    locks = Locks()
    locks.wait(lock(1, owner=1))
    for unique, owner in ((2, 20), (3, 30), (4, 40)):
        with pytest.raises(Deferred):
            locks.wait(lock(unique, owner))
    locks.interrupt(3)
    assert locks.due == [(3, errno.EINTR)]
    locks.flush(ask(9, Opcode.FLUSH, FlushIn(lock_owner=1)))
    assert locks.due == [(3, errno.EINTR), (2, 0)]
    locks.interrupt(3)
    locks.set(lock(5, owner=20, kind=F_UNLCK))
    assert locks.due[2:] == [(4, 0)]
    with pytest.raises(OSError, match="temporarily"):
        locks.set(lock(6, owner=1))


def flock(unique: int, owner: int, kind: int) -> Request:
    return ask(unique, Opcode.SETLKW, LkIn(owner=owner, lk=FileLock(0, END, kind), lk_flags=LkFlag.FLOCK))


def test_two_who_share_a_flock_and_both_want_it_alone() -> None:
    """They would wait for each other for ever: to change its kind, a flock is first let go of (flock(2))."""
    locks = Locks()
    for owner in (1, 2):
        locks.wait(flock(owner, owner, F_RDLCK))
    with pytest.raises(Deferred):
        locks.wait(flock(3, 1, F_WRLCK))
    locks.wait(flock(4, 2, F_WRLCK))
    locks.set(flock(5, 2, F_UNLCK))
    assert locks.due == [(3, 0)]
