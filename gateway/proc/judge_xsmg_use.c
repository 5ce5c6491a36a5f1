/* What a trusted statement does. Role judge. */
#include "gateway/proc/judge_xsmg_use.h"

#include <stdio.h>
#include <string.h>

#include "certstore/judge_proto.h"
#include "gateway/cms/cms_enc.h"
#include "gateway/proc/partner_statement_settings.h"

enum { LEFT_S = 600 };

static bool is_trusted(const struct judge_owner *o)
{
	return o->statement && o->statement->trusted.der && !o->statement->frozen && !o->statement->trusted.withdrawn;
}

static bool fits(const struct store_statement_cert *c, enum cert_purpose use, int64_t now)
{
	int only = use == CERT_TO_SIGN ? STATEMENT_FOR_SIGN : STATEMENT_FOR_ENCRYPT;

	return (c->use == only || c->use == STATEMENT_FOR_BOTH) && c->from <= now && now < c->until;
}

enum xsmg_level judge_xsmg_use_vouches(
    const struct judge_owner *o, const char *sha256, enum cert_purpose use, int64_t now)
{
	if (!is_trusted(o) || o->statement->established == XSMG_ANCHORED)
		return XSMG_NEVER;
	for (size_t i = 0; i < o->ngiven; i++)
		if (fits(&o->given[i], use, now) && strcmp(o->given[i].sha256, sha256) == 0)
			return (enum xsmg_level)o->statement->established;
	return XSMG_NEVER;
}

enum trust_reason judge_xsmg_use_reason(enum xsmg_level l)
{
	switch (l) {
	case XSMG_PINNED:
		return TRUST_BY_PIN;
	case XSMG_ANCHORED:
		return TRUST_BY_PARTNER;
	case XSMG_DNSSEC:
		return TRUST_BY_DANE;
	case XSMG_WEBPKI:
		return TRUST_BY_WEBPKI;
	case XSMG_FIRST_CONTACT:
		return TRUST_BY_FIRST_CONTACT;
	case XSMG_NEVER:
		break;
	}
	return TRUST_BY_NOTHING;
}

void judge_xsmg_use_words(const struct judge_owner *o, const struct cert_facts *f, char *why, size_t cap)
{
	char words[300];

	(void)snprintf(why, cap, "certificate %s: given by the statement of %.200s, which is trusted by %s",
	    cert_words(f, words, sizeof words), o->name,
	    xsmg_trust_level_word((enum xsmg_level)o->statement->established));
}

void judge_xsmg_use_certs(const struct judge_owner *o, int64_t now, struct find_octets *certs_r, size_t *n_r,
    struct find_octets *issuers_r, size_t *nissuers_r)
{
	const struct store_statement_cert *latest = NULL;

	*n_r = *nissuers_r = 0;
	if (!is_trusted(o))
		return;
	for (size_t i = 0; i < o->ngiven; i++) {
		const struct store_statement_cert *c = &o->given[i];
		struct find_octets octets = {c->der, c->der_len};

		if (c->use == 0 && *nissuers_r < FIND_ISSUERS_MAX)
			issuers_r[(*nissuers_r)++] = octets;
		else if (fits(c, CERT_TO_ENCRYPT, now) && (!latest || c->from > latest->from))
			latest = c;
	}
	/* the one whose `from` is latest, of equal ones the first (docs/XSMG.md 5.2): a partner changes its keys at
	 * that moment */
	if (latest)
		certs_r[(*n_r)++] = (struct find_octets){latest->der, latest->der_len};
}

bool judge_xsmg_use_holds(
    const struct judge_world *w, const struct judge_owner *o, int64_t now, char *why, size_t cap)
{
	const struct partner_statement_settings *set =
	    w->statements ? w->statements : partner_statement_settings_default();
	const struct store_statement *st = o->statement;

	if (!st)
		return false;
	if (st->frozen) {
		(void)snprintf(
		    why, cap, "its statements are frozen until you decide (postern pending): %.250s", st->frozen_why);
		return true;
	}
	if (!set->strict_expiry || !st->trusted.der || st->trusted.withdrawn || now < st->trusted.expires)
		return false;
	(void)snprintf(
	    why, cap, "its statement ran out, no newer one came, and partner-statements, strict-expiry = yes");
	return true;
}

bool judge_xsmg_use_waits(const struct judge_owner *o, char *why, size_t cap)
{
	const struct store_statement *st = o->statement;

	if (!st || (st->trusted.der && st->trusted.withdrawn))
		return false;
	if (st->trusted.der) {
		(void)snprintf(why, cap,
		    "its statement is trusted, and gives no certificate to encrypt to that can be used now");
		return true;
	}
	if (st->waiting.der)
		(void)snprintf(
		    why, cap, "a statement of it waits for your decision (postern pending): %.250s", st->waiting.why);
	else if (st->established != XSMG_NEVER)
		(void)snprintf(why, cap,
		    "the statement that was trusted is not any more, and no other came that is (postern partner show "
		    "%.100s)",
		    o->name);
	return st->waiting.der || st->established != XSMG_NEVER;
}

static bool has(const struct statement_words *w, uint8_t word)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->word[i] == word)
			return true;
	return false;
}

enum judge_xsmg_signed judge_xsmg_use_signed(const struct judge_owner *o)
{
	const struct store_statement *st = o->statement;
	const struct statement_words *w = o->said ? &o->said->read.formats : NULL;

	/* words that are not known here were passed over: where none is left, nothing is known of its forms */
	if (!st || !st->trusted.der || st->trusted.withdrawn || !w || w->n == 0 || has(w, STATEMENT_SIGNED))
		return JUDGE_XSMG_SIGNED_ALONE;
	return has(w, STATEMENT_SIGNED_ENVELOPED) ? JUDGE_XSMG_SIGNED_SEALED : JUDGE_XSMG_SIGNED_NOT;
}

enum judge_xsmg_demand judge_xsmg_use_demands(const struct judge_owner *o, enum policy_treatment *least_r)
{
	const struct store_statement *st = o->statement;

	*least_r = POLICY_CLEAR;
	if (st && !st->trusted.der && st->established != XSMG_NEVER) {
		*least_r =
		    POLICY_SEAL; /* what it demanded is not known any more: the end of trust lets nothing out */
		return JUDGE_XSMG_LOST;
	}
	if (!st || !st->trusted.der || st->trusted.withdrawn || !o->said)
		return JUDGE_XSMG_NO_DEMAND;
	if (o->said->demand_signed)
		*least_r = POLICY_SIGN;
	if (o->said->demand_encrypted)
		*least_r = POLICY_SEAL;
	return *least_r != POLICY_CLEAR ? JUDGE_XSMG_DEMANDS : JUDGE_XSMG_NO_DEMAND;
}

bool judge_xsmg_use_left(struct store *s, const char *domain, int64_t now)
{
	struct store_statement *st = NULL;
	struct problem pr = {0};
	bool left;

	if (store_statement_get(s, domain, &st, &pr) < 0 || !st)
		return false;
	left =
	    st->trusted.der && st->trusted.withdrawn && now >= st->trusted.since && now < st->trusted.since + LEFT_S;
	store_statements_free(st, 1);
	return left;
}

uint8_t judge_xsmg_use_promises(const struct judge_owner *o, int64_t now)
{
	const struct store_statement *st = o->statement;
	const struct statement_write *w = o->said ? &o->said->write : NULL;
	uint8_t bits = 0;

	if (!st || !st->trusted.der || st->trusted.withdrawn || !w || !w->said || now >= w->until)
		return 0;
	bits |= w->signs == STATEMENT_PROMISES_ALL ? JUDGE_PROMISE_SIGNS : 0;
	bits |= w->encrypts == STATEMENT_PROMISES_ALL ? JUDGE_PROMISE_ENCRYPTS : 0;
	return bits != 0 && w->test ? bits | JUDGE_PROMISE_TEST : bits;
}

/* ---- what it reads ---- */

/* GCM before CBC whatever the reader prefers: it tells of any change to the ciphertext. */
static int cipher_of(const struct statement_read *r, unsigned bits_min)
{
	static const uint8_t ciphers[] = {[STATEMENT_AES_256_GCM] = CMS_AES_256_GCM,
	    [STATEMENT_AES_128_GCM] = CMS_AES_128_GCM,
	    [STATEMENT_AES_256_CBC] = CMS_AES_256_CBC,
	    [STATEMENT_AES_128_CBC] = CMS_AES_128_CBC};

	for (int gcm = 1; gcm >= 0; gcm--)
		for (size_t i = 0; i < r->content.n; i++) {
			uint8_t v = r->content.word[i];

			if ((v == STATEMENT_AES_256_GCM || v == STATEMENT_AES_128_GCM) == (gcm == 1) &&
			    format_cipher_bits(ciphers[v]) >= bits_min)
				return ciphers[v];
		}
	return -1;
}

static unsigned key_of(const struct statement_read *r, struct format *f)
{
	for (size_t i = 0; i < r->keys.n; i++) {
		switch (r->keys.word[i]) {
		case STATEMENT_OAEP_SHA256:
			f->keymode = CMS_KEY_RSA_OAEP_SHA256;
			return FORMAT_GIVEN(FORMAT_KEY);
		case STATEMENT_OAEP_SHA1:
			f->keymode = CMS_KEY_RSA_OAEP_SHA1;
			return FORMAT_GIVEN(FORMAT_KEY);
		case STATEMENT_PKCS1:
			f->keymode = CMS_KEY_RSA_V15;
			return FORMAT_GIVEN(FORMAT_KEY);
		default:
			break;
		}
	}
	return 0;
}

/* PSS when it comes first among what an RSA key makes; SHA-256 where nothing stronger is read. */
static unsigned signature_of(const struct statement_read *r, struct format *f)
{
	bool rsa = false, stronger = false;
	unsigned given = 0;

	for (size_t i = 0; i < r->signatures.n; i++) {
		uint8_t v = r->signatures.word[i];

		if (!rsa && (v == STATEMENT_PSS_SHA256 || (v >= STATEMENT_RSA_SHA256 && v <= STATEMENT_RSA_SHA512))) {
			f->pss = v == STATEMENT_PSS_SHA256;
			given |= FORMAT_GIVEN(FORMAT_SIGNATURE);
			rsa = true;
		}
		stronger = stronger || v == STATEMENT_ECDSA_P384_SHA384 || v == STATEMENT_RSA_SHA384 ||
			   v == STATEMENT_RSA_SHA512;
	}
	if (r->signatures.n > 0 && (!stronger || f->pss)) {
		f->digest = FORMAT_SHA256;
		given |= FORMAT_GIVEN(FORMAT_DIGEST);
	}
	return given;
}

int judge_xsmg_use_reads(const struct judge_owner *o, uint64_t *octets_r, char *why, size_t cap)
{
	const struct statement_read *r;

	*octets_r = 0;
	if (!is_trusted(o) || !o->said)
		return 0;
	r = &o->said->read;
	*octets_r = r->octets;
	/* words that are not known here were passed over: where none is left, nothing is known of its forms */
	if (r->formats.n == 0 || has(&r->formats, STATEMENT_SIGNED_ENVELOPED) ||
	    has(&r->formats, STATEMENT_ENVELOPED))
		return 0;
	(void)snprintf(
	    why, cap, "the statement of %.200s says that its gateway reads nothing that is encrypted", o->name);
	return -1;
}

unsigned judge_xsmg_use_format(const struct judge_owner *o, unsigned bits_min, struct format *f)
{
	const struct statement_read *r;
	unsigned given = 0;
	int cipher;

	if (!is_trusted(o) || !o->said)
		return 0;
	r = &o->said->read;
	cipher = cipher_of(r, bits_min);
	if (cipher >= 0) {
		f->cipher = (uint8_t)cipher;
		given |= FORMAT_GIVEN(FORMAT_CIPHER);
	}
	given |= key_of(r, f) | signature_of(r, f);
	f->wrap = r->headers.n == 0			    ? FORMAT_WRAP_NONE
		  : r->headers.word[0] == STATEMENT_RFC9788 ? FORMAT_WRAP_FIELDS
							    : FORMAT_WRAP_MESSAGE;
	f->bare = !has(&r->formats, STATEMENT_SIGNED_ENVELOPED) && has(&r->formats, STATEMENT_ENVELOPED);
	return given | FORMAT_GIVEN(FORMAT_WRAP);
}
