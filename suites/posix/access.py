"""ACCESS: may I?"""

from __future__ import annotations

import errno
import os

from fsprobe.checks import mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.access.owner", op="ACCESS", source="catalogue 3.23.1; POSIX access", main=True, quick=True, needs=("write",),
    killers=("ACCESS:errno=EACCES", "ACCESS:errno=EIO"),
)
def owner(m: Mount) -> None:
    """access grants the owner what the mode grants; a missing file is ENOENT."""
    path, program = m.file("plain", mode=0o600), m.file("program", mode=0o700)
    runs = not os.statvfs(path).f_flag & os.ST_NOEXEC  # else the kernel refuses X_OK by itself
    executable = m.stat(path).mode & 0o100, runs and m.stat(program).mode & 0o100
    m.expect(os.access(path, os.F_OK), "F_OK of a file", "refused")
    m.expect(os.access(path, os.R_OK | os.W_OK), "R_OK and W_OK of a file with mode 0600", "refused")
    m.expect(not executable[1] or os.access(program, os.X_OK), "X_OK of a file with mode 0700", "refused")
    m.expect(not os.access(m.absent(), os.F_OK), "no F_OK of a missing file", "granted")
    if not executable[0] and os.access(path, os.X_OK):
        m.expect(False, "no X_OK of a file without execute permission", "granted", warn=True)


@mount_check(
    "posix.access.denied", op="ACCESS", source="catalogue 3.23.3; POSIX open", also=("OPEN",),
    needs=("write", "root", "allow_other"),
    killers=("GETATTR:attr.uid=65534,path=*private",),
)
def denied(m: Mount) -> None:
    """Another user may neither access nor open a file with mode 0600."""
    path = m.file("private", b"secret", mode=0o600)
    m.chmod(path, 0o600)
    granted = m.fork(lambda: os.access(path, os.R_OK), uid=65534)
    with m.raises(errno.EACCES, what="open of another user's private file", warn=(errno.EPERM,)):
        m.fork(lambda: os.close(os.open(path, os.O_RDONLY)), uid=65534)
    m.expect(not granted, "access to be refused as open is", "granted", warn=True)


@mount_check(
    "posix.access.unwritable-directory", op="ACCESS", source="catalogue 3.13.4, 3.8.5; POSIX open",
    also=("CREATE", "UNLINK"), needs=("write", "root", "allow_other"),
    killers=("GETATTR:attr.uid=65534,path=*closed",),
)
def unwritable_directory(m: Mount) -> None:
    """Another user can neither create nor remove a file in a directory with mode 0755."""
    m.chmod(m.subdir("closed"), 0o755)
    path = m.file("closed/mine")
    new = m.path("closed/new")
    with m.raises(errno.EACCES, what="create in another user's directory", warn=(errno.EPERM,)):
        m.fork(lambda: os.close(os.open(new, os.O_CREAT | os.O_WRONLY)), uid=65534)
    with m.raises(errno.EACCES, what="unlink in another user's directory", warn=(errno.EPERM,)):
        m.fork(lambda: os.unlink(path), uid=65534)
