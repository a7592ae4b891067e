"""Replies made wrong, byte by byte, for the profiles that say so.

Owns how each of them is wrong; knows nothing of when (`raw_front`). What the kernel makes of each is in
fs/fuse/dev.c, fuse_dev_do_write: it refuses all three and keeps waiting for a reply.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from dataclasses import replace

from fsprobe.wire import DirentList
from reference_fs.profiles import MALFORMED

_HEADER = struct.Struct("=IiQ")  # fuse_out_header: len, error, unique


def _positive_errno(reply: bytes) -> bytes:
    """The error code as errno has it, where the protocol wants it negative."""
    return _HEADER.pack(_HEADER.size, errno.EIO, _HEADER.unpack_from(reply)[2])


def _wrong_length(reply: bytes) -> bytes:
    """A header that promises eight bytes more than there are."""
    return struct.pack("=I", len(reply) + 8) + reply[4:]


def _wrong_unique(reply: bytes) -> bytes:
    """The answer to a question that nobody has asked."""
    length, error, unique = _HEADER.unpack_from(reply)
    return _HEADER.pack(length, error, unique + (1 << 40)) + reply[_HEADER.size :]


_SPOIL: dict[str, Callable[[bytes], bytes]] = dict(
    zip(MALFORMED, (_positive_errno, _wrong_length, _wrong_unique), strict=True)
)


def spoiled(how: str, reply: bytes) -> bytes | None:
    """A sound reply, lost or malformed."""
    return _SPOIL[how](reply) if how in _SPOIL else None


def slashed(listing: DirentList) -> DirentList:
    """The same entries, but that the first name that is a real one ends in a slash, as paths of directories do."""
    entries = list(listing.entries)
    for at, entry in enumerate(entries):
        if entry.name not in (b".", b".."):
            entries[at] = replace(entry, name=entry.name[:-1] + b"/")
            break
    return DirentList(tuple(entries))
