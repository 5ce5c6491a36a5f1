/*
 * Whom to believe: path, time, key usage, EKU emailProtection, revocation, binding (RFC 5280, RFC 8550, RFC 8551).
 * Judge; works over what it is given, no I/O.
 */
#ifndef POSTERN_CERTSTORE_TRUST_H
#define POSTERN_CERTSTORE_TRUST_H

#include "certstore/cert.h"
#include "certstore/store.h"

/* Certificates in a path, with the leaf and the anchor. Deployed ones have up to five; PKITS goes to seven. */
#define TRUST_PATH_MAX 8

/* Looking at signatures for one question, in units of one RSA signature of 2048 bits (some 30 us): who chooses the
 * certificates chooses how many there are, and how costly their keys. */
#define TRUST_WORK 1500

enum trust_result {
	TRUST_GOOD,
	TRUST_BAD, /* invalid or not trusted */
	TRUST_UNBOUND,
	TRUST_REVOKED, /* its issuer took it back, or one of its issuers was: never used, pinned or not */
	TRUST_UNSURE,  /* cannot be told now, and the rules say that this matters: try later (P1) */
};
/* Why it is believed; what replaces a known certificate should not stand on less (trust_change_rank: the order). The
 * numbers stand in stores: new ones come last. */
enum trust_reason {
	TRUST_BY_NOTHING,
	TRUST_BY_DANE,	  /* a record of a signed zone alone */
	TRUST_BY_ANCHOR,  /* an anchor for all partners */
	TRUST_BY_GROUP,	  /* an anchor for the partner's group */
	TRUST_BY_PARTNER, /* an anchor for this partner */
	TRUST_BY_PIN,
	TRUST_BY_FIRST_CONTACT, /* a statement (XSMG) that nothing spoke against */
	TRUST_BY_WEBPKI,	/* a statement from its web server alone */
};
/* What a record in a signed zone says about the certificate (SMIMEA, RFC 8162; fields as in RFC 6698 2.1). */
struct trust_dane {
	uint8_t usage, selector, matching;
	const uint8_t *data;
	size_t n;
};
struct revoke;	   /* revoke.h */
struct source_run; /* source.h */
struct trust_question {
	const struct address *who; /* partner: domain set; local may be "" when only the domain counts */
	enum cert_purpose use;
	const struct store_anchor *anchors; /* already of the right scope and direction */
	size_t nanchors;
	X509 *const
	    *anchor_certs; /* the same, parsed (NULL entries: unreadable), or NULL: then parsed here each time */
	bool pinned; /* the admin pinned exactly this certificate for this partner: neither anchor nor binding needed;
			time, use, strength still count, and so does revocation when a path is there */
	X509 *const *extra; /* possible issuers found in the message */
	size_t nextra;
	const struct trust_dane *dane; /* from a secure zone under the partner's name; NULL: none */
	struct revoke *revoke;	       /* NULL: nobody asks about revocation */
	struct source_run *run;	       /* NULL: nobody may ask the network */
	unsigned *fetches;	       /* missing issuers that may still be fetched, counted down; NULL: none */
	unsigned *work;		       /* what may still be done, counted down; NULL: TRUST_WORK */
	int64_t at;		       /* unix s */
};
/* What trust_path found. */
struct trust_found {
	enum trust_result result; /* GOOD, BAD, REVOKED or UNSURE */
	int anchor;		  /* index of the anchor of the path, -1: there is none, or none was needed */
	bool dane_alone;	  /* a record of usage 3 stands in for anchor and binding */
	uint64_t away;	      /* UNSURE because an issuer could not be fetched: its place (issuer_place); else 0 */
	uint64_t answered[4]; /* places of issuers that were there, whatever they had (ISSUER_FETCHES at most) */
	unsigned nanswered;
	bool spent;		       /* UNSURE because a limit of the search was met before all was looked at */
	enum trust_result until_spent; /* what it would have been by what was looked at */
	char how[400];
};
/* why: one sentence naming the certificate (subject, serial, dates) and what spoke for or against it. */
enum trust_result trust_check(X509 *x, const struct trust_question *q, char *why, size_t cap);
/* The two halves of it, for whoever keeps answers: what does not depend on q->who (strength, use, time, path,
 * revocation; how says which or by which anchor), and what does, given the first half's result. When q->run->pending
 * grew meanwhile, what was found is nothing to be kept. */
void trust_path(X509 *x, const struct cert_facts *f, const struct trust_question *q, struct trust_found *found_r);
enum trust_result trust_conclude(X509 *x, const struct cert_facts *f, const struct trust_question *q,
    const struct trust_found *found, char *why, size_t cap);
/* The part of trust_path that needs nobody's trust: strength, use, time. 0, or -1 with the reason (without the
 * certificate's name). */
int trust_fit(const struct cert_facts *f, enum cert_purpose use, int64_t at, char *why, size_t cap);

#endif
