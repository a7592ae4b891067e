"""A pipe between two of fsprobe's own processes: whole messages, and file descriptors beside them.

Owns framing and deadlines on a SOCK_STREAM Unix socket; knows nothing of what is said. `marshal` is used
because it carries bytes and is fast; both ends are the same interpreter, and neither is the file system
under test.
"""

from __future__ import annotations

import marshal
import os
import select
import socket
import struct
import time
from typing import Any

from fsprobe.posix.linux import receive_fds

_LENGTH = struct.Struct("=II")  # bytes of the message, number of descriptors that come with it


class ChannelClosed(Exception):
    """The other end is gone."""


class Channel:
    """One end. `receive` waits until its deadline and no longer; `send` is for messages a peer is reading."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()
        self._fds: list[int] = []

    @classmethod
    def inherited(cls, fd: int) -> Channel:
        """An end that this process was started with; the programs that it starts are not."""
        os.set_inheritable(fd, False)
        return cls(socket.socket(fileno=fd))

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Two connected ends, close-on-exec."""
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(left), cls(right)

    def fileno(self) -> int:
        """For select and epoll."""
        return self.sock.fileno()

    def send(self, message: Any, fds: tuple[int, ...] = (), timeout: float = 30.0) -> None:
        """Write one message. Raises ChannelClosed, or TimeoutError where the peer does not read."""
        body = marshal.dumps(message)
        data = memoryview(_LENGTH.pack(len(body), len(fds)) + body)
        deadline = time.monotonic() + timeout
        pending: tuple[int, ...] = fds
        while data:
            try:
                if pending:
                    sent = socket.send_fds(self.sock, [data], list(pending), socket.MSG_DONTWAIT)
                    pending = ()
                else:
                    sent = self.sock.send(data, socket.MSG_DONTWAIT)
                data = data[sent:]
            except BlockingIOError:
                if not select.select([], [self.sock], [], max(0.0, deadline - time.monotonic()))[1]:
                    raise TimeoutError("the peer does not read") from None
            except OSError as error:
                raise ChannelClosed(str(error)) from error

    def receive(self, timeout: float | None = None) -> tuple[Any, list[int]]:
        """The next message and its descriptors. Raises TimeoutError or ChannelClosed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            message = self._take()
            if message is not None:
                return message
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self.sock], [], [], left)[0]:
                raise TimeoutError("no message yet")
            self._fill()

    def take_ready(self) -> tuple[Any, list[int]] | None:
        """A message that is already complete, reading what is there without waiting; None where there is none."""
        message = self._take()
        if message is None and select.select([self.sock], [], [], 0)[0]:
            self._fill()
            message = self._take()
        return message

    def _fill(self) -> None:
        try:
            data, fds = receive_fds(self.sock, 1 << 20, 16)
        except BlockingIOError:
            return
        except OSError as error:
            raise ChannelClosed(str(error)) from error
        self._fds += fds
        if not data:
            raise ChannelClosed("end of file")
        self._buffer += data

    def _take(self) -> tuple[Any, list[int]] | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        length, count = _LENGTH.unpack_from(self._buffer)
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        fds, self._fds = self._fds[:count], self._fds[count:]
        return marshal.loads(body), fds

    def close(self) -> None:
        """Close this end and any descriptor that nobody took."""
        for fd in self._fds:
            os.close(fd)
        self._fds = []
        self.sock.close()
