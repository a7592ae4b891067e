"""SYMLINK and READLINK: odd targets, taken names, links that are moved, followed and passed through."""

from __future__ import annotations

import contextlib
import errno
import os

from fsprobe.checks import Finding, linux, mount_check
from fsprobe.checks.mount import Mount

UNNORMALISED = (b"a//b", b"./x", b"dir/", b".", b"..", b"/", b"a/../b", b" ", b"new\nline", b"\xc3\xa9", b"//host/x")


@mount_check(
    "posix.readlink.unnormalised", op="READLINK", source="catalogue 3.5.1; POSIX readlink", also=("SYMLINK",),
    needs=("write", "symlink"), killers=("READLINK:flip", "READLINK:errno=EINVAL", "READLINK:short"), quick=True,
)
def unnormalised(m: Mount) -> None:
    """A target comes back as it was given: dots, doubled and trailing slashes and newlines are not tidied away."""
    for number, target in enumerate(UNNORMALISED):
        path = m.link_to(target, f"link{number}")
        m.expect_equal(target, os.readlink(os.fsencode(path)), "the target")
        m.expect_equal(len(target), m.stat(path, follow=False).size, f"the size of a link to {target!r}")


@mount_check(
    "posix.symlink.refused-targets", op="SYMLINK", source="catalogue 3.5.1; POSIX symlink",
    needs=("write", "symlink"), killers=("SYMLINK:errno=EIO,path=*link", "READLINK:flip"),
)
def refused_targets(m: Mount) -> None:
    """An empty target is ENOENT and one of 4096 bytes ENAMETOOLONG; neither leaves a link, so the name is free."""
    path = m.path("link")
    for target, number in (("", errno.ENOENT), ("t" * 4096, errno.ENAMETOOLONG)):
        with m.raises(number, what=f"symlink with a target of {len(target)} bytes"):
            os.symlink(target, path)
        m.expect(not os.path.lexists(path), "no link after a refused symlink", "there is one")
    os.symlink("good", path)
    m.expect_equal("good", os.readlink(path), "the target")


@mount_check(
    "posix.symlink.exists", op="SYMLINK", source="catalogue 3.5.3; POSIX symlink", needs=("write", "symlink"),
    killers=("READLINK:flip", "READ:flip"),
)
def exists(m: Mount) -> None:
    """symlink of a name that is a file, a directory or a link already is EEXIST and changes none of them."""
    file, folder, link = m.file("file", b"kept"), m.subdir("folder"), m.link_to("old", "link")
    for path in (file, folder, link):
        with m.raises(errno.EEXIST, what=f"symlink of a name that is a {os.path.basename(path)}"):
            os.symlink("new", path)
    m.expect_equal(b"kept", m.read(file), "the content of the file")
    m.expect_equal("old", os.readlink(link), "the target of the link")


@mount_check(
    "posix.readlink.no-link", op="READLINK", source="catalogue 3.5.2; POSIX readlink", needs=("write",),
    killers=("LOOKUP:errno=EIO,path=*absent", "READ:flip"),
)
def no_link(m: Mount) -> None:
    """readlink of a file or a directory is EINVAL, of a missing name ENOENT."""
    file = m.file("file", b"kept")
    for path, what in ((file, "file"), (m.subdir("folder"), "directory")):
        with m.raises(errno.EINVAL, what=f"readlink of a {what}"):
            os.readlink(path)
    with m.raises(errno.ENOENT, what="readlink of a missing name"):
        os.readlink(m.absent())
    m.expect_equal(b"kept", m.read(file), "the content of the file")


@mount_check(
    "posix.readlink.after-rename", op="READLINK", source="catalogue 3.5.1, 3.10; POSIX rename",
    also=("RENAME", "LOOKUP"), needs=("write", "symlink"), killers=("READLINK:flip", "RENAME:fake", "READ:flip"),
)
def after_rename(m: Mount) -> None:
    """A link that is moved keeps its target as it was, and leads from its new place to what has that name there."""
    m.subdir("one")
    m.subdir("other")
    m.file("one/target", b"here")
    m.file("other/target", b"there")
    link, moved = m.link_to("target", "one/link"), m.path("other/link")
    m.expect_equal(b"here", m.read(link), "the content through the link")
    os.rename(link, moved)
    m.expect_equal("target", os.readlink(moved), "the target after the move")
    m.expect_equal(b"there", m.read(moved), "the content through the moved link")
    m.expect(not os.path.lexists(link), "no link under the old name", "it is still there")


@mount_check(
    "posix.symlink.through-directory", op="READLINK", source="catalogue 3.5.3; POSIX path resolution",
    also=("LOOKUP", "CREATE", "READDIR"), needs=("write", "symlink"),
    killers=("READLINK:flip", "READLINK:errno=EIO", "*:entries=lose"),
)
def through_directory(m: Mount) -> None:
    """Through a link to a directory files are made, listed and removed as by its own name."""
    folder = m.subdir("folder")
    link = m.link_to(os.path.basename(folder), "link")
    m.close(m.open(f"{link}/made", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    m.expect_equal([b"made"], m.names(folder), "the entries of the directory")
    m.expect_equal([b"made"], m.names(f"{link}/"), "the entries through the link")
    m.expect_equal("directory", linux.type_name(m.stat(f"{link}/").mode), "the type through the link")
    os.unlink(f"{link}/made")
    m.expect(not m.listed(f"{folder}/made"), "the file not to be listed after removal", "it is")


@mount_check(
    "posix.symlink.dangling", op="SYMLINK", source="catalogue 3.5.1; POSIX symlink", also=("READLINK", "LOOKUP"),
    needs=("write", "symlink"), killers=("READLINK:flip", "LOOKUP:map=ENOENT>EIO,path=*nowhere"),
)
def dangling(m: Mount) -> None:
    """A link to nothing can be asked for itself, is ENOENT when followed, and leads to its target once that is made."""
    target = m.path("nowhere")
    link = m.link_to(os.path.basename(target), "link")
    m.expect_equal("symbolic link", linux.type_name(m.stat(link, follow=False).mode), "the type")
    for call in (os.stat, m.open, m.read):
        with m.raises(errno.ENOENT, what="following a link to nothing"):
            call(link)
    m.file("nowhere", b"made later")
    m.expect_equal(b"made later", m.read(link), "the content through the link")


@mount_check(
    "posix.symlink.parent-mtime", op="SYMLINK", source="catalogue 3.5.3; POSIX symlink", needs=("write", "symlink"),
    killers=("GETATTR:attr.mtime=1000000000,path=*aged", "SYMLINK:errno=EIO,path=*aged/link"),
)
def parent_mtime(m: Mount) -> None:
    """Making a symbolic link updates mtime of its directory."""
    top = m.subdir("aged")
    m.age(top)
    os.symlink("nowhere", m.path("aged/link"))
    m.expect_newer(top, "symlink in the directory")


@mount_check(
    "posix.symlink.longest-name", op="SYMLINK", source="catalogue 3.1.2; POSIX symlink", also=("LOOKUP",),
    needs=("write", "symlink"), killers=("READLINK:flip", "SYMLINK:errno=ENAMETOOLONG,path=*nnnnnnnn"),
)
def longest_name(m: Mount) -> None:
    """A symbolic link can have a name of 255 bytes, and one byte more is ENAMETOOLONG."""
    with m.setup():
        longest = min(os.statvfs(m.dir).f_namemax or 255, 255)
    path = m.path("n" * longest)
    try:
        os.symlink("target", path)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise Finding(f"a link with a name of {longest} bytes, by f_namemax", "ENAMETOOLONG", warn=True) from error
    m.expect_equal("target", os.readlink(path), "the target")
    if longest == 255:
        with m.raises(errno.ENAMETOOLONG, what="symlink with a name of 256 bytes"):
            os.symlink("target", m.path("n" * 256))
            with contextlib.suppress(OSError):  # it did, so take it back while it can be reached
                os.unlink(m.path("n" * 256))


@mount_check(
    "posix.symlink.many-lengths", op="READLINK", source="catalogue 3.5.1; man 2 symlink", also=("SYMLINK", "GETATTR"),
    needs=("write", "symlink"), killers=("READLINK:short", "READLINK:flip", "GETATTR:attr.size=+1"), quick=True,
)
def many_lengths(m: Mount) -> None:
    """Targets of 59 to 61, 255 to 257 and 1023 to 1025 bytes, where formats change, come back whole."""
    for length in (59, 60, 61, 255, 256, 257, 1023, 1024, 1025, 4094):
        target = (b"%d/" % length) * 4096
        path = m.path(f"link{length}")
        try:
            os.symlink(os.fsdecode(target[:length]), path)
        except OSError as error:
            if error.errno not in (errno.ENAMETOOLONG, errno.EINVAL) or length <= 255:  # SYMLINK_MAX of POSIX
                raise
            m.info(f"a target of {length} bytes is refused: {linux.errno_name(error.errno)}")
            continue
        m.expect_equal(target[:length], os.readlink(os.fsencode(path)), f"the target of {length} bytes")
        m.expect_equal(length, m.stat(path, follow=False).size, "the size")
