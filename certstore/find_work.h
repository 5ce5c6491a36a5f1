/*
 * One look for a certificate in the making: the steps that were gone, what each found. For find.c and the files of
 * the places, find_dns.c, find_ldap.c, find_http.c.
 */
#ifndef POSTERN_CERTSTORE_FIND_WORK_H
#define POSTERN_CERTSTORE_FIND_WORK_H

#include "certstore/find.h"

enum { FIND_STEPS_MAX = 64, FIND_HINTS_MAX = 16, FIND_MEMORY = 4 << 20, FIND_READ_MAX = 512 };

enum find_answer { FIND_STEP_NONE, FIND_STEP_FOUND, FIND_STEP_TEMP, FIND_STEP_PENDING };
/* One question to one place, and what came of it. */
struct find_step {
	enum find_tier tier;
	enum find_source source;
	bool address; /* asked for the address, else for the domain */
	const char *place;
	const char *owner;
	enum find_answer answer;
	bool hard;     /* TEMP: uncertain whoever the partner is */
	bool cut;      /* it had more than was looked at */
	char why[400]; /* TEMP, and what was passed over */
	struct find_octets v[FIND_CERTS_MAX], issuers[FIND_ISSUERS_MAX];
	struct trust_dane *dane[FIND_CERTS_MAX]; /* NULL: none */
	size_t n, nissuers;
};
struct find_work {
	const struct find_question *q;
	struct arena *mem;
	struct find_step *steps[FIND_STEPS_MAX];
	size_t nsteps;
	struct trust_dane
	    *hints[FIND_HINTS_MAX]; /* SMIMEA records that say which certificates of other places count */
	size_t nhints;
	char address[ADDRESS_TEXT_MAX];
	unsigned weighed;
	unsigned read; /* certificates that had to be taken apart */
	bool untold;   /* the address was kept from the DNS or the directories: by-address */
};

/* A new step, NONE as yet. Never NULL: past FIND_STEPS_MAX the last one is a TEMP that takes what comes. */
struct find_step *find_work_step(struct find_work *w, enum find_tier t, bool address, const char *place);
/* Asks; NULL when the answer is pending (the step then says so). A TEMP is written into the step: hard when hard is
 * set, or DNS showed it to be no mere silence; a NONE leaves the step as it is. */
const struct source_answer *find_work_ask(
    struct find_work *w, struct find_step *s, const struct source_ask *a, bool hard);
/* A question with the limits set. */
void find_work_fill(
    const struct find_work *w, struct source_ask *a, enum source_kind kind, enum source_chosen chosen);
/* The step cannot be told: a pointer that was seen leads nowhere. */
void find_work_failed(struct find_step *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Something was passed over: it stands in the trace and the step. */
void find_work_passed(struct find_work *w, struct find_step *s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What the octets hold: certificates in DER, PEM, PKCS#7; those of CAs count as issuers too. One that cannot be read
 * stands there as it is, to be weighed and found unreadable. dane NULL: none. */
void find_work_take(struct find_work *w, struct find_step *s, const void *p, size_t n, const struct trust_dane *dane);
/* A certificate of an authority that came beside. */
void find_work_issuer(struct find_work *w, struct find_step *s, const void *p, size_t n);
/* Of a server whose steps are those from `first` on: it answered (or has not yet), false: it could not be asked. */
bool find_work_answered(const struct find_work *w, size_t first);
/* The steps of servers that could not be asked say nothing once another one has answered. */
void find_work_forget(struct find_work *w, size_t from, size_t to);
/* May this place be told the address? dns: it is DNS. When not, it stands in the trace. */
bool find_work_may_tell(struct find_work *w, bool dns, const char *place, const char *query);

#endif
