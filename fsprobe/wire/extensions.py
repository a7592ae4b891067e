"""What follows a request's body: security contexts (7.36) and supplementary groups (7.38).

Owns these blocks; knows nothing of the requests that carry them (CREATE, MKNOD, MKDIR, SYMLINK, TMPFILE).
Source: include/uapi/linux/fuse.h, fuse_ext_header; fs/fuse/dir.c, get_create_ext.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from fsprobe.wire.errors import LocalError, PeerError
from fsprobe.wire.flags import ExtType

_PAIR = struct.Struct("=II")


@dataclass(frozen=True, slots=True)
class SecurityContext:
    """A label that the new file is to have: the xattr's name and value."""

    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Extension:
    """One block. `kind` up to 31 counts `contexts`, 32 has `groups`; `data` is the block without its header."""

    kind: int
    data: bytes
    contexts: tuple[SecurityContext, ...] = ()
    groups: tuple[int, ...] = ()


def decode_extensions(data: bytes) -> tuple[Extension, ...]:
    """The blocks behind a body. Unknown kinds are kept as data. Raises PeerError."""
    found: list[Extension] = []
    at = 0
    while at < len(data):
        if at + _PAIR.size > len(data):
            raise PeerError(f"{len(data) - at} bytes are no extension header")
        size, kind = _PAIR.unpack_from(data, at)
        if not _PAIR.size <= size <= len(data) - at:
            raise PeerError(f"an extension says {size} bytes, {len(data) - at} are there")
        found.append(_block(kind, data[at + _PAIR.size : at + size]))
        at += size + -size % 8
    return tuple(found)


def _block(kind: int, data: bytes) -> Extension:
    if kind <= ExtType.MAX_NR_SECCTX:
        return Extension(kind, data, contexts=_contexts(kind, data))
    if kind == ExtType.GROUPS:
        count = struct.unpack_from("=I", data)[0] if len(data) >= 4 else 0
        if len(data) < 4 + 4 * count:
            raise PeerError(f"{count} groups in {len(data)} bytes")
        return Extension(kind, data, groups=struct.unpack_from(f"={count}I", data, 4))
    return Extension(kind, data)


def _contexts(count: int, data: bytes) -> tuple[SecurityContext, ...]:
    found: list[SecurityContext] = []
    at = 0
    for _ in range(count):
        stop = data.find(b"\0", at + _PAIR.size)
        size = _PAIR.unpack_from(data, at)[0] if at + _PAIR.size <= len(data) else 0
        if stop < 0 or stop + 1 + size > len(data):
            raise PeerError(f"{count} security contexts do not fit {len(data)} bytes")
        found.append(SecurityContext(data[at + _PAIR.size : stop], data[stop + 1 : stop + 1 + size]))
        end = stop + 1 + size
        at = end + -end % 8
    return tuple(found)


def build_contexts(contexts: tuple[SecurityContext, ...]) -> bytes:
    """The block of security contexts. Raises LocalError."""
    if len(contexts) > ExtType.MAX_NR_SECCTX:
        raise LocalError(f"{len(contexts)} security contexts, at most {int(ExtType.MAX_NR_SECCTX)}")
    body = b""
    for one in contexts:
        if b"\0" in one.name:
            raise LocalError(f"name {one.name!r} holds a NUL")
        record = _PAIR.pack(len(one.value), 0) + one.name + b"\0" + one.value
        body += record + bytes(-len(record) % 8)
    return _PAIR.pack(_PAIR.size + len(body), len(contexts)) + body


def build_groups(groups: tuple[int, ...]) -> bytes:
    """The block of supplementary groups. Raises LocalError."""
    try:
        body = struct.pack(f"={1 + len(groups)}I", len(groups), *groups)
    except struct.error as error:
        raise LocalError(f"groups {groups}: {error}") from None
    body += bytes(-len(body) % 8)
    return _PAIR.pack(_PAIR.size + len(body), ExtType.GROUPS) + body
