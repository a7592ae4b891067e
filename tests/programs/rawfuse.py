"""The least that speaks FUSE: mount(2), INIT, and an empty read-only directory.

Owns the few messages that a badly behaved daemon needs before it misbehaves; knows nothing of how.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

GETATTR, OPENDIR, READDIR, RELEASEDIR, STATFS, INIT, LOOKUP = 3, 27, 28, 29, 17, 26, 1
NO_REPLY = {2, 36, 42}  # FORGET, INTERRUPT, BATCH_FORGET
_IN = struct.Struct("<IIQQIIIHH")
_OUT = struct.Struct("<IiQ")


def mount(mountpoint: str) -> int:
    """The open device of a new mount at a directory. Raises OSError."""
    device = os.open("/dev/fuse", os.O_RDWR)
    data = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"raw", os.fsencode(os.path.abspath(mountpoint)), b"fuse.raw", 6, data) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), mountpoint)
    return device


def next_request(device: int) -> tuple[int, int, int]:
    """Opcode, unique and nodeid of the next request. Raises OSError or EOFError at the end of the mount."""
    message = os.read(device, 1 << 20)
    if not message:
        raise EOFError
    _, opcode, unique, nodeid, *_ = _IN.unpack_from(message)
    return opcode, unique, nodeid


def reply(device: int, unique: int, body: bytes = b"", error: int = 0) -> None:
    os.write(device, _OUT.pack(_OUT.size + len(body), -error, unique) + body)


def answer(device: int, opcode: int, unique: int, nodeid: int) -> None:
    """What an empty directory says to any request."""
    if opcode in NO_REPLY:
        return
    if opcode == INIT:
        reply(device, unique, struct.pack("<IIIIHHIIHHI28x", 7, 31, 1 << 16, 0, 12, 9, 1 << 16, 1, 16, 0, 0))
    elif opcode == GETATTR:
        attr = struct.pack(
            "<QQQQQQIIIIIIIIII",
            nodeid,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0o40755,
            2,
            os.getuid(),
            os.getgid(),
            0,
            4096,
            0,
        )
        reply(device, unique, struct.pack("<QII", 0, 0, 0) + attr)
    elif opcode == OPENDIR:
        reply(device, unique, struct.pack("<QII", 0, 0, 0))
    elif opcode == STATFS:
        reply(device, unique, struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, 4096, 255, 4096, 0))
    elif opcode in (READDIR, RELEASEDIR):
        reply(device, unique)
    else:
        reply(device, unique, error=errno.ENOENT if opcode == LOOKUP else errno.ENOSYS)


def serve(device: int) -> None:
    """Answer until the mount ends."""
    while True:
        try:
            answer(device, *next_request(device))
        except (EOFError, OSError):
            return
