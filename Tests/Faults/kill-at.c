/* Kills a daemon, and supervisors, at one system call of a chosen second, whichever that is:
 *
 *     kill-at REPORT SECOND WHO STOP SHARE SEED PROGRAM [ARGUMENT…]      starts the daemon, and ends as it does
 *     kill-at REPORT SECOND WHO STOP SHARE SEED -p PID                   of a daemon that runs; ends when it is done
 *
 * From SECOND (since 1970) on the system calls of WHO are counted, each twice: before it is made, and after it. At the
 * STOP-th of these stops falls the SIGKILL. WHO: daemon (dies itself), supervisor (any supervisor's calls; that one
 * dies), both (a supervisor's calls; that one and the daemon die). With the daemon SHARE percent of its supervisors
 * die, chosen by SEED. Who is to live goes on as if nothing had watched it.
 *
 * REPORT gets a line `supervisor FOLDER BEGUN OUTCOME` for each that was killed (BEGUN, OUTCOME: whether its folder has
 * that, 0 or 1), `daemon` where that was killed, and last `stops COUNT`, when all is done: when the kill has fallen, or
 * USR1 says that the second is over. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 4096 };
enum kind { GONE, DAEMON, NEW, SUPERVISOR };

/* Where each is that is traced. */
static struct process {
    pid_t pid;
    enum kind kind;
} processes[PROCESSES];
static int process_count;

static const char *report_path;
static long long start_ms;
static int daemon_dies, supervisor_calls;
static long stop_wanted, stop_count, share;
static unsigned long long seed;
static pid_t daemon_pid;
static int is_own_child, is_counting, is_done;
static volatile sig_atomic_t is_over;
static char report[1 << 18];
static size_t report_size;

static long long now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void fail(const char *what)
{
    fprintf(stderr, "kill-at: %s: %s\n", what, strerror(errno));
    exit(125);
}

static void say(const char *line)
{
    report_size += snprintf(report + report_size, sizeof report - report_size, "%s\n", line);
}

/* As a whole or not at all. */
static void publish(void)
{
    char new[PATH_MAX];
    snprintf(new, sizeof new, "%s.new", report_path);
    int file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0 || write(file, report, report_size) != (ssize_t)report_size || rename(new, report_path) < 0)
        fail(report_path);
    close(file);
}

/* SplitMix64, as in the tests. */
static unsigned long long chance(void)
{
    unsigned long long value = seed += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

static struct process *find(pid_t pid)
{
    for (int index = 0; index < process_count; index++)
        if (processes[index].pid == pid && processes[index].kind != GONE)
            return &processes[index];
    return NULL;
}

static struct process *add(pid_t pid, enum kind kind)
{
    int index = 0;
    while (index < process_count && processes[index].kind != GONE)
        index++;
    if (index == PROCESSES)
        fail("too many processes");
    if (index == process_count)
        process_count++;
    processes[index] = (struct process){ pid, kind };
    return &processes[index];
}

static int is_named(pid_t pid, const char *name)
{
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    return count > 0 && (size_t)count == strlen(name) + 1 && memcmp(text, name, strlen(name)) == 0;
}

static int is_counted(const struct process *process)
{
    return is_counting && process->kind == (supervisor_calls ? SUPERVISOR : DAEMON);
}

static void resume(const struct process *process, int number)
{
    ptrace(is_counted(process) ? PTRACE_SYSCALL : PTRACE_CONT, process->pid, NULL, (void *)(long)number);
}

/* A supervisor works in the folder of its attempt. */
struct victim {
    pid_t pid;
    int handle, folder;
    char name[NAME_MAX + 1];
};

static int victim_of(pid_t pid, struct victim *victim)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%d/cwd", pid);
    ssize_t count = readlink(link, path, sizeof path - 1);
    victim->folder = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
    victim->handle = syscall(SYS_pidfd_open, pid, 0);
    if (count <= 0 || victim->folder < 0 || victim->handle < 0)
        return 0;
    path[count] = 0;
    victim->pid = pid;
    snprintf(victim->name, sizeof victim->name, "%s", strrchr(path, '/') + 1);
    return 1;
}

static void tell(const struct victim *victim)
{
    char text[1 << 16] = "", line[NAME_MAX + 64];
    int file = openat(victim->folder, "identity", O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        (void)!read(file, text, sizeof text - 1);
        close(file);
    }
    struct stat status;
    int has_outcome = fstatat(victim->folder, "outcome", &status, 0) == 0;
    snprintf(line, sizeof line, "supervisor %s %d %d", victim->name, strstr(text, "\nbegun") != NULL, has_outcome);
    say(line);
    close(victim->folder);
    close(victim->handle);
}

static void kill_and_reap(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    struct process *process = find(pid);
    /* The end of our own child is how we end. */
    if (pid == daemon_pid && is_own_child) {
        siginfo_t info;
        waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    } else {
        while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {}
    }
    if (process)
        process->kind = GONE;
}

static void kill_victim(const struct victim *victim)
{
    if (find(victim->pid))
        return kill_and_reap(victim->pid);
    struct pollfd entry = { .fd = victim->handle, .events = POLLIN };
    kill(victim->pid, SIGKILL);
    while (poll(&entry, 1, -1) < 1) {}
}

/* The supervisors among the children of the daemon, by chance. */
static int draw_victims(struct victim *victims, int most, pid_t except)
{
    char path[64];
    int count = 0, pid;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", daemon_pid, daemon_pid);
    FILE *children = fopen(path, "re");
    if (!children)
        fail(path);
    while (count < most && fscanf(children, "%d", &pid) == 1)
        if (pid != except && is_named(pid, "botcron-run") && (long)(chance() % 100) < share)
            count += victim_of(pid, &victims[count]);
    fclose(children);
    return count;
}

/* All that are left live on. */
static void let_go(void)
{
    for (int index = 0; index < process_count; index++) {
        struct process *process = &processes[index];
        int status;
        if (process->kind == GONE)
            continue;
        process->kind = GONE;
        /* One that is in a stop already has that stop to give first, and needs no other. */
        ptrace(PTRACE_INTERRUPT, process->pid, NULL, NULL);
        if (waitpid(process->pid, &status, __WALL) != process->pid || !WIFSTOPPED(status))
            continue;
        int is_signal = status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80);
        ptrace(PTRACE_DETACH, process->pid, NULL, (void *)(long)(is_signal ? WSTOPSIG(status) : 0));
    }
}

static void finish(void)
{
    char line[64];
    let_go();
    snprintf(line, sizeof line, "stops %ld", stop_count);
    say(line);
    publish();
    is_counting = 0;
    is_done = 1;
}

/* `stopped` is at the stop. */
static void strike(const struct process *stopped)
{
    static struct victim victims[PROCESSES];
    int count = 0;
    pid_t own = stopped->pid;
    if (supervisor_calls && victim_of(own, &victims[count]))
        count++;
    if (daemon_dies) {
        count += draw_victims(victims + count, PROCESSES - count, own);
        kill_and_reap(daemon_pid);
        say("daemon");
    }
    for (int index = 0; index < count; index++) {
        /* Of a daemon that lives: before that can follow from the death. */
        if (!daemon_dies)
            tell(&victims[index]);
        kill_victim(&victims[index]);
        if (daemon_dies)
            tell(&victims[index]);
    }
    finish();
}

static void stopped(pid_t pid, int status)
{
    struct process *process = find(pid);
    int event = status >> 16, number = WSTOPSIG(status);
    if (is_done) {
        /* A child whose first stop comes only now. */
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
        return;
    }
    if (!process) {
        /* A child of the daemon on its way to be something, or one of a supervisor, which is a job's. */
        if (!is_named(pid, "botcrond")) {
            ptrace(PTRACE_DETACH, pid, NULL, NULL);
            return;
        }
        process = add(pid, NEW);
    }
    if (event == PTRACE_EVENT_EXEC) {
        if (pid == daemon_pid)
            process->kind = DAEMON;
        else if (supervisor_calls && is_named(pid, "botcron-run"))
            process->kind = SUPERVISOR;
        else {
            /* Not watched: while we have not heard of the end of one that is, its daemon looks for that in vain. */
            process->kind = GONE;
            ptrace(PTRACE_DETACH, pid, NULL, NULL);
            return;
        }
    }
    if (event == PTRACE_EVENT_STOP && number != SIGTRAP) {
        ptrace(PTRACE_LISTEN, pid, NULL, NULL);
        return;
    }
    if (event != 0)
        return resume(process, 0);
    if (number != (SIGTRAP | 0x80))
        return resume(process, number);
    if (is_counted(process) && now_ms() >= start_ms && ++stop_count == stop_wanted)
        return strike(process);
    resume(process, 0);
}

static void look_at_clock(void)
{
    long long now = now_ms();
    if (is_done)
        return;
    /* Whoever waits in a call is there when its second comes. */
    if (!is_counting && now >= start_ms - 5) {
        is_counting = 1;
        for (int index = 0; index < process_count; index++)
            if (processes[index].kind != GONE)
                ptrace(PTRACE_INTERRUPT, processes[index].pid, NULL, NULL);
    }
    if (is_over)
        finish();
}

static void woken(int number)
{
    if (number == SIGUSR1)
        is_over = 1;
}

static void forward(int number)
{
    if (daemon_pid > 0)
        kill(daemon_pid, number);
}

static void start(char **arguments, long options)
{
    int gate[2];
    char byte = 0;
    if (pipe2(gate, O_CLOEXEC) < 0)
        fail("pipe2");
    pid_t own = getpid();
    daemon_pid = fork();
    if (daemon_pid < 0)
        fail("fork");
    if (daemon_pid == 0) {
        close(gate[1]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != own || read(gate[0], &byte, 1) != 1)
            _exit(125);
        execvp(arguments[0], arguments);
        fail(arguments[0]);
    }
    is_own_child = 1;
    close(gate[0]);
    if (ptrace(PTRACE_SEIZE, daemon_pid, NULL, (void *)options) < 0)
        fail("PTRACE_SEIZE");
    add(daemon_pid, NEW);
    if (write(gate[1], &byte, 1) != 1)
        fail("write");
    close(gate[1]);
}

int main(int count, char **arguments)
{
    if (count < 8)
        return 64;
    report_path = arguments[1];
    start_ms = atoll(arguments[2]) * 1000;
    daemon_dies = strcmp(arguments[3], "supervisor") != 0;
    supervisor_calls = strcmp(arguments[3], "daemon") != 0;
    stop_wanted = atol(arguments[4]);
    share = atol(arguments[5]);
    seed = strtoull(arguments[6], NULL, 10);
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE
        | PTRACE_O_TRACEEXEC;
    struct sigaction action = { .sa_handler = woken };
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = forward;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, NULL);
    if (strcmp(arguments[7], "-p") == 0) {
        daemon_pid = count > 8 ? atoi(arguments[8]) : 0;
        if (ptrace(PTRACE_SEIZE, daemon_pid, NULL, (void *)options) < 0)
            fail("PTRACE_SEIZE");
        add(daemon_pid, DAEMON);
    } else {
        start(arguments + 7, options);
    }
    /* Again and again: one that came between a look and a wait would be lost. */
    struct itimerval timer = { { 0, 5000 }, { 0, 5000 } };
    setitimer(ITIMER_REAL, &timer, NULL);
    int status;
    while (is_own_child || !is_done) {
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno != EINTR)
            break;
        if (pid > 0 && WIFSTOPPED(status)) {
            stopped(pid, status);
        } else if (pid > 0) {
            struct process *process = find(pid);
            if (process)
                process->kind = GONE;
            if (pid == daemon_pid) {
                if (!is_done)
                    finish();
                break;
            }
        }
        look_at_clock();
        if (is_done && timer.it_value.tv_usec) {
            timer.it_value.tv_usec = 0;
            setitimer(ITIMER_REAL, &timer, NULL);
        }
    }
    if (!is_own_child)
        return 0;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    signal(WTERMSIG(status), SIG_DFL);
    kill(getpid(), WTERMSIG(status));
    return 125;
}
