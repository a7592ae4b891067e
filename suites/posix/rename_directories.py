"""RENAME of directories: into themselves, over others, from under processes, and many at once."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Callable

from fsprobe.checks import SHOULD, mount_check
from fsprobe.checks.mount import Mount

READING = os.O_RDONLY | os.O_DIRECTORY


@mount_check(
    "posix.rename.into-itself", op="RENAME", source="catalogue 3.10.6; POSIX rename", needs=("write",), quick=True,
    killers=("READ:flip", "*:entries=lose"),
)
def into_itself(m: Mount) -> None:
    """A directory cannot be moved into itself or below (EINVAL), nor over one that it is in (ENOTEMPTY)."""
    top = m.subdir("top")
    m.subdir("top/sub")
    leaf = m.file("top/sub/leaf", b"kept")
    for new in (f"{top}/new", f"{top}/sub/new", f"{top}/sub"):
        with m.raises(errno.EINVAL, what="rename of a directory to below itself"):
            os.rename(top, new)
    with m.raises(errno.ENOTEMPTY, errno.EEXIST, errno.EINVAL, what="rename over an ancestor"):
        os.rename(f"{top}/sub", top)
    m.expect_equal([b"sub"], m.names(top), "the entries afterwards")
    m.expect_equal(b"kept", m.read(leaf), "the content of the leaf")


@mount_check(
    "posix.rename.wrong-kind", op="RENAME", source="catalogue 3.10.5; POSIX rename", needs=("write",), quick=True,
    killers=("READ:flip", "*:entries=lose", "LOOKUP:errno=EIO,path=*absent"),
)
def wrong_kind(m: Mount) -> None:
    """A file is not renamed over a directory (EISDIR) nor a directory over a file (ENOTDIR); no name is ENOENT."""
    file, folder = m.file("file", b"kept"), m.subdir("folder")
    m.file("folder/inside")
    with m.raises(errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, what="rename of a file over a directory"):
        os.rename(file, folder)
    with m.raises(errno.ENOTDIR, what="rename of a directory over a file"):
        os.rename(folder, file)
    with m.raises(errno.ENOTDIR, what="rename of a file to a name with a slash behind it"):
        os.rename(file, m.path("new") + "/")
    with m.raises(errno.ENOENT, what="rename of a missing name"):
        os.rename(m.absent(), file)
    with m.raises(errno.ENOENT, what="rename into a missing directory"):
        os.rename(file, f"{m.absent()}/new")
    m.expect_equal(b"kept", m.read(file), "the content of the file")
    m.expect_equal([b"inside"], m.names(folder), "the entries of the directory")


@mount_check(
    "posix.rename.dots", op="RENAME", source="catalogue 3.10.6; POSIX rename", needs=("write",),
    killers=("*:entries=lose", "READ:flip"),
)
def dots(m: Mount) -> None:
    """`.` and `..` can neither be renamed nor replaced: EBUSY or EINVAL."""
    top = m.subdir("top")
    m.subdir("top/sub")
    leaf = m.file("top/sub/leaf", b"kept")
    for old, new in ((f"{top}/.", m.path("new")), (f"{top}/sub/..", m.path("new")), (f"{top}/sub", f"{top}/.")):
        with m.raises(errno.EBUSY, errno.EINVAL, errno.ENOTEMPTY, what=f"rename of {old[-5:]!r} to {new[-5:]!r}"):
            os.rename(old, new)
    m.expect_equal([b"sub"], m.names(top), "the entries afterwards")
    m.expect_equal(b"kept", m.read(leaf), "the content of the leaf")


@mount_check(
    "posix.rename.parent-links", op="RENAME", level=SHOULD, source="catalogue 3.10.7; POSIX rename", also=("GETATTR",),
    needs=("write",), killers=("RENAME:fake", "GETATTR:attr.nlink=3,path=*source"),
)
def parent_links(m: Mount) -> None:
    """A directory moved to another one takes its link along; moved over an empty one, the target's links stay."""
    source, target = m.subdir("source"), m.subdir("target")
    for name in ("source/a", "source/b", "target/b"):
        m.subdir(name)
    seen = [(m.stat(source).nlink, m.stat(target).nlink)]
    for name in ("a", "b"):
        os.rename(f"{source}/{name}", f"{target}/{name}")
        seen.append((m.stat(source).nlink, m.stat(target).nlink))
    counted = [(4, 3), (3, 4), (2, 4)]
    m.expect(seen in (counted, [(1, 1)] * 3), f"links of source and target {counted}, or always 1", str(seen))
    m.expect_equal([b"a", b"b"], m.names(target), "the entries of the target")
    m.expect_equal([], m.names(source), "the entries of the source")


@mount_check(
    "posix.rename.current-directory", op="RENAME", source="catalogue 3.10.8; POSIX getcwd", also=("LOOKUP", "CREATE"),
    needs=("write",), killers=("RENAME:fake", "READ:flip", "CREATE:errno=ENOENT,path=*made"),
)
def current_directory(m: Mount) -> None:
    """A process whose directory is moved goes on there: getcwd names the new place, relative paths lead to it."""
    for name in ("one", "one/place", "two"):
        m.subdir(name)
    m.file("one/place/leaf", b"leaf")
    moved = m.path("two/moved")

    def work() -> list[str]:
        os.chdir(m.path("one/place"))
        os.rename(m.path("one/place"), moved)
        seen = [os.getcwd()]
        with open("leaf", "rb") as file:
            m.expect_equal(b"leaf", file.read(), "the content by a relative path")
        os.close(os.open("made", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.rename(m.path("two"), m.path("three"))
        return [*seen, os.getcwd()]

    expected = [os.path.realpath(m.dir) + end for end in ("/two/moved", "/three/moved")]
    m.expect_equal(expected, m.fork(work), "the current directory after each rename")
    m.expect_equal([b"leaf", b"made"], m.names(m.path("three/moved")), "the entries of the new place")


@mount_check(
    "posix.rename.dotdot", op="RENAME", source="catalogue 3.10.7; POSIX rename", also=("LOOKUP", "GETATTR"),
    needs=("write",), killers=("RENAME:fake", "GETATTR:attr.ino=77"),
)
def dotdot(m: Mount) -> None:
    """`..` of a moved directory, and of one below it, is its new place, by path and by descriptor."""
    for name in ("one", "two", "one/tree", "one/tree/sub"):
        m.subdir(name)
    fd = m.open(m.path("one/tree"), READING)
    os.rename(m.path("one/tree"), m.path("two/tree"))
    one, two = m.stat(m.path("one")).ino, m.stat(m.path("two")).ino
    m.expect(one != two, "two inode numbers of two directories", "one")
    up = m.open("..", READING, dir_fd=fd)
    m.expect_equal(two, m.stat(up).ino, "the number of `..` by descriptor")
    m.expect_equal(two, m.stat(m.path("two/tree/..")).ino, "the number of `..` by path")
    m.expect_equal(two, m.stat(m.path("two/tree/sub/../..")).ino, "the number of `../..` from below")
    m.expect_equal([b"tree"], m.names(up), "the entries of `..`")


@mount_check(
    "posix.rename.many-children", op="RENAME", source="catalogue 3.10.10", also=("READDIR", "LOOKUP", "MKNOD"),
    needs=("write",), killers=("RENAME:fake", "*:entries=lose", "READ:flip"),
)
def many_children(m: Mount) -> None:
    """A directory of 120 files renamed twice, with a file and itself open, still lists and reads all of them."""
    top = m.subdir("top")
    for number in range(120):
        m.file(f"top/{number}", b"%d" % number)
    held, fd = m.open(top, READING), m.open(f"{top}/7")
    for new in ("second", "third"):
        os.rename(top, m.path(new))
        top = m.path(new)
    expected = sorted(b"%d" % number for number in range(120))
    m.expect_equal(expected, m.names(top), "the names by the new path")
    m.expect_equal(expected, m.names(m.open(".", READING, dir_fd=held)), "the names by descriptor")
    for number in (0, 7, 64, 119):
        m.expect_equal(b"%d" % number, m.read(f"{top}/{number}"), f"the content of {number}")
        m.expect_equal(b"%d" % number, os.read(m.open(f"{number}", dir_fd=held), 9), f"{number} by descriptor")
    m.expect_equal(b"7", m.pread(fd, 9, 0), "the content of the open file")


@mount_check(
    "posix.rename.below-old-path", op="RENAME", source="catalogue 3.10.7, 3.1.6", also=("LOOKUP", "MKDIR", "CREATE"),
    needs=("write",), killers=("RENAME:fake", "READ:flip"),
)
def below_old_path(m: Mount) -> None:
    """After a directory was moved, its old path can be built anew with the same names: the two trees are apart."""
    m.subdir("tree")
    m.subdir("tree/sub")
    old = m.file("tree/sub/leaf", b"moved away")
    os.stat(old)
    os.rename(m.path("tree"), m.path("moved"))
    with m.raises(errno.ENOENT, what="stat by the old path"):
        os.stat(old)
    os.mkdir(m.path("tree"))
    os.mkdir(m.path("tree/sub"))
    m.expect_equal([], m.names(m.path("tree/sub")), "the entries of the new tree")
    m.file("tree/sub/leaf", b"new")
    m.expect_equal(b"new", m.read(old), "the content of the new leaf")
    m.expect_equal(b"moved away", m.read(m.path("moved/sub/leaf")), "the content of the old leaf in its new place")


@mount_check(
    "posix.rename.over-open-directory", op="RENAME", source="catalogue 3.10.5; POSIX rename", also=("OPENDIR",),
    needs=("write",), killers=("RENAME:fake", "*:entries=lose"),
)
def over_open_directory(m: Mount) -> None:
    """An empty directory that is replaced while open lists nothing of its successor and takes no entries."""
    old, new = m.subdir("old"), m.subdir("new")
    m.file("new/inside")
    fd = m.open(old, READING)
    os.rename(new, old)
    m.expect_equal([b"inside"], m.names(old), "the entries under the name")
    with m.raises(errno.ENOENT, what="mkdir in the replaced directory", warn=(errno.ESTALE,)):
        os.mkdir("lost", dir_fd=fd)
    m.expect_equal([b"inside"], m.names(old), "the entries under the name afterwards")
    m.expect(not os.path.lexists(new), "no old name", "it is still there")


@mount_check(
    "posix.rename.ring", op="RENAME", source="catalogue 3.10.11", also=("LOOKUP",), parallel=True, needs=("write",),
    killers=("RENAME:errno=EIO,nth=20", "RENAME:errno=EDEADLK,nth=30", "*:entries=lose"),
)
def ring(m: Mount) -> None:
    """Four processes that move directories between each other's end, and each directory is in one place."""
    for name in ("a", "b", "c", "a/x", "b/y", "c/z"):
        m.subdir(name)
    places = [m.path(name) for name in ("a", "b", "c")]

    def move(number: int) -> int:
        done = 0
        for turn in range(15):
            source, target = places[(turn + number) % 3], places[(turn + number + 1) % 3]
            for name in ("x", "y", "z"):
                try:
                    os.rename(f"{source}/{name}", f"{target}/{name}")
                    done += 1
                except FileNotFoundError:
                    pass  # another process was there first
        return done

    moved = sum(process.result() for process in [m.start(functools.partial(move, number)) for number in range(4)])
    m.expect(moved > 0, "directories to be moved", "none was")
    m.expect_equal([b"x", b"y", b"z"], sorted(name for place in places for name in m.names(place)), "where they are")


def _refusals(m: Mount, name: str, mode: int) -> tuple[str, str, list[tuple[str, Callable[[], None]]]]:
    """A directory of ours with that mode, a file of ours in it, and renames by another user that need more."""
    folder, mine = m.subdir(name, 0o755), m.file(f"{name}/mine", b"mine")
    other = m.subdir(f"{name}-other")
    with m.setup():
        os.chown(other, 65534, 65534)
    m.chmod(folder, mode)
    theirs = m.file(f"{name}-other/theirs", b"theirs")
    return mine, theirs, [
        ("rename out of it", lambda: os.rename(mine, f"{other}/taken")),
        ("rename over a file in it", lambda: os.rename(theirs, mine)),
    ]


@mount_check(
    "posix.rename.sticky", op="RENAME", source="catalogue 3.10.9; man 7 inode", needs=("write", "root", "allow_other"),
    killers=("GETATTR:attr.uid=65534,path=*sticky",),
)
def sticky(m: Mount) -> None:
    """Out of a sticky directory, and over a file in it, another user cannot rename: EPERM, and both files stay."""
    mine, theirs, calls = _refusals(m, "sticky", 0o1777)
    for what, call in calls:
        with m.raises(errno.EPERM, what=f"{what}, by another user", warn=(errno.EACCES,)):
            m.fork(call, uid=65534)
    m.expect_equal((b"mine", b"theirs"), (m.read(mine), m.read(theirs)), "the contents afterwards")


@mount_check(
    "posix.rename.unwritable-directory", op="RENAME", source="catalogue 3.10.7; POSIX rename",
    needs=("write", "root", "allow_other"), killers=("GETATTR:attr.uid=65534,path=*closed", "READ:flip"),
)
def unwritable_directory(m: Mount) -> None:
    """Out of a directory that another user may not write, and over a file in it, that user cannot rename: EACCES."""
    mine, theirs, calls = _refusals(m, "closed", 0o755)
    for what, call in calls:
        with m.raises(errno.EACCES, what=f"{what}, by another user", warn=(errno.EPERM,)):
            m.fork(call, uid=65534)
    m.expect_equal((b"mine", b"theirs"), (m.read(mine), m.read(theirs)), "the contents afterwards")


@mount_check(
    "posix.rename.own-directory-read-only", op="RENAME", source="catalogue 3.10.7; POSIX rename", needs=("write",),
    killers=("*:entries=lose", "READ:flip"),
)
def own_directory_read_only(m: Mount) -> None:
    """An owner can rename a directory without write permission where it is, but not to another place (EACCES)."""
    top, other = m.subdir("top"), m.subdir("other")
    folder = m.subdir("top/folder")
    leaf = m.file("top/folder/leaf", b"kept")
    user = m.ordinary(top, other, folder)
    m.chmod(folder, 0o555)
    refused = m.raises(errno.EACCES, what="a move of a directory with mode 0555 to another one", warn=(errno.EPERM,),
                       success_warns=user is None)
    with refused:
        m.fork(lambda: os.rename(folder, f"{other}/folder"), uid=user)
    m.expect_equal(b"kept", m.read(leaf), "the content inside afterwards")
    m.fork(lambda: os.rename(folder, f"{top}/new"), uid=user)
    m.expect_equal([b"new"], m.names(top), "the entries after a rename in place")
