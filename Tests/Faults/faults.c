/* Faults for a daemon under test, by LD_PRELOAD. BOTCRON_FAULT=CLASS:N:WHAT makes the N-th call of a class in this
 * process go wrong, once. CLASS: write (to regular files), sync, rename, spawn, open, memory (files in memory).
 * WHAT: kill (SIGKILL in place of the call), killafter (right after it), or an errno as a number. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum verdict { FINE, FAIL, DIE_AFTER };

static char wanted[16];
static long countdown;
static char action[16];

__attribute__((constructor)) static void read_fault(void)
{
    const char *text = getenv("BOTCRON_FAULT");
    if (text && strcmp(program_invocation_short_name, "botcrond") == 0)
        sscanf(text, "%15[^:]:%ld:%15s", wanted, &countdown, action);
    /* What this process starts is not meant. */
    unsetenv("BOTCRON_FAULT");
    unsetenv("LD_PRELOAD");
}

static enum verdict look(const char *class_)
{
    if (countdown <= 0 || strcmp(class_, wanted) != 0 || --countdown > 0)
        return FINE;
    if (strcmp(action, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(action, "killafter") == 0)
        return DIE_AFTER;
    errno = atoi(action);
    return FAIL;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAULTY(class_, failure, call)            \
    enum verdict verdict = look(class_);         \
    if (verdict == FAIL)                         \
        return failure;                          \
    __auto_type result = call;                   \
    if (verdict == DIE_AFTER)                    \
        kill(getpid(), SIGKILL);                 \
    return result

static int is_file(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* Between this mark and the signals that it stands for nothing can be repaired: README, "The bus". */
static int is_told_mark(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t count = readlink(link, path, sizeof path);
    return count > 5 && memcmp(path + count - 5, "-told", 5) == 0;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    if (!is_file(fd))
        return REAL(write)(fd, bytes, count);
    FAULTY("write", -1, REAL(write)(fd, bytes, count));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    if (is_told_mark(fd))
        return REAL(pwrite)(fd, bytes, count, offset);
    FAULTY("write", -1, REAL(pwrite)(fd, bytes, count, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{ FAULTY("write", -1, REAL(pwrite64)(fd, bytes, count, offset)); }

int ftruncate64(int fd, off64_t size)
{ FAULTY("write", -1, REAL(ftruncate64)(fd, size)); }

int fsync(int fd)
{ FAULTY("sync", -1, REAL(fsync)(fd)); }

int fdatasync(int fd)
{ FAULTY("sync", -1, REAL(fdatasync)(fd)); }

int rename(const char *from, const char *to)
{ FAULTY("rename", -1, REAL(rename)(from, to)); }

int memfd_create(const char *name, unsigned int flags)
{ FAULTY("memory", -1, REAL(memfd_create)(name, flags)); }

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
    FAULTY("spawn", errno, REAL(posix_spawn)(pid, path, actions, attributes, arguments, environment));
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    FAULTY("open", -1, REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    FAULTY("open", -1, REAL(open64)(path, flags, mode));
}
