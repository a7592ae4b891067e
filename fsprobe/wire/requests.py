"""The body of every request, and the table from opcode to body.

Owns the requests' fields, in the kernel's names and order on the wire; knows nothing of headers or
replies. Names are bytes. Where a field counts the data behind it, 0 with data given means "its length".
Source: include/uapi/linux/fuse.h, fs/fuse/dir.c, file.c, xattr.c, ioctl.c.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fsprobe.wire.layout import U32, U64, Code, Counted, Records, Str, layout
from fsprobe.wire.opcodes import Opcode
from fsprobe.wire.structs import FileLock, ForgetOne, RemovemappingOne


@layout()
@dataclass(frozen=True, slots=True)
class Lookup:
    """LOOKUP: the name in the directory `nodeid` of the header."""

    name: Str = b""


@layout("fuse_forget_in")
@dataclass(frozen=True, slots=True)
class ForgetIn:
    """FORGET: give back so many lookups."""

    nlookup: U64 = 0


@layout("fuse_getattr_in", sizes={0: 0, 9: 16})
@dataclass(frozen=True, slots=True)
class GetattrIn:
    """GETATTR; `fh` counts with GetattrFlag.FH."""

    getattr_flags: U32 = 0
    dummy: U32 = 0
    fh: U64 = 0


@layout("fuse_setattr_in")
@dataclass(frozen=True, slots=True)
class SetattrIn:
    """SETATTR: chmod, chown, truncate and utimens; `valid` (SetattrValid) says which."""

    valid: U32 = 0
    padding: U32 = 0
    fh: U64 = 0
    size: U64 = 0
    lock_owner: U64 = 0
    atime: U64 = 0
    mtime: U64 = 0
    ctime: U64 = 0
    atimensec: U32 = 0
    mtimensec: U32 = 0
    ctimensec: U32 = 0
    mode: U32 = 0
    unused4: U32 = 0
    uid: U32 = 0
    gid: U32 = 0
    unused5: U32 = 0


@layout()
@dataclass(frozen=True, slots=True)
class Readlink:
    """READLINK has no body."""


@layout()
@dataclass(frozen=True, slots=True)
class Symlink:
    """SYMLINK: the new name, and the text it holds."""

    name: Str = b""
    target: Str = b""


@layout("fuse_mknod_in", sizes={0: 8, 12: 16})
@dataclass(frozen=True, slots=True)
class Mknod:
    """MKNOD."""

    mode: U32 = 0
    rdev: U32 = 0
    umask: U32 = 0
    padding: U32 = 0
    name: Str = b""


@layout("fuse_mkdir_in")
@dataclass(frozen=True, slots=True)
class Mkdir:
    """MKDIR."""

    mode: U32 = 0
    umask: U32 = 0
    name: Str = b""


@layout()
@dataclass(frozen=True, slots=True)
class Unlink:
    """UNLINK."""

    name: Str = b""


@layout()
@dataclass(frozen=True, slots=True)
class Rmdir:
    """RMDIR."""

    name: Str = b""


@layout("fuse_rename_in")
@dataclass(frozen=True, slots=True)
class Rename:
    """RENAME: from `oldname` in the header's directory to `newname` in `newdir`."""

    newdir: U64 = 0
    oldname: Str = b""
    newname: Str = b""


@layout("fuse_rename2_in")
@dataclass(frozen=True, slots=True)
class Rename2:
    """RENAME2: the same with the flags of renameat2(2)."""

    newdir: U64 = 0
    flags: U32 = 0
    padding: U32 = 0
    oldname: Str = b""
    newname: Str = b""


@layout("fuse_link_in")
@dataclass(frozen=True, slots=True)
class Link:
    """LINK: a new name in the header's directory for `oldnodeid`."""

    oldnodeid: U64 = 0
    newname: Str = b""


@layout("fuse_open_in")
@dataclass(frozen=True, slots=True)
class OpenIn:
    """OPEN and OPENDIR; `flags` are those of open(2)."""

    flags: U32 = 0
    open_flags: U32 = 0


@layout("fuse_read_in", sizes={0: 24, 9: 40})
@dataclass(frozen=True, slots=True)
class ReadIn:
    """READ, READDIR and READDIRPLUS."""

    fh: U64 = 0
    offset: U64 = 0
    size: U32 = 0
    read_flags: U32 = 0
    lock_owner: U64 = 0
    flags: U32 = 0
    padding: U32 = 0


@layout("fuse_write_in", sizes={0: 24, 9: 40})
@dataclass(frozen=True, slots=True)
class WriteIn:
    """WRITE, with its data."""

    fh: U64 = 0
    offset: U64 = 0
    size: U32 = 0
    write_flags: U32 = 0
    lock_owner: U64 = 0
    flags: U32 = 0
    padding: U32 = 0
    data: Annotated[bytes, Counted("size")] = b""

    def __post_init__(self) -> None:
        _count(self, "size", self.data)


@layout()
@dataclass(frozen=True, slots=True)
class Statfs:
    """STATFS has no body."""


@layout("fuse_release_in")
@dataclass(frozen=True, slots=True)
class ReleaseIn:
    """RELEASE and RELEASEDIR."""

    fh: U64 = 0
    flags: U32 = 0
    release_flags: U32 = 0
    lock_owner: U64 = 0


@layout("fuse_fsync_in")
@dataclass(frozen=True, slots=True)
class FsyncIn:
    """FSYNC and FSYNCDIR."""

    fh: U64 = 0
    fsync_flags: U32 = 0
    padding: U32 = 0


@layout("fuse_setxattr_in", sizes={0: 8})
@dataclass(frozen=True, slots=True)
class Setxattr:
    """SETXATTR; the last two numbers are on the wire only where SETXATTR_EXT was negotiated."""

    size: U32 = 0
    flags: U32 = 0
    setxattr_flags: U32 = 0
    padding: U32 = 0
    name: Str = b""
    value: Annotated[bytes, Counted("size")] = b""

    def __post_init__(self) -> None:
        _count(self, "size", self.value)


SETXATTR_SIZE = 8
SETXATTR_EXT_SIZE = 16


@layout("fuse_getxattr_in")
@dataclass(frozen=True, slots=True)
class Getxattr:
    """GETXATTR: with size 0 the reply is the value's size."""

    size: U32 = 0
    padding: U32 = 0
    name: Str = b""


@layout("fuse_getxattr_in")
@dataclass(frozen=True, slots=True)
class GetxattrIn:
    """LISTXATTR: with size 0 the reply is the list's size."""

    size: U32 = 0
    padding: U32 = 0


@layout()
@dataclass(frozen=True, slots=True)
class Removexattr:
    """REMOVEXATTR."""

    name: Str = b""


@layout("fuse_flush_in")
@dataclass(frozen=True, slots=True)
class FlushIn:
    """FLUSH: one for each close(2)."""

    fh: U64 = 0
    unused: U32 = 0
    padding: U32 = 0
    lock_owner: U64 = 0


@layout("fuse_init_in", sizes={0: 8, 6: 16, 36: 64}, any_size=True)
@dataclass(frozen=True, slots=True)
class InitIn:
    """INIT; `flags2` counts with InitFlag.INIT_EXT."""

    major: U32 = 7
    minor: U32 = 0
    max_readahead: U32 = 0
    flags: U32 = 0
    flags2: U32 = 0
    unused: Annotated[bytes, Code("44s")] = bytes(44)


@layout("fuse_lk_in", sizes={0: 40, 9: 48})
@dataclass(frozen=True, slots=True)
class LkIn:
    """GETLK, SETLK and SETLKW."""

    fh: U64 = 0
    owner: U64 = 0
    lk: FileLock = field(default_factory=FileLock)
    lk_flags: U32 = 0
    padding: U32 = 0


@layout("fuse_access_in")
@dataclass(frozen=True, slots=True)
class AccessIn:
    """ACCESS; `mask` is that of access(2)."""

    mask: U32 = 0
    padding: U32 = 0


@layout("fuse_create_in", sizes={0: 8, 12: 16})
@dataclass(frozen=True, slots=True)
class Create:
    """CREATE and TMPFILE (whose name says nothing)."""

    flags: U32 = 0
    mode: U32 = 0
    umask: U32 = 0
    open_flags: U32 = 0
    name: Str = b""


@layout("fuse_interrupt_in")
@dataclass(frozen=True, slots=True)
class InterruptIn:
    """INTERRUPT: the unique of the request whose caller got a signal."""

    unique: U64 = 0


@layout("fuse_bmap_in")
@dataclass(frozen=True, slots=True)
class BmapIn:
    """BMAP."""

    block: U64 = 0
    blocksize: U32 = 0
    padding: U32 = 0


@layout()
@dataclass(frozen=True, slots=True)
class Destroy:
    """DESTROY has no body."""


@layout("fuse_ioctl_in")
@dataclass(frozen=True, slots=True)
class IoctlIn:
    """IOCTL, with the data that the command passes in."""

    fh: U64 = 0
    flags: U32 = 0
    cmd: U32 = 0
    arg: U64 = 0
    in_size: U32 = 0
    out_size: U32 = 0
    data: Annotated[bytes, Counted("in_size")] = b""

    def __post_init__(self) -> None:
        _count(self, "in_size", self.data)


@layout("fuse_poll_in")
@dataclass(frozen=True, slots=True)
class PollIn:
    """POLL; `events` is 0 before 7.21."""

    fh: U64 = 0
    kh: U64 = 0
    flags: U32 = 0
    events: U32 = 0


@layout("fuse_notify_retrieve_in")
@dataclass(frozen=True, slots=True)
class NotifyRetrieveIn:
    """NOTIFY_REPLY: the data that the notification RETRIEVE asked for."""

    dummy1: U64 = 0
    offset: U64 = 0
    size: U32 = 0
    dummy2: U32 = 0
    dummy3: U64 = 0
    dummy4: U64 = 0
    data: Annotated[bytes, Counted("size")] = b""

    def __post_init__(self) -> None:
        _count(self, "size", self.data)


@layout("fuse_batch_forget_in")
@dataclass(frozen=True, slots=True)
class BatchForgetIn:
    """BATCH_FORGET."""

    count: U32 = 0
    dummy: U32 = 0
    forgets: Annotated[tuple[ForgetOne, ...], Records("count", ForgetOne)] = ()

    def __post_init__(self) -> None:
        _count(self, "count", self.forgets)


@layout("fuse_fallocate_in")
@dataclass(frozen=True, slots=True)
class FallocateIn:
    """FALLOCATE; `mode` is that of fallocate(2)."""

    fh: U64 = 0
    offset: U64 = 0
    length: U64 = 0
    mode: U32 = 0
    padding: U32 = 0


@layout("fuse_lseek_in")
@dataclass(frozen=True, slots=True)
class LseekIn:
    """LSEEK; SEEK_DATA 3 or SEEK_HOLE 4."""

    fh: U64 = 0
    offset: U64 = 0
    whence: U32 = 0
    padding: U32 = 0


@layout("fuse_copy_file_range_in")
@dataclass(frozen=True, slots=True)
class CopyFileRangeIn:
    """COPY_FILE_RANGE and COPY_FILE_RANGE_64; the source is the header's nodeid."""

    fh_in: U64 = 0
    off_in: U64 = 0
    nodeid_out: U64 = 0
    fh_out: U64 = 0
    off_out: U64 = 0
    len: U64 = 0
    flags: U64 = 0


@layout("fuse_setupmapping_in")
@dataclass(frozen=True, slots=True)
class SetupmappingIn:
    """SETUPMAPPING (virtiofs)."""

    fh: U64 = 0
    foffset: U64 = 0
    len: U64 = 0
    flags: U64 = 0
    moffset: U64 = 0


@layout("fuse_removemapping_in")
@dataclass(frozen=True, slots=True)
class RemovemappingIn:
    """REMOVEMAPPING (virtiofs)."""

    count: U32 = 0
    mappings: Annotated[tuple[RemovemappingOne, ...], Records("count", RemovemappingOne)] = ()

    def __post_init__(self) -> None:
        _count(self, "count", self.mappings)


@layout("fuse_syncfs_in")
@dataclass(frozen=True, slots=True)
class SyncfsIn:
    """SYNCFS."""

    padding: U64 = 0


@layout("fuse_statx_in")
@dataclass(frozen=True, slots=True)
class StatxIn:
    """STATX; `sx_flags` and `sx_mask` are those of statx(2)."""

    getattr_flags: U32 = 0
    reserved: U32 = 0
    fh: U64 = 0
    sx_flags: U32 = 0
    sx_mask: U32 = 0


@layout("cuse_init_in")
@dataclass(frozen=True, slots=True)
class CuseInitIn:
    """CUSE_INIT."""

    major: U32 = 7
    minor: U32 = 0
    unused: U32 = 0
    flags: U32 = 0


def _count(body: object, name: str, tail: bytes | tuple[object, ...]) -> None:
    if tail and not getattr(body, name):
        object.__setattr__(body, name, len(tail))


REQUESTS: dict[Opcode, type[Any]] = {
    Opcode.LOOKUP: Lookup,
    Opcode.FORGET: ForgetIn,
    Opcode.GETATTR: GetattrIn,
    Opcode.SETATTR: SetattrIn,
    Opcode.READLINK: Readlink,
    Opcode.SYMLINK: Symlink,
    Opcode.MKNOD: Mknod,
    Opcode.MKDIR: Mkdir,
    Opcode.UNLINK: Unlink,
    Opcode.RMDIR: Rmdir,
    Opcode.RENAME: Rename,
    Opcode.LINK: Link,
    Opcode.OPEN: OpenIn,
    Opcode.READ: ReadIn,
    Opcode.WRITE: WriteIn,
    Opcode.STATFS: Statfs,
    Opcode.RELEASE: ReleaseIn,
    Opcode.FSYNC: FsyncIn,
    Opcode.SETXATTR: Setxattr,
    Opcode.GETXATTR: Getxattr,
    Opcode.LISTXATTR: GetxattrIn,
    Opcode.REMOVEXATTR: Removexattr,
    Opcode.FLUSH: FlushIn,
    Opcode.INIT: InitIn,
    Opcode.OPENDIR: OpenIn,
    Opcode.READDIR: ReadIn,
    Opcode.RELEASEDIR: ReleaseIn,
    Opcode.FSYNCDIR: FsyncIn,
    Opcode.GETLK: LkIn,
    Opcode.SETLK: LkIn,
    Opcode.SETLKW: LkIn,
    Opcode.ACCESS: AccessIn,
    Opcode.CREATE: Create,
    Opcode.INTERRUPT: InterruptIn,
    Opcode.BMAP: BmapIn,
    Opcode.DESTROY: Destroy,
    Opcode.IOCTL: IoctlIn,
    Opcode.POLL: PollIn,
    Opcode.NOTIFY_REPLY: NotifyRetrieveIn,
    Opcode.BATCH_FORGET: BatchForgetIn,
    Opcode.FALLOCATE: FallocateIn,
    Opcode.READDIRPLUS: ReadIn,
    Opcode.RENAME2: Rename2,
    Opcode.LSEEK: LseekIn,
    Opcode.COPY_FILE_RANGE: CopyFileRangeIn,
    Opcode.SETUPMAPPING: SetupmappingIn,
    Opcode.REMOVEMAPPING: RemovemappingIn,
    Opcode.SYNCFS: SyncfsIn,
    Opcode.TMPFILE: Create,
    Opcode.STATX: StatxIn,
    Opcode.COPY_FILE_RANGE_64: CopyFileRangeIn,
    Opcode.CUSE_INIT: CuseInitIn,
}
"""The body of each request."""
