#pragma once
/* What Swift's Glibc module lacks. _GNU_SOURCE must not be defined here: fd_set would then differ between modules. */
#include <malloc.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc hides these behind _GNU_SOURCE. */
enum { BC_POSIX_SPAWN_SETSID = 0x80 };
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
extern int pipe2(int[2], int);
