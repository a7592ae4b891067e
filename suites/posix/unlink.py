"""UNLINK: removing names, and what becomes of open files."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import Finding, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.unlink.removes", op="UNLINK", source="catalogue 3.8.1; POSIX unlink", main=True, quick=True,
    also=("LOOKUP", "READDIR"), needs=("write",), killers=("UNLINK:fake", "UNLINK:errno=ENOSYS", "UNLINK:errno=EIO"),
)
def removes(m: Mount) -> None:
    """After unlink the name is gone, for stat and in the listing."""
    path = m.file("victim", b"data")
    os.unlink(path)
    with m.raises(errno.ENOENT, what="stat after unlink"):
        os.stat(path)
    m.expect(not m.listed(path), "the name not to be listed", "it is")


@mount_check(
    "posix.unlink.parent-mtime", op="UNLINK", source="catalogue 3.8.1; POSIX unlink", needs=("write",),
    killers=("GETATTR:attr.mtime=1000000000", "UNLINK:errno=EIO,path=*victim"),
)
def parent_mtime(m: Mount) -> None:
    """unlink updates mtime of the directory."""
    top = m.subdir("aged")
    path = m.file("aged/victim")
    m.age(top)
    os.unlink(path)
    m.expect_newer(top, "unlink in the directory")


@mount_check(
    "posix.unlink.open-file", op="UNLINK", source="catalogue 3.8.2; POSIX unlink", quick=True,
    also=("READ", "WRITE", "SETATTR", "FSYNC"), needs=("write",),
    killers=("READ:errno=ESTALE", "WRITE:errno=ENOENT,nth=2", "SETATTR:errno=ENOENT", "vexfs:unlink-drops-inode"),
)
def open_file(m: Mount) -> None:
    """A file that is open when unlinked can be read, written, cut, changed and synced until it is closed."""
    path = m.file("victim", b"old data")
    fd = m.open(path, os.O_RDWR)
    os.unlink(path)
    m.expect_equal(b"old data", m.pread(fd, 100, 0), "the content after unlink")
    m.expect_equal(4, os.pwrite(fd, b"more", 8), "bytes written")
    m.expect_equal(b"old datamore", m.pread(fd, 100, 0), "the content after a write")
    os.ftruncate(fd, 3)
    os.fchmod(fd, 0o600)
    os.fsync(fd)
    m.expect_equal(b"old", m.pread(fd, 100, 0), "the content after ftruncate")
    hidden = m.hidden(path)
    if hidden:
        raise Finding("an empty directory after unlink of the open file", hidden, warn=True)


@mount_check(
    "posix.unlink.other-name-stays", op="UNLINK", source="catalogue 3.8.1; POSIX unlink", also=("LINK",),
    needs=("write", "hardlink"), killers=("GETATTR:attr.nlink=2", "UNLINK:fake", "READ:errno=ENOENT"),
)
def other_name_stays(m: Mount) -> None:
    """unlink of one of two names leaves the data under the other, with one link and the old mtime."""
    path = m.file("first", b"shared data")
    other = m.hard_link(path, "second")
    m.age(other)
    os.unlink(path)
    m.expect_equal(b"shared data", m.read(other), "the content under the other name")
    got = m.stat(other)
    m.expect_equal(1, got.nlink, "the links left")
    m.expect_same_mtime(other, "unlink of another name")
    m.expect(not os.path.lexists(path), "no first name", "it is still there")


@mount_check(
    "posix.unlink.name-used-again", op="UNLINK", source="catalogue 3.8.3", also=("CREATE", "READ"), needs=("write",),
    killers=("UNLINK:fake", "READ:flip"),
)
def name_used_again(m: Mount) -> None:
    """A file made under the name of an unlinked open one is another file; the descriptor keeps the old data."""
    path = m.file("name", b"old")
    fd = m.open(path)
    os.unlink(path)
    new = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    os.write(new, b"newer")
    m.expect_equal(b"old", m.pread(fd, 100, 0), "the content of the old descriptor")
    m.expect_equal(b"newer", m.read(path), "the content of the new file")
    m.expect(m.stat(fd).ino != m.stat(path).ino, "two inode numbers while both are open", "one")


@mount_check(
    "posix.unlink.sticky", op="UNLINK", source="catalogue 3.8.5; man 7 inode", needs=("write", "root", "allow_other"),
    killers=("GETATTR:attr.uid=65534,path=*sticky",),
)
def sticky(m: Mount) -> None:
    """In a sticky directory another user cannot remove a file: EPERM."""
    top = m.subdir("sticky")
    m.chmod(top, 0o1777)
    path = m.file("sticky/mine")
    with m.raises(errno.EPERM, what="unlink by another user", warn=(errno.EACCES,)):
        m.fork(lambda: os.unlink(path), uid=65534)
    m.expect(os.path.exists(path), "the file to be there", "it is gone")
