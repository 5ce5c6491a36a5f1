#include "interop/kit/pki.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

EVP_PKEY *pki_key(const char *kind, struct buf *why)
{
	EVP_PKEY *key = NULL;

	if (!strncmp(kind, "rsa", 3)) {
		long bits;

		if (number_read(kind + 3, 1024, 8192, &bits) == 0)
			key = EVP_RSA_gen((unsigned)bits);
	} else if (!strcmp(kind, "p256") || !strcmp(kind, "p384")) {
		key = EVP_EC_gen(!strcmp(kind, "p256") ? "P-256" : "P-384");
	} else if (!strcmp(kind, "ed25519")) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
	if (!key)
		fail(why, "no key of the kind %s", kind);
	return key;
}

static int set_subject(X509_NAME *name, const char *text, struct buf *why)
{
	for (const char *p = text; *p == '/';) {
		size_t n = strcspn(++p, "/");
		const char *eq = memchr(p, '=', n);
		char *type = text_cut(p, eq ? (size_t)(eq - p) : n);
		int rc = eq ? X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)eq + 1,
				  (int)(p + n - eq - 1), -1, 0)
			    : 0;

		free(type);
		if (rc != 1)
			return fail(why, "%s is not a subject", text);
		p += n;
	}
	return 0;
}

static int add(X509 *cert, X509 *issuer, int nid, const char *value, struct buf *why)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	int rc;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	rc = e ? X509_add_ext(cert, e, -1) : 0;
	X509_EXTENSION_free(e);
	return rc == 1 ? 0 : fail(why, "the extension %s = %s could not be made", OBJ_nid2sn(nid), value);
}

/* "dns:a,email:b" with OpenSSL's words */
static void names_of(const char *list, struct buf *out)
{
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");

		if (out->n > 0)
			buf_adds(out, ",");
		if (!strncmp(p, "dns:", 4))
			buf_addf(out, "DNS:%.*s", (int)n - 4, p + 4);
		else
			buf_addf(out, "%.*s", (int)n, p);
		p += n + (p[n] == ',');
	}
}

static const char *usage_of(const char *usage, EVP_PKEY *key)
{
	bool ec = EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA;

	if (!strcmp(usage, "ca"))
		return "critical,keyCertSign,cRLSign";
	if (!strcmp(usage, "sign"))
		return "critical,digitalSignature";
	if (!strcmp(usage, "agree"))
		return "critical,keyAgreement";
	if (!strcmp(usage, "encrypt"))
		return ec ? "critical,keyAgreement" : "critical,keyEncipherment";
	if (!strcmp(usage, "none"))
		return NULL;
	return ec ? "critical,digitalSignature,keyAgreement" : "critical,digitalSignature,keyEncipherment";
}

static const char *eku_of(const char *eku)
{
	return !strcmp(eku, "server") ? "serverAuth"
	       : !strcmp(eku, "any")  ? "anyExtendedKeyUsage"
	       : !strcmp(eku, "none") ? NULL
				      : "emailProtection";
}

/* name constraints: "dns:x" -> "permitted;DNS:x" */
static int add_constraints(const struct cert_spec *spec, X509 *cert, X509 *issuer, struct buf *why)
{
	struct buf b = {0}, name = {0};
	int rc = 0;

	buf_adds(&b, "critical");
	for (int i = 0; i < 2; i++) {
		const char *list = i ? spec->exclude : spec->permit;

		for (const char *p = list; p && *p;) {
			size_t n = strcspn(p, ",");
			char *one = text_cut(p, n);

			buf_clear(&name);
			names_of(one, &name);
			buf_addf(&b, ",%s;%s", i ? "excluded" : "permitted", name.p);
			free(one);
			p += n + (p[n] == ',');
		}
	}
	if (spec->permit || spec->exclude)
		rc = add(cert, issuer, NID_name_constraints, b.p, why);
	buf_free(&b);
	buf_free(&name);
	return rc;
}

static int add_unknown(X509 *cert, const char *oid, struct buf *why)
{
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e = NULL;
	int rc = -1;

	if (o && s && ASN1_OCTET_STRING_set(s, (const unsigned char *)"\x05\x00", 2) &&
	    (e = X509_EXTENSION_create_by_OBJ(NULL, o, 1, s)) && X509_add_ext(cert, e, -1) == 1)
		rc = 0;
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(s);
	ASN1_OBJECT_free(o);
	return rc == 0 ? 0 : fail(why, "%s is not an object identifier", oid);
}

static int add_url(X509 *cert, X509 *issuer, int nid, const char *format, const char *url, struct buf *why)
{
	char *value = text_make("%s%s", format, url);
	int rc = add(cert, issuer, nid, value, why);

	free(value);
	return rc;
}

static int add_extensions(const struct cert_spec *s, X509 *cert, EVP_PKEY *key, X509 *issuer, struct buf *why)
{
	const char *usage = usage_of(s->usage, key), *eku = s->ca ? NULL : eku_of(s->eku);
	struct buf names = {0}, access = {0};
	char *ca =
	    s->pathlen >= 0 ? text_make("critical,CA:TRUE,pathlen:%ld", s->pathlen) : text_copy("critical,CA:TRUE");
	int rc = 0;

	names_of(strcmp(s->names, "none") ? s->names : "", &names);
	if (s->ocsp_url)
		buf_addf(&access, "OCSP;URI:%s", s->ocsp_url);
	if (s->issuer_url)
		buf_addf(&access, "%scaIssuers;URI:%s", access.n ? "," : "", s->issuer_url);
	if (add(cert, issuer, NID_basic_constraints, s->ca ? ca : "CA:FALSE", why) < 0 ||
	    add(cert, issuer, NID_subject_key_identifier, "hash", why) < 0 ||
	    (issuer != cert && add(cert, issuer, NID_authority_key_identifier, "keyid", why) < 0) ||
	    (usage && add(cert, issuer, NID_key_usage, usage, why) < 0) ||
	    (eku && add(cert, issuer, NID_ext_key_usage, eku, why) < 0) ||
	    (names.n > 0 && add(cert, issuer, NID_subject_alt_name, names.p, why) < 0) ||
	    add_constraints(s, cert, issuer, why) < 0 ||
	    (s->policy && add(cert, issuer, NID_certificate_policies, s->policy, why) < 0) ||
	    (s->crl_url && add_url(cert, issuer, NID_crl_distribution_points, "URI:", s->crl_url, why) < 0) ||
	    (access.n > 0 && add(cert, issuer, NID_info_access, access.p, why) < 0) ||
	    (s->critical && add_unknown(cert, s->critical, why) < 0))
		rc = -1;
	free(ca);
	buf_free(&names);
	buf_free(&access);
	return rc;
}

static int set_serial(X509 *cert)
{
	unsigned char r[16];
	BIGNUM *n;
	int rc;

	if (RAND_bytes(r, sizeof(r)) != 1)
		die("no random numbers");
	r[0] = (r[0] & 0x7f) | 0x40;
	n = BN_bin2bn(r, sizeof(r), NULL);
	rc = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) ? 0 : -1;
	BN_free(n);
	return rc;
}

X509 *pki_cert(const struct cert_spec *spec, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, struct buf *why)
{
	X509 *cert = X509_new();
	EVP_PKEY *by = issuer ? issuer_key : key;
	const EVP_MD *md = EVP_PKEY_get_base_id(by) == EVP_PKEY_ED25519 ? NULL : EVP_get_digestbyname(spec->hash);

	if (!cert || X509_set_version(cert, X509_VERSION_3) != 1 || set_serial(cert) < 0)
		die("out of memory");
	if (!X509_time_adj_ex(X509_getm_notBefore(cert), 0, 0, &(time_t){spec->from}) ||
	    !X509_time_adj_ex(X509_getm_notAfter(cert), 0, 0, &(time_t){spec->until}))
		die("a time is out of range");
	if (set_subject(X509_get_subject_name(cert), spec->subject, why) < 0 ||
	    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : X509_get_subject_name(cert)) != 1 ||
	    X509_set_pubkey(cert, key) != 1 || add_extensions(spec, cert, key, issuer ? issuer : cert, why) < 0 ||
	    X509_sign(cert, by, md) == 0) {
		if (!why || why->n == 0)
			fail(why, "the certificate of %s could not be signed: %s", spec->subject,
			    ERR_reason_error_string(ERR_peek_last_error()));
		ERR_clear_error();
		X509_free(cert);
		return NULL;
	}
	return cert;
}

void pki_serial_hex(X509 *cert, struct buf *out)
{
	const ASN1_INTEGER *s = X509_get0_serialNumber(cert);

	hex_add(out, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool is_listed(const ASN1_INTEGER *s, const char *list)
{
	struct buf hex = {0};
	bool found;

	hex_add(&hex, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
	found = hex.n > 0 && strstr(list, hex.p) != NULL;
	buf_free(&hex);
	return found;
}

static int add_revoked(X509_CRL *crl, const char *list, time_t when)
{
	for (const char *p = list; *p; p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n')) {
		char *hex = text_cut(p, strcspn(p, "\n"));
		BIGNUM *n = NULL;
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *s = BN_hex2bn(&n, hex) > 0 ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
		ASN1_TIME *t = ASN1_TIME_set(NULL, when);

		if (r && s && t && X509_REVOKED_set_serialNumber(r, s) == 1 &&
		    X509_REVOKED_set_revocationDate(r, t) == 1 && X509_CRL_add0_revoked(crl, r) == 1)
			r = NULL;
		X509_REVOKED_free(r);
		ASN1_INTEGER_free(s);
		ASN1_TIME_free(t);
		BN_free(n);
		free(hex);
	}
	return X509_CRL_sort(crl);
}

int pki_crl(X509 *issuer, EVP_PKEY *key, const char *revoked, time_t from, time_t until, struct buf *der)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *a = ASN1_TIME_set(NULL, from), *b = ASN1_TIME_set(NULL, until);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	unsigned char *p = NULL;
	X509V3_CTX ctx;
	X509_EXTENSION *aki;
	int n = -1;

	if (!crl || !a || !b || !number)
		die("out of memory");
	X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
	aki = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid");
	ASN1_INTEGER_set_int64(number, (int64_t)(now_ms() / 1000));
	if (X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1 &&
	    X509_CRL_set1_lastUpdate(crl, a) == 1 && X509_CRL_set1_nextUpdate(crl, b) == 1 &&
	    add_revoked(crl, revoked, from) == 1 && (!aki || X509_CRL_add_ext(crl, aki, -1) == 1) &&
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1 &&
	    X509_CRL_sign(crl, key, EVP_sha256()) > 0)
		n = i2d_X509_CRL(crl, &p);
	if (n > 0)
		buf_add(der, p, (size_t)n);
	OPENSSL_free(p);
	X509_EXTENSION_free(aki);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(a);
	ASN1_TIME_free(b);
	X509_CRL_free(crl);
	return n > 0 ? 0 : -1;
}

int pki_ocsp(
    const void *request, size_t n, X509 *issuer, EVP_PKEY *key, const char *revoked, int valid, struct buf *der)
{
	const unsigned char *p = request;
	OCSP_REQUEST *q = d2i_OCSP_REQUEST(NULL, &p, (long)n);
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_RESPONSE *r = NULL;
	ASN1_TIME *from = X509_gmtime_adj(NULL, -60), *until = X509_gmtime_adj(NULL, valid);
	unsigned char *out = NULL;
	int len = -1;

	for (int i = 0; q && i < OCSP_request_onereq_count(q) && i < 16; i++) {
		OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(q, i));
		ASN1_INTEGER *serial = NULL;
		bool bad;

		OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
		bad = is_listed(serial, revoked);
		OCSP_basic_add1_status(basic, id, bad ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD,
		    bad ? OCSP_REVOKED_STATUS_KEYCOMPROMISE : OCSP_REVOKED_STATUS_NOSTATUS, bad ? from : NULL, from,
		    until);
	}
	if (q && basic) {
		OCSP_copy_nonce(basic, q);
		if (OCSP_basic_sign(basic, issuer, key, EVP_sha256(), NULL, 0) == 1)
			r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	}
	if (!r)
		r = OCSP_response_create(OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, NULL);
	if (r && (len = i2d_OCSP_RESPONSE(r, &out)) > 0)
		buf_add(der, out, (size_t)len);
	OPENSSL_free(out);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_REQUEST_free(q);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	ERR_clear_error();
	return len > 0 ? 0 : -1;
}

void pki_der(X509 *cert, struct buf *out)
{
	unsigned char *p = NULL;
	int n = i2d_X509(cert, &p);

	if (n <= 0)
		die("a certificate could not be written");
	buf_add(out, p, (size_t)n);
	OPENSSL_free(p);
}

static int write_bio(const char *path, BIO *b, unsigned mode, struct buf *why)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);
	int rc = file_write(path, p, (size_t)n, mode, why);

	BIO_free(b);
	return rc;
}

int pki_write_cert(const char *path, X509 *cert, struct buf *why)
{
	BIO *b = BIO_new(BIO_s_mem());

	if (!b || PEM_write_bio_X509(b, cert) != 1)
		die("out of memory");
	return write_bio(path, b, 0644, why);
}

int pki_write_key(const char *path, EVP_PKEY *key, struct buf *why)
{
	BIO *b = BIO_new(BIO_s_mem());

	if (!b || PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) != 1)
		die("a key could not be written");
	return write_bio(path, b, 0600, why);
}

X509 *pki_read_cert(const char *path)
{
	BIO *b = BIO_new_file(path, "r");
	X509 *cert = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	ERR_clear_error();
	return cert;
}

EVP_PKEY *pki_read_key(const char *path)
{
	BIO *b = BIO_new_file(path, "r");
	EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	ERR_clear_error();
	return key;
}

STACK_OF(X509) * pki_read_certs(const char *path)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	BIO *b = BIO_new_file(path, "r");
	X509 *cert;

	if (!all)
		die("out of memory");
	while (b && (cert = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		if (sk_X509_push(all, cert) <= 0)
			die("out of memory");
	BIO_free(b);
	ERR_clear_error();
	return all;
}
