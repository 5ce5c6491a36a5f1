/* What our own domains say of themselves (XSMG): their statements, made daily and on change. Role judge; reads and
 * writes the store, asks the keeper to sign. Blocks on both. */
#ifndef POSTERN_PROC_JUDGE_XSMG_OWN_H
#define POSTERN_PROC_JUDGE_XSMG_OWN_H

#include <stddef.h>
#include <stdint.h>

#include "certstore/store.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_world.h"
#include "gateway/proc/judge_xsmg_rollover.h"
#include "gateway/proc/statement_settings.h"

struct judge_xsmg_own;

/* All stay; keys: the place where the keeper's client stands once it does. message_max: octets of the largest message
 * that is taken. Never NULL. */
struct judge_xsmg_own *judge_xsmg_own_new(const struct judge_world *w, struct store *s,
    const struct statement_settings *set, struct keys_client *const *keys, uint64_t message_max);
void judge_xsmg_own_free(struct judge_xsmg_own *o);
/*
 * Makes what is missing or no longer true: for each of our domains with a certificate a statement key with a
 * self-signed certificate, and the statement. To be called after each change of the store and every minute. The
 * serial is decided, and the statement made and put, in one transaction, in which is looked again whether it is still
 * to be made: gateways that share the store never make two statements with one serial. What fails is logged once for
 * each reason and tried again the next time. Returns how many statements and keys were made.
 */
int judge_xsmg_own_tick(struct judge_xsmg_own *o, int64_t now);

/* Did the last tick leave something that is to be tried again in a second? */
bool judge_xsmg_own_waits(const struct judge_xsmg_own *o);

/* The public listener serves our statements as this host at this port (stays). */
void judge_xsmg_own_served(struct judge_xsmg_own *o, const char *host, unsigned port);
/* Where a domain's statement is found first, and the host and port of the certificate store that we serve: "" and 0
 * nowhere. o NULL: nowhere. */
void judge_xsmg_own_where(const struct judge_xsmg_own *o, const char *domain, char url_r[STATEMENT_URL_MAX + 1],
    char host_r[256], unsigned *port_r);

/* What judge_xsmg_rollover.h works with, for whom and now. */
struct judge_xsmg_rollover judge_xsmg_own_rollover(const struct judge_xsmg_own *o, const char *who, int64_t now);

/* One of ours as it is given out: borrowed until the next call with the same struct judge_xsmg_own. */
struct judge_xsmg_statement {
	char id[44];
	int64_t serial;		 /* ms */
	int64_t issued, expires; /* unix s */
	const uint8_t *der;
	size_t n;
};

/* The statement of one of our domains now, from memory while the store did not change. 1 with s_r, 0 when the domain
 * is not ours or has none that is in its time (a statement key is missing: the log said why), -1 with pr when the
 * store cannot tell now. */
int judge_xsmg_own_current(struct judge_xsmg_own *o, const char *domain, int64_t now,
    struct judge_xsmg_statement *s_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
