#include "interop/kit/statement_make.h"

#include <jansson.h>
#include <openssl/cms.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENT_OID "2.25.6345284688943069982369138258631214205"

static const struct {
	const char *attribute, *member, *without;
} abilities[] = {
    {"content", "content", "aes-256-gcm,aes-128-gcm,aes-256-cbc,aes-128-cbc"},
    {"keys", "keys", "rsa-oaep-sha256,rsa-pkcs1"},
    {"signatures", "signatures", "ecdsa-p256-sha256,rsa-pss-sha256,rsa-sha256,rsa-sha384,rsa-sha512"},
    {"formats", "formats", "signed-enveloped"},
    {"headers", "headers", "rfc9788"},
};

static json_t *words_of(const char *list)
{
	json_t *a = json_array();

	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");

		json_array_append_new(a, json_stringn(p, n));
		p += n + (p[n] == ',');
	}
	return a;
}

static json_t *time_at(int64_t ms)
{
	struct buf b = {0};
	json_t *j;

	time_add_iso(&b, (time_t)(ms / 1000));
	j = json_string(b.p);
	buf_free(&b);
	return j;
}

static json_t *asn1_time(const ASN1_TIME *t)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return json_string("");
	return time_at((int64_t)timegm(&tm) * 1000);
}

static void der_of(X509 *cert, struct buf *out)
{
	unsigned char *p = NULL;
	int n = i2d_X509(cert, &p);

	if (n <= 0)
		die("a certificate could not be written");
	buf_add(out, p, (size_t)n);
	OPENSSL_free(p);
}

/* What its key usage says: sign, encrypt, or both. */
static const char *use_of(X509 *cert)
{
	uint32_t usage = X509_get_key_usage(cert);
	bool signs = usage & KU_DIGITAL_SIGNATURE, encrypts = usage & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT);

	return signs && encrypts ? "both" : signs ? "sign" : "encrypt";
}

/* from=NAME:+20d: announced. NULL: from its own notBefore. */
static json_t *from_of(const struct stmt *st, const char *name, X509 *cert)
{
	const char *from = stmt_attribute(st, "from", NULL);
	size_t n = strlen(name);
	int64_t ms;

	if (from && !strncmp(from, name, n) && from[n] == ':' && span_read(from + n + 1, &ms) == 0)
		return time_at(now_ms() + ms);
	return asn1_time(X509_get0_notBefore(cert));
}

static int add_certificate(
    struct scene *s, const struct stmt *st, const char *name, const char *use, json_t *list, struct buf *why)
{
	const struct credential *c = world_credential(s->world, s->c, name, 0);
	struct buf der = {0}, text = {0};

	if (!c)
		return fail(why, "line %d: no certificate %s", st->line, name);
	der_of(c->cert, &der);
	base64_add(&text, der.p, der.n, 0);
	json_array_append_new(
	    list, json_pack("{s:s, s:s, s:o, s:o}", "use", use ? use : use_of(c->cert), "der", text.p, "from",
		      from_of(st, name, c->cert), "until", asn1_time(X509_get0_notAfter(c->cert))));
	buf_free(&der);
	buf_free(&text);
	return 0;
}

static int add_certificates(struct scene *s, const struct stmt *st, json_t *o, struct buf *why)
{
	const char *signer = stmt_attribute(st, "signer", ""), *second = stmt_attribute(st, "second", NULL),
		   *names = stmt_attribute(st, "certificates", "");
	json_t *list = json_array();
	int rc = add_certificate(s, st, signer, "statement", list, why);

	json_object_set_new(o, "certificates", list);
	if (rc == 0 && second)
		rc = add_certificate(s, st, second, "statement", list, why);
	for (const char *p = names; rc == 0 && *p;) {
		size_t n = strcspn(p, ",");
		char *name = text_cut(p, n);

		if (strcmp(name, signer) != 0 && (!second || strcmp(name, second) != 0))
			rc = add_certificate(s, st, name, NULL, list, why);
		free(name);
		p += n + (p[n] == ',');
	}
	return rc;
}

/* All times of a case count from its beginning: two statements may say the same serial. */
static int span_of(
    const struct scene *s, const struct stmt *st, const char *name, const char *without, int64_t *ms, struct buf *why)
{
	if (span_read(stmt_attribute(st, name, without), ms) < 0)
		return fail(why, "line %d: %s= is not a time", st->line, name);
	*ms += (int64_t)s->began * 1000;
	return 0;
}

static void add_promise(const struct stmt *st, json_t *o)
{
	const char *signs = stmt_attribute(st, "signs", NULL), *encrypts = stmt_attribute(st, "encrypts", NULL);
	json_t *w = json_object();
	int64_t until;

	if (signs)
		json_object_set_new(w, "signs", json_string(signs));
	if (encrypts)
		json_object_set_new(w, "encrypts", json_string(encrypts));
	if (span_read(stmt_attribute(st, "promise-until", "+30d"), &until) == 0)
		json_object_set_new(w, "until", time_at(now_ms() + until));
	if (signs || encrypts)
		json_object_set(o, "write", w);
	json_decref(w);
}

/* member="name:json": any other, also in the place of one of those above. */
static int add_member(const struct stmt *st, json_t *o, struct buf *why)
{
	const char *m = stmt_attribute(st, "member", NULL), *colon = m ? strchr(m, ':') : NULL;
	json_t *value;
	char *name;

	if (!m)
		return 0;
	value = colon ? json_loads(colon + 1, JSON_DECODE_ANY, NULL) : NULL;
	if (!value)
		return fail(why, "line %d: member= is name:JSON", st->line);
	name = text_cut(m, (size_t)(colon - m));
	json_object_set_new(o, name, value);
	free(name);
	return 0;
}

/* pad=N: a member that nobody knows, with so many octets. */
static int add_pad(const struct stmt *st, json_t *o, struct buf *why)
{
	const char *pad = stmt_attribute(st, "pad", NULL);
	struct buf b = {0};
	long n;

	if (!pad)
		return 0;
	if (number_read(pad, 1, 1000000, &n) < 0)
		return fail(why, "line %d: pad= is a number to 1000000", st->line);
	for (long i = 0; i < n; i++)
		buf_adds(&b, "x");
	json_object_set_new(o, "x-pad", json_string(b.p));
	buf_free(&b);
	return 0;
}

static void add_signer(struct scene *s, const struct stmt *st, json_t *o)
{
	const struct credential *c = world_credential(s->world, s->c, stmt_attribute(st, "signer", ""), 0);
	struct buf der = {0}, text = {0};
	unsigned char hash[32];

	if (c) {
		der_of(c->cert, &der);
		sha256_of(der.p, der.n, hash);
		base64url_add(&text, hash, sizeof(hash));
		json_object_set_new(o, "signer", json_string(text.p));
	}
	buf_free(&der);
	buf_free(&text);
}

static json_t *content_of(struct scene *s, const struct stmt *st, struct buf *why)
{
	int64_t serial, issued, expires;
	char *domain = scene_text(s, stmt_attribute(st, "domain", "{p}"), why);
	json_t *o = json_object(), *read = json_object();
	const char *one;

	if (!domain || span_of(s, st, "serial", "0", &serial, why) < 0 ||
	    span_of(s, st, "issued", "-1m", &issued, why) < 0 || span_of(s, st, "expires", "+7d", &expires, why) < 0)
		goto bad;
	json_object_set_new(o, "v", json_integer(1));
	json_object_set_new(o, "domain", json_string(domain));
	json_object_set_new(o, "serial", json_integer(serial));
	json_object_set_new(o, "issued", time_at(issued));
	json_object_set_new(o, "expires", time_at(expires));
	if ((one = stmt_attribute(st, "status", NULL)))
		json_object_set_new(o, "status", json_string(one));
	add_signer(s, st, o);
	if (add_certificates(s, st, o, why) < 0)
		goto bad;
	for (size_t i = 0; i < sizeof(abilities) / sizeof(*abilities); i++)
		json_object_set_new(read, abilities[i].member,
		    words_of(stmt_attribute(st, abilities[i].attribute, abilities[i].without)));
	json_object_set(o, "read", read);
	add_promise(st, o);
	if ((one = stmt_attribute(st, "demand", NULL)))
		json_object_set_new(o, "demand", words_of(one));
	if ((one = stmt_attribute(st, "critical", NULL)))
		json_object_set_new(o, "critical", words_of(one));
	if (add_member(st, o, why) < 0 || add_pad(st, o, why) < 0)
		goto bad;
	json_decref(read);
	free(domain);
	return o;
bad:
	json_decref(read);
	json_decref(o);
	free(domain);
	return NULL;
}

static int add_signer_info(CMS_ContentInfo *cms, struct scene *s, const char *name, unsigned flags, struct buf *why)
{
	const struct credential *c = world_credential(s->world, s->c, name, 0);

	if (!c || !c->key)
		return fail(why, "no key %s", name);
	if (!CMS_add1_signer(cms, c->cert, c->key, EVP_sha256(), flags))
		return fail(why, "no SignerInfo of %s could be made", name);
	for (int i = 0; i < sk_X509_num(c->chain); i++)
		CMS_add1_cert(cms, sk_X509_value(c->chain, i));
	return 0;
}

static int sign(struct scene *s, const struct stmt *st, const char *text, size_t n, struct buf *der, struct buf *why)
{
	const char *damage = stmt_attribute(st, "damage", ""), *second = stmt_attribute(st, "second", NULL),
		   *signer = stmt_attribute(st, "signer", ""), *by = signer;
	unsigned flags = CMS_BINARY | (strcmp(damage, "capabilities") ? CMS_NOSMIMECAP : 0) |
			 (strcmp(damage, "attributes") ? CMS_CADES : 0);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL);
	ASN1_OBJECT *type = OBJ_txt2obj(STATEMENT_OID, 1);
	BIO *in = BIO_new_mem_buf(text, (int)n);
	unsigned char *p = NULL;
	int rc = -1, len;

	if (!strcmp(damage, "other-signer")) /* signed by the second alone, who is not its signer */
		by = second ? second : "evil";
	if (!cms || !type || !in)
		die("OpenSSL cannot begin to sign");
	if (strcmp(stmt_attribute(st, "type", ""), "data") != 0 && CMS_set1_eContentType(cms, type) != 1)
		die("OpenSSL does not take the eContentType");
	if (add_signer_info(cms, s, by, flags, why) < 0 ||
	    (second && by == signer && add_signer_info(cms, s, second, flags, why) < 0))
		goto out;
	if (CMS_final(cms, in, NULL, CMS_BINARY) != 1 || (len = i2d_CMS_ContentInfo(cms, &p)) <= 0) {
		fail(why, "the statement could not be signed");
		goto out;
	}
	buf_add(der, p, (size_t)len);
	OPENSSL_free(p);
	rc = 0;
out:
	BIO_free(in);
	ASN1_OBJECT_free(type);
	CMS_ContentInfo_free(cms);
	return rc;
}

/* What is wrong with the octets when all else is done. */
static int spoil(const struct stmt *st, struct buf *der, struct buf *why)
{
	static const char *const before[] = {"", "capabilities", "attributes", "other-signer", "twice"};
	const char *damage = stmt_attribute(st, "damage", "");
	char *at = der->n > 64 ? (char *)octets_find(der->p, der->n, "\"expires\"") : NULL;

	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++)
		if (!strcmp(damage, before[i]))
			return 0;
	if (!strcmp(damage, "append"))
		buf_add(der, "", 1);
	else if (!strcmp(damage, "truncate"))
		der->n /= 2;
	else if (!strcmp(damage, "signature"))
		der->p[der->n - 20] ^= 1;
	else if (!strcmp(damage, "content") && at)
		at[1] = 'E';
	else if (!strcmp(damage, "large"))
		while (der->n <= 65536)
			buf_add(der, "\0\0\0\0\0\0\0\0", 8);
	else
		return fail(why, "line %d: unknown damage of a statement: %s", st->line, damage);
	return 0;
}

int statement_make(struct scene *s, const struct stmt *st, struct buf *der, struct buf *why)
{
	json_t *o = content_of(s, st, why);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int rc;

	json_decref(o);
	if (!text)
		return -1;
	if (!strcmp(stmt_attribute(st, "damage", ""), "twice")) { /* a name twice: not I-JSON */
		char *twice = text_make("{\"v\":1,%s", text + 1);

		free(text);
		text = twice;
	}
	buf_clear(der);
	rc = sign(s, st, text, strlen(text), der, why);
	free(text);
	return rc < 0 ? -1 : spoil(st, der, why);
}
