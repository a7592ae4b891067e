"""LINK: refused names, what names share, and where they may be."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from typing import Any

from fsprobe.checks import SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
TWO_NODES = "the kernel takes the two names for two files, and keeps what it knows of each for its attr_timeout"


def _expect_cached(
    m: Mount, path: str, field: str, expected: int, what: str, *, show: Callable[[Any], str] = repr
) -> None:
    """What stat(2) tells of a name, from the kernel's cache too. A stale answer of two nodes only surprises, where the
    file system itself knows better: libfuse's high-level interface gives every name a node of its own."""
    cached = int(getattr(os.stat(path), field))
    names = [os.path.join(os.path.dirname(path), name) for name in ("first", "second")]
    if cached != expected and not linux.same_inode(*names):
        m.stat(path)  # which puts what the file system says into the cache
        if int(getattr(os.stat(path), field)) == expected:
            raise Finding(f"{what} {show(expected)}", f"{show(cached)}: {TWO_NODES}", warn=True)
    m.expect_equal(expected, cached, what, show=show)


@mount_check(
    "posix.link.refused", op="LINK", source="catalogue 3.12.2; POSIX link", needs=("write", "hardlink"), quick=True,
    killers=("READ:flip", "LOOKUP:errno=EIO,path=*absent", "GETATTR:attr.nlink=2,path=*first"),
)
def refused(m: Mount) -> None:
    """link over a taken name is EEXIST, of a missing file ENOENT, into a missing directory ENOENT; links stay one."""
    first, second = m.file("first", b"first"), m.file("second", b"second")
    with m.raises(errno.EEXIST, what="link over a taken name"):
        os.link(first, second)
    with m.raises(errno.EEXIST, what="link of a file over itself"):
        os.link(first, first)
    with m.raises(errno.ENOENT, what="link of a missing file"):
        os.link(m.absent(), m.path("new"))
    with m.raises(errno.ENOENT, what="link into a missing directory"):
        os.link(first, f"{m.absent()}/new")
    with m.raises(errno.ENOTDIR, errno.ENOENT, what="link to a name with a slash behind it"):
        os.link(first, m.path("new") + "/")
    m.expect_equal((b"first", b"second"), (m.read(first), m.read(second)), "the contents")
    m.expect_equal((1, 1), (m.stat(first).nlink, m.stat(second).nlink), "the links")


@mount_check(
    "posix.link.directory", op="LINK", source="catalogue 3.12.2; POSIX link", needs=("write",),
    killers=("*:entries=lose", "LOOKUP:errno=EIO,path=*new"),
)
def directory(m: Mount) -> None:
    """A directory gets no second name: EPERM, and nothing is made."""
    folder, new = m.subdir("folder"), m.path("new")
    m.file("folder/inside")
    with m.raises(errno.EPERM, errno.EISDIR, what="link of a directory"):
        os.link(folder, new)
    with m.raises(errno.ENOENT, what="stat of the name that was refused"):
        os.lstat(new)
    m.expect_equal([b"inside"], m.names(folder), "the entries of the directory")


@mount_check(
    "posix.link.ctime", op="LINK", source="catalogue 3.12.1; POSIX link", also=("GETATTR", "UNLINK"), quick=True,
    needs=("write", "hardlink"), killers=("GETATTR:attr.ctime=+1000,path=*first,nth=3", "LINK:errno=EIO,path=*second0"),
)
def ctime(m: Mount) -> None:
    """A new name gives the file a later ctime."""
    first, names = m.file("first"), itertools.count()

    def link() -> None:
        os.link(first, m.path(f"second{next(names)}"))  # a new one each time: removing one moves ctime too

    m.expect_ctime_moves(first, link, "link")


@mount_check(
    "posix.link.many", op="LINK", source="catalogue 3.12.1; POSIX link", also=("UNLINK", "READDIR", "GETATTR"),
    needs=("write", "hardlink"), killers=("LINK:errno=EMLINK,path=*n17", "*:entries=lose", "GETATTR:attr.nlink=1"),
    quick=True,
)
def many(m: Mount) -> None:
    """A file takes thirty names in two directories: each counts, is listed and leads to it; all go one by one."""
    first = m.file("first", b"data")
    for name in ("a", "b"):
        m.subdir(name)
    names = [m.path(f"{'ab'[number % 2]}/n{number}") for number in range(30)]
    for number, name in enumerate(names):
        os.link(first, name)
        m.expect_equal(number + 2, m.stat(first).nlink, f"the links after name {number + 1}")
    m.expect_equal((15, 15), (len(m.names(m.path("a"))), len(m.names(m.path("b")))), "the names listed")
    m.expect_equal(b"data", m.read(names[-1]), "the content by the last name")
    for number, name in enumerate(names):
        os.unlink(name)
        m.expect_equal(30 - number, m.stat(first).nlink, f"the links after {number + 1} were removed")
    m.expect_equal(b"data", m.read(first), "the content by the first name")


@mount_check(
    "posix.link.first-name-goes", op="LINK", source="catalogue 3.12.1; POSIX link", also=("UNLINK", "RMDIR", "READ"),
    needs=("write", "hardlink"), killers=("UNLINK:fake", "READ:flip", "RMDIR:errno=EIO,path=*home"), quick=True,
)
def first_name_goes(m: Mount) -> None:
    """A second name in another directory outlives the first name and its directory, with mode and times."""
    home = m.subdir("home")
    m.subdir("away")
    first = m.file("home/first", b"data", mode=0o640)
    m.chmod(first, 0o640)
    m.age(first)
    number = m.stat(first).ino
    second = m.hard_link(first, "away/second")
    os.unlink(first)
    for _ in range(50):  # RELEASE is asynchronous: where the file was hidden, a few round trips let it go
        if not m.hidden(first):
            break
    os.rmdir(home)
    m.expect_equal(b"data", m.read(second), "the content by the second name")
    got = m.stat(second)
    m.expect_equal((0o640, 4, 1), (got.permissions, got.size, got.nlink), "mode, size and links")
    m.expect_same_mtime(second, "unlink of the first name")
    m.expect_equal(number, got.ino, "the inode number", warn=True)


@mount_check(
    "posix.link.unlinked-file", op="LINK", source="catalogue 3.12.3; man 2 linkat", needs=("write", "hardlink"),
    killers=("READ:flip", "LOOKUP:errno=EIO,path=*new"),
)
def unlinked_file(m: Mount) -> None:
    """An open file whose last name was removed gets no new one: ENOENT; it can still be read."""
    path, new = m.file("gone", b"data"), m.path("new")
    fd = m.open(path)
    with m.setup():
        os.unlink(path)
    if m.hidden(path):
        m.info("the daemon hides open files: the kernel sees a link")
    else:
        with m.raises(errno.ENOENT, what="linkat of an unlinked open file"):
            linux.linkat(f"/proc/self/fd/{fd}", new, linux.AT_SYMLINK_FOLLOW)
    with m.raises(errno.ENOENT, what="stat of a name that was not made"):
        os.lstat(new)
    m.expect_equal(b"data", m.pread(fd, 100, 0), "the content by descriptor")


@mount_check(
    "posix.link.by-descriptor", op="LINK", source="catalogue 3.12.3; man 2 linkat", also=("LOOKUP",),
    needs=("write", "hardlink"), killers=("LINK:errno=EIO,path=*second", "READ:flip", "GETATTR:attr.nlink=1"),
)
def by_descriptor(m: Mount) -> None:
    """An open file gets another name by its descriptor, also where the first one was renamed meanwhile."""
    first, second = m.file("first", b"data"), m.path("second")
    fd = m.open(first)
    with m.setup():
        os.rename(first, m.path("moved"))
    linux.linkat(f"/proc/self/fd/{fd}", second, linux.AT_SYMLINK_FOLLOW)
    m.expect_equal(b"data", m.read(second), "the content by the second name")
    m.expect_equal(2, m.stat(second).nlink, "the links")
    m.expect_equal(m.stat(fd).ino, m.stat(second).ino, "one inode number", warn=True)


@mount_check(
    "posix.link.follows", op="LINK", source="catalogue 3.12.2; man 2 linkat", also=("READLINK",),
    needs=("write", "hardlink", "symlink"), killers=("LINK:errno=EIO,path=*second", "READLINK:flip", "READ:flip"),
)
def follows(m: Mount) -> None:
    """linkat with AT_SYMLINK_FOLLOW gives a name to what a symbolic link points to."""
    target = m.file("target", b"data")
    link, second = m.link_to(os.path.basename(target), "link"), m.path("second")
    linux.linkat(link, second, linux.AT_SYMLINK_FOLLOW)
    m.expect_equal("file", linux.type_name(os.lstat(second).st_mode), "the type of the second name")
    m.expect_equal(b"data", m.read(second), "the content by the second name")
    m.expect_equal(2, m.stat(target).nlink, "the links")


@mount_check(
    "posix.link.of-fifo", op="LINK", level=SHOULD, source="catalogue 3.12.3; POSIX link", also=("MKNOD",),
    needs=("write", "hardlink", "fifo"), killers=("LINK:errno=EIO,path=*second", "GETATTR:attr.nlink=1"),
)
def of_fifo(m: Mount) -> None:
    """A FIFO takes a second name, and what is written by one is read by the other."""
    first, second = m.path("first"), m.path("second")
    with m.setup("mkfifo"):
        os.mkfifo(first)
    with m.optional(*DECLINED, what="link of a FIFO"):
        os.link(first, second)
    m.expect_equal(2, m.stat(first).nlink, "the links")
    reader = m.open(first, os.O_RDONLY | os.O_NONBLOCK)
    try:
        writer = m.open(second, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        raise Finding("one FIFO under both names", "two: nobody reads the second") from error
    os.write(writer, b"through")
    m.expect_equal(b"through", os.read(reader, 100), "what came through")


@mount_check(
    "posix.link.reply-is-true", op="LINK", source="catalogue 3.12.6, 3.1.8", also=("GETATTR", "LOOKUP"), quick=True,
    needs=("write", "hardlink"), killers=("GETATTR:attr.size=+1,path=*second", "LINK:errno=EIO,path=*second"),
)
def reply_is_true(m: Mount) -> None:
    """Right after link, and without asking again, both names are one file to the kernel: number, links and size."""
    first, second = m.file("first", b"data"), m.path("second")
    fd = m.open(first, os.O_RDWR)
    m.stat(first)
    os.link(first, second)
    one = os.stat(first)
    for name in (first, second):
        _expect_cached(m, name, "st_nlink", 2, "the links by both names")
        _expect_cached(m, name, "st_size", 4, "the size by both names")
    os.ftruncate(fd, 9)
    for name in (first, second):
        _expect_cached(m, name, "st_size", 9, "the size by both names after ftruncate")
    m.expect_equal(9, m.stat(second).size, "the size past the cache")
    m.expect_equal(one.st_ino, os.stat(second).st_ino, "one inode number", warn=True)


@mount_check(
    "posix.link.locked-name", op="LINK", source="catalogue 3.12.1; POSIX link", also=("UNLINK", "CREATE"),
    needs=("write", "hardlink"), killers=("LINK:errno=EIO,path=*lock", "UNLINK:fake", "GETATTR:attr.nlink=1"),
)
def locked_name(m: Mount) -> None:
    """A lock file by link, as mail programs take it: the first wins with two links, the second is EEXIST, then free."""
    lock = m.path("lock")
    mine, theirs = m.file("mine"), m.file("theirs")
    for winner, loser in ((mine, theirs), (theirs, mine)):
        os.link(winner, lock)
        m.expect_equal((2, 1), (m.stat(winner).nlink, m.stat(loser).nlink), "the links of winner and loser")
        with m.raises(errno.EEXIST, what="link of the second to come"):
            os.link(loser, lock)
        os.unlink(lock)
        m.expect_equal((1, 1), (m.stat(winner).nlink, m.stat(loser).nlink), "the links after the lock was given back")


@mount_check(
    "posix.link.shares-mode", op="LINK", source="catalogue 3.3.2, 3.4.1; POSIX link", also=("SETATTR",),
    needs=("write", "hardlink"), killers=("SETATTR:fake,nth=2", "SETATTR:errno=EPERM,nth=3"),
)
def shares_mode(m: Mount) -> None:
    """A mode set by one of two names is that of the other, also as the kernel's cache has it."""
    first = m.file("first")
    second = m.hard_link(first, "second")
    m.chmod(first, 0o600)
    os.stat(second)
    os.chmod(first, 0o640)
    m.expect_equal(0o640, m.stat(second).permissions, "the mode by the second name", show=oct)
    _expect_cached(m, second, "st_mode", 0o100640, "the mode by the second name, as cached", show=oct)
    os.chmod(second, 0o604)
    _expect_cached(m, first, "st_mode", 0o100604, "the mode by the first name, as cached", show=oct)


@mount_check(
    "posix.link.shares-times", op="LINK", source="catalogue 3.3.2; POSIX link", also=("SETATTR",),
    needs=("write", "hardlink"),
    killers=("SETATTR:fake,path=*first,nth=2", "GETATTR:attr.mtime=1000000000,path=*second"),
)
def shares_times(m: Mount) -> None:
    """Times set by one of two names are those of the other, also as the kernel's cache has it."""
    first = m.file("first")
    second = m.hard_link(first, "second")
    m.age(first)
    os.stat(second)
    os.utime(first, (1_500_000_000, 1_500_000_000))
    _expect_cached(m, second, "st_mtime", 1_500_000_000, "mtime by the second name, as cached")
    m.expect_equal(1_500_000_000 * 10**9, m.stat(second).mtime_ns, "mtime by the second name")
