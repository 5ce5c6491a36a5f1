/*
 * The spool directory: content larger than memory-max, one file a message, named as the message. relay; blocks on the
 * disk. A file without a message is removed when the queue opens.
 */
#ifndef POSTERN_QUEUE_QUEUE_FILES_H
#define POSTERN_QUEUE_QUEUE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/problem.h"

enum { QUEUE_FILES_UNSYNCED = -2 };

/* Opens or makes dir/spool; a descriptor (caller closes) or -1 with pr, also when the file system cannot make unnamed
 * files. */
int queue_files_open(const char *dir, struct problem *pr) __attribute__((warn_unused_result));
/* Syncs an unnamed file of this directory and names it. -1 with pr when it cannot be named (no room, named and
 * removed before, not of this directory); QUEUE_FILES_UNSYNCED when the sync fails: nobody knows what the disk has
 * then. queue_files_sync must follow before anything relies on the name. */
int queue_files_keep(int dirfd, int fd, int64_t number, struct problem *pr) __attribute__((warn_unused_result));
/* Makes the names durable. 0 or QUEUE_FILES_UNSYNCED. */
int queue_files_sync(int dirfd, struct problem *pr) __attribute__((warn_unused_result));
void queue_files_remove(int dirfd, int64_t number);
/* For reading; -1 with pr. */
int queue_files_read(int dirfd, int64_t number, struct problem *pr) __attribute__((warn_unused_result));
/* Removes each message file that is not wanted; other files are left alone. Returns how many. */
long queue_files_sweep(int dirfd, bool (*wanted)(void *ctx, int64_t number), void *ctx);

#endif
