/*
 * Certification requests and self-signed certificates, see the header. Role keeper, any of its threads.
 * Key usage follows the key's use (RFC 5280 4.2.1.3, RFC 8550 4.4.2): signing keys digitalSignature and never
 * nonRepudiation (a machine signs, not a person); RSA encryption keys keyEncipherment, EC ones keyAgreement; TLS keys
 * digitalSignature.
 */
#include "gateway/keys/keeper_certify.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum {
	SERIAL = 16,	     /* octets */
	CLOCK_SKEW_S = 3600, /* a partner whose clock is behind must not refuse a certificate of this hour */
	NAME_CHARS = 64,     /* ub-common-name, ub-organization-name (RFC 5280 appendix A.1) */
};

/* ---- what may stand in a certificate ---- */

/* UTF-8 without control characters; characters, or -1. */
static long characters(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	long count = 0;

	for (size_t n = strlen(s); n > 0; count++) {
		unsigned long c;
		int l = UTF8_getc(p, (int)n, &c);

		if (l <= 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
			return -1;
		p += l;
		n -= (size_t)l;
	}
	return count;
}

static int check_name(const char *name, const char *what, long least, struct problem *pr)
{
	long n = characters(name);

	if (n >= least && n <= NAME_CHARS)
		return 0;
	return problem_perm(pr,
	    "The %s for a certificate must have %ld to %d characters of UTF-8, without control characters", what,
	    least, NAME_CHARS);
}

static bool host_ok(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > 253 || s[0] == '.' || s[0] == '-' || s[n - 1] == '.' || strstr(s, ".."))
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == n;
}

static bool mailbox_ok(const char *s)
{
	const char *at = strrchr(s, '@');

	if (!at || at == s || at - s > 64 || !host_ok(at + 1))
		return false;
	for (const char *p = s; p < at; p++)
		if (*p <= 0x20 || *p >= 0x7f || strchr("\"(),:;<>@[\\]", *p))
			return false;
	return true;
}

static int check(const struct keeper_certify *rq, struct problem *pr)
{
	if (check_name(rq->common_name, "common name", 1, pr) < 0 ||
	    check_name(rq->organisation, "organisation", 0, pr) < 0)
		return -1;
	if (rq->dns_name[0] && !host_ok(rq->dns_name))
		return problem_perm(pr,
		    "\"%.100s\" is not a DNS name that can stand in a certificate (letters, digits, '-', '.')",
		    rq->dns_name);
	if (rq->rfc822_name[0] && !mailbox_ok(rq->rfc822_name))
		return problem_perm(pr,
		    "\"%.100s\" is not a mail address that can stand in a certificate (ASCII, no quoted local part)",
		    rq->rfc822_name);
	if (rq->kind == KEYS_CERT_SELF && (rq->days < 1 || rq->days > KEEPER_CERTIFY_DAYS_MAX))
		return problem_perm(pr, "A self-signed certificate can be valid for 1 to %d days, not %u",
		    KEEPER_CERTIFY_DAYS_MAX, rq->days);
	return 0;
}

/* ---- the parts ---- */

static const char *key_usage(const struct keeper_key *key)
{
	if (key->use != KEYS_USE_DECRYPT)
		return "critical,digitalSignature";
	return EVP_PKEY_is_a(key->pkey, "EC") ? "critical,keyAgreement" : "critical,keyEncipherment";
}

static const EVP_MD *hash(const struct keeper_key *key)
{
	if (key->algo == KEYS_EC_P521)
		return EVP_sha512();
	return key->algo == KEYS_EC_P384 ? EVP_sha384() : EVP_sha256();
}

static int name_add(X509_NAME *name, const char *field, const char *value)
{
	if (!value[0])
		return 1;
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
}

static X509_NAME *subject(const struct keeper_certify *rq)
{
	X509_NAME *name = X509_NAME_new();

	if (name && name_add(name, "O", rq->organisation) && name_add(name, "CN", rq->common_name))
		return name;
	X509_NAME_free(name);
	return NULL;
}

/* ext goes into the list or is freed. */
static int take(STACK_OF(X509_EXTENSION) * list, X509_EXTENSION *ext)
{
	if (ext && sk_X509_EXTENSION_push(list, ext) > 0)
		return 1;
	X509_EXTENSION_free(ext);
	return 0;
}

static int san_add(GENERAL_NAMES *names, int type, const char *value)
{
	GENERAL_NAME *gn;
	ASN1_IA5STRING *s;

	if (!value[0])
		return 1;
	gn = GENERAL_NAME_new();
	s = ASN1_IA5STRING_new();
	if (gn && s && ASN1_STRING_set(s, value, (int)strlen(value))) {
		GENERAL_NAME_set0_value(gn, type, s);
		if (sk_GENERAL_NAME_push(names, gn) > 0)
			return 1;
		s = NULL; /* in gn by now */
	}
	ASN1_IA5STRING_free(s);
	GENERAL_NAME_free(gn);
	return 0;
}

static int san(STACK_OF(X509_EXTENSION) * list, const struct keeper_certify *rq)
{
	GENERAL_NAMES *names;
	int ok;

	if (!rq->dns_name[0] && !rq->rfc822_name[0])
		return 1;
	names = GENERAL_NAMES_new();
	ok = names && san_add(names, GEN_DNS, rq->dns_name) && san_add(names, GEN_EMAIL, rq->rfc822_name) &&
	     take(list, X509V3_EXT_i2d(NID_subject_alt_name, 0, names));
	GENERAL_NAMES_free(names);
	return ok;
}

/* The hash of the public key as subject key identifier (RFC 5280 4.2.1.2 method 1); nobody's security rests on SHA-1
 * here. */
static int key_identifiers(STACK_OF(X509_EXTENSION) * list, const X509_PUBKEY *pub, enum keys_cert_kind kind)
{
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	AUTHORITY_KEYID *akid = AUTHORITY_KEYID_new();
	const unsigned char *p;
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned md_n;
	int n, ok;

	ok = id && akid && X509_PUBKEY_get0_param(NULL, &p, &n, NULL, pub) &&
	     EVP_Digest(p, (size_t)n, md, &md_n, EVP_sha1(), NULL) && ASN1_OCTET_STRING_set(id, md, (int)md_n) &&
	     take(list, X509V3_EXT_i2d(NID_subject_key_identifier, 0, id));
	if (ok && kind == KEYS_CERT_SELF) {
		akid->keyid = id;
		id = NULL;
		ok = take(list, X509V3_EXT_i2d(NID_authority_key_identifier, 0, akid));
	}
	ASN1_OCTET_STRING_free(id);
	AUTHORITY_KEYID_free(akid);
	return ok;
}

static int fixed(STACK_OF(X509_EXTENSION) * list, int nid, const char *value)
{
	return take(list, X509V3_EXT_nconf_nid(NULL, NULL, nid, value));
}

static STACK_OF(X509_EXTENSION) *
    extensions(const struct keeper_key *key, const struct keeper_certify *rq, const X509_PUBKEY *pub)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

	if (list && fixed(list, NID_basic_constraints, "critical,CA:FALSE") &&
	    fixed(list, NID_key_usage, key_usage(key)) &&
	    fixed(list, NID_ext_key_usage, key->use == KEYS_USE_TLS ? "serverAuth,clientAuth" : "emailProtection") &&
	    san(list, rq) && key_identifiers(list, pub, rq->kind))
		return list;
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return NULL;
}

/* ---- the whole ---- */

static int csr(const struct keeper_key *key, const struct keeper_certify *rq, unsigned char **der_r)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = subject(rq);
	STACK_OF(X509_EXTENSION) *list = NULL;
	int n = -1;

	if (!req || !name || !X509_REQ_set_version(req, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_subject_name(req, name) || !X509_REQ_set_pubkey(req, key->pkey))
		goto out;
	list = extensions(key, rq, X509_REQ_get_X509_PUBKEY(req));
	if (!list || !X509_REQ_add_extensions(req, list) || X509_REQ_sign(req, key->pkey, hash(key)) <= 0)
		goto out;
	n = i2d_X509_REQ(req, der_r);
out:
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_NAME_free(name);
	X509_REQ_free(req);
	return n;
}

/* RFC 5280 4.1.2.2: positive, at most 20 octets, not to be guessed. */
static int set_serial(X509 *x)
{
	unsigned char serial[SERIAL];
	BIGNUM *bn;
	int ok;

	if (RAND_bytes(serial, sizeof(serial)) != 1)
		return 0;
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
	BN_free(bn);
	return ok;
}

static int set_life(X509 *x, uint32_t days, int64_t now)
{
	time_t t = (time_t)now;

	return X509_time_adj_ex(X509_getm_notBefore(x), 0, -CLOCK_SKEW_S, &t) &&
	       X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, &t);
}

static int add_extensions(X509 *x, const struct keeper_key *key, const struct keeper_certify *rq)
{
	STACK_OF(X509_EXTENSION) *list = extensions(key, rq, X509_get_X509_PUBKEY(x));
	int ok = list != NULL;

	for (int i = 0; ok && i < sk_X509_EXTENSION_num(list); i++)
		ok = X509_add_ext(x, sk_X509_EXTENSION_value(list, i), -1);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return ok;
}

static int self_signed(
    const struct keeper_key *key, const struct keeper_certify *rq, int64_t now, unsigned char **der_r)
{
	X509 *x = X509_new();
	X509_NAME *name = subject(rq);
	int n = -1;

	if (x && name && X509_set_version(x, X509_VERSION_3) && set_serial(x) && X509_set_subject_name(x, name) &&
	    X509_set_issuer_name(x, name) && set_life(x, rq->days, now) && X509_set_pubkey(x, key->pkey) &&
	    add_extensions(x, key, rq) && X509_sign(x, key->pkey, hash(key)) > 0)
		n = i2d_X509(x, der_r);
	X509_NAME_free(name);
	X509_free(x);
	return n;
}

int keeper_certify(
    const struct keeper_key *key, const struct keeper_certify *rq, int64_t now, struct buf *der_r, struct problem *pr)
{
	unsigned char *der = NULL;
	int n, r = -1;

	if (check(rq, pr) < 0)
		return -1;
	n = rq->kind == KEYS_CERT_CSR ? csr(key, rq, &der) : self_signed(key, rq, now, &der);
	if (n > 0)
		r = buf_add(der_r, der, (size_t)n);
	OPENSSL_free(der);
	if (r == 0)
		return 0;
	ERR_clear_error();
	return problem_temp(pr, "libcrypto failed to make a certificate or request for key %s; try later", key->id);
}
