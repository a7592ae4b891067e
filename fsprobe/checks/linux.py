"""What a suite's author needs of Linux beyond Python's `os`: calls, flags, names of errors.

Owns only the choice; the calls themselves are in `fsprobe.posix.files` and `fsprobe.posix.aio`.
"""

from __future__ import annotations

from fsprobe.posix.aio import Transfer, transfer
from fsprobe.posix.files import (
    AT_EMPTY_PATH,
    AT_STATX_DONT_SYNC,
    AT_SYMLINK_FOLLOW,
    AT_SYMLINK_NOFOLLOW,
    DIRENT_TYPES,
    F_OFD_SETLK,
    FALLOC_KEEP_SIZE,
    FALLOC_PUNCH_HOLE,
    FALLOC_ZERO_RANGE,
    FS_IOC_GETFLAGS,
    O_TMPFILE,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    RENAME_WHITEOUT,
    STATX_BASIC_STATS,
    STATX_BTIME,
    TCGETS,
    UTIME_NOW,
    UTIME_OMIT,
    Entry,
    Flock,
    Stat,
    errno_name,
    fallocate,
    fchmodat2,
    getdents64,
    getxattr,
    linkat,
    listxattr,
    renameat2,
    same_inode,
    statx,
    syncfs,
    type_name,
    utimensat,
)

__all__ = [
    "AT_EMPTY_PATH", "AT_STATX_DONT_SYNC", "AT_SYMLINK_FOLLOW", "AT_SYMLINK_NOFOLLOW", "DIRENT_TYPES",
    "FALLOC_KEEP_SIZE", "FALLOC_PUNCH_HOLE", "FALLOC_ZERO_RANGE", "FS_IOC_GETFLAGS", "F_OFD_SETLK", "O_TMPFILE",
    "RENAME_EXCHANGE", "RENAME_NOREPLACE", "RENAME_WHITEOUT", "STATX_BASIC_STATS", "STATX_BTIME", "TCGETS",
    "UTIME_NOW", "UTIME_OMIT", "Entry", "Flock", "Stat", "Transfer", "errno_name", "fallocate", "fchmodat2",
    "getdents64", "getxattr", "linkat", "listxattr", "renameat2", "same_inode", "statx", "syncfs", "transfer",
    "type_name", "utimensat",
]
