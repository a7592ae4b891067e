#!/usr/bin/env python3
"""A whole file system in memory on mfusepy (libfuse 3, high level): `mfusepy_memfs.py MOUNTPOINT [-f] [-s]`.

Owns the translation of paths to inodes; what a file is stands in `memtree`.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator

import mfusepy
from memtree import Node, Tree


class MemFS(mfusepy.Operations):
    use_ns = True

    def __init__(self) -> None:
        self.tree = Tree()

    def _find(self, path: str) -> Node:
        node = self.tree.node(Tree.ROOT)
        for part in path.split("/"):
            if part:
                node = self.tree.child(node.ino, os.fsencode(part))
        return node

    def _place(self, path: str) -> tuple[int, bytes]:
        head, _, name = path.rpartition("/")
        return self._find(head).ino, os.fsencode(name)

    def _make(self, path: str, mode: int, rdev: int = 0, target: bytes = b"") -> Node:
        uid, gid, _ = mfusepy.fuse_get_context()
        return self.tree.make(*self._place(path), mode, uid, gid, rdev, target)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        node = self.tree.node(fh) if fh else self._find(path)
        return {
            "st_ino": node.ino,
            "st_mode": node.mode,
            "st_nlink": node.nlink,
            "st_uid": node.uid,
            "st_gid": node.gid,
            "st_rdev": node.rdev,
            "st_size": node.size,
            "st_blocks": node.blocks,
            "st_blksize": 4096,
            "st_atime": node.atime,
            "st_mtime": node.mtime,
            "st_ctime": node.ctime,
        }

    def readdir_with_offset(
        self, path: str, offset: int, fh: int
    ) -> Iterator[tuple[str, dict[str, int], int]]:
        # A bare name would be given inode 0, which readdir(3) takes for a deleted entry.
        for name, ino, cookie in self.tree.listing(self._find(path).ino):
            if cookie > offset:
                yield os.fsdecode(name), {"st_ino": ino, "st_mode": self.tree.node(ino).mode}, cookie

    def mknod(self, path: str, mode: int, dev: int) -> int:
        self._make(path, mode, dev)
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        self._make(path, stat.S_IFDIR | mode)
        return 0

    def symlink(self, target: str, source: str) -> int:
        self._make(target, stat.S_IFLNK | 0o777, target=os.fsencode(source))
        return 0

    def readlink(self, path: str) -> str:
        return os.fsdecode(self._find(path).target)

    def link(self, target: str, source: str) -> int:
        self.tree.link(self._find(source).ino, *self._place(target))
        return 0

    def unlink(self, path: str) -> int:
        self.tree.unlink(*self._place(path))
        return 0

    def rmdir(self, path: str) -> int:
        self.tree.rmdir(*self._place(path))
        return 0

    def rename(self, old: str, new: str) -> int:
        self.tree.rename(*self._place(old), *self._place(new))
        return 0

    def chmod(self, path: str, mode: int) -> int:
        node = self._find(path)
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
        node.changed()
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        node = self._find(path)
        unset = (-1, 0xFFFFFFFF)
        node.uid = node.uid if uid in unset else uid
        node.gid = node.gid if gid in unset else gid
        node.changed()
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        node = self._find(path)
        now = time.time_ns()
        node.atime, node.mtime = times or (now, now)
        node.ctime = now
        return 0

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        self.tree.truncate(fh or self._find(path).ino, length)
        return 0

    def create(self, path: str, mode: int, fi: int | None = None) -> int:
        return self.tree.hold(self._make(path, stat.S_IFREG | stat.S_IMODE(mode)).ino)

    def open(self, path: str, flags: int) -> int:
        node = self._find(path)
        if flags & os.O_TRUNC:
            self.tree.truncate(node.ino, 0)
        return self.tree.hold(node.ino)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return self.tree.read(fh, offset, size)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return self.tree.write(fh, offset, data)

    def release(self, path: str, fh: int) -> int:
        self.tree.let_go(fh)
        return 0

    def flush(self, path: str, fh: int) -> int:
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        return {
            "f_bsize": 4096,
            "f_frsize": 4096,
            "f_blocks": 1 << 18,
            "f_bfree": 1 << 17,
            "f_bavail": 1 << 17,
            "f_files": 1 << 16,
            "f_ffree": (1 << 16) - len(self.tree.nodes),
            "f_namemax": 255,
        }

    def setxattr(self, path: str, name: str, value: bytes, options: int, position: int = 0) -> int:
        self.tree.set_xattr(self._find(path).ino, os.fsencode(name), value, options)
        return 0

    def getxattr(self, path: str, name: str, position: int = 0) -> bytes:
        return self.tree.get_xattr(self._find(path).ino, os.fsencode(name))

    def listxattr(self, path: str) -> list[str]:
        return [os.fsdecode(name) for name in self._find(path).xattrs]

    def removexattr(self, path: str, name: str) -> int:
        self.tree.remove_xattr(self._find(path).ino, os.fsencode(name))
        return 0

    def access(self, path: str, amode: int) -> int:
        self._find(path)
        return 0

    def fallocate(self, path: str, mode: int, offset: int, size: int, fh: int) -> int:
        if mode:
            raise OSError(errno.EOPNOTSUPP, "only the plain mode")
        node = self.tree.node(fh)
        if offset + size > node.size:
            self.tree.truncate(fh, offset + size)
        return 0


if __name__ == "__main__":
    options = set(sys.argv[2:])
    mfusepy.FUSE(
        MemFS(),
        sys.argv[1],
        foreground="-f" in options,
        nothreads="-s" in options,
        default_permissions=True,
        use_ino=True,
    )
