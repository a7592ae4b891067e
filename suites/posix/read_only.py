"""A target that takes no writing has to say so, for every way to change something: EROFS.

Only names that do not exist are made, and only what cannot change anything is asked of what exists: a
target that was taken for read-only by mistake loses nothing. So there is no check of unlink, rmdir or rename.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable

from fsprobe.checks import OPTIONAL, SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

NEEDS = ("read-only",)
NEEDS_FILE = ("read-only", "regular-file")


def refused(m: Mount, what: str, call: Callable[[], object]) -> None:
    """`call` has to be EROFS; EACCES and EPERM are right where the mode of the root denies us, else surprising."""
    root = os.stat(m.root)
    granted = os.geteuid() == 0 or root.st_mode & (stat.S_IWUSR if root.st_uid == os.geteuid() else stat.S_IWOTH)
    denied = (errno.EACCES, errno.EPERM)
    if granted:
        with m.raises(errno.EROFS, what=what, warn=denied):
            call()
    else:
        with m.raises(errno.EROFS, *denied, what=what):
            call()


@mount_check(
    "posix.read-only.mkdir", op="MKDIR", source="catalogue 3.36 read-only; POSIX mkdir", needs=NEEDS, quick=True,
    killers=("MKDIR:errno=ENOSYS", "MKDIR:errno=EIO"),
)
def mkdir(m: Mount) -> None:
    """mkdir on a read-only file system is EROFS."""
    refused(m, "mkdir", lambda: os.mkdir(m.path("folder")))


@mount_check(
    "posix.read-only.create", op="CREATE", source="catalogue 3.24.4; POSIX open", needs=NEEDS, quick=True,
    killers=("CREATE:errno=EIO", "LOOKUP:errno=EIO,path=*new-file"),
)
def create(m: Mount) -> None:
    """O_CREAT of a new file on a read-only file system is EROFS, and leaves nothing."""
    path = m.path("new-file")
    refused(m, "open with O_CREAT", lambda: m.open(path, os.O_CREAT | os.O_WRONLY))
    m.expect(not os.path.lexists(path), "no new file", "it is there")


@mount_check(
    "posix.read-only.symlink", op="SYMLINK", quick=True, source="catalogue 3.36 read-only; POSIX symlink", needs=NEEDS,
    killers=("SYMLINK:errno=ENOSYS", "SYMLINK:errno=EIO"),
)
def symlink(m: Mount) -> None:
    """symlink on a read-only file system is EROFS."""
    refused(m, "symlink", lambda: os.symlink("target", m.path("link")))


@mount_check(
    "posix.read-only.mknod", op="MKNOD", quick=True, source="catalogue 3.36 read-only; man 2 mknod", needs=NEEDS,
    killers=("MKNOD:errno=ENOSYS", "MKNOD:errno=EIO"),
)
def mknod(m: Mount) -> None:
    """mknod on a read-only file system is EROFS."""
    refused(m, "mknod", lambda: os.mknod(m.path("node"), stat.S_IFREG | 0o600))


@mount_check(
    "posix.read-only.link", op="LINK", source="catalogue 3.36 read-only; POSIX link", needs=NEEDS_FILE,
    killers=("LINK:errno=EIO",),
)
def link(m: Mount) -> None:
    """link on a read-only file system is EROFS."""
    refused(m, "link", lambda: os.link(m.existing_file(), m.path("link")))


@mount_check(
    "posix.read-only.open", op="OPEN", source="catalogue 3.36 read-only; POSIX open", needs=NEEDS_FILE, quick=True,
    killers=("OPEN:errno=EIO", "OPEN:fake"),
)
def open_for_writing(m: Mount) -> None:
    """An existing file of a read-only file system cannot be opened for writing: EROFS."""
    for flags, name in ((os.O_WRONLY, "O_WRONLY"), (os.O_RDWR, "O_RDWR"), (os.O_WRONLY | os.O_APPEND, "O_APPEND")):
        refused(m, f"open with {name}", lambda flags=flags: m.open(m.existing_file(), flags))  # type: ignore[misc]


@mount_check(
    "posix.read-only.chmod", op="SETATTR", source="catalogue 3.36 read-only; POSIX chmod", needs=NEEDS_FILE, quick=True,
    killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"),
)
def chmod(m: Mount) -> None:
    """chmod, here to the mode it has, on a read-only file system is EROFS."""
    path = m.existing_file()
    mode = stat.S_IMODE(os.stat(path).st_mode)
    refused(m, "chmod", lambda: os.chmod(path, mode))


@mount_check(
    "posix.read-only.times", op="SETATTR", source="catalogue 3.36 read-only; POSIX utimensat", needs=NEEDS_FILE,
    quick=True, killers=("SETATTR:errno=ENOSYS", "SETATTR:fake"),
)
def times(m: Mount) -> None:
    """utimensat, here to the times it has, on a read-only file system is EROFS."""
    path = m.existing_file()
    status = os.stat(path)
    refused(m, "utimensat", lambda: os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns)))


@mount_check(
    "posix.read-only.setxattr", op="SETXATTR", level=OPTIONAL, source="catalogue 3.36 read-only; man 2 setxattr",
    needs=NEEDS_FILE, killers=("SETXATTR:errno=EIO", "SETXATTR:fake"),
)
def setxattr(m: Mount) -> None:
    """setxattr on a read-only file system is EROFS."""
    path = m.existing_file()

    def attempt() -> None:
        with m.optional(errno.EOPNOTSUPP, what="setxattr"):
            os.setxattr(path, "user.fsprobe-attempt", b"x", os.XATTR_CREATE)
        with contextlib.suppress(OSError):  # it was granted, and is taken back
            os.removexattr(path, "user.fsprobe-attempt")

    refused(m, "setxattr", attempt)


@mount_check(
    "posix.read-only.tmpfile", op="TMPFILE", level=OPTIONAL, source="catalogue 3.36 read-only; man 2 open", needs=NEEDS,
    killers=("TMPFILE:errno=EIO",),
)
def tmpfile(m: Mount) -> None:
    """O_TMPFILE on a read-only file system is EROFS."""

    def attempt() -> None:
        with m.optional(errno.EOPNOTSUPP, errno.EISDIR, what="O_TMPFILE"):
            m.open(m.root, linux.O_TMPFILE | os.O_RDWR, 0o600)

    refused(m, "open with O_TMPFILE", attempt)


@mount_check(
    "posix.read-only.access", op="ACCESS", level=SHOULD, source="catalogue 3.23.3; POSIX access", needs=NEEDS_FILE,
    killers=("ACCESS:fake",),
)
def access(m: Mount) -> None:
    """access says that nothing can be written."""
    if os.access(m.existing_file(), os.W_OK):
        raise Finding("W_OK of a file to be refused", "granted")
