/* The system call part of a sandbox by seccomp. Called by sandbox.c alone. */
#ifndef POSTERN_BASE_SANDBOX_FILTER_H
#define POSTERN_BASE_SANDBOX_FILTER_H

#include "gateway/base/problem.h"
#include "gateway/base/sandbox.h"

/* Loads the filter into every thread of the process; needs no_new_privs. 0, or -1 with pr. */
int sandbox_filter_load(const struct sandbox *s, struct problem *pr) __attribute__((warn_unused_result));

#endif
