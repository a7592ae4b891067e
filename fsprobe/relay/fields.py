"""Where the numbers of a reply lie, and patching them: attributes, numbers of STATFS, directory entries.

Owns byte offsets (include/uapi/linux/fuse.h); knows nothing of rules.
"""

from __future__ import annotations

import struct

from fsprobe.wire import Opcode as Op

IN, OUT = 40, 16  # bytes of the two headers

# Offset and format of each field of struct fuse_attr.
ATTR = {
    "ino": (0, "Q"), "size": (8, "Q"), "blocks": (16, "Q"), "atime": (24, "q"), "mtime": (32, "q"), "ctime": (40, "q"),
    "atimensec": (48, "I"), "mtimensec": (52, "I"), "ctimensec": (56, "I"), "mode": (60, "I"), "nlink": (64, "I"),
    "uid": (68, "I"), "gid": (72, "I"), "rdev": (76, "I"), "blksize": (80, "I"),
}  # fmt: skip
# The same of struct fuse_statx; the rest of its numbers has no counterpart.
STATX = {
    "blksize": (4, "I"), "nlink": (16, "I"), "uid": (20, "I"), "gid": (24, "I"), "mode": (28, "H"), "ino": (32, "Q"),
    "size": (40, "Q"), "blocks": (48, "Q"), "atime": (64, "q"), "atimensec": (72, "I"), "ctime": (96, "q"),
    "ctimensec": (104, "I"), "mtime": (112, "q"), "mtimensec": (120, "I"),
}  # fmt: skip
STATFS = {
    "blocks": (0, "Q"), "bfree": (8, "Q"), "bavail": (16, "Q"), "files": (24, "Q"), "ffree": (32, "Q"),
    "bsize": (40, "I"), "namelen": (44, "I"), "frsize": (48, "I"),
}  # fmt: skip
ENTRY_REPLIES = frozenset({Op.LOOKUP, Op.SYMLINK, Op.MKNOD, Op.MKDIR, Op.LINK, Op.CREATE, Op.TMPFILE})
ATTR_OFFSET = dict.fromkeys(ENTRY_REPLIES, OUT + 40) | {Op.GETATTR: OUT + 16, Op.SETATTR: OUT + 16}
_STATX_OFFSET = OUT + 32
_ENTRY_SIZE = 128


def attr(name: str, value: str, opcode: int, reply: bytes) -> bytes:
    """The reply with a field of its attributes set (`N`) or moved (`+N`, `-N`)."""
    if opcode == Op.READDIRPLUS:
        pieces = [_patched(ATTR[name], value, piece, 40) for piece in _split(reply[OUT:], plus=True)]
        return reply[:OUT] + b"".join(pieces)
    if opcode == Op.STATX:
        return _patched(STATX[name], value, reply, _STATX_OFFSET) if name in STATX else reply
    offset = ATTR_OFFSET.get(Op(opcode)) if opcode in ATTR_OFFSET else None
    return reply if offset is None else _patched(ATTR[name], value, reply, offset)


def statfs(name: str, value: str, reply: bytes) -> bytes:
    """The same of struct fuse_kstatfs."""
    return _patched(STATFS[name], value, reply, OUT)


def ino(opcode: int, reply: bytes) -> int | None:
    """The inode number in the attributes of a reply."""
    offset = ATTR_OFFSET.get(Op(opcode)) if opcode in ATTR_OFFSET else None
    if offset is None or len(reply) < offset + 8:
        return None
    return int.from_bytes(reply[offset : offset + 8], "little")


def _patched(field: tuple[int, str], value: str, message: bytes, start: int) -> bytes:
    offset, code = field
    if len(message) < start + offset + struct.calcsize(code):
        return message
    old = struct.unpack_from("=" + code, message, start + offset)[0]
    new = old + int(value, 0) if value[0] in "+-" else int(value, 0)
    patched = bytearray(message)
    bits = 8 * struct.calcsize(code)
    struct.pack_into("=" + code.upper(), patched, start + offset, new & ((1 << bits) - 1))
    return bytes(patched)


# -- directory entries


def _split(data: bytes, *, plus: bool) -> list[bytes]:
    """Directory entries as they lie in a reply, padding included."""
    pieces, at, before = [], 0, _ENTRY_SIZE if plus else 0
    while at + before + 24 <= len(data):
        (length,) = struct.unpack_from("=I", data, at + before + 16)
        size = (before + 24 + length + 7) // 8 * 8
        pieces.append(data[at : at + size])
        at += size
    return pieces


def entries(how: str, opcode: int, reply: bytes) -> bytes:
    """The body of a listing with its entries altered."""
    if opcode not in (Op.READDIR, Op.READDIRPLUS):
        return reply[OUT:]
    before = _ENTRY_SIZE if opcode == Op.READDIRPLUS else 0
    pieces = _split(reply[OUT:], plus=bool(before))
    named = [i for i, p in enumerate(pieces) if _name(p, before) not in (b".", b"..")]
    if not named:
        return reply[OUT:]
    at = named[0]
    if how == "lose":
        del pieces[at]
    elif how == "double":
        pieces.insert(at, pieces[at])
    elif how == "reorder":
        pieces.reverse()
    elif how == "slash":
        pieces[at] = _with_letter(pieces[at], before, ord("/"))
    elif how == "flip":
        pieces[at] = _with_letter(pieces[at], before, pieces[at][before + 24] ^ 0x20)
    else:
        pieces = [_ENTRY_CHANGES[how](piece, before) for piece in pieces]
    return b"".join(pieces)


def _with_letter(piece: bytes, before: int, letter: int) -> bytes:
    return piece[: before + 24] + bytes([letter]) + piece[before + 25 :]


def _other_offset(piece: bytes, before: int) -> bytes:
    """One further than it is: whoever goes on from there has missed an entry."""
    (old,) = struct.unpack_from("=Q", piece, before + 8)
    return piece[: before + 8] + struct.pack("=Q", (old + 1) & ((1 << 63) - 1)) + piece[before + 16 :]


def _other_type(piece: bytes, before: int) -> bytes:
    """A directory is called a file, all else a directory; none at all (DT_UNKNOWN) is no lie."""
    (old,) = struct.unpack_from("=I", piece, before + 20)
    new = 0 if not old else 8 if old == 4 else 4
    return piece[: before + 20] + struct.pack("=I", new) + piece[before + 24 :]


def _other_ino(piece: bytes, before: int) -> bytes:
    (old,) = struct.unpack_from("=Q", piece, before)
    return piece[:before] + struct.pack("=Q", old ^ 0x40000) + piece[before + 8 :]


_ENTRY_CHANGES = {"offset": _other_offset, "type": _other_type, "ino": _other_ino}


def _name(piece: bytes, before: int) -> bytes:
    (length,) = struct.unpack_from("=I", piece, before + 16)
    return piece[before + 24 : before + 24 + length]
