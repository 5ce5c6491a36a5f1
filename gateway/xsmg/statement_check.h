/*
 * The checks of a statement that came (docs/XSMG.md, "Checks"), in their order: the first that fails names the
 * refusal. Judge, tests, fuzz. Pure. Whether to trust it is decided elsewhere (xsmg_trust.c).
 */
#ifndef POSTERN_XSMG_STATEMENT_CHECK_H
#define POSTERN_XSMG_STATEMENT_CHECK_H

#include "gateway/base/arena.h"
#include "gateway/base/problem.h"
#include "gateway/xsmg/statement.h"
#include "gateway/xsmg/statement_cms.h"

struct statement_facts {
	const char *domain; /* asked for; A-labels, lower case */
	int64_t now;	    /* unix s */
	/* of the statement that is trusted; trusted_id NULL or "": there is none. issued is for the sentence */
	int64_t trusted_serial, trusted_issued;
	const char *trusted_id;
	/* local parts that the admin allowed in certificates of this partner, besides the two authorities */
	const char *const *locals;
	size_t nlocals;
};

enum statement_result {
	STATEMENT_OK,	    /* every check passed; newer than the trusted one */
	STATEMENT_CURRENT,  /* it is the trusted one */
	STATEMENT_OLD,	    /* older than the trusted one: ignored */
	STATEMENT_CONFLICT, /* the trusted one's serial, other content */
	STATEMENT_CLOCK,    /* from the future: clocks differ, try later */
	STATEMENT_REFUSED,
};
/* "ok", "current", "old", "conflict", "clock", "refused". */
const char *statement_check_word(enum statement_result r);

struct statement_verdict {
	enum statement_result result;
	enum statement_step step; /* what failed; NONE after OK and CURRENT */
	int signer;		  /* index in sd_r->signers of the SignerInfo of `signer`; -1: not known */
	struct problem why;	  /* a sentence; CLOCK: TEMP, else PERM; nothing after OK and CURRENT */
};

/* Reads and checks. *s_r is whole after every result but REFUSED at SIGNATURE or before, or at JSON; *sd_r after
 * every result but REFUSED at SIGNERS or before. Both point into der and the arena (STATEMENT_ARENA suffices). In
 * *s_r each certificate says whether it is good, and why not: those that are not are passed over, but the signer's
 * refuses. */
void statement_check(const void *der, size_t n, const struct statement_facts *f, struct arena *a,
    struct statement *s_r, struct statement_signed *sd_r, struct statement_verdict *v_r);
/* The certificates alone, for a statement that was kept: sets good and why of each by today's rules; f needs domain
 * and locals. Time is not looked at: statement_cert_now does. */
void statement_check_certs(const struct statement_facts *f, struct statement *s);

#endif
