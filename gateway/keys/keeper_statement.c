/* The signed attributes of a statement, octet by octet, see the header. Definite lengths in their shortest form only
 * (X.690 10.1), members of the SET in ascending order (X.690 11.6). */
#include "gateway/keys/keeper_statement.h"

#include <stdbool.h>
#include <string.h>

enum { OCTETS = 0x04, OID = 0x06, UTC_TIME = 0x17, TIME = 0x18, SEQUENCE = 0x30, SET = 0x31 };
enum { KINDS = 4, SECOND_OCTETS = 2, INTEGER = 0x02, NONE = 0x05, DIRECTORY_NAME = 0xa4 };

/* Octets left to read. */
struct rest {
	const uint8_t *p;
	size_t n;
};

struct element {
	uint8_t tag;
	struct rest content;
	struct rest whole;
};

static bool length(struct rest *r, size_t *len_r)
{
	size_t octets, len = 0;

	if (r->n == 0)
		return false;
	octets = *r->p++;
	r->n--;
	if (octets < 0x80) {
		*len_r = octets;
		return octets <= r->n;
	}
	octets -= 0x80;
	if (octets == 0 || octets > SECOND_OCTETS || octets > r->n || r->p[0] == 0)
		return false;
	for (; octets > 0; octets--, r->n--)
		len = len << 8 | *r->p++;
	*len_r = len;
	return len >= 0x80 && len <= r->n;
}

/* The next element; its identifier is one octet. */
static bool next(struct rest *r, struct element *e_r)
{
	const uint8_t *start = r->p;
	size_t len;

	if (r->n < 2 || (*r->p & 0x1f) == 0x1f)
		return false;
	e_r->tag = *r->p++;
	r->n--;
	if (!length(r, &len))
		return false;
	e_r->content = (struct rest){r->p, len};
	r->p += len;
	r->n -= len;
	e_r->whole = (struct rest){start, (size_t)(r->p - start)};
	return true;
}

/* The only element in r, of this kind. */
static bool only(struct rest r, uint8_t tag, struct rest *content_r)
{
	struct element e;

	if (!next(&r, &e) || e.tag != tag || r.n != 0)
		return false;
	*content_r = e.content;
	return true;
}

static bool is(struct rest r, const uint8_t *p, size_t n)
{
	return r.n == n && memcmp(r.p, p, n) == 0;
}

/* ---- the values ---- */

/* 2.25.6345284688943069982369138258631214205 */
static const uint8_t id_smg_statement[] = {
    0x69, 0x89, 0xc6, 0x87, 0xac, 0x8c, 0x8a, 0xfa, 0x9a, 0xf7, 0x89, 0xd3, 0xbe, 0xd0, 0x80, 0xa3, 0xc1, 0x88, 0x7d};

static bool value_content_type(struct rest v, size_t digest)
{
	struct rest oid;

	(void)digest;
	return only(v, OID, &oid) && is(oid, id_smg_statement, sizeof(id_smg_statement));
}

static bool value_digest(struct rest v, size_t digest)
{
	struct rest octets;

	return only(v, OCTETS, &octets) && octets.n == digest;
}

static bool digits(struct rest r, size_t n)
{
	if (r.n != n + 1 || r.p[n] != 'Z')
		return false;
	for (size_t i = 0; i < n; i++)
		if (r.p[i] < '0' || r.p[i] > '9')
			return false;
	return true;
}

/* RFC 5652 11.3: to the second, in UTC */
static bool value_time(struct rest v, size_t digest)
{
	struct rest t;

	(void)digest;
	return (only(v, UTC_TIME, &t) && digits(t, 12)) || (only(v, TIME, &t) && digits(t, 14));
}

/* The octets of a hash by this algorithm, its parameters absent or NULL; 0: it is none of the known ones, or SHA-256,
 * which is left out (X.690 11.5). */
static size_t hash_size(struct rest alg)
{
	static const uint8_t sha384[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
	static const uint8_t sha512[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03};
	struct element oid, none;

	if (!next(&alg, &oid) || oid.tag != OID)
		return 0;
	if (alg.n > 0 && (!next(&alg, &none) || none.tag != NONE || none.content.n != 0 || alg.n != 0))
		return 0;
	if (is(oid.content, sha384, sizeof sha384))
		return 48;
	return is(oid.content, sha512, sizeof sha512) ? 64 : 0;
}

/* IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber }: one directoryName. */
static bool is_issuer_serial(struct rest r)
{
	struct element names, serial;
	struct rest name, rdns;

	return next(&r, &names) && names.tag == SEQUENCE && only(names.content, DIRECTORY_NAME, &name) &&
	       only(name, SEQUENCE, &rdns) && next(&r, &serial) && serial.tag == INTEGER && serial.content.n > 0 &&
	       r.n == 0;
}

/*
 * RFC 5035: SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies OPTIONAL }. One certificate,
 * no policies: ESSCertIDv2 ::= SEQUENCE { hashAlgorithm DEFAULT sha256, certHash OCTET STRING, issuerSerial OPTIONAL
 * }
 */
static bool value_certificate(struct rest v, size_t digest)
{
	struct rest certs, id, list;
	struct element e;
	size_t hash = 32;

	(void)digest;
	if (!only(v, SEQUENCE, &list) || !only(list, SEQUENCE, &certs) || !only(certs, SEQUENCE, &id) ||
	    !next(&id, &e))
		return false;
	if (e.tag == SEQUENCE) {
		hash = hash_size(e.content);
		if (!next(&id, &e))
			return false;
	}
	if (e.tag != OCTETS || hash == 0 || e.content.n != hash)
		return false;
	return id.n == 0 || (next(&id, &e) && e.tag == SEQUENCE && id.n == 0 && is_issuer_serial(e.content));
}

static const struct kind {
	const char *name;
	uint8_t oid[11];
	uint8_t oid_n;
	bool (*value)(struct rest v, size_t digest);
} kinds[KINDS] = {
    {"contentType", {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03}, 9, value_content_type},
    {"messageDigest", {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04}, 9, value_digest},
    {"signingTime", {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05}, 9, value_time},
    {"signingCertificateV2", {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f}, 11,
	value_certificate},
};

/* ---- the whole ---- */

static const struct kind *kind_of(struct rest oid)
{
	for (int i = 0; i < KINDS; i++)
		if (is(oid, kinds[i].oid, kinds[i].oid_n))
			return &kinds[i];
	return NULL;
}

static int attribute(struct rest a, size_t digest, unsigned *seen, struct problem *pr)
{
	struct element type, values;
	const struct kind *k;

	if (!next(&a, &type) || type.tag != OID || !next(&a, &values) || values.tag != SET || a.n != 0)
		return problem_perm(pr, "A statement key signs DER attributes only (RFC 5652 5.3)");
	k = kind_of(type.content);
	if (!k)
		return problem_perm(pr,
		    "A statement key signs contentType, messageDigest, signingTime and signingCertificateV2 only; "
		    "there is another attribute");
	if (*seen & 1u << (k - kinds))
		return problem_perm(pr, "The attribute %s is there twice", k->name);
	*seen |= 1u << (k - kinds);
	if (k->value(values.content, digest))
		return 0;
	return problem_perm(pr, "The attribute %s does not have the one value that it has in a statement", k->name);
}

/* X.690 11.6: as octet strings, the shorter one padded with zeros. */
static bool ascends(struct rest before, struct rest now)
{
	size_t n = before.n < now.n ? before.n : now.n;
	int d = memcmp(before.p, now.p, n);

	return d < 0 || (d == 0 && before.n < now.n);
}

int keeper_statement_check(const uint8_t *attrs, size_t n, size_t digest, struct problem *pr)
{
	struct element e = {0};
	struct rest set, before = {0};
	unsigned seen = 0;

	if (!only((struct rest){attrs, n}, SET, &set))
		return problem_perm(
		    pr, "A statement key signs a SET of signed attributes in DER only (RFC 5652 5.4)");
	while (set.n > 0) {
		if (!next(&set, &e) || e.tag != SEQUENCE || (before.p && !ascends(before, e.whole)))
			return problem_perm(pr, "The signed attributes are not in DER");
		if (attribute(e.content, digest, &seen, pr) < 0)
			return -1;
		before = e.whole;
	}
	if (seen != (1u << KINDS) - 1)
		return problem_perm(pr,
		    "A statement has contentType, messageDigest, signingTime and signingCertificateV2; one is "
		    "missing");
	return 0;
}
