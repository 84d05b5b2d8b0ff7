/* Faults for a daemon under test, by LD_PRELOAD. BOTCRON_FAULT=CLASS:N:WHAT makes the N-th call of a class in this
 * process go wrong, once. CLASS: write (to regular files), section (a write to a file of Markdown, which is no `write`),
 * sync, rename, spawn, open, memory (files in memory).
 * WHAT: kill (SIGKILL in place of the call), killafter (right after it), or an errno as a number; of a section also
 * cutM (M bytes are written, then SIGKILL) or shortM (M bytes are written, and the next write meets a full disk).
 *
 * BOTCRON_FAULT_SWITCH=FILE is a disk that fails for as long as the test wants it to, for the daemon and for its
 * supervisors: the file is mapped, and says which calls fail, with which errno, on what below which path. Calls, by
 * letter: w write, s sync, r read, o open for writing, c make a file, m make a folder, n rename and unlink.
 *
 * BOTCRON_TELLING=FILE: what the daemon did last is in FILE, eight bytes that outlive it. 1: it has set its mark that
 * signals are told, and since then it has done nothing but send. 2: since that mark the bus has not taken all at once.
 * 0: anything else. */
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
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum verdict { FINE, FAIL, DIE_AFTER, CUT, SHORT };

/* In the order in which the test writes it: the calls come last, and with them the fault. */
struct fault_switch {
    char calls[16];
    char code[16];
    char prefix[4064];
};

static volatile const struct fault_switch *the_switch;
static char switch_path[4096];
static char library_path[4096];

static char wanted[16];
static long countdown;
static char action[16];
/* How much of a section is written, and whether the next write fails. */
static long portion;
static int is_full;

static volatile long *telling;

/* What the bus has not taken goes on waiting for it. */
static void is_not_telling(void)
{
    if (telling && *telling == 1)
        *telling = 0;
}

static void open_telling(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof *telling) < 0)
        abort();
    telling = mmap(NULL, sizeof *telling, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (telling == MAP_FAILED)
        abort();
}

__attribute__((constructor)) static void read_fault(void)
{
    const char *path = getenv("BOTCRON_TELLING");
    if (path && strcmp(program_invocation_short_name, "botcrond") == 0)
        open_telling(path);
    unsetenv("BOTCRON_TELLING");
    const char *text = getenv("BOTCRON_FAULT");
    if (text && strcmp(program_invocation_short_name, "botcrond") == 0)
        sscanf(text, "%15[^:]:%ld:%15s", wanted, &countdown, action);
    const char *file = getenv("BOTCRON_FAULT_SWITCH");
    const char *library = getenv("LD_PRELOAD");
    if (file && library && strncmp(program_invocation_short_name, "botcron", 7) == 0) {
        snprintf(switch_path, sizeof switch_path, "BOTCRON_FAULT_SWITCH=%s", file);
        snprintf(library_path, sizeof library_path, "LD_PRELOAD=%s", library);
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *the_switch, PROT_READ, MAP_SHARED, fd, 0);
        /* A test of a disk that never fails would hold anything. */
        if (map == MAP_FAILED)
            abort();
        close(fd);
        the_switch = map;
    }
    /* What this process starts is not meant. */
    unsetenv("BOTCRON_FAULT");
    unsetenv("BOTCRON_FAULT_SWITCH");
    unsetenv("LD_PRELOAD");
}

static int is_below(const char *path)
{
    const char *prefix = (const char *)the_switch->prefix;
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

static int is_switched(char call)
{ return the_switch && strchr((const char *)the_switch->calls, call) != NULL; }

static int refuses(char call, const char *path)
{
    if (!is_switched(call) || !is_below(path))
        return 0;
    errno = atoi((const char *)the_switch->code);
    return 1;
}

static int refuses_fd(char call, int fd)
{
    if (!is_switched(call))
        return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t count = readlink(link, path, sizeof path - 1);
    if (count < 0)
        return 0;
    path[count] = 0;
    return refuses(call, path);
}

static int refuses_open(const char *path, int flags)
{
    if ((flags & O_ACCMODE) != O_RDONLY && refuses('o', path))
        return 1;
    if (!(flags & O_CREAT) || !is_switched('c') || access(path, F_OK) == 0)
        return 0;
    return refuses('c', path);
}

static enum verdict look(const char *class_)
{
    is_not_telling();
    if (countdown <= 0 || strcmp(class_, wanted) != 0 || --countdown > 0)
        return FINE;
    if (strcmp(action, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(action, "killafter") == 0)
        return DIE_AFTER;
    if (sscanf(action, "cut%ld", &portion) == 1)
        return CUT;
    if (sscanf(action, "short%ld", &portion) == 1)
        return SHORT;
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

/* Whether the name of its file ends so. */
static int is_named(int fd, const char *end)
{
    char link[64], path[4096];
    ssize_t length = strlen(end);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t count = readlink(link, path, sizeof path);
    return count > length && memcmp(path + count - length, end, length) == 0;
}

static ssize_t write_section(int fd, const void *bytes, size_t count)
{
    if (is_full) {
        is_full = 0;
        errno = ENOSPC;
        return -1;
    }
    enum verdict verdict = look("section");
    if (verdict == FAIL)
        return -1;
    if ((verdict == CUT || verdict == SHORT) && (size_t)portion < count)
        count = portion;
    ssize_t result = REAL(write)(fd, bytes, count);
    is_full = verdict == SHORT;
    if (verdict == CUT || verdict == DIE_AFTER)
        kill(getpid(), SIGKILL);
    return result;
}

/* Between this mark and the signals that it stands for nothing can be repaired: README, "The bus". */
static int is_told_mark(int fd)
{ return is_named(fd, "-told"); }

ssize_t write(int fd, const void *bytes, size_t count)
{
    if (refuses_fd('w', fd))
        return -1;
    if (!is_file(fd)) {
        is_not_telling();
        return REAL(write)(fd, bytes, count);
    }
    if (is_named(fd, ".md"))
        return write_section(fd, bytes, count);
    FAULTY("write", -1, REAL(write)(fd, bytes, count));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    if (refuses_fd('w', fd))
        return -1;
    if (is_told_mark(fd)) {
        /* Before it: a kill that comes while it is written takes effect when the call returns. */
        if (telling)
            *telling = 1;
        return REAL(pwrite)(fd, bytes, count, offset);
    }
    FAULTY("write", -1, REAL(pwrite)(fd, bytes, count, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    if (refuses_fd('w', fd))
        return -1;
    FAULTY("write", -1, REAL(pwrite64)(fd, bytes, count, offset));
}

ssize_t read(int fd, void *bytes, size_t count)
{ return refuses_fd('r', fd) ? -1 : REAL(read)(fd, bytes, count); }

ssize_t pread(int fd, void *bytes, size_t count, off_t offset)
{ return refuses_fd('r', fd) ? -1 : REAL(pread)(fd, bytes, count, offset); }

ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset)
{ return refuses_fd('r', fd) ? -1 : REAL(pread64)(fd, bytes, count, offset); }

int ftruncate64(int fd, off64_t size)
{
    if (refuses_fd('w', fd))
        return -1;
    FAULTY("write", -1, REAL(ftruncate64)(fd, size));
}

int fsync(int fd)
{
    if (refuses_fd('s', fd))
        return -1;
    FAULTY("sync", -1, REAL(fsync)(fd));
}

int fdatasync(int fd)
{
    if (refuses_fd('s', fd))
        return -1;
    FAULTY("sync", -1, REAL(fdatasync)(fd));
}

int rename(const char *from, const char *to)
{
    if (refuses('n', from))
        return -1;
    FAULTY("rename", -1, REAL(rename)(from, to));
}

int unlink(const char *path)
{ return refuses('n', path) ? -1 : REAL(unlink)(path); }

int mkdir(const char *path, mode_t mode)
{ return refuses('m', path) ? -1 : REAL(mkdir)(path, mode); }

int memfd_create(const char *name, unsigned int flags)
{ FAULTY("memory", -1, REAL(memfd_create)(name, flags)); }

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
    if (!the_switch || !strstr(path, "botcron-run")) {
        FAULTY("spawn", errno, REAL(posix_spawn)(pid, path, actions, attributes, arguments, environment));
    }
    size_t count = 0;
    while (environment && environment[count])
        count++;
    char *more[count + 3];
    for (size_t place = 0; place < count; place++)
        more[place] = environment[place];
    more[count] = switch_path;
    more[count + 1] = library_path;
    more[count + 2] = NULL;
    FAULTY("spawn", errno, REAL(posix_spawn)(pid, path, actions, attributes, arguments, more));
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    if (refuses_open(path, flags))
        return -1;
    FAULTY("open", -1, REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    if (refuses_open(path, flags))
        return -1;
    FAULTY("open", -1, REAL(open64)(path, flags, mode));
}

/* libdbus sends a message by one of these. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t sent = REAL(sendmsg)(fd, message, flags);
    if (telling && *telling == 1 && sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        *telling = 2;
    return sent;
}

/* Where a turn of the loop is over. */
int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
    is_not_telling();
    return REAL(epoll_wait)(fd, events, most, timeout);
}
