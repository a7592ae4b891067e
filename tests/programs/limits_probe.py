#!/usr/bin/env python3
"""What does not work in the current directory, one line each, in the words of `reference_fs.limits`.

Owns a small try of each; knows nothing of fronts. Run as root.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import stat
import struct
import sys
from collections.abc import Callable
from pathlib import Path

HERE = -100  # AT_FDCWD
SYS_STATX, BTIME = 332, 0x800
SYS_RENAMEAT2, NOREPLACE = 316, 1
COLLAPSE = 8
FS_IOC_GETFLAGS = 0x80086601
ANY = 0xFFFF_FFFF
ACL = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in ((1, 6, ANY), (4, 4, ANY), (32, 4, ANY)))
libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def opened(name: str) -> int:
    Path(name).write_bytes(bytes(8192))
    return os.open(name, os.O_RDWR)


def allocated(mode: int) -> bool:
    fd = opened("allocated")
    checked(libc.fallocate(fd, mode, ctypes.c_long(0), ctypes.c_long(4096)))
    return True


def seeks_data() -> bool:
    fd = os.open("sparse", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"x", 1 << 20)
    return os.lseek(fd, 0, os.SEEK_DATA) == 1 << 20 and os.lseek(fd, 0, os.SEEK_HOLE) == 0


def renamed() -> bool:
    opened("old")
    return checked(libc.syscall(SYS_RENAMEAT2, HERE, b"old", HERE, b"new", NOREPLACE)) == 0


def born() -> bool:
    opened("born")
    buffer = ctypes.create_string_buffer(256)
    checked(libc.syscall(SYS_STATX, HERE, b"born", 0, BTIME, buffer))
    return bool(struct.unpack_from("I", buffer)[0] & BTIME)


def shared() -> bool:
    first = opened("name")
    os.link("name", "other name")
    ours, theirs = (mmap.mmap(fd, 4096) for fd in (first, os.open("other name", os.O_RDWR)))
    before = theirs[:1]
    ours[:1] = b"!"
    return before != theirs[:1]


def outlived() -> bool:
    os.mkdir("gone")
    fd = os.open("gone", os.O_RDONLY)
    os.rmdir("gone")
    os.fchdir(fd)
    try:
        return os.listdir(".") == [] and os.stat(".").st_nlink == 0
    finally:
        os.chdir(TOP)


def marked() -> bool:
    os.mkdir("marked")
    before = os.stat("marked").st_ctime_ns
    os.chown("marked", -1, -1)
    return os.stat("marked").st_ctime_ns > before


def flagged() -> bool:
    fcntl.ioctl(opened("flagged"), FS_IOC_GETFLAGS, bytes(8))
    return True


def device() -> bool:
    os.mknod("device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    os.close(os.open("device", os.O_WRONLY))
    return True


TOP = os.getcwd()
TRIES: dict[str, Callable[[], object]] = {
    "rename flags (NOREPLACE, EXCHANGE, WHITEOUT)": renamed,
    "fallocate": lambda: allocated(0),
    "lseek SEEK_DATA, SEEK_HOLE": seeks_data,
    "O_TMPFILE": lambda: os.open(".", os.O_TMPFILE | os.O_RDWR) > 0,
    "STATX: time of birth": born,
    "one node for all names of a file": shared,
    "a directory that is in use and removed": outlived,
    "chown to nobody (-1, -1) marks ctime": marked,
    "POSIX ACLs (system.posix_acl_*)": lambda: os.setxattr(opened("acl"), "system.posix_acl_access", ACL) is None,
    "fallocate COLLAPSE_RANGE, INSERT_RANGE": lambda: allocated(COLLAPSE),
    "FS_IOC_GETFLAGS (lsattr, chattr)": flagged,
    "devices, without the mount option dev": device,
}

for what, attempt in TRIES.items():
    try:
        works = attempt()
    except OSError as error:
        works = False
        print(f"{what}: {errno.errorcode[error.errno or 0]}", file=sys.stderr)
    if not works:
        print(what)
