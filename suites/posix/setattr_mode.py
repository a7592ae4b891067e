"""SETATTR: chmod and chown."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount

MODES = (0o000, 0o777, 0o4755, 0o2755, 0o1755, 0o7777)


@mount_check(
    "posix.setattr.chmod-bits", op="SETATTR", source="catalogue 3.4.1; POSIX chmod", main=True, quick=True,
    needs=("write",), killers=("SETATTR:fake", "SETATTR:errno=ENOSYS", "SETATTR:errno=EPERM"),
)
def chmod_bits(m: Mount) -> None:
    """All twelve bits of a mode can be set by the owner and are read back."""
    path = m.file("file")
    for mode in MODES:
        os.chmod(path, mode)
        m.expect_equal(mode, m.stat(path).permissions, "the mode", show=oct)


@mount_check(
    "posix.setattr.chmod-directory", op="SETATTR", source="catalogue 3.4.1; POSIX chmod", needs=("write",), quick=True,
    killers=("SETATTR:fake,path=*folder", "SETATTR:errno=EPERM,path=*folder"),
)
def chmod_directory(m: Mount) -> None:
    """All twelve bits of a directory's mode can be set and are read back."""
    path = m.subdir("folder")
    for mode in MODES:
        os.chmod(path, mode)
        m.expect_equal(mode, m.stat(path).permissions, "the mode", show=oct)


@mount_check(
    "posix.setattr.chmod-keeps-mtime", op="SETATTR", source="catalogue 3.4.2; POSIX chmod", needs=("write",),
    killers=("GETATTR:attr.mtime=+7,path=*changed,nth=4", "SETATTR:errno=EPERM,path=*changed,nth=2"), quick=True,
)
def chmod_keeps_mtime(m: Mount) -> None:
    """chmod leaves mtime alone."""
    path = m.file("changed")
    before = m.stat(path)
    m.age(path)
    os.chmod(path, 0o600)
    m.expect_same_mtime(path, "chmod")
    m.expect(m.stat(path).ctime_ns >= before.ctime_ns, "a ctime not before the old one", "an older ctime", warn=True)


@mount_check(
    "posix.setattr.chmod-through-symlink", op="SETATTR", source="catalogue 3.4.4; POSIX chmod",
    needs=("write", "symlink"), killers=("SETATTR:fake",),
)
def chmod_through_symlink(m: Mount) -> None:
    """chmod of a symbolic link changes what it points to."""
    path = m.file("target")
    os.chmod(m.link_to(os.path.basename(path), "link"), 0o751)
    m.expect_equal(0o751, m.stat(path).permissions, "the mode of the target", show=oct)


@mount_check(
    "posix.setattr.fchmod-unlinked", op="SETATTR", source="catalogue 3.4.4; POSIX fchmod", also=("UNLINK",),
    needs=("write",), killers=("SETATTR:errno=ENOENT", "SETATTR:fake"),
)
def fchmod_unlinked(m: Mount) -> None:
    """fchmod works on an open file that was unlinked."""
    fd = m.open(m.file("gone"), os.O_RDWR)
    with m.setup():
        os.unlink(m.path("gone"))
    os.fchmod(fd, 0o604)
    m.expect_equal(0o604, m.stat(fd).permissions, "the mode", show=oct)


@mount_check(
    "posix.setattr.chown-one", op="SETATTR", source="catalogue 3.4.5; POSIX chown", quick=True,
    needs=("write", "root"), killers=("SETATTR:fake", "SETATTR:errno=EPERM", "GETATTR:attr.gid=0,path=*owned"),
)
def chown_one(m: Mount) -> None:
    """chown of the user alone leaves the group, and the other way round."""
    path = m.file("owned")
    os.chown(path, 1234, -1)
    got = m.stat(path)
    m.expect_equal((1234, os.getegid()), (got.uid, got.gid), "owner and group after chown of the user")
    os.chown(path, -1, 4321)
    got = m.stat(path)
    m.expect_equal((1234, 4321), (got.uid, got.gid), "owner and group after chown of the group")


@mount_check(
    "posix.setattr.lchown", op="SETATTR", source="catalogue 3.4.5; POSIX lchown", needs=("write", "root", "symlink"),
    killers=("SETATTR:fake", "SETATTR:errno=EPERM"),
)
def lchown(m: Mount) -> None:
    """lchown changes the owner of a symbolic link and not of its target."""
    path = m.file("target")
    link = m.link_to(os.path.basename(path), "link")
    os.lchown(link, 1234, 4321)
    m.expect_equal(1234, m.stat(link, follow=False).uid, "the owner of the link")
    m.expect_equal(os.geteuid(), m.stat(path).uid, "the owner of the target")


@mount_check(
    "posix.setattr.chown-clears-setuid", op="SETATTR", source="catalogue 3.4.7; man 2 chown",
    needs=("write", "root"), killers=("SETATTR:fake,path=*program,nth=2", "SETATTR:errno=EPERM,path=*program,nth=2"),
)
def chown_clears_setuid(m: Mount) -> None:
    """chown of an executable file clears set-user-ID and set-group-ID, also for root."""
    path = m.file("program")
    m.chmod(path, 0o6755)
    os.chown(path, 1234, 4321)
    m.expect_equal(0o755, m.stat(path).permissions, "the mode after chown", show=oct)


@mount_check(
    "posix.setattr.chmod-other-user", op="SETATTR", source="catalogue 3.4.3; POSIX chmod",
    needs=("write", "root", "allow_other"),
    killers=("GETATTR:attr.uid=65534,path=*theirs",),
)
def chmod_other_user(m: Mount) -> None:
    """A user who does not own a file cannot change its mode: EPERM."""
    path = m.file("theirs", mode=0o666)
    m.expect_equal(os.geteuid(), m.stat(path).uid, "the owner of a file of ours")
    with m.raises(errno.EPERM, what="chmod by another user", warn=(errno.EACCES,)):
        m.fork(lambda: os.chmod(path, 0o777), uid=65534)
    m.expect_equal(0o644, m.stat(path).permissions, "the mode after a refused chmod", show=oct)


@mount_check(
    "posix.setattr.mode-stays", op="SETATTR", source="catalogue 3.4.2, 3.4.11; POSIX ftruncate, write, close",
    also=("WRITE", "RELEASE", "GETATTR"), needs=("write",), quick=True,
    killers=("GETATTR:attr.mode=0o100644,path=*kept,nth=3", "SETATTR:fake", "WRITE:errno=EIO,nth=2"),
)
def mode_stays(m: Mount) -> None:
    """Cutting, growing, writing, closing and dating a file leave its permissions as they are."""
    path = m.file("kept", b"content")
    os.chmod(path, 0o751)
    fd = os.open(path, os.O_WRONLY)
    steps: dict[str, Callable[[], object]] = {
        "chmod": lambda: None,
        "truncate to 3": lambda: os.truncate(path, 3),
        "truncate to 10": lambda: os.truncate(path, 10),
        "write": lambda: os.pwrite(fd, b"more", 20),
        "close": lambda: os.close(fd),
        "utimensat": lambda: os.utime(path, (5, 5)),
    }
    for what, act in steps.items():
        act()
        m.expect_equal(0o751, m.stat(path).permissions, f"mode after {what}", show=oct)
