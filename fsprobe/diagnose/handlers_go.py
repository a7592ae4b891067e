"""The handlers of the Go libraries: go-fuse's package `fs`, bazil.org/fuse, jacobsa/fuse.

Owns declarations and what each library answers by itself, taken from the libraries' dispatchers (go-fuse
fs/bridge.go, bazil fs/serve.go); knows nothing of a daemon.
"""

# ruff: noqa: E501 - one declaration a line reads better than a broken one
from __future__ import annotations

from fsprobe.diagnose.rows import Handler, Rows

# interface, then its method
_GO_FUSE = {
    "LOOKUP": "NodeLookuper: Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*Inode, syscall.Errno)",
    "FORGET": "NodeOnForgetter: OnForget()",
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
    "OPENDIR": "NodeOpendirer: Opendir(ctx context.Context) syscall.Errno",
    "READDIR": "NodeReaddirer: Readdir(ctx context.Context) (DirStream, syscall.Errno)",
    "READDIRPLUS": "NodeReaddirer: Readdir(ctx context.Context) (DirStream, syscall.Errno)",
    "FSYNCDIR": "NodeFsyncer: Fsync(ctx context.Context, f FileHandle, flags uint32) syscall.Errno",
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

_BAZIL = {
    "LOOKUP": "NodeRequestLookuper: Lookup(ctx context.Context, req *fuse.LookupRequest, resp *fuse.LookupResponse) "
    "(Node, error)",
    "FORGET": "NodeForgetter: Forget()",
    "GETATTR": "NodeGetattrer: Getattr(ctx context.Context, req *fuse.GetattrRequest, resp *fuse.GetattrResponse) error",
    "SETATTR": "NodeSetattrer: Setattr(ctx context.Context, req *fuse.SetattrRequest, resp *fuse.SetattrResponse) error",
    "READLINK": "NodeReadlinker: Readlink(ctx context.Context, req *fuse.ReadlinkRequest) (string, error)",
    "SYMLINK": "NodeSymlinker: Symlink(ctx context.Context, req *fuse.SymlinkRequest) (Node, error)",
    "MKNOD": "NodeMknoder: Mknod(ctx context.Context, req *fuse.MknodRequest) (Node, error)",
    "MKDIR": "NodeMkdirer: Mkdir(ctx context.Context, req *fuse.MkdirRequest) (Node, error)",
    "UNLINK": "NodeRemover: Remove(ctx context.Context, req *fuse.RemoveRequest) error",
    "RMDIR": "NodeRemover: Remove(ctx context.Context, req *fuse.RemoveRequest) error",
    "RENAME": "NodeRenamer: Rename(ctx context.Context, req *fuse.RenameRequest, newDir Node) error",
    "LINK": "NodeLinker: Link(ctx context.Context, req *fuse.LinkRequest, old Node) (Node, error)",
    "OPEN": "NodeOpener: Open(ctx context.Context, req *fuse.OpenRequest, resp *fuse.OpenResponse) (Handle, error)",
    "READ": "HandleReader: Read(ctx context.Context, req *fuse.ReadRequest, resp *fuse.ReadResponse) error",
    "WRITE": "HandleWriter: Write(ctx context.Context, req *fuse.WriteRequest, resp *fuse.WriteResponse) error",
    "STATFS": "FSStatfser: Statfs(ctx context.Context, req *fuse.StatfsRequest, resp *fuse.StatfsResponse) error",
    "RELEASE": "HandleReleaser: Release(ctx context.Context, req *fuse.ReleaseRequest) error",
    "FSYNC": "NodeFsyncer: Fsync(ctx context.Context, req *fuse.FsyncRequest) error",
    "SETXATTR": "NodeSetxattrer: Setxattr(ctx context.Context, req *fuse.SetxattrRequest) error",
    "GETXATTR": "NodeGetxattrer: Getxattr(ctx context.Context, req *fuse.GetxattrRequest, "
    "resp *fuse.GetxattrResponse) error",
    "LISTXATTR": "NodeListxattrer: Listxattr(ctx context.Context, req *fuse.ListxattrRequest, "
    "resp *fuse.ListxattrResponse) error",
    "REMOVEXATTR": "NodeRemovexattrer: Removexattr(ctx context.Context, req *fuse.RemovexattrRequest) error",
    "FLUSH": "HandleFlusher: Flush(ctx context.Context, req *fuse.FlushRequest) error",
    "OPENDIR": "NodeOpener: Open(ctx context.Context, req *fuse.OpenRequest, resp *fuse.OpenResponse) (Handle, error)",
    "READDIR": "HandleReadDirAller: ReadDirAll(ctx context.Context) ([]fuse.Dirent, error)",
    "RELEASEDIR": "HandleReleaser: Release(ctx context.Context, req *fuse.ReleaseRequest) error",
    "GETLK": "HandleLocker: QueryLock(ctx context.Context, req *fuse.QueryLockRequest, "
    "resp *fuse.QueryLockResponse) error",
    "SETLK": "HandleLocker: Lock(ctx context.Context, req *fuse.LockRequest) error",
    "SETLKW": "HandleLocker: LockWait(ctx context.Context, req *fuse.LockWaitRequest) error",
    "ACCESS": "NodeAccesser: Access(ctx context.Context, req *fuse.AccessRequest) error",
    "CREATE": "NodeCreater: Create(ctx context.Context, req *fuse.CreateRequest, resp *fuse.CreateResponse) "
    "(Node, Handle, error)",
    "DESTROY": "FSDestroyer: Destroy()",
    "POLL": "HandlePoller: Poll(ctx context.Context, req *fuse.PollRequest, resp *fuse.PollResponse) error",
    "FALLOCATE": "HandleFAllocater: FAllocate(ctx context.Context, req *fuse.FAllocateRequest) error",
}

# method and the type of its argument, the same name but for "Op"
_JACOBSA = {
    "LOOKUP": "LookUpInode", "FORGET": "ForgetInode", "GETATTR": "GetInodeAttributes", "SETATTR": "SetInodeAttributes",
    "READLINK": "ReadSymlink", "SYMLINK": "CreateSymlink", "MKNOD": "MkNode", "MKDIR": "MkDir", "UNLINK": "Unlink",
    "RMDIR": "RmDir", "RENAME": "Rename", "LINK": "CreateLink", "OPEN": "OpenFile", "READ": "ReadFile",
    "WRITE": "WriteFile", "STATFS": "StatFS", "RELEASE": "ReleaseFileHandle", "FSYNC": "SyncFile",
    "SETXATTR": "SetXattr", "GETXATTR": "GetXattr", "LISTXATTR": "ListXattr", "REMOVEXATTR": "RemoveXattr",
    "FLUSH": "FlushFile", "OPENDIR": "OpenDir", "READDIR": "ReadDir", "READDIRPLUS": "ReadDirPlus",
    "RELEASEDIR": "ReleaseDirHandle", "CREATE": "CreateFile", "BATCH_FORGET": "BatchForget", "FALLOCATE": "Fallocate",
    "SYNCFS": "SyncFS",
}

_OK = ("ok",)
_REFUSED = ("EROFS", "EOPNOTSUPP", "ENOSYS")  # by version

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
    "RELEASEDIR": _OK, "ACCESS": _OK,
}

BAZIL_MISSING = {
    # fs/serve.go answers the unchanged attributes, as if it had set them.
    "SETATTR": _OK,
    "READLINK": ("EIO",), "SYMLINK": ("EIO",), "MKNOD": ("EIO",), "UNLINK": ("EIO",), "RMDIR": ("EIO",),
    "RENAME": ("EIO",), "LINK": ("EIO",), "FSYNC": ("EIO",), "WRITE": ("EIO",), "READ": ("EOPNOTSUPP", "EIO"),
    "MKDIR": ("EPERM",), "CREATE": ("EPERM",), "LOOKUP": ("ENOENT",),
    "SETXATTR": ("EOPNOTSUPP",), "GETXATTR": ("EOPNOTSUPP",), "LISTXATTR": ("EOPNOTSUPP",),
    "REMOVEXATTR": ("EOPNOTSUPP",), "FALLOCATE": ("EOPNOTSUPP", "ENOSYS"),
    "GETLK": ("EOPNOTSUPP", "ENOSYS"), "SETLK": ("EOPNOTSUPP", "ENOSYS"), "SETLKW": ("EOPNOTSUPP", "ENOSYS"),
    "GETATTR": _OK, "OPEN": _OK, "OPENDIR": _OK, "FLUSH": _OK, "RELEASE": _OK, "RELEASEDIR": _OK, "STATFS": _OK,
    "ACCESS": _OK,
}


def _interface(line: str) -> tuple[Handler, ...]:
    name, _, method = line.partition(": ")
    return (Handler(name, f"func (n *Node) {method}", method.partition("(")[0].lower()),)


GO_FUSE: Rows = {op: _interface(line) for op, line in _GO_FUSE.items()}
BAZIL: Rows = {op: _interface(line) for op, line in _BAZIL.items()}
JACOBSA: Rows = {
    op: (Handler(name, f"{name}(ctx context.Context, op *fuseops.{name}Op) error", name.lower()),)
    for op, name in _JACOBSA.items()
}
