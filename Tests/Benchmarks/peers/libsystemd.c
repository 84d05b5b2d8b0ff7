/* Nanoseconds per next fire of libsystemd's calendar events: libsystemd LIBRARY. One line each: peer, name, ns.
 *
 * The functions belong to systemd itself (libsystemd-shared), so they are looked up at run time. The zone is the process's:
 * for an event that names one systemd forks a process at each call. Cron expressions that a calendar event cannot say (both
 * day fields, the fifth Monday of February) are left out. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef int (*from_string)(const char *, void **);
typedef int (*next_usec)(const void *, uint64_t, uint64_t *);

static const struct { const char *name, *event, *zone; int calls; } rows[] = {
    { "every-minute", "*:*:00", "UTC", 10000 },
    { "quarter-hour", "*:0/15", "America/New_York", 10000 },
    { "daily-9", "09:00", "America/New_York", 5000 },
    { "weekdays-9", "Mon..Fri 09:00", "America/New_York", 5000 },
    { "office-hours", "Mon..Fri 9..17:0/15", "Europe/Berlin", 10000 },
    { "six-field", "*:0/5:00", "America/New_York", 10000 },
    { "monthly", "*-*-01", "UTC", 1000 },
    { "leap-day", "*-02-29", "UTC", 15 },
    { "year-end-second", "*-12-31 23:59:59", "America/New_York", 50 },
    { "march-nights", "*-03-8..14 1..3:0/30", "America/New_York", 1000 },
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int count, char **arguments)
{
    if (count != 2) return 2;
    void *library = dlopen(arguments[1], RTLD_NOW);
    if (!library) { fprintf(stderr, "%s\n", dlerror()); return 1; }
    from_string parse = (from_string)dlsym(library, "calendar_spec_from_string");
    next_usec next = (next_usec)dlsym(library, "calendar_spec_next_usec");
    if (!parse || !next) { fprintf(stderr, "%s has no calendar events\n", arguments[1]); return 1; }
    for (unsigned row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        void *event;
        double best = 1e18;
        setenv("TZ", rows[row].zone, 1);
        tzset();
        if (parse(rows[row].event, &event) < 0) { printf("systemd %s -\n", rows[row].name); continue; }
        for (int run = 0; run < 3; run++) {
            uint64_t time = 1772884800000000;
            double begin = now();
            for (int call = 0; call < rows[row].calls; call++)
                if (next(event, time, &time) < 0) { best = -1; break; }
            double elapsed = (now() - begin) / rows[row].calls;
            if (elapsed < best) best = elapsed;
        }
        if (best < 0) printf("systemd %s -\n", rows[row].name);
        else printf("systemd %s %.0f\n", rows[row].name, best);
    }
    return 0;
}
