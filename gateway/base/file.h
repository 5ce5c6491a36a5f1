/* Whole small files and durable writes. Parent, judge, CLI, tests; blocks. */
#ifndef POSTERN_BASE_FILE_H
#define POSTERN_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"

/* Reads all of a file up to b's maximum. 0 / -1 with pr (names the path and why). */
int file_read(const char *path, struct buf *b, struct problem *pr) __attribute__((warn_unused_result));
int file_read_fd(int fd, struct buf *b, struct problem *pr) __attribute__((warn_unused_result));
/* Writes path durably: temporary file in the same directory, fsync, rename, fsync of the directory. mode 0600
 * usually. */
int file_write(const char *path, const void *p, size_t n, mode_t mode, struct problem *pr)
    __attribute__((warn_unused_result));
/* Removes path durably: its directory is synced. One that is not there is removed already. */
int file_remove(const char *path, struct problem *pr) __attribute__((warn_unused_result));
/* A sealed memfd with this content (read from offset 0), or -1. Caller closes. */
int file_memfd(const char *name, const void *p, size_t n) __attribute__((warn_unused_result));
/* mkdir -p with mode; 0 / -1. */
int file_mkdirs(const char *path, mode_t mode, struct problem *pr) __attribute__((warn_unused_result));

#endif
