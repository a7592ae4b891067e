"""The body of every successful reply, and the table from opcode to body.

Owns the replies' fields, in the kernel's names and order on the wire; knows nothing of headers or
requests. Source: include/uapi/linux/fuse.h, fs/fuse/dir.c, file.c, readdir.c, xattr.c, ioctl.c, inode.c.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fsprobe.wire.layout import I32, U16, U32, U64, Code, Inline, Tailing, layout
from fsprobe.wire.opcodes import Opcode
from fsprobe.wire.structs import Attr, FileLock, Kstatfs, Statx


@layout("fuse_entry_out", sizes={0: 120, 9: 128})
@dataclass(frozen=True, slots=True)
class EntryOut:
    """LOOKUP, SYMLINK, MKNOD, MKDIR, LINK: the node that a name leads to. nodeid 0: there is none."""

    nodeid: U64 = 0
    generation: U64 = 0
    entry_valid: U64 = 0
    attr_valid: U64 = 0
    entry_valid_nsec: U32 = 0
    attr_valid_nsec: U32 = 0
    attr: Attr = field(default_factory=Attr)


@layout("fuse_attr_out", sizes={0: 96, 9: 104})
@dataclass(frozen=True, slots=True)
class AttrOut:
    """GETATTR and SETATTR."""

    attr_valid: U64 = 0
    attr_valid_nsec: U32 = 0
    dummy: U32 = 0
    attr: Attr = field(default_factory=Attr)


@layout()
@dataclass(frozen=True, slots=True)
class ReadlinkOut:
    """READLINK: the text, without a terminator."""

    target: Tailing = b""


@layout("fuse_open_out")
@dataclass(frozen=True, slots=True)
class OpenOut:
    """OPEN and OPENDIR; `open_flags` are OpenFlag. `backing_id` was padding before 7.40."""

    fh: U64 = 0
    open_flags: U32 = 0
    backing_id: I32 = 0


@layout()
@dataclass(frozen=True, slots=True)
class CreateOut:
    """CREATE and TMPFILE: the new node, opened."""

    entry: Annotated[EntryOut, Inline(EntryOut)] = field(default_factory=EntryOut)
    open: Annotated[OpenOut, Inline(OpenOut)] = field(default_factory=OpenOut)


@layout()
@dataclass(frozen=True, slots=True)
class DataOut:
    """READ, and GETXATTR or LISTXATTR with a size: bytes, no more than were asked for."""

    data: Tailing = b""


@layout("fuse_write_out")
@dataclass(frozen=True, slots=True)
class WriteOut:
    """WRITE and COPY_FILE_RANGE: bytes taken."""

    size: U32 = 0
    padding: U32 = 0


@layout("fuse_statfs_out", sizes={0: 48, 4: 80})
@dataclass(frozen=True, slots=True)
class StatfsOut:
    """STATFS."""

    st: Kstatfs = field(default_factory=Kstatfs)


@layout("fuse_getxattr_out")
@dataclass(frozen=True, slots=True)
class GetxattrOut:
    """GETXATTR or LISTXATTR with size 0: the size needed."""

    size: U32 = 0
    padding: U32 = 0


@layout("fuse_init_out", sizes={0: 8, 5: 24, 23: 64}, any_size=True)
@dataclass(frozen=True, slots=True)
class InitOut:
    """INIT. The kernel takes any shorter reply and reads the rest as 0."""

    major: U32 = 7
    minor: U32 = 0
    max_readahead: U32 = 0
    flags: U32 = 0
    max_background: U16 = 0
    congestion_threshold: U16 = 0
    max_write: U32 = 0
    time_gran: U32 = 0
    max_pages: U16 = 0
    map_alignment: U16 = 0
    flags2: U32 = 0
    max_stack_depth: U32 = 0
    request_timeout: U16 = 0
    unused: Annotated[bytes, Code("22s")] = bytes(22)


@layout("fuse_lk_out")
@dataclass(frozen=True, slots=True)
class LkOut:
    """GETLK: the lock in the way, or type F_UNLCK 2."""

    lk: FileLock = field(default_factory=FileLock)


@layout("fuse_bmap_out")
@dataclass(frozen=True, slots=True)
class BmapOut:
    """BMAP."""

    block: U64 = 0


@layout("fuse_ioctl_out")
@dataclass(frozen=True, slots=True)
class IoctlOut:
    """IOCTL, with the data that the command passes out (or, with RETRY, the iovecs it wants)."""

    result: I32 = 0
    flags: U32 = 0
    in_iovs: U32 = 0
    out_iovs: U32 = 0
    data: Tailing = b""


@layout("fuse_poll_out")
@dataclass(frozen=True, slots=True)
class PollOut:
    """POLL."""

    revents: U32 = 0
    padding: U32 = 0


@layout("fuse_lseek_out")
@dataclass(frozen=True, slots=True)
class LseekOut:
    """LSEEK."""

    offset: U64 = 0


@layout("fuse_statx_out")
@dataclass(frozen=True, slots=True)
class StatxOut:
    """STATX."""

    attr_valid: U64 = 0
    attr_valid_nsec: U32 = 0
    flags: U32 = 0
    spare: Annotated[bytes, Code("16s")] = bytes(16)
    stat: Statx = field(default_factory=Statx)


@layout("fuse_copy_file_range_out")
@dataclass(frozen=True, slots=True)
class CopyFileRangeOut:
    """COPY_FILE_RANGE_64: bytes taken."""

    bytes_copied: U64 = 0


@layout("cuse_init_out")
@dataclass(frozen=True, slots=True)
class CuseInitOut:
    """CUSE_INIT, with `DEVNAME=…` and other settings, each ended by NUL."""

    major: U32 = 7
    minor: U32 = 0
    unused: U32 = 0
    flags: U32 = 0
    max_read: U32 = 0
    max_write: U32 = 0
    dev_major: U32 = 0
    dev_minor: U32 = 0
    spare: Annotated[bytes, Code("40s")] = bytes(40)
    info: Tailing = b""


@dataclass(frozen=True, slots=True)
class Dirent:
    """One entry of a directory. `off` is the place to go on behind it, `type` the mode's bits 12 to 15."""

    ino: int = 0
    off: int = 0
    type: int = 0
    name: bytes = b""


@dataclass(frozen=True, slots=True)
class DirentPlus:
    """One entry with what a LOOKUP of it would have said; nodeid 0: no attributes, no lookup counted."""

    entry: EntryOut = field(default_factory=EntryOut)
    dirent: Dirent = field(default_factory=Dirent)


@dataclass(frozen=True, slots=True)
class DirentList:
    """READDIR."""

    entries: tuple[Dirent, ...] = ()


@dataclass(frozen=True, slots=True)
class DirentPlusList:
    """READDIRPLUS."""

    entries: tuple[DirentPlus, ...] = ()


REPLIES: dict[Opcode, type[Any] | None] = {
    Opcode.LOOKUP: EntryOut,
    Opcode.FORGET: None,
    Opcode.GETATTR: AttrOut,
    Opcode.SETATTR: AttrOut,
    Opcode.READLINK: ReadlinkOut,
    Opcode.SYMLINK: EntryOut,
    Opcode.MKNOD: EntryOut,
    Opcode.MKDIR: EntryOut,
    Opcode.UNLINK: None,
    Opcode.RMDIR: None,
    Opcode.RENAME: None,
    Opcode.LINK: EntryOut,
    Opcode.OPEN: OpenOut,
    Opcode.READ: DataOut,
    Opcode.WRITE: WriteOut,
    Opcode.STATFS: StatfsOut,
    Opcode.RELEASE: None,
    Opcode.FSYNC: None,
    Opcode.SETXATTR: None,
    Opcode.GETXATTR: DataOut,
    Opcode.LISTXATTR: DataOut,
    Opcode.REMOVEXATTR: None,
    Opcode.FLUSH: None,
    Opcode.INIT: InitOut,
    Opcode.OPENDIR: OpenOut,
    Opcode.READDIR: DirentList,
    Opcode.RELEASEDIR: None,
    Opcode.FSYNCDIR: None,
    Opcode.GETLK: LkOut,
    Opcode.SETLK: None,
    Opcode.SETLKW: None,
    Opcode.ACCESS: None,
    Opcode.CREATE: CreateOut,
    Opcode.INTERRUPT: None,
    Opcode.BMAP: BmapOut,
    Opcode.DESTROY: None,
    Opcode.IOCTL: IoctlOut,
    Opcode.POLL: PollOut,
    Opcode.NOTIFY_REPLY: None,
    Opcode.BATCH_FORGET: None,
    Opcode.FALLOCATE: None,
    Opcode.READDIRPLUS: DirentPlusList,
    Opcode.RENAME2: None,
    Opcode.LSEEK: LseekOut,
    Opcode.COPY_FILE_RANGE: WriteOut,
    Opcode.SETUPMAPPING: None,
    Opcode.REMOVEMAPPING: None,
    Opcode.SYNCFS: None,
    Opcode.TMPFILE: CreateOut,
    Opcode.STATX: StatxOut,
    Opcode.COPY_FILE_RANGE_64: CopyFileRangeOut,
    Opcode.CUSE_INIT: CuseInitOut,
}
"""The body of each successful reply, None where it is the header alone (or, NO_REPLY, where none is due).

GETXATTR and LISTXATTR answer GetxattrOut instead where the request's size was 0.
"""
