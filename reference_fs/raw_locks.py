"""GETLK, SETLK and SETLKW: the locks of all files, and the requests that wait for one.

Owns the tables and the waiting; knows nothing of the device: replies that come due later are collected for
whoever sends them.
"""

from __future__ import annotations

import errno
from collections import defaultdict
from dataclasses import dataclass
from fcntl import F_UNLCK

from fsprobe.wire import FileLock, LkFlag, LkOut, ReleaseFlag, Request
from reference_fs.model_inode import fail
from reference_fs.model_locks import END, Lock, LockTable

Key = tuple[int, bool]
"""A file, and whether it is about flock(2): the two kinds do not meet."""


class Deferred(Exception):
    """The reply comes later."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    unique: int
    key: Key
    wanted: Lock


class Locks:
    """due: replies by now possible to requests that waited: (unique, errno or 0)."""

    def __init__(self) -> None:
        self.due: list[tuple[int, int]] = []
        self._tables: defaultdict[Key, LockTable] = defaultdict(LockTable)
        self._waiting: list[_Waiting] = []

    def get(self, request: Request) -> LkOut:
        """What is in the way of a lock, or that nothing is; of an unlock, what it would free (F_OFD_GETLK)."""
        key, wanted = _asked(request)
        table = self._tables[key]
        held = table.own(wanted) if wanted.kind == F_UNLCK else table.in_the_way(wanted)
        if held is None:
            return LkOut(FileLock(request.body.lk.start, request.body.lk.end, F_UNLCK))
        return LkOut(FileLock(held.start, held.end, held.kind, held.pid))

    def set(self, request: Request) -> None:
        """Lock or unlock at once. Raises OSError(EAGAIN) where something is in the way."""
        key, wanted = _asked(request)
        if self._tables[key].in_the_way(wanted):
            self._let_go(key, wanted)
            raise fail(errno.EAGAIN)
        self._tables[key].set(wanted)
        self._wake()

    def wait(self, request: Request) -> None:
        """Lock, as soon as nothing is in the way. Raises Deferred where that is not now."""
        key, wanted = _asked(request)
        if self._tables[key].in_the_way(wanted):
            self._waiting.append(_Waiting(request.header.unique, key, wanted))
            self._let_go(key, wanted)
            raise Deferred
        self.set(request)

    def _let_go(self, key: Key, wanted: Lock) -> None:
        """To change its kind, a flock is first let go of (flock(2)): else two who share one and both want it alone
        would wait for each other."""
        if key[1]:
            self._drop(key, wanted.owner)

    def interrupt(self, unique: int) -> None:
        """The caller of a request got a signal: it waits no longer."""
        for waiting in self._waiting:
            if waiting.unique == unique:
                self._waiting.remove(waiting)
                self.due.append((unique, errno.EINTR))
                return

    def flush(self, request: Request) -> None:
        """Any close(2) of a file drops all POSIX locks of the process on it."""
        self._drop((request.header.nodeid, False), request.body.lock_owner)

    def release(self, request: Request) -> None:
        """The last close of an open file drops its flock, and the locks that belong to the open file itself
        (fcntl(2), F_OFD_SETLK), of which the kernel does not tell. Those of processes have gone with FLUSH."""
        if request.body.release_flags & ReleaseFlag.FLOCK_UNLOCK:
            self._drop((request.header.nodeid, True), request.body.lock_owner)
        key = (request.header.nodeid, False)
        if key in self._tables:
            self._tables[key].drop_handle(request.body.fh)
            self._wake()

    def _drop(self, key: Key, owner: int) -> None:
        if key in self._tables:
            self._tables[key].drop(owner)
            self._wake()

    def _wake(self) -> None:
        """Grant what can be granted, in the order in which it was asked for."""
        for waiting in list(self._waiting):
            table = self._tables[waiting.key]
            if table.in_the_way(waiting.wanted) is None:
                table.set(waiting.wanted)
                self._waiting.remove(waiting)
                self.due.append((waiting.unique, 0))
        held = {waiting.key for waiting in self._waiting}
        for key in [key for key, table in self._tables.items() if not table.locks and key not in held]:
            del self._tables[key]


def _asked(request: Request) -> tuple[Key, Lock]:
    body = request.body
    lock = Lock(body.owner, body.lk.type, body.lk.start, min(body.lk.end, END), body.lk.pid, body.fh)
    return (request.header.nodeid, bool(body.lk_flags & LkFlag.FLOCK)), lock
