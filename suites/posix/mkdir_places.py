"""MKDIR: taken names, parents of all kinds, links of the parent, and how deep a tree may be."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount


def settle(m: Mount, folder: str) -> None:
    """RELEASE is asynchronous: where a file closed before was hidden, a few round trips let it go."""
    for _ in range(50):
        if not m.hidden(f"{folder}/any"):
            break


UNCOUNTED = 1
"""The links of a directory where a file system does not count subdirectories, as btrfs."""


@mount_check(
    "posix.mkdir.parent-links", op="MKDIR", level=SHOULD, source="catalogue 3.7.1, 3.3.4; POSIX mkdir",
    also=("GETATTR", "RMDIR"), needs=("write",), killers=("GETATTR:attr.nlink=2,path=*top", "RMDIR:fake"),
)
def parent_links(m: Mount) -> None:
    """Each new directory is a link more of its parent and each removed one a link less; or the links are always one."""
    top = m.subdir("top")
    m.file("top/file")
    seen = [m.stat(top).nlink]
    for name in ("a", "b"):
        os.mkdir(f"{top}/{name}")
        seen.append(m.stat(top).nlink)
    os.rmdir(f"{top}/a")
    seen.append(m.stat(top).nlink)
    counted = [2, 3, 4, 3]
    m.expect(seen in (counted, [UNCOUNTED] * 4), f"links {counted}, or always 1", str(seen))
    if os.path.lexists(f"{top}/a"):
        raise Finding("no directory after rmdir", "it is still there")


@mount_check(
    "posix.mkdir.exists", op="MKDIR", source="catalogue 3.7.5; POSIX mkdir", needs=("write",),
    killers=("READ:flip", "*:entries=lose"),
)
def exists(m: Mount) -> None:
    """mkdir of a name that is there, whatever it is, `.` and `..` too, is EEXIST and changes nothing."""
    file, folder = m.file("file", b"kept"), m.subdir("folder")
    m.file("folder/inside")
    taken = [file, folder, f"{folder}/.", f"{folder}/..", m.root]
    if not m.features["symlink"]:
        taken += [m.link_to("nowhere", "dangling"), m.link_to(os.path.basename(folder), "link")]
    for path in taken:
        with m.raises(errno.EEXIST, what=f"mkdir of {os.path.basename(path)!r}, which is there"):
            os.mkdir(path)
    m.expect_equal(b"kept", m.read(file), "the content of the file")
    m.expect_equal([b"inside"], m.names(folder), "the entries of the directory")


@mount_check(
    "posix.mkdir.no-parent", op="MKDIR", source="catalogue 3.7.5; POSIX mkdir", also=("LOOKUP",), needs=("write",),
    killers=("LOOKUP:map=ENOENT>EIO,path=*absent", "MKDIR:errno=ENOENT,path=*good"),
)
def no_parent(m: Mount) -> None:
    """mkdir in a missing directory is ENOENT, below a file ENOTDIR, and in a directory just made it works."""
    file = m.file("file")
    with m.raises(errno.ENOENT, what="mkdir in a missing directory"):
        os.mkdir(f"{m.absent()}/new")
    with m.raises(errno.ENOTDIR, what="mkdir below a file"):
        os.mkdir(f"{file}/new")
    os.makedirs(m.path("good") + "/better/best")
    m.expect_equal([b"best"], m.names(m.path("good/better")), "the entries of what makedirs made")


@mount_check(
    "posix.mkdir.trailing-slash", op="MKDIR", source="catalogue 3.7; POSIX mkdir", also=("RENAME", "RMDIR"),
    needs=("write",), killers=("MKDIR:errno=EINVAL,path=*new", "RENAME:fake", "RMDIR:fake"),
)
def trailing_slash(m: Mount) -> None:
    """A directory's name may have a slash behind it where it is made, renamed and removed."""
    path, other = m.path("new"), m.path("other")
    os.mkdir(f"{path}/")
    m.expect(m.listed(path), "the new directory to be listed", "it is not")
    os.rename(f"{path}/", f"{other}/")
    m.expect(m.listed(other) and not m.listed(path), "the new name alone to be listed", "it is not so")
    os.rmdir(f"{other}/")
    m.expect(not m.listed(other), "the directory not to be listed", "it is")


@mount_check(
    "posix.mkdir.longest-name", op="MKDIR", source="catalogue 3.1.2; POSIX mkdir", also=("RMDIR", "READDIR"),
    needs=("write",), killers=("MKDIR:errno=ENAMETOOLONG,path=*nnnnnnnn", "*:entries=lose", "RMDIR:fake"),
)
def longest_name(m: Mount) -> None:
    """A directory can have a name of 255 bytes, with files in it, is listed with the whole name and can be removed."""
    with m.setup():
        longest = min(os.statvfs(m.dir).f_namemax or 255, 255)
    path = m.path("n" * longest)
    try:
        os.mkdir(path)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise Finding(f"a directory with a name of {longest} bytes, by f_namemax", "ENAMETOOLONG", warn=True) from error
    m.close(m.open(f"{path}/inside", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    m.expect(m.listed(path), f"a name of {longest} bytes to be listed", "it is not")
    m.expect_equal([b"inside"], m.names(path), "its entries")
    os.unlink(f"{path}/inside")
    settle(m, path)
    os.rmdir(path)
    m.expect(not m.listed(path), "the name not to be listed after rmdir", "it is")


@mount_check(
    "posix.mkdir.very-deep", op="MKDIR", level=SHOULD, source="catalogue 3.7.6", also=("LOOKUP", "OPENDIR", "RMDIR"),
    needs=("write",), killers=("MKDIR:errno=ENAMETOOLONG,path=*level55", "*:entries=lose"),
)
def very_deep(m: Mount) -> None:
    """A tree almost as deep as the longest path, of names of 50 bytes, can be made step by step, used and removed."""
    # Not deeper: of a daemon that then refuses to remove it, nobody could clear the rest away by its path.
    levels = (3900 - len(os.fsencode(m.dir))) // 51
    names = [f"{'d' * 43}level{level:02}" for level in range(levels)]
    here = m.open(m.dir, os.O_RDONLY | os.O_DIRECTORY)
    held = [here]
    for name in names:
        os.mkdir(name, dir_fd=here)
        here = m.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        held.append(here)
    os.mkdir("leaf", dir_fd=here)
    bottom = m.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
    m.expect_equal([b"leaf"], m.names(bottom), "the entries at the bottom")
    os.rmdir("leaf", dir_fd=here)
    for level in reversed(range(levels)):
        os.rmdir(names[level], dir_fd=held[level])
    m.expect_equal([], m.names(m.dir), "what is left of it")


@mount_check(
    "posix.mkdir.many", op="MKDIR", source="catalogue 3.7.1; POSIX mkdir", also=("READDIR", "GETATTR", "RMDIR"),
    needs=("write",), killers=("MKDIR:errno=EMLINK,path=*d77", "*:entries=lose", "RMDIR:fake"),
)
def many(m: Mount) -> None:
    """A directory holds a hundred others, each with its own number and entries, and is empty when they are removed."""
    top = m.subdir("top")
    for number in range(100):
        os.mkdir(f"{top}/d{number}")
    m.expect_equal(100, len(m.names(top)), "the entries listed")
    m.expect_equal(100, len({os.stat(f"{top}/d{number}").st_ino for number in range(100)}), "different inode numbers")
    for number in range(100):
        os.rmdir(f"{top}/d{number}")
    m.expect_equal([], m.names(top), "the entries after removal")


@mount_check(
    "posix.mkdir.reply-is-true", op="MKDIR", source="catalogue 3.1.8, 3.7.2", also=("SYMLINK", "MKNOD", "CREATE"),
    needs=("write",), killers=("GETATTR:attr.mode=0o40700,path=*folder,nth=2", "CREATE:errno=EIO,path=*made"),
)
def reply_is_true(m: Mount) -> None:
    """What mkdir and create answer of the new entry, which the kernel may go by, is what the entry itself says then."""
    folder, made = m.path("folder"), m.path("made")
    os.mkdir(folder, 0o750)
    m.close(m.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
    for path in (folder, made):
        told = os.lstat(path)
        got = m.stat(path, follow=False)
        cached = (oct(told.st_mode), told.st_nlink, told.st_uid, told.st_gid, told.st_size)
        true = (oct(got.mode), got.nlink, got.uid, got.gid, got.size)
        m.expect_equal(true, cached, f"mode, links, owner, group and size of {os.path.basename(path)}:")
    m.expect_equal("directory", linux.type_name(os.lstat(folder).st_mode), "the type of the directory")


@mount_check(
    "posix.mkdir.denied", op="MKDIR", source="catalogue 3.8.5; POSIX mkdir", also=("CREATE", "UNLINK", "RMDIR"),
    needs=("write",), killers=("READ:flip", "*:entries=lose"),
)
def denied(m: Mount) -> None:
    """In a directory that its owner may not write nothing can be made or removed: EACCES, and all stays."""
    top = m.subdir("closed")
    file, folder = m.file("closed/file", b"kept"), m.subdir("closed/folder")
    user = m.ordinary(top, file, folder)
    m.chmod(top, 0o555)
    calls = {
        "mkdir": lambda: os.mkdir(f"{top}/new"),
        "create": lambda: os.close(os.open(f"{top}/new", os.O_CREAT | os.O_WRONLY)),
        "unlink": lambda: os.unlink(file),
        "rmdir": lambda: os.rmdir(folder),
        "rename": lambda: os.rename(file, f"{top}/new"),
    }
    for what, call in calls.items():
        refused = m.raises(errno.EACCES, what=f"{what} in a directory with mode 0555", warn=(errno.EPERM,),
                           success_warns=user is None)
        with refused:
            m.fork(call, uid=user)
    m.expect_equal([b"file", b"folder"], m.names(top), "the entries afterwards")
    m.expect_equal(b"kept", m.read(file), "the content afterwards")
