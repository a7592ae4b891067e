"""SETATTR: chown, and who may change a mode."""

from __future__ import annotations

import errno
import functools
import os

from fsprobe.checks import SHOULD, Skip, mount_check
from fsprobe.checks.mount import Mount

OTHERS_GROUP = 4321


def give(m: Mount, path: str) -> None:
    """Give a file away as preparation, and see that it took. Raises Blocked."""
    with m.setup("chown"):
        os.chown(path, 9, 9)
        if m.stat(path).uid != 9:
            raise OSError(errno.EOPNOTSUPP, "chown answered success and changed nothing")


@mount_check(
    "posix.setattr.chown-user-refused", op="SETATTR", source="catalogue 3.4.6; POSIX chown", needs=("write",),
    killers=("OPEN:errno=EIO,path=*mine", "READ:flip"),
)
def chown_user_refused(m: Mount) -> None:
    """An owner without privileges cannot give a file away: EPERM, and owner and group stay."""
    path = m.file("mine", b"data")
    user = m.ordinary(path)
    before = m.stat(path)
    with m.raises(errno.EPERM, what="chown to another user by an owner", warn=(errno.EACCES,),
                  success_warns=user is None):
        m.fork(lambda: os.chown(path, 1234, -1), uid=user)
    after = m.stat(path)
    m.expect_equal((before.uid, before.gid), (after.uid, after.gid), "owner and group afterwards")
    m.expect_equal(b"data", m.read(path), "the content afterwards")


@mount_check(
    "posix.setattr.chown-group-refused", op="SETATTR", source="catalogue 3.4.6; POSIX chown",
    needs=("write", "root", "allow_other"), killers=("GETATTR:attr.gid=+3,path=*mine,nth=3", "READ:flip"),
)
def chown_group_refused(m: Mount) -> None:
    """An owner cannot give a file to a group of which it is no member: EPERM, and the group stays."""
    path = m.file("mine", b"data")
    user = m.ordinary(path)
    before = m.stat(path).gid
    with m.raises(errno.EPERM, what="chown to a foreign group", warn=(errno.EACCES,)):
        m.fork(lambda: os.chown(path, -1, OTHERS_GROUP), uid=user)
    m.expect_equal(before, m.stat(path).gid, "the group afterwards")
    m.expect_equal(b"data", m.read(path), "the content afterwards")


@mount_check(
    "posix.setattr.chown-group-member", op="SETATTR", source="catalogue 3.4.6; POSIX chown",
    needs=("write", "root", "allow_other"),
    killers=("SETATTR:errno=EPERM,path=*mine,nth=2", "GETATTR:attr.gid=0,path=*mine"),
)
def chown_group_member(m: Mount) -> None:
    """An owner can give a file to its own group and to a supplementary group of its own."""
    path = m.file("mine")
    user = m.ordinary(path)
    assert user is not None

    def pass_on(group: int) -> None:
        os.setgroups([OTHERS_GROUP])
        os.setgid(user)
        os.setuid(user)
        os.chown(path, -1, group)

    for group in (OTHERS_GROUP, user):
        m.fork(functools.partial(pass_on, group))
        m.expect_equal((user, group), (m.stat(path).uid, m.stat(path).gid), "owner and group afterwards")


@mount_check(
    "posix.setattr.chown-nothing", op="SETATTR", source="catalogue 3.4.8; POSIX chown", needs=("write",), quick=True,
    killers=("SETATTR:errno=EPERM", "SETATTR:errno=ENOSYS"),
)
def chown_nothing(m: Mount) -> None:
    """chown to -1, -1 succeeds and leaves owner, group, mode and size; whether ctime moves is open."""
    path = m.file("kept", mode=0o640)
    before = m.stat(path)
    os.chown(path, -1, -1)
    after = m.stat(path)
    kept = (before.uid, before.gid, oct(before.mode), before.size)
    m.expect_equal(kept, (after.uid, after.gid, oct(after.mode), after.size), "owner, group, mode and size")


@mount_check(
    "posix.setattr.chown-same", op="SETATTR", source="catalogue 3.4.6; POSIX chown", needs=("write",),
    killers=("SETATTR:errno=EPERM", "GETATTR:attr.uid=+1,path=*mine,nth=4"),
)
def chown_same(m: Mount) -> None:
    """chown to the owner and group that a file has already succeeds: cp -a and tar do it to every file."""
    path = m.file("mine")
    before = m.stat(path)
    os.chown(path, before.uid, before.gid)
    fd = m.open(path)
    os.fchown(fd, before.uid, before.gid)
    for turn in range(3):
        after = m.stat(path)
        m.expect_equal((before.uid, before.gid), (after.uid, after.gid), f"owner and group, asked {turn}")


@mount_check(
    "posix.setattr.chown-directory-bits", op="SETATTR", source="catalogue 3.4.7; man 2 chown", quick=True,
    needs=("write", "root"), killers=("SETATTR:errno=EPERM,path=*folder,nth=3", "GETATTR:attr.gid=0,path=*folder"),
)
def chown_directory_bits(m: Mount) -> None:
    """chown of a directory keeps its set-user-ID and set-group-ID bits, and takes."""
    path = m.subdir("folder")
    give(m, path)
    m.chmod(path, 0o6755)
    os.chown(path, 1234, OTHERS_GROUP)
    got = m.stat(path)
    m.expect_equal(0o6755, got.permissions, "the mode after chown", show=oct)
    m.expect_equal((1234, OTHERS_GROUP), (got.uid, got.gid), "owner and group")


@mount_check(
    "posix.setattr.chown-mandatory-bit", op="SETATTR", level=SHOULD, source="catalogue 3.4.7; man 2 chown",
    needs=("write", "root"), killers=("GETATTR:attr.mode=0o100644,path=*plain,nth=3", "SETATTR:errno=EIO,nth=2"),
)
def chown_mandatory_bit(m: Mount) -> None:
    """chown clears set-user-ID but keeps set-group-ID of a file that its group may not execute."""
    path = m.file("plain")
    m.chmod(path, 0o6644)
    os.chown(path, 1234, OTHERS_GROUP)
    for turn in range(2):
        m.expect_equal(0o2644, m.stat(path).permissions, f"the mode after chown, asked {turn}", show=oct)


@mount_check(
    "posix.setattr.fchown-unlinked", op="SETATTR", source="catalogue 3.4.5; POSIX fchown", also=("UNLINK",),
    needs=("write", "root"), killers=("SETATTR:errno=ENOENT,nth=2", "SETATTR:fake,nth=2"),
)
def fchown_unlinked(m: Mount) -> None:
    """fchown works on an open file that was unlinked."""
    path = m.file("gone")
    give(m, path)
    fd = m.open(path, os.O_RDWR)
    with m.setup():
        os.unlink(path)
    os.fchown(fd, 1234, OTHERS_GROUP)
    got = m.stat(fd)
    m.expect_equal((1234, OTHERS_GROUP), (got.uid, got.gid), "owner and group")


@mount_check(
    "posix.setattr.chown-directory-tree", op="SETATTR", source="catalogue 3.4.5; POSIX chown",
    needs=("write", "root"), killers=("SETATTR:fake,path=*top,nth=2", "SETATTR:fake,path=*inside"), quick=True,
)
def chown_directory_tree(m: Mount) -> None:
    """chown of a directory changes it alone, and what is inside can be given to somebody else."""
    top = m.subdir("top")
    inside = m.file("top/inside")
    give(m, top)
    os.chown(top, 1234, OTHERS_GROUP)
    m.expect_equal(os.geteuid(), m.stat(inside).uid, "the owner of a file inside")
    os.chown(inside, 77, 78)
    m.expect_equal((1234, OTHERS_GROUP), (m.stat(top).uid, m.stat(top).gid), "owner and group of the directory")
    m.expect_equal((77, 78), (m.stat(inside).uid, m.stat(inside).gid), "owner and group of the file")


@mount_check(
    "posix.setattr.chmod-foreign-setgid", op="SETATTR", source="catalogue 3.4.3; man 2 chmod",
    needs=("write", "root", "allow_other"),
    killers=("SETATTR:errno=EPERM,path=*mine,nth=3", "GETATTR:attr.mode=0o102755,path=*mine,nth=9"),
)
def chmod_foreign_setgid(m: Mount) -> None:
    """chmod with set-group-ID by an owner outside the file's group succeeds, and the bit is silently dropped."""
    path = m.file("mine", mode=0o755)
    user = m.ordinary(path)
    with m.setup():
        os.chown(path, -1, OTHERS_GROUP)
    m.fork(lambda: os.chmod(path, 0o2750), uid=user)
    for _ in range(8):
        m.expect_equal(0o750, m.stat(path).permissions, "the mode afterwards", show=oct)


@mount_check(
    "posix.setattr.large-owner", op="SETATTR", source="catalogue 3.4.5; man 2 chown", also=("GETATTR",), quick=True,
    needs=("write", "root"), killers=("SETATTR:fake", "GETATTR:attr.uid=4465,path=*given", "SETATTR:errno=EPERM"),
)
def large_owner(m: Mount) -> None:
    """Owners and groups have 32 bits: those of a directory service lie above 65535."""
    path = m.file("given")
    try:
        os.chown(path, 70001, 80002)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise Skip("such owners are not mapped in this user namespace") from None
        raise
    got = m.stat(path)
    m.expect_equal((70001, 80002), (got.uid, got.gid), "owner and group")
