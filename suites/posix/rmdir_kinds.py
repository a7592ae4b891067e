"""RMDIR: wrong kinds, whatever a directory holds, and directories that are open or somebody's own place."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from fsprobe.checks import SHOULD, mount_check
from fsprobe.checks.mount import Mount

READING = os.O_RDONLY | os.O_DIRECTORY


@mount_check(
    "posix.rmdir.wrong-kind", op="RMDIR", source="catalogue 3.9.1; POSIX rmdir", needs=("write",),
    killers=("READ:flip", "LOOKUP:errno=EIO,path=*absent"),
)
def wrong_kind(m: Mount) -> None:
    """rmdir of a file is ENOTDIR, of a missing name ENOENT, of `x/.` EINVAL and of `x/..` ENOTEMPTY."""
    folder = m.subdir("folder")
    file = m.file("folder/file", b"kept")
    with m.raises(errno.ENOTDIR, what="rmdir of a file"):
        os.rmdir(file)
    with m.raises(errno.ENOENT, what="rmdir of a missing name"):
        os.rmdir(m.absent())
    with m.raises(errno.EINVAL, what="rmdir of `x/.`"):
        os.rmdir(f"{folder}/.")
    with m.raises(errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, what="rmdir of `x/..`"):
        os.rmdir(f"{folder}/..")
    m.expect_equal(b"kept", m.read(file), "the content of the file")


@mount_check(
    "posix.rmdir.holds-anything", op="RMDIR", source="catalogue 3.9.1; POSIX rmdir", also=("MKDIR", "UNLINK"),
    needs=("write",), killers=("RMDIR:fake", "RMDIR:map=ENOTEMPTY>EIO"), quick=True,
)
def holds_anything(m: Mount) -> None:
    """A directory with a subdirectory, a hidden file or a dangling link in it is not empty; without, it goes."""
    top = m.subdir("full")
    makers: list[Callable[[], str]] = [lambda: m.subdir("full/sub"), lambda: m.file("full/.hidden")]
    if not m.features["symlink"]:
        makers.append(lambda: m.link_to("nowhere", "full/link"))
    for make in makers:
        inside = make()
        with m.raises(errno.ENOTEMPTY, errno.EEXIST, what=f"rmdir of a directory with {os.path.basename(inside)!r}"):
            os.rmdir(top)
        m.expect(os.path.lexists(inside), f"{os.path.basename(inside)!r} to stay", "it is gone")
        with m.setup():
            if os.path.isdir(inside):
                os.rmdir(inside)
            else:
                os.unlink(inside)
    for _ in range(50):  # RELEASE is asynchronous: where a file was hidden, a few round trips let it go
        if not m.names(top):
            break
    os.rmdir(top)
    m.expect(not os.path.lexists(top), "no directory after the last entry went", "it is still there")


@mount_check(
    "posix.rmdir.name-used-again", op="RMDIR", source="catalogue 3.9.3; POSIX rmdir", also=("MKDIR", "OPENDIR"),
    needs=("write",), killers=("RMDIR:fake", "*:entries=lose"),
)
def name_used_again(m: Mount) -> None:
    """A directory made under the name of a removed one that is open is another: the old one takes nothing new."""
    path = m.subdir("name")
    fd = m.open(path, READING)
    os.rmdir(path)
    os.mkdir(path)
    m.file("name/inside")
    m.expect_equal([b"inside"], m.names(path), "the entries of the new directory")
    with m.raises(errno.ENOENT, what="create in the removed directory", warn=(errno.ESTALE,)):
        m.open("lost", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    m.expect_equal([b"inside"], m.names(path), "the entries of the new directory afterwards")


@mount_check(
    "posix.rmdir.own-place", op="RMDIR", source="catalogue 3.9.3; man 2 rmdir", also=("LOOKUP",), needs=("write",),
    killers=("RMDIR:errno=EBUSY", "RMDIR:fake"),
)
def own_place(m: Mount) -> None:
    """A process can remove the directory it is in; then nothing can be made there and getcwd is ENOENT."""
    path = m.subdir("place")

    def leave() -> None:
        os.chdir(path)
        os.rmdir(path)
        with m.raises(errno.ENOENT, what="getcwd in a removed directory"):
            os.getcwd()
        with m.raises(errno.ENOENT, what="mkdir in a removed directory", warn=(errno.ESTALE,)):
            os.mkdir("new")

    m.fork(leave)
    m.expect(not os.path.lexists(path), "no directory after rmdir", "it is still there")


@mount_check(
    "posix.rmdir.held-unlinked-file", op="RMDIR", level=SHOULD, source="catalogue 3.9.4, 3.8.2",
    also=("UNLINK", "READ"), needs=("write",),
    killers=("UNLINK:fake", "RMDIR:errno=ENOTEMPTY,path=*holder", "READ:flip"),
)
def held_unlinked_file(m: Mount) -> None:
    """A directory whose only file was unlinked while open can be removed, and the open file keeps its data."""
    top = m.subdir("holder")
    path = m.file("holder/file", b"kept")
    fd = m.open(path)
    os.unlink(path)
    hidden = m.hidden(path)
    m.expect(not hidden, "an empty directory after unlink of its open file", f"{hidden} in it")
    os.rmdir(top)
    m.expect(not os.path.lexists(top), "no directory", "it is still there")
    m.expect_equal(b"kept", m.pread(fd, 100, 0), "the content of the open file")


@mount_check(
    "posix.rmdir.listing-ends", op="RMDIR", source="catalogue 3.9.3; man 2 getdents", also=("OPENDIR", "READDIR"),
    needs=("write",), killers=("RMDIR:fake", "RMDIR:errno=EBUSY"),
)
def listing_ends(m: Mount) -> None:
    """An open directory that was removed lists nothing, or is ENOENT; it shows no entry of before."""
    path = m.subdir("victim")
    fd = m.open(path, READING)
    os.rmdir(path)
    try:
        seen = m.names(fd)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ESTALE):
            raise
        seen = []
    m.expect_equal([], seen, "the entries of a removed directory")
    m.expect(not os.path.lexists(path), "no directory", "it is still there")
