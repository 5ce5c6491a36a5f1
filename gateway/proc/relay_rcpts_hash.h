/* The hash of the recipients' tables. Role relay, parent. */
#ifndef POSTERN_PROC_RELAY_RCPTS_HASH_H
#define POSTERN_PROC_RELAY_RCPTS_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Seeded once a process: the keys are addresses that strangers choose. */
uint64_t relay_rcpts_hash(const char *p, size_t n);

#endif
