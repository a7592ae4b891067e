"""RMDIR: removing directories."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.rmdir.removes", op="RMDIR", source="catalogue 3.9; POSIX rmdir", main=True, quick=True, also=("LOOKUP",),
    needs=("write",), killers=("RMDIR:fake", "RMDIR:errno=ENOSYS", "RMDIR:errno=EIO", "vexfs:after-fix"),
)
def removes(m: Mount) -> None:
    """After rmdir an empty directory is gone, for stat and in the listing."""
    path = m.subdir("victim")
    os.rmdir(path)
    with m.raises(errno.ENOENT, what="stat after rmdir"):
        os.stat(path)
    m.expect(not m.listed(path), "the directory not to be listed", "it is")


@mount_check(
    "posix.rmdir.not-empty", op="RMDIR", source="catalogue 3.9.1; POSIX rmdir", quick=True, needs=("write",),
    killers=("RMDIR:fake", "RMDIR:map=ENOTEMPTY>EIO"),
)
def not_empty(m: Mount) -> None:
    """rmdir of a directory that holds a file is ENOTEMPTY, and the file stays."""
    top = m.subdir("full")
    path = m.file("full/file", b"kept")
    with m.raises(errno.ENOTEMPTY, errno.EEXIST, what="rmdir of a directory that is not empty"):
        os.rmdir(top)
    m.expect_equal(b"kept", m.read(path), "the content of the file in it")


@mount_check(
    "posix.rmdir.parent-mtime", op="RMDIR", source="catalogue 3.9.2; POSIX rmdir", needs=("write",), quick=True,
    killers=("GETATTR:attr.mtime=1000000000", "RMDIR:errno=EIO,path=*victim"),
)
def parent_mtime(m: Mount) -> None:
    """rmdir updates mtime of the parent directory."""
    top = m.subdir("aged")
    path = m.subdir("aged/victim")
    m.age(top)
    os.rmdir(path)
    m.expect_newer(top, "rmdir in the directory")


@mount_check(
    "posix.rmdir.open-directory", op="RMDIR", level=SHOULD, source="catalogue 3.9.3", also=("GETATTR", "OPENDIR"),
    needs=("write",), killers=("RMDIR:errno=EBUSY", "GETATTR:errno=EIO,path=*victim"),
)
def open_directory(m: Mount) -> None:
    """An open directory that was removed can still be asked for its attributes and takes no new entries."""
    path = m.subdir("victim")
    fd = m.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.rmdir(path)
    try:
        m.stat(fd)
    except OSError as error:
        refused = linux.errno_name(error.errno or 0)
        raise Finding("the attributes of an open directory that was removed", refused) from error
    with m.raises(errno.ENOENT, what="mkdir in a removed directory", warn=(errno.ESTALE,)):
        os.mkdir("child", dir_fd=fd)
