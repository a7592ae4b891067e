"""The operations of the FUSE protocol and its notifications, by number.

Owns the numbers up to protocol 7.45 and their names; knows nothing of what the messages hold.
Source: include/uapi/linux/fuse.h, enum fuse_opcode and enum fuse_notify_code.
"""

from __future__ import annotations

from enum import IntEnum

PROTOCOL_MAJOR = 7
PROTOCOL_MINOR = 45
ROOT_ID = 1
"""The nodeid of the root directory."""


class Opcode(IntEnum):
    """What the kernel asks. 7 and 19 were never given out."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    READLINK = 5
    SYMLINK = 6
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    LINK = 13
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    SETXATTR = 21
    GETXATTR = 22
    LISTXATTR = 23
    REMOVEXATTR = 24
    FLUSH = 25
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    GETLK = 31
    SETLK = 32
    SETLKW = 33
    ACCESS = 34
    CREATE = 35
    INTERRUPT = 36
    BMAP = 37
    DESTROY = 38
    IOCTL = 39
    POLL = 40
    NOTIFY_REPLY = 41
    BATCH_FORGET = 42
    FALLOCATE = 43
    READDIRPLUS = 44
    RENAME2 = 45
    LSEEK = 46
    COPY_FILE_RANGE = 47
    SETUPMAPPING = 48
    REMOVEMAPPING = 49
    SYNCFS = 50
    TMPFILE = 51
    STATX = 52
    COPY_FILE_RANGE_64 = 53
    CUSE_INIT = 4096


class Notification(IntEnum):
    """What the daemon tells the kernel unasked: a reply with unique 0 and this number as its error."""

    POLL = 1
    INVAL_INODE = 2
    INVAL_ENTRY = 3
    STORE = 4
    RETRIEVE = 5
    DELETE = 6
    RESEND = 7
    INC_EPOCH = 8
    PRUNE = 9


SINCE: dict[Opcode, int] = {
    Opcode.IOCTL: 11,
    Opcode.POLL: 11,
    Opcode.NOTIFY_REPLY: 15,
    Opcode.BATCH_FORGET: 16,
    Opcode.FALLOCATE: 19,
    Opcode.READDIRPLUS: 21,
    Opcode.RENAME2: 23,
    Opcode.LSEEK: 24,
    Opcode.COPY_FILE_RANGE: 28,
    Opcode.SETUPMAPPING: 31,
    Opcode.REMOVEMAPPING: 31,
    Opcode.SYNCFS: 34,
    Opcode.TMPFILE: 37,
    Opcode.STATX: 39,
    Opcode.COPY_FILE_RANGE_64: 45,
    Opcode.CUSE_INIT: 12,
}
"""The minor that brought an opcode, where later than 7.8."""

NO_REPLY = frozenset({Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.NOTIFY_REPLY})
"""Requests that must not be answered: the kernel has no request waiting and refuses the reply."""

_OPCODES = {int(opcode): opcode.name for opcode in Opcode}
_NOTIFICATIONS = {int(code): code.name for code in Notification}


def opcode_name(number: int) -> str:
    """The operation's name, `OPCODE_99` for one that is not known."""
    return _OPCODES.get(number) or f"OPCODE_{number}"


def notification_name(number: int) -> str:
    """The notification's name, `NOTIFY_99` for one that is not known."""
    return _NOTIFICATIONS.get(number) or f"NOTIFY_{number}"
