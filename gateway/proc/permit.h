/*
 * One-time permits: the judge says that the web process may ask the relay for one thing, for one user. The relay has
 * no users, and believes the web process, which speaks to strangers, nothing. A permit is an HMAC-SHA256 over the
 * verb, its arguments, who asks and an end, with a key that the parent makes at its start and gives to judge and
 * relay alone. Roles judge and relay; no I/O. One key a process.
 */
#ifndef POSTERN_PROC_PERMIT_H
#define POSTERN_PROC_PERMIT_H

#include <jansson.h>
#include <stdint.h>

enum { PERMIT_KEY = 32, PERMIT_TEXT = 128, PERMIT_SECONDS = 30 };

/* Called once, before any of the others; without it no permit is good. n: PERMIT_KEY, or fatal. */
void permit_key(const uint8_t *key, size_t n);
/* For PERMIT_SECONDS from now (unix s). */
void permit_give(const char *verb, const json_t *args, const char *who, int64_t now, char out[PERMIT_TEXT]);
/* OFTEN: figures that change nothing and that anybody who has signed in may see. They are not remembered: what is
 * remembered is bounded, and a viewer must not use it up. */
enum permit_count { PERMIT_ONCE, PERMIT_OFTEN };
/* 0: it is for this, and was not used before; it is used now. -1: it is not; *why_r is a sentence. */
int permit_use(const char *permit, enum permit_count count, const char *verb, const json_t *args, const char *who,
    int64_t now, const char **why_r) __attribute__((warn_unused_result));

#endif
