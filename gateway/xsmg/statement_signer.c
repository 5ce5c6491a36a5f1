/*
 * SignerInfos of statements. Judge, tests; pure. RFC 5652 5.3, 5.4, 11; RFC 5035 (signingCertificateV2).
 *
 * Two kinds of failure. What breaks the form (an attribute twice, unsigned attributes, SHA-1) refuses the whole:
 * nobody who follows the specification makes it. What is only not proven (wrong signature, certificate not there)
 * is said of this signer alone: anybody on the way can add a SignerInfo of his own, and it must not matter.
 */
#include "gateway/xsmg/statement_signer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/xsmg/statement_alg.h"

#define PKCS9 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define OCTETS(s)                                                                                                    \
	{                                                                                                            \
		(const uint8_t *)(s), sizeof(s) - 1                                                                  \
	}

static const struct statement_octets attr_types[STATEMENT_ATTRS] = {
    [STATEMENT_ATTR_TYPE] = OCTETS(PKCS9 "\x03"),
    [STATEMENT_ATTR_TIME] = OCTETS(PKCS9 "\x05"),
    [STATEMENT_ATTR_DIGEST] = OCTETS(PKCS9 "\x04"),
    [STATEMENT_ATTR_CERT] = OCTETS("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f"),
};
/* 2.25.6345284688943069982369138258631214205 */
static const struct statement_octets id_smg_statement =
    OCTETS("\x06\x13\x69\x89\xc6\x87\xac\x8c\x8a\xfa\x9a\xf7\x89\xd3\xbe\xd0\x80\xa3\xc1\x88\x7d");

struct statement_octets statement_signer_attr(enum statement_attr attr)
{
	REQUIRE(attr < STATEMENT_ATTRS);
	return attr_types[attr];
}

struct statement_octets statement_signer_type(void)
{
	return id_smg_statement;
}

/* What a SignerInfo has. */
struct info {
	struct statement_der_item sid, attrs, sig;
	enum statement_digest digest;
	enum statement_scheme scheme;
	struct statement_octets said;	  /* messageDigest */
	struct statement_octets hash;	  /* of signingCertificateV2 */
	struct statement_der_item serial; /* its issuerSerial; p NULL none */
	enum statement_digest hash_digest;
	int64_t time;
};

/* ---- attributes: each reads its one value ---- */

static const char *attr_type(struct statement_der *v, struct info *f)
{
	(void)f;
	if (statement_der_exact(v, id_smg_statement.p, id_smg_statement.n) < 0)
		return "its signed contentType is not id-smg-statement";
	return NULL;
}

static const char *attr_digest(struct statement_der *v, struct info *f)
{
	struct statement_der_item it;

	if (statement_der_take(v, STATEMENT_DER_OCTETS, &it) < 0)
		return "its messageDigest is malformed";
	f->said = (struct statement_octets){it.p, it.n};
	return NULL;
}

/* RFC 5652 11.3: UTCTime through 2049, GeneralizedTime from 2050; seconds, no fraction, Z. */
static const char *attr_time(struct statement_der *v, struct info *f)
{
	static const char wrong[] = "its signingTime is malformed";
	struct statement_der_item it;
	char text[21] = "0000-00-00T00:00:00Z";
	bool utc;

	if (statement_der_next(v, &it) != 1)
		return wrong;
	utc = it.tag == STATEMENT_DER_UTC;
	if ((!utc && it.tag != STATEMENT_DER_TIME) || it.n != (utc ? 13 : 15) || it.p[it.n - 1] != 'Z')
		return wrong;
	if (utc)
		memcpy(text, it.p[0] >= '5' ? "19" : "20", 2);
	memcpy(utc ? text + 2 : text, it.p, utc ? 2 : 4);
	for (size_t i = 0; i < 5; i++)
		memcpy(text + 5 + 3 * i, it.p + (utc ? 2 : 4) + 2 * i, 2);
	if (statement_time(text, 20, &f->time) < 0 || (!utc && memcmp(text, "2050", 4) < 0))
		return wrong;
	return NULL;
}

/* SigningCertificateV2 { certs { ESSCertIDv2 { [hashAlgorithm, SHA-256 when left out], certHash, [issuerSerial] } }
 * }: the signer's alone (RFC 5035 4), and no policies. */
static const char *attr_cert(struct statement_der *v, struct info *f)
{
	static const char wrong[] = "its signingCertificateV2 is malformed";
	struct statement_der_item it;
	struct statement_der in[3];

	for (int i = 0; i < 3; i++) {
		if (statement_der_take(i ? &in[i - 1] : v, STATEMENT_DER_SEQ, &it) < 0)
			return wrong;
		statement_der_enter(&in[i], &it);
	}
	if (!statement_der_end(&in[0]) || !statement_der_end(&in[1]))
		return wrong;
	f->hash_digest = STATEMENT_SHA256;
	if (statement_der_peek(&in[2]) == STATEMENT_DER_SEQ &&
	    (statement_alg_read_digest(&in[2], &f->hash_digest) < 0 || f->hash_digest == STATEMENT_SHA256))
		return wrong; /* X.690 11.5: a default is left out */
	if (statement_der_take(&in[2], STATEMENT_DER_OCTETS, &it) < 0 ||
	    it.n != (size_t)EVP_MD_get_size(statement_alg_md(f->hash_digest)))
		return wrong;
	f->hash = (struct statement_octets){it.p, it.n};
	if (!statement_der_end(&in[2]) && statement_der_take(&in[2], STATEMENT_DER_SEQ, &f->serial) < 0)
		return wrong;
	return statement_der_end(&in[2]) ? NULL : wrong;
}

static const char *(*const attr_read[STATEMENT_ATTRS])(struct statement_der *v, struct info *f) = {
    [STATEMENT_ATTR_TYPE] = attr_type,
    [STATEMENT_ATTR_TIME] = attr_time,
    [STATEMENT_ATTR_DIGEST] = attr_digest,
    [STATEMENT_ATTR_CERT] = attr_cert,
};

/* Attribute ::= SEQUENCE { type, SET OF value }. */
static const char *read_attr(const struct statement_der_item *it, bool seen[STATEMENT_ATTRS], struct info *f)
{
	struct statement_der in, v;
	struct statement_der_item type, set;
	const char *why;
	size_t i = 0;

	statement_der_enter(&in, it);
	if (it->tag != STATEMENT_DER_SEQ || statement_der_take(&in, STATEMENT_DER_OID, &type) < 0 ||
	    statement_der_take(&in, STATEMENT_DER_SET, &set) < 0 || !statement_der_end(&in))
		return "a signed attribute is malformed";
	while (i < STATEMENT_ATTRS && !statement_der_is(&type, attr_types[i].p, attr_types[i].n))
		i++;
	if (i == STATEMENT_ATTRS)
		return "it has a signed attribute that a statement must not have";
	if (seen[i])
		return "it has a signed attribute twice";
	seen[i] = true;
	statement_der_enter(&v, &set);
	why = attr_read[i](&v, f);
	return why || statement_der_end(&v) ? why : "a signed attribute has more than one value";
}

static const char *read_attrs(struct info *f)
{
	struct statement_der in;
	struct statement_der_item prev = {0}, it;
	bool seen[STATEMENT_ATTRS] = {false};
	int r;

	statement_der_enter(&in, &f->attrs);
	while ((r = statement_der_next_of_set(&in, &prev, &it)) == 1) {
		const char *why = read_attr(&it, seen, f);

		if (why)
			return why;
	}
	if (r < 0)
		return "its signed attributes are not in the order of DER, or one stands there twice";
	for (size_t i = 0; i < STATEMENT_ATTRS; i++)
		if (!seen[i])
			return "it lacks one of contentType, messageDigest, signingTime and signingCertificateV2";
	return NULL;
}

/* ---- the SignerInfo ---- */

static const char *read_sid(struct statement_der *in, struct info *f)
{
	static const uint8_t v1[] = {2, 1, 1}, v3[] = {2, 1, 3};
	struct statement_der_item version;

	if (statement_der_take(in, STATEMENT_DER_INTEGER, &version) < 0 || statement_der_next(in, &f->sid) != 1)
		return "its beginning is malformed";
	if (f->sid.tag == STATEMENT_DER_SEQ
		? !statement_der_is(&version, v1, sizeof v1)
		: f->sid.tag != STATEMENT_DER_0_PLAIN || !statement_der_is(&version, v3, sizeof v3))
		return "its version does not go with the way it names its certificate";
	return NULL;
}

static const char *read_info(const struct statement_der_item *it, struct info *f)
{
	struct statement_der in;
	const char *why;

	statement_der_enter(&in, it);
	if (it->tag != STATEMENT_DER_SEQ)
		return "it is no sequence";
	why = read_sid(&in, f);
	if (why)
		return why;
	if (statement_alg_read_digest(&in, &f->digest) < 0)
		return "its digest is not SHA-256, SHA-384 or SHA-512";
	if (statement_der_take(&in, STATEMENT_DER_0, &f->attrs) < 0)
		return "it has no signed attributes";
	if (statement_alg_read_scheme(&in, f->digest, &f->scheme) < 0)
		return "its signature algorithm is none of RSA, RSASSA-PSS and ECDSA with that digest";
	if (statement_der_take(&in, STATEMENT_DER_OCTETS, &f->sig) < 0)
		return "its signature is malformed";
	if (!statement_der_end(&in))
		return "it has unsigned attributes";
	return read_attrs(f);
}

/* ---- its certificate ---- */

static bool digest_is(
    enum statement_digest digest, const struct statement_octets *of, const struct statement_octets *want)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	REQUIRE(EVP_Digest(of->p, of->n, md, &n, statement_alg_md(digest), NULL) == 1);
	return want->n == n && memcmp(want->p, md, n) == 0;
}

/* IssuerAndSerialNumber of the certificate, octet by octet, or its subjectKeyIdentifier. */
static bool named_by(const struct statement_der_item *sid, X509 *x)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(x);
	unsigned char *name = NULL, *serial = NULL;
	int nname, nserial;
	bool same;

	if (sid->tag == STATEMENT_DER_0_PLAIN)
		return ski && (size_t)ASN1_STRING_length(ski) == sid->n &&
		       memcmp(ASN1_STRING_get0_data(ski), sid->p, sid->n) == 0;
	nname = i2d_X509_NAME(X509_get_issuer_name(x), &name);
	nserial = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &serial);
	same = nname > 0 && nserial > 0 && sid->n == (size_t)nname + (size_t)nserial &&
	       memcmp(sid->p, name, (size_t)nname) == 0 && memcmp(sid->p + nname, serial, (size_t)nserial) == 0;
	OPENSSL_free(name);
	OPENSSL_free(serial);
	return same;
}

/* IssuerSerial { GeneralNames { directoryName }, serialNumber } of the certificate, when there is one. */
static bool serial_fits(const struct statement_der_item *serial, X509 *x)
{
	enum { DIRECTORY_NAME = 0xa4 };
	struct statement_der in, names;
	struct statement_der_item list, name;
	unsigned char *issuer = NULL, *number = NULL;
	int n, k;
	bool fits;

	if (!serial->p)
		return true;
	statement_der_enter(&in, serial);
	if (statement_der_take(&in, STATEMENT_DER_SEQ, &list) < 0)
		return false;
	statement_der_enter(&names, &list);
	if (statement_der_take(&names, DIRECTORY_NAME, &name) < 0 || !statement_der_end(&names))
		return false;
	n = i2d_X509_NAME(X509_get_issuer_name(x), &issuer);
	k = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &number);
	fits = n > 0 && k > 0 && name.n == (size_t)n && memcmp(name.p, issuer, (size_t)n) == 0 &&
	       statement_der_exact(&in, number, (size_t)k) == 0 && statement_der_end(&in);
	OPENSSL_free(issuer);
	OPENSSL_free(number);
	return fits;
}

void statement_signer_spki(X509 *x, uint8_t md_r[32])
{
	unsigned char *spki = NULL;
	int n;

	memset(md_r, 0, 32);
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);

	if (n > 0)
		statement_hash(spki, (size_t)n, md_r);
	OPENSSL_free(spki);
}

/* The signature is over the attributes with the tag of a SET OF (RFC 5652 5.4). */
static bool attrs_verify(const struct info *f, EVP_PKEY *key)
{
	struct statement_octets sig = {f->sig.p, f->sig.n};
	uint8_t *set = mem_raw(f->attrs.nwhole);
	bool good;

	memcpy(set, f->attrs.whole, f->attrs.nwhole);
	set[0] = STATEMENT_DER_SET;
	good = statement_alg_verify(key, f->digest, f->scheme, &sig, set, f->attrs.nwhole);
	free(set);
	return good;
}

static void say(struct statement_signer *s, const char *why)
{
	(void)snprintf(s->why, sizeof s->why, "%s", why);
}

static void verify_with(const struct info *f, const struct statement_signed *sd, X509 *x, struct statement_signer *s)
{
	struct cert_facts facts;

	cert_facts(x, &facts);
	statement_hash(s->cert.p, s->cert.n, s->cert_sha256);
	statement_signer_spki(x, s->spki_sha256);
	if (!named_by(&f->sid, x) || !serial_fits(&f->serial, x))
		say(s, "it names another certificate than its signingCertificateV2 does");
	else if (facts.weak)
		(void)snprintf(s->why, sizeof s->why, "its certificate is too weak: %s", facts.weak_why);
	else if (!digest_is(f->digest, &sd->content, &f->said))
		say(s, "its messageDigest is not that of the content");
	else if (!attrs_verify(f, X509_get0_pubkey(x)))
		say(s, "its signature is wrong");
	else
		s->verified = true;
}

const char *statement_signer_read(
    const struct statement_der_item *it, const struct statement_signed *sd, struct statement_signer *s_r)
{
	struct info f = {0};
	const char *why = read_info(it, &f);
	X509 *x;

	memset(s_r, 0, sizeof *s_r);
	if (why)
		return why;
	s_r->signing_time = f.time;
	for (size_t i = 0; i < sd->ncerts && !s_r->cert.p; i++)
		if (digest_is(f.hash_digest, &sd->certs[i], &f.hash))
			s_r->cert = sd->certs[i];
	if (!s_r->cert.p) {
		say(s_r, "its certificate is not there");
		return NULL;
	}
	x = cert_parse(s_r->cert.p, s_r->cert.n, NULL);
	if (x)
		verify_with(&f, sd, x, s_r);
	else
		say(s_r, "its certificate cannot be read");
	X509_free(x);
	ERR_clear_error();
	return NULL;
}
