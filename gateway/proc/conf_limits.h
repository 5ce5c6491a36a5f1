/* Limits of the configuration that must fit each other. Parent and every role; pure. */
#ifndef POSTERN_PROC_CONF_LIMITS_H
#define POSTERN_PROC_CONF_LIMITS_H

#include "gateway/proc/conf.h"

/* 0, or -1 with which two do not fit, and why that matters. */
int conf_limits_check(const struct conf *c, const char *file, struct problem *pr) __attribute__((warn_unused_result));

#endif
