"""The kernel's end of a FUSE connection: requests out, replies in, every wait bounded.

Owns the socket, the uniques and INIT, and refuses what a kernel refuses; knows nothing of names, of lookup
counts or of checks. Source of the rules: fs/fuse/dev.c fuse_dev_do_write, fs/fuse/inode.c fuse_send_init.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any

from fsprobe import wire
from fsprobe.checks.check import Finding, Lost
from fsprobe.results.errnos import errno_name
from fsprobe.wire import InitFlag, Opcode, opcode_name
from fsprobe.wire.judge import judge_reply

_OUT_HEADER = struct.Struct("=IiQ")
# A daemon's answer is at most 16 MiB anywhere (max_write of fuse 0.3), and its header.
_BUFFER = (16 << 20) + 65536
_REQUEST_HEAD = 128  # the fixed part of any request, which bounds its reply
_INTERRUPT_BIT = 1  # requests have even uniques; INTERRUPT takes the odd one beside (FUSE_INT_REQ_BIT)
_READAHEAD = 128 << 10
_REFUSED = "the kernel refuses it, the caller hangs"
_VIRTIOFS_ONLY = InitFlag.MAP_ALIGNMENT | InitFlag.SUBMOUNTS | InitFlag.HAS_INODE_DAX
_NEEDS_DEVICE = InitFlag.PASSTHROUGH | InitFlag.OVER_IO_URING
_NEVER_OFFERED = InitFlag.FILE_OPS | InitFlag.INIT_RESERVED | _VIRTIOFS_ONLY | _NEEDS_DEVICE
OFFERED = InitFlag(sum(flag.value for flag in InitFlag)) & ~_NEVER_OFFERED
"""What a recent kernel offers a daemon on /dev/fuse, but for what needs the real device."""


class Declined(OSError):
    """The daemon answered an operation with an error."""

    def __init__(self, number: int, opcode: int) -> None:
        super().__init__(number, os.strerror(number), opcode_name(opcode))
        self.opcode = opcode

    def __str__(self) -> str:
        return f"{opcode_name(self.opcode)} answered {errno_name(self.errno or 0)} ({self.strerror})"


class Malformed(Finding):
    """A reply whose body a kernel cannot use: its caller gets EIO."""

    def __init__(self, opcode: int, problem: str) -> None:
        super().__init__(f"a reply to {opcode_name(opcode)} that a kernel takes", f"{problem}: the caller gets EIO")
        self.opcode = opcode


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that is owed an answer. `head` bounds the answer, `body` says its form."""

    opcode: int
    head: bytes
    body: Any


class Link:
    """One connection, seen from the kernel."""

    def __init__(self, fd: int, timeout: float, minor: int = wire.PROTOCOL_MINOR) -> None:
        self.timeout = timeout
        self.offered_minor = self.minor = minor
        self.setxattr_ext = False
        self.uid, self.gid, self.pid = os.getuid(), os.getgid(), os.getpid()
        self.notices: list[wire.Notice] = []
        self.unasked: list[str] = []
        """Names of operations that must not be answered, and were."""
        self.closed = ""
        """Why nothing can be asked any more; "" while the connection stands."""
        self.absent: set[int] = set()
        """Operations that answered ENOSYS once and that a kernel then does without (no_open, no_flush, …)."""
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)
        self._buffer = bytearray(_BUFFER)
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self._next = 2
        self._waiting: dict[int, Waiting] = {}
        self._silent: dict[int, int] = {}
        self._done: set[int] = set()
        self._answers: dict[int, tuple[Waiting, bytes]] = {}

    # -- INIT

    def handshake(self, timeout: float | None = None) -> tuple[wire.InitIn, wire.InitOut]:
        """Ask INIT as a kernel does. Raises Lost where there is no answer to work with, as one of another major."""
        flags, flags2 = OFFERED.value & 0xFFFFFFFF, OFFERED.value >> 32
        asked = wire.InitIn(minor=self.offered_minor, max_readahead=_READAHEAD, flags=flags, flags2=flags2)
        try:
            answer = self.ask(Opcode.INIT, 0, asked, timeout)
        except (Declined, Malformed) as error:
            raise Lost(f"INIT: {error}") from error
        self.minor = min(self.offered_minor, answer.minor)
        self.setxattr_ext = bool(wire.negotiate(asked, answer).flags & InitFlag.SETXATTR_EXT)
        return asked, answer

    # -- requests

    def ask(self, opcode: int, nodeid: int, body: object = None, timeout: float | None = None) -> Any:
        """The body of the answer. Raises Declined, Malformed or Lost."""
        return self.wait(self.send(opcode, nodeid, body), timeout)

    def send(self, opcode: int, nodeid: int, body: object = None) -> int:
        """Put one request on the wire and return its unique. Raises Lost where the daemon does not take it."""
        unique, self._next = self._next, self._next + 2
        message = self._message(opcode, nodeid, body, unique)
        if opcode in wire.NO_REPLY:
            self._silent[unique] = opcode
        else:
            self._waiting[unique] = Waiting(opcode, message[:_REQUEST_HEAD], body)
        self._put(opcode, message)
        return unique

    def interrupt(self, unique: int) -> None:
        """Ask that a request be given up. The daemon may answer this or not: nobody waits for it."""
        self._done.add(unique | _INTERRUPT_BIT)
        body = wire.InterruptIn(unique=unique)
        self._put(Opcode.INTERRUPT, self._message(Opcode.INTERRUPT, 0, body, unique | _INTERRUPT_BIT))

    def unused_unique(self) -> int:
        """A unique that no request has or had."""
        self._next += 2
        return self._next - 2

    def _message(self, opcode: int, nodeid: int, body: object, unique: int) -> bytes:
        return wire.build_request(
            opcode, nodeid, body, unique=unique, uid=self.uid, gid=self.gid, pid=self.pid, minor=self.minor,
            setxattr_ext=self.setxattr_ext,
        )  # fmt: skip

    def _put(self, opcode: int, message: bytes) -> None:
        deadline = time.monotonic() + self.timeout
        while not self.closed:
            try:
                self._socket.send(message)
                return
            except BlockingIOError:
                if not select.select([], [self._socket], [], max(0.0, deadline - time.monotonic()))[1]:
                    what = f"{opcode_name(opcode)} was not taken within {self.timeout:g} s"
                    raise Lost(f"{what}: the daemon does not read") from None
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    raise
                self.closed = "the daemon's end closed"
        raise Lost(f"{self.closed}: {opcode_name(opcode)} could not be asked")

    # -- answers

    def wait(self, unique: int, timeout: float | None = None) -> Any:
        """The body of the answer to a request. Raises Declined, Malformed or Lost."""
        seconds = self.timeout if timeout is None else timeout
        if not self.answered(unique, seconds):
            opcode = self._waiting.pop(unique).opcode
            self._done.add(unique)
            raise Lost(f"no answer to {opcode_name(opcode)} within {seconds:g} s")
        waiting, message = self._answers.pop(unique)
        return self._open(waiting, message)

    def answered(self, unique: int, timeout: float) -> bool:
        """Whether the answer to a request is there, waiting `timeout` seconds for it."""
        deadline = time.monotonic() + timeout
        while unique not in self._answers:
            if self.closed:
                name = opcode_name(self._waiting[unique].opcode) if unique in self._waiting else "a request"
                raise Lost(f"{self.closed} before it answered {name}")
            if not self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return False
            self._receive()
        return True

    def drain(self) -> None:
        """Read what has come, without waiting."""
        while not self.closed and self._poll.poll(0):
            self._receive()

    def _receive(self) -> None:
        try:
            count = self._socket.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count == 0:
            self.closed = "the daemon's end closed"
            return
        self._take(bytes(memoryview(self._buffer)[:count]))

    def _take(self, message: bytes) -> None:
        if len(message) < _OUT_HEADER.size:
            raise Lost(f"a reply of {len(message)} bytes, shorter than a header; {_REFUSED}")
        length, error, unique = _OUT_HEADER.unpack_from(message)
        if unique == 0:
            self._notice(message)
        elif unique in self._silent:
            self.unasked.append(opcode_name(self._silent[unique]))
        elif unique in self._waiting:
            waiting = self._waiting.pop(unique)
            self._done.add(unique)
            if length != len(message) or not -512 < error <= 0:
                problem = judge_reply(message, len(message), True, waiting.opcode, self.minor, waiting.head)
                raise Lost(f"malformed reply to {opcode_name(waiting.opcode)}: {problem}; {_REFUSED}")
            self._answers[unique] = waiting, message
        elif unique not in self._done:
            asked = ", ".join(f"{opcode_name(w.opcode)} as {u}" for u, w in self._waiting.items()) or "nothing"
            raise Lost(f"a reply to request {unique} while {asked} is open; {_REFUSED}")

    def _notice(self, message: bytes) -> None:
        try:
            self.notices.append(wire.decode_notification(message))
        except wire.PeerError as error:
            self.notices.append(wire.Notice(-1, str(error)))

    def _open(self, waiting: Waiting, message: bytes) -> Any:
        problem = judge_reply(message, len(message), True, waiting.opcode, self.minor, waiting.head)
        if problem:
            raise Malformed(waiting.opcode, problem)
        error = -_OUT_HEADER.unpack_from(message)[1]
        if error:
            raise Declined(error, waiting.opcode)
        # The kernel leaves out a last entry that is cut (fs/fuse/readdir.c parse_dirfile); libfuse 2 sends them.
        cut = waiting.opcode in (Opcode.READDIR, Opcode.READDIRPLUS)
        try:
            return wire.decode_reply(message, waiting.opcode, self.minor, request=waiting.body, partial=cut).body
        except wire.PeerError as broken:
            raise Malformed(waiting.opcode, str(broken)) from broken
