"""The handlers of the Rust crates `fuse3`, `polyfuse` and `fuse-backend-rs`.

Owns declarations (fuse3 0.8, polyfuse 0.4, fuse-backend-rs 0.10) and what a default method answers when that is not
ENOSYS; knows nothing of a daemon.
"""

# ruff: noqa: E501 - one declaration a line reads better than a broken one
from __future__ import annotations

from fsprobe.diagnose.rows import Handler, Rows, rows

# Of the trait raw::Filesystem; path::PathFilesystem has the same methods with paths in place of inodes.
_FUSE3 = {
    "LOOKUP": "lookup(parent: Inode, name: &OsStr) -> Result<ReplyEntry>",
    "FORGET": "forget(inode: Inode, nlookup: u64)",
    "GETATTR": "getattr(inode: Inode, fh: Option<u64>, flags: u32) -> Result<ReplyAttr>",
    "SETATTR": "setattr(inode: Inode, fh: Option<u64>, set_attr: SetAttr) -> Result<ReplyAttr>",
    "READLINK": "readlink(inode: Inode) -> Result<ReplyData>",
    "SYMLINK": "symlink(parent: Inode, name: &OsStr, link: &OsStr) -> Result<ReplyEntry>",
    "MKNOD": "mknod(parent: Inode, name: &OsStr, mode: u32, rdev: u32) -> Result<ReplyEntry>",
    "MKDIR": "mkdir(parent: Inode, name: &OsStr, mode: u32, umask: u32) -> Result<ReplyEntry>",
    "UNLINK": "unlink(parent: Inode, name: &OsStr) -> Result<()>",
    "RMDIR": "rmdir(parent: Inode, name: &OsStr) -> Result<()>",
    "RENAME": "rename(parent: Inode, name: &OsStr, new_parent: Inode, new_name: &OsStr) -> Result<()>",
    "RENAME2": "rename2(parent: Inode, name: &OsStr, new_parent: Inode, new_name: &OsStr, flags: u32) -> Result<()>",
    "LINK": "link(inode: Inode, new_parent: Inode, new_name: &OsStr) -> Result<ReplyEntry>",
    "OPEN": "open(inode: Inode, flags: u32) -> Result<ReplyOpen>",
    "READ": "read(inode: Inode, fh: u64, offset: u64, size: u32) -> Result<ReplyData>",
    "WRITE": "write(inode: Inode, fh: u64, offset: u64, data: &[u8], write_flags: u32, flags: u32) -> Result<ReplyWrite>",
    "STATFS": "statfs(inode: Inode) -> Result<ReplyStatFs>",
    "RELEASE": "release(inode: Inode, fh: u64, flags: u32, lock_owner: u64, flush: bool) -> Result<()>",
    "FSYNC": "fsync(inode: Inode, fh: u64, datasync: bool) -> Result<()>",
    "SETXATTR": "setxattr(inode: Inode, name: &OsStr, value: &[u8], flags: u32, position: u32) -> Result<()>",
    "GETXATTR": "getxattr(inode: Inode, name: &OsStr, size: u32) -> Result<ReplyXAttr>",
    "LISTXATTR": "listxattr(inode: Inode, size: u32) -> Result<ReplyXAttr>",
    "REMOVEXATTR": "removexattr(inode: Inode, name: &OsStr) -> Result<()>",
    "FLUSH": "flush(inode: Inode, fh: u64, lock_owner: u64) -> Result<()>",
    "INIT": "init() -> Result<ReplyInit>",
    "OPENDIR": "opendir(inode: Inode, flags: u32) -> Result<ReplyOpen>",
    "READDIR": "readdir(parent: Inode, fh: u64, offset: i64) -> Result<ReplyDirectory<…>>",
    "READDIRPLUS": "readdirplus(parent: Inode, fh: u64, offset: u64, lock_owner: u64) -> Result<ReplyDirectoryPlus<…>>",
    "RELEASEDIR": "releasedir(inode: Inode, fh: u64, flags: u32) -> Result<()>",
    "FSYNCDIR": "fsyncdir(inode: Inode, fh: u64, datasync: bool) -> Result<()>",
    # with the crate's feature file-lock alone
    "GETLK": "getlk(inode: Inode, fh: u64, lock_owner: u64, start: u64, end: u64, r#type: u32, pid: u32) -> Result<ReplyLock>",
    "SETLK": "setlk(inode: Inode, fh: u64, lock_owner: u64, start: u64, end: u64, r#type: u32, pid: u32, block: bool) "
    "-> Result<()>",
    "SETLKW": "setlk(inode: Inode, fh: u64, lock_owner: u64, start: u64, end: u64, r#type: u32, pid: u32, block: bool) "
    "-> Result<()>",
    "ACCESS": "access(inode: Inode, mask: u32) -> Result<()>",
    "CREATE": "create(parent: Inode, name: &OsStr, mode: u32, flags: u32) -> Result<ReplyCreated>",
    "INTERRUPT": "interrupt(unique: u64) -> Result<()>",
    "BMAP": "bmap(inode: Inode, blocksize: u32, idx: u64) -> Result<ReplyBmap>",
    "DESTROY": "destroy()",
    "POLL": "poll(inode: Inode, fh: u64, kh: Option<u64>, flags: u32, events: u32, notify: &Notify) -> Result<ReplyPoll>",
    "NOTIFY_REPLY": "notify_reply(inode: Inode, offset: u64, data: Bytes) -> Result<()>",
    "BATCH_FORGET": "batch_forget(inodes: &[(Inode, u64)])",
    "FALLOCATE": "fallocate(inode: Inode, fh: u64, offset: u64, length: u64, mode: u32) -> Result<()>",
    "LSEEK": "lseek(inode: Inode, fh: u64, offset: u64, whence: u32) -> Result<ReplyLSeek>",
    "COPY_FILE_RANGE": "copy_file_range(inode: Inode, fh_in: u64, off_in: u64, inode_out: Inode, fh_out: u64, off_out: u64, "
    "length: u64, flags: u64) -> Result<ReplyCopyFileRange>",
}
# opendir became ENOSYS with 0.8.
FUSE3_MISSING = {"OPENDIR": ("ok", "ENOSYS"), "RELEASEDIR": ("ok",), "FSYNC": ("ok",)}

# The variants of Operation, what a request is matched against; the daemon answers those that it leaves out itself.
_POLYFUSE = {
    "LOOKUP": "Lookup", "FORGET": "Forget", "BATCH_FORGET": "Forget", "GETATTR": "Getattr", "SETATTR": "Setattr",
    "READLINK": "Readlink", "SYMLINK": "Symlink", "MKNOD": "Mknod", "MKDIR": "Mkdir", "UNLINK": "Unlink",
    "RMDIR": "Rmdir", "RENAME": "Rename", "RENAME2": "Rename", "LINK": "Link", "OPEN": "Open", "READ": "Read",
    "WRITE": "Write", "STATFS": "Statfs", "RELEASE": "Release", "FSYNC": "Fsync", "SETXATTR": "Setxattr",
    "GETXATTR": "Getxattr", "LISTXATTR": "Listxattr", "REMOVEXATTR": "Removexattr", "FLUSH": "Flush",
    "OPENDIR": "Opendir", "READDIR": "Readdir", "READDIRPLUS": "Readdir", "RELEASEDIR": "Releasedir",
    "FSYNCDIR": "Fsyncdir", "GETLK": "Getlk", "SETLK": "Setlk Flock", "SETLKW": "Setlk Flock", "ACCESS": "Access",
    "CREATE": "Create", "INTERRUPT": "Interrupt", "BMAP": "Bmap", "POLL": "Poll", "NOTIFY_REPLY": "NotifyReply",
    "FALLOCATE": "Fallocate", "COPY_FILE_RANGE": "CopyFileRange",
}  # fmt: skip
_WITH_DATA = ("Write", "NotifyReply")  # these bring a second value, what to read the data from

_BACKEND = {
    "LOOKUP": "lookup(parent: Self::Inode, name: &CStr) -> io::Result<Entry>",
    "FORGET": "forget(inode: Self::Inode, count: u64)",
    "BATCH_FORGET": "batch_forget(requests: Vec<(Self::Inode, u64)>)",
    "GETATTR": "getattr(inode: Self::Inode, handle: Option<Self::Handle>) -> io::Result<(stat64, Duration)>",
    "SETATTR": "setattr(inode: Self::Inode, attr: stat64, handle: Option<Self::Handle>, valid: SetattrValid) "
    "-> io::Result<(stat64, Duration)>",
    "READLINK": "readlink(inode: Self::Inode) -> io::Result<Vec<u8>>",
    "SYMLINK": "symlink(linkname: &CStr, parent: Self::Inode, name: &CStr) -> io::Result<Entry>",
    "MKNOD": "mknod(inode: Self::Inode, name: &CStr, mode: u32, rdev: u32, umask: u32) -> io::Result<Entry>",
    "MKDIR": "mkdir(parent: Self::Inode, name: &CStr, mode: u32, umask: u32) -> io::Result<Entry>",
    "UNLINK": "unlink(parent: Self::Inode, name: &CStr) -> io::Result<()>",
    "RMDIR": "rmdir(parent: Self::Inode, name: &CStr) -> io::Result<()>",
    "RENAME": "rename(olddir: Self::Inode, oldname: &CStr, newdir: Self::Inode, newname: &CStr, flags: u32) -> io::Result<()>",
    "RENAME2": "rename(olddir: Self::Inode, oldname: &CStr, newdir: Self::Inode, newname: &CStr, flags: u32) -> io::Result<()>",
    "LINK": "link(inode: Self::Inode, newparent: Self::Inode, newname: &CStr) -> io::Result<Entry>",
    "OPEN": "open(inode: Self::Inode, flags: u32, fuse_flags: u32) -> io::Result<(Option<Self::Handle>, OpenOptions, …)>",
    "READ": "read(inode: Self::Inode, handle: Self::Handle, w: &mut dyn ZeroCopyWriter, size: u32, offset: u64, "
    "lock_owner: Option<u64>, flags: u32) -> io::Result<usize>",
    "WRITE": "write(inode: Self::Inode, handle: Self::Handle, r: &mut dyn ZeroCopyReader, size: u32, offset: u64, "
    "lock_owner: Option<u64>, delayed_write: bool, flags: u32, fuse_flags: u32) -> io::Result<usize>",
    "STATFS": "statfs(inode: Self::Inode) -> io::Result<statvfs64>",
    "RELEASE": "release(inode: Self::Inode, flags: u32, handle: Self::Handle, flush: bool, flock_release: bool, "
    "lock_owner: Option<u64>) -> io::Result<()>",
    "FSYNC": "fsync(inode: Self::Inode, datasync: bool, handle: Self::Handle) -> io::Result<()>",
    "SETXATTR": "setxattr(inode: Self::Inode, name: &CStr, value: &[u8], flags: u32) -> io::Result<()>",
    "GETXATTR": "getxattr(inode: Self::Inode, name: &CStr, size: u32) -> io::Result<GetxattrReply>",
    "LISTXATTR": "listxattr(inode: Self::Inode, size: u32) -> io::Result<ListxattrReply>",
    "REMOVEXATTR": "removexattr(inode: Self::Inode, name: &CStr) -> io::Result<()>",
    "FLUSH": "flush(inode: Self::Inode, handle: Self::Handle, lock_owner: u64) -> io::Result<()>",
    "INIT": "init(capable: FsOptions) -> io::Result<FsOptions>",
    "OPENDIR": "opendir(inode: Self::Inode, flags: u32) -> io::Result<(Option<Self::Handle>, OpenOptions)>",
    "READDIR": "readdir(inode: Self::Inode, handle: Self::Handle, size: u32, offset: u64, "
    "add_entry: &mut dyn FnMut(DirEntry) -> io::Result<usize>) -> io::Result<()>",
    "READDIRPLUS": "readdirplus(inode: Self::Inode, handle: Self::Handle, size: u32, offset: u64, "
    "add_entry: &mut dyn FnMut(DirEntry, Entry) -> io::Result<usize>) -> io::Result<()>",
    "RELEASEDIR": "releasedir(inode: Self::Inode, flags: u32, handle: Self::Handle) -> io::Result<()>",
    "FSYNCDIR": "fsyncdir(inode: Self::Inode, datasync: bool, handle: Self::Handle) -> io::Result<()>",
    "GETLK": "getlk(inode: Self::Inode, handle: Self::Handle, owner: u64, lock: FileLock, flags: u32) -> io::Result<FileLock>",
    "SETLK": "setlk(inode: Self::Inode, handle: Self::Handle, owner: u64, lock: FileLock, flags: u32) -> io::Result<()>",
    # the server calls setlk for both
    "SETLKW": "setlk(inode: Self::Inode, handle: Self::Handle, owner: u64, lock: FileLock, flags: u32) -> io::Result<()>",
    "ACCESS": "access(inode: Self::Inode, mask: u32) -> io::Result<()>",
    "CREATE": "create(parent: Self::Inode, name: &CStr, args: CreateIn) "
    "-> io::Result<(Entry, Option<Self::Handle>, OpenOptions, …)>",
    "DESTROY": "destroy()",
    "IOCTL": "ioctl(inode: Self::Inode, handle: Self::Handle, flags: u32, cmd: u32, data: IoctlData, out_size: u32) "
    "-> io::Result<IoctlData>",
    "BMAP": "bmap(inode: Self::Inode, block: u64, blocksize: u32) -> io::Result<u64>",
    "POLL": "poll(inode: Self::Inode, handle: Self::Handle, khandle: Self::Handle, flags: u32, events: u32) -> io::Result<u32>",
    "FALLOCATE": "fallocate(inode: Self::Inode, handle: Self::Handle, mode: u32, offset: u64, length: u64) -> io::Result<()>",
    "LSEEK": "lseek(inode: Self::Inode, handle: Self::Handle, offset: u64, whence: u32) -> io::Result<u64>",
}
BACKEND_MISSING = {"OPEN": ("ok",), "OPENDIR": ("ok",), "STATFS": ("ok",), "IOCTL": ("ENOTTY", "ENOSYS")}


def _trait(word: str) -> str:
    return "Filesystem::" + word


def _async(line: str) -> str:
    head, _, rest = line.partition("(")
    return f"async fn {head}(&self, req: Request, {rest}".replace(", )", ")")


def _backend_trait(word: str) -> str:
    return "FileSystem::" + word


def _backend(line: str) -> str:
    head, _, rest = line.partition("(")
    context = "" if head in ("init", "destroy") else "ctx: &Context, "
    return f"fn {head}(&self, {context}{rest}".replace(", )", ")")


def _variant(name: str) -> Handler:
    values = "op, data" if name in _WITH_DATA else "op"
    return Handler(f"Operation::{name}", f"Operation::{name}({values}) => …", name.lower())


FUSE3: Rows = rows(_FUSE3, _trait, _async)
POLYFUSE: Rows = {op: tuple(map(_variant, names.split())) for op, names in _POLYFUSE.items()}
BACKEND: Rows = rows(_BACKEND, _backend_trait, _backend)
