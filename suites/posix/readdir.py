"""OPENDIR, READDIR, READDIRPLUS, RELEASEDIR: every entry, exactly once."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from fsprobe.checks import SHOULD, Finding, Skip, linux, mount_check
from fsprobe.checks.mount import Mount

_FILLING = 6.0
LISTED = ("*:entries=lose", "*:entries=double")


def many_names(count: int) -> list[bytes]:
    """Names of 100 bytes, so that a few dozen need more than one request."""
    return sorted(b"%04d" % number + b"n" * 96 for number in range(count))


def _touch(path: str) -> None:
    """An empty file by one request where MKNOD can do that."""
    try:
        os.mknod(path, 0o100644)
    except OSError:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def fill(m: Mount, folder: str, names: list[bytes]) -> str:
    """A fresh directory with a file of each name."""
    top = m.subdir(folder)
    for name in names:
        m.file(f"{folder}/{os.fsdecode(name)}")
    return top


@mount_check(
    "posix.readdir.all", op="READDIR", source="catalogue 3.21.1; POSIX readdir", main=True, quick=True,
    also=("OPENDIR", "CREATE"), needs=("write",), killers=(*LISTED, "*:entries=slash"),
)
def every_entry(m: Mount) -> None:
    """A directory of 120 long names lists each exactly once."""
    names = many_names(120)
    found = m.names(fill(m, "full", names))
    lost, odd = sorted(set(names) - set(found)), sorted(set(found) - set(names))
    m.expect(not lost, "120 entries", f"{len(lost)} missing, {lost[:1]} first")
    m.expect(not odd, "only the entries made", f"also {odd[0]!r}" if odd else "")
    m.expect_equal(120, len(found), "entries, each once")


@mount_check(
    "posix.readdir.thousand", op="READDIR", source="catalogue 3.36 large; POSIX readdir", also=("MKNOD", "CREATE"),
    needs=("write",), killers=LISTED,
)
def thousand(m: Mount) -> None:
    """A directory of 1,100 entries lists each exactly once, also where the listing behind it comes by pages."""
    top = m.subdir("many")
    paths = [f"{top}/{number:04}" for number in range(1_100)]
    deadline = time.monotonic() + _FILLING
    with m.setup():
        for number, path in enumerate(paths):
            if time.monotonic() > deadline:
                raise Skip(f"too slow to fill: {number} files in {_FILLING:g} s")
            _touch(path)
    found = m.names(top)
    for path in paths:
        with suppress(OSError):
            os.unlink(path)
    m.expect_equal(1_100, len(set(found)), "different entries")
    m.expect_equal(1_100, len(found), "entries, each once")


@mount_check(
    "posix.opendir.empty", op="OPENDIR", source="catalogue 3.21.1", main=True, quick=True, also=("READDIR",),
    needs=("write",), killers=("OPENDIR:errno=EIO", "OPENDIR:errno=EACCES"),
)
def empty(m: Mount) -> None:
    """A new directory can be opened and lists nothing but `.` and `..`."""
    m.expect_equal([], m.names(m.subdir("empty")), "the entries")


@mount_check(
    "posix.readdir.dots", op="READDIR", level=SHOULD, source="catalogue 3.21.1", needs=("write",),
    killers=("OPENDIR:errno=EIO",),
)
def dots(m: Mount) -> None:
    """`.` and `..` are listed, as every file system of Linux does."""
    found = sorted(entry.name for entry in m.entries(m.subdir("dotted")))
    m.expect_equal([b".", b".."], found, "the entries")


@mount_check(
    "posix.readdir.types", op="READDIR", source="catalogue 3.21.2; man 3 readdir", needs=("write",), quick=True,
    killers=LISTED,
)
def types(m: Mount) -> None:
    """The type in a directory entry is that of the file, or unknown."""
    top = m.subdir("mixed")
    m.file("mixed/file")
    m.subdir("mixed/folder")
    expected = {b"file": "file", b"folder": "directory"}
    if not m.features.get("symlink"):
        m.link_to("x", "mixed/link")
        expected[b"link"] = "symbolic link"
    if not m.features.get("fifo"):
        os.mkfifo(m.path("mixed/pipe"))
        expected[b"pipe"] = "fifo"
    found = {e.name: linux.DIRENT_TYPES.get(e.type, str(e.type)) for e in m.entries(top) if e.name[:1] != b"."}
    m.expect_equal(sorted(expected), sorted(found), "the entries")
    m.expect_equal(len(expected), len(m.names(top)), "entries, each once")
    wrong = {name: kind for name, kind in found.items() if kind not in (expected[name], "unknown")}
    m.expect(not wrong, "the types of the files", str(wrong))
    if "unknown" in found.values():
        raise Finding("types in the entries", "unknown: find and ls have to stat every entry", warn=True)


@mount_check(
    "posix.readdir.resume", op="READDIR", source="catalogue 3.21.3; POSIX seekdir", needs=("write",), killers=LISTED,
)
def resume(m: Mount) -> None:
    """Each entry's offset is its own, and listing from there goes on with the next entry."""
    fd = m.open(fill(m, "full", many_names(60)), os.O_RDONLY | os.O_DIRECTORY)
    found = m.entries(fd)
    offsets = [entry.offset for entry in found]
    m.expect_equal(62, len({*(entry.name for entry in found), b".", b".."}), "different entries")
    m.expect_equal(len(offsets), len(set(offsets)), "different offsets")
    for at in m.rng.sample(range(len(found) - 1), 15):
        os.lseek(fd, offsets[at], os.SEEK_SET)
        part = linux.getdents64(fd)
        m.expect(bool(part), f"entries after offset {offsets[at]}", "none")
        m.expect_equal(found[at + 1].name, part[0].name, f"the entry after offset {offsets[at]}")


@mount_check(
    "posix.readdir.small-buffer", op="READDIR", source="catalogue 3.21.3, 3.21.7", needs=("write",), killers=LISTED,
)
def small_buffer(m: Mount) -> None:
    """Listing with room for one entry at a time gives the same as all at once."""
    names = many_names(50)
    top = fill(m, "full", names)
    small = sorted(e.name for e in m.entries(top, 136) if e.name not in (b".", b".."))
    m.expect_equal(names, small, "the entries with a buffer of 136 bytes")
    m.expect_equal(names, m.names(top), "the entries with a large buffer")


@mount_check(
    "posix.readdir.rewind", op="READDIR", source="catalogue 3.21.4; POSIX rewinddir", also=("CREATE",),
    needs=("write",), killers=LISTED, quick=True,
)
def rewind(m: Mount) -> None:
    """After a rewind, an open directory lists a file made since it was opened, and no removed one."""
    top = m.subdir("changing")
    path = m.file("changing/first")
    fd = m.open(top, os.O_RDONLY | os.O_DIRECTORY)
    m.expect_equal([b"first"], m.names(fd), "the entries before")
    m.file("changing/second")
    os.lseek(fd, 0, os.SEEK_SET)
    m.expect_equal([b"first", b"second"], m.names(fd), "the entries after a file was made")
    with m.setup():
        os.unlink(path)
    os.lseek(fd, 0, os.SEEK_SET)
    m.expect_equal([b"second"], m.names(fd), "the entries after a file was removed")


@mount_check(
    "posix.readdir.while-changing", op="READDIR", source="catalogue 3.21.5; POSIX readdir", needs=("write",),
    killers=LISTED,
)
def while_changing(m: Mount) -> None:
    """Entries that are there all the time are listed exactly once while others come and go."""
    names = many_names(90)
    stay, go = names[::2], names[1::2]
    fd = m.open(fill(m, "full", names), os.O_RDONLY | os.O_DIRECTORY)
    found: list[bytes] = []
    for turn in range(400):
        part = linux.getdents64(fd, 600)
        if not part:
            break
        found += [entry.name for entry in part]
        if turn < 40:
            with m.setup():
                os.unlink(m.path(b"full/" + go[turn]))
            m.file(f"full/new{turn}")
    once = sorted(name for name in found if name in set(stay))
    m.expect_equal(len(stay), len(set(once)), "entries that stay, listed")
    m.expect_equal(len(set(once)), len(once), "entries that stay, each once")


@mount_check(
    "posix.readdir.delete-while-listing", op="READDIR", source="catalogue 3.21.6", also=("UNLINK", "RMDIR"),
    needs=("write",), killers=("UNLINK:fake", "*:entries=lose"),
)
def delete_while_listing(m: Mount) -> None:
    """Removing each entry as it is listed, as rm -r does, empties the directory in one pass."""
    top = fill(m, "full", many_names(100))
    fd = m.open(top, os.O_RDONLY | os.O_DIRECTORY)
    removed = 0
    while (part := linux.getdents64(fd, 2048)) and removed <= 200:
        for entry in part:
            if entry.name not in (b".", b".."):
                os.unlink(os.path.join(top, os.fsdecode(entry.name)))
                removed += 1
    m.expect_equal(100, removed, "entries removed")
    os.rmdir(top)


@mount_check(
    "posix.readdir.two-at-once", op="READDIR", source="catalogue 3.21.10", also=("OPENDIR",), needs=("write",),
    killers=LISTED,
)
def two_at_once(m: Mount) -> None:
    """Two descriptors of one directory are listed independently of each other."""
    names = many_names(60)
    top = fill(m, "full", names)
    one, two = (m.open(top, os.O_RDONLY | os.O_DIRECTORY) for _ in range(2))
    first = linux.getdents64(one, 2048)
    m.expect_equal(names, m.names(two), "the entries by the second descriptor")
    rest = m.entries(one)
    found = sorted(e.name for e in (*first, *rest) if e.name not in (b".", b".."))
    m.expect_equal(names, found, "the entries by the first descriptor")


@mount_check(
    "posix.readdirplus.attributes", op="READDIRPLUS", source="catalogue 3.21.9", main=True, quick=True,
    also=("READDIR", "GETATTR"), needs=("write",), killers=("READDIRPLUS:errno=EIO", "GETATTR:attr.size=+1"),
)
def attributes(m: Mount) -> None:
    """What stat says of a file right after listing its directory is what the file system itself says."""
    top = m.subdir("listed")
    for size in range(12):
        m.file(f"listed/{size:02}", b"x" * size)
    listed = os.listdir(top)
    for size, name in enumerate(sorted(listed)):
        path = os.path.join(top, name)
        m.expect_equal(size, os.lstat(path).st_size, f"the size of {name} after listing")
        m.expect_equal(size, m.stat(path).size, f"the size of {name} asked anew")


@mount_check(
    "posix.releasedir.many", op="RELEASEDIR", source="catalogue 3.21.12", main=True, quick=True, also=("OPENDIR",),
    needs=("write",), killers=("RELEASEDIR:crash", "OPENDIR:errno=EMFILE,nth=20"),
)
def many(m: Mount) -> None:
    """A directory can be opened, listed and closed forty times."""
    top = fill(m, "listed", [b"one"])
    for _ in range(40):
        m.expect_equal([b"one"], m.names(top), "the entries")
