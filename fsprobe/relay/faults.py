"""What each kind of fault does to the bytes of a request or a reply.

Owns the kinds' work on whole messages; where a number lies is `relay.fields`', which kinds there are `relay.kinds`'.
Knows nothing of when a rule applies.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field

from fsprobe.relay import fields
from fsprobe.relay.fields import ENTRY_REPLIES, IN, OUT
from fsprobe.wire import Opcode as Op

NEVER_BY_STAR = frozenset({Op.INIT, Op.DESTROY, Op.FORGET, Op.BATCH_FORGET, Op.INTERRUPT, Op.NOTIFY_REPLY})
"""Operations that `*` leaves alone: without them there is no connection to test."""

_WRITE_HEAD = IN + 40  # struct fuse_write_in behind the header
_VALID = {"mode": 1, "uid": 2, "gid": 4, "size": 8, "atime": 16 | 128, "mtime": 32 | 256}  # FATTR_*
_FATTR_FH = 64
_BIT = 0x20


@dataclass(slots=True)
class Memory:
    """What was answered before: first replies for `stale`, inode numbers for `neighbour`."""

    first: dict[tuple[int, int, bytes], bytes] = field(default_factory=dict)
    inos: dict[int, int] = field(default_factory=dict)


def names(request: bytes) -> list[str]:
    """The names that a request carries, for matching paths: every NUL-terminated run of text at its end."""
    tail = request[IN:].rstrip(b"\0").rsplit(b"\0", 2)
    return [part.decode("utf-8", "surrogateescape") for part in tail[-2:] if part]


def error_reply(unique: int, number: int) -> bytes:
    """A reply that is only an error."""
    return struct.pack("=IiQ", OUT, -number, unique)


def _success(unique: int, body: bytes = b"") -> bytes:
    return struct.pack("=IiQ", OUT + len(body), 0, unique) + body


# Success of operations whose answer is a fixed struct, with nothing in it that anybody could tell.
_EMPTY = {
    Op.OPEN: bytes(16), Op.OPENDIR: bytes(16), Op.STATFS: bytes(80), Op.IOCTL: bytes(16), Op.POLL: bytes(8),
    Op.BMAP: bytes(8), Op.GETLK: bytes(16) + struct.pack("=II", 2, 0),
}  # fmt: skip


def fake(opcode: int, unique: int, request: bytes) -> tuple[bytes | None, bytes | None]:
    """Success without the deed: (a reply of our own, or a harmless request whose reply has the same form)."""
    if opcode == Op.SETATTR:  # GETATTR answers with the same fuse_attr_out
        return None, _as_getattr(request)
    if opcode == Op.WRITE:
        return _success(unique, request[IN + 16 : IN + 20] + bytes(4)), None
    if opcode in (Op.COPY_FILE_RANGE, Op.COPY_FILE_RANGE_64):
        length = request[IN + 40 : IN + 48]
        return _success(unique, length if opcode == Op.COPY_FILE_RANGE_64 else length[:4] + bytes(4)), None
    if opcode == Op.LSEEK:  # every offset is data
        return _success(unique, request[IN + 8 : IN + 16]), None
    if opcode in (Op.GETXATTR, Op.LISTXATTR) and request[IN : IN + 4] == bytes(4):
        return _success(unique, bytes(8)), None
    return _success(unique, _EMPTY.get(Op(opcode), b"")), None


def _as_getattr(request: bytes) -> bytes:
    return struct.pack("=II", IN + 16, Op.GETATTR) + request[8:36] + bytes(4 + 16)


# -- requests


def alter_request(kind: str, opcode: int, request: bytes) -> bytes | None:
    """A request changed on its way to the daemon, None where the kind acts on replies."""
    if kind.startswith("ignore.") and opcode == Op.SETATTR:
        return _ignoring(_VALID[kind[7:]], request)
    span = _payload(opcode, request)
    if span is None or span[0] >= span[1]:
        return None
    start, end = span
    if kind == "flip":
        return _flipped(request, start, end)
    if opcode == Op.WRITE and kind == "zero":
        return _zeroed(request, start, end)
    if opcode == Op.WRITE and kind == "torn":
        return _torn(request, start, end)
    return None


def _payload(opcode: int, request: bytes) -> tuple[int, int] | None:
    """Where the data lies in a request that stores some."""
    if opcode == Op.WRITE:
        return _WRITE_HEAD, len(request)
    if opcode == Op.SETXATTR:
        return len(request) - int.from_bytes(request[IN : IN + 4], "little"), len(request)
    if opcode == Op.SYMLINK:  # name, NUL, target, NUL
        return request.find(b"\0", IN) + 1, len(request) - 1
    return None


def _ignoring(bits: int, request: bytes) -> bytes:
    valid = int.from_bytes(request[IN : IN + 4], "little")
    if not valid & bits:
        return request
    left = valid & ~bits
    if not left & ~_FATTR_FH & ~1024:  # ctime alone is only ever sent along
        return _as_getattr(request)
    return request[:IN] + struct.pack("=I", left) + request[IN + 4 :]


def _flipped(message: bytes, start: int, end: int) -> bytes:
    middle = start + (end - start) // 2
    return message[:middle] + bytes([message[middle] ^ _BIT]) + message[middle + 1 :]


def _zeroed(message: bytes, start: int, end: int) -> bytes:
    third = (end - start + 2) // 3
    return message[: start + third] + bytes(min(third, end - start - third)) + message[start + 2 * third : end]


def _torn(request: bytes, start: int, end: int) -> bytes:
    """The first half; `alter_reply` acknowledges all of it."""
    half = (end - start) // 2
    cut = bytearray(request[: start + half])
    struct.pack_into("=I", cut, 0, len(cut))
    struct.pack_into("=I", cut, IN + 16, half)
    return bytes(cut)


# -- replies


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
    family, dot, name = kind.partition(".")
    if dot and family == "attr":
        return fields.attr(name, value, opcode, reply)
    if dot and family == "statfs":
        return fields.statfs(name, value, reply)
    if kind == "entries":
        return _resize(reply[:OUT] + fields.entries(value, opcode, reply))
    if kind in _ON_SUCCESS:
        return _ON_SUCCESS[kind](opcode, request, reply, memory)
    return reply


def _unique(reply: bytes) -> int:
    return int(struct.unpack_from("=Q", reply, 8)[0])


def _with_error(reply: bytes, error: int) -> bytes:
    return struct.pack("=IiQ", OUT, error, _unique(reply))


def _resize(reply: bytes) -> bytes:
    return struct.pack("=I", len(reply)) + reply[4:]


_TEXTS = (Op.READ, Op.READLINK, Op.GETXATTR, Op.LISTXATTR)


def _only_size(opcode: int, request: bytes) -> bool:
    """Whether only the size of an attribute was asked for."""
    return opcode in (Op.GETXATTR, Op.LISTXATTR) and request[IN : IN + 4] == bytes(4)


def _short(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    if opcode == Op.WRITE and len(reply) >= OUT + 4:
        size = struct.unpack_from("=I", reply, OUT)[0]
        return _counted(reply, size // 2)
    if opcode in _TEXTS:
        return _resize(reply[: OUT + (len(reply) - OUT) // 2])
    return reply


def _counted(reply: bytes, count: int) -> bytes:
    return reply[:OUT] + struct.pack("=I", count) + reply[OUT + 4 :]


def _acknowledge(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    if opcode == Op.WRITE and len(reply) >= OUT + 4:
        return _counted(reply, int.from_bytes(request[IN + 16 : IN + 20], "little"))
    return reply


def _zero(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    return _zeroed(reply, OUT, len(reply)) if opcode == Op.READ and len(reply) > OUT else reply


def _flip(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    if opcode in (Op.READDIR, Op.READDIRPLUS):
        return reply[:OUT] + fields.entries("flip", opcode, reply)
    if opcode in _TEXTS and len(reply) > OUT and not _only_size(opcode, request):
        return _flipped(reply, OUT, len(reply))
    return reply


def _nodeid(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    return _moved(opcode, reply, OUT, 1_000_003)


def _generation(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    return _moved(opcode, reply, OUT + 8, 1)


def _moved(opcode: int, reply: bytes, at: int, by: int) -> bytes:
    """A number of struct fuse_entry_out; one of nodeid 0 says that there is no such name, and stays so."""
    if opcode not in ENTRY_REPLIES or len(reply) < OUT + 16 or reply[OUT : OUT + 8] == bytes(8):
        return reply
    old = int.from_bytes(reply[at : at + 8], "little")
    return reply[:at] + struct.pack("=Q", old + by) + reply[at + 8 :]


def _neighbour(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    own = fields.ino(opcode, reply)
    if own is None:
        return reply
    node = int.from_bytes(reply[OUT : OUT + 8] if opcode in ENTRY_REPLIES else request[16:24], "little")
    other = next((ino for nodeid, ino in reversed(memory.inos.items()) if nodeid != node and ino != own), own)
    memory.inos.pop(node, None)
    memory.inos[node] = own
    return fields.attr("ino", str(other), opcode, reply)


# What makes two requests of an operation the same question: bytes behind the header. A handle and flags do not.
_QUESTION = {
    Op.READ: slice(IN + 8, IN + 16), Op.READDIR: slice(IN + 8, IN + 16), Op.READDIRPLUS: slice(IN + 8, IN + 16),
    Op.GETXATTR: slice(IN, None), Op.LISTXATTR: slice(IN, None),
}  # fmt: skip


def _stale(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    nodeid = struct.unpack_from("=Q", request, 16)[0]
    question = request[_QUESTION[Op(opcode)]] if opcode in _QUESTION else b""
    first = memory.first.setdefault((opcode, nodeid, question), reply[OUT:])
    if opcode == Op.READ:  # more than was asked for is an error of its own
        first = first[: int.from_bytes(request[IN + 16 : IN + 20], "little")]
    return _resize(reply[:OUT] + first)


def _body(opcode: int, request: bytes, reply: bytes, memory: Memory) -> bytes:
    return _resize(reply[: max(OUT, len(reply) - 8)])


_ON_SUCCESS = {
    "short": _short, "torn": _acknowledge, "zero": _zero, "flip": _flip, "nodeid": _nodeid, "generation": _generation,
    "neighbour": _neighbour, "stale": _stale, "body": _body,
}  # fmt: skip
