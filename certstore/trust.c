/*
 * Whom to believe. Judge; reads what it is given, no I/O. RFC 8550 4.
 *
 * Purposes are ours: OpenSSL's S/MIME purpose wants things of deployed single-use pairs that they do not have, and
 * lets pass what we refuse. Paths: trust_path.c; revocation: revoke.c; which anchors count for whom: the caller has
 * chosen them.
 */
#include "certstore/trust.h"

#include <stdio.h>

#include "certstore/revoke.h"
#include "certstore/trust_dane.h"
#include "certstore/trust_path.h"

static int unfit(char *why, size_t cap, const char *text)
{
	(void)snprintf(why, cap, "%s", text);
	return -1;
}

int trust_fit(const struct cert_facts *f, enum cert_purpose use, int64_t at, char *why, size_t cap)
{
	char day[11], text[200];

	if (f->weak)
		return unfit(why, cap, f->weak_why);
	if (!f->eku_mail)
		return unfit(why, cap, "its extended key usage does not allow mail (emailProtection is missing)");
	if (use == CERT_TO_SIGN && !f->may_sign)
		return unfit(why, cap, "its key usage does not allow signing (digitalSignature is missing)");
	if (use == CERT_TO_ENCRYPT && !f->may_encrypt)
		return unfit(why, cap,
		    "its key usage does not allow encrypting to it (keyEncipherment or keyAgreement is missing)");
	if (at < f->not_before) {
		(void)snprintf(text, sizeof text, "it is not valid before %s", cert_day(f->not_before, day));
		return unfit(why, cap, text);
	}
	if (at >= f->not_after) { /* as OpenSSL has it, so that leaf and path agree */
		(void)snprintf(text, sizeof text, "it ran out on %s", cert_day(f->not_after, day));
		return unfit(why, cap, text);
	}
	return 0;
}

static const char *binding_words(enum cert_binding b)
{
	switch (b) {
	case CERT_BOUND_ADDRESS:
		return "speaks for the address";
	case CERT_BOUND_DOMAIN:
		return "speaks for the domain";
	case CERT_BOUND_AUTHORITY:
		return "speaks for the domain as its authority";
	case CERT_BOUND_NOT:
		return "speaks for whom the admin pinned it";
	}
	return "";
}

/* Without an anchor on top: neither needed nor looked for. */
static void alone(struct trust_found *r, const char *how)
{
	r->result = TRUST_GOOD;
	(void)snprintf(r->how, sizeof r->how, "%s", how);
}

/* A pin needs no anchor. Where a path is there all the same, its lists are asked: what is revoked is never used. */
static void pinned(X509 *x, const struct trust_question *q, struct trust_found *r)
{
	struct trust_found path = {.result = TRUST_BAD, .anchor = -1};

	if (q->revoke)
		trust_path_find(x, q, &path);
	if (path.spent)
		path.result = path.until_spent;
	/* that an issuer cannot be had now is nothing against what needs no issuer, nor that there were too many */
	if (path.result == TRUST_REVOKED || (path.result == TRUST_UNSURE && path.away == 0)) {
		*r = path;
		return;
	}
	alone(r, "pinned by the admin");
	if (q->revoke && path.result != TRUST_GOOD && revoke_known(q->revoke, x, r->how, sizeof r->how))
		r->result = TRUST_REVOKED;
}

void trust_path(X509 *x, const struct cert_facts *f, const struct trust_question *q, struct trust_found *found_r)
{
	*found_r = (struct trust_found){.result = TRUST_BAD, .anchor = -1};
	if (trust_fit(f, q->use, q->at, found_r->how, sizeof found_r->how) < 0)
		return;
	if (q->pinned) {
		pinned(x, q, found_r);
	} else if (q->dane && q->dane->usage == TRUST_DANE_EE) {
		if (!trust_dane_matches(q->dane, x)) {
			(void)snprintf(
			    found_r->how, sizeof found_r->how, "the SMIMEA record names another certificate or key");
			return;
		}
		alone(found_r, "named by an SMIMEA record of a signed zone");
		found_r->dane_alone = true;
		if (q->revoke && revoke_known(q->revoke, x, found_r->how, sizeof found_r->how))
			found_r->result = TRUST_REVOKED;
	} else {
		trust_path_find(x, q, found_r);
	}
}

enum trust_result trust_conclude(X509 *x, const struct cert_facts *f, const struct trust_question *q,
    const struct trust_found *found, char *why, size_t cap)
{
	char words[300], who[ADDRESS_TEXT_MAX];
	enum cert_binding bound = cert_bound(x, q->who, q->use);

	bool named = bound != CERT_BOUND_NOT || q->pinned || found->dane_alone;

	(void)cert_words(f, words, sizeof words);
	/* Who would not be meant by it in any case need not wait until its path is known. */
	if (found->result == TRUST_UNSURE && !named) {
		(void)snprintf(why, cap, "certificate %s: it does not name %s nor its domain (it names: %.200s)",
		    words, q->who->local[0] ? address_text(q->who, who) : q->who->domain,
		    f->names[0] ? f->names : "nobody");
		return TRUST_UNBOUND;
	}
	if (found->result != TRUST_GOOD) {
		(void)snprintf(why, cap, "certificate %s: %s", words, found->how);
		return found->result;
	}
	if (!named) {
		(void)snprintf(why, cap,
		    "certificate %s: %s, but it does not name %s nor its domain (it names: %.200s)", words,
		    found->how, q->who->local[0] ? address_text(q->who, who) : q->who->domain,
		    f->names[0] ? f->names : "nobody");
		return TRUST_UNBOUND;
	}
	(void)snprintf(why, cap, "certificate %s: %s, %s", words, found->how,
	    bound == CERT_BOUND_NOT && found->dane_alone ? "speaks for the name of the record"
							 : binding_words(bound));
	return TRUST_GOOD;
}

enum trust_result trust_check(X509 *x, const struct trust_question *q, char *why, size_t cap)
{
	struct trust_found found;
	struct cert_facts f;

	cert_facts(x, &f);
	trust_path(x, &f, q, &found);
	return trust_conclude(x, &f, q, &found, why, cap);
}
