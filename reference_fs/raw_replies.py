"""The model's inodes as the protocol tells them.

Owns the turn from inodes to the bodies of replies; knows nothing of requests.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from fsprobe.wire import (
    Attr,
    AttrOut,
    Dirent,
    DirentPlus,
    EntryOut,
    Kstatfs,
    StatfsOut,
    Statx,
    StatxOut,
    SxTime,
    codec_of,
)
from reference_fs.model import Space
from reference_fs.model_data import BLOCK
from reference_fs.model_inode import Inode

_U64 = (1 << 64) - 1  # seconds before 1970 go over the wire in two's complement
STATX_BASIC_STATS, STATX_BTIME = 0x7FF, 0x800
DIRENT_SIZE, DIRENTPLUS_SIZE = 24, 152  # before the name
ATTR_OUT, ENTRY_OUT = codec_of(AttrOut), codec_of(EntryOut)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """For how long the kernel may believe attributes and names, as (seconds, nanoseconds)."""

    attr: tuple[int, int] = (0, 0)
    entry: tuple[int, int] = (0, 0)
    negative: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, attr: float, entry: float, negative: float) -> Timeouts:
        """From seconds."""
        return cls(*((int(value), int(value % 1 * 10**9)) for value in (attr, entry, negative)))


def attributes(inode: Inode) -> tuple[int, ...]:
    """What stat(2) shows, in the order of fuse_attr, without its last field, `flags`."""
    atime, atimensec = divmod(inode.atime, 10**9)
    mtime, mtimensec = divmod(inode.mtime, 10**9)
    ctime, ctimensec = divmod(inode.ctime, 10**9)
    return (
        inode.ino, inode.size, inode.blocks, atime & _U64, mtime & _U64, ctime & _U64, atimensec, mtimensec, ctimensec,
        inode.mode, inode.nlink, inode.uid, inode.gid, inode.rdev, BLOCK,
    )  # fmt: skip


def attr_out(inode: Inode, timeouts: Timeouts) -> bytes:
    """The reply to GETATTR and SETATTR, packed here: of every three requests one asks for attributes."""
    return ATTR_OUT.pack(*timeouts.attr, 0, *attributes(inode), 0)


def entry_out(inode: Inode, timeouts: Timeouts) -> bytes:
    """A name's inode. Inode numbers are node ids, never used twice, so one generation is enough."""
    (entry, entry_nsec), (attr, attr_nsec) = timeouts.entry, timeouts.attr
    return ENTRY_OUT.pack(inode.ino, 0, entry, attr, entry_nsec, attr_nsec, *attributes(inode), 0)


def dirent(name: bytes, inode: Inode, offset: int) -> Dirent:
    """One entry of READDIR."""
    return Dirent(inode.ino, offset, inode.mode >> 12, name)


def direntplus(name: bytes, inode: Inode, offset: int, timeouts: Timeouts) -> DirentPlus:
    """One entry of READDIRPLUS; "." and ".." come without a node, so that no lookup is counted."""
    if name in (b".", b".."):
        return DirentPlus(EntryOut(), dirent(name, inode, offset))
    entry = EntryOut(
        nodeid=inode.ino, entry_valid=timeouts.entry[0], entry_valid_nsec=timeouts.entry[1],
        attr_valid=timeouts.attr[0], attr_valid_nsec=timeouts.attr[1], attr=Attr(*attributes(inode)),
    )  # fmt: skip
    return DirentPlus(entry, dirent(name, inode, offset))


def statfs_out(space: Space) -> StatfsOut:
    """The reply to STATFS."""
    return StatfsOut(
        Kstatfs(
            space.blocks, space.blocks_free, space.blocks_free, space.inodes, space.inodes_free,
            space.block_size, space.name_max, space.block_size,
        )
    )  # fmt: skip


def statx_out(inode: Inode, timeouts: Timeouts) -> StatxOut:
    """The reply to STATX, with the time of birth."""
    stat = Statx(
        mask=STATX_BASIC_STATS | STATX_BTIME, blksize=BLOCK, nlink=inode.nlink, uid=inode.uid, gid=inode.gid,
        mode=inode.mode, ino=inode.ino, size=inode.size, blocks=inode.blocks,
        rdev_major=os.major(inode.rdev), rdev_minor=os.minor(inode.rdev),
        atime=_sx_time(inode.atime), btime=_sx_time(inode.btime), ctime=_sx_time(inode.ctime),
        mtime=_sx_time(inode.mtime),
    )  # fmt: skip
    return StatxOut(timeouts.attr[0], timeouts.attr[1], stat=stat)


def _sx_time(nanoseconds: int) -> SxTime:
    return SxTime(*divmod(nanoseconds, 10**9))
