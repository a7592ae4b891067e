#!/usr/bin/env python3
"""A whole file system in memory on pyfuse3 (libfuse 3, low level): `pyfuse3_memfs.py MOUNTPOINT [-f]`.

Owns the translation of requests; what a file is stands in `memtree`. Without -f it goes to the background.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import pyfuse3
import trio
from memtree import Node, Tree


@contextmanager
def errnos() -> Any:
    """The model's errors as the library wants them."""
    try:
        yield
    except OSError as error:
        raise pyfuse3.FUSEError(error.errno) from error


class MemFS(pyfuse3.Operations):
    supports_dot_lookup = True

    def __init__(self) -> None:
        super().__init__()
        self.tree = Tree()
        self.tree.hold(Tree.ROOT)

    def _attributes(self, node: Node) -> pyfuse3.EntryAttributes:
        entry = pyfuse3.EntryAttributes()
        entry.st_ino, entry.st_mode, entry.st_nlink = node.ino, node.mode, node.nlink
        entry.st_uid, entry.st_gid, entry.st_rdev = node.uid, node.gid, node.rdev
        entry.st_size, entry.st_blocks, entry.st_blksize = node.size, node.blocks, 4096
        entry.st_atime_ns, entry.st_mtime_ns, entry.st_ctime_ns = node.atime, node.mtime, node.ctime
        entry.entry_timeout = entry.attr_timeout = 1
        return entry

    def _entry(self, node: Node) -> pyfuse3.EntryAttributes:
        self.tree.hold(node.ino)
        return self._attributes(node)

    async def lookup(self, parent: int, name: bytes, ctx: Any) -> pyfuse3.EntryAttributes:
        with errnos():
            return self._entry(self.tree.child(parent, name))

    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None:
        for inode, count in inode_list:
            self.tree.let_go(inode, count)

    async def getattr(self, inode: int, ctx: Any) -> pyfuse3.EntryAttributes:
        with errnos():
            return self._attributes(self.tree.node(inode))

    async def setattr(
        self, inode: int, attr: Any, fields: Any, fh: int | None, ctx: Any
    ) -> pyfuse3.EntryAttributes:
        with errnos():
            node = self.tree.node(inode)
            if fields.update_size:
                self.tree.truncate(inode, attr.st_size)
            if fields.update_mode:
                node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(attr.st_mode)
            node.uid = attr.st_uid if fields.update_uid else node.uid
            node.gid = attr.st_gid if fields.update_gid else node.gid
            node.atime = attr.st_atime_ns if fields.update_atime else node.atime
            node.mtime = attr.st_mtime_ns if fields.update_mtime else node.mtime
            node.ctime = attr.st_ctime_ns if fields.update_ctime else time.time_ns()
            return self._attributes(node)

    async def readlink(self, inode: int, ctx: Any) -> bytes:
        with errnos():
            return self.tree.node(inode).target

    def _make(
        self, parent: int, name: bytes, mode: int, ctx: Any, rdev: int = 0, target: bytes = b""
    ) -> Node:
        with errnos():
            return self.tree.make(parent, name, mode & ~ctx.umask, ctx.uid, ctx.gid, rdev, target)

    async def mknod(
        self, parent: int, name: bytes, mode: int, rdev: int, ctx: Any
    ) -> pyfuse3.EntryAttributes:
        return self._entry(self._make(parent, name, mode, ctx, rdev))

    async def mkdir(self, parent: int, name: bytes, mode: int, ctx: Any) -> pyfuse3.EntryAttributes:
        return self._entry(self._make(parent, name, stat.S_IFDIR | stat.S_IMODE(mode), ctx))

    async def symlink(self, parent: int, name: bytes, target: bytes, ctx: Any) -> pyfuse3.EntryAttributes:
        with errnos():
            return self._entry(
                self.tree.make(parent, name, stat.S_IFLNK | 0o777, ctx.uid, ctx.gid, 0, target)
            )

    async def link(self, inode: int, new_parent: int, new_name: bytes, ctx: Any) -> pyfuse3.EntryAttributes:
        with errnos():
            return self._entry(self.tree.link(inode, new_parent, new_name))

    async def unlink(self, parent: int, name: bytes, ctx: Any) -> None:
        with errnos():
            self.tree.unlink(parent, name)

    async def rmdir(self, parent: int, name: bytes, ctx: Any) -> None:
        with errnos():
            self.tree.rmdir(parent, name)

    async def rename(
        self, old: int, old_name: bytes, new: int, new_name: bytes, flags: int, ctx: Any
    ) -> None:
        with errnos():
            self.tree.rename(old, old_name, new, new_name, flags)

    async def open(self, inode: int, flags: int, ctx: Any) -> pyfuse3.FileInfo:
        with errnos():
            if flags & os.O_TRUNC:
                self.tree.truncate(inode, 0)
            return pyfuse3.FileInfo(fh=self.tree.hold(inode))

    async def create(self, parent: int, name: bytes, mode: int, flags: int, ctx: Any) -> Any:
        node = self._make(parent, name, stat.S_IFREG | stat.S_IMODE(mode), ctx)
        return pyfuse3.FileInfo(fh=self.tree.hold(node.ino)), self._entry(node)

    async def read(self, fh: int, off: int, size: int) -> bytes:
        with errnos():
            return self.tree.read(fh, off, size)

    async def write(self, fh: int, off: int, buf: bytes) -> int:
        with errnos():
            return self.tree.write(fh, off, buf)

    async def release(self, fh: int) -> None:
        self.tree.let_go(fh)

    async def flush(self, fh: int) -> None:
        return

    async def fsync(self, fh: int, datasync: bool) -> None:
        return

    async def opendir(self, inode: int, ctx: Any) -> int:
        with errnos():
            return self.tree.hold(inode)

    async def readdir(self, fh: int, start_id: int, token: Any) -> None:
        with errnos():
            listing = self.tree.listing(fh)
        for name, ino, cookie in listing:
            if cookie > start_id and not self._offer(token, name, ino, cookie):
                break

    def _offer(self, token: Any, name: bytes, ino: int, cookie: int) -> bool:
        if not pyfuse3.readdir_reply(token, name, self._attributes(self.tree.node(ino)), cookie):
            return False
        if name not in (b".", b".."):  # the kernel counts no look-up for these two
            self.tree.hold(ino)
        return True

    async def releasedir(self, fh: int) -> None:
        self.tree.let_go(fh)

    async def fsyncdir(self, fh: int, datasync: bool) -> None:
        return

    async def statfs(self, ctx: Any) -> pyfuse3.StatvfsData:
        data = pyfuse3.StatvfsData()
        data.f_bsize = data.f_frsize = 4096
        data.f_blocks, data.f_bfree, data.f_bavail = 1 << 18, 1 << 17, 1 << 17
        data.f_files, data.f_ffree, data.f_favail = 1 << 16, 1 << 15, 1 << 15
        data.f_namemax = 255
        return data

    async def access(self, inode: int, mode: int, ctx: Any) -> bool:
        return True

    async def setxattr(self, inode: int, name: bytes, value: bytes, ctx: Any) -> None:
        with errnos():
            self.tree.set_xattr(inode, name, value)

    async def getxattr(self, inode: int, name: bytes, ctx: Any) -> bytes:
        with errnos():
            return self.tree.get_xattr(inode, name)

    async def listxattr(self, inode: int, ctx: Any) -> list[bytes]:
        with errnos():
            return list(self.tree.node(inode).xattrs)

    async def removexattr(self, inode: int, name: bytes, ctx: Any) -> None:
        with errnos():
            self.tree.remove_xattr(inode, name)


def to_background() -> None:
    """Leave the terminal's session, as libfuse's own daemonize does."""
    if os.fork():
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)


if __name__ == "__main__":
    pyfuse3.init(MemFS(), sys.argv[1], {*pyfuse3.default_options, "fsname=pyfuse3_memfs"})
    if "-f" not in sys.argv[2:]:
        to_background()
    signal.signal(signal.SIGTERM, lambda *_: pyfuse3.terminate())
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close(unmount=True)
