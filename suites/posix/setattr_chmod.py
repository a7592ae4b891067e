"""SETATTR: what chmod leaves alone, what it moves, and what outlasts it."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import SHOULD, Skip, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.setattr.chmod-ctime", op="SETATTR", source="catalogue 3.4.2; POSIX chmod", also=("GETATTR",),
    needs=("write",),
    killers=("GETATTR:attr.ctime=+1000,path=*changed,nth=4", "SETATTR:errno=EPERM,path=*changed,nth=3"),
)
def chmod_ctime(m: Mount) -> None:
    """chmod gives the file a later ctime: backup programs go by it."""
    path = m.file("changed")
    m.chmod(path, 0o640)
    m.expect_ctime_moves(path, lambda: os.chmod(path, 0o600), "chmod")


@mount_check(
    "posix.setattr.chmod-keeps-rest", op="SETATTR", source="catalogue 3.4.2; POSIX chmod", also=("GETATTR", "READ"),
    needs=("write",), killers=("SETATTR:fake,path=*kept,nth=2", "READ:flip", "SETATTR:errno=EPERM,path=*kept,nth=2"),
)
def chmod_keeps_rest(m: Mount) -> None:
    """chmod leaves content, size, owner, group, links and inode number as they were."""
    path = m.file("kept", b"content")
    m.chmod(path, 0o600)
    before = m.stat(path)
    for mode in (0o700, 0o604, 0o444, 0o644):
        os.chmod(path, mode)
        after = m.stat(path)
        m.expect_equal(mode, after.permissions, "the mode", show=oct)
        kept = (before.size, before.uid, before.gid, before.nlink, before.ino)
        now = (after.size, after.uid, after.gid, after.nlink, after.ino)
        m.expect_equal(kept, now, f"size, owner, group, links and number after chmod {mode:o}:")
    m.expect_equal(b"content", m.read(path), "the content")


@mount_check(
    "posix.setattr.fchmod-read-only", op="SETATTR", source="catalogue 3.4.1; POSIX fchmod", needs=("write",),
    killers=("SETATTR:errno=EBADF,path=*file,nth=2", "SETATTR:fake,path=*folder,nth=2"),
)
def fchmod_read_only(m: Mount) -> None:
    """fchmod works on a descriptor that was opened for reading, of a file and of a directory."""
    paths = m.file("file"), m.subdir("folder")
    for path in paths:
        m.chmod(path, 0o700)
    file, folder = m.open(paths[0]), m.open(paths[1], os.O_RDONLY | os.O_DIRECTORY)
    for fd, what in ((file, "file"), (folder, "directory")):
        os.fchmod(fd, 0o711)
        m.expect_equal(0o711, m.stat(fd).permissions, f"the mode of the {what}", show=oct)


@mount_check(
    "posix.setattr.chmod-before-close", op="SETATTR", source="catalogue 3.4.1; POSIX fchmod",
    also=("WRITE", "FLUSH", "RELEASE"), needs=("write",), quick=True,
    killers=("SETATTR:fake,path=*busy,nth=2", "WRITE:fake,path=*busy", "SETATTR:errno=EACCES,path=*busy,nth=2"),
)
def chmod_before_close(m: Mount) -> None:
    """A file that is written, made read-only by fchmod, written on and closed keeps both the mode and the data."""
    path = m.path("busy")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    m.chmod(path, 0o600)
    os.write(fd, b"first ")
    os.fchmod(fd, 0o444)
    os.write(fd, b"second")
    m.close(fd)
    m.expect_equal(0o444, m.stat(path).permissions, "the mode after close", show=oct)
    m.expect_equal(b"first second", m.read(path), "the content")


@mount_check(
    "posix.setattr.chmod-of-symlink", op="SETATTR", level=SHOULD, source="catalogue 3.4.4; man 2 fchmodat2",
    needs=("write", "symlink"), killers=("GETATTR:attr.mode=0o100600,path=*target,nth=2",),
)
def chmod_of_symlink(m: Mount) -> None:
    """The mode of a symbolic link itself cannot be changed: EOPNOTSUPP, and its target keeps its mode."""
    target = m.file("target")
    before = m.stat(target).permissions
    link = m.link_to(os.path.basename(target), "link")
    try:
        with m.raises(errno.EOPNOTSUPP, errno.ENOSYS, what="fchmodat2 of a link with AT_SYMLINK_NOFOLLOW"):
            linux.fchmodat2(link, 0o600, linux.AT_SYMLINK_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            raise Skip("this kernel has no fchmodat2") from error
        raise
    m.expect_equal(before, m.stat(target).permissions, "the mode of the target", show=oct)


@mount_check(
    "posix.setattr.chmod-own", op="SETATTR", source="catalogue 3.4.1; POSIX chmod", needs=("write",),
    killers=("SETATTR:errno=EPERM,path=*mine,nth=2", "SETATTR:fake,path=*mine,nth=2"),
)
def chmod_own(m: Mount) -> None:
    """An owner without privileges can take all permissions from a file and give them back."""
    path = m.file("mine", b"data")
    user = m.ordinary(path)

    def change() -> list[int]:
        seen = []
        for mode in (0, 0o600, 0o4711, 0o644):
            os.chmod(path, mode)
            seen.append(m.stat(path).permissions)
        return seen

    m.expect_equal([0, 0o600, 0o4711, 0o644], m.fork(change, uid=user), "the modes after each chmod")
