/* Counts the heap allocations of the program that it is preloaded into: LD_PRELOAD=count-malloc.so PROGRAM. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static uint64_t count;

uint64_t counted_allocations(void) { return count; }

void *malloc(size_t size) { __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED); return __libc_malloc(size); }

void *calloc(size_t number, size_t size)
{
    __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size)
{
    __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    return __libc_realloc(block, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    *block = __libc_memalign(alignment, size);
    return *block == NULL ? 12 : 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    return __libc_memalign(alignment, size);
}
