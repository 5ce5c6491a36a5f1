/*
 * Memory that belongs to one job or session and dies with it. Every process. Bounded; past the bound is NULL (a limit
 * of the world); out of memory of the machine is fatal.
 */
#ifndef POSTERN_BASE_ARENA_H
#define POSTERN_BASE_ARENA_H

#include <stddef.h>

struct arena;

/* An arena that gives out at most max octets in all. Never NULL. */
struct arena *arena_new(size_t max);
/* Frees everything given out; wipes it first. NULL is allowed. */
void arena_free(struct arena *a);
/* n octets of zeroes, aligned for any type; NULL when the arena's maximum would be exceeded. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((warn_unused_result));
/* Copies; a NUL is added behind. NULL as above. */
char *arena_dup(struct arena *a, const void *p, size_t n) __attribute__((warn_unused_result));
char *arena_str(struct arena *a, const char *s) __attribute__((warn_unused_result));
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3), warn_unused_result));
size_t arena_used(const struct arena *a);

#endif
