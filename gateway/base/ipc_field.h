/*
 * Fields of an IPC packet that are more than a number or octets, each decoder below its encoder. Every process; pure.
 * The other end is a process of ours, but one that may have been taken over: what is out of its range makes the
 * packet bad, and the getter gives the least value or nothing.
 */
#ifndef POSTERN_BASE_IPC_FIELD_H
#define POSTERN_BASE_IPC_FIELD_H

#include "gateway/base/arena.h"
#include "gateway/base/ipc.h"
#include "gateway/base/problem.h"

/* One octet between least and most: an enum's value. */
uint8_t ipc_field_number(struct ipc_in *in, unsigned least, unsigned most);
/* One octet, 0 or 1. */
bool ipc_field_bool(struct ipc_in *in);
/* Two octets (count) or four (count32) that say how many follow; 0 when there are more than most. */
size_t ipc_field_count(struct ipc_in *in, size_t most);
uint32_t ipc_field_count32(struct ipc_in *in, uint32_t most);
/* Up to most octets as ipc_put_bytes writes them, copied into a. NULL for none, for too many, when a is full. */
const uint8_t *ipc_field_octets(struct ipc_in *in, struct arena *a, size_t most, size_t *n_r);

void ipc_field_problem_put(struct ipc_out *o, const struct problem *pr);
/* A reply code that is not 0 stands between 400 and 599: a failure that is answered with 250 would lose a message. */
void ipc_field_problem(struct ipc_in *in, struct problem *pr_r);

#endif
