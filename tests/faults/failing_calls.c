/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loaded before the C library (LD_PRELOAD), it stands between hsgd and the system and lets calls fail, as a full disk, a broken
 * one or a signal does. Only calls of the program hsgd itself count, in the order in which a process makes them, from 1.
 *
 *   FAULTS_REASON   ENOSPC: calls that need room on a disk fail; EIO: those that read or find files, too; EINTR: those that a
 *                   signal may interrupt; one that closes a file has closed it all the same
 *   FAULTS_AT=K     the K-th of these calls fails
 *   FAULTS_FROM=K   it and all later ones
 *   FAULTS_SHARE=P  each with probability P, never three in a row; FAULTS_SEED chooses which
 *   FAULTS_LOG      a line "K CALL PATH" for each that failed is added to this file
 *   FAULTS_CHILDREN=1   only those of the processes that a sweep starts; 0: only the others
 *   FAULTS_TIMER_US=T   besides, SIGALRM comes every T microseconds, and calls that it interrupts fail
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool on;
    int reason;
    long at, from, limit; /* of the share: fails below this number of 2^31 */
    const char *log;
    uintptr_t begin, end; /* where the program's own code lies */
} fault;

static atomic_long calls, in_a_row;

/* The first object is the program. */
static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            fault.begin = info->dlpi_addr + part->p_vaddr;
            fault.end = fault.begin + part->p_memsz;
        }
    }
    return 1;
}

static long number(const char *name)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

static void nothing(int signal)
{
    (void)signal;
}

static void begin_timer(long us)
{
    const struct itimerval often = {{0, us}, {0, us}};
    struct sigaction action = {.sa_handler = nothing}; /* no SA_RESTART */
    if (us > 0 && sigaction(SIGALRM, &action, NULL) == 0)
        setitimer(ITIMER_REAL, &often, NULL);
}

__attribute__((constructor)) static void begin(void)
{
    const char *reason = getenv("FAULTS_REASON"), *children = getenv("FAULTS_CHILDREN"),
               *share = getenv("FAULTS_SHARE");
    bool child = getenv("HSGD_SWEEP_PARENT") != NULL;
    if (strcmp(program_invocation_short_name, "hsgd") != 0 || (children && (*children == '1') != child))
        return;
    dl_iterate_phdr(find_program, NULL);
    begin_timer(number("FAULTS_TIMER_US"));
    if (!reason)
        return;
    fault.reason = strcmp(reason, "ENOSPC") == 0 ? ENOSPC : strcmp(reason, "EIO") == 0 ? EIO : EINTR;
    fault.at = number("FAULTS_AT");
    fault.from = number("FAULTS_FROM");
    fault.limit = share ? (long)(strtod(share, NULL) * 0x80000000) : 0;
    fault.log = getenv("FAULTS_LOG");
    fault.on = true;
}

/* Of the seed and the number of the call alone (SplitMix64). */
static long random_number(long call)
{
    uint64_t x = (uint64_t)number("FAULTS_SEED") * 0x9e3779b97f4a7c15 + (uint64_t)call * 0xd1342543de82ef95;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return (long)((x ^ (x >> 31)) >> 33);
}

static void tell(long call, const char *name, const char *path)
{
    char line[5000];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", call, name, path ? path : "");
    long file = fault.log ? syscall(SYS_openat, AT_FDCWD, fault.log, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
    if (file < 0)
        return;
    syscall(SYS_write, file, line, (size_t)length);
    syscall(SYS_close, file);
}

enum { ROOM = 1, FILES = 2, SLOW = 4 }; /* which calls a reason is for */

static bool fails(int kind, const void *caller, const char *name, const char *path)
{
    uintptr_t from = (uintptr_t)caller;
    int kinds = fault.reason == ENOSPC ? ROOM : fault.reason == EIO ? ROOM | FILES : SLOW;
    if (!fault.on || !(kind & kinds) || from < fault.begin || from >= fault.end)
        return false;
    if (path && strncmp(path, "/proc/", 6) == 0 && fault.reason != EINTR)
        return false; /* no disk */
    long call = ++calls;
    bool chosen = call == fault.at || (fault.from && call >= fault.from) ||
                  (fault.limit && in_a_row < 2 && random_number(call) < fault.limit);
    in_a_row = chosen ? in_a_row + 1 : 0;
    if (chosen) {
        tell(call, name, path);
        errno = fault.reason;
    }
    return chosen;
}

/* Of a descriptor; for messages. */
static const char *path_of(int descriptor, char path[4096])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, 4095);
    path[length > 0 ? length : 0] = '\0';
    return path;
}

#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))
#define CALLER __builtin_return_address(0)
#define FAIL_IF(kind, name, path, value)                                                                               \
    if (fails(kind, CALLER, name, path))                                                                               \
    return value

/* On a disk, and not a pipe? */
static bool is_for_writing(int descriptor, const char *path)
{
    int flags = fcntl(descriptor, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && *path == '/';
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    FAIL_IF((flags & O_CREAT ? ROOM : FILES) | SLOW, "open", path, -1);
    return REAL(open)(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    FAIL_IF((flags & O_CREAT ? ROOM : FILES) | SLOW, "openat", path, -1);
    return REAL(openat)(dir, path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    FAIL_IF((*mode == 'r' ? FILES : ROOM) | SLOW, "fopen", path, NULL);
    return REAL(fopen)(path, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t size)
{
    char path[4096];
    path_of(descriptor, path);
    FAIL_IF((is_for_writing(descriptor, path) ? ROOM : 0) | SLOW, "write", path, -1);
    return REAL(write)(descriptor, bytes, size);
}

ssize_t read(int descriptor, void *bytes, size_t size)
{
    char path[4096];
    FAIL_IF(FILES | SLOW, "read", path_of(descriptor, path), -1);
    return REAL(read)(descriptor, bytes, size);
}

int fsync(int descriptor)
{
    char path[4096];
    FAIL_IF(ROOM | SLOW, "fsync", path_of(descriptor, path), -1);
    return REAL(fsync)(descriptor);
}

int close(int descriptor)
{
    char path[4096];
    path_of(descriptor, path);
    bool failed = fails((is_for_writing(descriptor, path) ? ROOM : 0) | SLOW, CALLER, "close", path);
    int result = REAL(close)(descriptor);
    if (!failed || result)
        return result;
    errno = fault.reason;
    return -1;
}

int rename(const char *from, const char *to)
{
    FAIL_IF(ROOM, "rename", to, -1);
    return REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    if (access(path, F_OK) != 0) /* the system looks at that first */
        FAIL_IF(ROOM, "mkdir", path, -1);
    return REAL(mkdir)(path, mode);
}

char *mkdtemp(char *path)
{
    FAIL_IF(ROOM, "mkdtemp", path, NULL);
    return REAL(mkdtemp)(path);
}

int symlink(const char *target, const char *path)
{
    FAIL_IF(ROOM, "symlink", path, -1);
    return REAL(symlink)(target, path);
}

int unlink(const char *path)
{
    FAIL_IF(FILES, "unlink", path, -1);
    return REAL(unlink)(path);
}

int unlinkat(int dir, const char *path, int flags)
{
    FAIL_IF(FILES, "unlinkat", path, -1);
    return REAL(unlinkat)(dir, path, flags);
}

int rmdir(const char *path)
{
    FAIL_IF(FILES, "rmdir", path, -1);
    return REAL(rmdir)(path);
}

DIR *opendir(const char *path)
{
    FAIL_IF(FILES, "opendir", path, NULL);
    return REAL(opendir)(path);
}

DIR *fdopendir(int descriptor)
{
    char path[4096];
    FAIL_IF(FILES, "fdopendir", path_of(descriptor, path), NULL);
    return REAL(fdopendir)(descriptor);
}

struct dirent *readdir(DIR *entries)
{
    char path[4096];
    FAIL_IF(FILES, "readdir", path_of(dirfd(entries), path), NULL);
    return REAL(readdir)(entries);
}

int memfd_create(const char *name, unsigned flags)
{
    FAIL_IF(ROOM, "memfd_create", NULL, -1);
    return REAL(memfd_create)(name, flags);
}

int pipe2(int ends[2], int flags)
{
    FAIL_IF(FILES, "pipe2", NULL, -1);
    return REAL(pipe2)(ends, flags);
}

int flock(int descriptor, int operation)
{
    char path[4096];
    FAIL_IF(SLOW, "flock", path_of(descriptor, path), -1);
    return REAL(flock)(descriptor, operation);
}

pid_t waitpid(pid_t process, int *outcome, int flags)
{
    FAIL_IF(SLOW, "waitpid", NULL, -1);
    return REAL(waitpid)(process, outcome, flags);
}

pid_t wait(int *outcome)
{
    FAIL_IF(SLOW, "wait", NULL, -1);
    return REAL(wait)(outcome);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    if (fails(SLOW, CALLER, "nanosleep", NULL)) {
        if (left)
            *left = *wanted;
        return -1;
    }
    return REAL(nanosleep)(wanted, left);
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info, const struct timespec *restrict most)
{
    FAIL_IF(SLOW, "sigtimedwait", NULL, -1);
    return REAL(sigtimedwait)(set, info, most);
}

/* They return the reason. */
int posix_spawn(pid_t *restrict child, const char *restrict path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *restrict attributes, char *const arguments[restrict],
                char *const environment[restrict])
{
    FAIL_IF(FILES, "posix_spawn", NULL, errno);
    return REAL(posix_spawn)(child, path, actions, attributes, arguments, environment);
}

int posix_spawnp(pid_t *restrict child, const char *restrict path, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *restrict attributes, char *const arguments[restrict],
                 char *const environment[restrict])
{
    FAIL_IF(FILES, "posix_spawnp", NULL, errno);
    return REAL(posix_spawnp)(child, path, actions, attributes, arguments, environment);
}
