"""STATX: birth time, and the same as stat."""

from __future__ import annotations

import os

from fsprobe.checks import SHOULD, Unsupported, linux, mount_check
from fsprobe.checks.mount import Mount

WITH_BIRTH = linux.STATX_BASIC_STATS | linux.STATX_BTIME


@mount_check(
    "posix.statx.agrees", op="STATX", source="catalogue 3.34.1; man 2 statx", main=True, quick=True, also=("GETATTR",),
    needs=("write",), killers=("STATX:errno=EIO", "GETATTR:attr.size=+1,path=*file"),
)
def agrees(m: Mount) -> None:
    """statx with the birth time asked for works, and agrees with stat in everything else."""
    path = m.file("file", b"data")
    got, plain = m.stat(path, mask=WITH_BIRTH), m.stat(path)
    for name in ("mode", "nlink", "uid", "gid", "ino", "size", "mtime_ns"):
        m.expect_equal(getattr(plain, name), getattr(got, name), name)
    m.expect_equal(4, got.size, "the size")
    m.info("birth time: " + ("kept" if got.btime_ns else "not kept"))


@mount_check(
    "posix.statx.birth-time", op="STATX", level=SHOULD, source="catalogue 3.34.2", also=("RENAME", "WRITE"),
    needs=("write",), killers=("STATX:errno=EIO",),
)
def birth_time(m: Mount) -> None:
    """The birth time stays as it is when a file is written, dated back and renamed."""
    path, new = m.file("file", b"data"), m.path("new")
    born = m.stat(path, mask=WITH_BIRTH).btime_ns
    if not born:
        raise Unsupported("birth time: not kept")
    with m.setup():
        fd = m.open(path, os.O_WRONLY)
        os.write(fd, b"changed")
        os.utime(fd, ns=(0, 0))
        os.rename(path, new)
    m.expect_equal(born, m.stat(new, mask=WITH_BIRTH).btime_ns, "the birth time in nanoseconds")
