/* A pass-through to a directory, libfuse 3 high level, whose handler of locks waits for them: locks SOURCE MOUNTPOINT -f.
 *
 * Every lock that is waited for holds a thread, so that the unlock is not read once none is left (10 by default, 1
 * with -s). Built with -DFUSE_USE_VERSION=31.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char *source;
#define BELOW(path) char place[PATH_MAX]; snprintf(place, sizeof place, "%s%s", source, path)
#define CALL(call) return (call) < 0 ? -errno : 0

static int do_getattr(const char *path, struct stat *told, struct fuse_file_info *info)
{
    BELOW(path);
    (void)info;
    CALL(lstat(place, told));
}

static int do_readdir(const char *path, void *to, fuse_fill_dir_t add, off_t offset, struct fuse_file_info *info,
                      enum fuse_readdir_flags flags)
{
    BELOW(path);
    DIR *directory = opendir(place);
    struct dirent *entry;
    (void)offset, (void)info, (void)flags;
    if (directory == NULL)
        return -errno;
    while ((entry = readdir(directory)) != NULL)
        add(to, entry->d_name, NULL, 0, 0);
    closedir(directory);
    return 0;
}

static int do_open(const char *path, struct fuse_file_info *info)
{
    BELOW(path);
    int fd = open(place, info->flags & ~(O_CREAT | O_EXCL));
    info->fh = fd;
    return fd < 0 ? -errno : 0;
}

static int do_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
    BELOW(path);
    int fd = open(place, info->flags | O_CREAT, mode);
    info->fh = fd;
    return fd < 0 ? -errno : 0;
}

static int do_read(const char *path, char *data, size_t size, off_t offset, struct fuse_file_info *info)
{
    ssize_t done = pread(info->fh, data, size, offset);
    (void)path;
    return done < 0 ? -errno : done;
}

static int do_write(const char *path, const char *data, size_t size, off_t offset, struct fuse_file_info *info)
{
    ssize_t done = pwrite(info->fh, data, size, offset);
    (void)path;
    return done < 0 ? -errno : done;
}

static int do_release(const char *path, struct fuse_file_info *info) { (void)path; close(info->fh); return 0; }
static int do_unlink(const char *path) { BELOW(path); CALL(unlink(place)); }
static int do_rmdir(const char *path) { BELOW(path); CALL(rmdir(place)); }
static int do_mkdir(const char *path, mode_t mode) { BELOW(path); CALL(mkdir(place, mode)); }
static int do_statfs(const char *path, struct statvfs *told) { BELOW(path); CALL(statvfs(place, told)); }

static int do_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
    BELOW(path);
    (void)info;
    CALL(truncate(place, size));
}

static int do_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
    BELOW(path);
    (void)info;
    CALL(chmod(place, mode));
}

/* The mistake: it waits here. The locks are those of the open file, as each open has one of its own. */
static int do_lock(const char *path, struct fuse_file_info *info, int command, struct flock *range)
{
    static const int wanted[] = {[F_GETLK] = F_OFD_GETLK, [F_SETLK] = F_OFD_SETLK, [F_SETLKW] = F_OFD_SETLKW};
    (void)path;
    range->l_pid = 0;
    CALL(fcntl(info->fh, wanted[command], range));
}

static const struct fuse_operations operations = {
    .getattr = do_getattr, .readdir = do_readdir, .open = do_open, .create = do_create, .read = do_read,
    .write = do_write, .release = do_release, .unlink = do_unlink, .rmdir = do_rmdir, .mkdir = do_mkdir,
    .statfs = do_statfs, .truncate = do_truncate, .chmod = do_chmod, .lock = do_lock,
};

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    source = argv[1];
    argv[1] = argv[0];
    return fuse_main(argc - 1, argv + 1, &operations, NULL);
}
