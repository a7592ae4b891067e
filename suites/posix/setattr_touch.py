"""SETATTR of times: both ways of giving them, what they leave alone, what outlasts a close, and who may."""

from __future__ import annotations

import errno
import functools
import os
import time

from fsprobe.checks import SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

SECOND = 1_000_000_000
FIVE = 1_500_000_000
NOW, OMIT = (0, linux.UTIME_NOW), (0, linux.UTIME_OMIT)


def is_now(nanoseconds: int) -> bool:
    """Within five seconds of this machine's clock."""
    return abs(time.time() - nanoseconds / SECOND) < 5


@mount_check(
    "posix.setattr.times-ctime", op="SETATTR", source="catalogue 3.4.16; POSIX utimensat", also=("GETATTR",),
    needs=("write",),
    killers=("GETATTR:attr.ctime=+1000,path=*touched,nth=3", "SETATTR:errno=EPERM,path=*touched,nth=2"),
)
def times_ctime(m: Mount) -> None:
    """Setting atime and mtime into the past gives the file a later ctime: that is what betrays it."""
    path = m.file("touched")
    m.expect_ctime_moves(path, lambda: os.utime(path, (FIVE, FIVE)), "utimensat")


@mount_check(
    "posix.setattr.times-omit-mtime", op="SETATTR", source="catalogue 3.4.15; man 2 utimensat", needs=("write",),
    killers=("SETATTR:fake,path=*half,nth=2", "GETATTR:attr.atime=1000000000"),
)
def times_omit_mtime(m: Mount) -> None:
    """atime can be set alone, as touch -a does: mtime stays."""
    path = m.file("half")
    m.age(path)
    linux.utimensat(path, (FIVE, 0), OMIT)
    m.expect_same_mtime(path, "setting atime alone")
    m.expect_equal(FIVE, m.stat(path).atime_ns // SECOND, "atime, which was given")


@mount_check(
    "posix.setattr.times-both-omitted", op="SETATTR", source="catalogue 3.4.15; man 2 utimensat", needs=("write",),
    killers=("GETATTR:attr.mtime=+7,path=*kept,nth=4", "GETATTR:attr.ctime=+7,path=*kept,nth=4"),
)
def times_both_omitted(m: Mount) -> None:
    """UTIME_OMIT for both times succeeds and changes nothing, ctime neither."""
    path = m.file("kept")
    m.age(path)
    before = m.stat(path)
    linux.utimensat(path, OMIT, OMIT)
    after = m.stat(path)
    times = (after.atime_ns, after.mtime_ns, after.ctime_ns)
    m.expect_equal((before.atime_ns, before.mtime_ns, before.ctime_ns), times, "atime, mtime and ctime")


@mount_check(
    "posix.setattr.times-now-and-given", op="SETATTR", source="catalogue 3.4.15; man 2 utimensat", needs=("write",),
    killers=("SETATTR:fake,path=*mixed,nth=2", "GETATTR:attr.mtime=1400000000,path=*mixed,nth=5"), quick=True,
)
def times_now_and_given(m: Mount) -> None:
    """One time can be the present and the other one given, in one call."""
    path = m.file("mixed")
    for atime, mtime in ((NOW, (FIVE, 0)), ((FIVE, 0), NOW)):
        m.age(path)
        linux.utimensat(path, atime, mtime)
        got = m.stat(path)
        for name, asked, seen in (("mtime", mtime, got.mtime_ns), ("atime", atime, got.atime_ns)):
            right = is_now(seen) if asked == NOW else seen == FIVE * SECOND
            one_for_both = name == "atime" and seen == got.mtime_ns
            what = f"{name} {'of the present' if asked == NOW else FIVE}"
            m.expect(right, what, f"{seen / SECOND:.0f}" + ", as mtime" * one_for_both, warn=one_for_both)


@mount_check(
    "posix.setattr.times-by-descriptor", op="SETATTR", source="catalogue 3.4.14; POSIX futimens", also=("UNLINK",),
    needs=("write",), killers=("SETATTR:fake,path=*touched,nth=2", "SETATTR:errno=ENOENT,path=*touched,nth=3"),
)
def times_by_descriptor(m: Mount) -> None:
    """futimens works on a descriptor for reading, and on an open file that was unlinked."""
    path = m.file("touched")
    m.age(path)
    fd = m.open(path)
    os.utime(fd, (FIVE, FIVE + 1))
    m.expect_equal((FIVE + 1) * SECOND, m.stat(path).mtime_ns, "mtime by path")
    with m.setup():
        os.unlink(path)
    os.utime(fd, (FIVE, FIVE + 2))
    m.expect_equal((FIVE + 2) * SECOND, m.stat(fd).mtime_ns, "mtime of the unlinked file")


@mount_check(
    "posix.setattr.times-of-directory", op="SETATTR", source="catalogue 3.4.14; POSIX utimensat", also=("GETATTR",),
    needs=("write",), killers=("SETATTR:fake,path=*folder,nth=2", "GETATTR:attr.mtime=1000000000,path=*folder"),
    quick=True,
)
def times_of_directory(m: Mount) -> None:
    """The times of a directory can be set, stay while it is listed and entered, and move when an entry is made."""
    path = m.subdir("folder")
    inside = m.file("folder/file", b"data")
    m.age(path)
    os.utime(path, (FIVE, FIVE))
    m.expect_equal([b"file"], m.names(path), "the entries")
    m.expect_equal(b"data", m.read(inside), "the content of the file inside")
    m.expect_equal(FIVE * SECOND, m.stat(path).mtime_ns, "mtime of the directory")
    with m.setup():
        m.close(m.open(m.path("folder/new"), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    m.expect(m.stat(path).mtime_ns > FIVE * SECOND, "a newer mtime with a new entry", "the old one")


@mount_check(
    "posix.setattr.times-before-close", op="SETATTR", source="catalogue 3.4.14; POSIX futimens",
    also=("WRITE", "FLUSH", "RELEASE"), needs=("write",),
    killers=("SETATTR:fake,path=*copied,nth=2", "GETATTR:attr.mtime=1000000000,path=*copied"),
)
def times_before_close(m: Mount) -> None:
    """Times set on a written file outlast its close, and a later reading of it: cp -p, tar and rsync set them so."""
    path = m.path("copied")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    m.age(path)
    os.write(fd, b"data" * 3000)
    os.utime(fd, (FIVE, FIVE))
    m.close(fd)
    m.expect_equal(FIVE * SECOND, m.stat(path).mtime_ns, "mtime after close")
    m.expect_equal(12_000, len(m.read(path)), "bytes read")
    m.expect_equal(FIVE * SECOND, m.stat(path).mtime_ns, "mtime after reading")


@mount_check(
    "posix.setattr.times-then-write", op="SETATTR", source="catalogue 3.15.2; POSIX write", also=("WRITE",),
    needs=("write",), killers=("GETATTR:attr.mtime=1400000000,path=*touched", "WRITE:errno=EIO,path=*touched,nth=2"),
)
def times_then_write(m: Mount) -> None:
    """A write after the times were set into the past moves mtime again: make would not rebuild."""
    path = m.file("touched", b"old")
    fd = m.open(path, os.O_WRONLY)
    with m.setup():
        os.utime(path, (FIVE, FIVE))
    os.write(fd, b"new")
    m.close(fd)
    mtime = m.stat(path).mtime_ns
    m.expect(mtime > FIVE * SECOND, "a newer mtime after a write", f"{mtime / SECOND:.9f}")


@mount_check(
    "posix.setattr.times-beyond", op="SETATTR", level=SHOULD, source="catalogue 3.4.16; man 2 utimensat",
    needs=("write",), killers=("SETATTR:errno=EIO,path=*beyond,nth=2", "SETATTR:fake,path=*beyond,nth=2"),
)
def times_beyond(m: Mount) -> None:
    """Times far beyond 2106 and before 1901 are read back, or cut at a limit, or refused; never wrapped around."""
    path = m.file("beyond")
    m.age(path)
    for seconds in (1 << 33, 15_032_385_536, 1 << 36, -(1 << 31) - 1):
        try:
            linux.utimensat(path, (seconds, 0), (seconds, 0))
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOVERFLOW, errno.ERANGE):
                raise
            m.info(f"a time of {seconds} s is refused: {linux.errno_name(error.errno)}")
            continue
        seen = m.stat(path).mtime_ns // SECOND
        if seen != seconds:
            cut = (1 << 31) - 1 <= seen < seconds or 0 > seen > seconds
            m.expect(cut, f"mtime {seconds} or a limit before it", str(seen))
            m.info(f"a time of {seconds} s is cut at {seen} s")


@mount_check(
    "posix.setattr.times-bad-nanoseconds", op="SETATTR", source="catalogue 3.4.17; man 2 utimensat", needs=("write",),
    killers=("GETATTR:attr.mtime=+7,path=*kept,nth=4", "SETATTR:fake,path=*kept,nth=2"),
)
def times_bad_nanoseconds(m: Mount) -> None:
    """A whole second of nanoseconds is EINVAL and changes nothing; one nanosecond less is taken."""
    path = m.file("kept")
    m.age(path)
    with m.raises(errno.EINVAL, what="utimensat with 1000000000 ns"):
        linux.utimensat(path, (0, 0), (0, 1_000_000_000))
    m.expect_same_mtime(path, "a refused utimensat")
    linux.utimensat(path, (FIVE, 0), (FIVE, 999_999_999))
    m.expect_equal(FIVE, m.stat(path).mtime_ns // SECOND, "mtime in seconds")


@mount_check(
    "posix.setattr.times-not-owner", op="SETATTR", source="catalogue 3.4.17; man 2 utimensat",
    needs=("write", "root", "allow_other"), killers=("GETATTR:attr.mtime=+7,path=*theirs,nth=4",),
)
def times_not_owner(m: Mount) -> None:
    """Who may write a file but does not own it cannot give it times, nor set the present for one alone: EPERM."""
    path = m.file("theirs")
    m.chmod(path, 0o666)
    m.age(path)
    for atime, mtime in (((FIVE, 0), (FIVE, 0)), (NOW, OMIT), (OMIT, NOW)):
        with m.raises(errno.EPERM, what="utimensat with given times by another user", warn=(errno.EACCES,)):
            m.fork(functools.partial(linux.utimensat, path, atime, mtime), uid=65534)
    m.expect_same_mtime(path, "a refused utimensat")


@mount_check(
    "posix.setattr.times-now-by-writer", op="SETATTR", source="catalogue 3.4.17; man 2 utimensat",
    needs=("write", "root", "allow_other"),
    killers=("SETATTR:errno=EPERM,path=*theirs,nth=3", "GETATTR:attr.mtime=1000000000,path=*theirs"),
)
def times_now_by_writer(m: Mount) -> None:
    """Who may write a file but does not own it can touch it: both times become the present."""
    path = m.file("theirs")
    m.chmod(path, 0o666)
    m.age(path)
    m.fork(lambda: os.utime(path), uid=65534)
    m.expect_newer(path, "touch by somebody who may write the file")


@mount_check(
    "posix.setattr.times-now-refused", op="SETATTR", source="catalogue 3.4.17; man 2 utimensat",
    needs=("write", "root", "allow_other"), killers=("GETATTR:attr.uid=65534,path=*theirs",),
)
def times_now_refused(m: Mount) -> None:
    """Who may neither write a file nor owns it cannot touch it: EACCES."""
    path = m.file("theirs")
    m.chmod(path, 0o644)
    m.age(path)
    with m.raises(errno.EACCES, what="touch of another user's file", warn=(errno.EPERM,)):
        m.fork(lambda: os.utime(path), uid=65534)
    m.expect_same_mtime(path, "a refused touch")


@mount_check(
    "posix.setattr.times-own-read-only", op="SETATTR", source="catalogue 3.4.17; man 2 utimensat", needs=("write",),
    killers=("GETATTR:attr.mtime=1000000000,path=*mine",),
)
def times_own_read_only(m: Mount) -> None:
    """An owner without privileges can set the times of a file that nobody may write or read: tar unpacks so."""
    path = m.file("mine")
    m.age(path)
    user = m.ordinary(path)
    m.chmod(path, 0)
    m.fork(lambda: os.utime(path, (FIVE, FIVE)), uid=user)
    if m.stat(path).mtime_ns != FIVE * SECOND:
        raise Finding(f"mtime {FIVE}", f"{m.stat(path).mtime_ns / SECOND:.9f}")
