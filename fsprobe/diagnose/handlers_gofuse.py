"""The handlers of go-fuse: its packages `fs`, `nodefs` and `pathfs`, and the raw interface below them.

Owns declarations and what the library answers by itself, taken from its dispatchers and defaults (fs/bridge.go,
fuse/defaultraw.go, nodefs/defaultnode.go); knows nothing of a daemon.
"""

# ruff: noqa: E501 - one declaration a line reads better than a broken one
from __future__ import annotations

from fsprobe.diagnose.handlers_go import interfaces
from fsprobe.diagnose.rows import Handler, Rows, rows

_OK = ("ok",)
_REFUSED = ("EROFS", "EOPNOTSUPP", "ENOSYS")  # by version

# interface, then its method; one a line where there are several
_GO_FUSE = {
    "LOOKUP": "NodeLookuper: Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*Inode, syscall.Errno)",
    "FORGET": "NodeOnForgetter: OnForget()",
    "BATCH_FORGET": "NodeOnForgetter: OnForget()",
    "GETATTR": "NodeGetattrer: Getattr(ctx context.Context, f FileHandle, out *fuse.AttrOut) syscall.Errno",
    "SETATTR": "NodeSetattrer: Setattr(ctx context.Context, f FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) "
    "syscall.Errno",
    "READLINK": "NodeReadlinker: Readlink(ctx context.Context) ([]byte, syscall.Errno)",
    "SYMLINK": "NodeSymlinker: Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) "
    "(node *Inode, errno syscall.Errno)",
    "MKNOD": "NodeMknoder: Mknod(ctx context.Context, name string, mode uint32, dev uint32, out *fuse.EntryOut) "
    "(*Inode, syscall.Errno)",
    "MKDIR": "NodeMkdirer: Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) "
    "(*Inode, syscall.Errno)",
    "UNLINK": "NodeUnlinker: Unlink(ctx context.Context, name string) syscall.Errno",
    "RMDIR": "NodeRmdirer: Rmdir(ctx context.Context, name string) syscall.Errno",
    "RENAME": "NodeRenamer: Rename(ctx context.Context, name string, newParent InodeEmbedder, newName string, "
    "flags uint32) syscall.Errno",
    "LINK": "NodeLinker: Link(ctx context.Context, target InodeEmbedder, name string, out *fuse.EntryOut) "
    "(node *Inode, errno syscall.Errno)",
    "OPEN": "NodeOpener: Open(ctx context.Context, flags uint32) "
    "(fh FileHandle, fuseFlags uint32, errno syscall.Errno)",
    "READ": "NodeReader: Read(ctx context.Context, f FileHandle, dest []byte, off int64) "
    "(fuse.ReadResult, syscall.Errno)",
    "WRITE": "NodeWriter: Write(ctx context.Context, f FileHandle, data []byte, off int64) "
    "(written uint32, errno syscall.Errno)",
    "STATFS": "NodeStatfser: Statfs(ctx context.Context, out *fuse.StatfsOut) syscall.Errno",
    "RELEASE": "NodeReleaser: Release(ctx context.Context, f FileHandle) syscall.Errno",
    "FSYNC": "NodeFsyncer: Fsync(ctx context.Context, f FileHandle, flags uint32) syscall.Errno",
    "SETXATTR": "NodeSetxattrer: Setxattr(ctx context.Context, attr string, data []byte, flags uint32) syscall.Errno",
    "GETXATTR": "NodeGetxattrer: Getxattr(ctx context.Context, attr string, dest []byte) (uint32, syscall.Errno)",
    "LISTXATTR": "NodeListxattrer: Listxattr(ctx context.Context, dest []byte) (uint32, syscall.Errno)",
    "REMOVEXATTR": "NodeRemovexattrer: Removexattr(ctx context.Context, attr string) syscall.Errno",
    "FLUSH": "NodeFlusher: Flush(ctx context.Context, f FileHandle) syscall.Errno",
    # the second of each: from 2.6 on
    "OPENDIR": """NodeOpendirer: Opendir(ctx context.Context) syscall.Errno
        NodeOpendirHandler: OpendirHandle(ctx context.Context, flags uint32) (fh FileHandle, fuseFlags uint32, errno syscall.Errno)""",
    "READDIR": """NodeReaddirer: Readdir(ctx context.Context) (DirStream, syscall.Errno)
        FileReaddirenter: Readdirent(ctx context.Context) (*fuse.DirEntry, syscall.Errno)""",
    "READDIRPLUS": """NodeReaddirer: Readdir(ctx context.Context) (DirStream, syscall.Errno)
        FileReaddirenter: Readdirent(ctx context.Context) (*fuse.DirEntry, syscall.Errno)""",
    "RELEASEDIR": "FileReleasedirer: Releasedir(ctx context.Context, releaseFlags uint32)",
    "FSYNCDIR": """NodeFsyncer: Fsync(ctx context.Context, f FileHandle, flags uint32) syscall.Errno
        FileFsyncdirer: Fsyncdir(ctx context.Context, flags uint32) syscall.Errno""",
    "GETLK": "NodeGetlker: Getlk(ctx context.Context, f FileHandle, owner uint64, lk *fuse.FileLock, flags uint32, "
    "out *fuse.FileLock) syscall.Errno",
    "SETLK": "NodeSetlker: Setlk(ctx context.Context, f FileHandle, owner uint64, lk *fuse.FileLock, flags uint32) "
    "syscall.Errno",
    "SETLKW": "NodeSetlkwer: Setlkw(ctx context.Context, f FileHandle, owner uint64, lk *fuse.FileLock, flags uint32) "
    "syscall.Errno",
    "ACCESS": "NodeAccesser: Access(ctx context.Context, mask uint32) syscall.Errno",
    "CREATE": "NodeCreater: Create(ctx context.Context, name string, flags uint32, mode uint32, out *fuse.EntryOut) "
    "(node *Inode, fh FileHandle, fuseFlags uint32, errno syscall.Errno)",
    "IOCTL": "NodeIoctler: Ioctl(ctx context.Context, f FileHandle, cmd uint32, arg uint64, input []byte, "
    "output []byte) (result int32, errno syscall.Errno)",
    "FALLOCATE": "NodeAllocater: Allocate(ctx context.Context, f FileHandle, off uint64, size uint64, mode uint32) "
    "syscall.Errno",
    "RENAME2": "NodeRenamer: Rename(ctx context.Context, name string, newParent InodeEmbedder, newName string, "
    "flags uint32) syscall.Errno",
    "LSEEK": "NodeLseeker: Lseek(ctx context.Context, f FileHandle, Off uint64, whence uint32) (uint64, syscall.Errno)",
    "COPY_FILE_RANGE": "NodeCopyFileRanger: CopyFileRange(ctx context.Context, fhIn FileHandle, offIn uint64, "
    "out *Inode, fhOut FileHandle, offOut uint64, len uint64, flags uint64) (uint32, syscall.Errno)",
    "STATX": "NodeStatxer: Statx(ctx context.Context, f FileHandle, flags uint32, mask uint32, out *fuse.StatxOut) "
    "syscall.Errno",
}

GO_FUSE_MISSING = {
    "SETATTR": ("EOPNOTSUPP", "ENOSYS"), "READLINK": ("EOPNOTSUPP", "ENOSYS"), "SYMLINK": _REFUSED, "MKNOD": _REFUSED,
    "MKDIR": _REFUSED, "RENAME": _REFUSED, "RENAME2": _REFUSED, "LINK": _REFUSED, "CREATE": _REFUSED,
    # fs/bridge.go takes the child out of its own tree and answers success.
    "UNLINK": ("ok", *_REFUSED), "RMDIR": ("ok", *_REFUSED),
    "OPEN": ("EOPNOTSUPP", "ENOSYS"), "READ": ("EOPNOTSUPP", "ENOSYS"), "WRITE": ("EOPNOTSUPP", "ENOSYS"),
    "FSYNC": ("EOPNOTSUPP", "ENOSYS"), "FSYNCDIR": ("EOPNOTSUPP", "ENOSYS"),
    "FALLOCATE": ("EOPNOTSUPP", "ENOSYS"), "COPY_FILE_RANGE": ("EOPNOTSUPP", "ENOSYS"),
    "GETLK": ("EOPNOTSUPP", "ENOSYS"), "SETLK": ("EOPNOTSUPP", "ENOSYS"), "SETLKW": ("EOPNOTSUPP", "ENOSYS"),
    "SETXATTR": ("ENODATA", "ENOSYS"), "GETXATTR": ("ENODATA", "ENOSYS"), "REMOVEXATTR": ("ENODATA", "ENOSYS"),
    "LISTXATTR": _OK, "GETATTR": _OK, "STATFS": _OK, "FLUSH": _OK, "RELEASE": _OK, "OPENDIR": _OK, "READDIR": _OK,
    "RELEASEDIR": _OK, "ACCESS": _OK, "READDIRPLUS": _OK,
    "LSEEK": ("ok", "EOPNOTSUPP"), "IOCTL": ("ENOTTY", "ENOSYS"),
}

# Of fuse.RawFileSystem, which the other interfaces are built on.
_RAW = {
    "LOOKUP": "Lookup(cancel <-chan struct{}, header *InHeader, name string, out *EntryOut) Status",
    "FORGET": "Forget(nodeid, nlookup uint64)",
    "BATCH_FORGET": "Forget(nodeid, nlookup uint64)",
    "GETATTR": "GetAttr(cancel <-chan struct{}, input *GetAttrIn, out *AttrOut) Status",
    "SETATTR": "SetAttr(cancel <-chan struct{}, input *SetAttrIn, out *AttrOut) Status",
    "READLINK": "Readlink(cancel <-chan struct{}, header *InHeader) ([]byte, Status)",
    "SYMLINK": "Symlink(cancel <-chan struct{}, header *InHeader, pointedTo string, linkName string, out *EntryOut) Status",
    "MKNOD": "Mknod(cancel <-chan struct{}, input *MknodIn, name string, out *EntryOut) Status",
    "MKDIR": "Mkdir(cancel <-chan struct{}, input *MkdirIn, name string, out *EntryOut) Status",
    "UNLINK": "Unlink(cancel <-chan struct{}, header *InHeader, name string) Status",
    "RMDIR": "Rmdir(cancel <-chan struct{}, header *InHeader, name string) Status",
    "RENAME": "Rename(cancel <-chan struct{}, input *RenameIn, oldName string, newName string) Status",
    "RENAME2": "Rename(cancel <-chan struct{}, input *RenameIn, oldName string, newName string) Status",
    "LINK": "Link(cancel <-chan struct{}, input *LinkIn, filename string, out *EntryOut) Status",
    "OPEN": "Open(cancel <-chan struct{}, input *OpenIn, out *OpenOut) Status",
    "READ": "Read(cancel <-chan struct{}, input *ReadIn, buf []byte) (ReadResult, Status)",
    "WRITE": "Write(cancel <-chan struct{}, input *WriteIn, data []byte) (uint32, Status)",
    "STATFS": "StatFs(cancel <-chan struct{}, input *InHeader, out *StatfsOut) Status",
    "RELEASE": "Release(cancel <-chan struct{}, input *ReleaseIn)",
    "FSYNC": "Fsync(cancel <-chan struct{}, input *FsyncIn) Status",
    "SETXATTR": "SetXAttr(cancel <-chan struct{}, input *SetXAttrIn, attr string, data []byte) Status",
    "GETXATTR": "GetXAttr(cancel <-chan struct{}, header *InHeader, attr string, dest []byte) (uint32, Status)",
    "LISTXATTR": "ListXAttr(cancel <-chan struct{}, header *InHeader, dest []byte) (uint32, Status)",
    "REMOVEXATTR": "RemoveXAttr(cancel <-chan struct{}, header *InHeader, attr string) Status",
    "FLUSH": "Flush(cancel <-chan struct{}, input *FlushIn) Status",
    "INIT": "Init(server *Server)",
    "OPENDIR": "OpenDir(cancel <-chan struct{}, input *OpenIn, out *OpenOut) Status",
    "READDIR": "ReadDir(cancel <-chan struct{}, input *ReadIn, out *DirEntryList) Status",
    "READDIRPLUS": "ReadDirPlus(cancel <-chan struct{}, input *ReadIn, out *DirEntryList) Status",
    "RELEASEDIR": "ReleaseDir(input *ReleaseIn)",
    "FSYNCDIR": "FsyncDir(cancel <-chan struct{}, input *FsyncIn) Status",
    "GETLK": "GetLk(cancel <-chan struct{}, input *LkIn, out *LkOut) Status",
    "SETLK": "SetLk(cancel <-chan struct{}, input *LkIn) Status",
    "SETLKW": "SetLkw(cancel <-chan struct{}, input *LkIn) Status",
    "ACCESS": "Access(cancel <-chan struct{}, input *AccessIn) Status",
    "CREATE": "Create(cancel <-chan struct{}, input *CreateIn, name string, out *CreateOut) Status",
    "IOCTL": "Ioctl(cancel <-chan struct{}, input *IoctlIn, inbuf []byte, output *IoctlOut, outbuf []byte) Status",
    "FALLOCATE": "Fallocate(cancel <-chan struct{}, input *FallocateIn) Status",
    "LSEEK": "Lseek(cancel <-chan struct{}, in *LseekIn, out *LseekOut) Status",
    "COPY_FILE_RANGE": "CopyFileRange(cancel <-chan struct{}, input *CopyFileRangeIn) (uint32, Status)",
    "STATX": "Statx(cancel <-chan struct{}, input *StatxIn, out *StatxOut) Status",
}
GO_RAW_MISSING = dict.fromkeys(("OPEN", "FLUSH", "RELEASE", "RELEASEDIR"), _OK)

# Of package nodefs; what an open file does may stand in its File as well.
_NODEFS = {
    "LOOKUP": "Node: Lookup(out *fuse.Attr, name string, context *fuse.Context) (*Inode, fuse.Status)",
    "FORGET": "Node: OnForget()",
    "BATCH_FORGET": "Node: OnForget()",
    "GETATTR": "Node: GetAttr(out *fuse.Attr, file File, context *fuse.Context) fuse.Status",
    "SETATTR": """Node: Chmod(file File, perms uint32, context *fuse.Context) fuse.Status
        Node: Chown(file File, uid uint32, gid uint32, context *fuse.Context) fuse.Status
        Node: Truncate(file File, size uint64, context *fuse.Context) fuse.Status
        Node: Utimens(file File, atime *time.Time, mtime *time.Time, context *fuse.Context) fuse.Status""",
    "READLINK": "Node: Readlink(c *fuse.Context) ([]byte, fuse.Status)",
    "SYMLINK": "Node: Symlink(name string, content string, context *fuse.Context) (*Inode, fuse.Status)",
    "MKNOD": "Node: Mknod(name string, mode uint32, dev uint32, context *fuse.Context) (*Inode, fuse.Status)",
    "MKDIR": "Node: Mkdir(name string, mode uint32, context *fuse.Context) (*Inode, fuse.Status)",
    "UNLINK": "Node: Unlink(name string, context *fuse.Context) fuse.Status",
    "RMDIR": "Node: Rmdir(name string, context *fuse.Context) fuse.Status",
    "RENAME": "Node: Rename(oldName string, newParent Node, newName string, context *fuse.Context) fuse.Status",
    "LINK": "Node: Link(name string, existing Node, context *fuse.Context) (*Inode, fuse.Status)",
    "OPEN": "Node: Open(flags uint32, context *fuse.Context) (File, fuse.Status)",
    "READ": "Node: Read(file File, dest []byte, off int64, context *fuse.Context) (fuse.ReadResult, fuse.Status)",
    "WRITE": "Node: Write(file File, data []byte, off int64, context *fuse.Context) (uint32, fuse.Status)",
    "STATFS": "Node: StatFs() *fuse.StatfsOut",
    "RELEASE": "File: Release()",
    "FSYNC": "File: Fsync(flags int) fuse.Status",
    "SETXATTR": "Node: SetXAttr(attr string, data []byte, flags int, context *fuse.Context) fuse.Status",
    "GETXATTR": "Node: GetXAttr(attribute string, context *fuse.Context) ([]byte, fuse.Status)",
    "LISTXATTR": "Node: ListXAttr(context *fuse.Context) ([]string, fuse.Status)",
    "REMOVEXATTR": "Node: RemoveXAttr(attr string, context *fuse.Context) fuse.Status",
    "FLUSH": "File: Flush() fuse.Status",
    "OPENDIR": "Node: OpenDir(context *fuse.Context) ([]fuse.DirEntry, fuse.Status)",
    "READDIR": "Node: OpenDir(context *fuse.Context) ([]fuse.DirEntry, fuse.Status)",
    "READDIRPLUS": "Node: OpenDir(context *fuse.Context) ([]fuse.DirEntry, fuse.Status)",
    "GETLK": "Node: GetLk(file File, owner uint64, lk *fuse.FileLock, flags uint32, out *fuse.FileLock, "
    "context *fuse.Context) fuse.Status",
    "SETLK": "Node: SetLk(file File, owner uint64, lk *fuse.FileLock, flags uint32, context *fuse.Context) fuse.Status",
    "SETLKW": "Node: SetLkw(file File, owner uint64, lk *fuse.FileLock, flags uint32, context *fuse.Context) fuse.Status",
    "ACCESS": "Node: Access(mode uint32, context *fuse.Context) fuse.Status",
    "CREATE": "Node: Create(name string, flags uint32, mode uint32, context *fuse.Context) (File, *Inode, fuse.Status)",
    "FALLOCATE": "Node: Fallocate(file File, off uint64, size uint64, mode uint32, context *fuse.Context) fuse.Status",
}
NODEFS_MISSING = {
    "LOOKUP": ("ENOENT",), "GETXATTR": ("ENODATA",),
    **dict.fromkeys(("GETATTR", "OPENDIR", "READDIR", "READDIRPLUS", "FLUSH", "RELEASE"), _OK),
}

# Of package pathfs, where what an open file does is asked of its nodefs.File.
_PATHFS = {
    "LOOKUP": "FileSystem: GetAttr(name string, context *fuse.Context) (*fuse.Attr, fuse.Status)",
    "GETATTR": "FileSystem: GetAttr(name string, context *fuse.Context) (*fuse.Attr, fuse.Status)",
    "SETATTR": """FileSystem: Chmod(name string, mode uint32, context *fuse.Context) fuse.Status
        FileSystem: Chown(name string, uid uint32, gid uint32, context *fuse.Context) fuse.Status
        FileSystem: Truncate(name string, size uint64, context *fuse.Context) fuse.Status
        FileSystem: Utimens(name string, atime *time.Time, mtime *time.Time, context *fuse.Context) fuse.Status""",
    "READLINK": "FileSystem: Readlink(name string, context *fuse.Context) (string, fuse.Status)",
    "SYMLINK": "FileSystem: Symlink(value string, linkName string, context *fuse.Context) fuse.Status",
    "MKNOD": "FileSystem: Mknod(name string, mode uint32, dev uint32, context *fuse.Context) fuse.Status",
    "MKDIR": "FileSystem: Mkdir(name string, mode uint32, context *fuse.Context) fuse.Status",
    "UNLINK": "FileSystem: Unlink(name string, context *fuse.Context) fuse.Status",
    "RMDIR": "FileSystem: Rmdir(name string, context *fuse.Context) fuse.Status",
    "RENAME": "FileSystem: Rename(oldName string, newName string, context *fuse.Context) fuse.Status",
    "LINK": "FileSystem: Link(oldName string, newName string, context *fuse.Context) fuse.Status",
    "OPEN": "FileSystem: Open(name string, flags uint32, context *fuse.Context) (nodefs.File, fuse.Status)",
    "READ": "File: Read(dest []byte, off int64) (fuse.ReadResult, fuse.Status)",
    "WRITE": "File: Write(data []byte, off int64) (uint32, fuse.Status)",
    "STATFS": "FileSystem: StatFs(name string) *fuse.StatfsOut",
    "RELEASE": "File: Release()",
    "FSYNC": "File: Fsync(flags int) fuse.Status",
    "SETXATTR": "FileSystem: SetXAttr(name string, attr string, data []byte, flags int, context *fuse.Context) fuse.Status",
    "GETXATTR": "FileSystem: GetXAttr(name string, attribute string, context *fuse.Context) ([]byte, fuse.Status)",
    "LISTXATTR": "FileSystem: ListXAttr(name string, context *fuse.Context) ([]string, fuse.Status)",
    "REMOVEXATTR": "FileSystem: RemoveXAttr(name string, attr string, context *fuse.Context) fuse.Status",
    "FLUSH": "File: Flush() fuse.Status",
    "OPENDIR": "FileSystem: OpenDir(name string, context *fuse.Context) ([]fuse.DirEntry, fuse.Status)",
    "READDIR": "FileSystem: OpenDir(name string, context *fuse.Context) ([]fuse.DirEntry, fuse.Status)",
    "READDIRPLUS": "FileSystem: OpenDir(name string, context *fuse.Context) ([]fuse.DirEntry, fuse.Status)",
    "GETLK": "File: GetLk(owner uint64, lk *fuse.FileLock, flags uint32, out *fuse.FileLock) fuse.Status",
    "SETLK": "File: SetLk(owner uint64, lk *fuse.FileLock, flags uint32) fuse.Status",
    "SETLKW": "File: SetLkw(owner uint64, lk *fuse.FileLock, flags uint32) fuse.Status",
    "ACCESS": "FileSystem: Access(name string, mode uint32, context *fuse.Context) fuse.Status",
    "CREATE": "FileSystem: Create(name string, flags uint32, mode uint32, context *fuse.Context) (nodefs.File, fuse.Status)",
    "FALLOCATE": "File: Allocate(off uint64, size uint64, mode uint32) fuse.Status",
}
PATHFS_MISSING = {"GETXATTR": ("ENODATA",), "FLUSH": _OK, "RELEASE": _OK}


def _method(word: str) -> str:
    return "RawFileSystem." + word


def _raw(line: str) -> str:
    return f"func (fs *FS) {line}"


def _member(line: str) -> Handler:
    """A method of an interface that has many: `Node.Chmod`."""
    name, _, method = line.strip().partition(": ")
    word = method.partition("(")[0]
    receiver = {"FileSystem": "fs *FS", "File": "f *File"}.get(name, "n *Node")
    return Handler(f"{name}.{word}", f"func ({receiver}) {method}", word.lower())


GO_FUSE: Rows = {op: interfaces(text) for op, text in _GO_FUSE.items()}
GO_RAW: Rows = rows(_RAW, _method, _raw)
GO_NODEFS: Rows = {op: tuple(map(_member, text.splitlines())) for op, text in _NODEFS.items()}
GO_PATHFS: Rows = {op: tuple(map(_member, text.splitlines())) for op, text in _PATHFS.items()}
