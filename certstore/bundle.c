/*
 * Trust bundles. Judge; pure over octets, OpenSSL. DIRECT.md "Which certificate counts".
 *
 * The certificates beside a signature are those of its signer and prove nothing: the anchors of a signed bundle are
 * those inside what was signed.
 */
#include "certstore/bundle.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <string.h>

#include "certstore/cert.h"

static int refuse(struct problem *pr, const char *why)
{
	ERR_clear_error();
	return problem_set(pr, PROBLEM_PERM, 0, "", "", "%s", why);
}

/* NULL: no SignedData in DER or BER of exactly these octets. */
static CMS_ContentInfo *decode(const void *p, size_t n)
{
	const unsigned char *at = p;
	CMS_ContentInfo *c = n > 0 && n <= CERT_FILE_MAX ? d2i_CMS_ContentInfo(NULL, &at, (long)n) : NULL;

	ERR_clear_error();
	if (c && at == (const unsigned char *)p + n && OBJ_obj2nid(CMS_get0_type(c)) == NID_pkcs7_signed)
		return c;
	CMS_ContentInfo_free(c);
	return NULL;
}

static bool weak(CMS_ContentInfo *c)
{
	STACK_OF(CMS_SignerInfo) *all = CMS_get0_SignerInfos(c);

	for (int i = 0; i < sk_CMS_SignerInfo_num(all); i++) {
		X509_ALGOR *digest = NULL;
		const ASN1_OBJECT *o = NULL;
		int nid;

		CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(all, i), NULL, NULL, &digest, NULL);
		X509_ALGOR_get0(&o, NULL, NULL, digest);
		nid = OBJ_obj2nid(o);
		if (nid != NID_sha256 && nid != NID_sha384 && nid != NID_sha512)
			return true;
	}
	return false;
}

static int check_signer(X509 *signer, int64_t at, struct problem *pr)
{
	struct cert_facts f;
	char words[300];

	cert_facts(signer, &f);
	if (!f.weak && f.not_before <= at && at < f.not_after)
		return 0;
	return problem_set(pr, PROBLEM_PERM, 0, "", "",
	    "the certificate that must have signed it cannot be used: %s%s%s", cert_words(&f, words, sizeof words),
	    f.weak ? ", " : "", f.weak_why);
}

/* The content, once the signature of exactly this certificate holds. NULL with pr. */
static BIO *open_signed(CMS_ContentInfo *c, X509 *signer, struct problem *pr)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *out = BIO_new(BIO_s_mem());
	const char *why = NULL;

	if (!certs || !out || !sk_X509_push(certs, signer))
		why = "out of memory";
	else if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(c)) < 1)
		why = "it is not signed, and a signer is set for it";
	else if (weak(c))
		why = "it is signed with a digest that proves nothing (SHA-256 or better is needed)";
	else if (CMS_verify(c, certs, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN | CMS_BINARY) != 1)
		why = "it is signed by somebody else than the signer that is set for it, or was changed afterwards";
	sk_X509_free(certs);
	if (!why)
		return out;
	(void)refuse(pr, why);
	BIO_free(out);
	return NULL;
}

static int read_certs(const void *p, size_t n, X509 **list, size_t max, struct problem *pr)
{
	static const char other[] = "this is not a certificate";
	int rc = cert_read_any(p, n, list, max, pr);

	if (rc < 0 && strncmp(pr->text, other, sizeof other - 1) == 0)
		return refuse(pr,
		    "this is no trust bundle that can be read: certificates in PKCS#7 (.p7b, .p7m), PEM or DER are "
		    "expected");
	return rc;
}

static int read_signed(CMS_ContentInfo *c, X509 *signer, int64_t at, X509 **list, size_t max, struct problem *pr)
{
	BIO *content;
	char *p = NULL;
	long n;
	int rc;

	if (check_signer(signer, at, pr) < 0)
		return -1;
	content = open_signed(c, signer, pr);
	if (!content)
		return -1;
	n = BIO_get_mem_data(content, &p);
	rc = n > 0 ? read_certs(p, (size_t)n, list, max, pr) : refuse(pr, "there is nothing in it");
	BIO_free(content);
	return rc;
}

int bundle_read(const void *p, size_t n, X509 *signer, int64_t at, X509 **list, size_t max, struct problem *pr)
{
	CMS_ContentInfo *c = decode(p, n);
	int rc;

	if (signer && !c)
		rc = refuse(pr, "it is not signed (no CMS signed-data), and a signer is set for it");
	else if (signer)
		rc = read_signed(c, signer, at, list, max, pr);
	else if (c && sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(c)) > 0)
		rc = refuse(pr,
		    "it is signed, and no signer is set for it: set one (--signer), or nobody looks at the "
		    "signature");
	else
		rc = read_certs(p, n, list, max, pr);
	CMS_ContentInfo_free(c);
	ERR_clear_error();
	return rc;
}
