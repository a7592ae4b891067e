"""Flags and modes of the system calls that a request carries, in the words of their man pages.

Owns those names; knows nothing of messages. Flags of the FUSE protocol itself are in `fsprobe.wire.flags`.
"""

from __future__ import annotations

import os

_ACCESS_MODES = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")
# O_SYNC holds the bit of O_DSYNC, and O_TMPFILE that of O_DIRECTORY: the wider one first.
_OPEN_NAMES = (
    "O_SYNC",
    "O_TMPFILE",
    "O_APPEND",
    "O_CREAT",
    "O_EXCL",
    "O_TRUNC",
    "O_NONBLOCK",
    "O_NOCTTY",
    "O_DSYNC",
    "O_ASYNC",
    "O_DIRECT",
    "O_DIRECTORY",
    "O_NOFOLLOW",
    "O_NOATIME",
    "O_CLOEXEC",
    "O_PATH",
)
# Python gives O_LARGEFILE as 0 on 64-bit machines, where the kernel sets it by itself (asm/fcntl.h).
_LARGEFILE = 0o100000 if os.uname().machine == "x86_64" else 0o400000
_OPEN_BITS = (
    *((name, value) for name in _OPEN_NAMES if (value := getattr(os, name, 0))),
    ("O_LARGEFILE", _LARGEFILE),
    ("FMODE_EXEC", 0x20),
)
_RENAME = (("RENAME_NOREPLACE", 1), ("RENAME_EXCHANGE", 2), ("RENAME_WHITEOUT", 4))
_FALLOCATE = (
    ("KEEP_SIZE", 0x01),
    ("PUNCH_HOLE", 0x02),
    ("NO_HIDE_STALE", 0x04),
    ("COLLAPSE_RANGE", 0x08),
    ("ZERO_RANGE", 0x10),
    ("INSERT_RANGE", 0x20),
    ("UNSHARE_RANGE", 0x40),
)
_XATTR = (("XATTR_CREATE", 1), ("XATTR_REPLACE", 2))
_ACCESS = (("R_OK", 4), ("W_OK", 2), ("X_OK", 1))
_POLL = (
    ("POLLIN", 0x001),
    ("POLLPRI", 0x002),
    ("POLLOUT", 0x004),
    ("POLLERR", 0x008),
    ("POLLHUP", 0x010),
    ("POLLNVAL", 0x020),
    ("POLLRDNORM", 0x040),
    ("POLLRDBAND", 0x080),
    ("POLLWRNORM", 0x100),
    ("POLLWRBAND", 0x200),
    ("POLLMSG", 0x400),
    ("POLLRDHUP", 0x2000),
)
_TYPES = {
    0o010000: "fifo",
    0o020000: "char device",
    0o040000: "directory",
    0o060000: "block device",
    0o100000: "file",
    0o120000: "symlink",
    0o140000: "socket",
}
_LOCKS = {0: "F_RDLCK", 1: "F_WRLCK", 2: "F_UNLCK"}
_WHENCE = {0: "SEEK_SET", 1: "SEEK_CUR", 2: "SEEK_END", 3: "SEEK_DATA", 4: "SEEK_HOLE"}


def _bits(value: int, table: tuple[tuple[str, int], ...], none: str) -> str:
    names = []
    for name, bit in table:
        if bit and value & bit == bit:
            names.append(name)
            value &= ~bit
    if value:
        names.append(hex(value))
    return "|".join(names) or none


def open_flags(value: int) -> str:
    """`O_RDWR|O_APPEND`; unknown bits as hex."""
    rest = _bits(value & ~3, _OPEN_BITS, "")
    return _ACCESS_MODES[value & 3] + (f"|{rest}" if rest else "")


def rename_flags(value: int) -> str:
    """Flags of renameat2(2)."""
    return _bits(value, _RENAME, "0")


def fallocate_mode(value: int) -> str:
    """The mode of fallocate(2)."""
    return _bits(value, _FALLOCATE, "0")


def xattr_flags(value: int) -> str:
    """Flags of setxattr(2)."""
    return _bits(value, _XATTR, "0")


def access_mask(value: int) -> str:
    """The mode of access(2)."""
    return _bits(value, _ACCESS, "F_OK")


def poll_events(value: int) -> str:
    """Events of poll(2)."""
    return _bits(value, _POLL, "0")


def permissions(mode: int) -> str:
    """`0644`, with no word of the type."""
    return f"{mode & 0o7777:04o}"


def file_type(mode: int) -> str:
    """`file`, `directory`, …; `type 0o50000` for one that is not known."""
    kind = mode & 0o170000
    return _TYPES.get(kind, f"type {kind:#o}")


def lock_type(value: int) -> str:
    """F_RDLCK, F_WRLCK or F_UNLCK."""
    return _LOCKS.get(value, str(value))


def whence(value: int) -> str:
    """SEEK_DATA or SEEK_HOLE."""
    return _WHENCE.get(value, str(value))
