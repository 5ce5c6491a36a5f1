/* Allocation that does not fail (out of memory is fatal) and secrets that are wiped. Every process. */
#ifndef POSTERN_BASE_MEM_H
#define POSTERN_BASE_MEM_H

#include <stddef.h>

/* n zeroed octets. Never NULL. free() them. */
void *mem_new(size_t n) __attribute__((warn_unused_result, malloc));
/* n octets of anything: for what is written before it is read. Never NULL. free() them. */
void *mem_raw(size_t n) __attribute__((warn_unused_result, malloc));
void *mem_resize(void *p, size_t n) __attribute__((warn_unused_result));
char *mem_str(const char *s) __attribute__((warn_unused_result));
char *mem_dup(const void *p, size_t n) __attribute__((warn_unused_result));
/* Overwrites; not optimised away. */
void mem_wipe(void *p, size_t n);
/* Wipes and frees; NULL is allowed. */
void mem_free_secret(void *p, size_t n);
/* Copies s into a fixed array, always NUL-ended. 0, or -1 when it did not fit (then dst is ""). */
int mem_copy_str(char *dst, size_t cap, const char *s) __attribute__((warn_unused_result));

#endif
