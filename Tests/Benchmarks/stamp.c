// Writes the wall clock's nanoseconds as the first thing it does, and ends: when a process was there, but for its exec.
#include <time.h>
#include <unistd.h>

int main(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char text[32];
    char *end = text + sizeof text, *digit = end;
    *--digit = '\n';
    for (unsigned long long rest = now.tv_sec * 1000000000ull + now.tv_nsec; rest > 0; rest /= 10) {
        *--digit = '0' + rest % 10;
    }
    return write(1, digit, end - digit) == end - digit ? 0 : 1;
}
