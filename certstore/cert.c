/*
 * Facts about one certificate. Judge, CLI (preview), tests; pure over DER octets, OpenSSL; no I/O. RFC 5280, RFC
 * 8550. Who may be believed: trust.c.
 *
 * Everything in a certificate is chosen by whoever made it: names are escaped before they are text, numbers are
 * bounded, and what cannot be read counts as not allowed.
 */
#include "certstore/cert.h"

#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"

enum { RSA_BITS_MIN = 2048 };

static int not_a_cert(struct problem *pr, const char *why)
{
	ERR_clear_error();
	return problem_set(
	    pr, PROBLEM_PERM, 0, "", "RFC 5280 4.1", "this is not a certificate that can be read: %s", why);
}

/* DER has one form for one value: octets that decode but are written otherwise would let one certificate have many
 * fingerprints. */
static bool is_der(X509 *x, const void *der, size_t n)
{
	unsigned char *again = NULL;
	int k = i2d_X509(x, &again);
	bool same = k >= 0 && (size_t)k == n && memcmp(again, der, n) == 0;

	OPENSSL_free(again);
	return same;
}

X509 *cert_parse(const void *der, size_t n, struct problem *pr)
{
	const unsigned char *p = der;
	X509 *x;
	const char *why = NULL;

	if (n == 0 || n > CERT_DER_MAX) {
		not_a_cert(pr, n ? "it is larger than 64 KiB" : "it is empty");
		return NULL;
	}
	x = d2i_X509(NULL, &p, (long)n);
	if (!x)
		why = "the DER of an X.509 certificate is expected";
	else if (p != (const unsigned char *)der + n)
		why = "octets follow behind its end";
	else if (!is_der(x, der, n))
		why = "it is not encoded in DER";
	else if (X509_check_purpose(x, -1, 0) != 1 || (X509_get_extension_flags(x) & EXFLAG_INVALID))
		why = "one of its extensions is malformed";
	else if (!X509_get0_pubkey(x))
		why = "its public key is malformed or of an unknown kind";
	if (!why)
		return x;
	not_a_cert(pr, why);
	X509_free(x);
	return NULL;
}

/* C1 controls written in UTF-8 steer terminals as the C0 ones do, which OpenSSL escapes. */
static void blot_c1(char *s)
{
	for (; *s; s++)
		if ((unsigned char)s[0] == 0xc2 && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0)
			s[0] = s[1] = '?';
}

static void take_bio(BIO *b, char *out, size_t cap)
{
	int n = b ? BIO_read(b, out, (int)cap - 1) : 0;
	size_t k = n > 0 ? (size_t)n : 0;

	/* Cut inside a character: its head goes too, so that the text stays UTF-8. */
	if (k == cap - 1) {
		while (k > 0 && ((unsigned char)out[k - 1] & 0xc0) == 0x80)
			k--;
		if (k > 0 && (unsigned char)out[k - 1] >= 0xc0)
			k--;
	}
	out[k] = 0;
	blot_c1(out);
}

void cert_name(const X509_NAME *name, char *out, size_t cap)
{
	BIO *b = BIO_new(BIO_s_mem());
	unsigned long how = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;

	if (!b || X509_NAME_print_ex(b, name, 0, how) < 0)
		(void)snprintf(out, cap, "(unreadable)");
	else
		take_bio(b, out, cap);
	if (!out[0])
		(void)snprintf(out, cap, "(no name)");
	BIO_free(b);
	ERR_clear_error();
}

static void put_serial(X509 *x, char *out, size_t cap)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = bn ? BN_bn2hex(bn) : NULL;

	(void)snprintf(out, cap, "%.*s", (int)cap - 1, hex ? hex : "?");
	OPENSSL_free(hex);
	BN_free(bn);
}

/* A time that cannot be read: the certificate is never valid. */
static int64_t unix_time(const ASN1_TIME *t, int64_t unreadable)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : unreadable;
}

/* The curves we encrypt to and sign with; "" for any other, and for a curve given by its parameters, which may be a
 * look-alike of a good one. */
static const char *curve_word(EVP_PKEY *k)
{
	static const char *const known[][2] = {{"prime256v1", "P-256"}, {"P-256", "P-256"}, {"secp384r1", "P-384"},
	    {"P-384", "P-384"}, {"secp521r1", "P-521"}, {"P-521", "P-521"}};
	char group[64];
	size_t n = 0;
	int explicit_params = 0;

	(void)EVP_PKEY_get_int_param(k, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_params);
	if (explicit_params || EVP_PKEY_get_group_name(k, group, sizeof group, &n) != 1)
		return "";
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(group, known[i][0]) == 0)
			return known[i][1];
	return "";
}

enum key_kind { KEY_RSA, KEY_RSA_PSS, KEY_EC, KEY_ED25519, KEY_OTHER };

static enum key_kind put_key(EVP_PKEY *k, struct cert_facts *f)
{
	int bits = EVP_PKEY_get_bits(k);
	const char *curve;

	switch (EVP_PKEY_get_base_id(k)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		(void)snprintf(f->key, sizeof f->key, "RSA %d", bits);
		return EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA ? KEY_RSA : KEY_RSA_PSS;
	case EVP_PKEY_EC:
		curve = curve_word(k);
		(void)snprintf(f->key, sizeof f->key, "EC %s", *curve ? curve : "of an unknown curve");
		return *curve ? KEY_EC : KEY_OTHER;
	case EVP_PKEY_ED25519: /* RFC 8410: signs alone */
		(void)snprintf(f->key, sizeof f->key, "Ed25519");
		return KEY_ED25519;
	default:
		(void)snprintf(f->key, sizeof f->key, "%.20s %d",
		    EVP_PKEY_get0_type_name(k) ? EVP_PKEY_get0_type_name(k) : "?", bits);
		return KEY_OTHER;
	}
}

/* What the key can do and key usage and EKU allow (RFC 8550 4.4.2, 4.4.4). No key usage at all allows both. */
static void put_uses(X509 *x, enum key_kind kind, struct cert_facts *f)
{
	uint32_t ku = X509_get_key_usage(x); /* all ones when absent */
	uint32_t flags = X509_get_extension_flags(x);
	uint32_t encrypt = kind == KEY_EC ? KU_KEY_AGREEMENT : KU_KEY_ENCIPHERMENT;

	f->eku_mail = !(flags & EXFLAG_XKUSAGE) || (X509_get_extended_key_usage(x) & (XKU_SMIME | XKU_ANYEKU));
	f->may_sign = f->eku_mail && kind != KEY_OTHER && (ku & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION));
	f->may_encrypt = f->eku_mail && (kind == KEY_RSA || kind == KEY_EC) && (ku & encrypt);
	f->ca = X509_check_ca(x) > 0;
	f->self_signed = (flags & EXFLAG_SS) != 0;
}

static void put_weakness(X509 *x, EVP_PKEY *k, enum key_kind kind, struct cert_facts *f)
{
	int md = NID_undef, pk = NID_undef, bits = 0;
	uint32_t flags = 0;

	if ((kind == KEY_RSA || kind == KEY_RSA_PSS) && EVP_PKEY_get_bits(k) < RSA_BITS_MIN)
		(void)snprintf(f->weak_why, sizeof f->weak_why, "its RSA key has %d bits, less than %d",
		    EVP_PKEY_get_bits(k), RSA_BITS_MIN);
	else if (kind == KEY_OTHER)
		(void)snprintf(f->weak_why, sizeof f->weak_why, "its key (%.31s) is of a kind not used here", f->key);
	else if (X509_get_signature_info(x, &md, &pk, &bits, &flags) != 1 || bits < 80)
		(void)snprintf(f->weak_why, sizeof f->weak_why, "it is signed with %.40s",
		    md != NID_undef ? OBJ_nid2sn(md) : "an unknown or forbidden algorithm");
	f->weak = f->weak_why[0] != 0;
	ERR_clear_error();
}

/* One name: printable ASCII as it is, all else as \HH; so neither a blank nor a NUL can make one name look like two,
 * or like another. */
static void add_name(struct cert_facts *f, const char *kind, const ASN1_STRING *s)
{
	size_t at = strlen(f->names), cap = sizeof f->names;
	const unsigned char *p = ASN1_STRING_get0_data(s);
	int n = ASN1_STRING_length(s);

	if (n < 0 || at + strlen(kind) + (size_t)n * 3 + 8 > cap) {
		if (at + 8 < cap && (at < 4 || strcmp(f->names + at - 4, " ...") != 0))
			memcpy(f->names + at, " ...", 5);
		return;
	}
	at += (size_t)snprintf(f->names + at, cap - at, "%s%s:", at ? " " : "", kind);
	for (int i = 0; i < n; i++)
		at += (size_t)snprintf(
		    f->names + at, cap - at, p[i] > 0x20 && p[i] < 0x7f && p[i] != '\\' ? "%c" : "\\%02x", p[i]);
}

static void put_names(X509 *x, struct cert_facts *f)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);

		if (g->type == GEN_DNS)
			add_name(f, "dns", g->d.dNSName);
		else if (g->type == GEN_EMAIL)
			add_name(f, "mail", g->d.rfc822Name);
		else if (g->type == GEN_URI)
			add_name(f, "uri", g->d.uniformResourceIdentifier);
		else if (g->type == GEN_OTHERNAME &&
			 OBJ_obj2nid(g->d.otherName->type_id) == NID_id_on_SmtpUTF8Mailbox &&
			 g->d.otherName->value->type == V_ASN1_UTF8STRING)
			add_name(f, "mail", g->d.otherName->value->value.utf8string);
	}
	GENERAL_NAMES_free(all);
	ERR_clear_error();
}

static void put_hash(X509 *x, char out[CERT_HASH_TEXT])
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (X509_digest(x, EVP_sha256(), md, &n) == 1 && n == 32)
		encode_hex(md, n, out);
	else
		out[0] = 0;
}

void cert_facts(X509 *x, struct cert_facts *f_r)
{
	EVP_PKEY *k = X509_get0_pubkey(x);
	enum key_kind kind = KEY_OTHER;

	memset(f_r, 0, sizeof *f_r);
	cert_name(X509_get_subject_name(x), f_r->subject, sizeof f_r->subject);
	cert_name(X509_get_issuer_name(x), f_r->issuer, sizeof f_r->issuer);
	put_serial(x, f_r->serial, sizeof f_r->serial);
	put_hash(x, f_r->sha256);
	f_r->not_before = unix_time(X509_get0_notBefore(x), INT64_MAX);
	f_r->not_after = unix_time(X509_get0_notAfter(x), INT64_MIN);
	if (k)
		kind = put_key(k, f_r);
	put_uses(x, kind, f_r);
	put_weakness(x, k, kind, f_r);
	put_names(x, f_r);
}

const char *cert_day(int64_t unix_s, char out[11])
{
	char t[21];

	if (unix_s == INT64_MIN || unix_s == INT64_MAX) {
		memcpy(out, "unreadable", 11);
		return out;
	}
	encode_time(unix_s, t);
	memcpy(out, t, 10);
	out[10] = 0;
	return out;
}

const char *cert_words(const struct cert_facts *f, char *out, size_t cap)
{
	char from[11], to[11];

	(void)snprintf(out, cap, "%.160s, serial %.48s, valid %s to %s", f->subject, f->serial,
	    cert_day(f->not_before, from), cert_day(f->not_after, to));
	return out;
}

void cert_fingerprint(X509 *x, char out[96])
{
	char hex[CERT_HASH_TEXT];
	size_t at = 0;

	put_hash(x, hex);
	for (size_t i = 0; hex[i]; i++) {
		if (i > 0 && i % 4 == 0)
			out[at++] = ' ';
		out[at++] = (char)toupper((unsigned char)hex[i]);
	}
	out[at] = 0;
}
