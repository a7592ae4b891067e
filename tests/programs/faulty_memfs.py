#!/usr/bin/env python3
"""The mfusepy file system with one fault of the kind that authors write: `faulty_memfs.py MOUNTPOINT FAULT`.

Owns the faults, as a table; everything else is that of `mfusepy_memfs`.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import mfusepy
from mfusepy_memfs import MemFS

SMALL_DISK = 1 << 20
FIRST_PAGE = 200


def _stores_nothing(fs: MemFS, path: str, data: bytes, offset: int, fh: int) -> int:
    return len(data)


def _keeps_no_xattr(fs: MemFS, path: str, name: str, value: bytes, options: int, position: int = 0) -> int:
    return 0


def _tells(**fields: int) -> Callable[..., dict[str, int]]:
    def getattr_(fs: MemFS, path: str, fh: int | None = None) -> dict[str, int]:
        told = MemFS.getattr(fs, path, fh)
        regular = told["st_mode"] & 0o170000 == 0o100000
        return told | (fields if regular or "st_ino" in fields else {})

    return getattr_


def _lists_one_page(fs: MemFS, path: str, offset: int, fh: int) -> Iterator[Any]:
    for number, entry in enumerate(MemFS.readdir_with_offset(fs, path, 0, fh)):
        if number < FIRST_PAGE and entry[2] > offset:
            yield entry


def _lists_without_end(fs: MemFS, path: str, offset: int, fh: int) -> Iterator[Any]:
    for name, told, cookie in MemFS.readdir_with_offset(fs, path, 0, fh):
        yield name, told, min(cookie, 3)


def _is_small(fs: MemFS, path: str, data: bytes, offset: int, fh: int) -> int:
    if sum(len(node.chunks) for node in fs.tree.nodes.values()) > SMALL_DISK >> 16:
        raise OSError(errno.ENOSPC, "full")
    return MemFS.write(fs, path, data, offset, fh)


def _small_statfs(fs: MemFS, path: str) -> dict[str, int]:
    return MemFS.statfs(fs, path) | {"f_blocks": SMALL_DISK >> 12, "f_bfree": 100, "f_bavail": 100}


def _uses_own_mount(fs: MemFS, path: str, size: int, offset: int, fh: int) -> bytes:
    os.path.exists(os.path.join(sys.argv[1], f"other-{offset}"))
    return MemFS.read(fs, path, size, offset, fh)


FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "stores-nothing": {"write": _stores_nothing},
    "keeps-no-xattr": {"setxattr": _keeps_no_xattr},
    "size-zero": {"getattr": _tells(st_size=0)},
    "one-inode": {"getattr": _tells(st_ino=42)},
    "lists-one-page": {"readdir_with_offset": _lists_one_page},
    "lists-without-end": {"readdir_with_offset": _lists_without_end},
    "small-disk": {"write": _is_small, "statfs": _small_statfs},
    "uses-own-mount": {"read": _uses_own_mount},
}

if __name__ == "__main__":
    faulty = type("Faulty", (MemFS,), FAULTS[sys.argv[2]])
    mfusepy.FUSE(
        faulty(), sys.argv[1], foreground=True, nothreads=True, default_permissions=True, use_ino=True
    )
