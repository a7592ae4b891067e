"""What is known of every FUSE operation: its number, who sends it, what its absence does.

Owns one row per operation of the protocol up to 7.45; knows nothing of libraries (`handlers` does) or of any run.
Numbers: include/uapi/linux/fuse.h. Treatment of ENOSYS: fs/fuse/*.c; catalogue 4.
"""

# ruff: noqa: E501 - a table
from __future__ import annotations

from dataclasses import dataclass

# How an optional operation may be declined without being wrong. EROFS: an answer of file systems that cannot
# make the thing at all (fusepy's default for links).
DECLINED = frozenset({"ENOSYS", "EOPNOTSUPP", "ENOTTY", "EPERM", "EROFS"})


@dataclass(frozen=True, slots=True)
class Enosys:
    """What the kernel makes of an ENOSYS reply.

    sees: what the application sees. sticky: remembered for the connection, the daemon is never asked again.
    word: the verdict it deserves (FAIL, UNSUPPORTED, WARN or INFO). raw: the application itself gets ENOSYS.
    """

    sees: str
    sticky: bool
    word: str
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    about: what it is, in a sentence. senders: the system calls and events that cause it. core: a file system
    that can be written to is not usable without it. breaks: commands that fail without it, the most telling
    first. normal: errors that belong to its daily work, never a sign of a fault by themselves (a refusal is no such
    thing: where a call fails with the EACCES that OPENDIR answered, OPENDIR is what failed it). declines: errors
    by which it may be declined where a check is optional. mutates: it changes the file system. since: protocol
    minor that brought it. replies: False where none is due.
    """

    name: str
    opcode: int
    about: str
    senders: tuple[str, ...]
    core: bool
    enosys: Enosys
    breaks: tuple[str, ...] = ()
    normal: frozenset[str] = frozenset()
    declines: frozenset[str] = DECLINED
    mutates: bool = False
    since: int = 0
    replies: bool = True


_RAW = Enosys("ENOSYS itself: Function not implemented", False, "FAIL", raw=True)
_RAW_OPTIONAL = Enosys(
    "ENOSYS itself: Function not implemented (EPERM, EOPNOTSUPP or EROFS would be right)", False, "UNSUPPORTED", raw=True
)
_XATTR = Enosys("EOPNOTSUPP: Operation not supported", True, "UNSUPPORTED")
_IGNORED = Enosys("nothing: the reply is ignored", False, "INFO")
_SUCCESS = Enosys("success, though nothing was made durable", True, "UNSUPPORTED")
_LOCK = Enosys("ENOSYS itself (locks should not have been negotiated at INIT)", False, "FAIL", raw=True)
_NONE = Enosys("nothing: no reply is due", False, "INFO")


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _op(
    opcode: int, name: str, about: str, senders: str, enosys: Enosys, *, core: bool = False, breaks: str = "",
    normal: str = "", declines: str = "", mutates: bool = False, since: int = 0, replies: bool = True,
) -> Operation:
    return Operation(
        name=name, opcode=opcode, about=about, senders=tuple(s.strip() for s in senders.split(",") if s.strip()),
        core=core, enosys=enosys, breaks=tuple(breaks.split()),
        normal=_set("EINTR " + normal), declines=DECLINED | _set(declines), mutates=mutates, since=since, replies=replies,
    )


_TABLE = (
    _op(1, "LOOKUP", "Finds a name in a directory and says which node it is, with its attributes.",
        "every call that takes a path: stat, open, …", _RAW, core=True,
        breaks="ls cat stat cp touch rm mv mkdir", normal="ENOENT ENAMETOOLONG"),
    _op(2, "FORGET", "Gives back lookups: the kernel no longer knows the node.",
        "the kernel dropping an inode from its cache", _NONE, replies=False),
    _op(3, "GETATTR", "Reads the attributes of a node: type, mode, size, owner, times, links.",
        "stat, fstat, lstat, open with O_APPEND, read after the attributes' timeout", _RAW, core=True,
        breaks="ls stat cat cp du find cd", normal="ENOENT ESTALE"),
    _op(4, "SETATTR", "Changes attributes: mode, owner, size (truncate) or times.",
        "chmod, chown, truncate, ftruncate, utimensat, open with O_TRUNC", _RAW, core=True,
        breaks="touch chmod chown chgrp truncate tar rsync install cp", mutates=True),
    _op(5, "READLINK", "Reads the target of a symbolic link.",
        "readlink, every path through a symbolic link", _RAW_OPTIONAL,
        breaks="readlink realpath ls tar", normal="EINVAL ENOENT"),
    _op(6, "SYMLINK", "Makes a symbolic link.",
        "symlink", _RAW_OPTIONAL, breaks="ln tar cp git npm", normal="EEXIST", mutates=True),
    _op(8, "MKNOD", "Makes a file without opening it: regular file, FIFO, socket or device.",
        "mknod, mkfifo, bind on a Unix socket, open with O_CREAT where CREATE is absent", _RAW_OPTIONAL,
        breaks="mkfifo mknod", normal="EEXIST", mutates=True),
    _op(9, "MKDIR", "Makes a directory.", "mkdir", _RAW, core=True, breaks="mkdir cp tar git rsync unzip",
        normal="EEXIST ENAMETOOLONG", mutates=True),
    _op(10, "UNLINK", "Removes a name that is no directory.", "unlink, unlinkat, remove", _RAW, core=True,
        breaks="rm mv ln git make vim", normal="ENOENT", mutates=True),
    _op(11, "RMDIR", "Removes an empty directory.", "rmdir, unlinkat with AT_REMOVEDIR", _RAW, core=True,
        breaks="rmdir rm git", normal="ENOTEMPTY EEXIST ENOENT", mutates=True),
    _op(12, "RENAME", "Moves a name, replacing what has the new one.", "rename, renameat", _RAW, core=True,
        breaks="mv sed git vim rsync install", normal="ENOTEMPTY EEXIST EXDEV ENOENT", mutates=True),
    _op(13, "LINK", "Gives a node another name: a hard link.", "link, linkat",
        Enosys("EPERM on new kernels, raw ENOSYS on old ones", False, "UNSUPPORTED"),
        breaks="ln cp git", normal="EEXIST EPERM EMLINK", mutates=True),
    _op(14, "OPEN", "Opens a file and may give it a handle.", "open, openat, execve",
        Enosys("success without a handle: stateless open, data stays cached", True, "INFO"), core=True,
        breaks="cat cp head tail", normal="ENOENT ESTALE"),
    _op(15, "READ", "Reads bytes of an open file.", "read, pread, mmap, execve, sendfile", _RAW, core=True,
        breaks="cat cp head tail grep sha256sum cmp tar"),
    _op(16, "WRITE", "Writes bytes to an open file.", "write, pwrite, msync of a shared mapping", _RAW, core=True,
        breaks="tee cp dd sed tar git", normal="ENOSPC EDQUOT EFBIG", mutates=True),
    _op(17, "STATFS", "Says how big and how full the file system is.", "statfs, statvfs", _RAW, core=True,
        breaks="df stat"),
    _op(18, "RELEASE", "The last descriptor of an open file is gone; its handle may be freed.",
        "the last close or munmap", _IGNORED),
    _op(20, "FSYNC", "Makes a file's data durable.", "fsync, fdatasync, writes with O_SYNC", _SUCCESS,
        breaks="", normal="", declines="EINVAL"),
    _op(21, "SETXATTR", "Sets an extended attribute.", "setxattr, fsetxattr", _XATTR, breaks="setfattr setfacl rsync",
        normal="EOPNOTSUPP EEXIST ENODATA ENOSYS", mutates=True),
    _op(22, "GETXATTR", "Reads an extended attribute.",
        "getxattr, every write (security.capability), ls with SELinux", _XATTR, breaks="getfattr getfacl",
        normal="ENODATA EOPNOTSUPP ERANGE ENOSYS EACCES EPERM"),
    _op(23, "LISTXATTR", "Lists the names of extended attributes.", "listxattr", _XATTR,
        breaks="getfattr rsync", normal="EOPNOTSUPP ERANGE ENOSYS"),
    _op(24, "REMOVEXATTR", "Removes an extended attribute.", "removexattr", _XATTR, breaks="setfattr setfacl",
        normal="ENODATA EOPNOTSUPP ENOSYS", mutates=True),
    _op(25, "FLUSH", "A descriptor was closed; the last chance to report an error of writing.", "close", _SUCCESS,
        normal="ENOSYS"),
    _op(26, "INIT", "Begins the connection: versions, flags and limits are agreed.", "the mount itself",
        Enosys("the mount stays unusable", False, "FAIL"), core=True, breaks="ls"),
    _op(27, "OPENDIR", "Opens a directory for listing.", "opendir, open with O_DIRECTORY",
        Enosys("success without a handle, the listing may be cached", True, "INFO"), core=True,
        breaks="ls find rm", normal="ENOENT"),
    _op(28, "READDIR", "Lists the entries of a directory.", "readdir, getdents64", _RAW, core=True,
        breaks="ls find rm du tar rsync", normal="ENOENT"),
    _op(29, "RELEASEDIR", "The last descriptor of an open directory is gone.", "closedir", _IGNORED),
    _op(30, "FSYNCDIR", "Makes the entries of a directory durable.", "fsync on a directory", _SUCCESS,
        declines="EINVAL", normal="ENOSYS"),
    _op(31, "GETLK", "Asks who holds a conflicting lock.", "fcntl F_GETLK", _LOCK, breaks="sqlite3"),
    _op(32, "SETLK", "Takes or frees a lock, without waiting.", "fcntl F_SETLK, flock", _LOCK,
        breaks="flock sqlite3", normal="EAGAIN EACCES"),
    _op(33, "SETLKW", "Takes a lock, waiting for it.", "fcntl F_SETLKW, flock", _LOCK,
        breaks="flock sqlite3", normal="EAGAIN EDEADLK"),
    _op(34, "ACCESS", "Asks whether the caller may read, write or execute.",
        "access, chdir (neither with default_permissions)", Enosys("granted, always", True, "INFO"),
        normal="EACCES EPERM EROFS ENOSYS ENOENT"),
    _op(35, "CREATE", "Makes a regular file and opens it in one step.", "open with O_CREAT",
        Enosys("the kernel tries MKNOD and OPEN instead", True, "UNSUPPORTED"), core=True,
        breaks="touch cp tee dd tar mktemp", normal="EEXIST ENAMETOOLONG", mutates=True),
    _op(36, "INTERRUPT", "Asks the daemon to give up a request whose caller got a signal.",
        "a signal to a process that waits", Enosys("nothing: interrupts are switched off", True, "INFO"),
        normal="EAGAIN ENOSYS"),
    _op(37, "BMAP", "Maps a file's block to the device's.", "ioctl FIBMAP, swapon (fuseblk only)",
        Enosys("block 0", True, "INFO"), normal="ENOSYS"),
    _op(38, "DESTROY", "Ends the connection.", "umount (fuseblk and virtiofs only)", _IGNORED, normal="ENOSYS"),
    _op(39, "IOCTL", "A device-like command to an open file.", "ioctl, isatty, lsattr",
        Enosys("ENOTTY: Inappropriate ioctl for device", False, "UNSUPPORTED"), breaks="lsattr chattr",
        normal="ENOTTY ENOSYS EINVAL EOPNOTSUPP"),
    _op(40, "POLL", "Asks whether an open file is ready.", "poll, select, epoll_ctl",
        Enosys("always ready", True, "INFO"), normal="ENOSYS", since=11),
    _op(41, "NOTIFY_REPLY", "Brings the cached data that the daemon asked for.", "the daemon's NOTIFY_RETRIEVE",
        _NONE, since=15, replies=False),
    _op(42, "BATCH_FORGET", "Gives back lookups of many nodes at once.", "the kernel shrinking its cache", _NONE,
        since=16, replies=False),
    _op(43, "FALLOCATE", "Reserves space, or punches a hole.", "fallocate, posix_fallocate",
        Enosys("EOPNOTSUPP: Operation not supported", True, "UNSUPPORTED"), breaks="fallocate",
        normal="EOPNOTSUPP ENOSYS", mutates=True, since=19),
    _op(44, "READDIRPLUS", "Lists entries together with their attributes.", "readdir, getdents64 (where negotiated)",
        _RAW, breaks="ls find rm", normal="ENOENT", since=21),
    _op(45, "RENAME2", "Moves a name with flags: no replacing, exchanging, whiteout.", "renameat2 with flags",
        Enosys("EINVAL: Invalid argument", True, "UNSUPPORTED"),
        normal="EEXIST ENOENT EINVAL ENOSYS", declines="EINVAL", mutates=True, since=23),
    _op(46, "LSEEK", "Finds the next data or hole.", "lseek with SEEK_DATA or SEEK_HOLE",
        Enosys("the file has no holes", True, "INFO"), normal="ENXIO ENOSYS EOPNOTSUPP", since=24),
    _op(47, "COPY_FILE_RANGE", "Copies between two files inside the daemon.", "copy_file_range, cp",
        Enosys("success: the kernel copies by reading and writing", True, "INFO"),
        normal="ENOSYS EOPNOTSUPP EXDEV", mutates=True, since=28),
    _op(48, "SETUPMAPPING", "Maps a file into shared memory.", "DAX on virtiofs", _IGNORED, normal="ENOSYS", since=31),
    _op(49, "REMOVEMAPPING", "Ends such a mapping.", "DAX on virtiofs", _IGNORED, normal="ENOSYS", since=31),
    _op(50, "SYNCFS", "Makes the whole file system durable.", "syncfs (fuseblk and virtiofs only)", _SUCCESS,
        normal="ENOSYS", since=34),
    _op(51, "TMPFILE", "Opens a file that has no name.", "open with O_TMPFILE",
        Enosys("EOPNOTSUPP: Operation not supported", True, "UNSUPPORTED"), normal="ENOSYS EOPNOTSUPP",
        mutates=True, since=37),
    _op(52, "STATX", "Reads attributes with the time of birth.", "statx with STATX_BTIME",
        Enosys("GETATTR is used instead", True, "INFO"), normal="ENOSYS", since=39),
    _op(53, "COPY_FILE_RANGE_64", "Copies between two files, more than 4 GiB at once.", "copy_file_range, cp",
        Enosys("COPY_FILE_RANGE is tried, then the kernel copies", True, "INFO"),
        normal="ENOSYS EOPNOTSUPP EXDEV", mutates=True, since=45),
    _op(4096, "CUSE_INIT", "Begins the connection of a character device in user space.", "opening /dev/cuse",
        Enosys("no device appears", False, "INFO"), since=11),
)

OPERATIONS: dict[str, Operation] = {row.name: row for row in _TABLE}
"""Every operation by its name, in the order of the opcodes."""

BY_OPCODE: dict[int, Operation] = {row.opcode: row for row in _TABLE}
"""The same by number."""

MUTATORS = tuple(row.name for row in _TABLE if row.mutates)
"""What a read-only file system has to answer with EROFS."""


def operation_name(opcode: int) -> str:
    """`SETATTR` for 4; `OPCODE_99` for a number that has no row."""
    row = BY_OPCODE.get(opcode)
    return row.name if row else f"OPCODE_{opcode}"


def rank(op: str) -> int:
    """Where an operation stands in the table, those without a row last."""
    row = OPERATIONS.get(op)
    return row.opcode if row else 1 << 16


def consequence(op: str) -> str:
    """What an ENOSYS reply comes to, as a sentence for the person at the terminal."""
    row = OPERATIONS.get(op)
    if row is None:
        return "the kernel passes ENOSYS on"
    told = "the application sees" if row.enosys.raw else "the kernel makes of it:"
    return f"{told} {row.enosys.sees}" + (" (remembered: the daemon is never asked again)" if row.enosys.sticky else "")


def needed_by(command: str) -> list[str]:
    """The operations without which a command fails, the most telling first: SETATTR, CREATE, LOOKUP for `touch`."""
    rows = [row for row in _TABLE if command.lower() in row.breaks]
    return [row.name for row in sorted(rows, key=lambda row: row.breaks.index(command.lower()))]
