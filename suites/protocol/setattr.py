"""SETATTR: chmod, chown, truncate and utimens are one operation."""

from __future__ import annotations

import os
from errno import EFBIG, EINVAL, ENOSPC

from fsprobe.checks import SHOULD, wire_check
from fsprobe.checks.kernel import Kernel

_TIME = 1_234_567_890
_NEEDS = ("write", "regular-file")


@wire_check(
    "protocol.setattr.mode", op="SETATTR", also=("GETATTR",), source="catalogue 3.4.1", needs=_NEEDS,
    quick=True, main=True,
    killers=("SETATTR:errno=ENOSYS", "SETATTR:errno=EIO", "SETATTR:fake", "SETATTR:attr.mode=0o100000"),
)
def mode(k: Kernel) -> None:
    """A new mode is answered, and GETATTR sees it."""
    node = k.given_file("f", mode=0o644)
    k.expect_equal(0o100600, k.setattr(node, mode=0o100600).mode, "mode in the reply")
    k.expect_equal(0o100600, k.getattr(node).mode, "mode afterwards")


@wire_check(
    "protocol.setattr.size", op="SETATTR", also=("READ", "WRITE"), source="catalogue 3.4.9, 3.4.19", needs=_NEEDS,
    quick=True, killers=("SETATTR:errno=ENOSYS", "SETATTR:fake", "SETATTR:attr.size=+1"),
)
def size(k: Kernel) -> None:
    """A file that shrinks and grows again has zeros where it was cut."""
    node = k.given_file("f", b"abcdef")
    k.expect_equal(3, k.setattr(node, size=3).size, "size in the reply")
    k.expect_equal(6, k.setattr(node, size=6).size, "size in the reply")
    k.expect_equal(b"abc\0\0\0", k.content(node), "content")


@wire_check(
    "protocol.setattr.size-by-handle", op="SETATTR", also=("OPEN",), source="catalogue 3.4.10", needs=_NEEDS,
    killers=("SETATTR:errno=EIO", "SETATTR:fake"), quick=True,
)
def size_by_handle(k: Kernel) -> None:
    """A size set through an open handle is the file's size."""
    node = k.given_file("f", b"abcdef")
    handle = k.open(node, os.O_RDWR)
    k.setattr(node, size=9000, handle=handle)
    k.expect_equal(9000, k.getattr(node).size, "size")
    k.expect_equal(b"abcdef\0\0", k.read(handle, 8), "content")


@wire_check(
    "protocol.setattr.times", op="SETATTR", also=("GETATTR",), source="catalogue 3.4.14", needs=_NEEDS,
    quick=True, killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"),
)
def times(k: Kernel) -> None:
    """atime and mtime are kept to the second, each for itself."""
    node = k.given_file("f")
    k.setattr(node, atime=(_TIME, 123_456_789), mtime=(_TIME + 6, 987_654_321))
    attr = k.getattr(node)
    k.expect_equal((_TIME, _TIME + 6), (attr.atime, attr.mtime), "atime and mtime")
    if (attr.atimensec, attr.mtimensec) != (123_456_789, 987_654_321):
        k.note(f"of .123456789 and .987654321 s were kept .{attr.atimensec:09} and .{attr.mtimensec:09}")


@wire_check(
    "protocol.setattr.one-time", op="SETATTR", also=("GETATTR",), source="catalogue 3.4.15", needs=_NEEDS, quick=True,
    killers=("SETATTR:errno=EIO", "SETATTR:fake"),
)
def one_time(k: Kernel) -> None:
    """Setting mtime alone leaves atime."""
    node = k.given_file("f")
    k.setattr(node, atime=(_TIME, 0), mtime=(_TIME, 0))
    k.setattr(node, mtime=(_TIME + 100, 0))
    attr = k.getattr(node)
    k.expect_equal((_TIME, _TIME + 100), (attr.atime, attr.mtime), "atime and mtime")


@wire_check(
    "protocol.setattr.times-now", op="SETATTR", also=("GETATTR",), source="catalogue 3.4.15", needs=_NEEDS, quick=True,
    killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"),
)
def times_now(k: Kernel) -> None:
    """The present time, as touch sets it, replaces an old one."""
    node = k.given_file("f")
    k.setattr(node, atime=(_TIME, 0), mtime=(_TIME, 0))
    k.expect_equal(_TIME, k.getattr(node).mtime, "mtime before")
    k.setattr(node, now=True)
    attr = k.getattr(node)
    k.expect(min(attr.atime, attr.mtime) > _TIME + 10**7, "atime and mtime about now", f"{attr.atime} and {attr.mtime}")


@wire_check(
    "protocol.setattr.owner", op="SETATTR", source="catalogue 3.4.5", needs=_NEEDS, quick=True,
    killers=("SETATTR:errno=ENOSYS", "SETATTR:errno=EPERM"),
)
def owner(k: Kernel) -> None:
    """A file can be given to the owner and group that it has."""
    node = k.given_file("f")
    before = k.getattr(node)
    after = k.setattr(node, uid=before.uid, gid=before.gid)
    k.expect_equal((before.uid, before.gid), (after.uid, after.gid), "owner and group")


@wire_check(
    "protocol.setattr.directory", op="SETATTR", also=("MKDIR",), source="catalogue 3.4.1", needs=("write", "mkdir"),
    killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"), quick=True,
)
def directory(k: Kernel) -> None:
    """A directory's mode can be changed too."""
    node = k.given_dir("d")
    k.setattr(node, mode=0o40700)
    k.expect_equal(0o40700, k.getattr(node).mode, "mode")


@wire_check(
    "protocol.setattr.huge-size", op="SETATTR", source="catalogue 3.4.12", needs=_NEEDS, level=SHOULD, quick=True,
    extreme=True, killers=("SETATTR:crash", "SETATTR:errno=EIO", "vexfs:crash-on-truncate"),
)
def huge_size(k: Kernel) -> None:
    """A size of 2^63-1 gives EFBIG or a sparse file; the daemon neither dies nor allocates it."""
    node = k.given_file("f")
    try:
        k.setattr(node, size=2**63 - 1)
    except OSError as error:
        if error.errno not in (EFBIG, EINVAL, ENOSPC):
            raise
        k.note(f"a size of 2^63-1: {error.strerror}")
    k.getattr(node)
