"""A tree of files in memory, by inode: the model below the two small file systems beside it.

Owns what files are; knows nothing of FUSE. Permissions are the kernel's business (`default_permissions`).
"""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass, field

CHUNK = 1 << 16
LIMIT = 1 << 30  # of one file's size on disk, so that a test cannot eat the machine
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
XATTR_CREATE, XATTR_REPLACE = 1, 2


@dataclass
class Node:
    """One inode. Content is kept by chunks, so that a hole costs nothing."""

    ino: int
    mode: int
    uid: int
    gid: int
    rdev: int = 0
    nlink: int = 1
    size: int = 0
    target: bytes = b""
    parent: int = 0
    chunks: dict[int, bytearray] = field(default_factory=dict)
    entries: dict[bytes, int] = field(default_factory=dict)
    cookies: dict[bytes, int] = field(default_factory=dict)  # by name: where a listing goes on after it
    xattrs: dict[bytes, bytes] = field(default_factory=dict)
    atime: int = field(default_factory=time.time_ns)
    mtime: int = field(default_factory=time.time_ns)
    ctime: int = field(default_factory=time.time_ns)
    users: int = 0

    @property
    def is_dir(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def blocks(self) -> int:
        return len(self.chunks) * (CHUNK // 512)

    def changed(self, *, content: bool = False) -> None:
        self.ctime = time.time_ns()
        if content:
            self.mtime = self.ctime


class Tree:
    """All inodes. Every method raises OSError with the errno that a kernel file system would give."""

    ROOT = 1

    def __init__(self) -> None:
        self.nodes = {
            self.ROOT: Node(self.ROOT, stat.S_IFDIR | 0o755, os.getuid(), os.getgid(), nlink=2, parent=1)
        }
        self._next = self.ROOT + 1
        self._cookie = 2

    def node(self, ino: int) -> Node:
        if ino not in self.nodes:
            raise OSError(errno.ENOENT, "no such inode")
        return self.nodes[ino]

    def child(self, parent: int, name: bytes) -> Node:
        directory = self.node(parent)
        if not directory.is_dir:
            raise OSError(errno.ENOTDIR, "not a directory")
        if name == b".":
            return directory
        if name == b"..":
            return self.node(directory.parent)
        if len(name) > 255:
            raise OSError(errno.ENAMETOOLONG, "name too long")
        if name not in directory.entries:
            raise OSError(errno.ENOENT, "no such entry")
        return self.node(directory.entries[name])

    def make(
        self, parent: int, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0, target: bytes = b""
    ) -> Node:
        """A new entry of any type; a directory with the set-group-ID bit hands its group down."""
        directory = self._free_name(parent, name)
        if directory.mode & stat.S_ISGID:
            gid = directory.gid
            if stat.S_ISDIR(mode):
                mode |= stat.S_ISGID
        node = Node(self._next, mode, uid, gid, rdev, target=target, size=len(target), parent=parent)
        self._next += 1
        self.nodes[node.ino] = node
        if node.is_dir:
            node.nlink = 2
        self._attach(parent, name, node)
        return node

    def link(self, ino: int, parent: int, name: bytes) -> Node:
        node = self.node(ino)
        if node.is_dir:
            raise OSError(errno.EPERM, "hard link to a directory")
        self._free_name(parent, name)
        self._attach(parent, name, node)
        node.nlink += 1
        node.changed()
        return node

    def unlink(self, parent: int, name: bytes) -> None:
        node = self.child(parent, name)
        if node.is_dir:
            raise OSError(errno.EISDIR, "is a directory")
        self._remove(parent, name)

    def rmdir(self, parent: int, name: bytes) -> None:
        node = self.child(parent, name)
        if not node.is_dir:
            raise OSError(errno.ENOTDIR, "not a directory")
        if node.entries:
            raise OSError(errno.ENOTEMPTY, "not empty")
        self._remove(parent, name)

    def rename(self, old: int, old_name: bytes, new: int, new_name: bytes, flags: int = 0) -> None:
        node = self.child(old, old_name)
        there = self.node(new).entries.get(new_name)
        if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE):
            raise OSError(errno.EINVAL, "unknown flags")
        if flags & RENAME_EXCHANGE:
            self._exchange(old, old_name, new, new_name)
            return
        if there == node.ino:
            return
        if there is not None:
            self._make_way(node, self.node(there), new, new_name, flags)
        self._detach(old, old_name)
        self._attach(new, new_name, node)
        node.changed()

    def read(self, ino: int, offset: int, size: int) -> bytes:
        node = self.node(ino)
        size = max(0, min(size, node.size - offset))
        out = bytearray()
        while len(out) < size:
            index, start = divmod(offset + len(out), CHUNK)
            part = min(CHUNK - start, size - len(out))
            chunk = node.chunks.get(index)
            out += bytes(part) if chunk is None else chunk[start : start + part]
        return bytes(out)

    def write(self, ino: int, offset: int, data: bytes) -> int:
        node = self.node(ino)
        if (len(node.chunks) * CHUNK) + len(data) > LIMIT:
            raise OSError(errno.ENOSPC, "no space")
        done = 0
        while done < len(data):
            index, start = divmod(offset + done, CHUNK)
            part = data[done : done + CHUNK - start]
            node.chunks.setdefault(index, bytearray(CHUNK))[start : start + len(part)] = part
            done += len(part)
        node.size = max(node.size, offset + done)
        node.changed(content=True)
        return done

    def truncate(self, ino: int, size: int) -> None:
        node = self.node(ino)
        if node.is_dir:
            raise OSError(errno.EISDIR, "is a directory")
        last, start = divmod(size, CHUNK)
        node.chunks = {i: c for i, c in node.chunks.items() if i < last or (i == last and start)}
        if last in node.chunks:
            node.chunks[last][start:] = bytes(CHUNK - start)
        node.size = size
        node.changed(content=True)

    def listing(self, ino: int) -> list[tuple[bytes, int, int]]:
        """Name, inode and cookie of every entry, `.` and `..` first. A cookie outlives changes around it."""
        directory = self.node(ino)
        rest = [(name, child, directory.cookies[name]) for name, child in directory.entries.items()]
        return [(b".", ino, 1), (b"..", directory.parent, 2), *rest]

    def set_xattr(self, ino: int, name: bytes, value: bytes, flags: int = 0) -> None:
        if name.startswith(b"system."):
            raise OSError(errno.EOPNOTSUPP, "no ACLs here")
        xattrs = self.node(ino).xattrs
        if flags & XATTR_CREATE and name in xattrs:
            raise OSError(errno.EEXIST, "xattr exists")
        if flags & XATTR_REPLACE and name not in xattrs:
            raise OSError(errno.ENODATA, "no such xattr")
        xattrs[name] = value
        self.node(ino).changed()

    def get_xattr(self, ino: int, name: bytes) -> bytes:
        if name.startswith(b"system."):
            raise OSError(errno.EOPNOTSUPP, "no ACLs here")
        if name not in self.node(ino).xattrs:
            raise OSError(errno.ENODATA, "no such xattr")
        return self.node(ino).xattrs[name]

    def remove_xattr(self, ino: int, name: bytes) -> None:
        self.get_xattr(ino, name)
        del self.node(ino).xattrs[name]
        self.node(ino).changed()

    def hold(self, ino: int) -> int:
        """One more open file or kernel reference: an inode without names lives until `let_go`."""
        self.node(ino).users += 1
        return ino

    def let_go(self, ino: int, count: int = 1) -> None:
        node = self.nodes.get(ino)
        if node is not None:
            node.users = max(0, node.users - count)
            self._forget_if_unused(node)

    def _free_name(self, parent: int, name: bytes) -> Node:
        directory = self.node(parent)
        try:
            self.child(parent, name)
        except FileNotFoundError:
            if directory.nlink == 0:
                raise
            return directory
        raise OSError(errno.EEXIST, "exists")

    def _make_way(self, node: Node, other: Node, new: int, name: bytes, flags: int) -> None:
        if flags & RENAME_NOREPLACE:
            raise OSError(errno.EEXIST, "exists")
        if node.is_dir and not other.is_dir:
            raise OSError(errno.ENOTDIR, "not a directory")
        if other.is_dir and not node.is_dir:
            raise OSError(errno.EISDIR, "is a directory")
        if other.entries:
            raise OSError(errno.ENOTEMPTY, "not empty")
        self._remove(new, name)

    def _exchange(self, old: int, old_name: bytes, new: int, new_name: bytes) -> None:
        here, there = self.child(old, old_name), self.child(new, new_name)
        self._detach(old, old_name)
        self._detach(new, new_name)
        self._attach(old, old_name, there)
        self._attach(new, new_name, here)

    def _remove(self, parent: int, name: bytes) -> None:
        node = self.child(parent, name)
        self._detach(parent, name)
        node.nlink -= 2 if node.is_dir else 1
        node.changed()
        self._forget_if_unused(node)

    def _detach(self, parent: int, name: bytes) -> None:
        directory = self.node(parent)
        node = self.node(directory.entries.pop(name))
        del directory.cookies[name]
        directory.nlink -= node.is_dir
        directory.changed(content=True)

    def _attach(self, parent: int, name: bytes, node: Node) -> None:
        directory = self.node(parent)
        self._cookie += 1
        directory.entries[name], directory.cookies[name] = node.ino, self._cookie
        directory.nlink += node.is_dir
        directory.changed(content=True)
        node.parent = parent

    def _forget_if_unused(self, node: Node) -> None:
        if node.nlink <= 0 and node.users == 0:
            self.nodes.pop(node.ino, None)
