"""A full file system: what is said of it, and that there is room again when something is removed.

Only where it is small and next to nothing is on it, as nobody else's writing may fail for it; else fsprobe says so.
"""

from __future__ import annotations

import errno
import os

from fsprobe.checks import Finding, Skip, linux, mount_check
from fsprobe.checks.mount import Mount

MIB = 1 << 20
SMALL = 64 * MIB
PIECE = 256 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT)


def room(m: Mount) -> int:
    """Bytes that may be filled. Raises Skip where that would take long, or is somebody's disk."""
    told = os.statvfs(m.dir)
    whole, free = told.f_blocks * told.f_frsize, told.f_bfree * told.f_frsize
    if not 0 < whole <= SMALL or whole - free > whole // 4 or free < MIB:
        told_size = f"{whole // MIB:,} MiB, {free // MIB:,} free" if whole else "its size is not told"
        raise Skip(f"filled only where at most {SMALL // MIB} MiB in size and nearly empty, so that nobody else finds "
                   f"it full ({told_size}): mount a small one, e.g. on a tmpfs with size=32m")  # fmt: skip
    return free


def fill(m: Mount, name: str, limit: int) -> tuple[int, bytes, int]:
    """Write until told that it is full, by write or by fsync: descriptor, one piece of the data, and the bytes that
    have to be there. A write that is only cached may be taken and lost, of which fsync then tells."""
    fd, piece, taken, synced = m.open(m.path(name), os.O_CREAT | os.O_EXCL | os.O_RDWR), m.rng.randbytes(PIECE), 0, 0
    while taken <= limit + 8 * MIB:
        syncing = taken >= synced + 8 * PIECE
        try:
            if syncing:
                os.fsync(fd)
                synced = taken
            else:
                taken += os.write(fd, piece[taken % PIECE :])
        except OSError as error:
            if error.errno in FULL:
                return fd, piece, synced if syncing else taken
            raise Finding("ENOSPC from write or fsync on a full disk", linux.errno_name(error.errno or 0)) from error
    raise Finding("ENOSPC when as much was written as statfs calls free", f"{taken:,} bytes taken, {limit:,} were free",
                  warn=True)  # fmt: skip


@mount_check(
    "posix.full.write", op="WRITE", source="catalogue 3.15.8; POSIX write", also=("STATFS", "READ", "FSYNC"),
    needs=("write",), killers=("WRITE:fake", "WRITE:map=ENOSPC>EIO", "READ:flip"),
)
def full_write(m: Mount) -> None:
    """A full disk is ENOSPC for who writes, at the latest by fsync; everything written before is there."""
    limit = room(m)
    fd, piece, taken = fill(m, "large", limit)
    try:
        size = m.stat(fd).size
        m.expect(size >= taken, f"a size of at least the {taken:,} bytes that were taken", f"{size:,} bytes")
        pieces = range(0, taken, PIECE)
        for offset in (*pieces[:: max(1, len(pieces) // 8)], *pieces[-1:]):
            whole = piece[: taken - offset]
            m.expect_equal(whole, m.pread(fd, len(whole), offset), f"the content at {offset}")
    finally:
        os.ftruncate(fd, 0)


@mount_check(
    "posix.full.room-again", op="UNLINK", source="catalogue 3.8.6, 3.15.8; POSIX unlink", also=("WRITE", "RELEASE"),
    needs=("write",), killers=("UNLINK:fake,path=*large", "WRITE:errno=ENOSPC,path=*second", "RELEASE:drop"),
)
def room_again(m: Mount) -> None:
    """After a file that filled the disk is removed and closed, another one can be as large."""
    limit = room(m)
    fd, _, taken = fill(m, "large", limit)
    os.unlink(m.path("large"))
    m.close(fd)
    for _ in range(50):  # RELEASE comes when it comes: each round trip gives it time
        if os.statvfs(m.dir).f_bfree:
            break
    fd, _, again = fill(m, "second", limit)
    os.ftruncate(fd, 0)
    m.expect(again >= taken - 2 * MIB, f"about {taken:,} bytes written again", f"{again:,} bytes")
