#!/usr/bin/env python3
"""What people write on fusepy: a memory file system of dictionaries, or one whose operations do nothing at all.

    python bench/fusepy_memory.py MOUNTPOINT -f [--empty] [--default-permissions]

Owns the two things that VexFS is measured beside; knows nothing of measuring. In the spirit of the example that comes
with fusepy's sources, which its package does not ship: no permissions, no links, whole files in one bytearray.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
import sys
import time
from typing import Any

from reference_fs.fusepy_front import load

fuse = load("fusepy")


def attributes(mode: int, nlink: int = 1) -> dict[str, Any]:
    now = time.time()
    return {"st_mode": mode, "st_nlink": nlink, "st_size": 0, "st_uid": os.getuid(), "st_gid": os.getgid(),
            "st_atime": now, "st_mtime": now, "st_ctime": now}  # fmt: skip


class Memory(fuse.Operations):  # type: ignore[misc]
    """Files by path."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {"/": attributes(stat.S_IFDIR | 0o755, 2)}
        self.data: dict[str, bytearray] = {}
        self.handles = itertools.count(1)

    def _of(self, path: str) -> dict[str, Any]:
        if path not in self.files:
            raise fuse.FuseOSError(errno.ENOENT)
        return self.files[path]

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        return self._of(path)

    def create(self, path: str, mode: int, fi: object = None) -> int:
        self.files[path], self.data[path] = attributes(stat.S_IFREG | mode), bytearray()
        return next(self.handles)

    def open(self, path: str, flags: int) -> int:
        return next(self.handles)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self.data[path][offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        content = self.data[path]
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset : offset + len(data)] = data
        self.files[path]["st_size"] = len(content)
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        self.data[path] = self.data[path][:length].ljust(length, b"\0")
        self.files[path]["st_size"] = length

    def unlink(self, path: str) -> None:
        del self.files[path], self.data[path]

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *(name[1:] for name in self.files if name != "/")]


class Empty(fuse.Operations):  # type: ignore[misc]
    """Answers that cost nothing: the least that any operation on fusepy can take."""

    DIRECTORY, FILE = attributes(stat.S_IFDIR | 0o755, 2), attributes(stat.S_IFREG | 0o644)
    ZEROS = bytes(1 << 20)

    def __init__(self) -> None:
        self.made: set[str] = set()

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        if path == "/":
            return self.DIRECTORY
        if path not in self.made:  # else nothing could be created
            raise fuse.FuseOSError(errno.ENOENT)
        return self.FILE

    def create(self, path: str, mode: int, fi: object = None) -> int:
        self.made.add(path)
        return 1

    def open(self, path: str, flags: int) -> int:
        return 1

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return self.ZEROS[:size]

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self.FILE["st_size"] = max(self.FILE["st_size"], offset + len(data))
        return len(data)

    def unlink(self, path: str) -> None:
        self.made.discard(path)


if __name__ == "__main__":
    operations = Empty() if "--empty" in sys.argv else Memory()
    fuse.FUSE(operations, sys.argv[1], foreground=True, nothreads=True, big_writes=True,
              attr_timeout=0, entry_timeout=0, default_permissions="--default-permissions" in sys.argv)  # fmt: skip
