/*
 * Missing issuers by caIssuers (RFC 5280 4.2.2.1). Judge; asks through the run. What comes is a candidate, nothing
 * more: whether it issued anything shows its key. ldap URLs are passed over.
 */
#include "certstore/issuer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "certstore/cert_read.h"
#include "certstore/source.h"
#include "certstore/trace.h"
#include "gateway/base/log.h"

enum { ISSUER_OCTETS = 256 * 1024, ISSUER_MS = 5000, ISSUER_CERTS = 16 };

static bool is_web(const ASN1_IA5STRING *u)
{
	const char *p = (const char *)ASN1_STRING_get0_data(u);
	int n = ASN1_STRING_length(u);

	if (n <= 0 || n > SOURCE_NAME_MAX)
		return false;
	for (int i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f)
			return false;
	return (n > 7 && strncasecmp(p, "http://", 7) == 0) || (n > 8 && strncasecmp(p, "https://", 8) == 0);
}

static void say_unreadable(struct source_run *run, const struct source_ask *ask, const struct problem *pr)
{
	struct trace_step *t = run->trace ? trace_add(run->trace, "issuer", "%s", ask->name) : NULL;

	if (t)
		(void)snprintf(t->answer, sizeof t->answer, "passed over: %s", pr->text);
}

uint64_t issuer_place(const char *url)
{
	static uint8_t seed[16];
	static bool have_seed;
	uint8_t md[32];
	uint64_t place;
	EVP_MD_CTX *m = EVP_MD_CTX_new();

	if (!have_seed && RAND_bytes(seed, sizeof seed) != 1)
		log_fatal("no random numbers");
	have_seed = true;
	if (!m || EVP_DigestInit_ex(m, EVP_sha256(), NULL) != 1 || EVP_DigestUpdate(m, seed, sizeof seed) != 1 ||
	    EVP_DigestUpdate(m, url, strlen(url)) != 1 || EVP_DigestFinal_ex(m, md, NULL) != 1)
		log_fatal("no SHA-256");
	EVP_MD_CTX_free(m);
	memcpy(&place, md, sizeof place);
	return place | 1;
}

static void say_lost(const struct source_ask *ask, const struct source_answer *r, struct issuer_lost *lost)
{
	lost->place = issuer_place(ask->name);
	(void)snprintf(lost->words, sizeof lost->words, "%.100s: %.90s", ask->name, r->why);
}

/* 1 read, 0 nothing to be had there, -1 awaited. */
static int get_one(
    struct source_run *run, const ASN1_IA5STRING *url, X509 **list, size_t max, size_t *n_r, struct issuer_lost *lost)
{
	struct source_ask ask = {
	    .kind = SOURCE_HTTP, .chosen = SOURCE_BY_STRANGER, .max = ISSUER_OCTETS, .timeout_ms = ISSUER_MS};
	const struct source_answer *r;
	struct problem pr = {0};
	char why[200];
	int n;

	(void)snprintf(
	    ask.name, sizeof ask.name, "%.*s", ASN1_STRING_length(url), (const char *)ASN1_STRING_get0_data(url));
	if (source_ask_check(&ask, why, sizeof why) < 0)
		return 0; /* no address at all */
	r = source_get(run, "issuer", &ask);
	if (!r)
		return -1;
	if (r->status == SOURCE_TEMP)
		say_lost(&ask, r, lost);
	else if (lost->nanswered < ISSUER_FETCHES)
		lost->answered[lost->nanswered++] = issuer_place(ask.name);
	if (r->status == SOURCE_NONE)
		(void)snprintf(lost->missing, sizeof lost->missing, "%.100s: %.90s", ask.name, r->why);
	if (r->status != SOURCE_FOUND || r->n == 0)
		return 0;
	n = cert_read_any(r->items[0].p, r->items[0].n, list, max < ISSUER_CERTS ? max : ISSUER_CERTS, &pr);
	if (n < 0) {
		say_unreadable(run, &ask, &pr);
		(void)snprintf(lost->missing, sizeof lost->missing, "%.100s: %.90s", ask.name, pr.text);
		return 0;
	}
	*n_r = (size_t)n;
	return 1;
}

int issuer_fetch(
    struct source_run *run, X509 *x, unsigned *left, X509 **list, size_t max, size_t *n_r, struct issuer_lost *lost)
{
	struct issuer_lost here = {.place = 0};
	AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
	int rc = 0;

	*n_r = 0;
	for (int i = 0; rc == 0 && i < sk_ACCESS_DESCRIPTION_num(all); i++) {
		const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(all, i);

		if (OBJ_obj2nid(d->method) != NID_ad_ca_issuers || d->location->type != GEN_URI ||
		    !is_web(d->location->d.uniformResourceIdentifier))
			continue;
		if (*left == 0) {
			lost->cut = true;
			break;
		}
		(*left)--;
		rc = get_one(run, d->location->d.uniformResourceIdentifier, list, max, n_r, &here);
	}
	if (rc == 0 && here.place != 0) {
		lost->place = here.place;
		memcpy(lost->words, here.words, sizeof here.words);
	}
	if (rc == 0 && (here.place != 0 || here.missing[0]))
		memcpy(lost->missing, here.missing, sizeof here.missing);
	for (unsigned i = 0; i < here.nanswered && lost->nanswered < ISSUER_FETCHES; i++)
		lost->answered[lost->nanswered++] = here.answered[i];
	AUTHORITY_INFO_ACCESS_free(all);
	ERR_clear_error();
	return rc < 0 ? -1 : 0;
}
