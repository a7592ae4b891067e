"""STATFS: how large and how full."""

from __future__ import annotations

import os

from fsprobe.checks import SHOULD, Finding, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.statfs.sane", op="STATFS", source="catalogue 3.16.1; POSIX statvfs", main=True, quick=True,
    killers=("STATFS:errno=ENOSYS", "STATFS:errno=EIO"),
)
def sane(m: Mount) -> None:
    """statfs of the root works, with a block size, and no more free than there is."""
    got = os.statvfs(m.root)
    m.expect(got.f_bsize > 0 and got.f_frsize > 0, "a block size", f"f_bsize {got.f_bsize}, f_frsize {got.f_frsize}")
    m.expect(got.f_blocks >= got.f_bfree >= got.f_bavail, "f_blocks >= f_bfree >= f_bavail",
             f"{got.f_blocks}, {got.f_bfree}, {got.f_bavail}")
    m.expect(got.f_files >= got.f_ffree, "f_files >= f_ffree", f"{got.f_files}, {got.f_ffree}")
    if got.f_blocks == 0:
        raise Finding("a size of the file system", "0 blocks: df hides it and installers refuse it", warn=True)


@mount_check(
    "posix.statfs.everywhere", op="STATFS", source="catalogue 3.16.2; POSIX fstatvfs", needs=("write",),
    killers=("STATFS:errno=EIO", "STATFS:errno=ENOENT,path=*file"),
)
def everywhere(m: Mount) -> None:
    """statfs works on a file, a directory and an open descriptor, and says the same block size."""
    path = m.file("file")
    sizes = {os.statvfs(where).f_frsize for where in (m.root, os.path.dirname(path), path, m.open(path))}
    m.expect(len(sizes) == 1, "one block size", str(sorted(sizes)))


@mount_check(
    "posix.statfs.longest-name", op="STATFS", level=SHOULD, source="catalogue 3.16.1", killers=("STATFS:errno=EIO",),
)
def longest_name(m: Mount) -> None:
    """statfs says how long a name may be."""
    longest = os.statvfs(m.root).f_namemax
    m.expect(8 <= longest <= 4096, "f_namemax from 8 to 4096", str(longest))


@mount_check(
    "posix.statfs.unlinked", op="STATFS", source="catalogue 3.16.2; POSIX fstatvfs", also=("UNLINK",), needs=("write",),
    level=SHOULD,
    killers=("STATFS:errno=EIO", "STATFS:errno=ENOENT"),
)
def unlinked(m: Mount) -> None:
    """fstatvfs works on an open file that has no name any more, and says what it said before."""
    path = m.file("file", b"data")
    fd = m.open(path)
    before = os.fstatvfs(fd)
    with m.setup():
        os.unlink(path)
    after = os.fstatvfs(fd)
    m.expect_equal(before.f_frsize, after.f_frsize, "the block size")
    m.expect_equal(before.f_blocks, after.f_blocks, "the number of blocks")


@mount_check(
    "posix.statfs.countable", op="STATFS", level=SHOULD, source="catalogue 3.16.3; POSIX statvfs",
    killers=("STATFS:errno=EIO",),
)
def countable(m: Mount) -> None:
    """The size in bytes, blocks times block size, fits a signed 64-bit number: df, du and installers multiply them."""
    got = os.statvfs(m.root)
    for name, blocks in (("f_blocks", got.f_blocks), ("f_bfree", got.f_bfree), ("f_bavail", got.f_bavail)):
        m.expect(blocks * got.f_frsize < 1 << 63, f"{name} times f_frsize below 2^63", f"{blocks} times {got.f_frsize}")
    m.expect(got.f_ffree < 1 << 63, "f_ffree below 2^63", str(got.f_ffree))
