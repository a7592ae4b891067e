"""MKDIR: new directories."""

from __future__ import annotations

import os
import stat

from fsprobe.checks import SHOULD, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.mkdir.creates", op="MKDIR", source="catalogue 3.7.1; POSIX mkdir", main=True, quick=True,
    also=("READDIR",), needs=("write",), killers=("MKDIR:errno=ENOSYS", "MKDIR:errno=EIO", "*:entries=lose"),
)
def creates(m: Mount) -> None:
    """mkdir makes a directory that is empty, that stat knows, and that is listed in its parent."""
    path = m.path("made")
    os.mkdir(path)
    m.expect_equal("directory", linux.type_name(m.stat(path).mode), "the type")
    m.expect_equal([], m.names(path), "the entries of a new directory")
    m.expect(m.listed(path), "the new directory to be listed", "it is not")


@mount_check(
    "posix.mkdir.parent-mtime", op="MKDIR", source="catalogue 3.7.1; POSIX mkdir", needs=("write",),
    killers=("GETATTR:attr.mtime=1000000000", "MKDIR:errno=EIO,path=*child"),
)
def parent_mtime(m: Mount) -> None:
    """mkdir updates mtime of the parent directory."""
    top = m.subdir("aged")
    m.age(top)
    os.mkdir(m.path("aged/child"))
    m.expect_newer(top, "mkdir in the directory")


@mount_check(
    "posix.mkdir.mode", op="MKDIR", source="catalogue 3.7.2; POSIX mkdir", needs=("write",),
    killers=("GETATTR:attr.mode=0o40777", "MKDIR:errno=EIO,path=*plain"),
)
def mode(m: Mount) -> None:
    """The mode of a new directory is what was asked for, less the umask; the sticky bit is kept."""
    plain, sticky = m.path("plain"), m.path("sticky")
    os.umask(0o027)
    os.mkdir(plain, 0o777)
    os.mkdir(sticky, 0o1777)
    m.expect_equal(0o750, m.stat(plain).permissions, "0777 with umask 027", show=oct)
    m.expect_equal(0o1750, m.stat(sticky).permissions, "01777 with umask 027", show=oct, warn=True)


@mount_check(
    "posix.mkdir.setgid-parent", op="MKDIR", source="catalogue 3.7.3; man 7 inode", also=("CREATE",), needs=("write",),
    killers=("GETATTR:attr.mode=0o40755,path=*child", "GETATTR:attr.gid=77,path=*made"),
)
def setgid_parent(m: Mount) -> None:
    """In a set-group-ID directory new entries get its group, and new directories get the bit too."""
    top = m.subdir("shared")
    with m.setup():
        if os.geteuid() == 0:
            os.chown(top, -1, 4321)
    m.chmod(top, 0o2775)
    group = m.stat(top).gid
    os.mkdir(m.path("shared/child"))
    m.close(m.open(m.path("shared/made"), os.O_CREAT | os.O_WRONLY))
    child, made = m.stat(m.path("shared/child")), m.stat(m.path("shared/made"))
    m.expect_equal((group, group), (child.gid, made.gid), "the group of a new directory and of a new file")
    m.expect(bool(child.mode & stat.S_ISGID), "set-group-ID on the new directory", oct(child.permissions))


@mount_check(
    "posix.mkdir.owner", op="MKDIR", source="catalogue 3.7.4, 3.24.2", also=("CREATE",),
    needs=("write", "root", "allow_other"),
    killers=("GETATTR:attr.uid=0,path=*theirs", "GETATTR:attr.gid=0,path=*file"),
)
def owner(m: Mount) -> None:
    """What another user makes belongs to that user and group."""
    with m.setup():
        os.chmod(m.dir, 0o777)
    folder, file = m.path("theirs"), m.path("file")

    def make() -> None:
        os.mkdir(folder)
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))

    m.fork(make, uid=65534)
    for path in (folder, file):
        got = m.stat(path)
        m.expect_equal((65534, 65534), (got.uid, got.gid), f"owner and group of a new {os.path.basename(path)}")


@mount_check(
    "posix.mkdir.deep", op="MKDIR", level=SHOULD, source="catalogue 3.7.6", also=("LOOKUP", "RMDIR"), needs=("write",),
    killers=("MKDIR:errno=ENAMETOOLONG,path=*level24", "LOOKUP:map=ENOENT>EIO,path=*level24"), quick=True,
)
def deep(m: Mount) -> None:
    """A tree of 25 levels with names of 50 bytes can be made and walked."""
    path = m.dir
    for level in range(25):
        path = os.path.join(path, f"{'d' * 43}level{level:02}")
        os.mkdir(path)
    m.expect_equal("directory", linux.type_name(os.stat(path).st_mode), "the type of the lowest")


@mount_check(
    "posix.mkdir.no-umask", op="MKDIR", source="catalogue 3.7.2; man 2 mkdir, umask", also=("CREATE", "GETATTR"),
    needs=("write",), quick=True, killers=("MKDIR:errno=EIO,path=*shared", "GETATTR:attr.mode=0o40755,path=*shared"),
)
def no_umask(m: Mount) -> None:
    """With umask 0 directories and files have all bits that were asked for: a daemon's own umask takes none away."""
    folder, file = m.path("shared"), m.path("open-to-all")

    def make() -> None:
        os.umask(0)
        os.mkdir(folder, 0o777)
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))

    m.fork(make)
    m.expect_equal(0o777, m.stat(folder).permissions, "mode of the directory", show=oct)
    m.expect_equal(0o666, m.stat(file).permissions, "mode of the file", show=oct)
