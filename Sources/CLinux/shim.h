#pragma once
/* What Swift's Glibc module lacks. _GNU_SOURCE must not be defined here: fd_set would then differ between modules. */
#include <fcntl.h>
#include <malloc.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc hides these behind _GNU_SOURCE. */
enum { BC_POSIX_SPAWN_SETSID = 0x80, BC_O_PATH = __O_PATH, BC_MFD_CLOEXEC = 1 };
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
extern int pipe2(int[2], int);
extern int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *, int);
extern int memfd_create(const char *, unsigned int);

/* glibc hides renameat2 behind _GNU_SOURCE. The flags are those of <linux/fs.h>. */
enum { BC_RENAME_NOREPLACE = 1, BC_RENAME_EXCHANGE = 2 };
static inline int bc_rename(const char *from, const char *to, unsigned int flags)
{ return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags); }

/* prctl is variadic, which Swift does not import. */
static inline int bc_become_subreaper(void)
{ return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

/* The kernel's waitid has a fifth argument, the child's resource usage, which glibc's wrapper leaves out. */
static inline int bc_waitid_pidfd(int pidfd, siginfo_t *info, int options, struct rusage *usage)
{ return (int)syscall(SYS_waitid, P_PIDFD, (id_t)pidfd, info, options, usage); }

/* Swift hides fork; a program with one thread may use it. */
static inline pid_t bc_fork(void)
{ return fork(); }
extern void closefrom(int);

/* ioprio_set(2) has no wrapper: of this process (1, 0), its class in the top bits, in the middle of the class. */
static inline int bc_ioprio_set_own(int class_)
{ return (int)syscall(SYS_ioprio_set, 1, 0, (class_ << 13) | (class_ == 3 ? 0 : 4)); }
