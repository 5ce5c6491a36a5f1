/*
 * What the judge said is to be done about statements beside mail to a partner, remembered for a short time and in
 * bounded memory, so that mail seldom waits for it. Relay, loop thread. Does not ask; relay_xsmg_client.c does.
 */
#ifndef POSTERN_PROC_RELAY_XSMG_DUE_H
#define POSTERN_PROC_RELAY_XSMG_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certstore/judge_xsmg_proto.h"

/* A statement of ours; equal ids share one. */
struct relay_xsmg_own {
	struct relay_xsmg_own *next, **prev;
	unsigned refs;
	char id[JUDGE_XSMG_ID + 1];
	size_t n;
	uint8_t der[];
};
struct relay_xsmg_due {
	uint8_t name[32]; /* of the pair of domains */
	int64_t until;	  /* loop_now_ms; what the judge said holds until then */
	uint64_t changes; /* and while this is so */
	bool expected, get, put;
	char held[JUDGE_XSMG_ID + 1];
	struct relay_xsmg_own *own; /* with put */
	/* Kept when the judge is asked again; those of the pair "", partner are meant: */
	int64_t busy_until;    /* a mail is asking */
	int64_t rest_until;    /* it was asked */
	int64_t offered_until; /* the judge was told; this and the next: those of the pair "@" a host, partner */
	int64_t missing_until;
};
struct relay_xsmg_dues;

struct relay_xsmg_dues *relay_xsmg_dues_new(void);
void relay_xsmg_dues_free(struct relay_xsmg_dues *d);
/* The place of the pair; what was there of another one is forgotten. Valid until the next call with another pair. */
struct relay_xsmg_due *relay_xsmg_due(struct relay_xsmg_dues *d, const char *ours, const char *partner);
bool relay_xsmg_due_fresh(const struct relay_xsmg_due *e, uint64_t changes, int64_t now);
/* The judge's answer. */
void relay_xsmg_due_set(struct relay_xsmg_dues *d, struct relay_xsmg_due *e, const struct judge_xsmg_duty *m,
    uint64_t changes, int64_t now);
struct relay_xsmg_own *relay_xsmg_own_ref(struct relay_xsmg_own *o);
void relay_xsmg_own_free(struct relay_xsmg_own *o);

#endif
