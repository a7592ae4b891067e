"""OPEN: opening files, and the flags the daemon has to honour."""

from __future__ import annotations

import errno
import functools
import os

from fsprobe.checks import Finding, Skip, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.open.existing", op="OPEN", source="catalogue 3.13; POSIX open", main=True, quick=True, also=("READ",),
    needs=("write",),
    killers=("OPEN:errno=EIO,path=*existing", "READ:errno=EBADF", "OPEN:errno=EACCES,path=*existing"),
)
def existing(m: Mount) -> None:
    """An existing file can be opened for reading, for writing and for both."""
    path = m.file("existing", b"data")
    for flags in (os.O_RDONLY, os.O_RDWR):
        m.expect_equal(b"data", m.pread(m.open(path, flags), 100, 0), "the content")
    fd = m.open(path, os.O_WRONLY)
    with m.raises(errno.EBADF, what="read of a descriptor opened for writing"):
        os.read(fd, 1)


@mount_check(
    "posix.open.truncate", op="OPEN", source="catalogue 3.13.2; POSIX open", quick=True, also=("SETATTR",),
    needs=("write",), killers=("GETATTR:attr.size=+1", "READ:flip"),
)
def truncate(m: Mount) -> None:
    """O_TRUNC empties the file, for other descriptors too, and the old data never comes back."""
    path = m.file("emptied", b"old data")
    other = m.open(path)
    fd = m.open(path, os.O_WRONLY | os.O_TRUNC)
    m.expect_equal(0, m.stat(path).size, "the size after O_TRUNC")
    m.expect_equal(0, os.fstat(other).st_size, "the size by another descriptor")
    os.pwrite(fd, b"x", 4)
    m.close(fd)
    m.expect_equal(b"\0\0\0\0x", m.read(path), "the content after a write at offset 4")


@mount_check(
    "posix.open.append", op="OPEN", source="catalogue 3.13.3; POSIX open", quick=True, also=("WRITE",),
    needs=("write",), killers=("WRITE:fake", "WRITE:short", "WRITE:flip"),
)
def append(m: Mount) -> None:
    """Two descriptors with O_APPEND in turn write one after the other and overwrite nothing."""
    path = m.file("log")
    one, two = m.open(path, os.O_WRONLY | os.O_APPEND), m.open(path, os.O_WRONLY | os.O_APPEND)
    for fd, data in ((one, b"11"), (two, b"22"), (one, b"33"), (two, b"44")):
        m.expect_equal(2, os.write(fd, data), "bytes written")
    m.expect_equal(b"11223344", m.read(path), "the content")


@mount_check(
    "posix.open.mode-zero", op="OPEN", source="catalogue 3.13.4; POSIX open", also=("CREATE", "READ", "WRITE"),
    needs=("write",), killers=("WRITE:errno=EACCES", "READ:errno=EACCES"), quick=True,
)
def mode_zero(m: Mount) -> None:
    """The descriptor that created a file with mode 0 can write and read it."""
    fd = m.open(m.path("closed"), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0)
    os.write(fd, b"data")
    m.expect_equal(b"data", m.pread(fd, 100, 0), "the content")


@mount_check(
    "posix.open.many", op="OPEN", source="catalogue 3.13.6", also=("RELEASE", "CREATE"), needs=("write",),
    killers=("OPEN:errno=EMFILE,path=*same,nth=40", "CREATE:errno=ENFILE,path=*f39"),
)
def many(m: Mount) -> None:
    """Sixty descriptors of one file and forty files open at once all read right."""
    path = m.file("same", b"data")
    same = [m.open(path) for _ in range(60)]
    for number in range(40):
        fd = m.open(m.path(f"f{number}"), os.O_CREAT | os.O_EXCL | os.O_RDWR)
        os.write(fd, b"%d" % number)
    for fd in same:
        m.expect_equal(b"data", os.pread(fd, 100, 0), "the content")


@mount_check(
    "posix.open.changes-nothing", op="OPEN", source="catalogue 3.13.1; POSIX open", main=True, also=("READ",),
    needs=("write",), killers=("READ:flip", "OPEN:errno=EIO"),
)
def changes_nothing(m: Mount) -> None:
    """Opening for writing without O_TRUNC, and closing again, leaves content and size."""
    path = m.file("kept", b"content that stays")
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND):
        m.close(m.open(path, flags))
        m.expect_equal(b"content that stays", m.read(path), "the content after open and close")


@mount_check(
    "posix.open.execute", op="OPEN", source="catalogue 3.13.5", also=("READ", "RELEASE"), needs=("write",),
    killers=("READ:errno=EIO,path=*script", "READ:flip,path=*script", "OPEN:errno=EACCES,path=*script"),
)
def execute(m: Mount) -> None:
    """A script can be run at once after it was written and closed, time and again."""
    if os.statvfs(m.root).f_flag & os.ST_NOEXEC:
        m.info("mounted noexec: not run")
        return

    def run(path: str) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(path, [path], {}), 0)[1])

    for number in range(3):
        path = m.file(f"{number}.script", b"#!/bin/sh\nexit 7\n", mode=0o755)
        if not m.stat(path).mode & 0o100:
            raise Skip("files cannot be executable here: the mode asked for is not kept")
        try:
            status = m.fork(functools.partial(run, path))
        except OSError as error:
            raise Finding("the script to run", linux.errno_name(error.errno or 0)) from error
        m.expect_equal(7, status, "the exit status of the script")
