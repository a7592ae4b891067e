"""The front on libfuse's high level, by fusepy (libfuse 2) or mfusepy (libfuse 3).

Owns the ctypes side of what those bindings cannot say (times to leave alone, directory offsets, rename
flags) or say slowly (attributes); knows nothing of what the operations do (`fusepy_operations`). What
they cannot carry at all is in `limits`.

libfuse runs single-threaded: its threads would only hand Python's lock to each other.
"""

from __future__ import annotations

import ctypes
import importlib
import os
from typing import Any

from reference_fs import defects, fusepy_channel
from reference_fs.fusepy_operations import HIDDEN_NAME, Operations
from reference_fs.model import Store
from reference_fs.model_attributes import Time
from reference_fs.model_data import BLOCK
from reference_fs.model_inode import Inode
from reference_fs.options import Options
from reference_fs.profiles import Profile
from reference_fs.stores import open_store

LIBRARIES = {"fusepy": ("fuse", "libfuse.so.2"), "mfusepy": ("mfusepy", "libfuse3.so.3")}
ENDED_BY_SIGNAL = 8  # of libfuse 3's fuse_main_real, where libfuse 2 says 0
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2  # bits/stat.h


def run(front: str, mountpoint: str, options: Options, profile: Profile, *, foreground: bool) -> int:
    """Mount and serve until unmounted. Returns the exit status. Raises OSError where there is no such library."""
    binding = load(front)
    store = open_store(options)
    try:
        return _serve(binding, store, front, mountpoint, options, profile, foreground=foreground)
    finally:
        store.close()


def _serve(
    binding: Any, store: Store, front: str, mountpoint: str, options: Options, profile: Profile, *, foreground: bool
) -> int:
    callbacks = Callbacks3 if front == "mfusepy" else Callbacks2
    operations = (Operations if front == "mfusepy" else CallableOperations)(store, binding.fuse_get_context, profile)
    operations.mountpoint = os.path.abspath(mountpoint)
    if profile.stderr_pipe:
        defects.replace_stderr()
    if front == "fusepy":
        fusepy_channel.install(binding._libfuse, operations)
    served = type("Front", (callbacks, binding.FUSE), {"make_stat": binding.c_stat})
    try:
        served(
            operations, os.fsencode(mountpoint).decode("latin-1"), encoding="latin-1",
            foreground=foreground, nothreads=True, **library_options(front, options, profile),
        )  # fmt: skip
    except RuntimeError as failed:  # how the bindings pass libfuse's exit status on; it has said why
        status = int(failed.args[0])
        return 0 if front == "mfusepy" and status == ENDED_BY_SIGNAL else status
    return 0


def load(front: str) -> Any:
    """The binding, on the library asked for.

    Named before the import, because the bindings otherwise look for it with ldconfig and gcc: 50 ms and more.
    """
    module, library = LIBRARIES[front]
    try:
        ctypes.CDLL(library)
    except OSError:
        os.environ.pop("FUSE_LIBRARY_PATH", None)
    else:
        os.environ["FUSE_LIBRARY_PATH"] = library
    return importlib.import_module(module)


def library_options(front: str, options: Options, profile: Profile) -> dict[str, Any]:
    """What libfuse is told. use_ino: inode numbers are ours. big_writes: 128 KiB a WRITE, the default since 3."""
    chosen: dict[str, Any] = {
        "fsname": options.fsname, "subtype": options.subtype, "use_ino": True,
        "attr_timeout": options.attr_timeout, "entry_timeout": options.entry_timeout,
        "negative_timeout": options.negative_timeout, "default_permissions": options.default_permissions,
        "allow_other": options.allow_other, "big_writes": front == "fusepy",
    }  # fmt: skip
    if front == "mfusepy":
        del chosen["big_writes"]
    if "RENAME" in profile.absent:
        chosen["hard_remove"] = True  # else removing an open file would fail in place of RENAME
    return {**chosen, **options.rest}


class CallableOperations(Operations):
    """fusepy calls the object with the name of the operation; mfusepy takes its attributes and warns of this."""

    def __call__(self, operation: str, *arguments: Any) -> Any:
        return getattr(self, operation)(*arguments)


def fill(stat: Any, inode: Inode) -> None:
    """Write an inode's attributes into a `struct stat`."""
    stat.st_ino, stat.st_mode, stat.st_nlink = inode.ino, inode.mode, inode.nlink
    stat.st_uid, stat.st_gid, stat.st_rdev = inode.uid, inode.gid, inode.rdev
    stat.st_size, stat.st_blocks, stat.st_blksize = inode.size, inode.blocks, BLOCK
    stat.st_atimespec = divmod(inode.atime, 10**9)
    stat.st_mtimespec = divmod(inode.mtime, 10**9)
    stat.st_ctimespec = divmod(inode.ctime, 10**9)


def time_of(spec: Any) -> Time:
    """A `struct timespec` of utimensat(2)."""
    if spec.tv_nsec == UTIME_NOW:
        return "now"
    return None if spec.tv_nsec == UTIME_OMIT else spec.tv_sec * 10**9 + spec.tv_nsec


def text(path: bytes | None) -> str | None:
    """A path as the operations want it; None where libfuse left it out because there is a handle."""
    return None if path is None else path.decode("latin-1")


def handle(fip: Any) -> int | None:
    """The file handle, None where libfuse passes none."""
    return fip.contents.fh if fip else None


class Callbacks:
    """What both bindings get: attributes without a dictionary between, and the create that both can call."""

    operations: Operations
    make_stat: Any

    def fgetattr(self, path: bytes | None, buffer: Any, fip: Any) -> int:
        fill(buffer.contents, self.operations.getattr(text(path), handle(fip)))
        if path is not None and HIDDEN_NAME in path:
            buffer.contents.st_nlink += 1  # libfuse takes one off, for the hidden name that it thinks is there
        return 0

    def create(self, path: bytes, mode: int, fip: Any) -> int:
        fip.contents.fh = self.operations.create(path.decode("latin-1"), mode, fip.contents.flags)
        return 0

    def open(self, path: bytes, fip: Any) -> int:
        fip.contents.fh = self.operations.open(path.decode("latin-1"), fip.contents.flags)
        if self.operations.is_fixed(fip.contents.fh):
            fip.contents.direct_io = 1
        return 0

    def ioctl(self, path: bytes | None, cmd: int, arg: Any, fip: Any, flags: int, data: Any) -> int:
        self.operations.ioctl(text(path), cmd, arg, handle(fip), flags, data)
        return 0

    def list_into(self, path: bytes | None, fip: Any, offset: int, add: Any) -> int:
        """Hand entries from `offset` on to `add` until it says that the buffer is full."""
        stat = self.make_stat()
        while True:
            page = self.operations.readdir(text(path), offset, fip.contents.fh)
            for name, inode, offset in page:
                stat.st_ino, stat.st_mode = inode.ino, inode.mode
                if add(name, stat, offset):
                    return 0
            if not page:
                return 0


class Callbacks2(Callbacks):
    """For fusepy: libfuse 2 asks for times by path alone, and fusepy forgets offsets."""

    def utimens(self, path: bytes, buffer: Any) -> int:
        times = (time_of(buffer.contents.actime), time_of(buffer.contents.modtime))
        self.operations.utimens(path.decode("latin-1"), times)
        return 0

    def readdir(self, path: bytes | None, buffer: Any, filler: Any, offset: int, fip: Any) -> int:
        return self.list_into(path, fip, offset, lambda name, stat, after: filler(buffer, name, stat, after))


class Callbacks3(Callbacks):
    """For mfusepy: libfuse 3 passes handles and flags, mfusepy drops them."""

    def utimens_fuse_3(self, path: bytes | None, buffer: Any, fip: Any) -> int:
        times = (time_of(buffer.contents.actime), time_of(buffer.contents.modtime))
        self.operations.utimens(text(path), times, handle(fip))
        return 0

    def readdir_fuse_3(
        self, path: bytes | None, buffer: Any, filler: Any, offset: int, fip: Any, flags: int
    ) -> int:
        return self.list_into(path, fip, offset, lambda name, stat, after: filler(buffer, name, stat, after, 0))

    def chmod_fuse_3(self, path: bytes | None, mode: int, fip: Any) -> int:
        self.operations.chmod(text(path), mode, handle(fip))
        return 0

    def chown_fuse_3(self, path: bytes | None, uid: int, gid: int, fip: Any) -> int:
        uid, gid = (-1 if number == 0xFFFFFFFF else number for number in (uid, gid))
        self.operations.chown(text(path), uid, gid, handle(fip))
        return 0

    def truncate_fuse_3(self, path: bytes | None, length: int, fip: Any) -> int:
        self.operations.truncate(text(path), length, handle(fip))
        return 0

    def lseek(self, path: bytes | None, offset: int, whence: int, fip: Any) -> int:
        return self.operations.lseek(text(path), offset, whence, fip.contents.fh)

    def copy_file_range(
        self, path: bytes | None, fip: Any, offset: int, new_path: bytes | None, new_fip: Any, new_offset: int,
        length: int, flags: int,
    ) -> int:
        return self.operations.copy_file_range(
            text(path), fip.contents.fh, offset, text(new_path), new_fip.contents.fh, new_offset, length, flags
        )

    def rename_fuse_3(self, old: bytes, new: bytes, flags: int) -> int:
        self.operations.rename(old.decode("latin-1"), new.decode("latin-1"), flags)
        return 0
