"""Which operation a process waits for at a FUSE mount, from its kernel stack or else from its system call.

Owns the two tables; reads nothing. It is for mounts whose traffic is not seen: the relay knows the request itself.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Mapping
from typing import Any

# The function of fs/fuse that sends each operation. Several can be on one stack: the innermost comes first there, and
# the ones that every request passes (fuse_simple_request) are not listed.
SENDERS: Mapping[str, str] = {
    "fuse_lookup_name": "LOOKUP", "fuse_lookup": "LOOKUP", "fuse_dentry_revalidate": "LOOKUP",
    "fuse_do_getattr": "GETATTR", "fuse_update_attributes": "GETATTR", "fuse_do_statx": "STATX",
    "fuse_do_setattr": "SETATTR", "fuse_setattr": "SETATTR", "fuse_access": "ACCESS",
    "fuse_create_open": "CREATE", "fuse_atomic_open": "CREATE", "fuse_tmpfile": "TMPFILE", "fuse_mknod": "MKNOD",
    "fuse_mkdir": "MKDIR", "fuse_symlink": "SYMLINK", "fuse_link": "LINK", "fuse_unlink": "UNLINK",
    "fuse_rmdir": "RMDIR", "fuse_rename_common": "RENAME", "fuse_rename2": "RENAME", "fuse_readlink_page": "READLINK",
    "fuse_get_link": "READLINK", "fuse_statfs": "STATFS", "fuse_sync_fs": "SYNCFS", "fuse_open": "OPEN",
    "fuse_dir_open": "OPENDIR", "fuse_readdir": "READDIR", "fuse_readdir_uncached": "READDIR", "fuse_flush": "FLUSH",
    "fuse_dir_fsync": "FSYNCDIR", "fuse_fsync": "FSYNC", "fuse_send_write": "WRITE", "fuse_send_write_pages": "WRITE",
    "fuse_perform_write": "WRITE", "fuse_send_read": "READ", "fuse_send_readpages": "READ",
    "fuse_do_readfolio": "READ", "fuse_do_readpage": "READ", "fuse_read_folio": "READ", "fuse_direct_io": "READ",
    "fuse_file_fallocate": "FALLOCATE", "fuse_lseek": "LSEEK", "fuse_file_llseek": "LSEEK",
    "fuse_copy_file_range": "COPY_FILE_RANGE", "__fuse_copy_file_range": "COPY_FILE_RANGE",
    "fuse_do_ioctl": "IOCTL", "fuse_file_poll": "POLL", "fuse_setlk": "SETLK", "fuse_getlk": "GETLK",
    "fuse_setxattr": "SETXATTR", "fuse_getxattr": "GETXATTR", "fuse_listxattr": "LISTXATTR",
    "fuse_removexattr": "REMOVEXATTR", "fuse_bmap": "BMAP",
}  # fmt: skip
WAITS = ("request_wait_answer", "__fuse_request_send", "__fuse_simple_request", "fuse_simple_request",
         "fuse_get_req", "fuse_wait_on_page_writeback")  # fmt: skip
"""Where a caller sleeps until its request is answered (wchan)."""

BY_CALL: Mapping[str, str] = {
    "read": "READ", "pread64": "READ", "write": "WRITE", "pwrite64": "WRITE", "writev": "WRITE", "readv": "READ",
    "open": "OPEN", "openat": "OPEN", "close": "FLUSH", "stat": "GETATTR", "fstat": "GETATTR", "lstat": "GETATTR",
    "newfstatat": "GETATTR", "statx": "GETATTR", "access": "ACCESS", "faccessat": "ACCESS", "faccessat2": "ACCESS",
    "mkdir": "MKDIR", "mkdirat": "MKDIR", "rmdir": "RMDIR", "unlink": "UNLINK", "unlinkat": "UNLINK",
    "rename": "RENAME", "renameat": "RENAME", "renameat2": "RENAME", "link": "LINK", "linkat": "LINK",
    "symlink": "SYMLINK", "symlinkat": "SYMLINK", "readlink": "READLINK", "readlinkat": "READLINK",
    "mknod": "MKNOD", "mknodat": "MKNOD", "chmod": "SETATTR", "fchmod": "SETATTR", "fchmodat": "SETATTR",
    "chown": "SETATTR", "fchown": "SETATTR", "lchown": "SETATTR", "fchownat": "SETATTR", "truncate": "SETATTR",
    "ftruncate": "SETATTR", "utimensat": "SETATTR", "getdents64": "READDIR", "statfs": "STATFS", "fstatfs": "STATFS",
    "fsync": "FSYNC", "fdatasync": "FSYNC", "fallocate": "FALLOCATE", "lseek": "LSEEK", "ioctl": "IOCTL",
    "copy_file_range": "COPY_FILE_RANGE", "setxattr": "SETXATTR", "lsetxattr": "SETXATTR", "fsetxattr": "SETXATTR",
    "getxattr": "GETXATTR", "lgetxattr": "GETXATTR", "fgetxattr": "GETXATTR", "listxattr": "LISTXATTR",
    "llistxattr": "LISTXATTR", "flistxattr": "LISTXATTR", "removexattr": "REMOVEXATTR", "lremovexattr": "REMOVEXATTR",
    "fremovexattr": "REMOVEXATTR", "flock": "SETLK", "syncfs": "SYNCFS",
}  # fmt: skip
# unistd.h, as far as BY_CALL asks for it.
_X86_64: Mapping[int, str] = {
    0: "read", 1: "write", 2: "open", 3: "close", 4: "stat", 5: "fstat", 6: "lstat", 8: "lseek", 16: "ioctl",
    17: "pread64", 18: "pwrite64", 19: "readv", 20: "writev", 21: "access", 72: "fcntl", 73: "flock", 74: "fsync",
    75: "fdatasync", 76: "truncate", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir", 86: "link",
    87: "unlink", 88: "symlink", 89: "readlink", 90: "chmod", 91: "fchmod", 92: "chown", 93: "fchown", 94: "lchown",
    133: "mknod", 137: "statfs", 138: "fstatfs", 188: "setxattr", 189: "lsetxattr", 190: "fsetxattr",
    191: "getxattr", 192: "lgetxattr", 193: "fgetxattr", 194: "listxattr", 195: "llistxattr", 196: "flistxattr",
    197: "removexattr", 198: "lremovexattr", 199: "fremovexattr", 202: "futex", 217: "getdents64", 257: "openat",
    258: "mkdirat", 259: "mknodat", 260: "fchownat", 262: "newfstatat", 263: "unlinkat", 264: "renameat",
    265: "linkat", 266: "symlinkat", 267: "readlinkat", 268: "fchmodat", 269: "faccessat", 280: "utimensat",
    285: "fallocate", 306: "syncfs", 316: "renameat2", 326: "copy_file_range", 332: "statx", 439: "faccessat2",
}  # fmt: skip
_AARCH64: Mapping[int, str] = {
    5: "setxattr", 6: "lsetxattr", 7: "fsetxattr", 8: "getxattr", 9: "lgetxattr", 10: "fgetxattr", 11: "listxattr",
    12: "llistxattr", 13: "flistxattr", 14: "removexattr", 15: "lremovexattr", 16: "fremovexattr", 25: "fcntl",
    29: "ioctl", 32: "flock", 33: "mknodat", 34: "mkdirat", 35: "unlinkat", 36: "symlinkat", 37: "linkat",
    38: "renameat", 43: "statfs", 44: "fstatfs", 45: "truncate", 46: "ftruncate", 47: "fallocate", 48: "faccessat",
    52: "fchmod", 53: "fchmodat", 54: "fchownat", 55: "fchown", 56: "openat", 57: "close", 61: "getdents64",
    62: "lseek", 63: "read", 64: "write", 65: "readv", 66: "writev", 67: "pread64", 68: "pwrite64",
    78: "readlinkat", 79: "newfstatat", 80: "fstat", 82: "fsync", 83: "fdatasync", 88: "utimensat", 98: "futex",
    267: "syncfs", 276: "renameat2", 285: "copy_file_range", 291: "statx", 439: "faccessat2",
}  # fmt: skip
_NUMBERS = {"x86_64": _X86_64, "aarch64": _AARCH64}.get(os.uname().machine, {})
_LOCK_COMMANDS = (fcntl.F_SETLKW, 38)
"""F_SETLKW, F_OFD_SETLKW: those that wait (fcntl.h)."""
_FUNCTION = re.compile(r"\[<0>\] (\w+)")


def call_name(thread: Mapping[str, Any]) -> str:
    """The system call that a thread is in, by name, or its number; "" where it is in none or that is not told."""
    number = str(thread["syscall"]).split(" ")[0]
    if not number.isdigit():
        return ""
    return _NUMBERS.get(int(number), f"system call {number}")


def waits_for_fuse(thread: Mapping[str, Any]) -> bool:
    """Whether it sleeps until a FUSE daemon answers."""
    return str(thread["wchan"]).startswith(WAITS)


def _waits_for_lock(thread: Mapping[str, Any]) -> bool:
    """Whether it is a fcntl or flock that comes back only when it has the lock."""
    name, arguments = call_name(thread), [int(word, 16) for word in str(thread["syscall"]).split()[1:4]]
    if len(arguments) < 2 or name not in ("fcntl", "flock"):
        return False
    return arguments[1] in _LOCK_COMMANDS if name == "fcntl" else not arguments[1] & fcntl.LOCK_NB


def operation(thread: Mapping[str, Any]) -> tuple[str, bool]:
    """The operation that a thread waits for, and whether its kernel stack says so (else it is the call's usual one).

    ("", False) where it waits for no FUSE daemon, or nothing tells.
    """
    if not waits_for_fuse(thread):
        return "", False
    functions = _FUNCTION.findall(str(thread["stack"]))
    found = next((SENDERS[name] for name in functions if name in SENDERS), "")
    if found == "SETLK" and _waits_for_lock(thread):
        found = "SETLKW"
    if found == "READ" and any("write" in name for name in functions):  # fuse_direct_io does both
        found = "WRITE"
    if found:
        return found, True
    return BY_CALL.get(call_name(thread), ""), False
