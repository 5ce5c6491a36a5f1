/*
 * SignedData around statements, written. Judge, tests. RFC 5652 5, RFC 5035. By hand, because OpenSSL signs with a
 * key it holds and the key is the keeper's, who wants to see the attributes that it signs.
 */
#include "gateway/xsmg/statement_cms_make.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "certstore/cert.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/xsmg/statement_cms.h"
#include "gateway/xsmg/statement_der.h"
#include "gateway/xsmg/statement_signer.h"

static const uint8_t id_signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
static const uint8_t version_1[] = {0x02, 0x01, 0x01}, version_3[] = {0x02, 0x01, 0x03};

/* One part that is put together; its maximum is more than a statement may have, which the end checks. */
static void part(struct buf *b)
{
	buf_init(b, 4u * STATEMENT_MAX);
}

static int too_large(struct problem *pr)
{
	return problem_set(pr, PROBLEM_PERM, 0, "", "",
	    "The statement with its certificates has more than %d octets; give fewer certificates or shorter chains.",
	    STATEMENT_MAX);
}

/* Wraps what is in b into an element of this tag. */
static int wrap(struct buf *b, uint8_t tag)
{
	struct buf out;
	int r;

	part(&out);
	r = statement_der_put(&out, tag, b->p, b->len);
	buf_clear_public(b);
	*b = out;
	return r;
}

static int put(struct buf *b, struct statement_octets o)
{
	return buf_add(b, o.p, o.n);
}

/* ---- signed attributes ---- */

/* SEQUENCE { type, SET { value } }. */
static int put_attr(struct buf *b, enum statement_attr attr, const struct buf *value)
{
	struct buf seq;
	int r;

	part(&seq);
	r = put(&seq, statement_signer_attr(attr));
	if (r == 0)
		r = statement_der_put(&seq, STATEMENT_DER_SET, value->p, value->len);
	if (r == 0)
		r = statement_der_put(b, STATEMENT_DER_SEQ, seq.p, seq.len);
	buf_clear_public(&seq);
	return r;
}

/* RFC 5652 11.3: UTCTime through 2049. */
static int put_time(struct buf *b, int64_t now)
{
	char iso[21], text[16];
	size_t n = 0;

	encode_time(now, iso);
	for (size_t i = memcmp(iso, "2050", 4) < 0 ? 2 : 0; iso[i]; i++)
		if (iso[i] != '-' && iso[i] != ':' && iso[i] != 'T')
			text[n++] = iso[i];
	return statement_der_put(b, n == 13 ? STATEMENT_DER_UTC : STATEMENT_DER_TIME, text, n);
}

/* SigningCertificateV2 with the SHA-256 of the certificate, the default. */
static int put_cert(struct buf *b, const struct statement_octets *cert)
{
	uint8_t md[32];

	statement_hash(cert->p, cert->n, md);
	if (statement_der_put(b, STATEMENT_DER_OCTETS, md, sizeof md) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (wrap(b, STATEMENT_DER_SEQ) < 0)
			return -1;
	return 0;
}

static int put_digest(struct buf *b, enum statement_alg alg, const void *content, size_t n)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned k = 0;

	REQUIRE(EVP_Digest(content, n, md, &k, statement_alg_md(statement_alg_digest(alg)), NULL) == 1);
	return statement_der_put(b, STATEMENT_DER_OCTETS, md, k);
}

struct task {
	const void *content;
	size_t n;
	int64_t now;
};

static int put_value(struct buf *b, enum statement_attr attr, const struct task *t,
    const struct statement_sign_by *by, enum statement_alg alg)
{
	switch (attr) {
	case STATEMENT_ATTR_TYPE:
		return put(b, statement_signer_type());
	case STATEMENT_ATTR_TIME:
		return put_time(b, t->now);
	case STATEMENT_ATTR_DIGEST:
		return put_digest(b, alg, t->content, t->n);
	case STATEMENT_ATTR_CERT:
		return put_cert(b, &by->cert);
	default:
		log_panic("no attribute %d", (int)attr);
	}
}

/* The SET OF attributes as it is signed. */
static int put_attrs(struct buf *b, const struct task *t, const struct statement_sign_by *by, enum statement_alg alg)
{
	struct statement_octets set[STATEMENT_ATTRS];
	struct buf attrs[STATEMENT_ATTRS], value;
	int r = 0;

	for (size_t i = 0; i < STATEMENT_ATTRS; i++) {
		part(&attrs[i]);
		part(&value);
		if (r == 0)
			r = put_value(&value, (enum statement_attr)i, t, by, alg);
		if (r == 0)
			r = put_attr(&attrs[i], (enum statement_attr)i, &value);
		buf_clear_public(&value);
		set[i] = (struct statement_octets){attrs[i].p, attrs[i].len};
	}
	if (r == 0)
		r = statement_der_put_set(b, STATEMENT_DER_SET, set, STATEMENT_ATTRS);
	for (size_t i = 0; i < STATEMENT_ATTRS; i++)
		buf_clear_public(&attrs[i]);
	return r;
}

/* ---- SignerInfo ---- */

/* version, issuerAndSerialNumber, digestAlgorithm. */
static int put_sid(struct buf *b, X509 *x, enum statement_alg alg)
{
	unsigned char *name = NULL, *serial = NULL;
	int nname = i2d_X509_NAME(X509_get_issuer_name(x), &name);
	int nserial = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &serial);
	struct buf sid;
	int r = -1;

	part(&sid);
	if (nname > 0 && nserial > 0)
		r = buf_add(&sid, name, (size_t)nname);
	if (r == 0)
		r = buf_add(&sid, serial, (size_t)nserial);
	if (r == 0)
		r = buf_add(b, version_1, sizeof version_1);
	if (r == 0)
		r = statement_der_put(b, STATEMENT_DER_SEQ, sid.p, sid.len);
	if (r == 0)
		r = put(b, statement_alg_digest_der(statement_alg_digest(alg)));
	buf_clear_public(&sid);
	OPENSSL_free(name);
	OPENSSL_free(serial);
	return r;
}

/* Signs; the rest of the SignerInfo: attributes as [0], signatureAlgorithm, signature. */
static int put_signature(struct buf *b, const struct buf *attrs, const struct statement_sign_by *by,
    enum statement_alg alg, struct problem *pr)
{
	uint8_t sig[STATEMENT_SIGNATURE_MAX];
	size_t n = sizeof sig, at = b->len;

	if (by->sign(by->arg, alg, attrs->p, attrs->len, sig, &n, pr) < 0)
		return -1;
	REQUIRE(n > 0 && n <= sizeof sig);
	if (buf_add(b, attrs->p, attrs->len) < 0)
		return too_large(pr);
	b->p[at] = STATEMENT_DER_0;
	if (put(b, statement_alg_der(alg)) < 0 || statement_der_put(b, STATEMENT_DER_OCTETS, sig, n) < 0)
		return too_large(pr);
	return 0;
}

static int sign_one(struct buf *b, const struct task *t, const struct statement_sign_by *by,
    enum statement_digest *digest_r, struct problem *pr)
{
	X509 *x = cert_parse(by->cert.p, by->cert.n, pr);
	enum statement_alg alg;
	struct buf attrs, info;
	int r = -1;

	if (!x)
		return -1;
	part(&attrs);
	part(&info);
	if (statement_alg_of_key(X509_get0_pubkey(x), &alg) < 0)
		problem_perm(pr, "The statement cannot be signed: the key of its certificate is neither RSA nor EC.");
	else if (put_attrs(&attrs, t, by, alg) < 0 || put_sid(&info, x, alg) < 0)
		too_large(pr);
	else
		r = put_signature(&info, &attrs, by, alg, pr);
	if (r == 0 && statement_der_put(b, STATEMENT_DER_SEQ, info.p, info.len) < 0)
		r = too_large(pr);
	if (r == 0)
		*digest_r = statement_alg_digest(alg);
	buf_clear_public(&attrs);
	buf_clear_public(&info);
	X509_free(x);
	ERR_clear_error();
	return r;
}

/* ---- SignedData ---- */

static int put_certs(struct buf *b, const struct statement_sign_by *by, size_t nby)
{
	struct statement_octets set[STATEMENT_CHAIN_MAX];
	size_t n = 0;

	for (size_t i = 0; i < nby; i++) {
		if (by[i].nchain >= STATEMENT_CHAIN_MAX - n)
			return -1;
		set[n++] = by[i].cert;
		for (size_t k = 0; k < by[i].nchain; k++)
			set[n++] = by[i].chain[k];
	}
	return statement_der_put_set(b, STATEMENT_DER_0, set, n);
}

/* encapContentInfo. */
static int put_content(struct buf *b, const struct task *t)
{
	struct buf in;
	int r;

	part(&in);
	r = statement_der_put(&in, STATEMENT_DER_OCTETS, t->content, t->n);
	if (r == 0)
		r = wrap(&in, STATEMENT_DER_0);
	if (r == 0) {
		struct buf seq;

		part(&seq);
		r = put(&seq, statement_signer_type());
		if (r == 0)
			r = buf_add(&seq, in.p, in.len);
		if (r == 0)
			r = statement_der_put(b, STATEMENT_DER_SEQ, seq.p, seq.len);
		buf_clear_public(&seq);
	}
	buf_clear_public(&in);
	return r;
}

/* The SignedData's members, then what stands around them. */
static int put_all(struct buf *b, const struct task *t, const struct statement_sign_by *by, size_t nby,
    struct statement_octets *infos, const enum statement_digest *digests)
{
	struct statement_octets algs[STATEMENT_SIGNERS_MAX];

	for (size_t i = 0; i < nby; i++)
		algs[i] = statement_alg_digest_der(digests[i]);
	if (buf_add(b, version_3, sizeof version_3) < 0 ||
	    statement_der_put_set(b, STATEMENT_DER_SET, algs, nby) < 0 || put_content(b, t) < 0 ||
	    put_certs(b, by, nby) < 0 || statement_der_put_set(b, STATEMENT_DER_SET, infos, nby) < 0 ||
	    wrap(b, STATEMENT_DER_SEQ) < 0 || wrap(b, STATEMENT_DER_0) < 0)
		return -1;

	struct buf out;

	part(&out);
	if (buf_add(&out, id_signed_data, sizeof id_signed_data) < 0 || buf_add(&out, b->p, b->len) < 0) {
		buf_clear_public(&out);
		return -1;
	}
	buf_clear_public(b);
	*b = out;
	return wrap(b, STATEMENT_DER_SEQ);
}

/* What a reader would refuse is not given out: a key that does not belong to its certificate, or a bug here. */
static int read_again(const struct buf *b, size_t nby, struct problem *pr)
{
	struct statement_signed sd;

	if (b->len > STATEMENT_MAX)
		return too_large(pr);
	if (statement_cms_read(b->p, b->len, &sd, pr) < 0)
		return problem_prefix(pr, "A statement was made that cannot be read. ");
	REQUIRE(sd.nsigners == nby);
	for (size_t i = 0; i < nby; i++)
		if (!sd.signers[i].verified)
			return problem_perm(
			    pr, "The statement was signed, but a signer does not verify: %s.", sd.signers[i].why);
	return 0;
}

int statement_cms_make(const void *content, size_t n, const struct statement_sign_by *by, size_t nby, int64_t now,
    struct buf *der, struct problem *pr)
{
	struct task t = {content, n, now};
	struct statement_octets infos[STATEMENT_SIGNERS_MAX];
	enum statement_digest digests[STATEMENT_SIGNERS_MAX];
	struct buf info[STATEMENT_SIGNERS_MAX], all;
	int r = 0;

	REQUIRE(nby >= 1 && nby <= STATEMENT_SIGNERS_MAX);
	part(&all);
	for (size_t i = 0; i < nby; i++) {
		part(&info[i]);
		if (r == 0)
			r = sign_one(&info[i], &t, &by[i], &digests[i], pr);
		infos[i] = (struct statement_octets){info[i].p, info[i].len};
	}
	if (r == 0 && put_all(&all, &t, by, nby, infos, digests) < 0)
		r = too_large(pr);
	if (r == 0)
		r = read_again(&all, nby, pr);
	if (r == 0 && buf_add(der, all.p, all.len) < 0)
		r = too_large(pr);
	for (size_t i = 0; i < nby; i++)
		buf_clear_public(&info[i]);
	buf_clear_public(&all);
	return r;
}

int statement_cms_make_pkey(void *pkey, enum statement_alg alg, const uint8_t *attrs, size_t n, uint8_t *sig,
    size_t *nsig_r, struct problem *pr)
{
	const EVP_MD *md = statement_alg_md(statement_alg_digest(alg));
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good;

	if (!c)
		log_fatal("xsmg: no memory for a digest");
	*nsig_r = STATEMENT_SIGNATURE_MAX;
	good = EVP_DigestSignInit(c, NULL, md, NULL, pkey) == 1 && EVP_DigestSign(c, sig, nsig_r, attrs, n) == 1;
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return good ? 0 : problem_temp(pr, "Signing the statement failed.");
}
