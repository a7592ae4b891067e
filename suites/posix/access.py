"""ACCESS: may I?"""

from __future__ import annotations

import errno
import os

from fsprobe.checks import SHOULD, Skip, linux, mount_check
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


@mount_check(
    "posix.access.group", op="ACCESS", source="catalogue 3.23.1; POSIX open", also=("OPEN", "SETATTR"),
    needs=("write", "root", "allow_other"), killers=("OPEN:errno=EACCES", "READ:flip"),
)
def group(m: Mount) -> None:
    """A member of a file's group may do what the group's bits say: read with 0640, and not write."""
    path = m.file("shared", b"for the group")
    with m.setup():
        os.chown(path, -1, 65533)
    m.chmod(path, 0o640)
    if m.stat(path).gid != 65533:
        raise Skip("groups are not kept here")

    def work() -> list[str]:
        answers = [os.access(path, os.R_OK), os.access(path, os.W_OK)]
        with open(path, "rb", buffering=0) as file:
            m.expect_equal(b"for the group", file.read(100), "the content read by the group")
        return ["granted" if answer else "refused" for answer in answers]

    got = m.start(work, uid=65534, gid=65533).result()
    m.expect_equal(["granted", "refused"], got, "R_OK and W_OK for the group", warn=True)
    with m.raises(errno.EACCES, what="opening for writing what the group may only read", warn=(errno.EPERM,)):
        m.start(lambda: os.close(os.open(path, os.O_WRONLY)), uid=65534, gid=65533).result()
    with m.raises(errno.EACCES, what="opening with 0640 by somebody else", warn=(errno.EPERM,)):
        m.fork(lambda: os.close(os.open(path, os.O_RDONLY)), uid=65534)


@mount_check(
    "posix.access.agrees", op="ACCESS", level=SHOULD, source="catalogue 3.23.3; POSIX access, open", needs=("write",),
    also=("OPEN", "SETATTR"), killers=("OPEN:errno=EACCES,path=*6", "OPEN:errno=EIO,path=*4"),
)
def agrees(m: Mount) -> None:
    """For modes 0000, 0200, 0400 and 0600 access says what opening then finds, to an ordinary user who owns the file.
    """
    other = os.geteuid() == 0
    if other:
        m.need("root")
        m.need("allow_other")
    paths = []
    for mode in (0, 2, 4, 6):
        paths.append(m.file(str(mode)))
        if other:
            with m.setup():
                os.chown(paths[-1], 65534, 65534)
        m.chmod(paths[-1], mode << 6)

    def work() -> list[list[str]]:
        found = []
        for path in paths:
            for wanted, flags in ((os.R_OK, os.O_RDONLY), (os.W_OK, os.O_WRONLY), (os.R_OK | os.W_OK, os.O_RDWR)):
                said = "granted" if os.access(path, wanted) else "refused"
                try:
                    os.close(os.open(path, flags))
                    did = "granted"
                except OSError as error:
                    did = "refused" if error.errno == errno.EACCES else linux.errno_name(error.errno or 0)
                found.append([f"mode 0{os.path.basename(path)[-1]}00", said, did])
        return found

    for name, said, did in m.fork(work, uid=65534) if other else work():
        m.expect_equal(said, did, f"access of a file with {name} and open both", show=str)


@mount_check(
    "posix.access.enter", op="ACCESS", source="catalogue 3.23.4; POSIX chdir", also=("LOOKUP",),
    needs=("write", "root", "allow_other"), killers=("GETATTR:attr.uid=65534,path=*closed",),
)
def enter(m: Mount) -> None:
    """Another user may not make a directory without search permission the working one, and may with it."""
    top = m.subdir("closed")
    m.chmod(top, 0o744)
    with m.raises(errno.EACCES, what="chdir to another user's directory with mode 0744", warn=(errno.EPERM,)):
        m.fork(lambda: os.chdir(top), uid=65534)
    m.chmod(top, 0o711)
    m.fork(lambda: os.chdir(top), uid=65534)
