"""What the relay changes in INIT, and only there: features that need the real device, sizes that must fit.

Owns the few offsets of fuse_init_in and fuse_init_out that it patches; knows nothing of sockets.
"""

from __future__ import annotations

import struct

OPCODE = 26
_HEADER_IN, _HEADER_OUT = 40, 16
# Bits of flags2 (numbered from 32): both need the real device in the daemon's hands.
MASKED = {1 << (37 - 32): "PASSTHROUGH", 1 << (41 - 32): "OVER_IO_URING"}
_INIT_EXT, _MAX_PAGES = 1 << 30, 1 << 22
_PAGE = 4096
# A reply or request carries its header and fixed part beside the data.
_OVERHEAD = 4096


def mask_request(message: memoryview) -> list[str]:
    """Clear what cannot work through a socket from an INIT request. Returns the names of what was offered."""
    if len(message) < _HEADER_IN + 20:
        return []
    flags, flags2 = struct.unpack_from("=II", message, _HEADER_IN + 12)
    if not flags & _INIT_EXT:
        return []
    masked = [name for bit, name in MASKED.items() if flags2 & bit]
    struct.pack_into("=I", message, _HEADER_IN + 16, flags2 & ~sum(MASKED))
    return masked


def max_write(message: memoryview) -> int:
    """What an INIT reply allows a WRITE to carry, 4096 at least as in fs/fuse/inode.c; 0 where it is too short."""
    if len(message) < _HEADER_OUT + 24:
        return 0
    return max(4096, int(struct.unpack_from("=I", message, _HEADER_OUT + 20)[0]))


def clamp_reply(message: memoryview, limit: int) -> str:
    """Lower max_write and max_pages so that a message fits `limit` bytes. Returns what was changed, or ""."""
    if len(message) < _HEADER_OUT + 24:
        return ""
    usable = (limit - _OVERHEAD) // _PAGE * _PAGE
    flags, max_write = struct.unpack_from("=I4xI", message, _HEADER_OUT + 12)
    changed = ""
    if max_write > usable:
        struct.pack_into("=I", message, _HEADER_OUT + 20, usable)
        changed = f"max_write {max_write} lowered to {usable}"
    if flags & _MAX_PAGES and len(message) >= _HEADER_OUT + 30:
        (pages,) = struct.unpack_from("=H", message, _HEADER_OUT + 28)
        if pages * _PAGE > usable:
            struct.pack_into("=H", message, _HEADER_OUT + 28, usable // _PAGE)
            changed = changed or f"max_pages {pages} lowered to {usable // _PAGE}"
    return changed
