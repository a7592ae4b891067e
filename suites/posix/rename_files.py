"""RENAME of files: what is open, what is replaced, what has two names, and names used again."""

from __future__ import annotations

import contextlib
import errno
import os

from fsprobe.checks import SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.rename.open-file", op="RENAME", source="catalogue 3.10.8; POSIX rename", also=("WRITE", "READ", "SETATTR"),
    needs=("write",), killers=("RENAME:fake", "WRITE:fake,path=*moved", "SETATTR:fake,path=*moved"),
)
def open_file(m: Mount) -> None:
    """A file renamed while open is written and cut by its descriptor, and all of it is in the new place."""
    m.subdir("other")
    path, moved = m.file("old", b"0123456789"), m.path("other/moved")
    fd = m.open(path, os.O_RDWR)
    os.rename(path, moved)
    m.expect_equal(b"0123456789", m.pread(fd, 100, 0), "the content by descriptor")
    os.pwrite(fd, b"AB", 2)
    os.ftruncate(fd, 6)
    m.expect_equal((6, b"01AB45"), (m.stat(moved).size, m.read(moved)), "size and content by the new path")
    os.fsync(fd)
    m.close(fd)
    m.expect_equal(b"01AB45", m.read(moved), "the content after close")
    m.expect(not os.path.lexists(path), "no old name", "it is back")


@mount_check(
    "posix.rename.old-name-used-again", op="RENAME", source="catalogue 3.10.1, 3.1.7; POSIX rename", quick=True,
    also=("CREATE", "LOOKUP"), needs=("write",), killers=("RENAME:fake", "READ:flip", "GETATTR:attr.ino=77"),
)
def old_name_used_again(m: Mount) -> None:
    """After a rename the old name can be given to a new file: each has its content, size and inode number."""
    path, moved = m.file("name", b"first"), m.path("moved")
    fd = m.open(path)
    os.rename(path, moved)
    m.close(m.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    new = m.open(path, os.O_WRONLY)
    os.write(new, b"the second")
    m.close(new)
    m.expect_equal(b"first", m.read(moved), "the content of the file that was moved")
    m.expect_equal(b"first", m.pread(fd, 100, 0), "the content by its descriptor")
    m.expect_equal(b"the second", m.read(path), "the content of the new file")
    m.expect_equal((5, 10), (os.stat(moved).st_size, os.stat(path).st_size), "the sizes")
    m.expect(m.stat(moved).ino != m.stat(path).ino, "two inode numbers", "one")


@mount_check(
    "posix.rename.swap", op="RENAME", source="catalogue 3.10.1; POSIX rename", also=("LOOKUP", "READ"),
    needs=("write",), killers=("RENAME:fake", "READ:flip", "RENAME:errno=EEXIST"), quick=True,
)
def swap(m: Mount) -> None:
    """Two files swapped by three renames, with both open, have each other's content; the descriptors keep theirs."""
    one, two, spare = m.file("one", b"content one"), m.file("two", b"two"), m.path("spare")
    fds = m.open(one), m.open(two)
    for turn in range(3):
        for old, new in ((one, spare), (two, one), (spare, two)):
            os.rename(old, new)
        contents = (b"two", b"content one") if turn % 2 == 0 else (b"content one", b"two")
        m.expect_equal(contents, (m.read(one), m.read(two)), f"the contents after swap {turn}")
        m.expect_equal(tuple(map(len, contents)), (os.stat(one).st_size, os.stat(two).st_size), "the sizes")
    m.expect_equal((b"content one", b"two"), (m.pread(fds[0], 99, 0), m.pread(fds[1], 99, 0)), "by descriptor")


@mount_check(
    "posix.rename.victim", op="RENAME", level=SHOULD, source="catalogue 3.10.2; POSIX rename", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.nlink=1,path=*victim", "RENAME:fake", "READ:errno=ESTALE"), quick=True,
)
def victim(m: Mount) -> None:
    """A file replaced by rename while open has no links, its old size and data, and can still be written."""
    new, old = m.file("new", b"new"), m.file("victim", b"old data")
    fd = m.open(old, os.O_RDWR)
    os.rename(new, old)
    got = m.stat(fd)
    m.expect_equal(8, got.size, "the size of the open victim")
    m.expect_equal(0, got.nlink, "the links of the open victim")
    os.pwrite(fd, b"OLD", 0)
    m.expect_equal(b"OLD data", m.pread(fd, 100, 0), "the content of the open victim after a write")
    m.expect_equal(b"new", m.read(old), "the content under the name")
    m.expect(not os.path.lexists(new), "no old name", "it is still there")


@mount_check(
    "posix.rename.victim-has-two-names", op="RENAME", source="catalogue 3.10.2; POSIX rename", also=("LINK",),
    needs=("write", "hardlink"), killers=("RENAME:fake", "READ:flip", "GETATTR:attr.nlink=2,path=*kept"), quick=True,
)
def victim_has_two_names(m: Mount) -> None:
    """A rename over one of two names of a file takes that name alone: the other keeps data and one link."""
    old = m.file("victim", b"old data")
    kept = m.hard_link(old, "kept")
    os.rename(m.file("new", b"new"), old)
    m.expect_equal(b"new", m.read(old), "the content under the replaced name")
    m.expect_equal(b"old data", m.read(kept), "the content under the other name")
    m.expect_equal(1, m.stat(kept).nlink, "the links under the other name")
    m.expect_equal(1, m.stat(old).nlink, "the links of the new file")


@mount_check(
    "posix.rename.same-file", op="RENAME", source="catalogue 3.10.4; POSIX rename", also=("LINK",),
    needs=("write", "hardlink"), killers=("READ:flip", "GETATTR:attr.nlink=1"), quick=True,
)
def same_file(m: Mount) -> None:
    """rename of one name of a file over another of its names succeeds and does nothing: both stay."""
    first = m.file("first", b"shared")
    second = m.hard_link(first, "second")
    os.rename(first, second)
    for path in (first, second):
        m.expect(os.path.lexists(path), "both names afterwards", f"{os.path.basename(path)!r} is gone")
        m.expect_equal(b"shared", m.read(path), f"the content of {os.path.basename(path)!r}")
    m.expect_equal(2, m.stat(first).nlink, "the links")


@mount_check(
    "posix.rename.to-itself", op="RENAME", source="catalogue 3.10.4; POSIX rename", needs=("write",), quick=True,
    killers=("READ:flip", "*:entries=lose"),
)
def to_itself(m: Mount) -> None:
    """rename of a file and of a directory to its own name succeeds and loses nothing."""
    file, folder = m.file("file", b"kept"), m.subdir("folder")
    m.file("folder/inside")
    for path in (file, folder):
        os.rename(path, path)
        os.rename(path, f"{os.path.dirname(path)}/./{os.path.basename(path)}")
    m.expect_equal(b"kept", m.read(file), "the content of the file")
    m.expect_equal([b"inside"], m.names(folder), "the entries of the directory")


@mount_check(
    "posix.rename.one-with-two-names", op="RENAME", source="catalogue 3.12.1; POSIX rename", also=("LINK", "WRITE"),
    needs=("write", "hardlink"), killers=("RENAME:fake", "WRITE:fake,path=*moved", "GETATTR:attr.nlink=1"),
)
def one_with_two_names(m: Mount) -> None:
    """Of a file with two names one can be moved to another directory: both still lead to one file with two links."""
    m.subdir("other")
    first, moved = m.file("first", b"data"), m.path("other/moved")
    second = m.hard_link(first, "second")
    os.rename(second, moved)
    fd = m.open(moved, os.O_WRONLY)
    os.write(fd, b"DATA, more")
    m.close(fd)
    m.expect_equal(b"DATA, more", m.read(first), "the content by the first name")
    m.expect_equal((2, 2), (m.stat(first).nlink, m.stat(moved).nlink), "the links by both names")
    m.expect(not os.path.lexists(second), "no name under which it was", "it is still there")


@mount_check(
    "posix.rename.case-only", op="RENAME", source="catalogue 3.1.4; POSIX rename", also=("LOOKUP", "READDIR"),
    needs=("write",), killers=("RENAME:fake", "*:entries=lose"), quick=True,
)
def case_only(m: Mount) -> None:
    """A rename that changes only the case of a letter is done: the new spelling is listed."""
    old, new = m.file("name", b"data"), m.path("Name")
    os.rename(old, new)
    m.expect_equal(b"data", m.read(new), "the content under the new spelling")
    m.expect(m.listed(new) and not m.listed(old), "the new spelling alone to be listed", "it is not so")


@mount_check(
    "posix.rename.names-are-bytes", op="RENAME", source="catalogue 3.1.3; POSIX XBD 3.170", also=("READDIR", "LOOKUP"),
    needs=("write",), killers=("RENAME:fake", "*:entries=lose", "READ:flip"), quick=True,
)
def names_are_bytes(m: Mount) -> None:
    """A file renamed through names of newlines, invalid UTF-8, quotes and 100 bytes is listed and read under each."""
    top = m.subdir("top")
    here = m.file("top/start", b"data")
    refused = []
    for name in (b"new\nline", b"\xff\xfe", b"\xed\xa0\x80", b" lead", b"trail ", b"'\"`$(x)", b"%s%n", b"\x7f\x01",
                 b"n" * 100, b"x"):
        there = f"{top}/{os.fsdecode(name)}"
        try:
            os.rename(here, there)
        except OSError as error:
            if error.errno not in (errno.EILSEQ, errno.EINVAL):
                raise Finding(f"a rename to {name[:20]!r}", linux.errno_name(error.errno or 0)) from error
            refused.append(repr(name))
            continue
        here = there
        m.expect_equal([name], m.names(top), "the names listed")
        m.expect_equal(b"data", m.read(here), f"the content under {name[:20]!r}")
    if refused:
        raise Finding("every name to be taken", f"refused: {', '.join(refused)}", warn=True)


@mount_check(
    "posix.rename.too-long", op="RENAME", source="catalogue 3.1.2; POSIX rename", needs=("write",),
    killers=("READ:flip", "*:entries=lose"),
)
def too_long(m: Mount) -> None:
    """rename to a name of 256 bytes is ENAMETOOLONG, and the file stays where it was."""
    path = m.file("kept", b"data")
    with m.setup():
        longest = os.statvfs(m.dir).f_namemax
    if longest <= 255:
        with m.raises(errno.ENAMETOOLONG, what="rename to a name of 256 bytes"):
            os.rename(path, m.path("n" * 256))
            with contextlib.suppress(OSError):  # it did, so take it back while it can be reached
                os.rename(m.path("n" * 256), path)
    m.expect(m.listed(path), "the file to be listed", "it is not")
    m.expect_equal(b"data", m.read(path), "the content")


@mount_check(
    "posix.rename.symlink", op="RENAME", source="catalogue 3.10.2; POSIX rename", also=("SYMLINK", "READLINK"),
    needs=("write", "symlink"), killers=("RENAME:fake", "READLINK:flip", "READ:flip"), quick=True,
)
def symlink(m: Mount) -> None:
    """A link is renamed and replaced itself, never what it points to."""
    target = m.file("target", b"target")
    link, moved = m.link_to(os.path.basename(target), "link"), m.path("moved")
    os.rename(link, moved)
    m.expect_equal(os.path.basename(target), os.readlink(moved), "the target of the moved link")
    os.rename(m.file("file", b"file"), moved)
    m.expect_equal("file", linux.type_name(os.lstat(moved).st_mode), "the type of what replaced the link")
    m.expect_equal((b"target", b"file"), (m.read(target), m.read(moved)), "the contents")


@mount_check(
    "posix.rename.ctime", op="RENAME", level=SHOULD, source="catalogue 3.10.1; POSIX rename", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.ctime=+1000,path=*one,nth=4", "RENAME:errno=EIO"),
)
def ctime(m: Mount) -> None:
    """rename gives the file a later ctime: incremental backups go by it."""
    names = [m.file("one"), m.path("two")]
    fd = m.open(names[0])

    def rename() -> None:
        os.rename(*names)
        names.reverse()

    m.expect_ctime_moves(fd, rename, "rename")


@mount_check(
    "posix.rename.keeps-group", op="RENAME", source="catalogue 3.7.3, 3.10.1; man 7 inode", also=("SETATTR",),
    needs=("write", "root"), killers=("RENAME:fake", "GETATTR:attr.gid=4321,path=*moved"),
)
def keeps_group(m: Mount) -> None:
    """A file moved into a set-group-ID directory keeps its own group, unlike one made there."""
    top = m.subdir("top")
    with m.setup():
        os.chown(top, -1, 4321)
    m.chmod(top, 0o2775)
    path, moved = m.file("file"), m.path("top/moved")
    group = m.stat(path).gid
    os.rename(path, moved)
    m.expect_equal(group, m.stat(moved).gid, "the group of the moved file")


@mount_check(
    "posix.rename.over-missed-name", op="RENAME", source="catalogue 3.1.6; POSIX rename", also=("LOOKUP", "READ"),
    needs=("write",), killers=("RENAME:fake", "READ:flip"),
)
def over_missed_name(m: Mount) -> None:
    """A file renamed back and forth twenty times is always under one name and never under the other."""
    names = [m.file("here", b"data"), m.path("there")]
    number = m.stat(names[0]).ino
    for turn in range(20):
        os.rename(*names)
        with m.raises(errno.ENOENT, what="stat of the name that was left"):
            os.stat(names[0])
        m.expect_equal(4, os.stat(names[1]).st_size, f"the size in turn {turn}")
        names.reverse()
    m.expect_equal(b"data", m.read(names[0]), "the content")
    m.expect_equal(number, m.stat(names[0]).ino, "the inode number", warn=True)
