"""SETATTR: utimensat, which touch, cp -p, tar and rsync rely on."""

from __future__ import annotations

import os
import time
from fractions import Fraction

from fsprobe.checks import SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

SECOND = 1_000_000_000
GRANULARITIES = {1: "1 ns", 100: "100 ns", 1000: "1 us", 1_000_000: "1 ms", SECOND: "1 s", 2 * SECOND: "2 s"}


def _as_double(nanoseconds: int) -> int:
    """What is left of a time that somebody kept as seconds in a double: 119 ns or so are lost."""
    return int(Fraction(nanoseconds / SECOND) * SECOND)


@mount_check(
    "posix.setattr.times", op="SETATTR", source="catalogue 3.4.14; POSIX utimensat", quick=True, needs=("write",),
    killers=("SETATTR:fake", "SETATTR:errno=ENOSYS", "GETATTR:attr.mtime=+1", "GETATTR:attr.mtimensec=+11"),
)
def times(m: Mount) -> None:
    """Times set by utimensat are read back, at the granularity of the file system."""
    path = m.file("timed")
    atime, mtime = 1234567890 * SECOND + 123456789, 987654321 * SECOND + 987654321
    os.utime(path, ns=(atime, mtime))
    got = m.stat(path)
    if got.mtime_ns != mtime and abs(got.mtime_ns - _as_double(mtime)) <= 1:
        told = f"{got.mtime_ns}: it went through a floating-point number of seconds (fusepy: set use_ns = True)"
        raise Finding(f"mtime in nanoseconds {mtime}", told, warn=True)
    step = next((step for step in GRANULARITIES if got.mtime_ns == mtime // step * step), 1)
    m.expect_equal(mtime // step * step, got.mtime_ns, "mtime in nanoseconds")
    if step > 1:
        m.info(f"times are kept at {GRANULARITIES[step]}")
    if got.atime_ns == got.mtime_ns:
        raise Finding("atime beside mtime", "one time for both", warn=True)
    m.expect(any(got.atime_ns == atime // step * step for step in GRANULARITIES), f"atime {atime}", str(got.atime_ns))


@mount_check(
    "posix.setattr.times-omit", op="SETATTR", source="catalogue 3.4.15; man 2 utimensat", needs=("write",), quick=True,
    killers=("SETATTR:fake,path=*half,nth=2", "GETATTR:attr.mtime=1000000000"),
)
def times_omit(m: Mount) -> None:
    """UTIME_OMIT leaves that time alone and sets the other."""
    path = m.file("half")
    m.age(path)
    old = m.stat(path)
    linux.utimensat(path, (0, linux.UTIME_OMIT), (1_500_000_000, 0))
    got = m.stat(path)
    m.expect_equal(1_500_000_000 * SECOND, got.mtime_ns, "mtime, which was given")
    m.expect_equal(old.atime_ns, got.atime_ns, "atime, which was omitted", warn=True)


@mount_check(
    "posix.setattr.times-now", op="SETATTR", source="catalogue 3.4.15; POSIX utimensat", quick=True, needs=("write",),
    killers=("GETATTR:attr.mtime=1000000000", "SETATTR:fake,path=*touched,nth=2"),
)
def times_now(m: Mount) -> None:
    """UTIME_NOW, which touch uses, sets the present time."""
    path = m.file("touched")
    m.age(path)
    before = time.time()
    os.utime(path)
    mtime = m.stat(path).mtime_ns / SECOND
    near = before - 2 <= mtime <= time.time() + 2
    m.expect(near, "mtime within 2 s of the clock", f"{mtime - before:+.3f} s from it")


@mount_check(
    "posix.setattr.times-far", op="SETATTR", level=SHOULD, source="catalogue 3.4.16", needs=("write",),
    killers=("SETATTR:fake", "GETATTR:attr.mtime=+1"),
)
def times_far(m: Mount) -> None:
    """Times before 1970 and after 2038 can be set and are read back."""
    path = m.file("far")
    for seconds in (-1, 2208988800):
        os.utime(path, ns=(seconds * SECOND, seconds * SECOND))
        m.expect_equal(seconds * SECOND, m.stat(path).mtime_ns, "mtime in nanoseconds")


@mount_check(
    "posix.setattr.times-of-symlink", op="SETATTR", source="catalogue 3.4.18; POSIX utimensat",
    needs=("write", "symlink"), killers=("SETATTR:fake,path=*link", "SETATTR:errno=EIO,path=*link"),
)
def times_of_symlink(m: Mount) -> None:
    """utimensat with AT_SYMLINK_NOFOLLOW changes the times of the link and not of its target."""
    path = m.file("target")
    link = m.link_to(os.path.basename(path), "link")
    m.age(path)
    os.utime(link, ns=(1_000_000_000 * SECOND, 1_000_000_000 * SECOND), follow_symlinks=False)
    m.expect_equal(1_000_000_000 * SECOND, m.stat(link, follow=False).mtime_ns, "mtime of the link")
    m.expect_same_mtime(path, "utimensat of a link to it")


@mount_check(
    "posix.setattr.times-close-to-clock", op="CREATE", source="catalogue 3.36 timestamps", also=("GETATTR", "WRITE"),
    needs=("write",), killers=("GETATTR:attr.mtime=1000000000", "GETATTR:attr.ctime=-100"), quick=True,
)
def times_close_to_clock(m: Mount) -> None:
    """A new file's atime, mtime and ctime are within 2 s of this machine's clock."""
    before = time.time() - 2
    got = m.stat(m.file("fresh", b"data"))
    after = time.time() + 2
    for name, value in (("atime", got.atime_ns), ("mtime", got.mtime_ns), ("ctime", got.ctime_ns)):
        if not before <= value / SECOND <= after:
            raise Finding(f"{name} within 2 s of the clock", f"{value / SECOND - before - 2:+.3f} s from it")
