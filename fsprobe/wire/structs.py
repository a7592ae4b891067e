"""The structs that several messages share, and the two headers.

Owns their fields, in the kernel's names and order; knows nothing of messages.
Source: include/uapi/linux/fuse.h; sizes of older minors from its FUSE_COMPAT_* constants and changelog.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fsprobe.wire.layout import I32, I64, U16, U32, U64, Code, layout


@layout("fuse_in_header")
@dataclass(frozen=True, slots=True)
class InHeader:
    """Before every request. `total_extlen` counts the extensions in units of 8 bytes (7.38)."""

    len: U32 = 0
    opcode: U32 = 0
    unique: U64 = 0
    nodeid: U64 = 0
    uid: U32 = 0
    gid: U32 = 0
    pid: U32 = 0
    total_extlen: U16 = 0
    padding: U16 = 0


@layout("fuse_out_header")
@dataclass(frozen=True, slots=True)
class OutHeader:
    """Before every reply: `error` is 0 or a negated errno. With unique 0, a notification's code."""

    len: U32 = 0
    error: I32 = 0
    unique: U64 = 0


IN_HEADER = 40
"""Bytes of a request's header."""
OUT_HEADER = 16
"""Bytes of a reply's header."""


@layout("fuse_attr", sizes={0: 80, 9: 88})
@dataclass(frozen=True, slots=True)
class Attr:
    """What stat(2) shows; times in seconds and nanoseconds, blocks of 512 bytes."""

    ino: U64 = 0
    size: U64 = 0
    blocks: U64 = 0
    atime: U64 = 0
    mtime: U64 = 0
    ctime: U64 = 0
    atimensec: U32 = 0
    mtimensec: U32 = 0
    ctimensec: U32 = 0
    mode: U32 = 0
    nlink: U32 = 0
    uid: U32 = 0
    gid: U32 = 0
    rdev: U32 = 0
    blksize: U32 = 0
    flags: U32 = 0


@layout("fuse_sx_time")
@dataclass(frozen=True, slots=True)
class SxTime:
    """A time of statx(2)."""

    tv_sec: I64 = 0
    tv_nsec: U32 = 0
    reserved: I32 = 0


@layout("fuse_statx")
@dataclass(frozen=True, slots=True)
class Statx:
    """What statx(2) shows."""

    mask: U32 = 0
    blksize: U32 = 0
    attributes: U64 = 0
    nlink: U32 = 0
    uid: U32 = 0
    gid: U32 = 0
    mode: U16 = 0
    spare0: U16 = 0
    ino: U64 = 0
    size: U64 = 0
    blocks: U64 = 0
    attributes_mask: U64 = 0
    atime: SxTime = field(default_factory=SxTime)
    btime: SxTime = field(default_factory=SxTime)
    ctime: SxTime = field(default_factory=SxTime)
    mtime: SxTime = field(default_factory=SxTime)
    rdev_major: U32 = 0
    rdev_minor: U32 = 0
    dev_major: U32 = 0
    dev_minor: U32 = 0
    spare2: Annotated[bytes, Code("112s")] = bytes(112)


@layout("fuse_kstatfs", sizes={0: 48, 4: 80})
@dataclass(frozen=True, slots=True)
class Kstatfs:
    """What statfs(2) shows."""

    blocks: U64 = 0
    bfree: U64 = 0
    bavail: U64 = 0
    files: U64 = 0
    ffree: U64 = 0
    bsize: U32 = 0
    namelen: U32 = 0
    frsize: U32 = 0
    padding: U32 = 0
    spare: Annotated[bytes, Code("24s")] = bytes(24)


@layout("fuse_file_lock")
@dataclass(frozen=True, slots=True)
class FileLock:
    """A range (`end` inclusive), F_RDLCK 0, F_WRLCK 1 or F_UNLCK 2, and the holder's pid."""

    start: U64 = 0
    end: U64 = 0
    type: U32 = 0
    pid: U32 = 0


@layout("fuse_forget_one")
@dataclass(frozen=True, slots=True)
class ForgetOne:
    """One node of BATCH_FORGET."""

    nodeid: U64 = 0
    nlookup: U64 = 0


@layout("fuse_removemapping_one")
@dataclass(frozen=True, slots=True)
class RemovemappingOne:
    """One range of REMOVEMAPPING."""

    moffset: U64 = 0
    len: U64 = 0


@layout("fuse_ioctl_iovec")
@dataclass(frozen=True, slots=True)
class IoctlIovec:
    """One piece of memory that an unrestricted ioctl asks for by RETRY."""

    base: U64 = 0
    len: U64 = 0


@layout()
@dataclass(frozen=True, slots=True)
class PruneOne:
    """One node of the notification PRUNE."""

    nodeid: U64 = 0
