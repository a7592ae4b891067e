"""Advisory locks on one file: ranges of bytes and who holds them.

Owns what is in the way of what, and how a new lock splits an old one; knows nothing of waiting, of processes
that end, or of FUSE.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fcntl import F_RDLCK, F_UNLCK

END = (1 << 63) - 1
"""The last byte that a lock can cover (OFFSET_MAX of the kernel): "to the end of the file"."""


@dataclass(frozen=True, slots=True)
class Lock:
    """F_RDLCK, F_WRLCK or F_UNLCK of the bytes from `start` to `end`, that one included.

    handle: the open file that it was asked for by.
    """

    owner: int
    kind: int
    start: int = 0
    end: int = END
    pid: int = 0
    handle: int = 0

    def overlaps(self, other: Lock) -> bool:
        """Whether both have a byte in common."""
        return self.start <= other.end and other.start <= self.end


class LockTable:
    """The locks of one file. An owner's own locks are never in its way: a new one takes the place of the old."""

    def __init__(self) -> None:
        self.locks: list[Lock] = []

    def in_the_way(self, wanted: Lock) -> Lock | None:
        """The first lock of another owner that forbids this one."""
        if wanted.kind == F_UNLCK:
            return None
        for held in self.locks:
            shared = held.kind == wanted.kind == F_RDLCK
            if held.owner != wanted.owner and held.overlaps(wanted) and not shared:
                return held
        return None

    def own(self, wanted: Lock) -> Lock | None:
        """The first lock of the same owner in that range."""
        return next((held for held in self.locks if held.owner == wanted.owner and held.overlaps(wanted)), None)

    def set(self, wanted: Lock) -> None:
        """Lock or unlock; nothing may be in the way. What touches a lock of the same owner and kind becomes one with
        it, as everybody sees who asks what is in the way; an owner's locks stand together, in order."""
        kept: list[Lock] = []
        for held in self.locks:
            if held.owner != wanted.owner:
                continue
            if held.kind == wanted.kind and held.start <= wanted.end + 1 and wanted.start <= held.end + 1:
                wanted = replace(wanted, start=min(held.start, wanted.start), end=max(held.end, wanted.end))
            elif not held.overlaps(wanted):
                kept.append(held)
            else:
                if held.start < wanted.start:
                    kept.append(replace(held, end=wanted.start - 1))
                if held.end > wanted.end:
                    kept.append(replace(held, start=wanted.end + 1))
        if wanted.kind != F_UNLCK:
            kept.append(wanted)
        kept.sort(key=lambda lock: lock.start)
        place = next((n for n, held in enumerate(self.locks) if held.owner == wanted.owner), len(self.locks))
        before, after = self.locks[:place], self.locks[place:]
        self.locks = [*before, *kept, *(held for held in after if held.owner != wanted.owner)]

    def drop(self, owner: int) -> None:
        """All that an owner holds is free."""
        self.locks = [held for held in self.locks if held.owner != owner]

    def drop_handle(self, handle: int) -> None:
        """An open file is closed for good, and what was locked by it is free."""
        self.locks = [held for held in self.locks if held.handle != handle]
