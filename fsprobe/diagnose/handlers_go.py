"""The handlers of Go libraries: bazil.org/fuse, jacobsa/fuse, cgofuse. Those of go-fuse lie in `handlers_gofuse`.

Owns declarations and what each library answers by itself, taken from the libraries' dispatchers (bazil fs/serve.go,
cgofuse fuse/host.go); knows nothing of a daemon.
"""

# ruff: noqa: E501 - one declaration a line reads better than a broken one
from __future__ import annotations

from fsprobe.diagnose.rows import Handler, Rows, rows

# interface, then its method; one a line where there are several
_BAZIL = {
    "LOOKUP": """NodeStringLookuper: Lookup(ctx context.Context, name string) (Node, error)
        NodeRequestLookuper: Lookup(ctx context.Context, req *fuse.LookupRequest, resp *fuse.LookupResponse) (Node, error)""",
    "FORGET": "NodeForgetter: Forget()",
    "BATCH_FORGET": "NodeForgetter: Forget()",
    "GETATTR": """Node.Attr: Attr(ctx context.Context, attr *fuse.Attr) error
        NodeGetattrer: Getattr(ctx context.Context, req *fuse.GetattrRequest, resp *fuse.GetattrResponse) error""",
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
    "READ": """HandleReader: Read(ctx context.Context, req *fuse.ReadRequest, resp *fuse.ReadResponse) error
        HandleReadAller: ReadAll(ctx context.Context) ([]byte, error)""",
    "WRITE": "HandleWriter: Write(ctx context.Context, req *fuse.WriteRequest, resp *fuse.WriteResponse) error",
    "STATFS": "FSStatfser: Statfs(ctx context.Context, req *fuse.StatfsRequest, resp *fuse.StatfsResponse) error",
    "RELEASE": "HandleReleaser: Release(ctx context.Context, req *fuse.ReleaseRequest) error",
    "FSYNC": "NodeFsyncer: Fsync(ctx context.Context, req *fuse.FsyncRequest) error",
    "FSYNCDIR": "NodeFsyncer: Fsync(ctx context.Context, req *fuse.FsyncRequest) error",
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
    "GETLK": "HandleLocker.QueryLock: QueryLock(ctx context.Context, req *fuse.QueryLockRequest, "
    "resp *fuse.QueryLockResponse) error",
    "SETLK": """HandleLocker.Lock: Lock(ctx context.Context, req *fuse.LockRequest) error
        HandleLocker.Unlock: Unlock(ctx context.Context, req *fuse.UnlockRequest) error""",
    "SETLKW": "HandleLocker.LockWait: LockWait(ctx context.Context, req *fuse.LockWaitRequest) error",
    "ACCESS": "NodeAccesser: Access(ctx context.Context, req *fuse.AccessRequest) error",
    "CREATE": "NodeCreater: Create(ctx context.Context, req *fuse.CreateRequest, resp *fuse.CreateResponse) "
    "(Node, Handle, error)",
    "DESTROY": "FSDestroyer: Destroy()",
    "POLL": """HandlePoller: Poll(ctx context.Context, req *fuse.PollRequest, resp *fuse.PollResponse) error
        NodePoller: Poll(ctx context.Context, req *fuse.PollRequest, resp *fuse.PollResponse) error""",
    "FALLOCATE": "HandleFAllocater: FAllocate(ctx context.Context, req *fuse.FAllocateRequest) error",
}

# method and the type of its argument, the same name but for "Op"
_JACOBSA = {
    "LOOKUP": "LookUpInode", "FORGET": "ForgetInode", "GETATTR": "GetInodeAttributes", "SETATTR": "SetInodeAttributes",
    "READLINK": "ReadSymlink", "SYMLINK": "CreateSymlink", "MKNOD": "MkNode", "MKDIR": "MkDir", "UNLINK": "Unlink",
    "RMDIR": "RmDir", "RENAME": "Rename", "LINK": "CreateLink", "OPEN": "OpenFile", "READ": "ReadFile",
    "WRITE": "WriteFile", "STATFS": "StatFS", "RELEASE": "ReleaseFileHandle", "FSYNC": "SyncFile",
    "FSYNCDIR": "SyncFile",
    "SETXATTR": "SetXattr", "GETXATTR": "GetXattr", "LISTXATTR": "ListXattr", "REMOVEXATTR": "RemoveXattr",
    "FLUSH": "FlushFile", "OPENDIR": "OpenDir", "READDIR": "ReadDir", "READDIRPLUS": "ReadDirPlus",
    "RELEASEDIR": "ReleaseDirHandle", "CREATE": "CreateFile", "BATCH_FORGET": "BatchForget", "FALLOCATE": "Fallocate",
    "SYNCFS": "SyncFS",
}

_CGOFUSE = {
    "LOOKUP": "Getattr(path string, stat *fuse.Stat_t, fh uint64) int",
    "GETATTR": "Getattr(path string, stat *fuse.Stat_t, fh uint64) int",
    "SETATTR": """Chmod(path string, mode uint32) int
        Chown(path string, uid uint32, gid uint32) int
        Truncate(path string, size int64, fh uint64) int
        Utimens(path string, tmsp []fuse.Timespec) int""",
    "READLINK": "Readlink(path string) (int, string)",
    "SYMLINK": "Symlink(target string, newpath string) int",
    "MKNOD": "Mknod(path string, mode uint32, dev uint64) int",
    "MKDIR": "Mkdir(path string, mode uint32) int",
    "UNLINK": "Unlink(path string) int",
    "RMDIR": "Rmdir(path string) int",
    "RENAME": "Rename(oldpath string, newpath string) int",
    "RENAME2": "Rename3(oldpath string, newpath string, flags uint32) int",
    "LINK": "Link(oldpath string, newpath string) int",
    "OPEN": """Open(path string, flags int) (int, uint64)
        OpenEx(path string, fi *fuse.FileInfo_t) int""",
    "READ": "Read(path string, buff []byte, ofst int64, fh uint64) int",
    "WRITE": "Write(path string, buff []byte, ofst int64, fh uint64) int",
    "STATFS": "Statfs(path string, stat *fuse.Statfs_t) int",
    "RELEASE": "Release(path string, fh uint64) int",
    "FSYNC": "Fsync(path string, datasync bool, fh uint64) int",
    "SETXATTR": "Setxattr(path string, name string, value []byte, flags int) int",
    "GETXATTR": "Getxattr(path string, name string) (int, []byte)",
    "LISTXATTR": "Listxattr(path string, fill func(name string) bool) int",
    "REMOVEXATTR": "Removexattr(path string, name string) int",
    "FLUSH": "Flush(path string, fh uint64) int",
    "INIT": "Init()",
    "OPENDIR": "Opendir(path string) (int, uint64)",
    "READDIR": "Readdir(path string, fill func(name string, stat *fuse.Stat_t, ofst int64) bool, ofst int64, fh uint64) int",
    "READDIRPLUS": "Readdir(path string, fill func(name string, stat *fuse.Stat_t, ofst int64) bool, ofst int64, fh uint64) int",
    "RELEASEDIR": "Releasedir(path string, fh uint64) int",
    "FSYNCDIR": "Fsyncdir(path string, datasync bool, fh uint64) int",
    "ACCESS": "Access(path string, mask uint32) int",
    "CREATE": """Create(path string, flags int, mode uint32) (int, uint64)
        CreateEx(path string, mode uint32, fi *fuse.FileInfo_t) int""",
    "DESTROY": "Destroy()",
}

_OK = ("ok",)

BAZIL_MISSING = {
    # fs/serve.go answers the unchanged attributes, as if it had set them.
    "SETATTR": _OK,
    "READLINK": ("EIO",), "SYMLINK": ("EIO",), "MKNOD": ("EIO",), "UNLINK": ("EIO",), "RMDIR": ("EIO",),
    "RENAME": ("EIO",), "LINK": ("EIO",), "FSYNC": ("EIO",), "FSYNCDIR": ("EIO",), "WRITE": ("EIO",), "READ": ("EOPNOTSUPP", "EIO"),
    "MKDIR": ("EPERM",), "CREATE": ("EPERM",), "LOOKUP": ("ENOENT",),
    "SETXATTR": ("EOPNOTSUPP",), "GETXATTR": ("EOPNOTSUPP",), "LISTXATTR": ("EOPNOTSUPP",),
    "REMOVEXATTR": ("EOPNOTSUPP",), "FALLOCATE": ("EOPNOTSUPP", "ENOSYS"),
    "GETLK": ("EOPNOTSUPP", "ENOSYS"), "SETLK": ("EOPNOTSUPP", "ENOSYS"), "SETLKW": ("EOPNOTSUPP", "ENOSYS"),
    "GETATTR": _OK, "OPEN": _OK, "OPENDIR": _OK, "FLUSH": _OK, "RELEASE": _OK, "RELEASEDIR": _OK, "STATFS": _OK,
    "ACCESS": _OK, "READDIR": _OK, "POLL": _OK,
}


def interfaces(text: str) -> tuple[Handler, ...]:
    """Handlers out of lines `Interface: Method(…) …`."""
    return tuple(_interface(line.strip()) for line in text.splitlines())


def _interface(line: str) -> Handler:
    name, _, method = line.partition(": ")
    receiver = {"H": "h *Handle", "F": "f *FS" if name.startswith("FS") else "f *File"}.get(name[0], "n *Node")
    return Handler(name, f"func ({receiver}) {method}", method.partition("(")[0].lower())


def _method(word: str) -> str:
    return word


def _of_fs(line: str) -> str:
    return f"func (fs *FS) {line}"


BAZIL: Rows = {op: interfaces(text) for op, text in _BAZIL.items()}
CGOFUSE: Rows = rows(_CGOFUSE, _method, _of_fs)
JACOBSA: Rows = {
    op: (Handler(name, _of_fs(f"{name}(ctx context.Context, op *fuseops.{name}Op) error"), name.lower()),)
    for op, name in _JACOBSA.items()
}
