"""The handlers of libfuse: high level and low level of versions 2 and 3.

Owns declarations as the headers give them (struct fuse_operations and struct fuse_lowlevel_ops of FUSE_USE_VERSION 26
and 35); knows nothing of what is missing in a daemon.
"""

# ruff: noqa: E501 - one declaration a line reads better than a broken one
from __future__ import annotations

from fsprobe.diagnose.rows import Rows, rows

_COMMON = {
    "READLINK": "int readlink(const char *path, char *buf, size_t size)",
    "SYMLINK": "int symlink(const char *target, const char *path)",
    "MKNOD": "int mknod(const char *path, mode_t mode, dev_t rdev)",
    "MKDIR": "int mkdir(const char *path, mode_t mode)",
    "UNLINK": "int unlink(const char *path)",
    "RMDIR": "int rmdir(const char *path)",
    "LINK": "int link(const char *from, const char *to)",
    "OPEN": "int open(const char *path, struct fuse_file_info *fi)",
    "READ": """int read(const char *path, char *buf, size_t size, off_t off, struct fuse_file_info *fi)
        int read_buf(const char *path, struct fuse_bufvec **bufp, size_t size, off_t off, struct fuse_file_info *fi)""",
    "WRITE": """int write(const char *path, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
        int write_buf(const char *path, struct fuse_bufvec *buf, off_t off, struct fuse_file_info *fi)""",
    "STATFS": "int statfs(const char *path, struct statvfs *st)",
    "RELEASE": "int release(const char *path, struct fuse_file_info *fi)",
    "FSYNC": "int fsync(const char *path, int datasync, struct fuse_file_info *fi)",
    "SETXATTR": "int setxattr(const char *path, const char *name, const char *value, size_t size, int flags)",
    "GETXATTR": "int getxattr(const char *path, const char *name, char *value, size_t size)",
    "LISTXATTR": "int listxattr(const char *path, char *list, size_t size)",
    "REMOVEXATTR": "int removexattr(const char *path, const char *name)",
    "FLUSH": "int flush(const char *path, struct fuse_file_info *fi)",
    "OPENDIR": "int opendir(const char *path, struct fuse_file_info *fi)",
    "RELEASEDIR": "int releasedir(const char *path, struct fuse_file_info *fi)",
    "FSYNCDIR": "int fsyncdir(const char *path, int datasync, struct fuse_file_info *fi)",
    "GETLK": "int lock(const char *path, struct fuse_file_info *fi, int cmd, struct flock *lock)",
    "SETLK": """int lock(const char *path, struct fuse_file_info *fi, int cmd, struct flock *lock)
        int flock(const char *path, struct fuse_file_info *fi, int op)""",
    "SETLKW": """int lock(const char *path, struct fuse_file_info *fi, int cmd, struct flock *lock)
        int flock(const char *path, struct fuse_file_info *fi, int op)""",
    "ACCESS": "int access(const char *path, int mask)",
    "CREATE": "int create(const char *path, mode_t mode, struct fuse_file_info *fi)",
    "BMAP": "int bmap(const char *path, size_t blocksize, uint64_t *idx)",
    "DESTROY": "void destroy(void *private_data)",
    "POLL": "int poll(const char *path, struct fuse_file_info *fi, struct fuse_pollhandle *ph, unsigned *reventsp)",
    "FALLOCATE": "int fallocate(const char *path, int mode, off_t off, off_t len, struct fuse_file_info *fi)",
}

_HIGH2 = {
    **_COMMON,
    "LOOKUP": "int getattr(const char *path, struct stat *st)",
    "GETATTR": """int getattr(const char *path, struct stat *st)
        int fgetattr(const char *path, struct stat *st, struct fuse_file_info *fi)""",
    "SETATTR": """int chmod(const char *path, mode_t mode)
        int chown(const char *path, uid_t uid, gid_t gid)
        int truncate(const char *path, off_t size)
        int utimens(const char *path, const struct timespec tv[2])""",
    "RENAME": "int rename(const char *from, const char *to)",
    "READDIR": "int readdir(const char *path, void *buf, fuse_fill_dir_t filler, off_t off, "
    "struct fuse_file_info *fi)",
    "INIT": "void *init(struct fuse_conn_info *conn)",
    "IOCTL": "int ioctl(const char *path, int cmd, void *arg, struct fuse_file_info *fi, unsigned int flags, void *data)",
}

_HIGH3 = {
    **_COMMON,
    "LOOKUP": "int getattr(const char *path, struct stat *st, struct fuse_file_info *fi)",
    "GETATTR": "int getattr(const char *path, struct stat *st, struct fuse_file_info *fi)",
    "SETATTR": """int chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
        int chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
        int truncate(const char *path, off_t size, struct fuse_file_info *fi)
        int utimens(const char *path, const struct timespec tv[2], struct fuse_file_info *fi)""",
    "RENAME": "int rename(const char *from, const char *to, unsigned int flags)",
    "RENAME2": "int rename(const char *from, const char *to, unsigned int flags)",
    "READDIR": "int readdir(const char *path, void *buf, fuse_fill_dir_t filler, off_t off, "
    "struct fuse_file_info *fi, enum fuse_readdir_flags flags)",
    "READDIRPLUS": "int readdir(const char *path, void *buf, fuse_fill_dir_t filler, off_t off, "
    "struct fuse_file_info *fi, enum fuse_readdir_flags flags)",
    "INIT": "void *init(struct fuse_conn_info *conn, struct fuse_config *cfg)",
    "IOCTL": "int ioctl(const char *path, unsigned int cmd, void *arg, struct fuse_file_info *fi, "
    "unsigned int flags, void *data)",
    "LSEEK": "off_t lseek(const char *path, off_t off, int whence, struct fuse_file_info *fi)",
    "COPY_FILE_RANGE": "ssize_t copy_file_range(const char *path_in, struct fuse_file_info *fi_in, off_t off_in, "
    "const char *path_out, struct fuse_file_info *fi_out, off_t off_out, size_t size, int flags)",
    "STATX": "int statx(const char *path, int flags, int mask, struct statx *stxbuf, struct fuse_file_info *fi) "
    "/* from libfuse 3.18 on */",
}

_LOW = {
    "LOOKUP": "void lookup(fuse_req_t req, fuse_ino_t parent, const char *name)",
    "FORGET": "void forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)",
    "GETATTR": "void getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)",
    "SETATTR": "void setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)",
    "READLINK": "void readlink(fuse_req_t req, fuse_ino_t ino)",
    "SYMLINK": "void symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)",
    "MKNOD": "void mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)",
    "MKDIR": "void mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)",
    "UNLINK": "void unlink(fuse_req_t req, fuse_ino_t parent, const char *name)",
    "RMDIR": "void rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)",
    "RENAME": "void rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent, "
    "const char *newname, unsigned int flags)",
    "RENAME2": "void rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent, "
    "const char *newname, unsigned int flags)",
    "LINK": "void link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)",
    "OPEN": "void open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)",
    "READ": "void read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)",
    "WRITE": """void write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
        void write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *bufv, off_t off, struct fuse_file_info *fi)""",
    "STATFS": "void statfs(fuse_req_t req, fuse_ino_t ino)",
    "RELEASE": "void release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)",
    "FSYNC": "void fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)",
    "SETXATTR": "void setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)",
    "GETXATTR": "void getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)",
    "LISTXATTR": "void listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)",
    "REMOVEXATTR": "void removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)",
    "FLUSH": "void flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)",
    "INIT": "void init(void *userdata, struct fuse_conn_info *conn)",
    "OPENDIR": "void opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)",
    "READDIR": "void readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)",
    "RELEASEDIR": "void releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)",
    "FSYNCDIR": "void fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)",
    "GETLK": "void getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *lock)",
    "SETLK": """void setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *lock, int sleep)
        void flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int op)""",
    "SETLKW": """void setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *lock, int sleep)
        void flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int op)""",
    "ACCESS": "void access(fuse_req_t req, fuse_ino_t ino, int mask)",
    "CREATE": "void create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)",
    "BMAP": "void bmap(fuse_req_t req, fuse_ino_t ino, size_t blocksize, uint64_t idx)",
    "DESTROY": "void destroy(void *userdata)",
    "IOCTL": "void ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg, struct fuse_file_info *fi, "
    "unsigned flags, const void *in_buf, size_t in_bufsz, size_t out_bufsz)",
    "POLL": "void poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)",
    "NOTIFY_REPLY": "void retrieve_reply(fuse_req_t req, void *cookie, fuse_ino_t ino, off_t offset, "
    "struct fuse_bufvec *bufv)",
    "BATCH_FORGET": "void forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)",
    "FALLOCATE": "void fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, "
    "struct fuse_file_info *fi)",
    "READDIRPLUS": "void readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)",
    "COPY_FILE_RANGE": "void copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in, "
    "struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out, struct fuse_file_info *fi_out, "
    "size_t len, int flags)",
    "LSEEK": "void lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)",
    # Older versions answer ENOSYS whatever the daemon does.
    "TMPFILE": "void tmpfile(fuse_req_t req, fuse_ino_t parent, mode_t mode, struct fuse_file_info *fi) "
    "/* from libfuse 3.17 on */",
    "STATX": "void statx(fuse_req_t req, fuse_ino_t ino, int flags, int mask, struct fuse_file_info *fi) "
    "/* from libfuse 3.18 on */",
}

# The low level of version 2: what came later is not there, and three had other arguments.
_LOW2 = {
    **{op: text for op, text in _LOW.items()
       if op not in ("RENAME2", "READDIRPLUS", "COPY_FILE_RANGE", "LSEEK", "TMPFILE", "STATX")},
    "FORGET": "void forget(fuse_req_t req, fuse_ino_t ino, unsigned long nlookup)",
    "RENAME": "void rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent, "
    "const char *newname)",
    "IOCTL": "void ioctl(fuse_req_t req, fuse_ino_t ino, int cmd, void *arg, struct fuse_file_info *fi, "
    "unsigned flags, const void *in_buf, size_t in_bufsz, size_t out_bufsz)",
}  # fmt: skip


def _dot(word: str) -> str:
    return "." + word


def _as_written(line: str) -> str:
    return line


LIBFUSE2: Rows = rows(_HIGH2, _dot, _as_written)
LIBFUSE3: Rows = rows(_HIGH3, _dot, _as_written)
LIBFUSE_LOW: Rows = rows(_LOW, _dot, _as_written)
LIBFUSE2_LOW: Rows = rows(_LOW2, _dot, _as_written)
