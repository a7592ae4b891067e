"""What a file is: inodes, directories with stable offsets, and who is asking.

Owns the records that the rest of the model works on; knows nothing of operations, of limits or of FUSE.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from reference_fs.model_data import BLOCK, SparseData

NAME_MAX = 255
LINK_MAX = 65_000
DOT, DOTDOT = 1, 2  # the offsets of "." and "..", as if they were the first two entries


def fail(code: int) -> OSError:
    """The error an operation ends with, ready to be raised."""
    return OSError(code, os.strerror(code))


def no_groups() -> frozenset[int]:
    """The supplementary groups of a caller who has none."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `groups` is called only where an answer depends on it: they cost a look in /proc."""

    uid: int = 0
    gid: int = 0
    groups: Callable[[], frozenset[int]] = no_groups

    @property
    def is_root(self) -> bool:
        """True for user 0, whom no permission bit stops."""
        return self.uid == 0

    def in_group(self, gid: int) -> bool:
        """True where gid is the caller's own or one of its supplementary groups."""
        return gid == self.gid or gid in self.groups()


ROOT = Caller()


class Directory:
    """Names to inodes. Every name has an offset that stays its own until the name is removed.

    Offsets only grow, so a reader that resumes after one meets everything that stayed exactly once, whatever
    came and went between its calls (POSIX readdir, telldir).
    """

    __slots__ = ("_by_offset", "_next", "_order", "names")

    def __init__(self) -> None:
        self.names: dict[bytes, tuple[Inode, int]] = {}
        self._by_offset: dict[int, bytes] = {}
        self._order: list[int] = []  # ascending; may hold offsets of names that are gone
        self._next = DOTDOT + 1

    def __len__(self) -> int:
        return len(self.names)

    def get(self, name: bytes) -> Inode | None:
        """The inode behind a name, None where there is none."""
        found = self.names.get(name)
        return found[0] if found else None

    def put(self, name: bytes, inode: Inode) -> None:
        """Let a name mean this inode; a name that is already there keeps its offset."""
        found = self.names.get(name)
        if found:
            self.names[name] = (inode, found[1])
            return
        self.names[name] = (inode, self._next)
        self._by_offset[self._next] = name
        self._order.append(self._next)
        self._next += 1

    def restore(self, name: bytes, inode: Inode, offset: int) -> None:
        """Put back what had this offset before; to be called in the order of offsets."""
        self.names[name] = (inode, offset)
        self._by_offset[offset] = name
        self._order.append(offset)
        self._next = offset + 1

    def remove(self, name: bytes) -> None:
        """Forget a name that is there."""
        _, offset = self.names.pop(name)
        del self._by_offset[offset]
        if len(self._order) > 32 and len(self._order) > 2 * len(self.names):
            self._order = sorted(self._by_offset)

    def after(self, offset: int) -> Iterator[tuple[bytes, Inode, int]]:
        """(name, inode, offset) of every entry whose offset is greater, in ascending order."""
        order = self._order
        for position in range(bisect_right(order, offset), len(order)):
            name = self._by_offset.get(order[position])
            if name is not None:
                yield name, *self.names[name]


@dataclass(slots=True, eq=False)
class Inode:
    """One file of any kind. Times are nanoseconds since the epoch.

    refs: how many open handles and outstanding lookups keep it alive once its last name is gone.
    parent: of a directory, what its ".." is. linkable: made without a name (O_TMPFILE), may still get one.
    fixed: belongs to the file system itself; nobody changes or removes it (chattr(1), +i). version: counts changes of
    the content.
    """

    ino: int
    mode: int
    uid: int
    gid: int
    rdev: int = 0
    nlink: int = 1
    refs: int = 0
    size: int = 0
    atime: int = 0
    mtime: int = 0
    ctime: int = 0
    btime: int = 0
    data: SparseData | None = None
    entries: Directory | None = None
    parent: Inode | None = None
    target: bytes = b""
    linkable: bool = False
    fixed: bool = False
    version: int = 0
    xattrs: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def is_dir(self) -> bool:
        """True for a directory."""
        return self.entries is not None

    @property
    def is_file(self) -> bool:
        """True for a regular file."""
        return self.data is not None

    @property
    def is_link(self) -> bool:
        """True for a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def blocks(self) -> int:
        """Space in use, in units of 512 bytes (stat(2), st_blocks): holes cost nothing."""
        return 0 if self.data is None else len(self.data.chunks) * (BLOCK // 512)

    def drop_privileges(self, caller: Caller) -> None:
        """What a change by someone else than root does to a program (inode(7)): see `unprivileged_mode`."""
        self.mode = self.unprivileged_mode(caller)

    def unprivileged_mode(self, caller: Caller) -> int:
        """The mode without S_ISUID, and without S_ISGID where the group may execute the file (else the bit once meant
        mandatory locking) or the caller is not in it."""
        if self.is_dir or not self.mode & (stat.S_ISUID | stat.S_ISGID):
            return self.mode
        group = self.mode & stat.S_IXGRP or not (caller.is_root or caller.in_group(self.gid))
        return self.mode & ~(stat.S_ISUID | (stat.S_ISGID if group else 0))
