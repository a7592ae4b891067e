"""The file system calls and numbers of Linux that Python lacks, for x86-64 and arm64.

Owns the numbers, the layouts and the calls; knows nothing of checks or of FUSE. Every call raises OSError
with the errno that the kernel gave. Numbers are from the kernel's uapi headers; the meaning of each call is
in its man page, section 2.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import stat
import struct
from dataclasses import dataclass
from itertools import islice

# asm/unistd_64.h and asm-generic/unistd.h
_NUMBERS = {
    "x86_64": {
        "renameat2": 316, "fallocate": 285, "statx": 332, "getdents64": 217, "fchmodat2": 452, "linkat": 265,
        "syncfs": 306, "utimensat": 280, "getxattr": 191, "listxattr": 194,
    },
    "aarch64": {
        "renameat2": 276, "fallocate": 47, "statx": 291, "getdents64": 61, "fchmodat2": 452, "linkat": 37,
        "syncfs": 267, "utimensat": 88, "getxattr": 8, "listxattr": 11,
    },
}

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_SYMLINK_FOLLOW = 0x400
AT_EMPTY_PATH = 0x1000
AT_STATX_FORCE_SYNC = 0x2000
AT_STATX_DONT_SYNC = 0x4000

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4

FALLOC_KEEP_SIZE = 1
FALLOC_PUNCH_HOLE = 2
FALLOC_COLLAPSE_RANGE = 8
FALLOC_ZERO_RANGE = 16
FALLOC_INSERT_RANGE = 32

STATX_BASIC_STATS = 0x7FF
STATX_BTIME = 0x800

UTIME_NOW = 0x3FFFFFFF
UTIME_OMIT = 0x3FFFFFFE

# __O_TMPFILE is the same on both; O_DIRECTORY, which is part of the flag, differs and comes from Python.
O_TMPFILE = 0o20000000 | os.O_DIRECTORY
O_PATH = 0o10000000

F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW = 36, 37, 38

TCGETS = 0x5401
FICLONE = 0x40049409
FS_IOC_GETFLAGS = 0x80086601

DIRENT_TYPES = {
    0: "unknown", 1: "fifo", 2: "character device", 4: "directory", 6: "block device", 8: "file",
    10: "symbolic link", 12: "socket", 14: "whiteout",
}
"""d_type of a directory entry, in words."""

MODE_TYPES = {
    stat.S_IFIFO: "fifo", stat.S_IFCHR: "character device", stat.S_IFDIR: "directory",
    stat.S_IFBLK: "block device", stat.S_IFREG: "file", stat.S_IFLNK: "symbolic link", stat.S_IFSOCK: "socket",
}
"""S_IFMT part of a mode, in the same words."""

IN_ATTRIB = 0x4

# Two names share one number; errno.errorcode picks the rarer one.
_CANONICAL = ("EOPNOTSUPP", "EAGAIN", "EDEADLK")
_ERRNO_NAMES = {**errno.errorcode, **{getattr(errno, name): name for name in _CANONICAL}}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def errno_name(number: int) -> str:
    """`ENOENT` for 2, `EOPNOTSUPP` for 95, `EAGAIN` for 11; "success" for 0 and "errno 512" where Linux has no name."""
    return _ERRNO_NAMES.get(number, f"errno {number}") if number else "success"


def errno_number(name: str) -> int | None:
    """The inverse, aliases included (`EWOULDBLOCK`, `ENOTSUP`); None for a name Linux does not have."""
    value = getattr(errno, name, None)
    return value if isinstance(value, int) else None


def type_name(mode: int) -> str:
    """The type in a mode in words: "file", "directory", …; an unknown one with its octal number."""
    kind = stat.S_IFMT(mode)
    return MODE_TYPES.get(kind, f"unknown type {kind:#o}")


def _call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    numbers = _NUMBERS.get(platform.machine())
    if numbers is None:
        raise OSError(errno.ENOSYS, f"{name} is not known for the processor {platform.machine()}")
    packed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(int(_libc.syscall(ctypes.c_long(numbers[name]), *packed)))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def renameat2(
    old: str | bytes, new: str | bytes, flags: int, *, old_dir: int = AT_FDCWD, new_dir: int = AT_FDCWD
) -> None:
    """rename with RENAME_NOREPLACE, RENAME_EXCHANGE or RENAME_WHITEOUT."""
    _call("renameat2", old_dir, os.fsencode(old), new_dir, os.fsencode(new), flags)


def fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    """Allocate, punch or zero a range, by FALLOC_ flags. Unlike posix_fallocate it never emulates."""
    _call("fallocate", fd, mode, offset, length)


def linkat(old: str | bytes, new: str | bytes, flags: int, *, old_dir: int = AT_FDCWD, new_dir: int = AT_FDCWD) -> None:
    """A hard link. AT_SYMLINK_FOLLOW with `/proc/self/fd/N`, or AT_EMPTY_PATH with a descriptor, names an open file."""
    _call("linkat", old_dir, os.fsencode(old), new_dir, os.fsencode(new), flags)


def fchmodat2(path: str | bytes, mode: int, flags: int = 0, *, dir_fd: int = AT_FDCWD) -> None:
    """chmod with flags (Linux 6.6); ENOSYS on an older kernel."""
    _call("fchmodat2", dir_fd, os.fsencode(path), mode, flags)


def syncfs(fd: int) -> None:
    """Write out the file system that holds fd."""
    _call("syncfs", fd)


def utimensat(target: str | bytes | int, atime: tuple[int, int], mtime: tuple[int, int], flags: int = 0) -> None:
    """Set (seconds, nanoseconds) of a path or descriptor; nanoseconds may be UTIME_NOW or UTIME_OMIT."""
    times = ctypes.create_string_buffer(struct.pack("=4q", *atime, *mtime), 32)
    if isinstance(target, int):
        _call("utimensat", target, 0, times, flags)
    else:
        _call("utimensat", AT_FDCWD, os.fsencode(target), times, flags)


def getxattr(path: str | bytes, name: str, size: int) -> tuple[int, bytes]:
    """One getxattr(2) with a buffer of exactly `size` bytes: the length it returned and what was filled in."""
    buffer = ctypes.create_string_buffer(max(size, 1))
    length = _call("getxattr", os.fsencode(path), os.fsencode(name), buffer, size)
    return length, buffer.raw[: min(length, size)]


def listxattr(path: str | bytes, size: int) -> tuple[int, bytes]:
    """One listxattr(2) with a buffer of exactly `size` bytes: the length and the NUL-terminated names."""
    buffer = ctypes.create_string_buffer(max(size, 1))
    length = _call("listxattr", os.fsencode(path), buffer, size)
    return length, buffer.raw[: min(length, size)]


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of getdents64. `offset` is the cookie at which the *next* entry starts."""

    ino: int
    offset: int
    type: int
    name: bytes


_DIRENT = struct.Struct("=QqHB")


def same_inode(one: str, other: str) -> bool:
    """Whether two names lead to one inode of the kernel, whatever numbers the file system shows.

    inotify(7) watches inodes: the second watch of one has the number of the first. Raises OSError.
    """
    watcher = _checked(_libc.inotify_init1(os.O_CLOEXEC))
    try:
        watches = {_checked(_libc.inotify_add_watch(watcher, os.fsencode(path), IN_ATTRIB)) for path in (one, other)}
        return len(watches) == 1
    finally:
        os.close(watcher)


def getdents64(fd: int, size: int = 32768) -> list[Entry]:
    """The entries of one call; an empty list at the end. Unlike readdir(3) it hides no error."""
    buffer = ctypes.create_string_buffer(size)
    filled = _call("getdents64", fd, buffer, size)
    data, entries, at = buffer.raw[:filled], [], 0
    while at < filled:
        ino, offset, length, kind = _DIRENT.unpack_from(data, at)
        name = data[at + _DIRENT.size : at + length].split(b"\0", 1)[0]
        entries.append(Entry(ino, offset, kind, name))
        at += length
    return entries


@dataclass(frozen=True, slots=True)
class Stat:
    """What statx filled in; times in nanoseconds since 1970, btime None where the file system keeps none."""

    mask: int
    blksize: int
    nlink: int
    uid: int
    gid: int
    mode: int
    ino: int
    size: int
    blocks: int
    atime_ns: int
    btime_ns: int | None
    ctime_ns: int
    mtime_ns: int
    rdev: int
    dev: int

    @property
    def permissions(self) -> int:
        """The low twelve bits of the mode."""
        return stat.S_IMODE(self.mode)


# struct statx: mask blksize attributes nlink uid gid mode pad ino size blocks attributes_mask,
# then four of (seconds, nanoseconds, pad), then rdev and dev as major, minor.
_STATX = struct.Struct("=IIQIIIHHQQQQ" + "qIi" * 4 + "IIII")


def statx(target: str | bytes | int, *, flags: int = 0, mask: int = STATX_BASIC_STATS) -> Stat:
    """Attributes of a path or descriptor. AT_STATX_FORCE_SYNC makes a FUSE or network file system ask its server."""
    buffer = ctypes.create_string_buffer(256)
    if isinstance(target, int):
        _call("statx", target, b"", flags | AT_EMPTY_PATH, mask, buffer)
    else:
        _call("statx", AT_FDCWD, os.fsencode(target), flags, mask, buffer)
    (got, blksize, _, nlink, uid, gid, mode, _, ino, size, blocks, _,
     a, a_ns, _, b, b_ns, _, c, c_ns, _, m, m_ns, _, rmajor, rminor, dmajor, dminor) = _STATX.unpack_from(buffer.raw)
    second = 1_000_000_000
    return Stat(
        mask=got, blksize=blksize, nlink=nlink, uid=uid, gid=gid, mode=mode, ino=ino, size=size, blocks=blocks,
        atime_ns=a * second + a_ns, btime_ns=b * second + b_ns if got & STATX_BTIME else None,
        ctime_ns=c * second + c_ns, mtime_ns=m * second + m_ns,
        rdev=os.makedev(rmajor, rminor), dev=os.makedev(dmajor, dminor),
    )


@dataclass(frozen=True, slots=True)
class Flock:
    """struct flock of a 64-bit kernel: type F_RDLCK, F_WRLCK or F_UNLCK; length 0 reaches to the end of the file."""

    type: int
    whence: int = os.SEEK_SET
    start: int = 0
    length: int = 0
    pid: int = 0

    def pack(self) -> bytes:
        """The bytes that fcntl takes."""
        return _FLOCK.pack(self.type, self.whence, self.start, self.length, self.pid)

    @classmethod
    def unpack(cls, data: bytes) -> Flock:
        """What fcntl gave back."""
        return cls(*_FLOCK.unpack(data))


_FLOCK = struct.Struct("hhqqi4x")


def total_size(path: str) -> int:
    """The bytes that a file system holds in all, full or free; 0 where it does not say."""
    try:
        status = os.statvfs(path)
    except OSError:
        return 0
    return status.f_blocks * status.f_frsize


def first_names(path: str, limit: int = 20_000) -> list[str]:
    """The first names in a directory, sorted: a listing that never ends must not keep the caller. Raises OSError."""
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in islice(entries, limit))


def is_absent(path: str) -> bool:
    """Whether a name that is free is told to be so: a look-up that fails otherwise says nothing about writing."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False
