"""A store that is kept: it sees which inodes change, and saves them when somebody asks for it.

Owns what is unsaved and when it is saved: at fsync(2), some seconds after a change, and when unmounted. Knows
nothing of tables (`model_database` has them). An operation holds the store's lock from its first change to its last
and what is to be saved is collected under the same lock, so no half of an operation is ever saved. The plain
`Store` knows nothing of any of this and pays nothing for it.
"""

from __future__ import annotations

import errno
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable
from typing import Any

from reference_fs.model import ROOT_INO, Store
from reference_fs.model_data import BLOCK, Pool, SparseData
from reference_fs.model_database import Batch, Database, Row
from reference_fs.model_inode import Caller, Directory, Inode, fail

SECONDS = 1.0  # how long a change may wait to be saved; short, because the kernel does not tell of sync(2)
TIMES = ("atime", "mtime", "ctime", "btime")


class TrackedDirectory(Directory):
    """A directory that remembers which names have changed since it was saved."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[bytes] = set()

    def put(self, name: bytes, inode: Inode) -> None:
        super().put(name, inode)
        self.changed.add(name)

    def remove(self, name: bytes) -> None:
        super().remove(name)
        self.changed.add(name)


class TrackedData(SparseData):
    """Content that remembers which of its blocks have changed since it was saved."""

    __slots__ = ("changed",)

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.changed: set[int] = set()

    def write(self, offset: int, data: bytes | memoryview) -> int:
        done = super().write(offset, data)
        if done:
            self.changed.update(range(offset // BLOCK, (offset + done - 1) // BLOCK + 1))
        return done

    def cut(self, size: int) -> None:
        self.changed.update([number for number in self.chunks if number >= size // BLOCK])
        super().cut(size)

    def punch(self, start: int, end: int) -> None:
        self.changed.update([number for number in self.chunks if start // BLOCK <= number <= end // BLOCK])
        super().punch(start, end)

    def allocate(self, start: int, end: int) -> None:
        before = set(self.chunks)
        super().allocate(start, end)
        self.changed.update(self.chunks.keys() - before)


class JournaledStore(Store):
    """A store with a database behind it. `seconds`: how long a change may wait to be saved."""

    def __init__(self, directory: str, *, seconds: float = SECONDS, **limits: Any) -> None:
        self._dirty: dict[int, Inode] = {}
        self._dead: list[int] = []
        self._unwritten: list[Batch] = []  # collected, but the database has refused them so far
        self._with_xattrs: set[int] = set()  # whose attributes the database holds
        self._writing = threading.Lock()
        self._timer: threading.Timer | None = None
        self._seconds = 0.0  # no timer yet: a thread would not survive going to the background
        self._database = Database(directory)
        try:
            super().__init__(**limits)
            self._load()
            self.sync()
        except BaseException:
            self._database.close()
            raise
        self._database.disconnect()
        self._seconds = seconds

    # what is to be saved

    def new_directory(self) -> Directory:
        return TrackedDirectory()

    def new_data(self) -> SparseData:
        return TrackedData(self.block_pool)

    def new_inode(self, owner: Caller, mode: int, rdev: int = 0) -> Inode:
        inode = super().new_inode(owner, mode, rdev)
        self._mark(inode)
        return inode

    def touch(self, inode: Inode, *, changed: bool = False) -> None:
        super().touch(inode, changed=changed)
        self._mark(inode)

    def accessed(self, inode: Inode) -> None:
        before = inode.atime
        super().accessed(inode)
        if inode.atime != before:
            self._mark(inode)

    def reap(self, inode: Inode) -> None:
        super().reap(inode)
        if inode.ino not in self.inodes:
            self._dirty.pop(inode.ino, None)
            self._dead.append(inode.ino)

    def _mark(self, inode: Inode) -> None:
        if inode.fixed:  # there again at every mount
            return
        self._dirty[inode.ino] = inode
        if self._timer is None and self._seconds:
            self._timer = threading.Timer(self._seconds, self._late)
            self._timer.daemon = True
            self._timer.start()

    # saving

    def sync(self) -> None:
        """Save every change made so far. Raises OSError(EIO) where the database cannot; it is tried again later."""
        with self.lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        with self._writing:
            with self.lock:
                self._collect()
            try:
                if self._unwritten:
                    self._database.write(self._unwritten)
                    self._unwritten.clear()
            except sqlite3.Error as error:
                print(f"vexfs-fuse: {self._database.error(error)}", file=sys.stderr, flush=True)
                raise fail(errno.EIO) from None

    def close(self) -> None:
        """Save what is left, and let others have the store."""
        try:
            self.sync()
        finally:
            self._database.close()

    def _late(self) -> None:
        try:
            self.sync()
        except OSError:  # has been told
            with self.lock:
                self._mark(self.root)

    def _collect(self) -> None:
        """Make rows of what is unsaved. What has no name would be gone after a crash: it is not saved."""
        if not self._dirty and not self._dead:
            return
        batch = Batch()
        batch.rows["counter"].append(("next_ino", self._next_ino))
        for ino in self._dead:
            for table in ("inode", "entry", "chunk", "xattr"):
                batch.gone[table].append((ino,))
        for inode in self._dirty.values():
            if inode.nlink:
                self._collect_inode(batch, inode)
            else:
                self._dead_for_now(batch, inode)
        self._with_xattrs.difference_update(self._dead)
        self._dirty.clear()
        self._dead.clear()
        self._unwritten.append(batch)

    def _collect_inode(self, batch: Batch, inode: Inode) -> None:
        batch.rows["inode"].append(row_of(inode))
        if isinstance(inode.entries, TrackedDirectory):
            for name in inode.entries.changed:
                found = inode.entries.names.get(name)
                if found is None:
                    batch.gone["entry"].append((inode.ino, name))
                else:
                    batch.rows["entry"].append((inode.ino, name, found[0].ino, found[1]))
            inode.entries.changed.clear()
        if isinstance(inode.data, TrackedData):
            for number in inode.data.changed:
                chunk = inode.data.chunks.get(number)
                if chunk is None:
                    batch.gone["chunk"].append((inode.ino, number))
                else:
                    batch.rows["chunk"].append((inode.ino, number, bytes(chunk)))
            inode.data.changed.clear()
        if inode.ino in self._with_xattrs:
            batch.gone["xattr"].append((inode.ino,))
            self._with_xattrs.discard(inode.ino)
        if inode.xattrs:
            batch.rows["xattr"] += [(inode.ino, name, value) for name, value in inode.xattrs.items()]
            self._with_xattrs.add(inode.ino)

    def _dead_for_now(self, batch: Batch, inode: Inode) -> None:
        """A file without a name may still get one (O_TMPFILE); then all of it has to be saved."""
        for table in ("inode", "entry", "chunk", "xattr"):
            batch.gone[table].append((inode.ino,))
        self._with_xattrs.discard(inode.ino)
        if isinstance(inode.data, TrackedData):
            inode.data.changed.update(inode.data.chunks)

    # loading

    def _load(self) -> None:
        """Put what the database holds in the place of the empty tree. Raises StoreError."""
        rows = list(self._database.read("inode", "ino"))
        if not rows:
            return
        self._dirty.clear()
        self.inodes = {row[0]: self._restored(row) for row in rows}
        root = self.inodes.get(ROOT_INO)
        if root is None or root.entries is None:
            raise self._database.error("damaged: it has no root directory")
        self.root, root.parent, root.refs = root, root, 1
        self._next_ino = max(self.inodes) + 1
        for _, value in self._database.read("counter", "name"):
            self._next_ino = max(self._next_ino, value)
        self._each("entry", "parent, offset", self._restore_entry)
        self._each("chunk", "ino, number", self._restore_chunk)
        self._each("xattr", "ino, name", self._restore_xattr)
        lost = [inode.ino for inode in self.inodes.values() if inode.is_dir and inode.parent is None]
        if lost:
            raise self._database.error(f"damaged: directory {lost[0]} is in no other")
        self.inode_pool.used = len(self.inodes)
        for name, pool in (("inodes", self.inode_pool), ("size", self.block_pool)):
            if pool.free < 0:
                needed = pool.used * (BLOCK if pool is self.block_pool else 1)
                raise self._database.error(f"holds more than this mount may: -o {name}={needed} would do")

    def _each(self, table: str, order: str, restore: Callable[..., None]) -> None:
        for row in self._database.read(table, order):
            inode = self.inodes.get(row[0])
            if inode is None:
                raise self._database.error(f"damaged: a row of {table} belongs to no inode ({row[0]})")
            restore(inode, *row[1:])

    def _restored(self, row: Row) -> Inode:
        ino, mode, uid, gid, rdev, nlink, size, target, *times = row
        inode = Inode(ino, mode, uid, gid, rdev, nlink, size=size, target=target)
        for name, seconds, nanoseconds in zip(TIMES, times[::2], times[1::2], strict=True):
            setattr(inode, name, seconds * 10**9 + nanoseconds)
        if stat.S_ISDIR(mode):
            inode.entries = self.new_directory()
        elif stat.S_ISREG(mode):
            inode.data = self.new_data()
        return inode

    def _restore_entry(self, parent: Inode, name: bytes, ino: int, offset: int) -> None:
        inode = self.inodes.get(ino)
        if inode is None or parent.entries is None:
            raise self._database.error(f"damaged: entry {name!r} of directory {parent.ino} leads nowhere")
        parent.entries.restore(name, inode, offset)
        if inode.is_dir:
            inode.parent = parent

    def _restore_chunk(self, inode: Inode, number: int, data: bytes) -> None:
        if inode.data is None or len(data) != BLOCK:
            raise self._database.error(f"damaged: block {number} of inode {inode.ino}")
        inode.data.chunks[number] = data
        self.block_pool.used += 1

    def _restore_xattr(self, inode: Inode, name: bytes, value: bytes) -> None:
        inode.xattrs[name] = value
        self._with_xattrs.add(inode.ino)


def row_of(inode: Inode) -> Row:
    """The row of an inode. Times in two columns: nanoseconds of all the times that a file may have need more than
    the 64 bits that SQLite has."""
    times = [part for name in TIMES for part in divmod(getattr(inode, name), 10**9)]
    return (
        inode.ino, inode.mode, inode.uid, inode.gid, inode.rdev, inode.nlink, inode.size, inode.target, *times,
    )  # fmt: skip
