"""READDIR: listing while a directory, or the way to it, changes."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import linux, mount_check
from fsprobe.checks.mount import Mount

LISTED = ("*:entries=lose", "*:entries=double")
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY


def fill(m: Mount, folder: str, count: int) -> tuple[str, list[bytes]]:
    """A fresh directory of so many files with names of 100 bytes: more than one request. Its path and the names."""
    top = m.subdir(folder)
    names = [b"%04d" % number + b"n" * 96 for number in range(count)]
    for name in names:
        m.file(f"{folder}/{os.fsdecode(name)}")
    return top, names


def plain(entries: list[linux.Entry]) -> list[bytes]:
    """The names of entries in their order, without `.` and `..`."""
    return [entry.name for entry in entries if entry.name not in (b".", b"..")]


@mount_check(
    "posix.readdir.position-after-unlink", op="READDIR", source="catalogue 3.21.3, 3.21.5; POSIX seekdir",
    needs=("write",), also=("UNLINK",), killers=LISTED,
)
def position_after_unlink(m: Mount) -> None:
    """A position told while listing leads to the same next entry after entries before it were removed."""
    top, names = fill(m, "full", 60)
    fd = m.open(top, DIRECTORY)
    found = m.entries(fd)
    m.expect_equal(names, sorted(plain(found)), "the entries")
    for entry in found[:20]:
        if entry.name not in (b".", b".."):
            with m.setup():
                os.unlink(os.path.join(top, os.fsdecode(entry.name)))
    for at in (30, 45, 20, len(found) - 2):
        os.lseek(fd, found[at].offset, os.SEEK_SET)
        part = linux.getdents64(fd)
        m.expect(bool(part), f"entries after the one at place {at}", "none")
        m.expect_equal(found[at + 1].name, part[0].name, f"the entry after the one at place {at}")


@mount_check(
    "posix.readdir.while-renaming", op="READDIR", source="catalogue 3.21.5; POSIX readdir", needs=("write",),
    also=("RENAME",), killers=LISTED,
)
def while_renaming(m: Mount) -> None:
    """Entries that are there all the time are listed exactly once while others are renamed."""
    top, names = fill(m, "full", 90)
    stay, move = names[::2], names[1::2]
    fd = m.open(top, DIRECTORY)
    found: list[bytes] = []
    for turn in range(400):
        part = linux.getdents64(fd, 600)
        if not part:
            break
        found += plain(part)
        if turn < len(move):
            with m.setup():
                os.rename(m.path(b"full/" + move[turn]), m.path(f"full/renamed{turn}"))
    once = sorted(name for name in found if name in set(stay))
    m.expect_equal(len(stay), len(set(once)), "entries that stay, listed")
    m.expect_equal(len(set(once)), len(once), "entries that stay, each once")


@mount_check(
    "posix.readdir.growing", op="READDIR", source="catalogue 3.21.5; POSIX readdir", needs=("write",),
    also=("CREATE",), killers=LISTED,
)
def growing(m: Mount) -> None:
    """A listing comes to its end though a file is made for every entry read, and no entry comes twice."""
    top, names = fill(m, "full", 50)
    fd = m.open(top, DIRECTORY)
    found: list[bytes] = []
    for turn in range(1_000):
        part = linux.getdents64(fd, 300)
        if not part:
            break
        found += plain(part)
        if turn < 60:
            m.file(f"full/new{turn}")
    else:
        m.expect(False, "the end of the listing after 1,000 calls", f"{len(found)} entries and no end")
    m.expect_equal(len(set(found)), len(found), "entries, each once")
    m.expect_equal(names, sorted(set(found) & set(names)), "the entries that were there before")


@mount_check(
    "posix.readdir.not-cached", op="READDIR", source="catalogue 3.21.4", needs=("write",), also=("CREATE", "UNLINK"),
    killers=("*:entries=double", "UNLINK:fake", "*:entries=lose"),
)
def not_cached(m: Mount) -> None:
    """A directory that was just listed shows at once what another process made, renamed and removed in it."""
    top = m.subdir("shared")
    path, new = m.path("shared/made"), m.path("shared/renamed")
    m.expect_equal([], m.names(top), "the entries of a new directory")
    m.fork(lambda: os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)))
    m.expect_equal([b"made"], m.names(top), "the entries after a file was made")
    m.fork(lambda: os.rename(path, new))
    m.expect_equal([b"renamed"], m.names(top), "the entries after the file was renamed")
    m.fork(lambda: os.unlink(new))
    m.expect_equal([], m.names(top), "the entries after the file was removed")


@mount_check(
    "posix.readdir.renamed-directory", op="READDIR", source="catalogue 3.21.10; POSIX rename", needs=("write",),
    also=("RENAME", "OPENDIR"), killers=(*LISTED, "RENAME:errno=EIO"),
)
def renamed_directory(m: Mount) -> None:
    """An open directory that is renamed half-way is listed on, and can be rewound and listed anew."""
    top, names = fill(m, "full", 60)
    fd = m.open(top, DIRECTORY)
    first = plain(linux.getdents64(fd, 2048))
    os.rename(top, m.path("elsewhere"))
    m.expect_equal(names, sorted(first + plain(m.entries(fd))), "the entries, before and after the rename")
    os.lseek(fd, 0, os.SEEK_SET)
    m.expect_equal(names, sorted(plain(m.entries(fd))), "the entries after a rewind")


@mount_check(
    "posix.readdir.removed-directory", op="READDIR", source="catalogue 3.21.7; man 2 getdents", needs=("write",),
    also=("RMDIR", "OPENDIR"), killers=("RMDIR:errno=EIO", "OPENDIR:errno=EIO"),
)
def removed_directory(m: Mount) -> None:
    """Listing an open directory that was removed is ENOENT, or shows nothing but `.` and `..`."""
    top = m.subdir("removed")
    fd = m.open(top, DIRECTORY)
    os.rmdir(top)
    try:
        left = plain(m.entries(fd))
    except OSError as error:
        m.expect_equal("ENOENT", linux.errno_name(error.errno or 0), "listing a removed directory:", show=str)
        return
    m.expect_equal([], left, "the entries")


@mount_check(
    "posix.readdir.counted-removal", op="READDIR", source="catalogue 3.21.6", needs=("write",), also=("UNLINK",),
    killers=("UNLINK:fake", "*:entries=lose"),
)
def counted_removal(m: Mount) -> None:
    """Removing every third entry while listing with small buffers leaves the other ones, each listed exactly once."""
    top, names = fill(m, "full", 90)
    fd = m.open(top, DIRECTORY)
    found: list[bytes] = []
    while (part := linux.getdents64(fd, 300)) and len(found) <= 200:
        for name in plain(part):
            if len(found) % 3 == 0:
                os.unlink(os.path.join(top, os.fsdecode(name)))
            found.append(name)
    m.expect_equal(names, sorted(found), "the entries listed")
    m.expect_equal(60, len(m.names(top)), "entries left")


@mount_check(
    "posix.opendir.by-descriptor", op="OPENDIR", source="catalogue 3.21.10; POSIX openat", needs=("write",),
    also=("RENAME", "CREATE", "UNLINK", "MKDIR"), killers=("RENAME:errno=EIO", "CREATE:errno=EIO", "UNLINK:fake"),
)
def by_descriptor(m: Mount) -> None:
    """Through the descriptor of a directory that was renamed, files are made, looked at and removed where it is now."""
    top, new = m.subdir("old"), m.path("new")
    fd = m.open(top, DIRECTORY)
    os.rename(top, new)
    m.close(m.open("file", os.O_CREAT | os.O_EXCL | os.O_WRONLY, dir_fd=fd))
    os.mkdir("folder", dir_fd=fd)
    m.expect_equal([b"file", b"folder"], m.names(new), "the entries by the new path")
    m.expect_equal(0, os.stat("file", dir_fd=fd).st_size, "the size of the file by descriptor")
    os.unlink("file", dir_fd=fd)
    os.rmdir("folder", dir_fd=fd)
    m.expect_equal([], m.names(new), "the entries after removal by descriptor")


@mount_check(
    "posix.opendir.working-directory", op="OPENDIR", source="catalogue 3.23.4; POSIX chdir, getcwd", needs=("write",),
    also=("LOOKUP", "RENAME"), killers=("RENAME:errno=EIO", "CREATE:errno=EIO", "RENAME:fake"),
)
def working_directory(m: Mount) -> None:
    """A process works on in its directory while that is renamed: relative paths and getcwd follow it."""
    top, new = m.subdir("old"), m.path("new")

    def work() -> str:
        os.chdir(top)
        os.close(os.open("before", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.rename(top, new)
        os.close(os.open("after", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        m.expect_equal(["after", "before"], sorted(os.listdir(".")), "the entries of the working directory")
        return os.getcwd()

    m.expect_equal(os.path.realpath(new), m.fork(work), "the working directory's path")
    m.expect_equal([b"after", b"before"], m.names(new), "the entries by the new path")


@mount_check(
    "posix.opendir.removed-working-directory", op="OPENDIR", source="catalogue 3.9.4, 3.21.7; POSIX rmdir",
    needs=("write",), also=("RMDIR", "CREATE"), killers=("RMDIR:errno=EBUSY", "RMDIR:errno=EIO"),
)
def removed_working_directory(m: Mount) -> None:
    """A directory can be removed while a process works in it; nothing can be made there any more: ENOENT."""
    top = m.subdir("gone")

    def work() -> int:
        os.chdir(top)
        os.rmdir(top)
        try:
            os.close(os.open("file", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except OSError as error:
            return error.errno or 0
        return 0

    m.expect_equal(errno.ENOENT, m.fork(work), "creating a file there:", show=linux.errno_name)
    m.expect(not m.listed(top), "the directory not to be listed", "it is")
