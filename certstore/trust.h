/*
 * Whom to believe: path, time, key usage, EKU emailProtection, binding (RFC 5280, RFC 8550, RFC 8551). Judge; reads
 * what it is given, no I/O.
 */
#ifndef POSTERN_CERTSTORE_TRUST_H
#define POSTERN_CERTSTORE_TRUST_H

#include "certstore/cert.h"
#include "certstore/store.h"

/* Certificates in a path, with the leaf and the anchor. Deployed ones have up to five; PKITS goes to seven. */
#define TRUST_PATH_MAX 8

enum trust_result { TRUST_GOOD, TRUST_BAD /* invalid or not trusted */, TRUST_UNBOUND };
/* What a record in a signed zone says about the certificate (SMIMEA, RFC 8162; fields as in RFC 6698 2.1). */
struct trust_dane {
	uint8_t usage, selector, matching;
	const uint8_t *data;
	size_t n;
};
struct trust_question {
	const struct address *who; /* partner: domain set; local may be "" when only the domain counts */
	enum cert_purpose use;
	const struct store_anchor *anchors; /* already of the right scope and direction */
	size_t nanchors;
	X509 *const
	    *anchor_certs; /* the same, parsed (NULL entries: unreadable), or NULL: then parsed here each time */
	bool pinned; /* the admin pinned exactly this certificate for this partner: neither anchor nor binding needed;
			time, use, strength still count */
	X509 *const *extra; /* possible issuers found in the message */
	size_t nextra;
	int64_t at; /* unix s */
};
/* why: one sentence naming the certificate (subject, serial, dates) and what spoke for or against it. */
enum trust_result trust_check(X509 *x, const struct trust_question *q, char *why, size_t cap);
/* The two halves of it, for whoever keeps answers: what does not depend on q->who (strength, use, time, path; how
 * says which or by which anchor), and what does, given the first half's result. */
int trust_path(X509 *x, const struct cert_facts *f, const struct trust_question *q, char *how, size_t cap);
enum trust_result trust_conclude(X509 *x, const struct cert_facts *f, const struct trust_question *q, int path_rc,
    const char *how, char *why, size_t cap);
/* The part of trust_path that needs nobody's trust: strength, use, time. 0, or -1 with the reason (without the
 * certificate's name). */
int trust_fit(const struct cert_facts *f, enum cert_purpose use, int64_t at, char *why, size_t cap);

#endif
