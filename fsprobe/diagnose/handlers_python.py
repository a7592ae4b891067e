"""The handlers of the Python bindings: pyfuse3, llfuse, fusepy, mfusepy, fuse-python; and of the reference's own front.

Owns declarations and what the base class answers by itself. fusepy hides an absent method behind errors that look like
a decision (EROFS and the like); knows nothing of a daemon.
"""

from __future__ import annotations

from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.diagnose.rows import Rows, rows

_PYFUSE3 = {
    "LOOKUP": "lookup(self, parent_inode, name, ctx)",
    "FORGET": "forget(self, inode_list)",
    "GETATTR": "getattr(self, inode, ctx)",
    "SETATTR": "setattr(self, inode, attr, fields, fh, ctx)",
    "READLINK": "readlink(self, inode, ctx)",
    "SYMLINK": "symlink(self, parent_inode, name, target, ctx)",
    "MKNOD": "mknod(self, parent_inode, name, mode, rdev, ctx)",
    "MKDIR": "mkdir(self, parent_inode, name, mode, ctx)",
    "UNLINK": "unlink(self, parent_inode, name, ctx)",
    "RMDIR": "rmdir(self, parent_inode, name, ctx)",
    "RENAME": "rename(self, parent_inode_old, name_old, parent_inode_new, name_new, flags, ctx)",
    "RENAME2": "rename(self, parent_inode_old, name_old, parent_inode_new, name_new, flags, ctx)",
    "LINK": "link(self, inode, new_parent_inode, new_name, ctx)",
    "OPEN": "open(self, inode, flags, ctx)",
    "READ": "read(self, fh, off, size)",
    "WRITE": "write(self, fh, off, buf)",
    "STATFS": "statfs(self, ctx)",
    "RELEASE": "release(self, fh)",
    "FSYNC": "fsync(self, fh, datasync)",
    "SETXATTR": "setxattr(self, inode, name, value, ctx)",
    "GETXATTR": "getxattr(self, inode, name, ctx)",
    "LISTXATTR": "listxattr(self, inode, ctx)",
    "REMOVEXATTR": "removexattr(self, inode, name, ctx)",
    "FLUSH": "flush(self, fh)",
    "OPENDIR": "opendir(self, inode, ctx)",
    "READDIR": "readdir(self, fh, start_id, token)",
    "READDIRPLUS": "readdir(self, fh, start_id, token)",
    "RELEASEDIR": "releasedir(self, fh)",
    "FSYNCDIR": "fsyncdir(self, fh, datasync)",
    "ACCESS": "access(self, inode, mode, ctx)",
    "CREATE": "create(self, parent_inode, name, mode, flags, ctx)",
    "POLL": "poll(self, inode, fh, poll_handle, ctx)",
    "BATCH_FORGET": "forget(self, inode_list)",
}

# pyfuse3 is llfuse made asynchronous; what differs:
_LLFUSE = {
    **{op: text for op, text in _PYFUSE3.items() if op not in ("RENAME2", "READDIRPLUS", "POLL")},
    "RENAME": "rename(self, parent_inode_old, name_old, parent_inode_new, name_new, ctx)",
    "READDIR": "readdir(self, fh, off)",
    "INIT": "init(self)",
    "DESTROY": "destroy(self)",
}

# The last argument is given where `open`, `create` or `opendir` returned an object.
_FUSE_PYTHON = {
    "LOOKUP": "getattr(self, path)",
    "GETATTR": """getattr(self, path)
        fgetattr(self, path, fh=None)""",
    "SETATTR": """chmod(self, path, mode)
        chown(self, path, uid, gid)
        truncate(self, path, length)
        ftruncate(self, path, length, fh=None)
        utimens(self, path, ts_acc, ts_mod)
        utime(self, path, times)""",
    "READLINK": "readlink(self, path)",
    "SYMLINK": "symlink(self, target, path)",
    "MKNOD": "mknod(self, path, mode, dev)",
    "MKDIR": "mkdir(self, path, mode)",
    "UNLINK": "unlink(self, path)",
    "RMDIR": "rmdir(self, path)",
    "RENAME": "rename(self, path, newpath)",
    "LINK": "link(self, path, newpath)",
    "OPEN": "open(self, path, flags)",
    "READ": "read(self, path, size, offset, fh=None)",
    "WRITE": "write(self, path, buf, offset, fh=None)",
    "STATFS": "statfs(self)",
    "RELEASE": "release(self, path, flags, fh=None)",
    "FSYNC": "fsync(self, path, datasync, fh=None)",
    "SETXATTR": "setxattr(self, path, name, value, flags)",
    "GETXATTR": "getxattr(self, path, name, size)",
    "LISTXATTR": "listxattr(self, path, size)",
    "REMOVEXATTR": "removexattr(self, path, name)",
    "FLUSH": "flush(self, path, fh=None)",
    "INIT": "fsinit(self)",
    "OPENDIR": "opendir(self, path)",
    "READDIR": "readdir(self, path, offset, dh=None)",
    "RELEASEDIR": "releasedir(self, path, dh=None)",
    "FSYNCDIR": "fsyncdir(self, path, datasync, dh=None)",
    "GETLK": "lock(self, path, cmd, owner, fh=None, **flock)",
    "SETLK": "lock(self, path, cmd, owner, fh=None, **flock)",
    "SETLKW": "lock(self, path, cmd, owner, fh=None, **flock)",
    "ACCESS": "access(self, path, mode)",
    "CREATE": "create(self, path, flags, mode)",
    "BMAP": "bmap(self, path, blocksize, idx)",
    "DESTROY": "fsdestroy(self)",
    "IOCTL": "ioctl(self, path, cmd, data, flags, fh=None)",
    "POLL": "poll(self, path, poll_handle, fh=None)",
}

_FUSEPY = {
    "LOOKUP": "getattr(self, path, fh=None)",
    "GETATTR": "getattr(self, path, fh=None)",
    "SETATTR": """chmod(self, path, mode)
        chown(self, path, uid, gid)
        truncate(self, path, length, fh=None)
        utimens(self, path, times=None)""",
    "READLINK": "readlink(self, path)",
    "SYMLINK": "symlink(self, target, source)",
    "MKNOD": "mknod(self, path, mode, dev)",
    "MKDIR": "mkdir(self, path, mode)",
    "UNLINK": "unlink(self, path)",
    "RMDIR": "rmdir(self, path)",
    "RENAME": "rename(self, old, new)",
    "LINK": "link(self, target, source)",
    "OPEN": "open(self, path, flags)",
    "READ": "read(self, path, size, offset, fh)",
    "WRITE": "write(self, path, data, offset, fh)",
    "STATFS": "statfs(self, path)",
    "RELEASE": "release(self, path, fh)",
    "FSYNC": "fsync(self, path, datasync, fh)",
    "SETXATTR": "setxattr(self, path, name, value, options, position=0)",
    "GETXATTR": "getxattr(self, path, name, position=0)",
    "LISTXATTR": "listxattr(self, path)",
    "REMOVEXATTR": "removexattr(self, path, name)",
    "FLUSH": "flush(self, path, fh)",
    "INIT": "init(self, path)",
    "OPENDIR": "opendir(self, path)",
    "READDIR": "readdir(self, path, fh)",
    "RELEASEDIR": "releasedir(self, path, fh)",
    "FSYNCDIR": "fsyncdir(self, path, datasync, fh)",
    "GETLK": "lock(self, path, fh, cmd, lock)",
    "SETLK": "lock(self, path, fh, cmd, lock)",
    "SETLKW": "lock(self, path, fh, cmd, lock)",
    "ACCESS": "access(self, path, amode)",
    "CREATE": "create(self, path, mode, fi=None)",
    "BMAP": "bmap(self, path, blocksize, idx)",
    "DESTROY": "destroy(self, path)",
    "IOCTL": "ioctl(self, path, cmd, arg, fip, flags, data)",
}

_MFUSEPY = {
    **_FUSEPY,
    "READ": """read(self, path, size, offset, fh)
        read_buf(self, path, bufpp, size, offset, fh)""",
    "WRITE": """write(self, path, data, offset, fh)
        write_buf(self, path, buf, offset, fh)""",
    "INIT": """init(self, path)
        init_with_config(self, conn_info, config_3)""",
    "READDIR": """readdir(self, path, fh)
        readdir_with_offset(self, path, offset, fh)""",
    # with libfuse 3
    "READDIRPLUS": """readdir(self, path, fh)
        readdir_with_offset(self, path, offset, fh)""",
    "GETLK": "lock(self, path, fh, cmd, lock)",
    "SETLK": """lock(self, path, fh, cmd, lock)
        flock(self, path, fh, op)""",
    "SETLKW": """lock(self, path, fh, cmd, lock)
        flock(self, path, fh, op)""",
    "IOCTL": "ioctl(self, path, cmd, arg, fh, flags, data)",
    "POLL": "poll(self, path, fh, ph, reventsp)",
    "FALLOCATE": "fallocate(self, path, mode, offset, size, fh)",
}

_EROFS = ("EROFS",)
_OK = ("ok",)

# The defaults of class Operations (fuse.py 3.0.1). utimens, part of SETATTR, answers success.
FUSEPY_MISSING = {
    "SETATTR": ("EROFS", "ok"), "SYMLINK": _EROFS, "MKNOD": _EROFS, "MKDIR": _EROFS, "UNLINK": _EROFS, "RMDIR": _EROFS,
    "RENAME": _EROFS, "LINK": _EROFS, "CREATE": _EROFS, "WRITE": _EROFS,
    "READLINK": ("ENOENT",), "READ": ("EIO",), "LOOKUP": ("ENOENT",), "GETATTR": ("ENOENT",), "IOCTL": ("ENOTTY", "ok"),
    "SETXATTR": ("EOPNOTSUPP",), "GETXATTR": ("EOPNOTSUPP",), "REMOVEXATTR": ("EOPNOTSUPP",),
    "LISTXATTR": _OK, "OPEN": _OK, "STATFS": _OK, "RELEASE": _OK, "FSYNC": _OK, "FLUSH": _OK, "OPENDIR": _OK,
    "READDIR": _OK, "RELEASEDIR": _OK, "FSYNCDIR": _OK, "ACCESS": _OK,
}
# mfusepy gives libfuse only what a subclass defines, and getattr.
MFUSEPY_MISSING = {
    "LOOKUP": ("ENOENT",), "GETATTR": ("ENOENT",),
    **dict.fromkeys(("OPEN", "RELEASE", "OPENDIR", "RELEASEDIR", "STATFS"), _OK), "IOCTL": ("ENOSYS", "ok"),
}  # fmt: skip


def _method(word: str) -> str:
    return word


def _operations(word: str) -> str:
    return "Operations." + word


def _def(line: str) -> str:
    return "def " + line


def _async_def(line: str) -> str:
    return ("def " if line == "init(self)" else "async def ") + line


PYFUSE3: Rows = rows({**_PYFUSE3, "INIT": "init(self)"}, _operations, _async_def)
LLFUSE: Rows = rows(_LLFUSE, _operations, _def)
FUSE_PYTHON: Rows = rows(_FUSE_PYTHON, _method, _def)
FUSEPY: Rows = rows(_FUSEPY, _method, _def)
MFUSEPY: Rows = rows(_MFUSEPY, _method, _def)

# Its methods are named as the operations of the protocol (reference_fs/raw_operations.py): Front looks them up by name.
REFERENCE_RAW: Rows = rows(
    {op: f"{op}(self, request)" for op in OPERATIONS if op not in ("INIT", "CUSE_INIT", "NOTIFY_REPLY")},
    _operations, _def,
)  # fmt: skip
