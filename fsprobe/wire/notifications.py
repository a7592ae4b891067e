"""What a daemon tells the kernel unasked: bodies, building and decoding.

Owns the notifications; knows nothing of requests and their replies. Source: include/uapi/linux/fuse.h
and fs/fuse/dev.c, fuse_notify.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fsprobe.wire.errors import LocalError, PeerError
from fsprobe.wire.layout import I64, U32, U64, Buffer, Counted, Records, Str, layout, pack, unpack
from fsprobe.wire.opcodes import Notification, notification_name
from fsprobe.wire.structs import OUT_HEADER, OutHeader, PruneOne


@layout("fuse_notify_poll_wakeup_out")
@dataclass(frozen=True, slots=True)
class NotifyPollWakeupOut:
    """POLL: the file whose poll had this `kh` is ready."""

    kh: U64 = 0


@layout("fuse_notify_inval_inode_out")
@dataclass(frozen=True, slots=True)
class NotifyInvalInodeOut:
    """INVAL_INODE: forget attributes, and data from `off` on (negative: attributes only)."""

    ino: U64 = 0
    off: I64 = 0
    len: I64 = 0


@layout("fuse_notify_inval_entry_out")
@dataclass(frozen=True, slots=True)
class NotifyInvalEntryOut:
    """INVAL_ENTRY: forget a name; `flags` are InvalEntryFlag."""

    parent: U64 = 0
    namelen: U32 = 0
    flags: U32 = 0
    name: Str = b""

    def __post_init__(self) -> None:
        _count(self, "namelen", self.name)


@layout("fuse_notify_delete_out")
@dataclass(frozen=True, slots=True)
class NotifyDeleteOut:
    """DELETE: the name is gone, if it still leads to `child`."""

    parent: U64 = 0
    child: U64 = 0
    namelen: U32 = 0
    padding: U32 = 0
    name: Str = b""

    def __post_init__(self) -> None:
        _count(self, "namelen", self.name)


@layout("fuse_notify_store_out")
@dataclass(frozen=True, slots=True)
class NotifyStoreOut:
    """STORE: data for the page cache."""

    nodeid: U64 = 0
    offset: U64 = 0
    size: U32 = 0
    padding: U32 = 0
    data: Annotated[bytes, Counted("size")] = b""

    def __post_init__(self) -> None:
        _count(self, "size", self.data)


@layout("fuse_notify_retrieve_out")
@dataclass(frozen=True, slots=True)
class NotifyRetrieveOut:
    """RETRIEVE: send me what the page cache holds, as NOTIFY_REPLY."""

    notify_unique: U64 = 0
    nodeid: U64 = 0
    offset: U64 = 0
    size: U32 = 0
    padding: U32 = 0


@layout("fuse_notify_prune_out")
@dataclass(frozen=True, slots=True)
class NotifyPruneOut:
    """PRUNE: drop these nodes where nothing uses them."""

    count: U32 = 0
    padding: U32 = 0
    spare: U64 = 0
    nodes: Annotated[tuple[PruneOne, ...], Records("count", PruneOne)] = ()

    def __post_init__(self) -> None:
        _count(self, "count", self.nodes)


def _count(body: object, field: str, tail: bytes | tuple[object, ...]) -> None:
    if tail and not getattr(body, field):
        object.__setattr__(body, field, len(tail))


NOTIFICATIONS: dict[Notification, type[Any] | None] = {
    Notification.POLL: NotifyPollWakeupOut,
    Notification.INVAL_INODE: NotifyInvalInodeOut,
    Notification.INVAL_ENTRY: NotifyInvalEntryOut,
    Notification.STORE: NotifyStoreOut,
    Notification.RETRIEVE: NotifyRetrieveOut,
    Notification.DELETE: NotifyDeleteOut,
    Notification.RESEND: None,
    Notification.INC_EPOCH: None,
    Notification.PRUNE: NotifyPruneOut,
}
"""The body of each notification, None where it has none."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification. `body` is None where there is none, and bytes where the code is not known."""

    code: int
    body: Any


def build_notification(code: int, body: object = None) -> bytes:
    """A notification's bytes. `body` may be raw bytes; raises LocalError for the wrong kind of body."""
    if isinstance(body, bytes | bytearray | memoryview):
        payload = bytes(body)
    else:
        kind = NOTIFICATIONS[Notification(code)] if code in Notification._value2member_map_ else None
        if type(body) is not (type(None) if kind is None else kind):
            wanted = "no body" if kind is None else kind.__name__
            raise LocalError(f"{notification_name(code)} takes {wanted}, not {type(body).__name__}")
        payload = b"" if body is None else pack(body)
    return pack(OutHeader(OUT_HEADER + len(payload), code, 0)) + payload


def decode_notification(data: Buffer, *, partial: bool = False) -> Notice:
    """The notification in a message whose unique is 0. Raises PeerError."""
    raw = bytes(data)
    header, at = unpack(OutHeader, raw)
    if header.unique:
        raise PeerError(f"unique {header.unique}: a reply, not a notification")
    if not partial and header.len != len(raw):
        raise PeerError(f"the header says {header.len} bytes, {len(raw)} came")
    if header.error not in Notification._value2member_map_:
        return Notice(header.error, raw[at:])
    code = Notification(header.error)
    kind = NOTIFICATIONS[code]
    body = None
    if kind is not None:
        body, at = unpack(kind, raw, at, partial=partial)
    if at != len(raw) and not partial:
        raise PeerError(f"{code.name}: {len(raw) - at} bytes too many")
    return Notice(code, body)
