"""Would the kernel take this reply? And if not, in a few words, why.

Owns the kernel's own rules for replies and notifications; knows nothing of what a file system should
answer. Two kinds of refusal: of the message (wrong length, errno or unique: the daemon's write fails and
the application waits for ever) and of its contents (the application gets EIO).
Source: fs/fuse/dev.c (fuse_dev_do_write, copy_out_args), dir.c, file.c, readdir.c, xattr.c, inode.c.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from fsprobe.wire.dirents import DIRENT
from fsprobe.wire.errors import PeerError
from fsprobe.wire.flags import IoctlFlag
from fsprobe.wire.layout import Buffer, size_of
from fsprobe.wire.notifications import NOTIFICATIONS, decode_notification
from fsprobe.wire.opcodes import (
    NO_REPLY,
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    ROOT_ID,
    Notification,
    Opcode,
    notification_name,
    opcode_name,
)
from fsprobe.wire.replies import REPLIES, EntryOut
from fsprobe.wire.structs import IN_HEADER, OUT_HEADER

ERRNO_END = 512
"""Errors from here on are the kernel's own (ERESTARTSYS, …) and never taken from a daemon."""
NAME_MAX = 4095
"""Longest name in a directory's entries: PATH_MAX - 1 on recent kernels, 1024 (FUSE_NAME_MAX) on older."""
READLINK_MAX = 65535
"""A page less one byte, where a page is at most 64 KiB; 4095 on x86-64."""
PAGE = 4096

_HEAD = struct.Struct("=IiQ").unpack_from
_U32 = struct.Struct("=I").unpack_from
_U64 = struct.Struct("=Q").unpack_from
# entry_out at the head of a reply: nodeid, attr.size, attr.mode
_ENTRY = struct.Struct("=16xQ40xQ44xI").unpack_from
# attr_out: attr.size, attr.mode
_ATTR = struct.Struct("=40xQ44xI").unpack_from
_STATX = struct.Struct("=48xI24xH10xQ").unpack_from
_NAMELEN = struct.Struct("=16xI").unpack_from
_LOCK = struct.Struct("=16xQQI").unpack_from

_TYPES = frozenset({0o010000, 0o020000, 0o040000, 0o060000, 0o100000, 0o120000, 0o140000})
_SIZE_MAX = 2**63 - 1
_READS = (Opcode.READ, Opcode.READDIR, Opcode.READDIRPLUS)
_XATTR_READS = (Opcode.GETXATTR, Opcode.LISTXATTR)
_ANY = 1 << 32


def _exact_sizes(minor: int) -> dict[int, int]:
    """Whole lengths of successful replies, for the opcodes that have only one."""
    open_ended = {
        Opcode.READLINK,
        Opcode.READ,
        Opcode.READDIR,
        Opcode.READDIRPLUS,
        Opcode.GETXATTR,
        Opcode.LISTXATTR,
        Opcode.INIT,
        Opcode.IOCTL,
        Opcode.CUSE_INIT,
    }
    return {
        int(opcode): OUT_HEADER + (0 if kind is None else size_of(kind, minor))
        for opcode, kind in REPLIES.items()
        if opcode not in open_ended and opcode not in NO_REPLY
    }


# One table for each minor at which a reply's size changed (4: statfs, 9: attributes).
_EXACT_BY_MINOR = {minor: _exact_sizes(minor) for minor in (0, 4, 9)}
_EXACT = _EXACT_BY_MINOR[9]


def judge_reply(
    data: Buffer,
    length_received: int,
    known_unique: bool,
    opcode: int | None,
    minor: int = PROTOCOL_MINOR,
    request_head: Buffer = b"",
) -> str:
    """Empty where the kernel would take the reply, else the reason in a few words.

    data: the reply, or its head. length_received: the bytes that came. known_unique: whether a request with
    that unique waits. opcode: that request's, None where there is none. request_head: that request or its
    head, which bounds the reply. A notification (unique 0) is judged by judge_notification.
    """
    if len(data) >= OUT_HEADER and known_unique:
        length, error, unique = _HEAD(data)
        if length == length_received and unique:
            if error == 0:
                if minor >= 9 and _EXACT.get(opcode) == length:  # type: ignore[arg-type]
                    check = _CONTENTS.get(opcode)  # type: ignore[arg-type]
                    return "" if check is None or len(data) < length else check(data, request_head)
            elif -ERRNO_END < error < 0 and length == OUT_HEADER and opcode not in NO_REPLY:
                return ""
    return _judge_slowly(data, length_received, known_unique, opcode, minor, request_head)


def _judge_slowly(
    data: Buffer,
    received: int,
    known: bool,
    opcode: int | None,
    minor: int,
    request: Buffer,
) -> str:
    if received < OUT_HEADER or len(data) < OUT_HEADER:
        return f"{received} bytes are shorter than a reply's header of {OUT_HEADER}"
    length, error, unique = _HEAD(data)
    if length != received:
        return f"the length field says {length} bytes, {received} came"
    if unique == 0:
        return judge_notification(data, received)
    if error > 0:
        return f"positive error {error} (an errno goes negated)"
    if error <= -ERRNO_END:
        return f"error {error} is no errno (-511 to 0)"
    if opcode in NO_REPLY:
        return f"{opcode_name(int(opcode or 0))} must not be answered"
    if not known:
        return f"no request with unique {unique} is waiting"
    if error and length != OUT_HEADER:
        return f"an error has no body, but {length - OUT_HEADER} bytes follow"
    if error or opcode is None or opcode not in Opcode._value2member_map_:
        return ""
    low, high = expected_reply_sizes(opcode, minor, request)
    if not low <= length <= high:
        body = f"{low - OUT_HEADER}" if low == high else f"{low - OUT_HEADER} to {high - OUT_HEADER}"
        return f"{opcode_name(opcode)} takes a body of {body} bytes, not {length - OUT_HEADER}"
    if opcode == Opcode.LISTXATTR and _asked(request, 0):
        return _list_contents(data, length)
    if opcode == Opcode.READDIR:
        return _dirents(data, length, 0)
    if opcode == Opcode.READDIRPLUS:
        return _dirents(data, length, size_of(EntryOut, minor))
    check = _CONTENTS.get(opcode)
    return "" if check is None or len(data) < length else check(data, request)


def expected_reply_sizes(
    opcode: int, minor: int = PROTOCOL_MINOR, request: Buffer = b""
) -> tuple[int, int]:
    """The smallest and largest whole length (header included) of a successful reply that the kernel takes.

    request: the request's bytes or their head, which bound READ, READDIR, GETXATTR, LISTXATTR and IOCTL;
    without it they are bounded by nothing. (0, 0) where no reply is due.
    """
    if opcode in NO_REPLY:
        return 0, 0
    exact = _EXACT_BY_MINOR[9 if minor >= 9 else 4 if minor >= 4 else 0].get(opcode)
    if exact is not None:
        return exact, exact
    low, high = _open_sizes(opcode, request)
    return OUT_HEADER + low, OUT_HEADER + high


def _open_sizes(opcode: int, request: Buffer) -> tuple[int, int]:
    """The same for bodies of open length, header left out."""
    if opcode == Opcode.READLINK:
        return 0, READLINK_MAX
    if opcode == Opcode.INIT:
        return 8, 64
    if opcode == Opcode.CUSE_INIT:
        return 72, 72 + PAGE
    if opcode in _READS:
        asked = _asked(request, 16)
        return 0, _ANY if asked is None else asked
    if opcode in _XATTR_READS:
        asked = _asked(request, 0)
        return (0, _ANY) if asked is None else (0, asked) if asked else (8, 8)
    if opcode == Opcode.IOCTL:
        flags, asked = _asked(request, 8), _asked(request, 28)
        if asked is None or flags is None:
            return 16, _ANY
        # An unrestricted ioctl may be answered by the iovecs it wants: always room for a page of them.
        return 16, 16 + (max(asked, PAGE) if flags & IoctlFlag.UNRESTRICTED else asked)
    return 0, _ANY


def _asked(request: Buffer, at: int) -> int | None:
    """A 32-bit field of the request's body, None where it was not handed in."""
    at += IN_HEADER
    return int(_U32(request, at)[0]) if len(request) >= at + 4 else None


def _attributes(size: int, mode: int) -> str:
    if mode & 0o170000 not in _TYPES:
        return f"mode {mode:#o} has no file type"
    if size > _SIZE_MAX:
        return f"size {size} is over 2^63 - 1"
    return ""


def _lookup(data: Buffer, request: Buffer) -> str:
    nodeid, size, mode = _ENTRY(data)
    if nodeid == 0:  # a negative entry with a timeout: nothing else of it counts
        return ""
    if nodeid == ROOT_ID and bytes(request[IN_HEADER : IN_HEADER + 3]) not in (b".\0", b"..\0", b"..", b""):
        return "nodeid 1, the root, for a name"
    return "" if mode & 0o170000 in _TYPES and size <= _SIZE_MAX else _attributes(size, mode)


def _made(kind: int | None) -> Callable[[Buffer, Buffer], str]:
    """The check of a new entry, whose type must be the one asked for (None: any, as LINK's)."""

    def check(data: Buffer, request: Buffer) -> str:
        nodeid, size, mode = _ENTRY(data)
        if nodeid <= ROOT_ID:
            return f"nodeid {nodeid} for a new entry"
        if kind is not None and mode & 0o170000 != kind:
            return f"mode {mode:#o} is not of the type asked for ({kind:#o})"
        return _attributes(size, mode)

    return check


def _mknod(data: Buffer, request: Buffer) -> str:
    asked = _asked(request, 0)
    # mknod(2) with no type makes a regular file, and the VFS says so before it asks the daemon
    return _made(None if asked is None or not asked & 0o170000 else asked & 0o170000)(data, request)


def _attr(data: Buffer, request: Buffer) -> str:
    size, mode = _ATTR(data)
    return "" if mode & 0o170000 in _TYPES and size <= _SIZE_MAX else _attributes(size, mode)


STATX_TYPE, STATX_SIZE = 0x1, 0x200


def _statx(data: Buffer, request: Buffer) -> str:
    mask, mode, size = _STATX(data)
    return _attributes(
        size if mask & STATX_SIZE else 0,
        mode if mask & STATX_TYPE else 0o100000,
    )


def _count(field: str, at: int) -> Callable[[Buffer, Buffer], str]:
    """The check of a count of bytes taken, which must not be more than the request's field at `at`."""
    read = _U32 if at == 16 else _U64
    width = 4 if at == 16 else 8

    def check(data: Buffer, request: Buffer) -> str:
        if len(request) < IN_HEADER + at + width:
            return ""
        asked, done = read(request, IN_HEADER + at)[0], _U32(data, OUT_HEADER)[0]
        return "" if done <= asked else f"{done} bytes {field}, only {asked} were asked for"

    return check


def _copied(data: Buffer, request: Buffer) -> str:
    if len(request) < IN_HEADER + 48:
        return ""
    asked, done = _U64(request, IN_HEADER + 40)[0], _U64(data, OUT_HEADER)[0]
    return "" if done <= asked else f"{done} bytes copied, only {asked} were asked for"


def _lock(data: Buffer, request: Buffer) -> str:
    start, end, kind = _LOCK(data)
    if kind > 2:
        return f"lock type {kind} (0 read, 1 write, 2 none)"
    if kind < 2 and not start <= end <= _SIZE_MAX:
        return f"lock from {start} to {end}"
    return ""


def _init(data: Buffer, request: Buffer) -> str:
    major = _U32(data, OUT_HEADER)[0]
    return "" if major == PROTOCOL_MAJOR else f"major {major}, not {PROTOCOL_MAJOR}"


def _list_contents(data: Buffer, length: int) -> str:
    """fuse_verify_xattr_list: names, each at least a byte long and ended by NUL."""
    if len(data) < length:
        return ""
    names = bytes(data[OUT_HEADER:length])
    if names and (not names.endswith(b"\0") or b"\0\0" in names or names.startswith(b"\0")):
        return "the list is not of names that end in NUL"
    return ""


def _dirents(data: Buffer, length: int, before: int) -> str:
    """parse_dirfile: each entry's name, as far as the bytes are here. The kernel ignores a cut last entry."""
    raw = data if isinstance(data, bytes) else bytes(data)
    here = len(raw) - DIRENT.size
    at = OUT_HEADER + before
    while at <= here:
        namelen = _NAMELEN(raw, at)[0]
        if not 0 < namelen <= NAME_MAX:
            what = f"a name of {namelen} bytes" if namelen else "an entry without a name"
            return f"{what} at byte {at - before - OUT_HEADER}"
        end = at + (DIRENT.size + namelen + 7 & ~7)
        if end > length:
            return ""
        if raw.find(b"/", at + DIRENT.size, at + DIRENT.size + namelen) >= 0:
            return f"a name with a slash at byte {at - before - OUT_HEADER}"
        at = end + before
    return ""


_CONTENTS: dict[int, Callable[[Buffer, Buffer], str]] = {
    Opcode.LOOKUP: _lookup,
    Opcode.GETATTR: _attr,
    Opcode.SETATTR: _attr,
    Opcode.SYMLINK: _made(0o120000),
    Opcode.MKNOD: _mknod,
    Opcode.MKDIR: _made(0o040000),
    Opcode.LINK: _made(None),
    Opcode.CREATE: _made(0o100000),
    Opcode.TMPFILE: _made(0o100000),
    Opcode.WRITE: _count("written", 16),
    Opcode.COPY_FILE_RANGE: _count("copied", 40),
    Opcode.COPY_FILE_RANGE_64: _copied,
    Opcode.GETLK: _lock,
    Opcode.INIT: _init,
    Opcode.STATX: _statx,
}


def judge_notification(data: Buffer, length_received: int) -> str:
    """Empty where the kernel would read this notification, else the reason in a few words.

    Whether its node is known is not asked. data: the message, or its head.
    """
    if length_received < OUT_HEADER or len(data) < OUT_HEADER:
        return f"{length_received} bytes are shorter than a header of {OUT_HEADER}"
    length, code, _ = _HEAD(data)
    if length != length_received:
        return f"the length field says {length} bytes, {length_received} came"
    if code not in NOTIFICATIONS:
        return f"{notification_name(code)} is no notification"
    name = f"notification {Notification(code).name}"
    try:
        # The body of STORE may be cut, and is as long as it says or more (fuse_notify_store).
        notice = decode_notification(data, partial=len(data) < length or code == Notification.STORE)
    except PeerError as error:
        return f"{name}: {error}"
    entry = getattr(notice.body, "name", None)
    if entry is None or len(data) < length:
        return ""
    if len(entry) != notice.body.namelen:
        return f"{name}: namelen {notice.body.namelen}, the name has {len(entry)}"
    return "" if 0 < len(entry) <= NAME_MAX else f"{name}: a name of {len(entry)} bytes"
