/* The path, network and scope part of a sandbox by Landlock. Called by sandbox.c alone. */
#ifndef POSTERN_BASE_SANDBOX_LANDLOCK_H
#define POSTERN_BASE_SANDBOX_LANDLOCK_H

#include "gateway/base/problem.h"
#include "gateway/base/sandbox.h"

/* The running kernel's Landlock ABI version, 0 when it has none (or it is switched off). */
int sandbox_landlock_abi(void);
/* Restricts the calling thread; needs no_new_privs. 0, or -1 with pr. Only where the ABI is 1 or higher. */
int sandbox_landlock_apply(const struct sandbox *s, int abi, struct problem *pr) __attribute__((warn_unused_result));

#endif
