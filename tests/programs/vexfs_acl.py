"""VexFS with POSIX ACLs, as a daemon does them that asks for FUSE_POSIX_ACL: `vexfs_acl.py MOUNTPOINT`.

The kernel checks the permissions by what it reads of the ACL; the daemon keeps ACL and mode in step, and hands a
directory's default ACL down. acl(5).
"""

from __future__ import annotations

import dataclasses
import errno
import os
import struct
import sys
from typing import Any

from fsprobe.wire import DataOut, GetxattrOut, InitFlag, Request, SetattrValid
from reference_fs import raw_front
from reference_fs.model import Store
from reference_fs.model_inode import fail
from reference_fs.options import Options
from reference_fs.profiles import HEALTHY
from reference_fs.raw_device import open_mounted
from reference_fs.raw_operations import Operations
from reference_fs.raw_replies import Timeouts
from reference_fs.raw_requests import sized

ACCESS, DEFAULT = b"system.posix_acl_access", b"system.posix_acl_default"
OWNER, GROUP, MASK, OTHER = 1, 4, 16, 32

Acl = list[tuple[int, int, int]]


def unpacked(value: bytes) -> Acl:
    return list(struct.iter_unpack("<HHI", value[4:]))


def packed(acl: Acl) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in acl)


def group_class(acl: Acl) -> int:
    """The tag of the entry that the mode shows of the group."""
    return MASK if any(tag == MASK for tag, _, _ in acl) else GROUP


def mode_of(acl: Acl) -> int:
    bits = {tag: permissions for tag, permissions, _ in acl}
    return bits[OWNER] << 6 | bits[group_class(acl)] << 3 | bits[OTHER]


def limited(acl: Acl, mode: int, *, replaced: bool) -> Acl:
    """With the permissions of a mode, which replaces what the mode shows or takes away from it."""
    shown = {OWNER: mode >> 6 & 7, group_class(acl): mode >> 3 & 7, OTHER: mode & 7}
    return [(tag, shown.get(tag, 7) & (7 if replaced and tag in shown else bits), who) for tag, bits, who in acl]


class WithAcls(Operations):
    """Modes and ACLs in step."""

    def SETXATTR(self, request: Request) -> None:
        name, inode = request.body.name, self.node(request.header.nodeid)
        if name not in (ACCESS, DEFAULT):
            return super().SETXATTR(request)
        if name == DEFAULT and not inode.is_dir:
            raise fail(errno.EACCES)
        acl = unpacked(request.body.value)
        inode.xattrs[name] = packed(acl)
        if name == ACCESS:
            inode.mode = inode.mode & ~0o777 | mode_of(acl)
            if group_class(acl) == GROUP:
                del inode.xattrs[name]
        self.store.touch(inode)
        return None

    def GETXATTR(self, request: Request) -> DataOut | GetxattrOut:
        if request.body.name not in (ACCESS, DEFAULT):
            return super().GETXATTR(request)
        value = self.node(request.header.nodeid).xattrs.get(request.body.name)
        if value is None:
            raise fail(errno.ENODATA)
        return sized(value, request.body.size)

    def REMOVEXATTR(self, request: Request) -> None:
        if request.body.name not in (ACCESS, DEFAULT):
            return super().REMOVEXATTR(request)
        if self.node(request.header.nodeid).xattrs.pop(request.body.name, None) is None:
            raise fail(errno.ENODATA)
        return None

    def SETATTR(self, request: Request) -> Any:
        reply = super().SETATTR(request)
        inode = self.node(request.header.nodeid)
        if request.body.valid & SetattrValid.MODE and ACCESS in inode.xattrs:
            inode.xattrs[ACCESS] = packed(limited(unpacked(inode.xattrs[ACCESS]), inode.mode, replaced=True))
        return reply

    def MKNOD(self, request: Request) -> bytes:
        return self._made(request, super().MKNOD)

    def MKDIR(self, request: Request) -> bytes:
        return self._made(request, super().MKDIR)

    def CREATE(self, request: Request) -> bytes:
        return self._made(request, super().CREATE)

    def _made(self, request: Request, make: Any) -> bytes:
        """The kernel leaves the umask to us: a default ACL takes its place."""
        parent, mode = self.node(request.header.nodeid), request.body.mode
        handed_down = parent.xattrs.get(DEFAULT)
        acl = limited(unpacked(handed_down), mode, replaced=False) if handed_down else []
        mode = mode & ~0o777 | mode_of(acl) if acl else mode & ~request.body.umask
        reply: bytes = make(dataclasses.replace(request, body=dataclasses.replace(request.body, mode=mode)))
        new = parent.entries.get(request.body.name) if parent.entries is not None else None
        if acl and new is not None:
            if group_class(acl) == MASK:
                new.xattrs[ACCESS] = packed(acl)
            if new.is_dir and handed_down:
                new.xattrs[DEFAULT] = handed_down
        return reply


def main() -> None:
    raw_front.WANTED.update({InitFlag.POSIX_ACL: "SETXATTR", InitFlag.DONT_MASK: "CREATE"})
    store = Store(enforce=False, uid=os.geteuid(), gid=os.getegid())
    options = Options(default_permissions=True, allow_other=os.geteuid() == 0)
    device = open_mounted(sys.argv[1], options)
    raw_front.serve(device, WithAcls(store, Timeouts.of(0, 0, 0), HEALTHY), HEALTHY)


main()
