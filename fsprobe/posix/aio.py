"""Reads and writes that are all under way at once: io_submit(2), as databases use it.

Owns the layouts and the four calls; knows nothing of checks. Only with O_DIRECT does the kernel let them be
under way; else each is done before the next.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBERS = {
    "x86_64": {"io_setup": 206, "io_destroy": 207, "io_getevents": 208, "io_submit": 209},
    "aarch64": {"io_setup": 0, "io_destroy": 1, "io_submit": 2, "io_getevents": 4},
}
# include/uapi/linux/aio_abi.h: struct iocb and struct io_event.
_IOCB = struct.Struct("=QIIHhIQQqQII")
_EVENT = struct.Struct("=QQqq")
_READ, _WRITE = 0, 1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


@dataclass(frozen=True, slots=True)
class Transfer:
    """One read into, or write from, a buffer that stays where it is."""

    write: bool
    buffer: memoryview
    offset: int


def transfer(fd: int, transfers: Sequence[Transfer], timeout: float) -> list[int]:
    """Submit all at once and wait for all: for each the bytes moved, or the negative errno.

    Raises OSError where the machine has no such calls, or ETIMEDOUT where one is not done in time.
    """
    context = ctypes.c_ulong(0)
    _call("io_setup", len(transfers), ctypes.byref(context))
    held = [(ctypes.c_char * len(one.buffer)).from_buffer(one.buffer) for one in transfers]
    blocks = [
        ctypes.create_string_buffer(_IOCB.pack(
            number, 0, 0, _WRITE if one.write else _READ, 0, fd, ctypes.addressof(place), len(one.buffer), one.offset,
            0, 0, 0,
        ), _IOCB.size)
        for number, (one, place) in enumerate(zip(transfers, held, strict=True))
    ]  # fmt: skip
    results: dict[int, int] = {}
    try:
        pointers = (ctypes.c_void_p * len(blocks))(*map(ctypes.addressof, blocks))
        submitted = _call("io_submit", context, len(blocks), pointers)
        events = ctypes.create_string_buffer(_EVENT.size * len(blocks))
        limit = ctypes.create_string_buffer(struct.pack("=qq", int(timeout), int(timeout % 1 * 10**9)), 16)
        done = _call("io_getevents", context, submitted, submitted, events, limit)
        for number, _, result, _ in _EVENT.iter_unpack(events.raw[: done * _EVENT.size]):
            results[number] = result
        if done < len(blocks):
            raise OSError(errno.ETIMEDOUT, f"{done} of {len(blocks)} transfers were done in {timeout:g} s")
    finally:
        _call("io_destroy", context)
    return [results[number] for number in range(len(blocks))]


def _call(name: str, *arguments: object) -> int:
    numbers = _NUMBERS.get(platform.machine())
    if numbers is None:
        raise OSError(errno.ENOSYS, f"{name} is not known for the processor {platform.machine()}")
    packed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = int(_libc.syscall(ctypes.c_long(numbers[name]), *packed))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
