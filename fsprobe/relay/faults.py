"""What each kind of fault does to the bytes of a request or a reply.

Owns the kinds, their values and the byte offsets they patch (include/uapi/linux/fuse.h); knows nothing of
when a rule applies.
"""

from __future__ import annotations

import errno
import re
import struct
from dataclasses import dataclass, field

from fsprobe.errors import UsageError
from fsprobe.wire import Opcode as Op

NEVER_BY_STAR = frozenset({Op.INIT, Op.DESTROY, Op.FORGET, Op.BATCH_FORGET, Op.INTERRUPT, Op.NOTIFY_REPLY})
"""Operations that `*` leaves alone: without them there is no connection to test."""

IN, OUT = 40, 16  # bytes of the two headers

# Offset and format of each field of struct fuse_attr.
ATTR = {
    "ino": (0, "Q"), "size": (8, "Q"), "blocks": (16, "Q"), "atime": (24, "q"), "mtime": (32, "q"), "ctime": (40, "q"),
    "atimensec": (48, "I"), "mtimensec": (52, "I"), "ctimensec": (56, "I"), "mode": (60, "I"), "nlink": (64, "I"),
    "uid": (68, "I"), "gid": (72, "I"), "rdev": (76, "I"), "blksize": (80, "I"),
}  # fmt: skip
ENTRY_REPLIES = frozenset({Op.LOOKUP, Op.SYMLINK, Op.MKNOD, Op.MKDIR, Op.LINK, Op.CREATE, Op.TMPFILE})
ATTR_OFFSET = dict.fromkeys(ENTRY_REPLIES, OUT + 40) | {Op.GETATTR: OUT + 16, Op.SETATTR: OUT + 16}
_ENTRY_SIZE = 128

WITHHOLD = "withhold"
"""The kind by which the session keeps a hanging operation from the daemon."""
_PLAIN = (WITHHOLD, "drop", "crash", "fake", "short", "flip", "unique", "positive-errno", "length", "nodeid", "stale")
KINDS = (*_PLAIN, "errno", "map", "delay", "attr.FIELD", "entries")
_ENTRIES = ("lose", "double", "reorder", "slash")


@dataclass(slots=True)
class Memory:
    """First replies, for `stale`."""

    first: dict[tuple[int, ...], bytes] = field(default_factory=dict)


def validate(kind: str, value: str, text: str) -> None:
    """Raises UsageError unless the kind exists and the value fits it."""
    if kind in _PLAIN:
        good, form = not value, f"{kind} takes no value"
    elif kind == "errno":
        good, form = _is_errno(value), "errno=NAME, e.g. errno=EIO"
    elif kind == "map":
        old, _, new = value.partition(">")
        good, form = _is_errno(old) and _is_errno(new), "map=ENOENT>EIO"
    elif kind == "delay":
        good, form = bool(re.fullmatch(r"\d+(\.\d+)?", value)), "delay=SECONDS"
    elif kind == "entries":
        good, form = value in _ENTRIES, f"entries={'|'.join(_ENTRIES)}"
    elif kind.startswith("attr."):
        good = kind[5:] in ATTR and bool(re.fullmatch(r"[+-]?(0x[0-9a-fA-F]+|0o[0-7]+|[1-9][0-9]*|0)", value))
        form = f"attr.FIELD=N, +N or -N; fields: {' '.join(ATTR)}"
    else:
        good, form = False, f"kinds: {' '.join(KINDS)}"
    if not good:
        raise UsageError(f"rule {text!r}: {kind}{'=' if value else ''}{value} is no fault", causes=(form,))


def _is_errno(name: str) -> bool:
    return isinstance(getattr(errno, name, None), int)


def names(request: bytes) -> list[str]:
    """The names that a request carries, for matching paths: every NUL-terminated run of text at its end."""
    tail = request[IN:].rstrip(b"\0").rsplit(b"\0", 2)
    return [part.decode("utf-8", "surrogateescape") for part in tail[-2:] if part]


def error_reply(unique: int, number: int) -> bytes:
    """A reply that is only an error."""
    return struct.pack("=IiQ", OUT, -number, unique)


def _success(unique: int, body: bytes = b"") -> bytes:
    return struct.pack("=IiQ", OUT + len(body), 0, unique) + body


def fake(opcode: int, unique: int, request: bytes) -> tuple[bytes | None, bytes | None]:
    """Success without the deed: (a reply of our own, or a harmless request whose reply has the same form)."""
    if opcode == Op.SETATTR:  # GETATTR answers with the same fuse_attr_out
        header = struct.pack("=II", IN + 16, Op.GETATTR) + request[8:36] + bytes(4)
        return None, header + bytes(16)
    if opcode == Op.WRITE:
        return _success(unique, request[IN + 16 : IN + 20] + bytes(4)), None
    if opcode in (Op.COPY_FILE_RANGE, Op.COPY_FILE_RANGE_64):
        length = request[IN + 40 : IN + 48]
        return _success(unique, length if opcode == Op.COPY_FILE_RANGE_64 else length[:4] + bytes(4)), None
    if opcode in (Op.OPEN, Op.OPENDIR):
        return _success(unique, bytes(16)), None
    if opcode == Op.LSEEK:  # every offset is data
        return _success(unique, request[IN + 8 : IN + 16]), None
    return _success(unique), None


def alter_request(kind: str, opcode: int, request: bytes) -> bytes | None:
    """A request changed on its way to the daemon, None where the kind acts on replies."""
    if kind == "flip" and opcode == Op.WRITE and len(request) > IN + 40:
        middle = IN + 40 + (len(request) - IN - 40) // 2
        return request[:middle] + bytes([request[middle] ^ 0x20]) + request[middle + 1 :]
    return None


def alter_reply(kind: str, value: str, opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    """A reply changed on its way to the kernel; the same object where this kind has nothing to change."""
    error = struct.unpack_from("=i", reply, 4)[0]
    if kind == "map":
        old, _, new = value.partition(">")
        return _with_error(reply, -getattr(errno, new)) if -error == getattr(errno, old) else reply
    if kind == "positive-errno":
        return struct.pack("=IiQ", OUT, errno.EIO, _unique(reply))
    if kind == "unique":
        return reply[:8] + struct.pack("=Q", _unique(reply) ^ 0x5A5A0000) + reply[16:]
    if kind == "length":
        return struct.pack("=I", len(reply) + 8) + reply[4:]
    if error:
        return reply
    if kind.startswith("attr."):
        return _attr(kind[5:], value, opcode, reply)
    if kind == "entries":
        return _entries(value, opcode, reply)
    if kind in _ON_SUCCESS:
        return _ON_SUCCESS[kind](opcode, request, reply, memory)
    return reply


def _unique(reply: bytes) -> int:
    return int(struct.unpack_from("=Q", reply, 8)[0])


def _with_error(reply: bytes, error: int) -> bytes:
    return struct.pack("=IiQ", OUT, error, _unique(reply))


def _resize(reply: bytes) -> bytes:
    return struct.pack("=I", len(reply)) + reply[4:]


def _short(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    if opcode == Op.WRITE and len(reply) >= OUT + 4:
        size = struct.unpack_from("=I", reply, OUT)[0]
        return reply[:OUT] + struct.pack("=I", size // 2) + reply[OUT + 4 :]
    if opcode in (Op.READ, Op.READLINK, Op.GETXATTR, Op.LISTXATTR):
        return _resize(reply[: OUT + (len(reply) - OUT) // 2])
    return reply


def _flip(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    if opcode == Op.GETXATTR and request[IN : IN + 4] == bytes(4):  # only the size was asked for
        return reply
    if opcode in (Op.READ, Op.READLINK, Op.GETXATTR) and len(reply) > OUT:
        middle = OUT + (len(reply) - OUT) // 2
        return reply[:middle] + bytes([reply[middle] ^ 0x20]) + reply[middle + 1 :]
    return reply


def _nodeid(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    if opcode in ENTRY_REPLIES and len(reply) >= OUT + 8:
        nodeid = struct.unpack_from("=Q", reply, OUT)[0]
        return reply[:OUT] + struct.pack("=Q", nodeid + 1_000_003) + reply[OUT + 8 :]
    return reply


def _stale(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    nodeid = struct.unpack_from("=Q", request, 16)[0]
    offset = struct.unpack_from("=Q", request, IN + 8)[0] if opcode == Op.READ else 0
    first = memory.first.setdefault((opcode, nodeid, offset), reply[OUT:])
    return _resize(reply[:OUT] + first)


_ON_SUCCESS = {"short": _short, "flip": _flip, "nodeid": _nodeid, "stale": _stale}


def _attr(name: str, value: str, opcode: int, reply: bytes) -> bytes:
    if opcode == Op.READDIRPLUS:
        pieces = [_attr_at(name, value, piece, 40) for piece in _split(reply[OUT:], plus=True)]
        return reply[:OUT] + b"".join(pieces)
    offset = ATTR_OFFSET.get(Op(opcode)) if opcode in ATTR_OFFSET else None
    return reply if offset is None else _attr_at(name, value, reply, offset)


def _attr_at(name: str, value: str, message: bytes, start: int) -> bytes:
    offset, code = ATTR[name]
    if len(message) < start + offset + struct.calcsize(code):
        return message
    old = struct.unpack_from("=" + code, message, start + offset)[0]
    new = old + int(value, 0) if value[0] in "+-" else int(value, 0)
    patched = bytearray(message)
    bits = 8 * struct.calcsize(code)
    struct.pack_into("=" + code.upper(), patched, start + offset, new & ((1 << bits) - 1))
    return bytes(patched)


def _split(data: bytes, *, plus: bool) -> list[bytes]:
    """Directory entries as they lie in a reply, padding included."""
    pieces, at, before = [], 0, _ENTRY_SIZE if plus else 0
    while at + before + 24 <= len(data):
        (length,) = struct.unpack_from("=I", data, at + before + 16)
        size = (before + 24 + length + 7) // 8 * 8
        pieces.append(data[at : at + size])
        at += size
    return pieces


def _entries(how: str, opcode: int, reply: bytes) -> bytes:
    if opcode not in (Op.READDIR, Op.READDIRPLUS):
        return reply
    before = _ENTRY_SIZE if opcode == Op.READDIRPLUS else 0
    pieces = _split(reply[OUT:], plus=bool(before))
    named = [i for i, p in enumerate(pieces) if _name(p, before) not in (b".", b"..")]
    if not named:
        return reply
    at = named[0]
    if how == "lose":
        del pieces[at]
    elif how == "double":
        pieces.insert(at, pieces[at])
    elif how == "reorder":
        pieces.reverse()
    else:
        pieces[at] = pieces[at][: before + 24] + b"/" + pieces[at][before + 25 :]
    return _resize(reply[:OUT] + b"".join(pieces))


def _name(piece: bytes, before: int) -> bytes:
    (length,) = struct.unpack_from("=I", piece, before + 16)
    return piece[before + 24 : before + 24 + length]
