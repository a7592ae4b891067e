"""Whole messages: requests and replies, built and decoded.

Owns headers and lengths; knows nothing of what a kernel would make of a reply (`judge` does). An errno
is positive here and negated on the wire. Where a body is bytes it is put on the wire as it is, which is
how a malformed message is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fsprobe.wire.dirents import build_direntplus, build_dirents, direntplus, dirents
from fsprobe.wire.errors import LocalError, PeerError
from fsprobe.wire.layout import Buffer, pack, size_of, unpack
from fsprobe.wire.opcodes import NO_REPLY, PROTOCOL_MINOR, Opcode, opcode_name
from fsprobe.wire.replies import REPLIES, DirentList, DirentPlusList, GetxattrOut
from fsprobe.wire.requests import REQUESTS, SETXATTR_EXT_SIZE, SETXATTR_SIZE
from fsprobe.wire.structs import IN_HEADER, OUT_HEADER, InHeader, OutHeader

EXTLEN_MINOR = 38
"""The minor that brought `total_extlen`; security contexts of 7.36 and 7.37 follow the body uncounted."""

_OPCODES: dict[int, Opcode] = {opcode.value: opcode for opcode in Opcode}
_XATTR_READS = (Opcode.GETXATTR, Opcode.LISTXATTR)


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded request. `body` is bytes for an opcode that is not known; `extensions` is what follows it."""

    header: InHeader
    opcode: int
    body: Any
    extensions: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """A decoded reply: `error` a positive errno, 0 for success; `body` None with an error or without one."""

    header: OutHeader
    error: int
    body: Any


def build_request(
    opcode: int,
    nodeid: int,
    body: object = None,
    *,
    unique: int,
    uid: int = 0,
    gid: int = 0,
    pid: int = 0,
    minor: int = PROTOCOL_MINOR,
    extensions: bytes = b"",
    setxattr_ext: bool = False,
) -> bytes:
    """A request's bytes, as a kernel that speaks this minor sends it.

    body: the opcode's class of REQUESTS, None where that has no fields, or raw bytes. Raises LocalError.
    """
    if len(extensions) % 8:
        raise LocalError(f"extensions come in units of 8 bytes, not {len(extensions)}")
    payload = _request_payload(opcode, body, minor, setxattr_ext)
    header = InHeader(
        len=IN_HEADER + len(payload) + len(extensions),
        opcode=opcode,
        unique=unique,
        nodeid=nodeid,
        uid=uid,
        gid=gid,
        pid=pid,
        total_extlen=len(extensions) // 8 if minor >= EXTLEN_MINOR else 0,
    )
    return pack(header) + payload + extensions


def _request_payload(opcode: int, body: object, minor: int, setxattr_ext: bool) -> bytes:
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    kind = REQUESTS.get(Opcode(opcode)) if opcode in Opcode._value2member_map_ else None
    if kind is None:
        if body is None:
            return b""
        raise LocalError(f"{opcode_name(opcode)} takes raw bytes, not {type(body).__name__}")
    if body is None and not kind.__slots__:
        return b""
    if type(body) is not kind:
        raise LocalError(f"{opcode_name(opcode)} takes {kind.__name__}, not {type(body).__name__}")
    return pack(body, minor, fixed=_fixed(opcode, setxattr_ext))


def _fixed(opcode: int, setxattr_ext: bool) -> int | None:
    """SETXATTR's fixed part, which goes by a flag and not by the minor."""
    if opcode != Opcode.SETXATTR:
        return None
    return SETXATTR_EXT_SIZE if setxattr_ext else SETXATTR_SIZE


def raw_request(header: InHeader, payload: bytes = b"") -> bytes:
    """A request with whatever header is given, its length field included."""
    return pack(header) + payload


def decode_request(
    data: Buffer, minor: int = PROTOCOL_MINOR, setxattr_ext: bool = False, *, partial: bool = False
) -> Request:
    """A request out of bytes.

    partial: the bytes are only the head of the message; names and data may be cut. Raises PeerError.
    """
    raw = bytes(data)
    header, at = unpack(InHeader, raw)
    if not partial and header.len != len(raw):
        raise PeerError(f"the header says {header.len} bytes, {len(raw)} came")
    opcode = _OPCODES.get(header.opcode)
    if opcode is None:
        return Request(header, header.opcode, raw[at:])
    body, at = unpack(
        REQUESTS[opcode],
        raw,
        at,
        minor,
        fixed=_fixed(opcode, setxattr_ext),
        longer=True,
        partial=partial,
    )
    if at == len(raw) and not header.total_extlen:
        return Request(header, opcode, body)
    extensions = raw[at:]
    counted = header.total_extlen * 8
    if counted and not partial and counted != len(extensions):
        raise PeerError(f"the header says {counted} bytes of extensions, {len(extensions)} are there")
    return Request(header, opcode, body, extensions)


def build_reply(
    unique: int, body: object = None, error: int = 0, *, opcode: int, minor: int = PROTOCOL_MINOR
) -> bytes:
    """A reply's bytes, as a daemon that speaks this minor sends it.

    body: the opcode's class of REPLIES, None where that is None or with an error, or raw bytes. error: a
    positive errno. Raises LocalError; `raw_reply` makes what this will not.
    """
    if error:
        if not 0 < error < 512:
            raise LocalError(f"errno {error} is not between 1 and 511")
        if body is not None:
            raise LocalError("a reply with an error has no body")
        return raw_reply(unique, -error)
    return raw_reply(unique, 0, _reply_payload(opcode, body, minor))


def _reply_payload(opcode: int, body: object, minor: int) -> bytes:
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    if isinstance(body, DirentList) and opcode == Opcode.READDIR:
        return build_dirents(body.entries)
    if isinstance(body, DirentPlusList) and opcode == Opcode.READDIRPLUS:
        return build_direntplus(body.entries, minor)
    kind = REPLIES.get(opcode)  # type: ignore[call-overload]
    if body is None and kind is None:
        return b""
    if isinstance(body, GetxattrOut) and opcode in _XATTR_READS:
        return pack(body, minor)
    if type(body) is not kind:
        wanted = "no body" if kind is None else kind.__name__
        raise LocalError(f"the reply to {opcode_name(opcode)} takes {wanted}, not {type(body).__name__}")
    return pack(body, minor)


def raw_reply(unique: int, wire_error: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """A reply with any error as it stands on the wire, any payload and, where given, any length field."""
    size = OUT_HEADER + len(payload) if length is None else length
    return pack(OutHeader(size, wire_error, unique)) + payload


def decode_reply(
    data: Buffer,
    opcode: int,
    minor: int = PROTOCOL_MINOR,
    *,
    request: Any = None,
    partial: bool = False,
) -> Reply:
    """A reply out of bytes.

    request: the request's body, which for GETXATTR and LISTXATTR tells a size (GetxattrOut) from data
    (DataOut, also where it is not given). partial: the bytes are only the head of the message, and no rule
    of the header is held against it. Raises PeerError.
    """
    raw = bytes(data)
    header, at = unpack(OutHeader, raw)
    if not partial:
        _check_header(header, len(raw), opcode)
    if header.error:
        return Reply(header, -header.error, None)
    if opcode not in Opcode._value2member_map_:
        return Reply(header, 0, raw[at:])
    kind = REPLIES[Opcode(opcode)]
    if opcode in _XATTR_READS and request is not None and getattr(request, "size", None) == 0:
        kind = GetxattrOut
    if kind is DirentList:
        return Reply(header, 0, DirentList(dirents(raw[at:], partial=partial)))
    if kind is DirentPlusList:
        return Reply(header, 0, DirentPlusList(direntplus(raw[at:], minor, partial=partial)))
    body = None
    if kind is not None:
        body, at = unpack(kind, raw, at, minor, partial=partial)
    if at != len(raw) and not partial:
        raise PeerError(f"the reply to {opcode_name(opcode)} is {len(raw) - at} bytes too long")
    return Reply(header, 0, body)


def _check_header(header: OutHeader, received: int, opcode: int) -> None:
    if header.len != received:
        raise PeerError(f"the header says {header.len} bytes, {received} came")
    if header.error > 0 or header.error <= -512:
        raise PeerError(f"error {header.error} is not between -511 and 0")
    if header.error and received != OUT_HEADER:
        raise PeerError(f"an error has no body, but {received - OUT_HEADER} bytes follow")
    if opcode in NO_REPLY:
        raise PeerError(f"{opcode_name(opcode)} has no reply")


def body_size(opcode: Opcode, minor: int = PROTOCOL_MINOR) -> int:
    """Bytes of the fixed part of a successful reply's body."""
    kind = REPLIES[opcode]
    if kind is None or kind in (DirentList, DirentPlusList):
        return 0
    return size_of(kind, minor)
