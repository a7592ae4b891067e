"""The state of the reference file system: every inode, what is left of the space, and when an inode dies.

Owns the store, its clock, its limits and the life of inodes; knows nothing of names (`model_names`), of
content (`model_files`), of attributes (`model_attributes`) and nothing at all of FUSE. The operations live in
those modules, as functions whose first argument is the store; each holds the store's lock while it runs.
"""

from __future__ import annotations

import errno
import functools
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from reference_fs.model_data import BLOCK, Pool, SparseData
from reference_fs.model_inode import NAME_MAX, Caller, Directory, Inode, fail

ROOT_INO = 1
DEFAULT_BYTES = 1 << 30
DEFAULT_INODES = 1 << 17
_DAY = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Space:
    """What statfs(2) tells: blocks of `block_size` bytes, and inodes."""

    blocks: int
    blocks_free: int
    inodes: int
    inodes_free: int
    block_size: int = BLOCK
    name_max: int = NAME_MAX


class StoreError(Exception):
    """What is kept from earlier mounts cannot be used; the message says why, in one line."""


class Watcher(Protocol):
    """Who wants to know of names; told under the store's lock, after the fact."""

    def entered(self, directory: Inode, name: bytes, inode: Inode) -> None:
        """An inode got a name."""

    def left(self, directory: Inode, name: bytes, inode: Inode) -> None:
        """An inode lost a name."""


class Store:
    """One file system in memory.

    size: bytes of content it can hold. inodes: files of any kind. enforce: check permission bits here; False
    where the kernel has done it already (mount option default_permissions). uid, gid: the root directory's.
    """

    def __init__(
        self, *, size: int = DEFAULT_BYTES, inodes: int = DEFAULT_INODES, enforce: bool = False,
        uid: int = 0, gid: int = 0, root_mode: int = 0o755, clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.lock = threading.RLock()
        self.enforce = enforce
        self.block_pool = Pool(size // BLOCK)
        self.inode_pool = Pool(inodes)
        self.inodes: dict[int, Inode] = {}
        self._clock = clock
        self._last = 0
        self._next_ino = ROOT_INO
        self.watcher: Watcher | None = None
        self.root = self.new_inode(Caller(uid, gid), stat.S_IFDIR | root_mode)
        self.root.parent = self.root
        self.root.refs = 1

    def now(self) -> int:
        """Nanoseconds since the epoch; never earlier than the last answer."""
        self._last = max(self._last, self._clock())
        return self._last

    def new_inode(self, owner: Caller, mode: int, rdev: int = 0) -> Inode:
        """An inode with no name yet, all its times now; no number is used twice. Raises OSError(ENOSPC)."""
        self.inode_pool.take(1)
        now = self.now()
        inode = Inode(self._next_ino, mode, owner.uid, owner.gid, rdev)
        inode.atime = inode.mtime = inode.ctime = inode.btime = now
        self._next_ino += 1
        if stat.S_ISDIR(mode):
            inode.entries, inode.nlink, inode.size = self.new_directory(), 2, BLOCK
        elif stat.S_ISREG(mode):
            inode.data = self.new_data()
        self.inodes[inode.ino] = inode
        return inode

    def fixed_inode(self, mode: int) -> Inode:
        """An inode of the file system's own, like the root's owner's: it takes no space and is not kept."""
        now = self.now()
        inode = Inode(self._next_ino, mode, self.root.uid, self.root.gid, fixed=True)
        inode.atime = inode.mtime = inode.ctime = inode.btime = now
        self._next_ino += 1
        self.inodes[inode.ino] = inode
        return inode

    def new_directory(self) -> Directory:
        """The entries of a directory that is being made."""
        return Directory()

    def new_data(self) -> SparseData:
        """The content of a file that is being made."""
        return SparseData(self.block_pool)

    def sync(self) -> None:
        """What fsync(2) promises. Memory is all there is here: nothing is held back, so nothing is written out."""

    def close(self) -> None:
        """The file system was unmounted."""

    def get(self, ino: int) -> Inode:
        """The inode with that number. Raises OSError(ESTALE) where it is gone."""
        inode = self.inodes.get(ino)
        if inode is None:
            raise fail(errno.ESTALE)
        return inode

    def hold(self, inode: Inode, count: int = 1) -> None:
        """One more open handle or outstanding lookup keeps this inode alive."""
        with self.lock:
            inode.refs += count

    def drop(self, inode: Inode, count: int = 1) -> None:
        """The inverse of `hold`; the inode dies with the last reference, where it has no name any more."""
        with self.lock:
            inode.refs = max(0, inode.refs - count)
            self.reap(inode)

    def reap(self, inode: Inode) -> None:
        """Give the space back of an inode that has neither name nor reference."""
        if inode.nlink == 0 and inode.refs == 0 and self.inodes.pop(inode.ino, None) is not None:
            if inode.data is not None:
                inode.data.clear()
            self.inode_pool.give(1)

    def touch(self, inode: Inode, *, changed: bool = False) -> None:
        """Mark ctime, and mtime where the content or the entries `changed`, for update."""
        inode.ctime = self.now()
        if changed:
            inode.mtime = inode.ctime
            inode.version += 1

    def accessed(self, inode: Inode) -> None:
        """Mark atime for update the way `relatime` does: only where it would tell something (mount(8))."""
        now = self.now()
        if inode.fixed:
            return
        if inode.atime <= inode.mtime or inode.atime <= inode.ctime or now - inode.atime >= _DAY:
            inode.atime = now

    def space(self) -> Space:
        """How full it is."""
        blocks, inodes = self.block_pool, self.inode_pool
        return Space(blocks.total, blocks.free, inodes.total, inodes.free)


P = ParamSpec("P")
R = TypeVar("R")


def exclusive(operation: Callable[Concatenate[Store, P], R]) -> Callable[Concatenate[Store, P], R]:
    """An operation that holds the store's lock while it runs, so that fronts may call from any thread."""

    @functools.wraps(operation)
    def locked(store: Store, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with store.lock:
            return operation(store, *args, **kwargs)

    return locked
