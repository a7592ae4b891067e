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


@mount_check(
    "posix.statx.of-each-type", op="STATX", source="catalogue 3.34.2; man 2 statx", also=("GETATTR",), needs=("write",),
    killers=("STATX:errno=EIO", "GETATTR:attr.nlink=+1", "STATX:errno=EINVAL"),
)
def of_each_type(m: Mount) -> None:
    """statx with the birth time asked for agrees with lstat for a directory, and for a symbolic link itself."""
    paths = [m.subdir("folder")]
    if not m.features.get("symlink"):
        paths.append(m.link_to("some/where", "link"))
    for path in paths:
        got, plain = m.stat(path, follow=False, mask=WITH_BIRTH), m.stat(path, follow=False)
        for name in ("mode", "nlink", "uid", "gid", "ino", "mtime_ns", "ctime_ns"):
            m.expect_equal(getattr(plain, name), getattr(got, name), f"{name} of {os.path.basename(path)}")
    if len(paths) > 1:
        m.expect_equal(10, m.stat(paths[1], follow=False, mask=WITH_BIRTH).size, "the size of the link")
    links = m.stat(paths[0], mask=WITH_BIRTH).nlink
    m.expect(links in (1, 2), "1 or 2 links of an empty directory", str(links))


@mount_check(
    "posix.statx.unlinked-open", op="STATX", source="catalogue 3.34.1, 3.3.3; man 2 statx", also=("GETATTR", "UNLINK"),
    needs=("write",), killers=("STATX:errno=EIO", "STATX:errno=ENOENT", "GETATTR:attr.size=+1"),
)
def unlinked_open(m: Mount) -> None:
    """statx with the birth time asked for works by the descriptor of a file that has no name any more."""
    path = m.file("file", b"data")
    fd = m.open(path, os.O_RDWR)
    with m.setup():
        os.unlink(path)
    got, plain = m.stat(fd, mask=WITH_BIRTH), m.stat(fd)
    m.expect_equal((4, 4), (got.size, plain.size), "the sizes by statx and by fstat")
    m.expect_equal((plain.mode, plain.ino), (got.mode, got.ino), "mode and number")


@mount_check(
    "posix.statx.born-first", op="STATX", level=SHOULD, source="catalogue 3.34.2; man 2 statx", needs=("write",),
    also=("CREATE",), killers=("STATX:errno=EIO",),
)
def born_first(m: Mount) -> None:
    """A new file is born within 5 s of its mtime and not after its ctime, and one made later not before it."""
    first = m.stat(m.file("first", b"data"), mask=WITH_BIRTH)
    second = m.stat(m.file("second", b"data"), mask=WITH_BIRTH)
    if not first.btime_ns or not second.btime_ns:
        raise Unsupported("birth time: not kept")
    apart = (first.mtime_ns - first.btime_ns) / 1e9
    m.expect(abs(apart) < 5.0, "birth within 5 s of mtime", f"{apart:.3f} s before it")
    m.expect(first.btime_ns <= first.ctime_ns, "birth not after ctime",
             f"{(first.btime_ns - first.ctime_ns) / 1e9:.9f} s after it")
    m.expect(first.btime_ns <= second.btime_ns, "the second file not born before the first",
             f"{(first.btime_ns - second.btime_ns) / 1e9:.9f} s before it")
