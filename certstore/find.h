/*
 * Looking for a partner's certificate to encrypt to: the places one after the other by strength, each certificate
 * weighed, one chosen, or exactly why none. Role judge; pure over what is known (source.h): what is missing is asked
 * for, and the same is worked out again when it has come. How much a certificate is worth is the caller's business,
 * which weighs it.
 */
#ifndef POSTERN_CERTSTORE_FIND_H
#define POSTERN_CERTSTORE_FIND_H

#include "certstore/find_options.h"
#include "certstore/source.h"
#include "certstore/trust.h"
#include "gateway/base/arena.h"
#include "gateway/base/problem.h"
#include "gateway/mail/address.h"

#define FIND_SEEN_MAX 32
#define FIND_ISSUERS_MAX 8
#define FIND_CERTS_MAX 64 /* of one answer that are read */

struct find_octets {
	const uint8_t *p;
	size_t n;
};
enum find_source {
	FIND_BY_ADMIN,	   /* the store: imported or pinned by the admin */
	FIND_BY_STATEMENT, /* given by a trusted statement of the domain's gateway (XSMG), kept or just read */
	FIND_HARVESTED,	   /* the store: out of signed and believed mail */
	FIND_IN_NETWORK,
};
struct find_cert {
	struct find_octets der;
	const char *owner; /* the address or domain under which it stood */
	const char *place; /* "store", "dns CERT" ... */
	enum find_source source;
	bool pinned;
	const struct trust_dane *dane;	   /* a record of a signed zone that speaks of it, NULL none */
	const struct find_octets *issuers; /* certificates of authorities found beside it */
	size_t nissuers;
};
enum find_worth {
	FIND_GOOD,
	FIND_BAD,   /* to encrypt to, and not to be used: why says it */
	FIND_OTHER, /* not to encrypt to at all (the signing half of a pair, an authority's) */
	FIND_DOUBT, /* cannot be told now */
};
struct find_weight {
	enum find_worth worth;
	int64_t not_before;
	bool personal; /* of one person */
	bool vouched;  /* BAD, and yet of somebody who is believed: it was taken back, or ran out */
	char sha256[65];
	char why[600]; /* names the certificate */
};
struct find_limits {
	uint32_t timeout_ms; /* of one question to the network */
	uint32_t octets_max; /* of one answer */
	unsigned weigh_max;  /* certificates that are weighed for one recipient */
};
/* What became of a statement that the record _smg leads to. */
enum find_statement_answer {
	FIND_STATEMENT_NONE,	/* it counts as none: why */
	FIND_STATEMENT_TRUSTED, /* it gives these */
	FIND_STATEMENT_UNSURE,	/* it waits for the admin, or cannot be judged now: why */
	FIND_STATEMENT_PENDING,
};
struct find_statement {
	enum find_statement_answer answer;
	struct find_octets certs[FIND_CERTS_MAX], issuers[FIND_ISSUERS_MAX]; /* valid until the next call */
	size_t n, nissuers;
	char why[400];
};
struct find_question {
	const struct address *who;
	const struct find_options *options;
	const struct find_limits *limits;
	bool listed; /* DNS may be told the address */
	bool strict; /* whatever is uncertain makes the whole uncertain (P1: listed, seen protected, required) */
	const struct find_cert *kept; /* what the store has for the address, then for the domain */
	size_t nkept;
	bool all;		/* the octets of every certificate that was seen are wanted */
	struct source_run *run; /* NULL: the store alone */
	struct find_memo *memo; /* NULL: octets are read each time */
	/* 0; -1 with pr: nothing can be told now. */
	int (*weigh)(void *ctx, const struct find_cert *c, struct find_weight *w_r, struct problem *pr);
	/* Judges the octets of a statement that came from `where`. NULL: the record _smg is not looked at. */
	void (*statement)(void *ctx, const struct find_octets *o, const char *where, struct find_statement *r_r);
	void *ctx;
};
enum find_state {
	FIND_NONE, /* surely none */
	FIND_USABLE,
	FIND_UNUSABLE, /* there are some, none may be used */
	FIND_UNCERTAIN /* P1: try later */
};
struct find_seen {
	char owner[ADDRESS_TEXT_MAX];
	char place[64];
	bool pinned;
	struct find_octets der; /* in the arena, when all are wanted and they fit */
	struct find_weight w;
};
struct find_result {
	enum find_state state;
	char why[400];
	struct find_octets best; /* USABLE: in the arena */
	struct find_seen seen[FIND_SEEN_MAX];
	size_t nseen, chosen; /* chosen: index into seen, when USABLE */
};
/* When q->run->pending is not 0 afterwards this is no result yet. 0; -1 with pr as weigh said. */
int find_certificate(const struct find_question *q, struct arena *a, struct find_result *r_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
