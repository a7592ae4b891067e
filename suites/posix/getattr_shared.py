"""GETATTR: one file's attributes, whichever way it is asked, and what a reply to something else says of them."""

from __future__ import annotations

import os

from fsprobe.checks import INFO, SHOULD, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.getattr.mode-elsewhere", op="GETATTR", source="catalogue 3.3.2; POSIX fstat", also=("SETATTR",),
    needs=("write",),
    killers=("SETATTR:fake,path=*shared,nth=3", "SETATTR:errno=EPERM,path=*shared,nth=3"),
)
def mode_elsewhere(m: Mount) -> None:
    """A mode and times set by path are seen at once by a descriptor, and those set by it are seen by path."""
    path = m.file("shared")
    fd = m.open(path, os.O_RDWR)
    m.age(path)
    m.chmod(path, 0o640)
    m.expect_equal(0o640, os.fstat(fd).st_mode & 0o7777, "the mode by a descriptor after chmod", show=oct)
    m.expect_equal(0o640, m.stat(fd).permissions, "the mode by a descriptor, past the cache", show=oct)
    os.fchmod(fd, 0o604)
    m.expect_equal(0o604, os.stat(path).st_mode & 0o7777, "the mode by path after fchmod", show=oct)
    os.utime(fd, (1_500_000_000, 1_500_000_000))
    m.expect_equal(1_500_000_000, int(os.stat(path).st_mtime), "mtime by path after futimens")


@mount_check(
    "posix.getattr.another-process", op="GETATTR", source="catalogue 3.3.2; POSIX stat", also=("WRITE", "SETATTR"),
    needs=("write",), killers=("WRITE:fake,path=*shared,nth=2", "SETATTR:fake,path=*shared,nth=2"),
)
def another_process(m: Mount) -> None:
    """A size and a mode that another process has just made are seen at once by stat and by an open descriptor."""
    path = m.file("shared", b"12345")
    m.chmod(path, 0o600)
    fd = m.open(path)
    m.stat(fd)

    def change() -> None:
        other = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.write(other, b"67890")
        os.fchmod(other, 0o640)
        os.close(other)

    m.fork(change)
    for what, got in (("stat", os.stat(path)), ("fstat", os.fstat(fd))):
        m.expect_equal((10, 0o640), (got.st_size, got.st_mode & 0o7777), f"size and mode by {what}")
    got_now = m.stat(path)
    m.expect_equal((10, 0o640), (got_now.size, got_now.permissions), "size and mode past the cache")


@mount_check(
    "posix.getattr.directory", op="GETATTR", source="catalogue 3.3.1; POSIX stat", needs=("write",),
    killers=("GETATTR:attr.ino=+5,path=*folder,nth=4", "GETATTR:attr.mode=0o40700,path=*folder,nth=4"),
)
def directory(m: Mount) -> None:
    """A directory asked by path, by descriptor, as `.` and as `..` of its child has one number, mode and type."""
    path = m.subdir("folder")
    m.subdir("folder/sub")
    fd = m.open(path, os.O_RDONLY | os.O_DIRECTORY)
    first = m.stat(path)
    m.expect_equal("directory", linux.type_name(first.mode), "the type")
    for way in (fd, f"{path}/.", f"{path}/sub/..", f"{path}/", f"/proc/self/fd/{fd}"):
        got = m.stat(way)
        m.expect_equal((first.ino, first.mode), (got.ino, got.mode), f"number and mode by {way!r}")


@mount_check(
    "posix.getattr.fresh-links", op="GETATTR", source="catalogue 3.3.4; POSIX sys/stat.h", also=("CREATE",),
    needs=("write",), killers=("GETATTR:attr.nlink=0", "GETATTR:attr.nlink=2"),
)
def fresh_links(m: Mount) -> None:
    """A new file has one link: tar, cp -a and rsync take more for hard links, and none for a deleted file."""
    path = m.file("single")
    m.expect_equal(1, m.stat(path).nlink, "the links by path")
    m.expect_equal(1, m.stat(m.open(path)).nlink, "the links by descriptor")


@mount_check(
    "posix.getattr.symlink-mode", op="GETATTR", level=SHOULD, source="catalogue 3.3.5; man 7 symlink",
    also=("SYMLINK",), needs=("write", "symlink"),
    killers=("GETATTR:attr.mode=0o120644,path=*link", "GETATTR:attr.nlink=0,path=*link"),
)
def symlink_mode(m: Mount) -> None:
    """A symbolic link has the mode 0777, as on every file system of Linux, and one link."""
    got = m.stat(m.link_to("nowhere", "link"), follow=False)
    m.expect_equal((0o777, 1), (got.permissions, got.nlink), "mode and links of a symbolic link")


@mount_check(
    "posix.getattr.sparse-blocks", op="GETATTR", level=SHOULD, source="catalogue 3.3.6; man 7 inode",
    also=("SETATTR",), needs=("write",), killers=("GETATTR:attr.blocks=20000",),
)
def sparse_blocks(m: Mount) -> None:
    """A file of 8 MiB in which nothing was written takes less than half of that, by st_blocks."""
    path = m.file("sparse")
    with m.setup():
        os.truncate(path, 8 << 20)
    taken = m.stat(path).blocks * 512
    m.expect(taken < 4 << 20, "less than 4 MiB taken by a hole of 8 MiB", f"{taken} bytes")


@mount_check(
    "posix.getattr.empty-blocks", op="GETATTR", level=SHOULD, source="catalogue 3.3.6; man 7 inode", needs=("write",),
    killers=("GETATTR:attr.blocks=+100",),
)
def empty_blocks(m: Mount) -> None:
    """An empty file takes no more than one page, by st_blocks: du would count it."""
    blocks = m.stat(m.file("empty")).blocks
    m.expect(blocks <= 8, "at most 8 blocks of 512 bytes", str(blocks))


@mount_check(
    "posix.getattr.path-only", op="GETATTR", source="catalogue 3.13.7; man 2 open", also=("LOOKUP",), needs=("write",),
    killers=("GETATTR:attr.size=+1", "READ:flip"),
)
def path_only(m: Mount) -> None:
    """A descriptor opened with O_PATH tells the attributes, also after an unlink, and its data can be reached by it."""
    path = m.file("plain", b"data")
    fd = m.open(path, os.O_PATH)
    m.expect_equal(4, m.stat(fd).size, "the size by an O_PATH descriptor")
    m.expect_equal(b"data", m.read(f"/proc/self/fd/{fd}"), "the content by way of it")
    other = m.open(path)
    with m.setup():
        os.unlink(path)
    m.expect_equal(4, m.stat(fd).size, "the size after unlink")
    m.close(other)


@mount_check(
    "posix.getattr.stat-changes-nothing", op="GETATTR", source="catalogue 3.3.2; POSIX stat", needs=("write",),
    killers=("GETATTR:attr.mtime=+7,path=*watched,nth=9", "GETATTR:attr.atime=+7,path=*watched,nth=9"),
)
def stat_changes_nothing(m: Mount) -> None:
    """Asking for attributes twenty times changes none of them: no time moves, no size, no number."""
    path = m.file("watched", b"data")
    m.age(path)
    first = m.stat(path)
    for turn in range(20):
        got = m.stat(path)
        for name in ("ino", "mode", "nlink", "uid", "gid", "size", "blocks", "atime_ns", "mtime_ns", "ctime_ns"):
            m.expect_equal(getattr(first, name), getattr(got, name), f"{name}, asked for the {turn}. time again,")


@mount_check(
    "posix.getattr.granularity", op="GETATTR", level=INFO, source="catalogue 3.4.14; POSIX sys/stat.h",
    needs=("write",), killers=("GETATTR:attr.mtimensec=0", "GETATTR:errno=EIO,path=*fine"),
)
def granularity(m: Mount) -> None:
    """New files have times finer than a second: make and git compare them."""
    times = [m.stat(m.file(f"{number}.fine")).mtime_ns for number in range(3)]
    whole = all(time % 10**9 == 0 for time in times)
    m.expect(not whole, "an mtime with a fraction of a second in one of three files", "whole seconds")
