"""LOOKUP: from a name to a file."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import Finding, linux, mount_check
from fsprobe.checks.mount import Mount

ODD_NAMES = (
    b"\xff\xfe", b"new\nline", b" space ", b"dot.", b"co:lon", b"*?<>|\"", b"back\\slash", b"\x01\x1f",
    b"\xed\xa0\x80", b"...", b"con", b"-rf",
)


@mount_check(
    "posix.lookup.missing-name", op="LOOKUP", source="catalogue 3.1.1; POSIX stat", main=True, quick=True,
    also=("OPEN",), needs=("write",),
    killers=("LOOKUP:map=ENOENT>EIO,path=*absent", "LOOKUP:errno=ENOSYS,path=*absent"),
)
def missing_name(m: Mount) -> None:
    """A name that does not exist is ENOENT, for stat and for open."""
    path = m.absent()
    with m.raises(errno.ENOENT, what="stat of a missing name"):
        os.stat(path)
    with m.raises(errno.ENOENT, what="open of a missing name"):
        m.open(path)


@mount_check(
    "posix.lookup.longest-name", op="LOOKUP", source="catalogue 3.1.2; POSIX open", also=("CREATE", "STATFS"),
    needs=("write",), killers=("LOOKUP:errno=EIO,path=*nnnnnnnn", "CREATE:errno=ENAMETOOLONG,path=*nnnnnnnn"),
    quick=True,
)
def longest_name(m: Mount) -> None:
    """A name of f_namemax bytes works, and one byte more is ENAMETOOLONG."""
    with m.setup():
        longest = os.statvfs(m.dir).f_namemax
    if not 8 <= longest <= 4096:
        m.info(f"f_namemax is {longest}; 255 is tried instead")
        longest = 255
    path = m.path("n" * longest)
    m.close(m.open(path, os.O_CREAT | os.O_WRONLY))
    os.lstat(path)
    with m.raises(errno.ENAMETOOLONG, what=f"stat of a name of {longest + 1} bytes", warn=(errno.ENOENT,)):
        os.lstat(m.path("n" * (longest + 1)))
    with m.raises(errno.ENAMETOOLONG, what=f"mkdir with a name of {longest + 1} bytes"):
        os.mkdir(m.path("n" * (longest + 1)))


@mount_check(
    "posix.lookup.names-are-bytes", op="LOOKUP", source="catalogue 3.1.3; POSIX XBD 3.170",
    also=("CREATE", "READDIR", "UNLINK"), needs=("write",), quick=True,
    killers=("CREATE:errno=EIO,path=*new*", "*:entries=lose", "UNLINK:fake"),
)
def names_are_bytes(m: Mount) -> None:
    """Every name without a slash or NUL can be created, is listed unchanged, and can be removed."""
    refused: dict[bytes, OSError] = {}
    taken: list[bytes] = []
    top = m.subdir("names")
    for name in ODD_NAMES:
        path = os.path.join(top, os.fsdecode(name))
        try:
            m.close(m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            taken.append(name)
        except OSError as error:
            if error.errno not in (errno.EILSEQ, errno.EINVAL):
                raise Finding(f"a file of the name {name!r}", linux.errno_name(error.errno or 0)) from error
            refused[name] = error
    m.expect_equal(sorted(taken), m.names(top), "the names listed")
    for name in taken:
        os.lstat(os.path.join(top, os.fsdecode(name)))
        os.unlink(os.path.join(top, os.fsdecode(name)))
    m.expect_equal([], m.names(top), "the names listed after removal")
    if refused:
        raise Finding("every name to be taken", f"refused: {', '.join(map(repr, refused))}", warn=True)


@mount_check(
    "posix.lookup.sees-changes", op="LOOKUP", source="catalogue 3.1.6", also=("CREATE", "UNLINK", "MKDIR", "RENAME"),
    needs=("write",), killers=("UNLINK:fake", "RENAME:fake", "CREATE:errno=EIO,path=*name"),
)
def sees_changes(m: Mount) -> None:
    """The very next look-up after create, unlink, mkdir and rename gives the new state."""
    path, other = m.path("name"), m.path("other")
    m.expect(not os.path.lexists(path), "no such name before", "it exists")
    m.close(m.open(path, os.O_CREAT | os.O_WRONLY))
    m.expect(os.path.lexists(path), "the name after create", "ENOENT")
    os.unlink(path)
    m.expect(not os.path.lexists(path), "no such name after unlink", "it exists")
    os.mkdir(path)
    m.expect(os.path.isdir(path), "a directory after mkdir", "none")
    os.rename(path, other)
    m.expect(not os.path.lexists(path), "no such name after rename", "it exists")
    m.expect(os.path.isdir(other), "the new name after rename", "none")
