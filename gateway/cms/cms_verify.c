/* Verification. Sealer and tests. One pass over the content for all digests; then each signer by itself, so that one
 * bad signature says nothing of others. */
#include "gateway/cms/cms_verify.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/cms/cms_alg.h"
#include "gateway/cms/cms_attr.h"
#include "gateway/cms/cms_cache.h"
#include "gateway/cms/cms_caps.h"
#include "gateway/cms/cms_cert.h"
#include "gateway/cms/cms_eddsa.h"
#include "gateway/cms/cms_prefer.h"

/* Certificates that are known beforehand. */
struct known {
	X509 *const *v;
	size_t n;
};

/* One running digest for each algorithm some signer uses. */
enum { RUNS_MAX = 3 };
struct run {
	const struct cms_alg_digest *alg;
	EVP_MD_CTX *ctx;
	uint8_t value[EVP_MAX_MD_SIZE];
	unsigned int len;
};
struct runs {
	struct run run[RUNS_MAX];
	size_t n;
	uint8_t first; /* octet of the content; 0: there is none */
	bool any;
};

static const struct cms_alg_digest *digest_of(CMS_SignerInfo *si)
{
	const ASN1_OBJECT *obj;
	X509_ALGOR *alg;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &alg, NULL);
	X509_ALGOR_get0(&obj, NULL, NULL, alg);
	return cms_alg_digest(OBJ_obj2nid(obj));
}

static struct run *find_run(struct runs *rs, const struct cms_alg_digest *alg)
{
	for (size_t i = 0; i < rs->n; i++)
		if (rs->run[i].alg == alg)
			return &rs->run[i];
	return NULL;
}

static void runs_init(struct runs *rs, STACK_OF(CMS_SignerInfo) * infos)
{
	memset(rs, 0, sizeof(*rs));
	for (int i = 0; i < sk_CMS_SignerInfo_num(infos); i++) {
		const struct cms_alg_digest *alg = digest_of(sk_CMS_SignerInfo_value(infos, i));
		struct run *run;

		if (alg == NULL || find_run(rs, alg) != NULL)
			continue;
		REQUIRE(rs->n < RUNS_MAX);
		run = &rs->run[rs->n++];
		run->alg = alg;
		run->ctx = EVP_MD_CTX_new();
		if (run->ctx == NULL || EVP_DigestInit_ex(run->ctx, cms_alg_md(alg), NULL) != 1)
			log_fatal("cms: %s cannot be started", alg->name);
	}
}

static void runs_update(struct runs *rs, const uint8_t *p, size_t n)
{
	if (!rs->any && n > 0) {
		rs->first = p[0];
		rs->any = true;
	}
	for (size_t i = 0; i < rs->n; i++)
		if (EVP_DigestUpdate(rs->run[i].ctx, p, n) != 1)
			log_fatal("cms: %s failed", rs->run[i].alg->name);
}

/* The values; the contexts stay as they are, for signatures over the content itself. */
static void runs_final(struct runs *rs)
{
	for (size_t i = 0; i < rs->n; i++) {
		EVP_MD_CTX *end = EVP_MD_CTX_new();

		if (end == NULL || EVP_MD_CTX_copy_ex(end, rs->run[i].ctx) != 1 ||
		    EVP_DigestFinal_ex(end, rs->run[i].value, &rs->run[i].len) != 1)
			log_fatal("cms: %s failed", rs->run[i].alg->name);
		EVP_MD_CTX_free(end);
	}
}

static void runs_clear(struct runs *rs)
{
	for (size_t i = 0; i < rs->n; i++)
		EVP_MD_CTX_free(rs->run[i].ctx);
}

static int read_inside(struct cms_outline *o, struct runs *rs, struct writer *out, struct problem *pr)
{
	struct cms_content c;
	const uint8_t *p;
	size_t n;
	int r;

	if (cms_outline_content(o, &c, pr) == -1)
		return -1;
	while ((r = cms_content_next(&c, &p, &n, pr)) == 1) {
		runs_update(rs, p, n);
		if (out != NULL && stream_write(out, p, n, pr) == -1) {
			r = -1;
			break;
		}
	}
	cms_content_close(&c);
	return r;
}

static int read_detached(struct reader *in, struct runs *rs, struct problem *pr)
{
	uint8_t *chunk = mem_raw(BER_WINDOW);
	uint64_t off = 0;
	int r = 0;

	while (r == 0 && off < in->size) {
		size_t n;

		r = stream_read_at(in, off, chunk, BER_WINDOW, &n, pr);
		if (r == 0)
			runs_update(rs, chunk, n);
		off += n;
	}
	mem_free_secret(chunk, BER_WINDOW);
	return r;
}

/* ---- one signer ---- */

static void refuse(struct cms_signer_facts *f, const char *why)
{
	snprintf(f->why, sizeof(f->why), "%s", why);
}

/* RFC 4055 3.1: the hash in the parameters, which is SHA-1 when they say nothing. NID_undef: malformed. */
static int pss_hash(const X509_ALGOR *sig)
{
	RSA_PSS_PARAMS *pss;
	const void *v;
	int type, nid = NID_undef;

	X509_ALGOR_get0(NULL, &type, &v, sig);
	if (type != V_ASN1_SEQUENCE)
		return type == V_ASN1_UNDEF ? NID_sha1 : NID_undef;
	pss = ASN1_item_unpack(v, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (pss != NULL)
		nid = pss->hashAlgorithm != NULL ? OBJ_obj2nid(pss->hashAlgorithm->algorithm) : NID_sha1;
	RSA_PSS_PARAMS_free(pss);
	return nid;
}

/* Names, and whether the algorithms are allowed and fit each other and the key, when there is one. */
static int check_algorithms(CMS_SignerInfo *si, struct cms_signer_facts *f)
{
	X509_ALGOR *dig, *sig;
	const ASN1_OBJECT *dig_obj, *sig_obj;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &dig, &sig);
	X509_ALGOR_get0(&dig_obj, NULL, NULL, dig);
	X509_ALGOR_get0(&sig_obj, NULL, NULL, sig);
	cms_alg_text(dig_obj, f->digest, sizeof(f->digest));
	cms_alg_text(sig_obj, f->sigalg, sizeof(f->sigalg));
	if (cms_alg_digest(OBJ_obj2nid(dig_obj)) == NULL) {
		snprintf(f->why, sizeof(f->why),
		    "signed with the digest %s, which is not accepted (SHA-256 or better is needed)", f->digest);
		return -1;
	}
	if (f->cert != NULL &&
	    !cms_alg_sig_fits(OBJ_obj2nid(sig_obj), OBJ_obj2nid(dig_obj), X509_get0_pubkey(f->cert))) {
		snprintf(f->why, sizeof(f->why),
		    "the signature algorithm %s does not fit the digest %s and the signer's key", f->sigalg,
		    f->digest);
		return -1;
	}
	if (OBJ_obj2nid(sig_obj) == NID_rsassaPss && pss_hash(sig) != OBJ_obj2nid(dig_obj)) {
		snprintf(f->why, sizeof(f->why),
		    "the parameters of RSASSA-PSS name another hash than %s (RFC 4056 3)", f->digest);
		return -1;
	}
	return 0;
}

static int check_key(struct cms_signer_facts *f)
{
	char text[PROBLEM_TEXT_MAX];
	struct problem weak;

	problem_clear(&weak);
	if (f->cert == NULL || cms_cert_sign_key_ok(f->cert, &weak) == 0)
		return 0;
	snprintf(f->why, sizeof(f->why), "%.*s", (int)sizeof(f->why) - 1, problem_clause(&weak, text));
	return -1;
}

/* What the signer says of its reader. Of a bad signature nothing is passed on. */
static void note_reader(
    CMS_SignerInfo *si, STACK_OF(X509) * certs, const ASN1_STRING *caps, struct cms_signer_facts *f)
{
	size_t n = caps != NULL ? (size_t)ASN1_STRING_length(caps) : 0;
	X509 *cert = cms_prefer_find(si, certs);

	if (n > 0 && n <= CMS_CAPS_DER_MAX) {
		f->caps = (uint8_t *)mem_dup(ASN1_STRING_get0_data(caps), n);
		f->ncaps = n;
	}
	if (cert != NULL && X509_up_ref(cert))
		f->enc_cert = cert;
}

/* DER of an OpenSSL object or string, in memory of our own. */
static void take_der(uint8_t **p_r, size_t *n_r, unsigned char *der, int n)
{
	if (n > 0) {
		*p_r = (uint8_t *)mem_dup(der, (size_t)n);
		*n_r = (size_t)n;
	}
	OPENSSL_free(der);
}

static void missing(CMS_SignerInfo *si, struct cms_signer_facts *f)
{
	ASN1_OCTET_STRING *ski = NULL;
	X509_NAME *issuer = NULL;
	ASN1_INTEGER *serial = NULL;
	unsigned char *der = NULL;
	int n;

	refuse(f, "the signer's certificate is not in the message");
	if (CMS_SignerInfo_get0_signer_id(si, &ski, &issuer, &serial) != 1)
		return;
	if (ski != NULL && ASN1_STRING_length(ski) > 0) {
		f->id.nski = (size_t)ASN1_STRING_length(ski);
		f->id.ski = (uint8_t *)mem_dup(ASN1_STRING_get0_data(ski), f->id.nski);
	}
	if (issuer != NULL && serial != NULL) {
		n = i2d_X509_NAME(issuer, &der);
		take_der(&f->id.issuer, &f->id.nissuer, der, n);
		der = NULL;
		n = i2d_ASN1_INTEGER(serial, &der);
		take_der(&f->id.serial, &f->id.nserial, der, n);
	}
	f->missing = f->id.nski > 0 || (f->id.nissuer > 0 && f->id.nserial > 0);
}

static void facts_clear(struct cms_signer_facts *f)
{
	X509_free(f->cert);
	X509_free(f->enc_cert);
	free(f->caps);
	free(f->id.issuer);
	free(f->id.serial);
	free(f->id.ski);
	memset(f, 0, sizeof(*f));
}

/*
 * RFC 8551 2.5: signatures without signed attributes are to be read as well; RFC 5652 5.3: of id-data alone. What is
 * signed may then not be the DER of somebody's signed attributes, which begins with the tag of a SET: else an honest
 * signature with attributes could be passed off as one over them. No line of a header begins so.
 */
static int check_bare(struct cms_outline *o, const struct runs *rs, bool eddsa, struct cms_signer_facts *f)
{
	const ASN1_OBJECT *type = CMS_get0_eContentType(cms_outline_openssl(o));

	if (eddsa)
		refuse(f, "the signature has no signed attributes, without which Ed25519 is not read (RFC 8419 3.2)");
	else if (type == NULL || OBJ_obj2nid(type) != NID_pkcs7_data)
		refuse(f, "the signature has no signed attributes, which content that is not data must have (RFC "
			  "5652 5.3)");
	else if (!rs->any || rs->first == (V_ASN1_SET | V_ASN1_CONSTRUCTED))
		refuse(f, "the signature has no signed attributes, and what is signed may be those of another one");
	else
		return 0;
	return -1;
}

/* RFC 5652 5.4, 5.6: over the content itself. */
static bool bare_fits(CMS_SignerInfo *si, const struct run *run)
{
	BIO *md = BIO_new(BIO_f_md());
	EVP_MD_CTX *ctx = NULL;
	bool ok;

	if (md == NULL || BIO_get_md_ctx(md, &ctx) != 1 || EVP_MD_CTX_copy_ex(ctx, run->ctx) != 1)
		log_fatal("cms: no memory for a digest");
	ok = CMS_SignerInfo_verify_content(si, md) == 1;
	BIO_free(md);
	return ok;
}

/* The digest, as the attributes say it; without them nothing says it but the signature. */
static int check_digest(const struct run *run, const ASN1_OCTET_STRING *said, struct cms_signer_facts *f)
{
	if (run != NULL &&
	    (said == NULL || ((unsigned int)ASN1_STRING_length(said) == run->len &&
				 CRYPTO_memcmp(ASN1_STRING_get0_data(said), run->value, run->len) == 0)))
		return 0;
	refuse(f, "the content was changed after it was signed (its digest differs)");
	f->changed = true;
	return -1;
}

/* With this certificate, or as far as it goes without one. */
static void check_signer(struct cms_outline *o, STACK_OF(X509) * certs, CMS_SignerInfo *si, struct runs *rs,
    X509 *cert, struct cms_signer_facts *f)
{
	bool bare = CMS_signed_get_attr_count(si) <= 0;
	struct cms_attr_facts attrs = {0};
	struct run *run = find_run(rs, digest_of(si));

	if (cert != NULL && X509_get0_pubkey(cert) != NULL && X509_up_ref(cert))
		f->cert = cert;
	if (check_algorithms(si, f) == -1 || check_key(f) == -1)
		return;
	if (bare ? check_bare(o, rs, cms_eddsa_is(si), f) == -1
		 : cms_attr_check(si, CMS_get0_eContentType(cms_outline_openssl(o)), f->cert, &attrs, f->why,
		       sizeof(f->why)) == -1)
		return;
	f->signing_time = attrs.signing_time;
	f->domain = attrs.domain;
	if (check_digest(run, attrs.digest, f) == -1)
		return;
	if (f->cert == NULL && cert != NULL) {
		refuse(f, "the key in the signer's certificate cannot be read");
		return;
	}
	if (f->cert == NULL) {
		missing(si, f);
		return;
	}
	if (bare && !bare_fits(si, run)) {
		refuse(f, "the content was changed after it was signed, or the signature does not belong to the "
			  "signer's key "
			  "(without signed attributes that cannot be told apart)");
		return;
	}
	if (!bare &&
	    (cms_eddsa_is(si) ? !cms_eddsa_fits(si, X509_get0_pubkey(cert)) : CMS_SignerInfo_verify(si) != 1)) {
		refuse(f, "the signature does not belong to the signer's key, or was damaged");
		return;
	}
	f->ok = true;
	note_reader(si, certs, attrs.caps, f);
}

/* The certificate inside, else those known beforehand that the signer names, until one is right. */
static void find_signer(struct cms_outline *o, const struct known *known, STACK_OF(X509) * certs, CMS_SignerInfo *si,
    struct runs *rs, struct cms_signer_facts *f)
{
	X509 *cert = NULL;

	CMS_SignerInfo_get0_algs(si, NULL, &cert, NULL, NULL);
	for (size_t i = 0; cert == NULL && i < known->n && !f->ok; i++) {
		if (CMS_SignerInfo_cert_cmp(si, known->v[i]) != 0)
			continue;
		facts_clear(f);
		CMS_SignerInfo_set1_signer_cert(si, known->v[i]);
		check_signer(o, certs, si, rs, known->v[i], f);
		f->known = true;
	}
	if (!f->known)
		check_signer(o, certs, si, rs, cert, f);
}

/* All certificates inside that can be parsed; a broken one only hurts who signed with it. */
static STACK_OF(X509) * read_certs(const struct cms_skeleton *sk)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	if (certs == NULL)
		log_fatal("cms: no memory for certificates");
	for (size_t i = 0; i < sk->certs; i++) {
		X509 *cert = cms_cache_cert(sk->certs_der.p + sk->parts[i].off, sk->parts[i].len);

		if (cert != NULL && !sk_X509_push(certs, cert))
			log_fatal("cms: no memory for certificates");
	}
	return certs;
}

static void judge_all(struct cms_outline *o, const struct known *known, struct runs *rs, struct cms_verdict *v)
{
	CMS_ContentInfo *cms = cms_outline_openssl(o);
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	int n = sk_CMS_SignerInfo_num(infos);

	v->certs = read_certs(cms_outline_skeleton(o));
	(void)CMS_set1_signers_certs(cms, v->certs, CMS_NOINTERN);
	v->signers = mem_new((size_t)n * sizeof(v->signers[0]));
	v->nsigners = (size_t)n;
	for (int i = 0; i < n; i++)
		find_signer(o, known, v->certs, sk_CMS_SignerInfo_value(infos, i), rs, &v->signers[i]);
	ERR_clear_error();
}

static int check_shape(struct cms_outline *o, const struct reader *detached, struct problem *pr)
{
	if (cms_outline_kind(o) != CMS_KIND_SIGNED)
		return problem_perm(pr, "The message is not a signed one.");
	if (cms_outline_check(o, pr) == -1)
		return -1;
	if (detached != NULL && cms_outline_has_content(o))
		return problem_perm(
		    pr, "The signature of a multipart/signed carries a content of its own (RFC 8551 3.5.3.1).");
	if (detached == NULL && !cms_outline_has_content(o))
		return problem_perm(pr, "The signed message carries no content.");
	return 0;
}

int cms_verify(
    struct cms_outline *o, struct reader *detached, struct writer *out, struct cms_verdict *v_r, struct problem *pr)
{
	return cms_verify_known(o, NULL, 0, detached, out, v_r, pr);
}

int cms_verify_known(struct cms_outline *o, X509 *const *list, size_t n, struct reader *detached, struct writer *out,
    struct cms_verdict *v_r, struct problem *pr)
{
	const struct known known = {list, n};
	struct runs rs;
	int r;

	memset(v_r, 0, sizeof(*v_r));
	if (check_shape(o, detached, pr) == -1)
		return -1;
	ERR_clear_error();
	runs_init(&rs, CMS_get0_SignerInfos(cms_outline_openssl(o)));
	r = detached != NULL ? read_detached(detached, &rs, pr) : read_inside(o, &rs, out, pr);
	if (r == 0) {
		runs_final(&rs);
		judge_all(o, &known, &rs, v_r);
	}
	runs_clear(&rs);
	return r;
}

void cms_verdict_clear(struct cms_verdict *v)
{
	for (size_t i = 0; i < v->nsigners; i++)
		facts_clear(&v->signers[i]);
	free(v->signers);
	sk_X509_pop_free(v->certs, X509_free);
	memset(v, 0, sizeof(*v));
}
