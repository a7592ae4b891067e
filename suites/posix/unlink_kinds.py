"""UNLINK: wrong kinds, several names, ctime, and files that are open, mapped or read-only."""

from __future__ import annotations

import errno
import functools
import os
import time

from fsprobe.checks import SHOULD, Finding, Skip, mount_check
from fsprobe.checks.mount import Mount

STEPS = (0.01, 0.1)
"""Seconds for a clock to tick; the second is far more than any needs."""
TURNS = len(STEPS)


@mount_check(
    "posix.unlink.wrong-kind", op="UNLINK", source="catalogue 3.8.4; POSIX unlink", needs=("write",),
    killers=("READ:flip", "*:entries=lose", "LOOKUP:errno=EIO,path=*absent"),
)
def wrong_kind(m: Mount) -> None:
    """unlink of a directory is EISDIR, of a file with a slash behind it ENOTDIR, of a missing name ENOENT."""
    folder = m.subdir("folder")
    inside = m.file("folder/inside", b"kept")
    with m.raises(errno.EISDIR, errno.EPERM, what="unlink of a directory"):
        os.unlink(folder)
    with m.raises(errno.ENOTDIR, what="unlink of a file with a slash behind it"):
        os.unlink(f"{inside}/")
    with m.raises(errno.ENOENT, what="unlink of a missing name"):
        os.unlink(m.absent())
    m.expect_equal([b"inside"], m.names(folder), "the entries of the directory")
    m.expect_equal(b"kept", m.read(inside), "the content of the file")


@mount_check(
    "posix.unlink.other-name-ctime", op="UNLINK", source="catalogue 3.8.1; POSIX unlink", also=("LINK", "GETATTR"),
    needs=("write", "hardlink"), killers=("UNLINK:fake", "UNLINK:errno=EIO,path=*name0"),
)
def other_name_ctime(m: Mount) -> None:
    """unlink of one of several names gives the file a later ctime."""
    path = m.file("kept")
    for turn in range(TURNS):
        name = m.hard_link(path, f"name{turn}")
        began, before = time.monotonic(), m.stat(path).ctime_ns
        if before % 10**9 == 0:
            raise Skip("ctime is kept in whole seconds: two changes at once cannot be told apart")
        while m.stat(path).ctime_ns == before and time.monotonic() - began < STEPS[turn]:
            pass  # the link moved ctime as well, so the clock has to tick between the two
        before = m.stat(path).ctime_ns
        os.unlink(name)
        if m.stat(path).ctime_ns > before:
            return
    raise Finding("a later ctime after unlink of another name", "the old ctime")


@mount_check(
    "posix.unlink.parent-ctime", op="UNLINK", level=SHOULD, source="catalogue 3.8.1; POSIX unlink",
    also=("CREATE", "GETATTR"), needs=("write",),
    killers=("GETATTR:attr.ctime=+1000,path=*aged,nth=2", "UNLINK:errno=EIO,path=*victim"),
)
def parent_ctime(m: Mount) -> None:
    """Making and removing entries gives their directory a later ctime."""
    top = m.subdir("aged")

    def make_and_remove() -> None:
        with m.setup("create"):
            os.close(os.open(f"{top}/victim", os.O_CREAT | os.O_WRONLY))
        os.unlink(f"{top}/victim")

    m.expect_ctime_moves(top, make_and_remove, "unlink in the directory")


@mount_check(
    "posix.unlink.three-names", op="UNLINK", source="catalogue 3.8.1; POSIX unlink", also=("LINK", "GETATTR"),
    needs=("write", "hardlink"), killers=("GETATTR:attr.nlink=3", "UNLINK:fake", "READ:flip"),
)
def three_names(m: Mount) -> None:
    """Of three names each unlink takes one link; the last leaves an open file with none, and its data."""
    first = m.file("first", b"shared")
    names = [first, m.hard_link(first, "second"), m.hard_link(first, "third")]
    fd = m.open(first)
    for left in (2, 1):
        gone = names.pop(0)
        os.unlink(gone)
        hidden = m.hidden(gone)
        m.expect(not hidden, "a name to go when the file is open", f"it is now {hidden}, a link more", warn=True)
        m.expect_equal(left, m.stat(fd).nlink, "the links by descriptor")
        m.expect_equal(left, m.stat(names[0]).nlink, "the links by a name that is left")
        m.expect_equal(b"shared", m.read(names[-1]), "the content by a name that is left")
    os.unlink(names[0])
    m.expect_equal(b"shared", m.pread(fd, 100, 0), "the content by descriptor after the last unlink")
    m.expect(not os.path.lexists(names[0]), "no name left", "one is still there")


@mount_check(
    "posix.unlink.read-only-file", op="UNLINK", source="catalogue 3.8.5; POSIX unlink", needs=("write",),
    killers=("UNLINK:errno=EACCES", "UNLINK:fake"),
)
def read_only_file(m: Mount) -> None:
    """A file that nobody may write can be removed by who may write its directory."""
    top = m.subdir("top")
    path = m.file("top/read-only", b"data", mode=0o444)
    user = m.ordinary(top)
    m.chmod(path, 0o444)
    m.fork(lambda: os.unlink(path), uid=user)
    m.expect(not m.listed(path), "the file not to be listed", "it is")
    for _ in range(50):  # RELEASE is asynchronous: where it was hidden, a few round trips let it go
        if not m.names(top):
            break
    m.expect_equal([], m.names(top), "the entries afterwards")


@mount_check(
    "posix.unlink.link-to-directory", op="UNLINK", source="catalogue 3.8.4; POSIX unlink", also=("RMDIR",),
    needs=("write", "symlink"), killers=("UNLINK:fake", "*:entries=lose"),
)
def link_to_directory(m: Mount) -> None:
    """A link to a directory is removed by unlink and not by rmdir; the directory and what is in it stay."""
    folder = m.subdir("folder")
    m.file("folder/inside")
    link = m.link_to(os.path.basename(folder), "link")
    with m.raises(errno.ENOTDIR, what="rmdir of a link to a directory"):
        os.rmdir(link)
    os.unlink(link)
    m.expect(not os.path.lexists(link), "no link", "it is still there")
    m.expect_equal([b"inside"], m.names(folder), "the entries of the directory")


@mount_check(
    "posix.unlink.written-on", op="UNLINK", source="catalogue 3.8.2; POSIX unlink", also=("WRITE", "READ", "GETATTR"),
    needs=("write",), killers=("WRITE:fake", "READ:flip", "UNLINK:fake"),
)
def written_on(m: Mount) -> None:
    """Two descriptors of an unlinked file go on sharing it while a new file of its name is written."""
    path = m.file("name", b"0123456789")
    one, two = m.open(path, os.O_RDWR), m.open(path, os.O_RDWR)
    os.unlink(path)
    new = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    os.pwrite(new, b"new file", 0)
    os.pwrite(one, b"ABC", 2)
    m.expect_equal(b"01ABC56789", m.pread(two, 100, 0), "the content by the other descriptor")
    os.pwrite(two, b"end", 10)
    m.expect_equal(13, m.stat(one).size, "the size by the first descriptor")
    m.expect_equal(b"new file", m.read(path), "the content of the new file")


@mount_check(
    "posix.unlink.twice-open", op="UNLINK", source="catalogue 3.8.3; POSIX unlink", also=("READ", "CREATE"),
    needs=("write",), killers=("UNLINK:fake", "READ:flip", "GETATTR:attr.ino=77"),
)
def twice_open(m: Mount) -> None:
    """Three files of one name, each unlinked while open, are three: contents and inode numbers are kept apart."""
    path = m.path("name")
    fds = []
    for turn in range(3):
        fd = m.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
        os.write(fd, b"file %d" % turn)
        fds.append(fd)
        os.unlink(path)
    for turn, fd in enumerate(fds):
        m.expect_equal(b"file %d" % turn, m.pread(fd, 100, 0), f"the content of file {turn}")
    m.expect_equal(3, len({m.stat(fd).ino for fd in fds}), "different inode numbers")
    m.expect(not os.path.lexists(path), "no such name", "it exists")


@mount_check(
    "posix.unlink.no-search", op="UNLINK", source="catalogue 3.8.5; POSIX unlink", also=("LOOKUP", "OPEN"),
    needs=("write",), killers=("READ:flip", "*:entries=lose"),
)
def no_search(m: Mount) -> None:
    """In a directory that may be read but not searched nothing can be reached: EACCES for stat, open and unlink."""
    top = m.subdir("top")
    path = m.file("top/inside", b"kept")
    user = m.ordinary(top, path)
    m.chmod(top, 0o600)
    try:
        for what, call in (("stat", _stat), ("open", _open), ("unlink", os.unlink)):
            refused = m.raises(errno.EACCES, what=f"{what} in a directory without search permission",
                               success_warns=user is None)
            with refused:
                m.fork(functools.partial(call, path), uid=user)
    finally:
        os.chmod(top, 0o755)
    m.expect_equal(b"kept", m.read(path), "the content afterwards")
    if m.names(top) != [b"inside"]:
        raise Finding("the file to be listed afterwards", "it is not")


def _stat(path: str) -> None:
    os.stat(path)


def _open(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY))
