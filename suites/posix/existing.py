"""What is already there: reading and listing without changing anything.

On a target that takes no writing this is a file and a tree of its own, else freshly made ones.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import mmap
import os
import stat
from collections.abc import Iterator
from itertools import islice

from fsprobe.checks import SHOULD, Finding, Skip, linux, mount_check
from fsprobe.checks.mount import Mount

NEEDS = ("regular-file",)
HEAD = 1 << 20  # of a large file, this much is read
MOST_NAMES = 20_000  # of a large directory, so many, for it may never end
ENTRIES = 200  # of a large tree, so many entries


def walk(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Paths below a directory, breadth first, with what lstat says."""
    queue = [top]
    while queue:
        here = queue.pop(0)
        for name in _names(here):
            path = os.path.join(here, name)
            status = os.lstat(path)
            yield path, status
            if stat.S_ISDIR(status.st_mode) and os.access(path, os.R_OK | os.X_OK):
                queue.append(path)


def _names(folder: str) -> list[str]:
    """The names in a directory, of a very large one the first. Raises Finding where they come again and again."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in islice(entries, MOST_NAMES)]
    again = len(names) - len(set(names))
    if again:
        raise Finding(f"each name once in the listing of {folder}", f"{again} of {len(names)} names again")
    return sorted(names)


def head(m: Mount, path: str) -> bytes:
    """The first part of a file, past the kernel's cache."""
    fd = m.open(path)
    data = bytearray()
    while len(data) < HEAD and (part := m.pread(fd, min(65536, HEAD - len(data)), len(data))):
        data += part
    m.close(fd)
    return bytes(data)


@mount_check(
    "posix.existing.read-twice", op="READ", source="catalogue 3.36 read-only", main=True, needs=NEEDS, quick=True,
    killers=("READ:flip,nth=2", "READ:errno=EIO"),
)
def read_twice(m: Mount) -> None:
    """A file read twice gives the same bytes, and as many as its size says."""
    path = m.existing_file()
    first, second = head(m, path), head(m, path)
    m.expect_equal(first, second, "the content the second time")
    m.expect_equal(min(HEAD, m.stat(path).size), len(first), "the bytes read, by st_size")


@mount_check(
    "posix.existing.read-randomly", op="READ", source="catalogue 3.14.1", needs=NEEDS,
    killers=("READ:short,nth=2", "READ:errno=EIO"),
)
def read_randomly(m: Mount) -> None:
    """Reads at random offsets give the same bytes as reading from start to end."""
    path = m.existing_file()
    data = head(m, path)
    m.expect(bool(data), "data to read", "an empty file")
    fd = m.open(path)
    for _ in range(25):
        offset = m.rng.randrange(len(data))
        size = min(m.rng.randrange(1, 5000), len(data) - offset)
        m.expect_equal(data[offset : offset + size], m.pread(fd, size, offset), f"{size} bytes from offset {offset}")


@mount_check(
    "posix.existing.read-mapped", op="READ", source="catalogue 3.14.2, 3.36 mmap", needs=NEEDS,
    killers=("READ:flip,nth=2", "READ:errno=EIO"),
)
def read_mapped(m: Mount) -> None:
    """A private mapping of a file shows the same bytes as read."""
    path = m.existing_file()
    data = head(m, path)

    def work() -> bytes:
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        m.expect(0 < len(data) <= os.fstat(fd).st_size, "a size that covers the data", f"{os.fstat(fd).st_size}")
        with m.optional(errno.ENODEV, what="a private mapping"):
            return mmap.mmap(fd, len(data), flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)[:]

    m.expect_equal(data, m.fork(work), "the mapped data")


@mount_check(
    "posix.existing.read-at-end", op="READ", source="catalogue 3.14.1; POSIX read", needs=NEEDS,
    killers=("READ:errno=EIO", "GETATTR:attr.size=+1"),
)
def read_at_end(m: Mount) -> None:
    """The last byte of a file can be read, and after it there is nothing."""
    path = m.existing_file()
    size, fd = m.stat(path).size, m.open(path)
    m.expect_equal(1, len(m.pread(fd, 100, size - 1)), "bytes read from the last one on")
    m.expect_equal(b"", m.pread(fd, 100, size), "what is read at the end")


@mount_check(
    "posix.existing.readers", op="READ", source="catalogue 3.36 read-only, concurrency", needs=NEEDS,
    killers=("READ:errno=EIO",),
)
def readers(m: Mount) -> None:
    """Three processes that read one file at once read the same."""
    path = m.existing_file()
    data = head(m, path)
    same = [process.result() for process in [m.start(lambda: head(m, path) == data) for _ in range(3)]]
    m.expect_equal([True] * 3, same, "the same content in each process")


@mount_check(
    "posix.existing.attributes", op="GETATTR", source="catalogue 3.3.1", main=True, needs=NEEDS, quick=True,
    killers=("GETATTR:attr.size=+1,path=*existing,nth=2", "GETATTR:attr.ino=+9,path=*existing,nth=3"),
)
def attributes(m: Mount) -> None:
    """stat, lstat and fstat of a file agree, and twice."""
    path = m.existing_file()
    first = m.stat(path)
    for name, got in (("lstat", m.stat(path, follow=False)), ("fstat", m.stat(m.open(path))), ("stat", m.stat(path))):
        for field in ("ino", "mode", "size", "mtime_ns", "uid", "gid", "nlink"):
            # A file that is made as it is read may well be as new as each look at it.
            lively = field == "mtime_ns" and getattr(got, field) > first.mtime_ns
            m.expect_equal(getattr(first, field), getattr(got, field), f"{name}: {field}", warn=lively)
    m.expect(0 <= first.mtime_ns % 10**9 < 10**9, "nanoseconds below one second", str(first.mtime_ns))


@mount_check(
    "posix.existing.tree-twice", op="READDIR", source="catalogue 3.36 read-only", main=True, quick=True,
    also=("LOOKUP", "GETATTR"), killers=("OPENDIR:errno=EIO", "*:entries=slash"),
)
def tree_twice(m: Mount) -> None:
    """A tree walked twice has the same entries of the same types and sizes."""
    def look() -> list[tuple[str, str, int]]:
        found = itertools.islice(walk(m.existing_dir()), ENTRIES)
        return [(path, linux.type_name(status.st_mode), status.st_size) for path, status in found]

    first, second = look(), look()
    m.expect_equal(first, second, "the tree the second time")


@mount_check(
    "posix.existing.listing", op="READDIR", quick=True, source="catalogue 3.21.3",
    killers=("*:entries=double", "OPENDIR:errno=EIO"),
)
def listing(m: Mount) -> None:
    """A directory lists each name once, and the same with small buffers as with large ones."""
    top = m.existing_dir()
    large = [entry.name for entry in m.entries(top)]
    small = [entry.name for entry in m.entries(top, 300)]
    m.expect_equal(len(set(large)), len(large), "names, each once")
    m.expect_equal(sorted(large), sorted(small), "the names with a small buffer")


@mount_check(
    "posix.existing.types", op="READDIR", quick=True, source="catalogue 3.21.2", also=("LOOKUP",),
    killers=("*:entries=double", "OPENDIR:errno=EIO"),
)
def types(m: Mount) -> None:
    """Every entry listed can be looked up, and has the type listed, or that is unknown."""
    top = m.existing_dir()
    found = [entry for entry in m.entries(top) if entry.name not in (b".", b"..")][:ENTRIES]
    m.expect_equal(len({entry.name for entry in found}), len(found), "names, each once")
    for entry in found:
        kind = linux.type_name(os.lstat(os.path.join(top, os.fsdecode(entry.name))).st_mode)
        listed = linux.DIRENT_TYPES.get(entry.type, str(entry.type))
        m.expect(listed in (kind, "unknown"), f"type {kind} of {entry.name!r}", listed)


@mount_check(
    "posix.existing.missing", op="LOOKUP", source="catalogue 3.1.1", main=True, quick=True,
    killers=("LOOKUP:map=ENOENT>EIO", "LOOKUP:errno=EIO"),
)
def missing(m: Mount) -> None:
    """A name that does not exist in the root is ENOENT."""
    with m.raises(errno.ENOENT, what="stat of a missing name"):
        os.stat(os.path.join(m.root, "no-such-name-of-fsprobe"))


@mount_check(
    "posix.existing.name-too-long", op="LOOKUP", source="catalogue 3.1.2",
    killers=("LOOKUP:map=ENAMETOOLONG>EIO", "STATFS:errno=EIO"),
)
def name_too_long(m: Mount) -> None:
    """stat of a name longer than f_namemax is ENAMETOOLONG; ENOENT is tolerated."""
    longest = os.statvfs(m.root).f_namemax
    name = "n" * ((longest if 8 <= longest <= 4000 else 255) + 1)
    with m.raises(errno.ENAMETOOLONG, what=f"stat of a name of {len(name)} bytes", warn=(errno.ENOENT,)):
        os.stat(os.path.join(m.root, name))


@mount_check(
    "posix.existing.opened-often", op="OPEN", source="catalogue 3.13.6", needs=NEEDS, also=("RELEASE", "FLUSH"),
    killers=("OPEN:errno=EMFILE,nth=20", "RELEASE:crash,path=*existing"),
)
def opened_often(m: Mount) -> None:
    """A file can be opened thirty times at once, and closing each succeeds."""
    fds = [m.open(m.existing_file())]
    path = f"/proc/self/fd/{fds[0]}"
    fds += [m.open(path) for _ in range(29)]
    for fd in fds:
        m.close(fd)


@mount_check(
    "posix.existing.access", op="ACCESS", source="catalogue 3.23.3", needs=NEEDS, killers=("ACCESS:errno=EACCES",),
)
def access(m: Mount) -> None:
    """access says of a file that can be opened for reading that it can be read."""
    path = m.existing_file()
    m.close(m.open(path))
    m.expect(os.access(path, os.R_OK), "R_OK of a file that can be opened", "refused")


@mount_check(
    "posix.existing.seek-end", op="LSEEK", quick=True, source="catalogue 3.31", needs=NEEDS, also=("GETATTR",),
    killers=("LSEEK:errno=EIO",),
)
def seek_end(m: Mount) -> None:
    """SEEK_END is at the size; SEEK_DATA and SEEK_HOLE lie inside the file."""
    path = m.existing_file()
    size, fd = m.stat(path).size, m.open(path)
    m.expect_equal(size, os.lseek(fd, 0, os.SEEK_END), "SEEK_END")
    with m.optional(errno.EINVAL, errno.EOPNOTSUPP, errno.ENXIO, what="SEEK_DATA"):
        data = os.lseek(fd, 0, os.SEEK_DATA)
    m.expect(0 <= data < size, f"SEEK_DATA below {size}", str(data))


@mount_check(
    "posix.existing.isatty", op="IOCTL", source="catalogue 3.27.1", needs=NEEDS, killers=("IOCTL:errno=EIO",),
)
def isatty(m: Mount) -> None:
    """TCGETS of a file that is open for reading is ENOTTY."""
    fd = m.open(m.existing_file())
    with m.raises(errno.ENOTTY, what="TCGETS of a file", warn=(errno.EINVAL, errno.EOPNOTSUPP)):
        fcntl.ioctl(fd, linux.TCGETS, bytes(64))


@mount_check(
    "posix.existing.xattr-list", op="LISTXATTR", quick=True, source="catalogue 3.19.3", needs=NEEDS, also=("GETXATTR",),
    killers=("LISTXATTR:errno=EIO",),
)
def xattr_list(m: Mount) -> None:
    """Attributes can be listed and each read, or the file system says that it has none."""
    path = m.existing_file()
    with m.optional(errno.EOPNOTSUPP, errno.ENOSYS, what="listxattr"):
        names = os.listxattr(path)
    for name in names[:20]:
        try:
            os.getxattr(path, name)
        except OSError as error:
            if not name.startswith("user."):
                continue
            raise Finding(f"the value of {name}, which is listed", linux.errno_name(error.errno or 0)) from error


@mount_check(
    "posix.existing.links", op="READLINK", quick=True, level=SHOULD, source="catalogue 3.5.1", needs=NEEDS,
    killers=("READLINK:errno=EIO", "READLINK:short"),
)
def links(m: Mount) -> None:
    """The target of every symbolic link is as long as its size says."""
    if not m.features.get("write") and not m.features.get("symlink"):
        m.link_to("a target", "link")
        top = m.dir
    else:
        top = m.existing_dir()
    found = [(p, s) for p, s in itertools.islice(walk(top), ENTRIES) if stat.S_ISLNK(s.st_mode)]
    if not found:
        raise Skip("no symbolic link was found")
    for path, status in found[:20]:
        m.expect_equal(status.st_size, len(os.fsencode(os.readlink(path))), f"the length of the target of {path}")
