"""SETXATTR, GETXATTR: what a value may be, whom it belongs to, and what becomes of it."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import OPTIONAL, SHOULD, Finding, linux, mount_check
from fsprobe.checks.mount import Mount

NEEDS = ("write", "xattr")
NAME = "user.fsprobe"
# A file system may hold less than Linux allows (ext4: one block for all attributes of a file).
TOO_MUCH = (errno.ENOSPC, errno.E2BIG, errno.ERANGE, errno.EDQUOT, errno.EFBIG)


@mount_check(
    "posix.setxattr.page-sized", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.5; man 7 xattr", needs=NEEDS,
    also=("GETXATTR",), killers=("SETXATTR:fake", "GETXATTR:flip", "GETXATTR:short"),
)
def page_sized(m: Mount) -> None:
    """A value of 3,500 bytes, as ACLs and checksums may take, is read back unchanged."""
    path, value = m.file("file"), m.rng.randbytes(3_500)
    with m.optional(*TOO_MUCH, what="a value of 3,500 bytes"):
        os.setxattr(path, NAME, value)
    m.expect_equal(value, os.getxattr(path, NAME), "the value")


@mount_check(
    "posix.setxattr.largest", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.5; man 2 setxattr", needs=NEEDS,
    also=("GETXATTR",), killers=("SETXATTR:errno=EIO,nth=2", "GETXATTR:flip", "SETXATTR:crash,nth=2"),
)
def largest(m: Mount) -> None:
    """A value of 65,536 bytes is stored whole or refused for its size, and then the old value stays."""
    path, value = m.file("file"), m.rng.randbytes(65_536)
    os.setxattr(path, NAME, b"old value")
    try:
        os.setxattr(path, NAME, value)
    except OSError as error:
        if error.errno not in TOO_MUCH:
            raise
        m.info(f"a value of 65,536 bytes: {linux.errno_name(error.errno)}")
        value = b"old value"
    m.expect_equal(value, os.getxattr(path, NAME), "the value")
    with m.raises(errno.E2BIG, what="a value of 65,537 bytes", warn=TOO_MUCH):
        os.setxattr(path, NAME, bytes(65_537))
    m.expect_equal(value, os.getxattr(path, NAME), "the value after one that is too large")


@mount_check(
    "posix.setxattr.shorter", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.1; man 2 setxattr", needs=NEEDS,
    also=("GETXATTR",), killers=("SETXATTR:fake,nth=2", "GETXATTR:flip", "GETXATTR:errno=EIO"),
)
def shorter(m: Mount) -> None:
    """A shorter value replaces a longer one as a whole, and an empty one a short one."""
    path = m.file("file")
    for value in (b"long" * 100, b"short", b"", b"longer" * 20):
        os.setxattr(path, NAME, value)
        m.expect_equal(value, os.getxattr(path, NAME), "the value")
        m.expect_equal(len(value), linux.getxattr(path, NAME, 0)[0], "the length that is told")


@mount_check(
    "posix.getxattr.exact-buffer", op="GETXATTR", level=OPTIONAL, source="catalogue 3.19.3; man 2 getxattr",
    needs=NEEDS, also=("LISTXATTR",), killers=("GETXATTR:flip", "GETXATTR:errno=ERANGE", "LISTXATTR:short"),
)
def exact_buffer(m: Mount) -> None:
    """A buffer that is just long enough is filled, and one byte less is ERANGE: for values and for lists."""
    path = m.file("file")
    os.setxattr(path, NAME, b"0123456789")
    m.expect_equal((10, b"0123456789"), linux.getxattr(path, NAME, 10), "length and value into 10 bytes")
    m.expect_equal((10, b"0123456789"), linux.getxattr(path, NAME, 4000), "length and value into 4,000 bytes")
    with m.raises(errno.ERANGE, what="getxattr into 9 bytes"):
        linux.getxattr(path, NAME, 9)
    length = linux.listxattr(path, 0)[0]
    names = linux.listxattr(path, length)[1]
    m.expect(NAME.encode() in names.split(b"\0"), f"{NAME} in a list of {length} bytes", repr(names))
    with m.raises(errno.ERANGE, what=f"listxattr into {length - 1} bytes"):
        linux.listxattr(path, length - 1)


@mount_check(
    "posix.setxattr.descriptor", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.1; man 2 fsetxattr",
    needs=NEEDS, also=("GETXATTR", "REMOVEXATTR"),
    killers=("SETXATTR:fake", "GETXATTR:errno=ENODATA", "LISTXATTR:short", "REMOVEXATTR:fake"),
)
def descriptor(m: Mount) -> None:
    """By a descriptor attributes are set, read, listed and removed as by the path."""
    path = m.file("file")
    fd = m.open(path, os.O_RDWR)
    os.setxattr(fd, NAME, b"by descriptor")
    m.expect_equal(b"by descriptor", os.getxattr(path, NAME), "the value by the path")
    m.expect_equal([NAME], [name for name in os.listxattr(fd) if name.startswith("user.")], "the list by descriptor")
    os.setxattr(path, NAME, b"by path")
    m.expect_equal(b"by path", os.getxattr(fd, NAME), "the value by the descriptor")
    os.removexattr(fd, NAME)
    with m.raises(errno.ENODATA, what="getxattr by the path of what was removed by descriptor"):
        os.getxattr(path, NAME)


@mount_check(
    "posix.setxattr.unlinked-open", op="SETXATTR", level=SHOULD, source="catalogue 3.19.1, 3.8.2; man 2 fsetxattr",
    needs=NEEDS, also=("GETXATTR", "UNLINK"), killers=("SETXATTR:fake,nth=2", "GETXATTR:errno=ENODATA"),
)
def unlinked_open(m: Mount) -> None:
    """An open file that has no name any more keeps its attributes and takes new ones."""
    path = m.file("file")
    fd = m.open(path, os.O_RDWR)
    with m.setup():
        os.setxattr(path, NAME, b"before")
        os.unlink(path)
    m.expect_equal(b"before", os.getxattr(fd, NAME), "the value set before unlink")
    os.setxattr(fd, "user.later", b"after")
    m.expect_equal(b"after", os.getxattr(fd, "user.later"), "the value set after unlink")


@mount_check(
    "posix.setxattr.both-names", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.8; man 7 xattr",
    needs=(*NEEDS, "hardlink"), also=("GETXATTR", "LINK"), killers=("SETXATTR:fake", "GETXATTR:errno=ENODATA"),
)
def both_names(m: Mount) -> None:
    """Attributes are of the file and not of its name: set by one of two names, read by the other, kept without it."""
    one = m.file("one")
    two = m.hard_link(one, "two")
    os.setxattr(one, NAME, b"shared")
    m.expect_equal(b"shared", os.getxattr(two, NAME), "the value by the other name")
    os.unlink(one)
    m.expect_equal(b"shared", os.getxattr(two, NAME), "the value after the first name was removed")


@mount_check(
    "posix.setxattr.replaced-file", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.8", needs=NEEDS,
    also=("RENAME", "LISTXATTR"), killers=("RENAME:fake", "SETXATTR:fake", "LISTXATTR:errno=EIO"),
)
def replaced_file(m: Mount) -> None:
    """After rename over a file with attributes of its own, the name has those of the file that came."""
    new, old = m.file("new"), m.file("old")
    os.setxattr(new, "user.new", b"new")
    os.setxattr(old, "user.old", b"old")
    os.setxattr(old, "user.new", b"old")
    os.rename(new, old)
    m.expect_equal(b"new", os.getxattr(old, "user.new"), "the value after rename")
    mine = [name for name in os.listxattr(old) if name.startswith("user.")]
    m.expect_equal(["user.new"], mine, "the user attributes after rename")


@mount_check(
    "posix.setxattr.name-used-again", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.8", needs=NEEDS,
    also=("UNLINK", "RMDIR"), killers=("UNLINK:fake", "SETXATTR:fake", "RMDIR:fake"),
)
def name_used_again(m: Mount) -> None:
    """A file, and a directory, made anew under a name has none of the attributes of what was removed there."""
    for make, remove in ((m.file, os.unlink), (m.subdir, os.rmdir)):
        path = make("again")
        os.setxattr(path, NAME, b"old")
        m.expect_equal(b"old", os.getxattr(path, NAME), "the value")
        remove(path)
        try:
            make("again")
        except Exception as error:
            raise Finding("the name to be free after its removal", str(error)) from error
        with m.raises(errno.ENODATA, what="getxattr of what was made anew"):
            os.getxattr(path, NAME)
        remove(path)


@mount_check(
    "posix.setxattr.through-symlink", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.6; man 2 lsetxattr",
    needs=(*NEEDS, "symlink"), also=("GETXATTR", "READLINK"), killers=("SETXATTR:fake", "READLINK:errno=EIO"),
)
def through_symlink(m: Mount) -> None:
    """setxattr of a symbolic link sets the attribute of its target; the link itself can have no user attribute."""
    path = m.file("target")
    link = m.link_to(os.path.basename(path), "link")
    os.setxattr(link, NAME, b"value")
    m.expect_equal(b"value", os.getxattr(path, NAME), "the value at the target")
    with m.raises(errno.EPERM, what="lsetxattr of a user attribute", warn=(errno.EOPNOTSUPP,)):
        os.setxattr(link, NAME, b"value", follow_symlinks=False)


@mount_check(
    "posix.setxattr.keeps-content", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.1", needs=NEEDS,
    also=("REMOVEXATTR", "GETATTR"), killers=("READ:flip", "GETATTR:attr.size=+1", "REMOVEXATTR:errno=EIO"),
)
def keeps_content(m: Mount) -> None:
    """Setting and removing attributes leaves content, size, mode and mtime alone."""
    path = m.file("aged", b"content")
    m.age(path)
    mode = m.stat(path).mode
    os.setxattr(path, NAME, b"value")
    os.removexattr(path, NAME)
    got = m.stat(path)
    m.expect_equal((7, mode), (got.size, got.mode), "size and mode")
    m.expect_same_mtime(path, "setxattr and removexattr")
    m.expect_equal(b"content", m.read(path), "the content")


@mount_check(
    "posix.getxattr.other-user", op="GETXATTR", level=OPTIONAL, source="catalogue 3.19.10; man 7 xattr",
    needs=(*NEEDS, "root", "allow_other"), also=("SETXATTR",), killers=("GETATTR:attr.uid=65534,path=*private",),
)
def other_user(m: Mount) -> None:
    """A user who may not read a file may not read its user attributes, and who may not write it may not set any."""
    path = m.file("private")
    os.setxattr(path, NAME, b"secret")
    m.chmod(path, 0o600)
    with m.raises(errno.EACCES, what="getxattr of another user's private file", warn=(errno.EPERM,)):
        m.fork(lambda: os.getxattr(path, NAME), uid=65534)
    m.chmod(path, 0o644)
    m.expect_equal(b"secret", m.fork(lambda: os.getxattr(path, NAME), uid=65534), "the value of a readable file")
    with m.raises(errno.EACCES, what="setxattr of a file that may only be read", warn=(errno.EPERM,)):
        m.fork(lambda: os.setxattr(path, NAME, b"changed"), uid=65534)
    m.expect_equal(b"secret", os.getxattr(path, NAME), "the value")


@mount_check(
    "posix.setxattr.trusted", op="SETXATTR", level=OPTIONAL, source="catalogue 3.19.7; man 7 xattr",
    needs=(*NEEDS, "root", "allow_other"), also=("GETXATTR",), killers=("SETXATTR:errno=EIO", "GETXATTR:flip"),
)
def trusted(m: Mount) -> None:
    """An attribute in trusted. is kept for root, and another user can neither read nor set it."""
    path = m.file("file", mode=0o666)
    m.chmod(path, 0o666)
    with m.optional(errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, what="a trusted. attribute"):
        os.setxattr(path, "trusted.fsprobe", b"value")
    m.expect_equal(b"value", os.getxattr(path, "trusted.fsprobe"), "the value for root")
    with m.raises(errno.ENODATA, errno.EPERM, what="getxattr of trusted. by another user"):
        m.fork(lambda: os.getxattr(path, "trusted.fsprobe"), uid=65534)
    with m.raises(errno.EPERM, what="setxattr of trusted. by another user"):
        m.fork(lambda: os.setxattr(path, "trusted.fsprobe", b"changed"), uid=65534)


@mount_check(
    "posix.getxattr.asked-of-every-file", op="GETXATTR", source="catalogue 3.19.11; man 7 xattr, man 7 capabilities",
    also=("LISTXATTR",), needs=("regular-file",), killers=("GETXATTR:errno=EIO", "GETXATTR:errno=EPERM"),
)
def asked_of_every_file(m: Mount) -> None:
    """What exec, ls -l and cp ask of every file (capabilities, ACL, SELinux label) is no attribute, not supported, or
    a value: any other error fails exec, or is printed for each file."""
    path = m.existing_file()
    for name in ("security.capability", "system.posix_acl_access", "security.selinux"):
        try:
            os.getxattr(path, name)
        except OSError as error:
            told = linux.errno_name(error.errno or 0)
            m.expect(error.errno in (errno.ENODATA, errno.EOPNOTSUPP), f"ENODATA or EOPNOTSUPP for {name}", told,
                     warn=name != "security.capability")  # fmt: skip
