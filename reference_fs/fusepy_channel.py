"""libfuse 2's main loop, with a channel of ours between it and the device.

Owns one correction: libfuse 2 answers ENOENT to OPEN and GETATTR of a file whose name a rename has taken since it
was looked up, so that a reader who opens a file while it is being replaced finds none. libfuse 3 answers ESTALE,
upon which the kernel looks the name up again; so does this. Everything used is libfuse's public interface
(fuse_lowlevel.h); knows nothing of the operations.
"""

from __future__ import annotations

import ctypes
import errno
from ctypes import CFUNCTYPE, POINTER, byref, c_int, c_int32, c_size_t, c_uint32, c_void_p
from typing import Any

GETATTR, OPEN = 3, 14
OUT_HEADER = 16
_NAMELESS = frozenset({GETATTR, OPEN})  # asked by node alone: ENOENT can only mean that the node has lost its name

_RECEIVE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
_SEND = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
_libc = ctypes.CDLL(None, use_errno=True)
_read, _writev = _libc.read, _libc.writev
_read.argtypes = [c_int, c_void_p, c_size_t]
_writev.argtypes = [c_int, c_void_p, c_size_t]


class _ChannelOperations(ctypes.Structure):
    _fields_ = (("receive", _RECEIVE), ("send", _SEND), ("destroy", c_void_p))


class _Iovec(ctypes.Structure):
    _fields_ = (("base", c_void_p), ("length", c_size_t))


class Channel:
    """The two callbacks that libfuse reads requests and writes replies by, one request at a time."""

    def __init__(self, library: Any, session: int, fd: int) -> None:
        self._library = library
        self._session = session
        self._fd = fd
        self._opcode = 0
        self.operations = _ChannelOperations(_RECEIVE(self._receive), _SEND(self._send), None)

    def _receive(self, channel: int, buffer: int, size: int) -> int:
        while True:
            length: int = _read(self._fd, buffer, size)
            if self._library.fuse_session_exited(self._session):  # a signal
                return 0
            if length > 0:
                self._opcode = c_uint32.from_address(buffer + 4).value
                return length
            code = ctypes.get_errno() if length else errno.ENODEV  # end-of-file of a socket in the device's place
            if code == errno.ENODEV:
                self._library.fuse_session_exit(self._session)
                return 0
            if code != errno.ENOENT:  # withdrawn before it was read
                return -code

    def _send(self, channel: int, vector: int, count: int) -> int:
        if not vector:
            return 0
        first = _Iovec.from_address(vector)
        if count == 1 and first.length == OUT_HEADER and self._opcode in _NAMELESS:
            error = c_int32.from_address(first.base + 4)
            if error.value == -errno.ENOENT:
                error.value = -errno.ESTALE
        return 0 if _writev(self._fd, vector, count) >= 0 else -ctypes.get_errno()


def install(library: Any) -> None:
    """Let fusepy's `fuse_main_real` be `main` below; library: fusepy's handle of libfuse 2."""
    for name, result, arguments in (
        ("fuse_setup", c_void_p, (c_int, c_void_p, c_void_p, c_size_t, POINTER(c_void_p), POINTER(c_int), c_void_p)),
        ("fuse_teardown", None, (c_void_p, c_void_p)),
        ("fuse_get_session", c_void_p, (c_void_p,)),
        ("fuse_session_next_chan", c_void_p, (c_void_p, c_void_p)),
        ("fuse_session_add_chan", None, (c_void_p, c_void_p)),
        ("fuse_session_remove_chan", None, (c_void_p,)),
        ("fuse_session_exit", None, (c_void_p,)),
        ("fuse_session_exited", c_int, (c_void_p,)),
        ("fuse_chan_fd", c_int, (c_void_p,)),
        ("fuse_chan_bufsize", c_size_t, (c_void_p,)),
        ("fuse_chan_new", c_void_p, (POINTER(_ChannelOperations), c_int, c_size_t, c_void_p)),
        ("fuse_loop", c_int, (c_void_p,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.fuse_main_real = lambda *arguments: main(library, *arguments)


def main(library: Any, argc: int, argv: Any, operations: Any, size: int, data: Any) -> int:
    """What fuse_main_real does, single-threaded, with our channel put in the place of libfuse's while it loops.

    Returns the exit status.
    """
    mountpoint, threads = c_void_p(), c_int()
    fuse = library.fuse_setup(argc, argv, operations, size, byref(mountpoint), byref(threads), data)
    if not fuse:
        return 1
    session = library.fuse_get_session(fuse)
    device = library.fuse_session_next_chan(session, None)
    fd = library.fuse_chan_fd(device)
    channel = Channel(library, session, fd)
    ours = library.fuse_chan_new(byref(channel.operations), fd, library.fuse_chan_bufsize(device), None)
    library.fuse_session_remove_chan(device)
    library.fuse_session_add_chan(session, ours)
    failed = library.fuse_loop(fuse) == -1
    library.fuse_session_remove_chan(ours)
    library.fuse_session_add_chan(session, device)
    library.fuse_teardown(fuse, mountpoint)
    return int(failed)
