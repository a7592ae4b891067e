"""RENAME2: what each flag does to files that are open, to directories, and to names that are missing."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import INFO, OPTIONAL, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


@mount_check(
    "posix.rename2.bad-flags", op="RENAME2", source="catalogue 3.11.1, 3.11.2; man 2 renameat2", needs=("write",),
    killers=("READ:flip", "*:entries=lose"),
)
def bad_flags(m: Mount) -> None:
    """NOREPLACE with EXCHANGE, EXCHANGE with WHITEOUT, and a flag that there is not are EINVAL and rename nothing."""
    old, new = m.file("old", b"old"), m.file("new", b"new")
    both = linux.RENAME_NOREPLACE | linux.RENAME_EXCHANGE
    for flags in (both, linux.RENAME_EXCHANGE | linux.RENAME_WHITEOUT, 1 << 10, 1 << 30):
        with m.raises(errno.EINVAL, what=f"renameat2 with flags {flags:#x}"):
            linux.renameat2(old, new, flags)
    m.expect_equal((b"old", b"new"), (m.read(old), m.read(new)), "the contents afterwards")
    m.expect(m.listed(old) and m.listed(new), "both to be listed", "they are not")


@mount_check(
    "posix.rename2.noreplace-kinds", op="RENAME2", level=OPTIONAL, source="catalogue 3.11.1; man 2 renameat2",
    needs=("write",), killers=("RENAME2:fake", "RENAME2:errno=EIO", "READ:flip"), quick=True,
)
def noreplace_kinds(m: Mount) -> None:
    """RENAME_NOREPLACE spares directories, dangling links and the source's own name too: EEXIST, and all stay."""
    folder, moved = m.subdir("folder"), m.path("moved")
    inside = m.file("folder/inside", b"kept")
    with m.optional(*DECLINED, what="RENAME_NOREPLACE"):
        linux.renameat2(folder, moved, linux.RENAME_NOREPLACE)
    m.expect_equal(b"kept", m.read(inside.replace("/folder/", "/moved/")), "the content below the new name")
    taken = [m.subdir("empty"), m.file("file"), moved]
    if not m.features["symlink"]:
        taken.append(m.link_to("nowhere", "dangling"))
    for path in taken:
        with m.raises(errno.EEXIST, what=f"RENAME_NOREPLACE onto {os.path.basename(path)!r}"):
            linux.renameat2(moved, path, linux.RENAME_NOREPLACE)
        m.expect(os.path.lexists(path), f"{os.path.basename(path)!r} to stay", "it is gone")


@mount_check(
    "posix.rename2.exchange-open-files", op="RENAME2", level=OPTIONAL, source="catalogue 3.11.2; man 2 renameat2",
    also=("READ", "WRITE"), needs=("write",), killers=("RENAME2:fake", "READ:flip", "WRITE:fake,path=*two"),
)
def exchange_open_files(m: Mount) -> None:
    """RENAME_EXCHANGE swaps two files at once; descriptors follow their files, and sizes and numbers go along."""
    one, two = m.file("one", b"content one"), m.file("two", b"two")
    fd = m.open(one, os.O_RDWR)
    numbers = m.stat(one).ino, m.stat(two).ino
    with m.optional(*DECLINED, what="RENAME_EXCHANGE"):
        linux.renameat2(one, two, linux.RENAME_EXCHANGE)
    m.expect_equal((b"two", b"content one"), (m.read(one), m.read(two)), "the contents")
    m.expect_equal((3, 11), (os.stat(one).st_size, os.stat(two).st_size), "the sizes")
    m.expect_equal(numbers, (m.stat(two).ino, m.stat(one).ino), "the inode numbers, swapped,", warn=True)
    os.pwrite(fd, b"CONTENT", 0)
    m.expect_equal(b"CONTENT one", m.read(two), "the content of the second after a write by its old descriptor")


@mount_check(
    "posix.rename2.exchange-directories", op="RENAME2", level=OPTIONAL, source="catalogue 3.11.2; man 2 renameat2",
    also=("LOOKUP", "READDIR"), needs=("write",), killers=("RENAME2:fake", "*:entries=lose", "RENAME2:errno=EIO"),
)
def exchange_directories(m: Mount) -> None:
    """RENAME_EXCHANGE of a file and a directory in different places moves each with what is in it, and `..` too."""
    for name in ("one", "two", "two/tree"):
        m.subdir(name)
    file, tree = m.file("one/file", b"content"), m.path("two/tree")
    m.file("two/tree/leaf", b"leaf")
    with m.optional(*DECLINED, what="RENAME_EXCHANGE"):
        linux.renameat2(file, tree, linux.RENAME_EXCHANGE)
    m.expect_equal([b"leaf"], m.names(file), "the entries in the file's place")
    m.expect_equal(b"leaf", m.read(f"{file}/leaf"), "the content of the leaf")
    m.expect_equal(b"content", m.read(tree), "the content in the directory's place")
    m.expect_equal(m.stat(m.path("one")).ino, m.stat(f"{file}/..").ino, "the number of `..`")
    links = m.stat(m.path("one")).nlink, m.stat(m.path("two")).nlink
    m.expect(links in ((3, 2), (1, 1)), "3 and 2 links of the parents, or always 1", str(links), warn=True)


@mount_check(
    "posix.rename2.exchange-missing", op="RENAME2", level=OPTIONAL, source="catalogue 3.11.2; man 2 renameat2",
    needs=("write",), killers=("RENAME2:errno=EIO", "READ:flip"),
)
def exchange_missing(m: Mount) -> None:
    """RENAME_EXCHANGE with a missing name is ENOENT, with an ancestor EINVAL, and neither moves anything."""
    top, other = m.subdir("top"), m.file("other", b"other")
    leaf = m.file("top/leaf", b"kept")
    with m.optional(*DECLINED, what="RENAME_EXCHANGE"):
        linux.renameat2(leaf, other, linux.RENAME_EXCHANGE)
    with m.raises(errno.ENOENT, what="RENAME_EXCHANGE with a missing name"):
        linux.renameat2(other, m.absent(), linux.RENAME_EXCHANGE)
    with m.raises(errno.EINVAL, errno.ENOTEMPTY, what="RENAME_EXCHANGE with an ancestor"):
        linux.renameat2(leaf, top, linux.RENAME_EXCHANGE)
    m.expect_equal((b"kept", b"other"), (m.read(other), m.read(leaf)), "the contents, exchanged once,")


@mount_check(
    "posix.rename2.exchange-links", op="RENAME2", level=OPTIONAL, source="catalogue 3.11.2; man 2 renameat2",
    also=("READLINK",), needs=("write", "symlink"), killers=("RENAME2:fake", "READLINK:flip", "RENAME2:errno=EIO"),
)
def exchange_links(m: Mount) -> None:
    """RENAME_EXCHANGE swaps a symbolic link itself with a file, and not what it points to."""
    target, file = m.file("target", b"target"), m.file("file", b"file")
    link = m.link_to("target", "link")
    with m.optional(*DECLINED, what="RENAME_EXCHANGE"):
        linux.renameat2(link, file, linux.RENAME_EXCHANGE)
    m.expect_equal("symbolic link", linux.type_name(os.lstat(file).st_mode), "the type in the file's place")
    m.expect_equal("target", os.readlink(file), "the target of the link in the file's place")
    m.expect_equal((b"file", b"target"), (m.read(link), m.read(target)), "the contents of the file and of the target")


@mount_check(
    "posix.rename2.flag-honoured", op="RENAME2", source="catalogue 3.11.1; man 2 renameat2", needs=("write",),
    killers=("RENAME2:fake", "READ:flip"),
)
def flag_honoured(m: Mount) -> None:
    """A flag that is not supported is refused: EXCHANGE that succeeds has exchanged, not renamed one over the other."""
    one, two = m.file("one", b"1"), m.file("two", b"22")
    try:
        linux.renameat2(one, two, linux.RENAME_EXCHANGE)
    except OSError as error:
        if error.errno not in DECLINED:
            raise
        m.expect_equal((b"1", b"22"), (m.read(one), m.read(two)), "the contents after a refusal")
        m.info(f"RENAME_EXCHANGE: {linux.errno_name(error.errno)}")
        return
    if not os.path.lexists(one):
        raise Finding("both names after RENAME_EXCHANGE succeeded", "one renamed over the other: the flag is ignored")
    m.expect_equal((b"22", b"1"), (m.read(one), m.read(two)), "the contents, exchanged,")


@mount_check(
    "posix.rename2.ctime", op="RENAME2", level=INFO, source="catalogue 3.10.1; man 2 renameat2", also=("GETATTR",),
    needs=("write",), killers=("GETATTR:attr.ctime=+1000,path=*two,nth=3", "RENAME2:errno=EIO"),
)
def ctime(m: Mount) -> None:
    """An exchange gives both files a later ctime, as rename does; not on XFS."""
    one, two = m.file("one"), m.file("two")
    fd = m.open(one)
    with m.optional(*DECLINED, what="RENAME_EXCHANGE"):
        linux.renameat2(one, two, linux.RENAME_EXCHANGE)
    m.expect_ctime_moves(fd, lambda: linux.renameat2(one, two, linux.RENAME_EXCHANGE), "RENAME_EXCHANGE")
