"""The front that speaks the protocol on /dev/fuse itself: every operation, true node ids, and lies on request.

Owns the loop, INIT, and what a profile breaks; knows nothing of what the operations do (`raw_operations`).
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from typing import Any

from fsprobe.wire import (
    IN_HEADER,
    NO_REPLY,
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    DirentList,
    InitFlag,
    InitIn,
    InitOut,
    Kstatfs,
    Opcode,
    OpenOut,
    PeerError,
    Request,
    StatfsOut,
    build_reply,
    decode_request,
    init_flags,
)
from reference_fs import defects
from reference_fs.options import Options
from reference_fs.profiles import Profile
from reference_fs.raw_defects import slashed, spoiled
from reference_fs.raw_device import Device, Stopped, open_mounted
from reference_fs.raw_locks import Deferred
from reference_fs.raw_operations import Operations
from reference_fs.raw_replies import Timeouts
from reference_fs.stores import open_store

Handler = Callable[[Request], Any]
MAX_WRITE = 1 << 20
PAGE = 4096
OLDEST_MINOR = 12  # the first whose requests have the layout of today's, but for what INIT switches on
WANTED: dict[InitFlag, str] = {
    InitFlag.ASYNC_READ: "READ", InitFlag.BIG_WRITES: "WRITE", InitFlag.MAX_PAGES: "WRITE",
    InitFlag.ASYNC_DIO: "READ", InitFlag.PARALLEL_DIROPS: "OPENDIR", InitFlag.DO_READDIRPLUS: "READDIRPLUS",
    InitFlag.READDIRPLUS_AUTO: "READDIRPLUS", InitFlag.ATOMIC_O_TRUNC: "SETATTR",
    InitFlag.HANDLE_KILLPRIV_V2: "SETATTR", InitFlag.POSIX_LOCKS: "SETLK", InitFlag.FLOCK_LOCKS: "SETLK",
}  # fmt: skip
"""What is asked for in INIT, and the operation without which it would be a lie."""
SILENT = frozenset({"FORGET", "BATCH_FORGET", "NOTIFY_REPLY", "INTERRUPT"})
"""Never answered. INTERRUPT may be, but what it could interrupt, a wait for a lock, ends with EINTR instead."""
SUCCESS_WHEN_ABSENT: dict[str, Any] = {
    "OPEN": OpenOut(), "OPENDIR": OpenOut(), "RELEASE": None, "RELEASEDIR": None,
    "STATFS": StatfsOut(Kstatfs(bsize=512, namelen=255)),
}  # fmt: skip
"""What the libraries answer where there is no handler, and it is not ENOSYS."""


def run(mountpoint: str, options: Options, profile: Profile, *, foreground: bool) -> int:
    """Mount and serve until unmounted, or until SIGTERM, SIGINT or SIGHUP. Returns the exit status."""
    timeouts = Timeouts.of(options.attr_timeout, options.entry_timeout, options.negative_timeout)
    store = open_store(options)
    try:
        device = open_mounted(mountpoint, options)
        if not foreground:
            _go_to_background()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, device.stop)
        operations = Operations(store, timeouts, profile)
        operations.mountpoint = os.path.abspath(mountpoint)
        if profile.stderr_pipe:
            defects.replace_stderr()
        try:
            serve(device, operations, profile)
        except Stopped:
            device.unmount()
    finally:
        store.close()
    return 0


def serve(device: Device, operations: Operations, profile: Profile) -> None:
    """Answer requests until there are no more."""
    front = Front(operations, profile)
    device.reserve(MAX_WRITE + PAGE)
    while (message := device.read()) is not None:
        reply = front.answer(message)
        if reply is not None and not device.write(reply):
            operations.take_back()
        for late in front.late():
            device.write(late)


class Front:
    """Bytes of a request in, bytes of its reply out; no I/O."""

    def __init__(self, operations: Operations, profile: Profile) -> None:
        self._operations = operations
        self._profile = profile
        self._minor = PROTOCOL_MINOR
        self._handlers = {opcode.value: (opcode.name, self._handler(opcode.name)) for opcode in Opcode}

    def answer(self, message: bytes | bytearray | memoryview) -> bytes | None:
        """The reply, None where none is due, or what the profile makes of it."""
        self._operations.granted.clear()
        name, reply = self._answer(message)
        if reply is not None and self._profile.on and name == self._profile.on:
            return spoiled(self._profile.reply, reply)
        return reply

    def _answer(self, message: bytes | bytearray | memoryview) -> tuple[str, bytes | None]:
        """The operation, and the reply that is due to it. A request that makes no sense is EINVAL."""
        try:
            request = decode_request(message, self._minor)
        except PeerError:
            if len(message) < IN_HEADER:
                raise
            header = decode_request(message, self._minor, partial=True).header
            silent = header.opcode in NO_REPLY
            return "", None if silent else build_reply(header.unique, error=errno.EINVAL, opcode=header.opcode)
        unique, opcode = request.header.unique, request.opcode
        name, handler = self._handlers.get(opcode, ("", _refuse))
        if name == self._profile.on and self._profile.reply == "lost":
            return name, None
        try:
            body = handler(request)
        except Deferred:
            return name, None
        except OSError as error:
            if name in SILENT or opcode in NO_REPLY:
                return name, None
            return name, build_reply(unique, error=error.errno or errno.EIO, opcode=opcode)
        if self._profile.slash and isinstance(body, DirentList):
            body = slashed(body)
        return name, None if name in SILENT else build_reply(unique, body, opcode=opcode, minor=self._minor)

    def late(self) -> list[bytes]:
        """Replies to earlier requests that are due by now."""
        due = self._operations.locks.due
        if not due:
            return []
        self._operations.locks.due = []
        return [build_reply(unique, error=error, opcode=Opcode.SETLKW) for unique, error in due]

    def _handler(self, name: str) -> Handler:
        """What answers an operation under the profile."""
        if name == "INIT":
            return self._init
        if name in self._profile.absent:
            return (lambda request: SUCCESS_WHEN_ABSENT[name]) if name in SUCCESS_WHEN_ABSENT else _refuse
        if name in self._profile.noop:
            return lambda request: None
        handler: Handler = getattr(self._operations, name, _refuse)
        return handler

    def _init(self, request: Request) -> InitOut:
        """Agree on the protocol. With a newer major, say ours: the kernel then asks again (fuse.h)."""
        body: InitIn = request.body
        if body.major > PROTOCOL_MAJOR:
            return InitOut(PROTOCOL_MAJOR, PROTOCOL_MINOR)
        if body.major < PROTOCOL_MAJOR or body.minor < OLDEST_MINOR:
            raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
        self._minor = min(body.minor, PROTOCOL_MINOR)
        wanted = InitFlag(0)
        for flag, needs in WANTED.items():
            if needs not in self._profile.absent:
                wanted |= flag
        flags = init_flags(body) & wanted
        self._operations.killpriv = bool(flags & InitFlag.HANDLE_KILLPRIV_V2)
        return InitOut(
            PROTOCOL_MAJOR, self._minor, max_readahead=body.max_readahead, flags=flags.value, max_background=16,
            congestion_threshold=12, max_write=MAX_WRITE, time_gran=1, max_pages=MAX_WRITE // PAGE,
        )  # fmt: skip


def _refuse(request: Request) -> Any:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def _go_to_background() -> None:
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)

