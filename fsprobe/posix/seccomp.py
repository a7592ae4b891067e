"""Seccomp user notification: the filter a daemon starts under, and the calls it reports.

Owns the filter's assembly and the notification structures (include/uapi/linux/seccomp.h); knows nothing of
what is answered.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from dataclasses import dataclass

from fsprobe.posix import linux

# struct seccomp_data: nr at 0, arch at 4, instruction pointer at 8, six 64-bit arguments from 16.
_NR, _ARCH, _ARGS = 0, 4, 16
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
ALLOW = 0x7FFF0000
NOTIFY = 0x7FC00000
_SET_MODE_FILTER = 1
_NEW_LISTENER = 1 << 3
_WAIT_KILLABLE_RECV = 1 << 5  # 5.19: a signal (Go's SIGURG) does not restart a call already carried out

_IOCTL_RECV, _IOCTL_SEND, _IOCTL_ID_VALID, _IOCTL_ADDFD = 0xC0502100, 0xC0182101, 0x40082102, 0x40182103
_ADDFD_SETFD, _ADDFD_SEND = 1, 2
_CONTINUE = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE

_INSTRUCTION = struct.Struct("=HBBI")
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
_RESPONSE = struct.Struct("=QqiI")
_ADDFD = struct.Struct("=QIIII")


def refuse(number: int) -> int:
    """The filter's answer that fails the call with an errno."""
    return 0x00050000 | number


@dataclass(frozen=True, slots=True)
class Trap:
    """One line of the filter: a system call, optionally only with argument `index` equal to `value`."""

    call: str
    action: int
    index: int = -1
    value: int = 0


def program(traps: tuple[Trap, ...]) -> bytes:
    """The BPF program: first trap that matches decides, all else is allowed. Other architectures are let be."""
    arch = linux.this_arch()
    code = [(_LOAD, 0, 0, _ARCH), (_JUMP_EQUAL, 1, 0, arch.audit), (_RETURN, 0, 0, ALLOW)]
    for trap in traps:
        number = arch.numbers.get(trap.call)
        if number is None:  # arm64 has no open(2)
            continue
        code.append((_LOAD, 0, 0, _NR))
        if trap.index < 0:
            code += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, trap.action)]
        else:
            low_word = _ARGS + 8 * trap.index
            code += [(_JUMP_EQUAL, 0, 3, number), (_LOAD, 0, 0, low_word)]
            code += [(_JUMP_EQUAL, 0, 1, trap.value), (_RETURN, 0, 0, trap.action)]
    code.append((_RETURN, 0, 0, ALLOW))
    return b"".join(_INSTRUCTION.pack(*line) for line in code)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install(traps: tuple[Trap, ...]) -> int:
    """Put this process (and all it starts) under the filter. Returns the listener's descriptor.

    Raises OSError: EBUSY where a listener exists already, EACCES without CAP_SYS_ADMIN and NO_NEW_PRIVS,
    EINVAL or ENOSYS where the kernel has no user notification.
    """
    code = program(traps)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = _Program(len(code) // _INSTRUCTION.size, ctypes.cast(buffer, ctypes.c_void_p))
    try:
        return linux.syscall(
            "seccomp", _SET_MODE_FILTER, _NEW_LISTENER | _WAIT_KILLABLE_RECV, ctypes.byref(filter_)
        )
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return linux.syscall("seccomp", _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(filter_))


@dataclass(frozen=True, slots=True)
class Notification:
    """A trapped call: `pid` is the calling thread as this process's pid namespace sees it."""

    id: int
    pid: int
    call: int
    args: tuple[int, ...]


class Listener:
    """The supervisor's end. Every notification has to be answered once."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def receive(self) -> Notification | None:
        """The next trapped call; None where its process has gone in the meantime."""
        buffer = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self.fd, _IOCTL_RECV, buffer, True)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                return None
            raise
        id_, pid, _flags, call, _arch, _ip, *args = _NOTIFICATION.unpack(buffer)
        return Notification(id_, pid, call, tuple(args))

    def valid(self, notification: Notification) -> bool:
        """Whether the call still waits: what was read from its memory before is its own."""
        try:
            fcntl.ioctl(self.fd, _IOCTL_ID_VALID, struct.pack("=Q", notification.id))
        except OSError:
            return False
        return True

    def answer(self, notification: Notification, value: int = 0, error: int = 0) -> None:
        """Finish the call with a value, or with a positive errno."""
        self._send(notification, value, -error, 0)

    def let_through(self, notification: Notification) -> None:
        """Let the kernel carry the call out."""
        self._send(notification, 0, 0, _CONTINUE)

    def put_fd(self, notification: Notification, fd: int, number: int, *, close_on_exec: bool) -> None:
        """Replace descriptor `number` in the caller by a duplicate of ours (5.9)."""
        self._add_fd(notification, _ADDFD_SETFD, fd, number, close_on_exec)

    def return_fd(self, notification: Notification, fd: int, *, close_on_exec: bool) -> None:
        """Finish the call with a new descriptor, a duplicate of ours (5.14)."""
        self._add_fd(notification, _ADDFD_SEND, fd, 0, close_on_exec)

    def _add_fd(self, notification: Notification, how: int, fd: int, number: int, close_on_exec: bool) -> None:
        request = _ADDFD.pack(notification.id, how, fd, number, os.O_CLOEXEC if close_on_exec else 0)
        while True:
            try:
                fcntl.ioctl(self.fd, _IOCTL_ADDFD, request)
                return
            except InterruptedError:  # by SIGCHLD, before it was done; Python repeats no ioctl
                continue

    def _send(self, notification: Notification, value: int, error: int, flags: int) -> None:
        try:
            fcntl.ioctl(self.fd, _IOCTL_SEND, _RESPONSE.pack(notification.id, value, error, flags))
        except OSError as problem:
            if problem.errno not in (errno.ENOENT, errno.EINPROGRESS):  # the caller died while we worked
                raise

    def close(self) -> None:
        """Trapped calls fail with ENOSYS from now on."""
        os.close(self.fd)


def read_string(pid: int, address: int, limit: int = 4096) -> bytes:
    """A NUL-terminated string in another process's memory, b"" for a null pointer."""
    if not address:
        return b""
    text = b""
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        memory.seek(address)
        while b"\0" not in text and len(text) < limit:
            page_rest = 4096 - (address + len(text)) % 4096  # the next page may not be mapped
            piece = memory.read(page_rest)
            if not piece:
                break
            text += piece
    return text.split(b"\0", 1)[0]


def read_u32(pid: int, address: int) -> int:
    """A 32-bit number in another process's memory."""
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        memory.seek(address)
        return int(struct.unpack("=I", memory.read(4))[0])
