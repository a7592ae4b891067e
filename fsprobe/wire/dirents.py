"""Directory entries on the wire: records padded to 8 bytes, READDIR's and READDIRPLUS's.

Owns taking a reply's body apart and putting it together; knows nothing of what makes a name acceptable.
Source: include/uapi/linux/fuse.h, FUSE_DIRENT_ALIGN; fs/fuse/readdir.c.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from fsprobe.wire.errors import LocalError, PeerError
from fsprobe.wire.layout import Buffer, pack, size_of, unpack
from fsprobe.wire.opcodes import PROTOCOL_MINOR
from fsprobe.wire.replies import Dirent, DirentPlus, EntryOut

DIRENT = struct.Struct("=QQII")
"""fuse_dirent before its name: ino, off, namelen, type."""


def _record(data: bytes, at: int, partial: bool) -> tuple[Dirent, int] | None:
    """The entry at an offset and the offset behind it; None where it is cut and that is allowed."""
    if at + DIRENT.size <= len(data):
        ino, off, namelen, kind = DIRENT.unpack_from(data, at)
        name_at = at + DIRENT.size
        end = at + (DIRENT.size + namelen + 7 & ~7)
        if end <= len(data):
            return Dirent(ino, off, kind, data[name_at : name_at + namelen]), end
    if partial:
        return None
    raise PeerError(f"the directory entry at byte {at} does not end within the {len(data)} bytes")


def dirents(data: Buffer, *, partial: bool = False) -> tuple[Dirent, ...]:
    """The entries of a READDIR reply's body. partial: a cut last entry is left out. Raises PeerError."""
    raw = bytes(data)
    found: list[Dirent] = []
    at = 0
    while at < len(raw):
        one = _record(raw, at, partial)
        if one is None:
            break
        found.append(one[0])
        at = one[1]
    return tuple(found)


def direntplus(data: Buffer, minor: int = PROTOCOL_MINOR, *, partial: bool = False) -> tuple[DirentPlus, ...]:
    """The entries of a READDIRPLUS reply's body. partial: as in dirents(). Raises PeerError."""
    raw = bytes(data)
    found: list[DirentPlus] = []
    at = 0
    while at < len(raw):
        if partial and at + size_of(EntryOut, minor) > len(raw):
            break
        entry, name_at = unpack(EntryOut, raw, at, minor)
        one = _record(raw, name_at, partial)
        if one is None:
            break
        found.append(DirentPlus(entry, one[0]))
        at = one[1]
    return tuple(found)


def build_dirents(entries: Iterable[Dirent]) -> bytes:
    """The body of a READDIR reply. Raises LocalError where a number does not fit."""
    return b"".join(_pack(entry) for entry in entries)


def build_direntplus(entries: Iterable[DirentPlus], minor: int = PROTOCOL_MINOR) -> bytes:
    """The body of a READDIRPLUS reply. Raises LocalError where a number does not fit."""
    return b"".join(pack(plus.entry, minor) + _pack(plus.dirent) for plus in entries)


def _pack(entry: Dirent) -> bytes:
    size = DIRENT.size + len(entry.name)
    try:
        head = DIRENT.pack(entry.ino, entry.off, len(entry.name), entry.type)
    except struct.error as error:
        raise LocalError(f"{entry!r} does not fit the wire: {error}") from None
    return head + entry.name + bytes(-size % 8)
