"""LOOKUP along paths: what the kernel makes of them, from what the daemon says of each name."""

from __future__ import annotations

import errno
import os
import unicodedata

from fsprobe.checks import INFO, SHOULD, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.lookup.file-as-directory", op="LOOKUP", source="catalogue 3.1.5; POSIX path resolution", needs=("write",),
    killers=("READ:flip,path=*plain", "OPEN:errno=EIO,path=*plain"),
)
def file_as_directory(m: Mount) -> None:
    """A path through a file, and a file's name with a slash behind it, is ENOTDIR."""
    path = m.file("plain", b"data")
    for wrong in (f"{path}/inside", f"{path}/"):
        with m.raises(errno.ENOTDIR, what=f"stat of {os.path.relpath(wrong, m.root)!r} below a file"):
            os.stat(wrong)
        with m.raises(errno.ENOTDIR, what=f"open of {os.path.relpath(wrong, m.root)!r} below a file"):
            m.open(wrong)
    m.expect_equal(b"data", m.read(path), "the content afterwards")


@mount_check(
    "posix.lookup.dots-and-slashes", op="LOOKUP", source="catalogue 3.1.5; POSIX path resolution", needs=("write",),
    killers=("GETATTR:attr.ino=+5,path=*file,nth=3", "LOOKUP:errno=EIO,path=*absent"),
)
def dots_and_slashes(m: Mount) -> None:
    """Paths with `.`, `..` and doubled slashes lead to the same file; `..` of a missing directory is ENOENT."""
    top = m.subdir("top")
    m.subdir("top/sub")
    path = m.file("top/file", b"data")
    number = m.stat(path).ino
    for way in ("./file", "sub/../file", "sub/./..//file", "/file", "sub/../sub/../file"):
        m.expect_equal(number, m.stat(f"{top}/{way}").ino, f"the inode number by {way!r}")
    with m.raises(errno.ENOENT, what="a path through `..` of a missing directory"):
        os.stat(f"{top}/absent/../file")


@mount_check(
    "posix.lookup.symlink-loop", op="LOOKUP", source="catalogue 3.1.5; POSIX path resolution", also=("READLINK",),
    needs=("write", "symlink"), killers=("READLINK:errno=EIO", "READLINK:flip"),
)
def symlink_loop(m: Mount) -> None:
    """A link to itself, two that point to each other, and a chain of 41 are ELOOP; a chain of 40 leads to its end."""
    m.subdir("chain")
    m.file("chain/l0", b"reached")
    with m.raises(errno.ELOOP, what="stat of a link to itself"):
        os.stat(m.link_to("itself", "chain/itself"))
    m.link_to("tock", "chain/tick")
    with m.raises(errno.ELOOP, what="open of a link to a link that points back"):
        m.open(m.link_to("tick", "chain/tock"))
    for number in range(1, 42):
        m.link_to(f"l{number - 1}", f"chain/l{number}")
    m.expect_equal(b"reached", m.read(m.path("chain/l40")), "the content through 40 links")
    with m.raises(errno.ELOOP, what="stat through 41 links"):
        os.stat(m.path("chain/l41"))


@mount_check(
    "posix.lookup.long-path", op="LOOKUP", source="catalogue 3.1.5; POSIX path resolution", needs=("write",),
    killers=("GETATTR:attr.ino=+5,path=*end,nth=2", "LOOKUP:map=ENOENT>EIO,path=*none"),
)
def long_path(m: Mount) -> None:
    """A path of 4095 bytes is taken, and one of 4096 bytes is ENAMETOOLONG."""
    path = m.file("end")
    missing = m.path("none")

    def stretched(end: str, length: int) -> str:
        filler = "/" * (length - len(os.fsencode(end)))
        return f"{os.path.dirname(end)}{filler}/{os.path.basename(end)}"

    m.expect_equal(m.stat(path).ino, m.stat(stretched(path, 4095)).ino, "the inode number by a path of 4095 bytes")
    with m.raises(errno.ENOENT, what="stat of a missing name by a path of 4095 bytes"):
        os.stat(stretched(missing, 4095))
    with m.raises(errno.ENAMETOOLONG, what="stat by a path of 4096 bytes"):
        os.stat(stretched(path, 4096))


@mount_check(
    "posix.lookup.case", op="LOOKUP", level=SHOULD, source="catalogue 3.1.4; POSIX XBD 4.7", also=("CREATE", "READ"),
    needs=("write",), killers=("READ:flip,path=*Name", "CREATE:errno=EEXIST,path=*NAME", "*:entries=lose"),
)
def case(m: Mount) -> None:
    """Names that differ only in case are different names."""
    for name in ("name", "Name", "NAME"):
        path = m.path(name)
        m.close(m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        fd = m.open(path, os.O_WRONLY)
        os.write(fd, name.encode())
        m.close(fd)
    for name in ("name", "Name", "NAME"):
        m.expect_equal(name.encode(), m.read(m.path(name)), f"the content of {name!r}")
    listed = [name for name in ("name", "Name", "NAME") if m.listed(m.path(name))]
    m.expect_equal(["name", "Name", "NAME"], listed, "the names listed")


@mount_check(
    "posix.lookup.unicode-forms", op="LOOKUP", level=INFO, source="catalogue 3.1.4", also=("CREATE",), needs=("write",),
    killers=("CREATE:errno=EEXIST", "LOOKUP:map=ENOENT>EIO"),
)
def unicode_forms(m: Mount) -> None:
    """The composed and the decomposed form of a letter are two names."""
    composed = m.file(unicodedata.normalize("NFC", "é-name"), b"composed")
    other = m.path(unicodedata.normalize("NFD", "é-name"))
    m.expect(not os.path.lexists(other), "no file under the other form", "the same file")
    m.close(m.open(other, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    m.expect_equal(b"composed", m.read(composed), "the content under the composed form")
    for path in (composed, other):
        m.expect(m.listed(path), f"{os.fsencode(os.path.basename(path))!r} to be listed as it was given", "it is not")


@mount_check(
    "posix.lookup.dot-names", op="LOOKUP", source="catalogue 3.1.3; POSIX XBD 3.170", also=("MKDIR", "READDIR"),
    needs=("write",), killers=("*:entries=lose", "MKDIR:errno=EINVAL,path=*...", "RMDIR:fake"),
)
def dot_names(m: Mount) -> None:
    """Directories named `...`, `..x`, `.x` and ` ` are made, entered, listed and removed like any other."""
    top = m.subdir("top")
    names = ("...", "..x", ".x", " ", "x.")
    for name in names:
        os.mkdir(f"{top}/{name}")
        os.mkdir(f"{top}/{name}/inside")
        m.expect_equal([b"inside"], m.names(f"{top}/{name}"), f"the entries of a directory named {name!r}")
        os.rmdir(f"{top}/{name}/inside")
    m.expect_equal(sorted(map(str.encode, names)), m.names(top), "the names listed")
    for name in names:
        os.rmdir(f"{top}/{name}")
    m.expect_equal([], m.names(top), "the names listed after removal")
