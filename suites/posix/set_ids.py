"""WRITE, FALLOCATE, COPY_FILE_RANGE: what an ordinary user changes is set-user-ID and set-group-ID no more."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from fsprobe.checks import OPTIONAL, SHOULD, Skip, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.write.clears-setuid", op="WRITE", level=SHOULD, source="catalogue 3.15.7; man 7 inode", also=("SETATTR",),
    needs=("write",), killers=("GETATTR:attr.mode=0o106777,path=*program", "WRITE:errno=EPERM"),
)
def clears_setuid(m: Mount) -> None:
    """A write by an ordinary user clears set-user-ID and set-group-ID of an executable file."""
    mode = _after(m, lambda fd: os.write(fd, b"data"))
    m.expect_equal(0o777, mode, "the mode after the write", show=oct)


@mount_check(
    "posix.fallocate.clears-setuid", op="FALLOCATE", level=OPTIONAL, source="catalogue 3.30.4; xfstests generic/683",
    needs=("write",), also=("SETATTR", "GETATTR"),
    killers=("GETATTR:attr.mode=0o106777,path=*program", "FALLOCATE:errno=EIO"),
)
def fallocate_clears_setuid(m: Mount) -> None:
    """fallocate by an ordinary user clears set-user-ID and set-group-ID of an executable file, as write does."""

    def change(fd: int) -> None:
        with m.optional(errno.EOPNOTSUPP, errno.ENOSYS, what="fallocate"):
            linux.fallocate(fd, 0, 0, 10_000)

    _expected(m, change)


@mount_check(
    "posix.copy_file_range.clears-setuid", op="COPY_FILE_RANGE", level=SHOULD, needs=("write",),
    source="catalogue 3.15.7, 3.32.4; man 7 inode", also=("SETATTR", "GETATTR", "WRITE"),
    killers=("GETATTR:attr.mode=0o106777,path=*program", "COPY_FILE_RANGE:errno=EIO"),
)
def copy_clears_setuid(m: Mount) -> None:
    """copy_file_range by an ordinary user into an executable file clears its set-user-ID and set-group-ID bits."""
    source = m.open(m.file("source", b"data", mode=0o644))
    _expected(m, lambda fd: os.copy_file_range(source, fd, 4, 0, 0))


def _expected(m: Mount, change: Callable[[int], object]) -> None:
    mode = _after(m, change)
    m.expect(mode == 0o777, "mode 0777", f"{mode:#o}", warn=True)


def _after(m: Mount, change: Callable[[int], object]) -> int:
    """The mode of an ordinary user's program, which had both bits, after that change."""
    path = m.path("program")

    def work() -> int:
        fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o777)
        with m.setup("fchmod"):
            os.fchmod(fd, 0o6777)
        if m.stat(path).permissions != 0o6777:
            raise Skip("set-user-ID and set-group-ID are not kept here")
        change(fd)
        m.close(fd)
        return m.stat(path).permissions

    root = os.geteuid() == 0
    if root:
        m.need("allow_other")
        with m.setup():
            os.chmod(m.dir, 0o777)
    return int(m.fork(work, uid=65534) if root else work())
