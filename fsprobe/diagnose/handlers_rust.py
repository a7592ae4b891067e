"""The handlers of the Rust crates `fuser` and `fuse`: methods of their trait `Filesystem`.

Owns declarations (fuser 0.15 and 0.17, fuse 0.3.1) and what a default method answers when that is not ENOSYS; knows
nothing of a daemon.
"""

from __future__ import annotations

import re

from fsprobe.diagnose.rows import Rows, rows

_FUSER = {
    "LOOKUP": "lookup(parent: u64, name: &OsStr, reply: ReplyEntry)",
    "FORGET": "forget(ino: u64, nlookup: u64)",
    "GETATTR": "getattr(ino: u64, fh: Option<u64>, reply: ReplyAttr)",
    "SETATTR": "setattr(ino: u64, mode: Option<u32>, uid: Option<u32>, gid: Option<u32>, size: Option<u64>, "
    "atime: Option<TimeOrNow>, mtime: Option<TimeOrNow>, ctime: Option<SystemTime>, fh: Option<u64>, "
    "crtime: Option<SystemTime>, chgtime: Option<SystemTime>, bkuptime: Option<SystemTime>, flags: Option<u32>, "
    "reply: ReplyAttr)",
    "READLINK": "readlink(ino: u64, reply: ReplyData)",
    "SYMLINK": "symlink(parent: u64, link_name: &OsStr, target: &Path, reply: ReplyEntry)",
    "MKNOD": "mknod(parent: u64, name: &OsStr, mode: u32, umask: u32, rdev: u32, reply: ReplyEntry)",
    "MKDIR": "mkdir(parent: u64, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry)",
    "UNLINK": "unlink(parent: u64, name: &OsStr, reply: ReplyEmpty)",
    "RMDIR": "rmdir(parent: u64, name: &OsStr, reply: ReplyEmpty)",
    "RENAME": "rename(parent: u64, name: &OsStr, newparent: u64, newname: &OsStr, flags: u32, reply: ReplyEmpty)",
    "RENAME2": "rename(parent: u64, name: &OsStr, newparent: u64, newname: &OsStr, flags: u32, reply: ReplyEmpty)",
    "LINK": "link(ino: u64, newparent: u64, newname: &OsStr, reply: ReplyEntry)",
    "OPEN": "open(ino: u64, flags: i32, reply: ReplyOpen)",
    "READ": "read(ino: u64, fh: u64, offset: i64, size: u32, flags: i32, lock_owner: Option<u64>, reply: ReplyData)",
    "WRITE": "write(ino: u64, fh: u64, offset: i64, data: &[u8], write_flags: u32, flags: i32, "
    "lock_owner: Option<u64>, reply: ReplyWrite)",
    "STATFS": "statfs(ino: u64, reply: ReplyStatfs)",
    "RELEASE": "release(ino: u64, fh: u64, flags: i32, lock_owner: Option<u64>, flush: bool, reply: ReplyEmpty)",
    "FSYNC": "fsync(ino: u64, fh: u64, datasync: bool, reply: ReplyEmpty)",
    "SETXATTR": "setxattr(ino: u64, name: &OsStr, value: &[u8], flags: i32, position: u32, reply: ReplyEmpty)",
    "GETXATTR": "getxattr(ino: u64, name: &OsStr, size: u32, reply: ReplyXattr)",
    "LISTXATTR": "listxattr(ino: u64, size: u32, reply: ReplyXattr)",
    "REMOVEXATTR": "removexattr(ino: u64, name: &OsStr, reply: ReplyEmpty)",
    "FLUSH": "flush(ino: u64, fh: u64, lock_owner: u64, reply: ReplyEmpty)",
    "INIT": "init(config: &mut KernelConfig) -> Result<(), c_int>",
    "OPENDIR": "opendir(ino: u64, flags: i32, reply: ReplyOpen)",
    "READDIR": "readdir(ino: u64, fh: u64, offset: i64, reply: ReplyDirectory)",
    "READDIRPLUS": "readdirplus(ino: u64, fh: u64, offset: i64, reply: ReplyDirectoryPlus)",
    "RELEASEDIR": "releasedir(ino: u64, fh: u64, flags: i32, reply: ReplyEmpty)",
    "FSYNCDIR": "fsyncdir(ino: u64, fh: u64, datasync: bool, reply: ReplyEmpty)",
    "GETLK": "getlk(ino: u64, fh: u64, lock_owner: u64, start: u64, end: u64, typ: i32, pid: u32, reply: ReplyLock)",
    "SETLK": "setlk(ino: u64, fh: u64, lock_owner: u64, start: u64, end: u64, typ: i32, pid: u32, sleep: bool, "
    "reply: ReplyEmpty)",
    "SETLKW": "setlk(ino: u64, fh: u64, lock_owner: u64, start: u64, end: u64, typ: i32, pid: u32, sleep: bool, "
    "reply: ReplyEmpty)",
    "ACCESS": "access(ino: u64, mask: i32, reply: ReplyEmpty)",
    "CREATE": "create(parent: u64, name: &OsStr, mode: u32, umask: u32, flags: i32, reply: ReplyCreate)",
    "BMAP": "bmap(ino: u64, blocksize: u32, idx: u64, reply: ReplyBmap)",
    "DESTROY": "destroy()",
    "IOCTL": "ioctl(ino: u64, fh: u64, flags: u32, cmd: u32, in_data: &[u8], out_size: u32, reply: ReplyIoctl)",
    "POLL": "poll(ino: u64, fh: u64, ph: PollHandle, events: u32, flags: u32, reply: ReplyPoll)",
    "BATCH_FORGET": "batch_forget(nodes: &[fuse_forget_one])",
    "FALLOCATE": "fallocate(ino: u64, fh: u64, offset: i64, length: i64, mode: i32, reply: ReplyEmpty)",
    "LSEEK": "lseek(ino: u64, fh: u64, offset: i64, whence: i32, reply: ReplyLseek)",
    "COPY_FILE_RANGE": "copy_file_range(ino_in: u64, fh_in: u64, offset_in: i64, ino_out: u64, fh_out: u64, "
    "offset_out: i64, len: u64, flags: u32, reply: ReplyWrite)",
}

_FUSE_RS = {
    "LOOKUP": "lookup(parent: u64, name: &OsStr, reply: ReplyEntry)",
    "FORGET": "forget(ino: u64, nlookup: u64)",
    "GETATTR": "getattr(ino: u64, reply: ReplyAttr)",
    "SETATTR": "setattr(ino: u64, mode: Option<u32>, uid: Option<u32>, gid: Option<u32>, size: Option<u64>, "
    "atime: Option<Timespec>, mtime: Option<Timespec>, fh: Option<u64>, crtime: Option<Timespec>, "
    "chgtime: Option<Timespec>, bkuptime: Option<Timespec>, flags: Option<u32>, reply: ReplyAttr)",
    "READLINK": "readlink(ino: u64, reply: ReplyData)",
    "SYMLINK": "symlink(parent: u64, name: &OsStr, link: &Path, reply: ReplyEntry)",
    "MKNOD": "mknod(parent: u64, name: &OsStr, mode: u32, rdev: u32, reply: ReplyEntry)",
    "MKDIR": "mkdir(parent: u64, name: &OsStr, mode: u32, reply: ReplyEntry)",
    "UNLINK": "unlink(parent: u64, name: &OsStr, reply: ReplyEmpty)",
    "RMDIR": "rmdir(parent: u64, name: &OsStr, reply: ReplyEmpty)",
    "RENAME": "rename(parent: u64, name: &OsStr, newparent: u64, newname: &OsStr, reply: ReplyEmpty)",
    "LINK": "link(ino: u64, newparent: u64, newname: &OsStr, reply: ReplyEntry)",
    "OPEN": "open(ino: u64, flags: u32, reply: ReplyOpen)",
    "READ": "read(ino: u64, fh: u64, offset: i64, size: u32, reply: ReplyData)",
    "WRITE": "write(ino: u64, fh: u64, offset: i64, data: &[u8], flags: u32, reply: ReplyWrite)",
    "STATFS": "statfs(ino: u64, reply: ReplyStatfs)",
    "RELEASE": "release(ino: u64, fh: u64, flags: u32, lock_owner: u64, flush: bool, reply: ReplyEmpty)",
    "FSYNC": "fsync(ino: u64, fh: u64, datasync: bool, reply: ReplyEmpty)",
    "SETXATTR": "setxattr(ino: u64, name: &OsStr, value: &[u8], flags: u32, position: u32, reply: ReplyEmpty)",
    "GETXATTR": "getxattr(ino: u64, name: &OsStr, size: u32, reply: ReplyXattr)",
    "LISTXATTR": "listxattr(ino: u64, size: u32, reply: ReplyXattr)",
    "REMOVEXATTR": "removexattr(ino: u64, name: &OsStr, reply: ReplyEmpty)",
    "FLUSH": "flush(ino: u64, fh: u64, lock_owner: u64, reply: ReplyEmpty)",
    "INIT": "init() -> Result<(), c_int>",
    "OPENDIR": "opendir(ino: u64, flags: u32, reply: ReplyOpen)",
    "READDIR": "readdir(ino: u64, fh: u64, offset: i64, reply: ReplyDirectory)",
    "RELEASEDIR": "releasedir(ino: u64, fh: u64, flags: u32, reply: ReplyEmpty)",
    "FSYNCDIR": "fsyncdir(ino: u64, fh: u64, datasync: bool, reply: ReplyEmpty)",
    "GETLK": "getlk(ino: u64, fh: u64, lock_owner: u64, start: u64, end: u64, typ: u32, pid: u32, reply: ReplyLock)",
    "SETLK": "setlk(ino: u64, fh: u64, lock_owner: u64, start: u64, end: u64, typ: u32, pid: u32, sleep: bool, "
    "reply: ReplyEmpty)",
    "SETLKW": "setlk(ino: u64, fh: u64, lock_owner: u64, start: u64, end: u64, typ: u32, pid: u32, sleep: bool, "
    "reply: ReplyEmpty)",
    "ACCESS": "access(ino: u64, mask: u32, reply: ReplyEmpty)",
    "CREATE": "create(parent: u64, name: &OsStr, mode: u32, flags: u32, reply: ReplyCreate)",
    "BMAP": "bmap(ino: u64, blocksize: u32, idx: u64, reply: ReplyBmap)",
    "DESTROY": "destroy()",
}

# fuser's own choice for what a file system may honestly lack (src/lib.rs).
FUSER_MISSING = {"SYMLINK": ("ENOSYS", "EPERM"), "LINK": ("ENOSYS", "EPERM")}


def _trait(word: str) -> str:
    return "Filesystem::" + word


def _fuser(line: str) -> str:
    head, _, rest = line.partition("(")
    if head == "destroy":
        return "fn destroy(&mut self)"
    return f"fn {head}(&mut self, req: &Request<'_>, {rest}".replace(", )", ")")


def _fuse_rs(line: str) -> str:
    head, _, rest = line.partition("(")
    return f"fn {head}(&mut self, req: &Request, {rest}".replace(", )", ")")


# From 0.17 on the same arguments in the same order have types of their own, and `self` is shared. Of two patterns
# that fit the first is taken.
_TYPED = (
    (r"\b(ino|parent|newparent|ino_in|ino_out): u64", r"\1: INodeNo"),
    (r"\b(fh|fh_in|fh_out): u64", r"\1: FileHandle"),
    (r"\bfh: Option<u64>", "fh: Option<FileHandle>"),
    (r"\block_owner: u64", "lock_owner: LockOwner"),
    (r"\block_owner: Option<u64>", "lock_owner: Option<LockOwner>"),
    (r"\bwrite_flags: u32", "write_flags: WriteFlags"),
    (r"\bmask: i32", "mask: AccessFlags"),
    (r"\bph: PollHandle, events: u32", "ph: PollNotifier, events: PollEvents"),
    (r"&\[fuse_forget_one\]", "&[ForgetOne]"),
    (r"Result<\(\), c_int>", "io::Result<()>"),
)
_TYPED_FLAGS = {
    "setattr": ("Option<u32>", "Option<BsdFileFlags>"), "rename": ("u32", "RenameFlags"), "open": ("i32", "OpenFlags"),
    "read": ("i32", "OpenFlags"), "write": ("i32", "OpenFlags"), "release": ("i32", "OpenFlags"),
    "opendir": ("i32", "OpenFlags"), "releasedir": ("i32", "OpenFlags"), "ioctl": ("u32", "IoctlFlags"),
    "poll": ("u32", "PollFlags"), "copy_file_range": ("u32", "CopyFileRangeFlags"),
}  # fmt: skip


def _fuser_typed(line: str) -> str:
    head, _, rest = line.partition("(")
    for pattern, typed in _TYPED:
        rest = re.sub(pattern, typed, rest)
    if head != "lseek":
        rest = re.sub(r"\b(offset|offset_in|offset_out|length): i64", r"\1: u64", rest)
    if head in _TYPED_FLAGS:
        plain, typed = _TYPED_FLAGS[head]
        rest = rest.replace(f" flags: {plain}", f" flags: {typed}")
    if head == "destroy":
        return "fn destroy(&mut self)"
    return f"fn {head}({'&mut self' if head == 'init' else '&self'}, req: &Request, {rest}".replace(", )", ")")


FUSER: Rows = rows(_FUSER, _trait, _fuser)
FUSER_TYPED: Rows = rows(_FUSER, _trait, _fuser_typed)
FUSE_RS: Rows = rows(_FUSE_RS, _trait, _fuse_rs)
