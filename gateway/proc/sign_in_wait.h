/*
 * Who failed to sign in, and waits: per user and client, per client, per user, doubling up to a quarter of an hour.
 * Role judge; in memory, bounded; does not block. A client is an IPv4 address, an IPv6 network of 64 bits, or
 * all of loopback, where users wait but not all for one: they may have come through one proxy.
 */
#ifndef POSTERN_PROC_SIGN_IN_WAIT_H
#define POSTERN_PROC_SIGN_IN_WAIT_H

#include <stdint.h>

/* Seconds to wait, 0 none. now: unix s. */
int64_t sign_in_wait(const char *user, const char *from, int64_t now);
void sign_in_wait_failed(const char *user, const char *from, int64_t now);
/* A success speaks for the user at this client, not for others there; and for 30 days, or until the judge ends, what
 * is guessed of that user elsewhere does not keep the user waiting there. */
void sign_in_wait_passed(const char *user, const char *from, int64_t now);
/* Forgets who failed, for tests, where the hash has no secret either: who shares a place does so in each run. */
void sign_in_wait_forget(void);

#endif
