"""Who decides what the checks ask: the standard's page, the man page or the kernel's file behind each number.

Owns the table from the numbers that a check's `source` has, `catalogue 3.15.8`, to what anybody can look up; knows
nothing of the checks. POSIX: pages of the System Interfaces, POSIX.1-2017. fs/fuse: files of the Linux kernel.
"""

from __future__ import annotations

import re

PUBLIC: dict[str, str] = {
    # LOOKUP
    "3.1.1": "POSIX stat; fs/fuse/dir.c fuse_lookup_name",
    "3.1.2": "POSIX open; man 3 statvfs (f_namemax); fs/fuse/dir.c fuse_lookup",
    "3.1.3": "POSIX XBD 3.170 Filename; xfstests generic/453",
    "3.1.4": "POSIX XBD 3.170 Filename",
    "3.1.5": "man 7 path_resolution",
    "3.1.6": "POSIX open; fs/fuse/dir.c fuse_dentry_revalidate",
    "3.1.7": "fs/fuse/dir.c fuse_lookup, fuse_invalid_attr; fs/fuse/inode.c fuse_stale_inode",
    "3.1.8": "fs/fuse/dir.c fuse_valid_type, fuse_valid_size",
    "3.1.9": "POSIX sys/stat.h; man 7 inode",
    # FORGET
    "3.2.1": "include/uapi/linux/fuse.h FUSE_FORGET",
    "3.2.2": "libfuse fuse_lowlevel.h (forget); fs/fuse/readdir.c fuse_direntplus_link",
    "3.2.3": "libfuse fuse_lowlevel.h (forget); POSIX unlink",
    "3.2.4": "libfuse fuse_lowlevel.h (forget)",
    "3.2.5": "libfuse fuse_lowlevel.h (forget)",
    # GETATTR
    "3.3.1": "POSIX stat; man 7 inode; xfstests generic/471",
    "3.3.2": "POSIX fstat, write",
    "3.3.3": "POSIX fstat, unlink",
    "3.3.4": "man 7 inode (st_nlink)",
    "3.3.5": "man 2 lstat; man 7 symlink",
    "3.3.6": "man 7 inode (st_blocks, st_blksize)",
    "3.3.7": "POSIX stat; fs/fuse/inode.c fuse_get_root_inode",
    "3.3.8": "POSIX stat, unlink",
    # SETATTR
    "3.4.1": "POSIX chmod; man 2 chmod; pjdfstest chmod",
    "3.4.2": "POSIX chmod; man 7 inode",
    "3.4.3": "POSIX chmod; man 2 chmod",
    "3.4.4": "POSIX fchmod; man 2 fchmodat2",
    "3.4.5": "POSIX chown, lchown",
    "3.4.6": "POSIX chown; man 2 chown",
    "3.4.7": "man 2 chown; xfstests generic/193, 683 to 685",
    "3.4.8": "POSIX chown",
    "3.4.9": "POSIX ftruncate; xfstests generic/029, 030",
    "3.4.10": "POSIX ftruncate",
    "3.4.11": "POSIX ftruncate; xfstests generic/313",
    "3.4.12": "POSIX truncate; man 2 truncate",
    "3.4.13": "POSIX ftruncate; man 7 inode",
    "3.4.14": "POSIX utimensat; pjdfstest utimensat/08",
    "3.4.15": "man 2 utimensat",
    "3.4.16": "man 2 utimensat; xfstests generic/258; pjdfstest utimensat/09",
    "3.4.17": "man 2 utimensat",
    "3.4.18": "POSIX utimensat",
    "3.4.19": "fs/fuse/dir.c fuse_do_setattr; include/uapi/linux/fuse.h FUSE_ATOMIC_O_TRUNC",
    # SYMLINK, READLINK
    "3.5.1": "POSIX symlink, readlink",
    "3.5.2": "POSIX readlink",
    "3.5.3": "POSIX symlink, lstat",
    "3.5.4": "fs/fuse/dir.c fuse_readlink_folio",
    "3.5.5": "POSIX symlink",
    # MKNOD
    "3.6": "POSIX mknod, mkfifo",
    "3.6.1": "POSIX mknod; man 2 mknod",
    "3.6.2": "POSIX mknod; man 2 mknod",
    "3.6.3": "POSIX mkfifo; man 7 unix",
    "3.6.4": "man 2 mknod; fs/fuse/dir.c fuse_atomic_open",
    "3.6.5": "POSIX mknod, umask",
    # MKDIR
    "3.7": "POSIX mkdir",
    "3.7.1": "POSIX mkdir",
    "3.7.2": "POSIX mkdir, umask",
    "3.7.3": "POSIX mkdir; man 7 inode (S_ISGID); xfstests generic/314",
    "3.7.4": "POSIX mkdir",
    "3.7.5": "POSIX mkdir; man 2 mkdir",
    "3.7.6": "POSIX mkdir, openat",
    # UNLINK
    "3.8.1": "POSIX unlink; xfstests generic/236",
    "3.8.2": "POSIX unlink; pjdfstest unlink/14; xfstests generic/035",
    "3.8.3": "POSIX unlink, open",
    "3.8.4": "POSIX unlink; man 2 unlink",
    "3.8.5": "POSIX unlink; man 7 inode (S_ISVTX)",
    "3.8.6": "POSIX unlink",
    # RMDIR
    "3.9": "POSIX rmdir",
    "3.9.1": "POSIX rmdir; man 2 rmdir",
    "3.9.2": "POSIX rmdir",
    "3.9.3": "POSIX rmdir; man 2 getdents",
    "3.9.4": "POSIX rmdir, unlink",
    "3.9.5": "man 2 rmdir (EBUSY)",
    # RENAME
    "3.10": "POSIX rename",
    "3.10.1": "POSIX rename; xfstests generic/309; pjdfstest rename/22",
    "3.10.2": "POSIX rename; xfstests generic/035",
    "3.10.3": "POSIX rename",
    "3.10.4": "POSIX rename",
    "3.10.5": "POSIX rename; xfstests generic/245",
    "3.10.6": "POSIX rename; man 2 rename",
    "3.10.7": "POSIX rename; pjdfstest rename/21, rename/24",
    "3.10.8": "POSIX rename, openat, getcwd",
    "3.10.9": "POSIX rename; man 7 inode (S_ISVTX)",
    "3.10.10": "POSIX rename, openat",
    "3.10.11": "POSIX rename; Documentation/filesystems/directory-locking",
    # RENAME2
    "3.11.1": "man 2 renameat2",
    "3.11.2": "man 2 renameat2",
    "3.11.3": "man 2 renameat2; xfstests generic/024, 025, 078",
    "3.11.4": "fs/fuse/dir.c fuse_rename2",
    # LINK
    "3.12.1": "POSIX link",
    "3.12.2": "POSIX link; man 2 link",
    "3.12.3": "man 2 linkat",
    "3.12.4": "fs/fuse/dir.c fuse_link",
    "3.12.5": "POSIX link (EMLINK)",
    "3.12.6": "POSIX link; fs/fuse/dir.c fuse_link",
    # OPEN
    "3.13": "POSIX open",
    "3.13.1": "POSIX open; man 2 open",
    "3.13.2": "POSIX open; include/uapi/linux/fuse.h FUSE_ATOMIC_O_TRUNC",
    "3.13.3": "POSIX open, write; man 2 pwrite",
    "3.13.4": "POSIX open",
    "3.13.5": "POSIX exec; man 2 execve (ETXTBSY)",
    "3.13.6": "POSIX open",
    "3.13.7": "man 2 open (O_PATH, O_DIRECT)",
    "3.13.8": "fs/fuse/file.c fuse_file_open",
    "3.13.9": "fs/fuse/file.c fuse_file_mmap",
    "3.13.10": "man 2 open; fs/open.c do_sys_openat2 (ESTALE)",
    # READ
    "3.14.1": "POSIX read, pread",
    "3.14.2": "POSIX read; fs/fuse/file.c fuse_short_read",
    "3.14.3": "POSIX read, stat; fs/fuse/file.c fuse_short_read",
    "3.14.4": "POSIX read, lseek; pjdfstest open/25",
    "3.14.5": "POSIX read; man 2 read",
    "3.14.6": "POSIX read; man 8 mount (relatime); xfstests generic/192",
    "3.14.7": "POSIX read, write",
    "3.14.8": "POSIX pread",
    # WRITE
    "3.15.1": "POSIX write; fs/fuse/file.c fuse_send_write_pages",
    "3.15.2": "POSIX write",
    "3.15.3": "POSIX write, lseek",
    "3.15.4": "POSIX write",
    "3.15.5": "POSIX write (O_APPEND); xfstests generic/069",
    "3.15.6": "POSIX pwrite",
    "3.15.7": "POSIX write; man 7 inode; man 2 setrlimit",
    "3.15.8": "POSIX write (ENOSPC)",
    "3.15.9": "include/uapi/linux/fuse.h FUSE_WRITE_CACHE",
    "3.15.10": "POSIX dup, fork",
    # STATFS
    "3.16.1": "POSIX statvfs; man 3 statvfs",
    "3.16.2": "POSIX statvfs, fstatvfs",
    "3.16.3": "POSIX statvfs",
    # FLUSH, RELEASE
    "3.17.1": "POSIX close; libfuse fuse.h (flush, release)",
    "3.17.2": "POSIX close; fs/fuse/file.c fuse_flush",
    "3.17.3": "POSIX close, open, read",
    "3.17.4": "POSIX close, fcntl; man 2 flock",
    "3.17.5": "fs/fuse/file.c fuse_flush, fuse_file_put",
    "3.17.6": "libfuse fuse_lowlevel.h (release)",
    "3.17.7": "POSIX mmap, close",
    # FSYNC
    "3.18.1": "POSIX fsync, fdatasync; man 2 fsync",
    "3.18.2": "man 2 fsync; fs/fuse/file.c fuse_fsync; fs/fuse/dir.c fuse_dir_fsync",
    "3.18.3": "POSIX fsync, fdatasync",
    "3.18.4": "man 2 fsync (EIO); xfstests generic/441, 484",
    "3.18.5": "man 2 syncfs; fs/fuse/inode.c fuse_sync_fs",
    "3.18.6": "POSIX open (O_SYNC, O_DSYNC); xfstests generic/609",
    # extended attributes
    "3.19.1": "man 2 setxattr, getxattr, listxattr, removexattr",
    "3.19.2": "man 2 setxattr",
    "3.19.3": "man 2 getxattr, listxattr; fs/fuse/xattr.c fuse_verify_xattr_list",
    "3.19.4": "man 2 setxattr; man 7 xattr",
    "3.19.5": "man 7 xattr; man 2 setxattr",
    "3.19.6": "man 7 xattr",
    "3.19.7": "man 7 xattr (trusted.)",
    "3.19.8": "man 7 xattr; man 7 inode (ctime)",
    "3.19.9": "man 5 acl; xfstests generic/099, 105, 319, 375, 389, 444",
    "3.19.10": "man 7 xattr",
    "3.19.11": "man 7 xattr, capabilities; security/commoncap.c get_vfs_caps_from_disk",
    # INIT, DESTROY
    "3.20.1": "fs/fuse/inode.c process_init_reply; include/uapi/linux/fuse.h FUSE_INIT",
    "3.20.2": "include/uapi/linux/fuse.h, the flags of FUSE_INIT",
    "3.20.5": "fs/fuse/inode.c fuse_send_destroy",
    # directories
    "3.21.1": "POSIX readdir",
    "3.21.2": "POSIX readdir; man 2 getdents (d_type, d_ino); xfstests generic/401",
    "3.21.3": "POSIX telldir, seekdir",
    "3.21.4": "POSIX rewinddir",
    "3.21.5": "POSIX readdir",
    "3.21.6": "POSIX readdir, unlink",
    "3.21.7": "man 2 getdents",
    "3.21.8": "fs/fuse/readdir.c parse_dirfile",
    "3.21.9": "fs/fuse/readdir.c fuse_direntplus_link",
    "3.21.10": "POSIX opendir, readdir",
    "3.21.11": "POSIX readdir",
    "3.21.12": "POSIX opendir; fs/fuse/dir.c fuse_dir_open, fuse_dir_release",
    # locks
    "3.22.1": "POSIX fcntl (F_GETLK, F_SETLK)",
    "3.22.2": "POSIX fcntl; man 2 fcntl",
    "3.22.3": "POSIX fcntl",
    "3.22.4": "POSIX fcntl (F_SETLKW)",
    "3.22.5": "man 2 flock",
    "3.22.6": "man 2 fcntl (F_OFD_SETLK)",
    # ACCESS
    "3.23": "POSIX access",
    "3.23.1": "POSIX access; man 2 access",
    "3.23.2": "fs/fuse/dir.c fuse_access",
    "3.23.3": "POSIX access, open",
    "3.23.4": "POSIX chdir; fs/fuse/dir.c fuse_permission",
    # CREATE
    "3.24": "POSIX open (O_CREAT)",
    "3.24.1": "POSIX open (O_CREAT, O_EXCL)",
    "3.24.2": "POSIX open (O_CREAT), umask",
    "3.24.3": "POSIX open (O_CREAT); fs/fuse/dir.c fuse_create_open",
    "3.24.4": "fs/fuse/dir.c fuse_atomic_open",
    "3.24.5": "POSIX open (O_CREAT)",
    "3.24.6": "POSIX open (O_CREAT)",
    # INTERRUPT
    "3.25.1": "Documentation/filesystems/fuse, Interrupting filesystem operations; man 7 signal",
    "3.25.2": "Documentation/filesystems/fuse, Interrupting filesystem operations",
    "3.25.3": "Documentation/filesystems/fuse, Interrupting filesystem operations; man 7 signal",
    "3.25.4": "Documentation/filesystems/fuse, Interrupting filesystem operations; POSIX fcntl",
    # the rest of the operations
    "3.26": "fs/fuse/file.c fuse_bmap",
    "3.27.1": "POSIX isatty; man 2 ioctl",
    "3.27.2": "man 2 ioctl_iflags, ioctl_ficlone",
    "3.27.3": "fs/fuse/ioctl.c; include/uapi/linux/fuse.h FUSE_HAS_IOCTL_DIR",
    "3.28.1": "POSIX poll; fs/fuse/file.c fuse_file_poll",
    "3.29.1": "fs/fuse/dev.c fuse_notify",
    "3.30.1": "man 2 fallocate; xfstests generic/255, 213, 758",
    "3.30.2": "man 2 fallocate",
    "3.30.3": "man 2 fallocate; fs/fuse/file.c fuse_file_fallocate",
    "3.30.4": "man 2 fallocate; xfstests generic/683",
    "3.31": "POSIX lseek; man 2 lseek",
    "3.31.1": "POSIX lseek",
    "3.31.2": "man 2 lseek (SEEK_DATA, SEEK_HOLE); xfstests generic/285, 436, 448, 490, 706",
    "3.31.3": "man 2 lseek; fs/fuse/file.c fuse_lseek",
    "3.32.1": "man 2 copy_file_range; xfstests generic/430 to 434, 564",
    "3.32.2": "man 2 copy_file_range; fs/fuse/file.c __fuse_copy_file_range",
    "3.32.3": "man 2 copy_file_range; include/uapi/linux/fuse.h FUSE_COPY_FILE_RANGE_64",
    "3.32.4": "man 2 copy_file_range",
    "3.33.1": "man 2 open (O_TMPFILE); xfstests generic/004",
    "3.33.2": "man 2 open (O_TMPFILE)",
    "3.34.1": "man 2 statx; fs/fuse/dir.c fuse_do_statx",
    "3.34.2": "man 2 statx; xfstests generic/423",
    "3.35": "fs/fuse/dev.c; include/uapi/linux/fuse.h, enum fuse_opcode",
    # across operations
    "3.36 mmap": "POSIX mmap, msync; xfstests generic/029, 080, 141, 215, 246 to 248",
    "3.36 timestamps": "POSIX XBD 4.9 File Times Update",
    "3.36 concurrency": "POSIX XSH 2.9.7 Thread Interactions with Regular File Operations",
    "3.36 large": "POSIX XBD 4.13 Pathname Resolution; man 2 open (O_LARGEFILE)",
    "3.36 read-only": "POSIX open (EROFS) and those of the other calls",
    "3.36 recipes": "what the program's own manual promises",
    "3.36 stateful": "the POSIX pages of the calls made",
    "3.36": "what the program's own manual promises",
    "4": "fs/fuse: what the kernel makes of ENOSYS (fsprobe explain OP)",
}
"""By the number; where a group is meant, by the number and the first word after it."""

_NUMBER = re.compile(r"(?<![\w.])(?:3\.\d+(?:\.\d+)?|4)(?![\w.])[ (]*([a-z-]*)")


def public(source: str) -> str:
    """What a user can look up, of a check's source: `catalogue 3.15.2; man 2 write` is `man 2 write`."""
    told: list[str] = []
    numbered: list[str] = []
    for part in (part.strip() for part in source.split(";")):
        if part.startswith("catalogue ") or _NUMBER.match(part):
            numbered += _of_numbers(part)
        else:
            told.append(part)
    return "; ".join(dict.fromkeys(told or numbered))


def _of_numbers(part: str) -> list[str]:
    found: list[str] = []
    for match in _NUMBER.finditer(part):
        number = match.group(0).split(" ")[0].rstrip("(")
        for known in (f"{number} {match.group(1)}", number):
            if known in PUBLIC:
                found += PUBLIC[known].split("; ")
                break
    return found
