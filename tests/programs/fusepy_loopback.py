#!/usr/bin/env python3
"""A directory as it is, as most people's first file system on fusepy shows one: `fusepy_loopback.py SOURCE MOUNTPOINT`.

Owns nothing but the calls. Times are floating-point seconds and names are text, which is fusepy's default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from fuse import FUSE, Operations

ATTRIBUTES = ("st_atime", "st_ctime", "st_mtime", "st_gid", "st_uid", "st_mode", "st_nlink", "st_size", "st_ino",
              "st_blocks", "st_rdev")  # fmt: skip
SPACE = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_flag", "f_frsize",
         "f_namemax")  # fmt: skip


class Loopback(Operations):
    def __init__(self, root: str) -> None:
        self.root = root

    def _at(self, path: str) -> str:
        return os.path.join(self.root, path.lstrip("/"))

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        found = os.lstat(self._at(path))
        return {name: getattr(found, name) for name in ATTRIBUTES}

    def readdir(self, path: str, fh: int) -> Iterator[str]:
        yield from (".", "..", *os.listdir(self._at(path)))

    def statfs(self, path: str) -> dict[str, int]:
        found = os.statvfs(self._at(path))
        return {name: getattr(found, name) for name in SPACE}

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self._at(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        os.lchown(self._at(path), uid, gid)

    def utimens(self, path: str, times: tuple[float, float] | None = None) -> None:
        os.utime(self._at(path), times, follow_symlinks=False)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        os.truncate(self._at(path), length)

    def mknod(self, path: str, mode: int, dev: int) -> None:
        os.mknod(self._at(path), mode, dev)

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self._at(path), mode)

    def rmdir(self, path: str) -> None:
        os.rmdir(self._at(path))

    def unlink(self, path: str) -> None:
        os.unlink(self._at(path))

    def rename(self, old: str, new: str) -> None:
        os.rename(self._at(old), self._at(new))

    def link(self, target: str, source: str) -> None:
        os.link(self._at(source), self._at(target))

    def symlink(self, target: str, source: str) -> None:
        os.symlink(source, self._at(target))

    def readlink(self, path: str) -> str:
        return os.readlink(self._at(path))

    def open(self, path: str, flags: int) -> int:
        return os.open(self._at(path), flags)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        os.fsync(fh)


if __name__ == "__main__":
    FUSE(Loopback(sys.argv[1]), sys.argv[2], foreground=True, nothreads=True, default_permissions=True)
