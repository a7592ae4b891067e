"""VexFS in ways that one sound file system may differ from another: `vexfs_variant.py KIND MOUNTPOINT`.

`older` does without READDIRPLUS, RENAME2 and other newer operations, has file flags (lsattr), and the kernel leaves
permissions to it, so that it is asked ACCESS. `block-device` is the same with BMAP, as type fuseblk. `read-only` holds
a small tree and answers EROFS to all that writes. `no-links` has no hard links and no extended attributes, and says so
as a libfuse daemon does without the handlers. `object-store` is as a bucket in the cloud is: files are written from
beginning to end, have one mode and one owner, lose their content with their name, and a directory cannot be renamed.
`huge-hangs` waits for itself when a file is to have a TiB or more, `mkdir-aborts` dies when a directory is to be made.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
import threading
from typing import Any

from fsprobe.wire import BmapOut, IoctlOut, Request, SetattrValid, WriteOut
from reference_fs import model_files, model_names, model_xattrs
from reference_fs.model import Store
from reference_fs.model_inode import Caller, Inode, fail
from reference_fs.options import Options
from reference_fs.profiles import HEALTHY, RAW, Profile
from reference_fs.raw_device import Device, open_mounted
from reference_fs.raw_front import serve
from reference_fs.raw_operations import Operations
from reference_fs.raw_replies import Timeouts

OLDER = Profile(
    "older", "nothing", fronts=(RAW,),
    absent=frozenset({"READDIRPLUS", "RENAME2", "COPY_FILE_RANGE_64", "STATX", "TMPFILE"}),
)  # fmt: skip
XATTRS = ("SETXATTR", "GETXATTR", "LISTXATTR", "REMOVEXATTR")
NO_LINKS = Profile("no-links", "nothing", fronts=(RAW,), absent=frozenset({"LINK", *XATTRS}))
OBJECT_STORE = Profile(
    "object-store", "nothing", fronts=(RAW,), drops_open=True,
    absent=frozenset((*XATTRS, *OLDER.absent, "COPY_FILE_RANGE", "FALLOCATE", "LSEEK")),
)  # fmt: skip
WRITING = (
    "SETATTR", "MKNOD", "MKDIR", "SYMLINK", "LINK", "UNLINK", "RMDIR", "RENAME", "RENAME2", "CREATE", "TMPFILE",
    "WRITE", "SETXATTR", "REMOVEXATTR", "FALLOCATE", "COPY_FILE_RANGE", "COPY_FILE_RANGE_64",
)  # fmt: skip
FS_IOC_GETFLAGS = 0x80086601


def read_only() -> OSError:
    return OSError(errno.EROFS, os.strerror(errno.EROFS))


class Older(Operations):
    """A few operations that the reference has no use for."""

    def IOCTL(self, request: Any) -> Any:
        if request.body.cmd == FS_IOC_GETFLAGS:
            return IoctlOut(data=bytes(request.body.out_size))
        return super().IOCTL(request)

    def BMAP(self, request: Any) -> Any:
        return BmapOut(request.body.block)


class ReadOnly(Operations):
    """Every operation that looks, none that changes."""

    def __getattribute__(self, name: str) -> Any:
        if name in WRITING:
            return self._refuse
        return super().__getattribute__(name)

    def _refuse(self, request: Any) -> None:
        raise read_only()

    def OPEN(self, request: Any) -> Any:
        if request.body.flags & (os.O_ACCMODE | os.O_TRUNC):
            raise read_only()
        return super().OPEN(request)

    def ACCESS(self, request: Any) -> None:
        if request.body.mask & os.W_OK:
            raise read_only()
        super().ACCESS(request)


class ObjectStore(Operations):
    """What a store of whole objects can do, each refusal with an error that programs understand."""

    def LINK(self, request: Request) -> bytes:
        raise fail(errno.EOPNOTSUPP)

    SYMLINK = LINK

    def MKNOD(self, request: Request) -> bytes:
        if not stat.S_ISREG(request.body.mode):
            raise fail(errno.EPERM)
        return super().MKNOD(request)

    def SETATTR(self, request: Request) -> Any:
        body, inode = request.body, self.node(request.header.nodeid)
        if not body.valid & SetattrValid.SIZE:
            return self.GETATTR(request)
        if body.size not in (0, inode.size):
            raise fail(errno.EOPNOTSUPP)
        return super().SETATTR(request)

    def WRITE(self, request: Request) -> WriteOut:
        if request.body.offset != self.node(request.header.nodeid).size:
            raise fail(errno.EOPNOTSUPP)
        return super().WRITE(request)

    def RENAME(self, request: Request) -> None:
        folder = self.node(request.header.nodeid).entries
        moved = folder.get(request.body.oldname) if folder is not None else None
        if moved is not None and moved.is_dir:
            raise fail(errno.EXDEV)
        super().RENAME(request)

    def _grant(self, inode: Inode) -> bytes:
        inode.mode = stat.S_IFMT(inode.mode) | (0o755 if stat.S_ISDIR(inode.mode) else 0o644)
        return super()._grant(inode)


class HugeHangs(Operations):
    """SETATTR works, but for one extreme."""

    def SETATTR(self, request: Request) -> Any:
        if request.body.valid & SetattrValid.SIZE and request.body.size >= 1 << 40:
            lock = threading.Lock()
            lock.acquire()
            lock.acquire()
        return super().SETATTR(request)


class MkdirAborts(Operations):
    """Every directory is its last, but for the first ones, which only prepare the checks."""

    def MKDIR(self, request: Request) -> Any:
        if not request.body.name.startswith((b".fsprobe", b"%d" % 1)):
            os.abort()
        return super().MKDIR(request)


def fill(store: Store) -> None:
    """A file of 8893 bytes with an attribute, a directory with a file in it, and a link."""
    us = Caller(os.geteuid(), os.getegid())
    content = "".join(f"{number}\n" for number in range(1, 2001)).encode()
    data = model_names.make(store, store.root, b"data", us, stat.S_IFREG | 0o644)
    model_files.write(store, data, 0, content)
    model_xattrs.set_xattr(store, data, b"user.note", b"kept", 0, us)
    inner = model_names.make_directory(store, store.root, b"sub", us, 0o755)
    model_files.write(store, model_names.make(store, inner, b"more", us, stat.S_IFREG | 0o644), 0, content[:5000])
    model_names.make_symlink(store, store.root, b"link", us, b"sub/more")


def block_device(mountpoint: str) -> Device:
    """Where fsprobe plays the kernel the type is only a word; a real mount would want a block device."""
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    data = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"/dev/null", os.fsencode(os.path.abspath(mountpoint)), b"fuseblk", ctypes.c_ulong(6), data) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), mountpoint)
    return Device(device, mountpoint, by_helper=False)


def main() -> None:
    kind, mountpoint = sys.argv[1:3]
    store = Store(enforce=True, uid=os.geteuid(), gid=os.getegid())
    timeouts = Timeouts.of(0, 0, 0)
    options = Options(default_permissions=False, allow_other=os.geteuid() == 0)
    device = block_device(mountpoint) if kind == "block-device" else open_mounted(mountpoint, options)
    if kind == "read-only":
        fill(store)
        serve(device, ReadOnly(store, timeouts, HEALTHY), HEALTHY)
    elif kind == "no-links":
        serve(device, Operations(store, timeouts, NO_LINKS), NO_LINKS)
    elif kind == "huge-hangs":
        serve(device, HugeHangs(store, timeouts, HEALTHY), HEALTHY)
    elif kind == "mkdir-aborts":
        serve(device, MkdirAborts(store, timeouts, HEALTHY), HEALTHY)
    elif kind == "object-store":
        serve(device, ObjectStore(store, timeouts, OBJECT_STORE), OBJECT_STORE)
    else:
        serve(device, Older(store, timeouts, OLDER), OLDER)


main()
