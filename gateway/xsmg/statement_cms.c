/*
 * The SignedData around a statement, taken apart by hand: OpenSSL reads BER, takes what it does not expect, and
 * forgets how it stood there. Judge, tests; pure. RFC 5652 5.1; X.690. SignerInfos: statement_signer.c.
 */
#include "gateway/xsmg/statement_cms.h"

#include <string.h>

#include "gateway/xsmg/statement_alg.h"
#include "gateway/xsmg/statement_der.h"
#include "gateway/xsmg/statement_signer.h"

static const uint8_t id_signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
static const uint8_t version_3[] = {0x02, 0x01, 0x03};
enum { DIGESTS_MAX = 3 };

static int refuse(struct statement_signed *r, enum statement_step step, struct problem *pr, const char *why)
{
	r->step = step;
	return problem_set(pr, PROBLEM_PERM, 0, "", "RFC 5652 5.1", "The statement is refused: %s.", why);
}

/* ContentInfo { id-signedData, [0] { SignedData } }; *in_r is then inside. NULL, or what is wrong. */
static const char *open_outside(const void *der, size_t n, struct statement_der *in_r)
{
	static const char wrong[] = "it is no CMS SignedData";
	struct statement_der d;
	struct statement_der_item it;

	statement_der_open(&d, der, n);
	if (statement_der_take(&d, STATEMENT_DER_SEQ, &it) < 0)
		return wrong;
	statement_der_enter(&d, &it);
	if (statement_der_exact(&d, id_signed_data, sizeof id_signed_data) < 0 ||
	    statement_der_take(&d, STATEMENT_DER_0, &it) < 0 || !statement_der_end(&d))
		return wrong;
	statement_der_enter(&d, &it);
	if (statement_der_take(&d, STATEMENT_DER_SEQ, &it) < 0 || !statement_der_end(&d))
		return wrong;
	statement_der_enter(in_r, &it);
	return NULL;
}

/* EncapsulatedContentInfo { id-smg-statement, [0] { OCTET STRING } }. */
static const char *read_content(const struct statement_der_item *encap, struct statement_signed *r)
{
	const struct statement_octets want = statement_signer_type();
	struct statement_der in;
	struct statement_der_item it;

	statement_der_enter(&in, encap);
	if (statement_der_exact(&in, want.p, want.n) < 0)
		return "its content type is not id-smg-statement (" STATEMENT_OID ")";
	if (statement_der_take(&in, STATEMENT_DER_0, &it) < 0 || !statement_der_end(&in))
		return "its content is not inside";
	statement_der_enter(&in, &it);
	if (statement_der_take(&in, STATEMENT_DER_OCTETS, &it) < 0 || !statement_der_end(&in))
		return "its content is no octet string";
	r->content = (struct statement_octets){it.p, it.n};
	statement_id(it.p, it.n, r->id);
	return NULL;
}

/* digestAlgorithms: kept for the check of the SignerInfos; one more than they need is what a stripped one leaves. */
static const char *check_digests(const struct statement_der_item *set)
{
	struct statement_der in;
	struct statement_der_item prev = {0}, it;
	size_t n = 0;
	int r;

	statement_der_enter(&in, set);
	while ((r = statement_der_next_of_set(&in, &prev, &it)) == 1) {
		struct statement_der one;
		enum statement_digest digest;

		statement_der_open(&one, it.whole, it.nwhole);
		if (++n > DIGESTS_MAX || statement_alg_read_digest(&one, &digest) < 0)
			return "its digestAlgorithms name another than SHA-256, SHA-384 and SHA-512";
	}
	return r < 0 || n == 0 ? "its digestAlgorithms are empty or not in the order of DER" : NULL;
}

static const char *read_certs(const struct statement_der_item *set, struct statement_signed *r)
{
	struct statement_der in;
	struct statement_der_item prev = {0}, it;
	int rc;

	statement_der_enter(&in, set);
	while ((rc = statement_der_next_of_set(&in, &prev, &it)) == 1) {
		if (it.tag != STATEMENT_DER_SEQ)
			return "it has a certificate that is not of X.509";
		if (r->ncerts == STATEMENT_CHAIN_MAX)
			return "it has more than 64 certificates";
		r->certs[r->ncerts++] = (struct statement_octets){it.whole, it.nwhole};
	}
	return rc < 0 ? "its certificates are not in the order of DER, or one stands there twice" : NULL;
}

static bool same_cert(const struct statement_signed *r)
{
	return r->nsigners == 2 && r->signers[0].cert.p && r->signers[0].cert.p == r->signers[1].cert.p;
}

static const char *read_signers(const struct statement_der_item *set, struct statement_signed *r)
{
	struct statement_der in;
	struct statement_der_item prev = {0}, it;
	int rc;

	statement_der_enter(&in, set);
	while ((rc = statement_der_next_of_set(&in, &prev, &it)) == 1) {
		const char *why;

		if (r->nsigners == STATEMENT_SIGNERS_MAX)
			return "it has more than two SignerInfos";
		why = statement_signer_read(&it, r, &r->signers[r->nsigners++]);
		if (why)
			return why;
	}
	if (rc < 0)
		return "its SignerInfos are not in the order of DER, or one stands there twice";
	if (r->nsigners == 0)
		return "it has no SignerInfo";
	return same_cert(r) ? "two of its SignerInfos are of one certificate" : NULL;
}

/* What follows the content: [0] certificates, no [1] crls, signerInfos. */
static const char *read_rest(struct statement_der *in, struct statement_signed *r)
{
	struct statement_der_item it;
	const char *why;

	if (statement_der_take(in, STATEMENT_DER_0, &it) < 0)
		return "it has no certificates";
	why = read_certs(&it, r);
	if (why)
		return why;
	if (statement_der_peek(in) == STATEMENT_DER_1)
		return "it has crls";
	if (statement_der_take(in, STATEMENT_DER_SET, &it) < 0 || !statement_der_end(in))
		return "its SignerInfos are malformed, or something follows them";
	return read_signers(&it, r);
}

/* Prefixes whatever is wrong with where: "octet 17: a length is indefinite". */
static int not_der(struct statement_signed *r, const char *why, size_t off, struct problem *pr)
{
	r->step = STATEMENT_STEP_DER;
	return problem_set(pr, PROBLEM_PERM, 0, "", "X.690 10.1",
	    "The statement is refused: it is not DER; at octet %zu %s.", off, why);
}

int statement_cms_read(const void *der, size_t n, struct statement_signed *r, struct problem *pr)
{
	struct statement_der in;
	struct statement_der_item version, digests, encap;
	const char *why;
	size_t off = 0;

	memset(r, 0, sizeof *r);
	if (n > STATEMENT_MAX)
		return refuse(r, STATEMENT_STEP_SIZE, pr, "it has more than 65536 octets");
	why = statement_der_wrong(der, n, &off);
	if (why)
		return not_der(r, why, off, pr);
	why = open_outside(der, n, &in);
	if (!why && (statement_der_take(&in, STATEMENT_DER_INTEGER, &version) < 0 ||
			statement_der_take(&in, STATEMENT_DER_SET, &digests) < 0 ||
			statement_der_take(&in, STATEMENT_DER_SEQ, &encap) < 0))
		why = "it is no CMS SignedData";
	if (!why)
		why = read_content(&encap, r);
	/* RFC 5652 5.1: 3 with any content type but id-data */
	if (!why && !statement_der_is(&version, version_3, sizeof version_3))
		why = "its version is not 3";
	if (why)
		return refuse(r, STATEMENT_STEP_TYPE, pr, why);
	why = check_digests(&digests);
	if (!why)
		why = read_rest(&in, r);
	return why ? refuse(r, STATEMENT_STEP_SIGNERS, pr, why) : 0;
}
