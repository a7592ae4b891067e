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
    quick=True,
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


@mount_check(
    "posix.create.truncates", op="CREATE", source="catalogue 3.24.5; POSIX open", also=("OPEN", "SETATTR"),
    needs=("write",), killers=("GETATTR:attr.size=+1", "WRITE:flip"),
)
def truncates(m: Mount) -> None:
    """O_CREAT|O_TRUNC of an existing file empties it, and keeps its number, its mode and who has it open."""
    path = m.file("existing", b"old content")
    m.chmod(path, 0o640)
    reader, before = m.open(path), m.stat(path)
    fd = m.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o777)
    after = m.stat(path)
    m.expect_equal((0, 0o640), (after.size, after.permissions), "size and mode")
    m.expect_equal(before.ino, after.ino, "the number")
    os.write(fd, b"new")
    m.expect_equal(b"new", m.pread(reader, 100, 0), "the content by the descriptor that was open before")


@mount_check(
    "posix.create.read-only-mode", op="CREATE", source="catalogue 3.24.2; POSIX open", also=("WRITE", "FLUSH"),
    needs=("write",), killers=("WRITE:errno=EACCES", "WRITE:fake", "READ:flip"),
)
def read_only_mode(m: Mount) -> None:
    """The descriptor that creates a file with mode 0444 can write to it, as git and tar need it, cut it and sync it."""
    path = m.path("object")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o444)
    for _ in range(3):
        os.write(fd, b"x" * 5_000)
    os.ftruncate(fd, 12_000)
    os.fsync(fd)
    m.close(fd)
    m.expect_equal(b"x" * 12_000, m.read(path), "the content")


@mount_check(
    "posix.create.appending", op="CREATE", source="catalogue 3.24.3, 3.15.5; POSIX open", also=("WRITE", "FSYNC"),
    needs=("write",), killers=("WRITE:fake", "WRITE:flip", "CREATE:errno=EIO,path=*log"),
)
def appending(m: Mount) -> None:
    """The descriptor that creates a file with O_APPEND appends, also where each record is synced before the next."""
    path = m.path("log")
    fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND)
    for turn in range(4):
        os.write(fd, b"record %d;" % turn * 50)
        os.fsync(fd)
    m.expect_equal(b"".join(b"record %d;" % turn * 50 for turn in range(4)), m.read(path), "the content")


@mount_check(
    "posix.create.name-used-again", op="CREATE", source="catalogue 3.24.3, 3.1.7", also=("UNLINK", "READ"),
    needs=("write",), killers=("UNLINK:fake", "READ:flip", "GETATTR:attr.size=+1"),
)
def name_used_again(m: Mount) -> None:
    """Ten files made one after the other under one name, each open, keep their own data; a new one is empty."""
    path = m.path("again")
    fds = []
    for turn in range(10):
        fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
        m.expect_equal(0, m.stat(fd).size, "the size of a new file")
        os.write(fd, b"file %d" % turn)
        os.unlink(path)
        fds.append(fd)
    for turn, fd in enumerate(fds):
        m.expect_equal(b"file %d" % turn, m.pread(fd, 100, 0), f"the content of file {turn}")


@mount_check(
    "posix.create.temporary", op="CREATE", source="catalogue 3.24.1, 3.24.5; POSIX mkstemp, rename", needs=("write",),
    also=("RENAME", "UNLINK"), killers=("CREATE:errno=EIO,path=*tmp*", "RENAME:fake", "UNLINK:fake"),
)
def temporary(m: Mount) -> None:
    """Twenty temporary files are made with O_EXCL, half renamed into place and half removed: just that is left."""
    top = m.subdir("work")
    for turn in range(20):
        path = f"{top}/tmp{turn}"
        fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.write(fd, b"%d" % turn)
        m.close(fd)
        if turn % 2:
            os.rename(path, f"{top}/final{turn:02}")
        else:
            os.unlink(path)
    wanted = [b"final%02d" % turn for turn in range(1, 20, 2)]
    m.expect_equal(wanted, m.names(top), "the names left")
    for turn in range(1, 20, 2):
        m.expect_equal(b"%d" % turn, m.read(f"{top}/final{turn:02}"), f"the content of number {turn}")
