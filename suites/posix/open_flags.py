"""OPEN: what each flag asks of the kernel and of the daemon."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Callable

from fsprobe.checks import SHOULD, Skip, linux, mount_check
from fsprobe.checks.mount import Mount

NEW = os.O_CREAT | os.O_EXCL


@mount_check(
    "posix.open.wrong-kind", op="OPEN", source="catalogue 3.13.1; POSIX open", also=("LOOKUP",), needs=("write",),
    killers=("READ:flip", "*:entries=lose"),
)
def wrong_kind(m: Mount) -> None:
    """A directory opened for writing or with O_CREAT is EISDIR, with O_EXCL EEXIST; a file with O_DIRECTORY ENOTDIR."""
    folder = m.subdir("folder")
    file = m.file("folder/file", b"kept")
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_CREAT, os.O_WRONLY | os.O_TRUNC):
        with m.raises(errno.EISDIR, what=f"open of a directory with flags {flags:#o}"):
            m.open(folder, flags)
    with m.raises(errno.EEXIST, what="open of a directory with O_CREAT|O_EXCL"):
        m.open(folder, NEW | os.O_RDONLY)
    with m.raises(errno.ENOTDIR, what="open of a file with O_DIRECTORY"):
        m.open(file, os.O_RDONLY | os.O_DIRECTORY)
    m.expect_equal(b"kept", m.read(file), "the content of the file")
    m.expect_equal([b"file"], m.names(folder), "the entries of the directory")


@mount_check(
    "posix.open.no-follow", op="OPEN", source="catalogue 3.13.1; man 2 open", also=("READLINK", "LOOKUP"),
    needs=("write", "symlink"), killers=("READ:flip", "READLINK:flip"),
)
def no_follow(m: Mount) -> None:
    """O_NOFOLLOW on a symbolic link is ELOOP, with O_DIRECTORY ENOTDIR; a file it opens, and O_PATH holds the link."""
    file = m.file("file", b"data")
    link = m.link_to(os.path.basename(file), "link")
    with m.raises(errno.ELOOP, what="open of a link with O_NOFOLLOW"):
        m.open(link, os.O_RDONLY | os.O_NOFOLLOW)
    with m.raises(errno.ENOTDIR, what="open of a link with O_NOFOLLOW|O_DIRECTORY"):
        m.open(link, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    m.expect_equal(b"data", m.pread(m.open(file, os.O_RDONLY | os.O_NOFOLLOW), 100, 0), "the content of the file")
    held = m.open(link, os.O_PATH | os.O_NOFOLLOW)
    m.expect_equal(os.path.basename(file), os.readlink("", dir_fd=held), "the target by a descriptor of the link")


@mount_check(
    "posix.open.path-only", op="OPEN", source="catalogue 3.13.7; man 2 open", also=("LOOKUP", "GETATTR"),
    needs=("write",), killers=("GETATTR:attr.size=+1", "READ:flip"),
)
def path_only(m: Mount) -> None:
    """An O_PATH descriptor can neither read nor write nor change a mode (EBADF), and a path may begin at it."""
    folder = m.subdir("folder")
    file = m.file("folder/file", b"data")
    fd = m.open(file, os.O_PATH)
    calls: dict[str, Callable[[], object]] = {
        "read": lambda: os.read(fd, 1), "write": lambda: os.write(fd, b"x"), "fchmod": lambda: os.fchmod(fd, 0),
    }
    for what, call in calls.items():
        with m.raises(errno.EBADF, what=f"{what} by an O_PATH descriptor"):
            call()
    m.expect_equal(4, m.stat(fd).size, "the size by the descriptor")
    below = m.open("file", dir_fd=m.open(folder, os.O_PATH | os.O_DIRECTORY))
    m.expect_equal(b"data", m.pread(below, 100, 0), "the content by way of the directory's")


@mount_check(
    "posix.open.truncate-for-reading", op="OPEN", source="catalogue 3.13.2; man 2 open", also=("SETATTR",),
    needs=("write",), killers=("READ:flip", "GETATTR:attr.size=+1"),
)
def truncate_for_reading(m: Mount) -> None:
    """O_RDONLY|O_TRUNC empties the file too on Linux, keeps its mode and number, and what is written later is all."""
    path = m.file("emptied", b"old data", mode=0o640)
    before = m.stat(path)
    other = m.open(path, os.O_RDWR)
    fd = m.open(path, os.O_RDONLY | os.O_TRUNC)
    m.expect_equal((0, b""), (m.stat(path).size, m.pread(fd, 100, 0)), "size and content")
    after = m.stat(path)
    m.expect_equal((oct(before.mode), before.ino), (oct(after.mode), after.ino), "mode and number")
    os.pwrite(other, b"new", 0)
    m.expect_equal(b"new", m.pread(fd, 100, 0), "the content after another descriptor wrote")


@mount_check(
    "posix.open.truncate-mtime", op="OPEN", source="catalogue 3.13.2, 3.4.11; POSIX open", also=("SETATTR",),
    needs=("write",), killers=("GETATTR:attr.mtime=1000000000", "OPEN:errno=EIO,path=*aged"), quick=True,
)
def truncate_mtime(m: Mount) -> None:
    """O_TRUNC of a file with data updates mtime; a plain open for writing does not."""
    path = m.file("aged", b"old data")
    m.age(path)
    m.close(m.open(path, os.O_WRONLY))
    m.expect_same_mtime(path, "open for writing without O_TRUNC")
    m.close(m.open(path, os.O_WRONLY | os.O_TRUNC))
    m.expect_newer(path, "O_TRUNC")


@mount_check(
    "posix.open.truncate-empty", op="OPEN", level=SHOULD, source="catalogue 3.4.11; man 2 open", also=("SETATTR",),
    needs=("write",), killers=("GETATTR:attr.mtime=1000000000", "OPEN:errno=EIO,path=*aged"),
)
def truncate_empty(m: Mount) -> None:
    """O_TRUNC of an empty file updates mtime too, as on every file system of Linux: `: > file` marks the time."""
    path = m.file("aged")
    m.age(path)
    m.close(m.open(path, os.O_WRONLY | os.O_TRUNC))
    m.expect_newer(path, "O_TRUNC of an empty file")


@mount_check(
    "posix.open.truncate-through-link", op="OPEN", source="catalogue 3.13.2; POSIX open", also=("READLINK", "SETATTR"),
    needs=("write", "symlink"), killers=("READ:flip", "READLINK:errno=EIO"),
)
def truncate_through_link(m: Mount) -> None:
    """O_CREAT|O_TRUNC through a symbolic link empties what it points to; the link stays a link."""
    path = m.file("target", b"old data")
    link = m.link_to(os.path.basename(path), "link")
    fd = m.open(link, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    m.expect_equal(0, m.stat(path).size, "the size of the target")
    os.write(fd, b"new")
    m.close(fd)
    m.expect_equal(b"new", m.read(path), "the content of the target")
    m.expect_equal("symbolic link", linux.type_name(os.lstat(link).st_mode), "the type of the link")


@mount_check(
    "posix.open.append-anywhere", op="OPEN", source="catalogue 3.13.3; man 2 pwrite", also=("WRITE",), needs=("write",),
    killers=("WRITE:fake", "WRITE:flip", "READ:flip"),
)
def append_anywhere(m: Mount) -> None:
    """With O_APPEND writes go to the end, wherever the descriptor was moved and whoever wrote meanwhile."""
    path = m.file("log", b"start|")
    fd, other = m.open(path, os.O_RDWR | os.O_APPEND), m.open(path, os.O_WRONLY)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b"one|")
    os.pwrite(other, b"other|", 10)
    m.expect_equal(b"start|", os.pread(fd, 6, 0), "the content at the start")
    os.lseek(fd, 3, os.SEEK_SET)
    os.write(fd, b"two|")
    os.pwrite(fd, b"three|", 0)
    m.expect_equal(b"start|one|other|two|three|", m.read(path), "the content; pwrite appends too on Linux")


@mount_check(
    "posix.open.append-switched", op="OPEN", level=SHOULD, source="catalogue 3.13.3; POSIX fcntl", also=("WRITE",),
    needs=("write",), killers=("WRITE:fake", "WRITE:flip"),
)
def append_switched(m: Mount) -> None:
    """O_APPEND can be switched on and off for an open descriptor by fcntl, and each write goes where it then should."""
    path = m.file("log", b"0123456789")
    fd = m.open(path, os.O_RDWR)
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
    os.write(fd, b"end")
    m.expect_equal(b"0123456789end", m.read(path), "the content after O_APPEND was switched on")
    second = m.open(path, os.O_RDWR | os.O_APPEND)
    fcntl.fcntl(second, fcntl.F_SETFL, 0)
    os.pwrite(second, b"AB", 2)
    m.expect_equal(b"01AB456789end", m.read(path), "the content after O_APPEND was switched off")


@mount_check(
    "posix.open.exclusive-once", op="OPEN", source="catalogue 3.24.1, 3.13.1; POSIX open", also=("CREATE", "UNLINK"),
    needs=("write",), killers=("CREATE:errno=EIO,path=*lock", "UNLINK:fake"),
)
def exclusive_once(m: Mount) -> None:
    """O_CREAT|O_EXCL takes a lock file once; after it is removed it can be taken again, by another process too."""
    path = m.path("lock")

    def take() -> bool:
        try:
            os.close(os.open(path, NEW | os.O_WRONLY))
        except FileExistsError:
            return False
        return True

    seen = []
    for _ in range(3):
        seen += [take(), take(), m.fork(take)]
        os.unlink(path)
    m.expect_equal([True, False, False] * 3, seen, "who could take it")
    m.expect(m.fork(take), "another process to take the lock that is free", "EEXIST")


@mount_check(
    "posix.open.again-by-descriptor", op="OPEN", level=SHOULD, source="catalogue 3.13, 3.8.2; man 5 proc",
    also=("UNLINK", "READ"), needs=("write",), killers=("READ:flip", "WRITE:fake,path=*plain", "OPEN:errno=ESTALE"),
)
def again_by_descriptor(m: Mount) -> None:
    """A file can be opened anew by /proc/self/fd, for more than before, and after a rename too."""
    path = m.file("plain", b"data")
    fd = m.open(path)
    again = m.open(f"/proc/self/fd/{fd}", os.O_RDWR)
    m.expect_equal(4, os.write(again, b"DATA"), "bytes written")
    m.expect_equal(b"DATA", m.pread(fd, 100, 0), "the content by the first descriptor")
    with m.setup():
        os.rename(path, m.path("moved"))
    m.expect_equal(b"DATA", m.read(f"/proc/self/fd/{fd}"), "the content by way of it after a rename")


@mount_check(
    "posix.open.direct", op="OPEN", level=SHOULD, source="catalogue 3.13.7; man 2 open", also=("READ", "WRITE"),
    needs=("write",), killers=("READ:flip", "WRITE:flip"),
)
def direct(m: Mount) -> None:
    """What is written with O_DIRECT is read without it, and the other way round; or O_DIRECT is EINVAL."""
    path = m.file("direct", b"a" * 8192)
    try:
        fd = m.open(path, os.O_RDWR | os.O_DIRECT)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
        raise Skip(f"O_DIRECT is refused: {linux.errno_name(error.errno)}") from error
    plain = m.open(path, os.O_RDWR)
    m.expect_equal(b"a" * 8192, os.pread(plain, 9000, 0), "the content before, as cached")
    with mmap.mmap(-1, 4096) as page:
        page[:] = b"b" * 4096
        m.expect_equal(4096, os.pwritev(fd, [page], 4096), "bytes written with O_DIRECT")
        m.expect_equal(b"a" * 4096 + b"b" * 4096, os.pread(plain, 9000, 0), "the content, read without it")
        os.pwrite(plain, b"c" * 4096, 0)
        count = os.preadv(fd, [page], 0)
        m.expect_equal(b"c" * 4096, page[:count], "the content, read with O_DIRECT")
