"""CREATE: making files."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.create.new-file", op="CREATE", source="catalogue 3.24.3; POSIX open", main=True, quick=True,
    also=("WRITE", "GETATTR"), needs=("write",),
    killers=("CREATE:errno=EIO", "CREATE:attr.mode=0o40755", "GETATTR:attr.size=+1"),
)
def new_file(m: Mount) -> None:
    """O_CREAT makes a regular file whose descriptor can be written and asked for attributes at once."""
    path = m.path("new")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
    got = m.stat(fd)
    m.expect_equal(("file", 0), (linux.type_name(got.mode), got.size), "type and size of a new file")
    m.expect_equal(4, os.write(fd, b"data"), "bytes written")
    m.expect_equal(4, m.stat(fd).size, "the size after a write")
    m.expect(m.listed(path), "the file to be listed", "it is not")


@mount_check(
    "posix.create.exclusive", op="CREATE", source="catalogue 3.24.1; POSIX open", quick=True, needs=("write",),
    killers=("CREATE:errno=EIO,path=*taken", "READ:flip"),
)
def exclusive(m: Mount) -> None:
    """O_CREAT|O_EXCL of a taken name is EEXIST, also where it is a dangling link, and changes nothing."""
    path = m.path("taken")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, b"kept")
    with m.raises(errno.EEXIST, what="O_CREAT|O_EXCL of an existing file"):
        m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    m.expect_equal(b"kept", m.read(path), "the content")
    if not m.features.get("symlink"):
        link = m.link_to("nowhere", "dangling")
        with m.raises(errno.EEXIST, what="O_CREAT|O_EXCL of a dangling link"):
            m.open(link, os.O_CREAT | os.O_EXCL | os.O_WRONLY)


@mount_check(
    "posix.create.mode", op="CREATE", source="catalogue 3.24.2; POSIX open", needs=("write",),
    killers=("GETATTR:attr.mode=0o100666", "CREATE:errno=EIO,path=*plain"),
)
def mode(m: Mount) -> None:
    """The mode of a new file is what was asked for, less the umask."""
    os.umask(0o027)
    for name, asked, expected in (("plain", 0o666, 0o640), ("program", 0o777, 0o750), ("none", 0, 0)):
        path = m.path(name)
        m.close(m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, asked))
        m.expect_equal(expected, m.stat(path).permissions, f"{asked:#o} with umask 027", show=oct)


@mount_check(
    "posix.create.existing", op="CREATE", source="catalogue 3.24.5; POSIX open", also=("OPEN",), needs=("write",),
    killers=("READ:flip", "OPEN:errno=EEXIST,path=*existing"),
)
def existing(m: Mount) -> None:
    """O_CREAT of an existing file opens it, keeps its content, and does not touch the directory."""
    top = m.subdir("aged")
    path = m.file("aged/existing", b"kept")
    m.age(top)
    m.close(m.open(path, os.O_CREAT | os.O_RDWR))
    m.expect_equal(b"kept", m.read(path), "the content")
    m.expect_same_mtime(top, "O_CREAT of a file that exists in the directory")


@mount_check(
    "posix.create.parent-mtime", op="CREATE", source="catalogue 3.24; POSIX open", needs=("write",),
    killers=("GETATTR:attr.mtime=1000000000", "CREATE:errno=EIO,path=*child"),
)
def parent_mtime(m: Mount) -> None:
    """Making a file updates mtime of its directory."""
    top = m.subdir("aged")
    m.age(top)
    m.close(m.open(m.path("aged/child"), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    m.expect_newer(top, "creation of a file in the directory")


@mount_check(
    "posix.create.through-link", op="CREATE", source="catalogue 3.24.1; POSIX open", also=("READLINK",),
    needs=("write", "symlink"), killers=("CREATE:errno=EIO,path=*target", "READLINK:errno=EIO"),
)
def through_link(m: Mount) -> None:
    """O_CREAT through a dangling symbolic link makes the file it points to."""
    path = m.path("target")
    m.close(m.open(m.link_to(os.path.basename(path), "link"), os.O_CREAT | os.O_WRONLY))
    m.expect_equal("file", linux.type_name(os.lstat(path).st_mode), "the type of the target")
