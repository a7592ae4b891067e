"""The relay proper: requests from the kernel's side to the daemon, replies back, every one recorded.

Owns one connection: its two descriptors and its open requests; knows nothing of how they were got, of
checks or of verdicts. The kernel's side is the real device, or a socket on which fsprobe plays the kernel.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import socket
import stat
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsprobe import wire
from fsprobe.posix.linux import SIOCOUTQ
from fsprobe.relay import init
from fsprobe.relay.loop import EDGE, HANG_UP, READ, WRITE, Loop
from fsprobe.relay.notifier import Notifier
from fsprobe.relay.recorder import IN_HEADER, Recorder
from fsprobe.relay.rules import Action, RuleSet
from fsprobe.relay.way_out import way_out
from fsprobe.trace.exchange import REPLY_HEAD, REQUEST_HEAD

# Reading /dev/fuse with less than a WRITE can hold gives EINVAL; daemons announce up to 16 MiB.
BUFFER_SIZE = 17 << 20
_OUT_HEADER = struct.Struct("=IiQ")
_FOUR = bytes(4)
_FORGET, _INTERRUPT, _NOTIFY_REPLY, _BATCH_FORGET, _READDIRPLUS = 2, 36, 41, 42, 44
# Every entry of a READDIRPLUS hands out a nodeid, and its path is told by nothing else.
_REPLY_KEPT = {_READDIRPLUS: 1 << 16}
_NO_REPLY = frozenset({_FORGET, _INTERRUPT, _NOTIFY_REPLY, _BATCH_FORGET})

WITHHELD = "answered by fsprobe: this operation hung before"
"""The note of an exchange that the daemon was spared."""

# Address space until it is written to; a bytearray would be cleared at every start of fsprobe.
_request_buffer = mmap.mmap(-1, BUFFER_SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
_reply_buffer = mmap.mmap(-1, BUFFER_SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


@dataclass(slots=True)
class Open:
    """A request that the daemon owes an answer."""

    seq: int
    opcode: int
    head: bytes
    length: int
    sent_ns: int
    note: str = ""
    held: bool = False  # by a rule that delays it


class Pump:
    """One connection between a kernel side and a daemon.

    tell(event) gets {"event": "ready" | "unmounted" | "daemon-gone" | "malformed" | "init-failed", …}.
    """

    def __init__(
        self, loop: Loop, kernel_fd: int, daemon: socket.socket, limit: int,
        recorder: Recorder, rules: RuleSet, tell: Callable[[dict[str, Any]], None],
    ) -> None:  # fmt: skip
        self.loop, self.daemon, self.limit = loop, daemon, limit
        self.kernel_fd = kernel_fd
        self.recorder, self.rules, self.tell = recorder, rules, tell
        self.open: dict[int, Open] = {}
        self.answered: set[int] = set()
        self.interrupts: set[int] = set()
        self.masked: list[str] = []
        self.clamped = ""
        self.minor = 0
        self.notifications: Counter[int] = Counter()  # by code
        self.refused_notifications: list[tuple[bytes, int]] = []
        self.notifier = Notifier(kernel_fd, self._notification_refused)
        self.closed = self.kernel_closed = False
        self.condemned = 0  # the error that every request gets from now on
        self._daemon_fd = daemon.fileno()
        self._edge_fd = -1
        self._last_unique = 0
        self._request_view = memoryview(_request_buffer)
        self._reply_view = memoryview(_reply_buffer)
        self._buffers: list[mmap.mmap | memoryview] = [_request_buffer]
        self._is_device = not stat.S_ISSOCK(os.fstat(kernel_fd).st_mode)
        os.set_blocking(kernel_fd, False)
        daemon.setblocking(False)
        loop.watch(kernel_fd, self._on_kernel)
        loop.watch(self._daemon_fd, self._on_daemon)

    # -- from the kernel

    def _on_kernel(self, events: int) -> None:
        if self._edge_fd >= 0:  # nothing is read meanwhile: epoll tells of a hang-up or an error all the same
            self._kernel_gone()
            return
        if not self.condemned and self.unread():
            self._wait_until_taken()
            return
        try:
            length = os.readv(self.kernel_fd, self._buffers)
        except OSError as error:
            # ENOENT: the request was aborted while we read it (fuse_dev_do_read).
            if error.errno in (errno.EAGAIN, errno.EINTR, errno.ENOENT):
                return
            self._kernel_gone()
            return
        if length < IN_HEADER.size:
            self._kernel_gone()
            return
        sent = time.monotonic_ns()
        _, opcode, unique, nodeid, *_ = IN_HEADER.unpack_from(_request_buffer)
        message = self._request_view[:length]
        if opcode == init.OPCODE:
            self.masked = init.mask_request(message)
        head = bytes(message[:REQUEST_HEAD])
        seq = self.recorder.number()
        if opcode in _NO_REPLY:
            if opcode == _INTERRUPT:
                self.interrupts.add(unique)
            self._record(seq, head, length, None, 0, None, sent, None, "")
        else:
            self.open[unique] = Open(seq, opcode, head, length, sent)
        if self.condemned:
            self.answer(unique, self.condemned)
            return
        if self.rules.active:
            action = self.rules.request(opcode, unique, nodeid, message)
            if action is not None:
                self._act(action, unique)
                return
        self._to_daemon(message, unique)

    def _to_daemon(self, message: memoryview | bytes, unique: int) -> None:
        try:
            self.daemon.send(message)
            self._last_unique = unique
        except BlockingIOError:
            # Cannot be while the last message was taken, but for a daemon end that someone shrank.
            copy = bytes(message)
            self.loop.later(0.001, lambda: None if self.closed else self._to_daemon(copy, unique))
        except OSError:
            self._daemon_gone()

    def _act(self, action: Action, unique: int) -> None:
        if action.kill:
            self.tell({"event": "rule-crash"})
        elif action.withhold:
            if unique in self.open:  # no FORGET, which has no answer
                self.open[unique].note = WITHHELD
                self.answer(unique, errno.EIO)
                self.answered.discard(unique)
        elif action.reply is not None:
            self._from_daemon(bytearray(action.reply), len(action.reply))
        elif action.request is not None:
            request = action.request
            if action.delay:
                self._hold(request, unique, action.delay)
            else:
                self._to_daemon(request, unique)

    def _hold(self, request: bytes, unique: int, delay: float) -> None:
        waiting = self.open.get(unique)
        if waiting is not None:
            waiting.held = True

        def send() -> None:
            if waiting is not None:
                waiting.held = False
            if not self.closed:
                self._to_daemon(request, unique)

        self.loop.later(delay, send)

    # -- from the daemon

    def _on_daemon(self, events: int) -> None:
        try:
            length = self.daemon.recv_into(_reply_buffer)
        except BlockingIOError:
            return
        except ConnectionResetError:
            return  # it ended with a request unread; what it said before can still be read
        except OSError:
            self._daemon_gone()
            return
        if length == 0 and events & HANG_UP:
            self._daemon_gone()
            return
        self._from_daemon(_reply_buffer, length)

    def _from_daemon(self, buffer: bytearray | mmap.mmap, length: int) -> None:
        replied = time.monotonic_ns()
        message = self._reply_view[:length] if buffer is _reply_buffer else memoryview(buffer)[:length]
        if length < _OUT_HEADER.size:
            self._malformed(0, f"a message of {length} bytes, shorter than a reply's header", bytes(message))
            return
        _, error, unique = _OUT_HEADER.unpack_from(message)
        waiting = self.open.get(unique)
        if unique == 0:
            if not self.kernel_closed:
                self.notifications[error] += 1
                self.notifier.write(bytes(message))
            return
        if unique in self.answered:
            self.answered.discard(unique)  # late: its caller was freed long ago
            return
        if waiting is not None and self.rules.active:
            changed = self.rules.reply(waiting.opcode, waiting.head, bytes(message))
            if changed is not None:
                buffer, length = bytearray(changed), len(changed)
                message = memoryview(buffer)
                _, error, unique = _OUT_HEADER.unpack_from(message)
                waiting = self.open.get(unique)
        self._judge_and_pass(message, length, error, unique, waiting, replied)

    def _judge_and_pass(
        self, message: memoryview, length: int, error: int, unique: int, waiting: Open | None, replied: int
    ) -> None:
        if waiting is None:
            if unique in self.interrupts:
                self.interrupts.discard(unique)
                self._write_kernel(message)
            elif self._write_kernel(message):
                told = f"a reply to request {unique}, which is not open"
                self._malformed(unique, told, bytes(message[:64]), stays_open=bool(self.open))
            return
        note = wire.judge_reply(message, length, True, waiting.opcode, self.minor or 45, waiting.head)
        if waiting.opcode == init.OPCODE:
            self._init_reply(message, length, error)
        self._write_kernel(message)
        if note:
            stays_open = self._stays_open(message, length, error)
            waiting.note = f"reply refused: {note}" if stays_open else note
            self._malformed(unique, note, bytes(message[:64]), stays_open=stays_open)
            if stays_open:
                return
        del self.open[unique]
        kept = bytes(message[: _REPLY_KEPT.get(waiting.opcode, REPLY_HEAD)])
        self._record(
            waiting.seq, waiting.head, waiting.length, kept, length, -error, waiting.sent_ns, replied, note
        )  # fmt: skip
        if waiting.opcode == init.OPCODE:
            self.tell({"event": "ready"} if error == 0 else {"event": "init-failed", "errno": -error})

    @staticmethod
    def _stays_open(message: memoryview, length: int, error: int) -> bool:
        """Whether fuse_dev_do_write refuses the header, so that the caller waits on; a bad body ends it with EIO."""
        return not (-512 < error <= 0) or int.from_bytes(message[:4], "little") != length

    def _init_reply(self, message: memoryview, length: int, error: int) -> None:
        if error == 0 and length >= 24:
            self.minor = int.from_bytes(message[20:24], "little")
            self.clamped = init.clamp_reply(message, min(self.limit, BUFFER_SIZE))
            if self._is_device:
                # The kernel fills what it is given with forgets: more than the daemon's own buffer holds would
                # reach it cut. The least that the kernel takes is 8192, or a WRITE with its headers.
                size = max(8192, init.max_write(message) + 4096)
                self._buffers = [self._request_view[:size]]

    def _malformed(self, unique: int, reason: str, head: bytes, *, stays_open: bool = True) -> None:
        self.tell({"event": "malformed", "unique": unique, "reason": reason, "head": head, "open": stays_open})

    def _notification_refused(self, message: bytes, error: int) -> None:
        """ENOENT is daily work: the kernel knows no such node any more. Called in the notifier's thread."""
        if error not in (errno.ENOENT, errno.ENODEV, errno.EBADF, errno.EAGAIN):
            self.refused_notifications.append((message[:64], error))

    def _write_kernel(self, message: memoryview) -> int:
        """0, or the errno with which the kernel's side refused the message."""
        if self.kernel_closed:
            return errno.ENODEV
        try:
            os.write(self.kernel_fd, message)
        except BlockingIOError:
            return errno.EAGAIN
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def _record(self, seq: int, head: bytes, length: int, reply: bytes | None, reply_len: int, error: int | None,
                sent: int, replied: int | None, note: str) -> None:  # fmt: skip
        recorder = self.recorder
        recorder.keep((seq, recorder.start, recorder.layer, head, length, reply, reply_len, error, sent, replied, note))

    # -- flow: a request is read from the kernel only when the daemon has taken the last one

    def unread(self) -> bool:
        """Whether a message lies in the daemon's socket that it has not taken."""
        # sock_wfree (net/core/sock.c) wakes us while it still holds 1 of its own: a message counts hundreds.
        return int.from_bytes(fcntl.ioctl(self._daemon_fd, SIOCOUTQ, _FOUR), "little") > 1

    def _wait_until_taken(self) -> None:
        """Read no more from the kernel until the daemon takes what it was sent: its caller can still be killed."""
        self.loop.change(self.kernel_fd, 0)
        self._edge_fd = os.dup(self._daemon_fd)
        self.loop.watch(self._edge_fd, self._taken, WRITE | EDGE)

    def _taken(self, events: int) -> None:
        if self.unread() and not self.closed:
            return
        self._drop_edge()
        if not self.kernel_closed:
            self.loop.change(self.kernel_fd, READ)

    def _drop_edge(self) -> None:
        if self._edge_fd >= 0:
            self.loop.forget(self._edge_fd)
            os.close(self._edge_fd)
            self._edge_fd = -1

    # -- open requests

    def open_requests(self) -> list[dict[str, Any]]:
        """Requests without an answer, the oldest first; `taken` tells whether the daemon has read it."""
        now = time.monotonic_ns()
        unread = not self.closed and self.unread()
        return [
            {"unique": unique, "opcode": o.opcode, "head": o.head, "length": o.length, "age": (now - o.sent_ns) / 1e9,
             "seq": o.seq, "sent_ns": o.sent_ns, "note": o.note,
             "taken": not o.held and not (unread and unique == self._last_unique)}
            for unique, o in self.open.items()
        ]  # fmt: skip

    def answer(self, unique: int, error: int) -> bool:
        """Answer an open request in the daemon's place; a late reply of its own is swallowed."""
        waiting = self.open.pop(unique, None)
        if waiting is None or self.closed:
            return False
        self._write_kernel(memoryview(way_out(waiting.opcode, waiting.head, error)))
        self.answered.add(unique)
        note = waiting.note or "answered by fsprobe: the daemon did not"
        self._record(waiting.seq, waiting.head, waiting.length, None, 0, None, waiting.sent_ns, None, note)
        return True

    def condemn(self, error: int) -> None:
        """The daemon gets nothing any more: every request, open or to come, is answered here, at once."""
        self.condemned = error
        for unique in list(self.open):
            self.answer(unique, error)
        self._drop_edge()
        if not self.kernel_closed:
            self.loop.change(self.kernel_fd, READ)

    # -- the end

    def _kernel_gone(self) -> None:
        """The mount is gone. The daemon's end stays open: end-of-file is no way to tell it (it would exit 1)."""
        if not self.kernel_closed:
            self._close_kernel()
            self.tell({"event": "unmounted"})

    def _daemon_gone(self) -> None:
        if not self.closed:
            self._record_open("the daemon's end closed before it answered")
            self.tell({"event": "daemon-gone"})  # before its callers are freed: the session must not hear them first
            self.close()

    def _record_open(self, note: str) -> None:
        for waiting in self.open.values():
            text = waiting.note or note
            self._record(waiting.seq, waiting.head, waiting.length, None, 0, None, waiting.sent_ns, None, text)

    def close(self) -> None:
        """Close both sides. Closing the real device aborts the connection: every caller gets an error."""
        if self.closed:
            return
        self.closed = True
        self._drop_edge()
        self._close_kernel()
        self.loop.forget(self._daemon_fd)
        self.daemon.close()
        self.open.clear()

    def _close_kernel(self) -> None:
        """A notification that blocks in the kernel holds the device open, so what blocks it is answered first."""
        if not self.kernel_closed:
            for unique in self.open:
                self._write_kernel(memoryview(_OUT_HEADER.pack(_OUT_HEADER.size, -errno.ECONNABORTED, unique)))
            self.notifier.close()
            self.kernel_closed = True
            self._drop_edge()
            self.loop.forget(self.kernel_fd)
            os.close(self.kernel_fd)
