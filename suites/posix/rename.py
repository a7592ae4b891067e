"""RENAME: moving and replacing."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from fsprobe.checks import Finding, linux, mount_check
from fsprobe.checks.mount import Mount


@mount_check(
    "posix.rename.moves", op="RENAME", source="catalogue 3.10; POSIX rename", main=True, quick=True, also=("LOOKUP",),
    needs=("write",), killers=("RENAME:fake", "RENAME:errno=ENOSYS", "RENAME:errno=EIO"),
)
def moves(m: Mount) -> None:
    """rename moves a file with its content to the new name, and the old name is gone."""
    old, new = m.file("old", b"content"), m.path("new")
    os.rename(old, new)
    m.expect_equal(b"content", m.read(new), "the content under the new name")
    with m.raises(errno.ENOENT, what="stat of the old name"):
        os.stat(old)
    m.expect(m.listed(new) and not m.listed(old), "the new name alone to be listed", "it is not so")


@mount_check(
    "posix.rename.keeps-identity", op="RENAME", source="catalogue 3.10.1; POSIX rename", needs=("write",), quick=True,
    killers=("GETATTR:attr.mtime=+7,path=*new", "GETATTR:attr.mode=0o100600,path=*new", "RENAME:fake"),
)
def keeps_identity(m: Mount) -> None:
    """A renamed file keeps its mode, mtime, size and inode number."""
    old, new = m.file("old", b"content"), m.path("new")
    with suppress(OSError):  # none that a file has by itself, where it can be set
        os.chmod(old, 0o751)
    m.age(old)
    before = m.stat(old)
    os.rename(old, new)
    after = m.stat(new)
    m.expect_equal(oct(before.mode), oct(after.mode), "the mode")
    m.expect_equal(before.size, after.size, "the size")
    m.expect_same_mtime(new, "rename")
    m.expect_equal(before.ino, after.ino, "the inode number", warn=True)


@mount_check(
    "posix.rename.parents-mtime", op="RENAME", source="catalogue 3.10.1; POSIX rename", needs=("write",),
    killers=("GETATTR:attr.mtime=1000000000", "GETATTR:attr.mtime=1000000000,path=*target", "RENAME:errno=EIO"),
)
def parents_mtime(m: Mount) -> None:
    """rename updates mtime of both directories."""
    source, target = m.subdir("source"), m.subdir("target")
    path = m.file("source/file")
    m.age(source)
    m.age(target)
    os.rename(path, m.path("target/file"))
    m.expect_newer(source, "rename out of the directory")
    m.expect_newer(target, "rename into the directory")


@mount_check(
    "posix.rename.replaces-open-victim", op="RENAME", source="catalogue 3.10.2; POSIX rename", quick=True,
    also=("READ",), needs=("write",), killers=("RENAME:fake", "RENAME:errno=EEXIST", "READ:flip"),
)
def replaces_open_victim(m: Mount) -> None:
    """rename over an existing file replaces it; who has the old one open still reads the old data."""
    new, victim = m.file("new", b"new content"), m.file("victim", b"old")
    fd = m.open(victim)
    os.rename(new, victim)
    m.expect_equal(b"new content", m.read(victim), "the content under the name")
    m.expect_equal(b"old", m.pread(fd, 100, 0), "the content of the open victim")
    m.expect(not os.path.lexists(new), "no old name", "it is still there")


@mount_check(
    "posix.rename.atomic", op="RENAME", source="catalogue 3.10.3; POSIX rename", also=("OPEN", "CREATE"),
    parallel=True, needs=("write",), killers=("RENAME:errno=EIO,nth=20", "CREATE:errno=EIO,path=*new,nth=9"),
)
def atomic(m: Mount) -> None:
    """Who opens a file that is replaced by rename again and again finds it every time, never empty."""
    path, stop = m.file("file", b"whole"), m.path("stop")
    # Two ways of libfuse's high level to show a gap, asked for outright so that no race decides the verdict:
    # ENOENT (not ESTALE, on which the kernel looks again) for a file looked up before and replaced since, and
    # a hidden name for an open one.
    opened = m.open(path)
    with m.setup():
        os.rename(m.file("first", b"whole"), path)
    hidden = m.hidden(path)
    m.expect(not hidden, "the old file replaced in one step", f"first renamed to {hidden}", warn=True)
    m.close(opened)
    looked_up = m.open(path, os.O_PATH)
    with m.setup():
        os.rename(m.file("second", b"whole"), path)
    try:
        m.close(m.open(f"/proc/self/fd/{looked_up}"))
    except OSError as error:
        if error.errno == errno.ENOENT:
            expected = "the old file, or ESTALE, for who opens it while it is replaced"
            raise Finding(expected, "ENOENT", warn=True) from error
        if error.errno != errno.ESTALE:
            raise

    def watch() -> list[str]:
        seen: set[str] = set()
        while not os.path.lexists(stop):
            try:
                fd = os.open(path, os.O_RDONLY)
                seen.add(repr(os.read(fd, 100)))
                os.close(fd)
            except OSError as error:
                seen.add(linux.errno_name(error.errno or 0))
        return sorted(seen)

    reader = m.start(watch)
    try:
        for _ in range(30):
            new = m.path("new")
            fd = m.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            os.write(fd, b"whole")
            m.close(fd)
            os.rename(new, path)
    finally:
        m.file("stop")
    odd = [text for text in reader.result() if text != repr(b"whole")]
    m.expect(not odd, "the whole file at every open", f"also {', '.join(odd)}")


@mount_check(
    "posix.rename.over-empty-directory", op="RENAME", source="catalogue 3.10.5; POSIX rename", needs=("write",),
    killers=("RENAME:fake", "RENAME:errno=EEXIST"), quick=True,
)
def over_empty_directory(m: Mount) -> None:
    """A directory can be renamed over an empty one."""
    old, new = m.subdir("old"), m.subdir("new")
    m.file("old/file", b"data")
    os.rename(old, new)
    m.expect_equal([b"file"], m.names(new), "the entries under the new name")
    m.expect(not os.path.lexists(old), "no old name", "it is still there")


@mount_check(
    "posix.rename.over-full-directory", op="RENAME", source="catalogue 3.10.5; POSIX rename",
    needs=("write",), killers=("RENAME:fake", "RENAME:map=ENOTEMPTY>EIO"),
)
def over_full_directory(m: Mount) -> None:
    """A directory cannot be renamed over one that is not empty: ENOTEMPTY, and both stay."""
    old, new = m.subdir("old"), m.subdir("new")
    path = m.file("new/file", b"kept")
    with m.raises(errno.ENOTEMPTY, errno.EEXIST, what="rename over a directory that is not empty"):
        os.rename(old, new)
    m.expect_equal(b"kept", m.read(path), "the content of the file in it")
    m.expect(os.path.isdir(old), "the source to stay", "it is gone")


@mount_check(
    "posix.rename.directory-with-children", op="RENAME", source="catalogue 3.10.7, 3.10.10", quick=True,
    also=("LOOKUP", "READDIR"), needs=("write",), killers=("RENAME:fake", "READ:flip", "RENAME:errno=EXDEV"),
)
def directory_with_children(m: Mount) -> None:
    """A directory moved to another parent takes its tree along: reached by its new path and listed there."""
    m.subdir("one")
    m.subdir("two")
    top = m.subdir("one/tree")
    m.subdir("one/tree/sub")
    m.file("one/tree/sub/leaf", b"leaf")
    old_fd = m.open(top, os.O_RDONLY | os.O_DIRECTORY)
    os.rename(top, m.path("two/tree"))
    m.expect_equal(b"leaf", m.read(m.path("two/tree/sub/leaf")), "the content by the new path")
    m.expect_equal([b"sub"], m.names(m.path("two/tree")), "the entries listed")
    m.expect(not os.path.lexists(top), "no old name", "it is still there")
    fd = m.open("sub/leaf", dir_fd=old_fd)
    m.expect_equal(b"leaf", os.read(fd, 100), "the content by a descriptor of the directory")
    parent = m.stat(m.path("two")).ino
    dotdot = next((e.ino for e in m.entries(m.path("two/tree")) if e.name == b".."), 0)
    if dotdot not in (0, parent):
        m.info("`..` of the moved directory is not listed with the number of its new parent")


@mount_check(
    "posix.rename.open-descriptors-follow", op="RENAME", source="catalogue 3.10.8",
    also=("WRITE", "CREATE"), needs=("write",), killers=("RENAME:fake", "WRITE:fake", "WRITE:errno=ENOENT"),
)
def open_descriptors_follow(m: Mount) -> None:
    """After a rename of their directory, open descriptors lead to the new place: writes and new files land there."""
    top = m.subdir("before")
    m.file("before/file")
    fd = m.open(m.path("before/file"), os.O_RDWR)
    folder = m.open(top, os.O_RDONLY | os.O_DIRECTORY)
    os.rename(top, m.path("after"))
    m.expect_equal(5, os.write(fd, b"later"), "bytes written")
    m.close(fd)
    m.expect_equal(b"later", m.read(m.path("after/file")), "the content by the new path")
    m.close(m.open("made", os.O_CREAT | os.O_EXCL | os.O_WRONLY, dir_fd=folder))
    m.expect_equal([b"file", b"made"], m.names(m.path("after")), "the entries of the new place")
    if os.path.lexists(top):
        raise Finding("no old directory", "it is still there")
