"""SYMLINK and READLINK: symbolic links."""

from __future__ import annotations

import errno
import os

from fsprobe.checks import Finding, linux, mount_check
from fsprobe.checks.mount import Mount

DECLINED = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
TARGETS = (b"plain", b"/absolute/path", b"../up", b"does/not/exist", b"x", b"t" * 100)
ODD_TARGET = b"\xff\xfe not utf-8"


@mount_check(
    "posix.symlink.creates", op="SYMLINK", source="catalogue 3.5.3; POSIX symlink", main=True, quick=True,
    also=("READLINK",), needs=("write",), killers=("SYMLINK:errno=EIO", "SYMLINK:attr.mode=0o100644"),
)
def creates(m: Mount) -> None:
    """symlink makes a link of the right type that gives its target back."""
    path = m.path("link")
    with m.optional(*DECLINED, what="symlink"):
        os.symlink("the target", path)
    m.expect_equal("symbolic link", linux.type_name(os.lstat(path).st_mode), "the type")
    m.expect_equal("the target", os.readlink(path), "the target")


@mount_check(
    "posix.readlink.exact", op="READLINK", source="catalogue 3.5.1; POSIX readlink", main=True, quick=True,
    also=("SYMLINK",), needs=("write", "symlink"),
    killers=("READLINK:errno=EIO", "READLINK:errno=ENOSYS", "READLINK:flip", "READLINK:short"),
)
def exact(m: Mount) -> None:
    """readlink gives back exactly the bytes given: relative, absolute, dangling, not UTF-8."""
    for number, target in enumerate(TARGETS):
        path = m.link_to(target, f"link{number}")
        m.expect_equal(target, os.readlink(os.fsencode(path)), "the target")
    path = m.path("odd")
    try:
        os.symlink(os.fsdecode(ODD_TARGET), path)
    except OSError as error:  # fusepy decodes every name, and answers EINVAL where it cannot
        if error.errno not in (errno.EINVAL, errno.EILSEQ):
            raise
        told = "a link whose target is not UTF-8"
        raise Finding(told, linux.errno_name(error.errno or 0), warn=True) from error
    m.expect_equal(ODD_TARGET, os.readlink(os.fsencode(path)), "the target")


@mount_check(
    "posix.readlink.longest", op="READLINK", source="catalogue 3.5.1; k:fuse_readlink_page", also=("SYMLINK",),
    needs=("write", "symlink"), killers=("READLINK:short", "SYMLINK:errno=EIO,path=*longest"),
)
def longest(m: Mount) -> None:
    """A target of 4095 bytes, the longest that Linux takes, comes back whole."""
    target, path = b"t" * 4095, m.path("longest")
    try:
        os.symlink(os.fsdecode(target), path)
    except OSError as error:
        refused = linux.errno_name(error.errno or 0)
        warn = error.errno == errno.ENAMETOOLONG
        raise Finding("a link with a target of 4095 bytes", refused, warn=warn) from error
    m.expect_equal(target, os.readlink(os.fsencode(path)), "the target")


@mount_check(
    "posix.readlink.retargeted", op="READLINK", source="catalogue 3.5.4", also=("SYMLINK", "UNLINK"),
    needs=("write", "symlink"), killers=("READLINK:flip", "UNLINK:fake"),
)
def retargeted(m: Mount) -> None:
    """A link that was removed and made again leads to the new target at once."""
    path = m.link_to("old", "link")
    m.expect_equal("old", os.readlink(path), "the target")
    os.unlink(path)
    os.symlink("new", path)
    m.expect_equal("new", os.readlink(path), "the target of the new link")


@mount_check(
    "posix.symlink.removal", op="UNLINK", source="catalogue 3.5.3; POSIX unlink", also=("SYMLINK",),
    needs=("write", "symlink"), killers=("UNLINK:fake", "UNLINK:errno=EIO,path=*link"),
)
def removal(m: Mount) -> None:
    """unlink of a symbolic link removes the link and not what it points to."""
    path = m.file("target", b"kept")
    link = m.link_to(os.path.basename(path), "link")
    os.unlink(link)
    m.expect(not os.path.lexists(link), "no link", "it is still there")
    m.expect_equal(b"kept", m.read(path), "the target's content")


@mount_check(
    "posix.symlink.owner", op="SYMLINK", source="catalogue 3.5.5", needs=("write", "root", "allow_other", "symlink"),
    killers=("GETATTR:attr.uid=0,path=*theirs",),
)
def owner(m: Mount) -> None:
    """A symbolic link belongs to the user who made it."""
    with m.setup():
        os.chmod(m.dir, 0o777)
    path = m.path("theirs")
    m.fork(lambda: os.symlink("target", path), uid=65534)
    m.expect_equal(65534, m.stat(path, follow=False).uid, "the owner")
