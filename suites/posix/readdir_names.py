"""READDIR, READDIRPLUS, RELEASEDIR: names of every length, small buffers, and who may list."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import linux, mount_check
from fsprobe.checks.mount import Mount

LISTED = ("*:entries=lose", "*:entries=double")
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY


def make(m: Mount, folder: str, names: list[str]) -> str:
    """A fresh directory with an empty file of each name."""
    top = m.subdir(folder)
    for name in names:
        m.file(f"{folder}/{name}")
    return top


@mount_check(
    "posix.readdir.every-length", op="READDIR", source="catalogue 3.21.1, 3.21.8", needs=("write",),
    killers=(*LISTED, "*:entries=slash"),
)
def every_length(m: Mount) -> None:
    """Names of every length from 1 to 40 bytes and from 95 to 130, which end at every place of a record, are listed."""
    names = ["x" * length for length in (*range(1, 41), *range(95, 131))]
    found = m.names(make(m, "full", names))
    m.expect_equal(sorted(map(os.fsencode, names)), found, "the entries", show=lambda n: f"{len(n)} of them")


@mount_check(
    "posix.readdir.longest-names", op="READDIR", source="catalogue 3.36 large, 3.21.1", needs=("write",),
    killers=LISTED,
)
def longest_names(m: Mount) -> None:
    """A hundred names as long as they may be, up to 255 bytes, are each listed exactly once."""
    longest = min(255, os.statvfs(m.dir).f_namemax or 255)
    names = sorted(b"%03d" % number + b"n" * (longest - 3) for number in range(100))
    top = m.subdir("full")
    with m.setup():
        for name in names:
            os.close(os.open(os.fsencode(top) + b"/" + name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    m.expect_equal(names, m.names(top), "the entries", show=lambda n: f"{len(n)} of them")
    m.expect_equal(names, sorted(e.name for e in m.entries(top, 560) if len(e.name) > 2), "with small buffers",
                   show=lambda n: f"{len(n)} entries")


@mount_check(
    "posix.readdir.dot-files", op="READDIR", source="catalogue 3.21.1; POSIX readdir", needs=("write",), killers=LISTED,
    quick=True,
)
def dot_files(m: Mount) -> None:
    """Names that begin with a dot are listed like others: hiding them is for ls to do."""
    names = ["...", "..data", ".hidden", ".x", "plain"]
    m.expect_equal(sorted(map(os.fsencode, names)), m.names(make(m, "dots", names)), "the entries")


@mount_check(
    "posix.readdir.tiny-buffer", op="READDIR", source="catalogue 3.21.7; man 2 getdents", needs=("write",),
    killers=LISTED,
)
def tiny_buffer(m: Mount) -> None:
    """A buffer too small for an entry is EINVAL and loses none: with a larger one all entries come."""
    names = [f"{number:02}" + "n" * 98 for number in range(20)]
    fd = m.open(make(m, "full", names), DIRECTORY)
    found: list[linux.Entry] = []
    with m.raises(errno.EINVAL, what="getdents64 into 64 bytes where names have 100"):
        for _ in range(5):  # `.` and `..` may come first, and fit
            found += linux.getdents64(fd, 64)
    found += m.entries(fd)
    m.expect_equal(sorted(map(os.fsencode, names)), sorted(e.name for e in found if len(e.name) > 2), "the entries")


@mount_check(
    "posix.readdir.rewound-often", op="READDIR", source="catalogue 3.21.4; POSIX rewinddir", needs=("write",),
    killers=LISTED,
)
def rewound_often(m: Mount) -> None:
    """A directory rewound after one call, after some and at the end gives the same entries each time."""
    names = [f"{number:02}" + "n" * 98 for number in range(60)]
    fd = m.open(make(m, "full", names), DIRECTORY)
    wanted = sorted(map(os.fsencode, names))
    for calls in (0, 1, 3, 100):
        for _ in range(calls):
            linux.getdents64(fd, 1024)
        os.lseek(fd, 0, os.SEEK_SET)
        found = sorted(e.name for e in m.entries(fd) if len(e.name) > 2)
        m.expect_equal(wanted, found, f"the entries after a rewind from call {calls}", show=lambda n: f"{len(n)}")
        os.lseek(fd, 0, os.SEEK_SET)


@mount_check(
    "posix.readdir.two-processes", op="READDIR", source="catalogue 3.21.10", needs=("write",), also=("OPENDIR",),
    parallel=True, killers=LISTED,
)
def two_processes(m: Mount) -> None:
    """Four processes that list one directory at the same time each see every entry exactly once."""
    names = [f"{number:03}" + "n" * 97 for number in range(80)]
    top = make(m, "full", names)
    found = [process.result() for process in [m.start(lambda: m.names(top)) for _ in range(4)]]
    for number, mine in enumerate(found):
        m.expect_equal(sorted(map(os.fsencode, names)), mine, f"the entries in process {number}",
                       show=lambda n: f"{len(n)} of them")


@mount_check(
    "posix.readdir.permissions", op="OPENDIR", source="catalogue 3.21.10; POSIX opendir", also=("LOOKUP", "ACCESS"),
    needs=("write", "root", "allow_other"), killers=("GETATTR:attr.uid=65534,path=*folder",),
)
def permissions(m: Mount) -> None:
    """Read permission alone lists names, search permission alone reaches them: neither gives the other."""
    top = m.subdir("folder")
    path = m.file("folder/file")
    m.chmod(top, 0o744)
    m.expect_equal([b"file"], m.fork(lambda: m.names(top), uid=65534), "the entries where reading is allowed")
    with m.raises(errno.EACCES, what="stat in a directory that may not be searched", warn=(errno.EPERM,)):
        m.fork(lambda: os.stat(path) and None, uid=65534)
    m.chmod(top, 0o711)
    m.fork(lambda: os.stat(path) and None, uid=65534)
    with m.raises(errno.EACCES, what="listing a directory that may not be read", warn=(errno.EPERM,)):
        m.fork(lambda: m.names(top), uid=65534)


@mount_check(
    "posix.readdirplus.changed-since", op="READDIRPLUS", source="catalogue 3.21.9, 3.3.2", needs=("write",),
    also=("READDIR", "GETATTR", "SETATTR"), killers=("READDIRPLUS:errno=EIO", "SETATTR:fake", "GETATTR:attr.size=+1"),
)
def changed_since(m: Mount) -> None:
    """What a listing told of a file does not hide a change made afterwards: cut, listed and looked at, four times."""
    top = m.subdir("listed")
    path = m.file("listed/file", b"x" * 400)
    m.file("listed/other", b"y")
    for size in (300, 200, 100, 0):
        m.expect_equal([b"file", b"other"], m.names(top), "the entries")
        with m.setup():
            os.truncate(path, size)
        m.expect_equal(size, os.lstat(path).st_size, "the size after a cut")
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(top)}
        m.expect_equal({"file": size, "other": 1}, sizes, "the sizes after another listing")


@mount_check(
    "posix.releasedir.half-read", op="RELEASEDIR", source="catalogue 3.21.12", needs=("write",),
    also=("OPENDIR", "READDIR", "RMDIR"), killers=("RELEASEDIR:crash", "OPENDIR:errno=EMFILE,nth=10"),
)
def half_read(m: Mount) -> None:
    """Thirty descriptors of a directory, each read half-way, can be open at once; when closed, it can be removed."""
    names = [f"{number:02}" + "n" * 98 for number in range(40)]
    top = make(m, "full", names)
    fds = [m.open(top, DIRECTORY) for _ in range(30)]
    for fd in fds:
        m.expect(bool(linux.getdents64(fd, 1024)), "entries", "none")
    for fd in fds:
        m.close(fd)
    for name in names:
        os.unlink(os.path.join(top, name))
    os.rmdir(top)
    m.expect(not m.listed(top), "the directory to be gone", "it is listed")
