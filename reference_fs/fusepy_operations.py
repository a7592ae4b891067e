"""The operations of libfuse's high level, on paths, done on the model.

Owns the turn from paths and handles to inodes; knows nothing of ctypes. Paths are str in Latin-1, one
character a byte, because names are bytes and fusepy would refuse those that are not UTF-8. An operation
whose attribute is None does not exist: libfuse then answers for it (ENOSYS, mostly).
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from typing import Any

from reference_fs import defects, model_attributes, model_files, model_names, model_rename, model_xattrs
from reference_fs.callers import caller_of
from reference_fs.model import Store
from reference_fs.model_attributes import Changes, Time
from reference_fs.model_inode import ROOT, Caller, Inode, fail
from reference_fs.model_permissions import READ, allowed, mask_of, require
from reference_fs.profiles import CRASH_SIZE, Profile
from reference_fs.vector_interface import VectorInterface, is_writer

HANDLERS: dict[str, tuple[str, ...]] = {
    "SETATTR": ("chmod", "chown", "truncate", "utimens"), "GETLK": ("lock",), "SETLK": ("lock",),
    "SETLKW": ("lock",), "RENAME2": (), "FALLOCATE": ("fallocate",),
}  # fmt: skip
"""Operations of the protocol whose handler is not simply their name in lower case."""
RETIRED_MAX = 1000
HIDDEN_NAME = b"/.fuse_hidden"
HIDDEN = re.compile(rb"\.fuse_hidden[0-9a-f]{16}")


def handlers_of(operations: frozenset[str]) -> list[str]:
    """The names of the high level's handlers for operations of the protocol."""
    return sorted({name for op in operations for name in HANDLERS.get(op, (op.lower(),))})


class Operations:
    """What fusepy calls. context: gives (uid, gid, pid) of whoever asked.

    libfuse renames a file that is removed while open to `.fuse_hiddenXXXXXXXXXXXXXXXX`, because it would
    otherwise have no path to ask for it by. Here such a rename *is* the removal: the inode loses its name,
    is kept in `hidden` for as long as libfuse may ask by that path, and no directory ever shows it.
    """

    use_ns = True
    flag_nullpath_ok = 1
    flag_nopath = 1
    flag_utime_omit_ok = 1

    def __init__(self, store: Store, context: Callable[[], tuple[int, int, int]], profile: Profile) -> None:
        self.store = store
        self._context = context
        self._profile = profile
        self.vectors = VectorInterface(store, absent=profile.absent, relock=profile.relock)
        self.mountpoint = ""
        self._flat = defects.FlatNames() if profile.flat_names else None
        self._handles: dict[int, Inode] = {}
        self._writers: set[int] = set()
        self._quiet: set[int] = set()
        self._next_handle = 1
        self._hidden: dict[tuple[int, bytes], Inode] = {}
        self._retired: dict[tuple[int, bytes], None] = {}
        for name in handlers_of(profile.absent):
            setattr(self, name, None)
        for name in handlers_of(profile.noop):
            setattr(self, name, _say_yes)
        if self.open is None or self.opendir is None:
            self.flag_nopath = self.flag_nullpath_ok = 0  # without handles only the path says which file

    def caller(self) -> Caller:
        """Who sent the request that is being served."""
        uid, gid, pid = self._context()
        return caller_of(uid, gid, pid)

    def _writer(self, inode: Inode) -> Caller | None:
        """The caller, where its writing takes set-id bits of this file away."""
        if not inode.mode & (stat.S_ISUID | stat.S_ISGID):
            return None
        caller = self.caller()
        return None if caller.is_root else caller

    def inode(self, path: str | None, fh: int | None = None) -> Inode:
        """The inode of a handle, or of a path where there is none."""
        if fh and fh in self._handles:
            return self._handles[fh]
        if path is None:
            raise fail(errno.EBADF)
        raw = path.encode("latin-1")
        if HIDDEN_NAME in raw:
            parent, name = self._split(raw)
            hidden = self._hidden.get((parent.ino, name))
            if hidden is not None:
                return hidden
            if (parent.ino, name) in self._retired:
                raise fail(errno.ESTALE)
        return self._resolve(raw)

    def _resolve(self, path: bytes) -> Inode:
        """Who asks matters only where the kernel has not checked."""
        return model_names.resolve(self.store, path, self.caller() if self.store.enforce else ROOT)

    def _split(self, path: bytes) -> tuple[Inode, bytes]:
        directory, _, name = path.rpartition(b"/")
        return self._resolve(directory), name

    def parent(self, path: str) -> tuple[Inode, bytes]:
        """The directory that a path's last name is in, and that name."""
        return self._split(path.encode("latin-1"))

    def handle(self, inode: Inode, flags: int = os.O_RDONLY) -> int:
        """A new file handle."""
        self.store.hold(inode)
        fh = self._next_handle
        self._next_handle += 1
        self._handles[fh] = inode
        if is_writer(flags):
            self._writers.add(fh)
        if flags & os.O_NOATIME:
            self._quiet.add(fh)
        return fh

    def is_fixed(self, fh: int) -> bool:
        """Whether a handle is of a file whose content no cache may keep."""
        return fh in self._handles and self._handles[fh].fixed

    # names

    def mknod(self, path: str, mode: int, dev: int) -> None:
        model_names.make(self.store, *self.parent(path), self.caller(), mode, dev)

    def mkdir(self, path: str, mode: int) -> None:
        model_names.make_directory(self.store, *self.parent(path), self.caller(), mode)

    def symlink(self, path: str, target: str) -> None:
        model_names.make_symlink(self.store, *self.parent(path), self.caller(), target.encode("latin-1"))

    def readlink(self, path: str) -> str:
        return model_names.read_link(self.store, self.inode(path)).decode("latin-1")

    def link(self, path: str, source: str) -> None:
        model_names.link(self.store, self.inode(source), *self.parent(path), self.caller())
        self.vectors.settle()

    def unlink(self, path: str) -> None:
        parent, name = self.parent(path)
        hidden = self._hidden.pop((parent.ino, name), None)
        if hidden is None:
            model_names.unlink(self.store, parent, name, self.caller())
            return
        self.store.drop(hidden)
        self._retired[parent.ino, name] = None
        if len(self._retired) > RETIRED_MAX:
            del self._retired[next(iter(self._retired))]

    def rmdir(self, path: str) -> None:
        model_names.remove_directory(self.store, *self.parent(path), self.caller())

    def rename(self, old: str, new: str, flags: int = 0) -> None:
        old_parent, old_name = self.parent(old)
        new_parent, new_name = self.parent(new)
        inode = model_names.find(old_parent, old_name)
        if HIDDEN.fullmatch(new_name) and inode.refs:
            self.store.hold(inode)
            model_names.unlink(self.store, old_parent, old_name, self.caller())
            self._hidden[new_parent.ino, new_name] = inode
            return
        model_rename.rename(self.store, old_parent, old_name, new_parent, new_name, self.caller(), flags)
        self.vectors.settle()

    # attributes

    def getattr(self, path: str | None, fh: int | None = None) -> Inode:
        return self.inode(path, fh)

    def chmod(self, path: str | None, mode: int, fh: int | None = None) -> None:
        self._change(self.inode(path, fh), Changes(mode=mode))

    def chown(self, path: str | None, uid: int, gid: int, fh: int | None = None) -> None:
        changes = Changes(uid=None if uid == -1 else uid, gid=None if gid == -1 else gid)
        self._change(self.inode(path, fh), changes)

    def truncate(self, path: str | None, length: int, fh: int | None = None) -> None:
        if self._profile.crash_truncate and length >= CRASH_SIZE:
            os.abort()
        self._change(self.inode(path, fh), Changes(size=length), opened=bool(fh))

    def utimens(self, path: str | None, times: tuple[Time, Time], fh: int | None = None) -> None:
        self._change(self.inode(path, fh), Changes(atime=times[0], mtime=times[1]))

    def _change(self, inode: Inode, changes: Changes, *, opened: bool = False) -> None:
        model_attributes.set_attributes(self.store, inode, self.caller(), changes, opened=opened)

    def access(self, path: str, mask: int) -> None:
        if not allowed(self.inode(path), self.caller(), mask):
            raise fail(errno.EACCES)

    def statfs(self, path: str) -> dict[str, int]:
        if self._profile.own_mount:
            defects.use_own_mount(self.mountpoint)
        space = self.store.space()
        return {
            "f_bsize": space.block_size, "f_frsize": space.block_size, "f_blocks": space.blocks,
            "f_bfree": space.blocks_free, "f_bavail": space.blocks_free, "f_files": space.inodes,
            "f_ffree": space.inodes_free, "f_favail": space.inodes_free, "f_namemax": space.name_max,
        }  # fmt: skip

    def setxattr(self, path: str, name: str, value: bytes, options: int, position: int = 0) -> None:
        model_xattrs.set_xattr(
            self.store, self.inode(path), name.encode("latin-1"), value, options, self.caller()
        )

    def getxattr(self, path: str, name: str, position: int = 0) -> bytes:
        return model_xattrs.get_xattr(self.store, self.inode(path), name.encode("latin-1"), self.caller())

    def listxattr(self, path: str) -> list[str]:
        names = model_xattrs.list_xattrs(self.store, self.inode(path), self.caller())
        return [name.decode("latin-1") for name in names]

    def removexattr(self, path: str, name: str) -> None:
        model_xattrs.remove_xattr(self.store, self.inode(path), name.encode("latin-1"), self.caller())

    # content

    def create(self, path: str, mode: int, flags: int) -> int:
        parent, name = self.parent(path)
        exclusive = bool(flags & os.O_EXCL)
        inode = model_names.open_or_make(self.store, parent, name, self.caller(), mode, exclusive=exclusive)
        if self._flat:
            inode = self._flat.made(self.store, parent, name, inode)
        return self.handle(inode, flags)

    def open(self, path: str, flags: int) -> int:
        inode = self.inode(path)
        require(self.store, inode, self.caller(), mask_of(flags))
        if flags & os.O_TRUNC:
            self._change(inode, Changes(size=0), opened=True)
        if inode.fixed:
            self.vectors.opened(inode)
        return self.handle(inode, flags)

    def opendir(self, path: str) -> int:
        inode = self.inode(path)
        require(self.store, inode, self.caller(), READ)
        return self.handle(inode)

    def readdir(self, path: str | None, offset: int, fh: int) -> list[tuple[bytes, Inode, int]]:
        return model_names.list_directory(self.store, self.inode(path, fh), offset, 128)

    def read(self, path: str | None, size: int, offset: int, fh: int) -> bytes:
        inode = self.inode(path, fh)
        if inode.fixed:
            return self.vectors.read(inode, offset, size)
        return model_files.read(self.store, inode, offset, size, quiet=fh in self._quiet)

    def write(self, path: str | None, data: bytes, offset: int, fh: int) -> int:
        inode = self.inode(path, fh)
        if self._profile.stderr_pipe:
            defects.log(f"vexfs: write {len(data)} bytes at {offset}")
        if inode.fixed:
            return self.vectors.write(inode, data)
        return model_files.write(self.store, inode, offset, data, kill=self._writer(inode))

    def flush(self, path: str | None, fh: int) -> None:
        """A writer may be done with a vector or a query; nothing else is held back."""
        if fh in self._writers or fh not in self._handles:
            self.vectors.closing(self.inode(path, fh))

    def fsync(self, path: str | None, datasync: int, fh: int) -> None:
        self.store.sync()

    fsyncdir = fsync

    def release(self, path: str | None, fh: int) -> None:
        inode = self._handles.pop(fh, None)
        self._quiet.discard(fh)
        if inode is None:
            return
        try:
            if fh in self._writers:
                self._writers.discard(fh)
                self.vectors.closing(inode)
        except OSError:
            pass  # nobody would hear of it
        self.store.drop(inode)
        if inode.nlink == 0 and self._hidden:
            self._forget_unreachable(inode)

    releasedir = release

    def _forget_unreachable(self, inode: Inode) -> None:
        """libfuse asks for a hidden file no more once its directory is removed: let it die with its last handle."""
        if inode in self._handles.values():
            return
        gone = [key for key, hidden in self._hidden.items() if hidden is inode and key[0] not in self.store.inodes]
        for key in gone:
            self.store.drop(self._hidden.pop(key))

    def ioctl(self, path: str | None, cmd: int, arg: Any, fh: int | None, flags: int, data: Any) -> None:
        """There are no commands. Without a handler libfuse answers ENOSYS in a reply that says success."""
        raise fail(errno.ENOTTY)

    def fallocate(self, path: str | None, mode: int, offset: int, length: int, fh: int) -> None:
        inode = self.inode(path, fh)
        model_files.allocate(self.store, inode, mode, offset, length, kill=self._writer(inode))

    def lseek(self, path: str | None, offset: int, whence: int, fh: int) -> int:
        return model_files.seek(self.store, self.inode(path, fh), offset, whence)

    def copy_file_range(
        self, path: str | None, fh: int, offset: int, new_path: str | None, new_fh: int, new_offset: int, length: int,
        flags: int,
    ) -> int:
        source, target = self.inode(path, fh), self.inode(new_path, new_fh)
        if flags:
            raise fail(errno.EINVAL)
        if source.fixed or target.fixed:
            raise fail(errno.EOPNOTSUPP)  # the kernel then reads and writes
        return model_files.copy(self.store, source, offset, target, new_offset, length, kill=self._writer(target))


def _say_yes(*arguments: Any) -> None:
    """The handler that does nothing."""
