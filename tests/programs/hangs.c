/* A high-level libfuse file system, libfuse 2 or 3, that misbehaves in READ or, where told, in its start: hangs FAULT.
 *
 * One directory with the file "data". Built with -DFUSE_USE_VERSION=26 or 31; run as `hangs FAULT MOUNTPOINT -f [-s]`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 4096
static const char *fault;
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static volatile unsigned long counter;
static char directory[] = "/tmp/hangs-XXXXXX";

static int is(const char *name) { return strcmp(fault, name) == 0; }

static void *take_in_the_other_order(void *unused)
{
    pthread_mutex_lock(&second);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&first);
    return unused;
}

static void relock(void)
{
    pthread_mutex_lock(&first);
    pthread_mutex_lock(&first);
}

static void take_both(void)
{
    pthread_t other;
    pthread_create(&other, NULL, take_in_the_other_order, NULL);
    pthread_mutex_lock(&first);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&second);
}

static void compute(void)
{
    for (;;)
        counter++;
}

static void read_from(int descriptor)
{
    char byte;
    if (read(descriptor, &byte, 1) < 0)
        abort();
}

static void wait_for_pipe(void)
{
    int ends[2];
    if (pipe(ends) == 0)
        read_from(ends[0]);
}

static void wait_for_socket(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0)
        read_from(ends[0]);
}

static void wait_for_fifo(void)
{
    char path[64];
    strcpy(path, mkdtemp(directory));
    strcat(path, "/fifo");
    if (mkfifo(path, 0600) == 0)
        open(path, O_RDONLY);
}

static void wait_for_file_lock(void)
{
    char path[] = "/tmp/hangs-XXXXXX";
    int mine = mkstemp(path), other = open(path, O_RDWR);
    unlink(path);
    flock(mine, LOCK_EX);
    flock(other, LOCK_EX);
}

static void use_own_mount(void)
{
    struct stat told;
    char path[4096];
    strcpy(path, getenv("HANGS_MOUNTPOINT"));
    strcat(path, "/other");
    stat(path, &told);
}

static void fill_stderr(void)
{
    static char line[4096];
    int ends[2];
    if (pipe(ends) == 0)
        dup2(ends[1], 2);
    memset(line, 'x', sizeof line);
    for (;;)
        if (write(2, line, sizeof line) < 0)
            break;
}

static int use_up_memory(void)
{
    struct rlimit none = {64 << 20, 64 << 20};
    setrlimit(RLIMIT_AS, &none);
    for (;;) {
        char *block = malloc(1 << 20);
        if (block == NULL)
            abort();
        memset(block, 1, 1 << 20);
    }
}

static int use_up_descriptors(void)
{
    struct rlimit few = {64, 64};
    setrlimit(RLIMIT_NOFILE, &few);
    while (open("/dev/null", O_RDONLY) >= 0)
        ;
    return -errno;
}

static int misbehave(void)
{
    if (is("relock")) relock();
    if (is("abba")) take_both();
    if (is("busy")) compute();
    if (is("sleep")) sleep(3600);
    if (is("slow")) sleep(1);
    if (is("slow-each")) usleep(300000);
    if (is("slow-once") && !counter++) sleep(3);
    if (is("pipe")) wait_for_pipe();
    if (is("socket")) wait_for_socket();
    if (is("fifo")) wait_for_fifo();
    if (is("file-lock")) wait_for_file_lock();
    if (is("own-mount")) use_own_mount();
    if (is("stderr")) fill_stderr();
    if (is("stop")) raise(SIGSTOP);
    if (is("segv")) *(volatile int *)8 = 1;
    if (is("abort")) abort();
    if (is("exit")) exit(1);
    if (is("memory")) return use_up_memory();
    if (is("descriptors")) return use_up_descriptors();
    return 0;
}

static void fill(const char *path, struct stat *told)
{
    memset(told, 0, sizeof *told);
    told->st_uid = getuid();
    told->st_gid = getgid();
    told->st_nlink = 1;
    told->st_mode = strcmp(path, "/") == 0 ? S_IFDIR | 0755 : S_IFREG | 0444;
    told->st_size = strcmp(path, "/") == 0 ? 0 : SIZE;
}

static int known(const char *path) { return strcmp(path, "/") == 0 || strcmp(path, "/data") == 0 ? 0 : -ENOENT; }

static int do_open(const char *path, struct fuse_file_info *info)
{
    info->direct_io = 1;
    return (info->flags & O_ACCMODE) == O_RDONLY ? known(path) : -EROFS;
}

static int do_read(const char *path, char *data, size_t size, off_t offset, struct fuse_file_info *info)
{
    int wrong = misbehave();
    (void)path, (void)info;
    if (wrong)
        return wrong;
    if (offset >= SIZE)
        return 0;
    if (size > (size_t)(SIZE - offset))
        size = SIZE - offset;
    memset(data, 'd', size);
    return size;
}

#if FUSE_USE_VERSION >= 30
static int do_getattr(const char *path, struct stat *told, struct fuse_file_info *info)
{
    (void)info;
#else
static int do_getattr(const char *path, struct stat *told)
{
#endif
    fill(path, told);
    return known(path);
}

#if FUSE_USE_VERSION >= 30
#define ENTRY(name) add(to, name, NULL, 0, 0)
static int do_readdir(const char *path, void *to, fuse_fill_dir_t add, off_t offset, struct fuse_file_info *info,
                      enum fuse_readdir_flags flags)
{
    (void)flags;
#else
#define ENTRY(name) add(to, name, NULL, 0)
static int do_readdir(const char *path, void *to, fuse_fill_dir_t add, off_t offset, struct fuse_file_info *info)
{
#endif
    (void)path, (void)offset, (void)info;
    ENTRY(".");
    ENTRY("..");
    ENTRY("data");
    return 0;
}

static int do_statfs(const char *path, struct statvfs *told)
{
    (void)path;
    memset(told, 0, sizeof *told);
    told->f_bsize = told->f_frsize = 4096;
    told->f_blocks = told->f_files = 1000;
    told->f_namemax = 255;
    return 0;
}

static const struct fuse_operations operations = {
    .getattr = do_getattr, .readdir = do_readdir, .open = do_open, .read = do_read, .statfs = do_statfs,
};

int main(int argc, char **argv)
{
    fault = argv[1];
    setenv("HANGS_MOUNTPOINT", argv[2], 1);
    pthread_barrier_init(&both, NULL, 2);
    if (is("never-mounts"))
        pause();
    argv[1] = argv[0];
    return fuse_main(argc - 1, argv + 1, &operations, NULL);
}
