"""The flag words of the FUSE protocol.

Owns the bits up to protocol 7.45 and how a word is shown; knows nothing of messages. Unknown bits are
kept in every enum and shown as hex. Source: include/uapi/linux/fuse.h.
"""

from __future__ import annotations

from enum import KEEP, IntEnum, IntFlag


class InitFlag(IntFlag, boundary=KEEP):
    """FUSE_*: `flags` of INIT, with `flags2` as the upper 32 bits."""

    ASYNC_READ = 1 << 0
    POSIX_LOCKS = 1 << 1
    FILE_OPS = 1 << 2
    ATOMIC_O_TRUNC = 1 << 3
    EXPORT_SUPPORT = 1 << 4
    BIG_WRITES = 1 << 5
    DONT_MASK = 1 << 6
    SPLICE_WRITE = 1 << 7
    SPLICE_MOVE = 1 << 8
    SPLICE_READ = 1 << 9
    FLOCK_LOCKS = 1 << 10
    HAS_IOCTL_DIR = 1 << 11
    AUTO_INVAL_DATA = 1 << 12
    DO_READDIRPLUS = 1 << 13
    READDIRPLUS_AUTO = 1 << 14
    ASYNC_DIO = 1 << 15
    WRITEBACK_CACHE = 1 << 16
    NO_OPEN_SUPPORT = 1 << 17
    PARALLEL_DIROPS = 1 << 18
    HANDLE_KILLPRIV = 1 << 19
    POSIX_ACL = 1 << 20
    ABORT_ERROR = 1 << 21
    MAX_PAGES = 1 << 22
    CACHE_SYMLINKS = 1 << 23
    NO_OPENDIR_SUPPORT = 1 << 24
    EXPLICIT_INVAL_DATA = 1 << 25
    MAP_ALIGNMENT = 1 << 26
    SUBMOUNTS = 1 << 27
    HANDLE_KILLPRIV_V2 = 1 << 28
    SETXATTR_EXT = 1 << 29
    INIT_EXT = 1 << 30
    INIT_RESERVED = 1 << 31
    SECURITY_CTX = 1 << 32
    HAS_INODE_DAX = 1 << 33
    CREATE_SUPP_GROUP = 1 << 34
    HAS_EXPIRE_ONLY = 1 << 35
    DIRECT_IO_ALLOW_MMAP = 1 << 36
    PASSTHROUGH = 1 << 37
    NO_EXPORT_SUPPORT = 1 << 38
    HAS_RESEND = 1 << 39
    ALLOW_IDMAP = 1 << 40
    OVER_IO_URING = 1 << 41
    REQUEST_TIMEOUT = 1 << 42


class CuseInitFlag(IntFlag, boundary=KEEP):
    """CUSE_*: `flags` of CUSE_INIT."""

    UNRESTRICTED_IOCTL = 1 << 0


class OpenFlag(IntFlag, boundary=KEEP):
    """FOPEN_*: `open_flags` of the replies to OPEN, OPENDIR and CREATE."""

    DIRECT_IO = 1 << 0
    KEEP_CACHE = 1 << 1
    NONSEEKABLE = 1 << 2
    CACHE_DIR = 1 << 3
    STREAM = 1 << 4
    NOFLUSH = 1 << 5
    PARALLEL_DIRECT_WRITES = 1 << 6
    PASSTHROUGH = 1 << 7


class OpenInFlag(IntFlag, boundary=KEEP):
    """FUSE_OPEN_*: `open_flags` of the requests OPEN and CREATE."""

    KILL_SUIDGID = 1 << 0


class SetattrValid(IntFlag, boundary=KEEP):
    """FATTR_*: `valid` of SETATTR, which attributes are to be set."""

    MODE = 1 << 0
    UID = 1 << 1
    GID = 1 << 2
    SIZE = 1 << 3
    ATIME = 1 << 4
    MTIME = 1 << 5
    FH = 1 << 6
    ATIME_NOW = 1 << 7
    MTIME_NOW = 1 << 8
    LOCKOWNER = 1 << 9
    CTIME = 1 << 10
    KILL_SUIDGID = 1 << 11


class AttrFlag(IntFlag, boundary=KEEP):
    """FUSE_ATTR_*: `flags` of the attributes."""

    SUBMOUNT = 1 << 0
    DAX = 1 << 1


class GetattrFlag(IntFlag, boundary=KEEP):
    """FUSE_GETATTR_*: `getattr_flags`."""

    FH = 1 << 0


class ReleaseFlag(IntFlag, boundary=KEEP):
    """FUSE_RELEASE_*: `release_flags`."""

    FLUSH = 1 << 0
    FLOCK_UNLOCK = 1 << 1


class LkFlag(IntFlag, boundary=KEEP):
    """FUSE_LK_*: `lk_flags`; without it the lock is a POSIX one."""

    FLOCK = 1 << 0


class WriteFlag(IntFlag, boundary=KEEP):
    """FUSE_WRITE_*: `write_flags`."""

    CACHE = 1 << 0
    LOCKOWNER = 1 << 1
    KILL_SUIDGID = 1 << 2


class ReadFlag(IntFlag, boundary=KEEP):
    """FUSE_READ_*: `read_flags`."""

    LOCKOWNER = 1 << 1


class IoctlFlag(IntFlag, boundary=KEEP):
    """FUSE_IOCTL_*: `flags` of IOCTL and its reply."""

    COMPAT = 1 << 0
    UNRESTRICTED = 1 << 1
    RETRY = 1 << 2
    BIT32 = 1 << 3
    DIR = 1 << 4
    COMPAT_X32 = 1 << 5


class PollFlag(IntFlag, boundary=KEEP):
    """FUSE_POLL_*: `flags` of POLL."""

    SCHEDULE_NOTIFY = 1 << 0


class FsyncFlag(IntFlag, boundary=KEEP):
    """FUSE_FSYNC_*: `fsync_flags`."""

    FDATASYNC = 1 << 0


class SetxattrFlag(IntFlag, boundary=KEEP):
    """FUSE_SETXATTR_*: `setxattr_flags`, only with SETXATTR_EXT."""

    ACL_KILL_SGID = 1 << 0


class InvalEntryFlag(IntFlag, boundary=KEEP):
    """`flags` of the notification INVAL_ENTRY (FUSE_EXPIRE_ONLY)."""

    EXPIRE_ONLY = 1 << 0


class SetupmappingFlag(IntFlag, boundary=KEEP):
    """FUSE_SETUPMAPPING_FLAG_*."""

    WRITE = 1 << 0
    READ = 1 << 1


class LseekWhence(IntEnum):
    """The two that the kernel asks of a daemon (SEEK_DATA, SEEK_HOLE)."""

    DATA = 3
    HOLE = 4


class ExtType(IntEnum):
    """What follows a request's body; up to MAX_NR_SECCTX the number of security contexts."""

    MAX_NR_SECCTX = 31
    GROUPS = 32


def flag_names(enum: type[IntFlag], value: int) -> list[str]:
    """The names of the bits that are set, lowest first; bits nobody knows as one hex number at the end."""
    names = []
    for member in enum:
        if value & member.value:
            names.append(str(member.name))
            value &= ~member.value
    if value:
        names.append(hex(value))
    return names
