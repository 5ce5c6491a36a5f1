#include "interop/kit/countersign.h"

#include <limits.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define MESSAGE_MAX (16 * 1024 * 1024)
#define LAYERS_MAX 8
#define CERTS_MAX 64
#define PEM_MAX (256 * 1024)

void countersign_mail(
    const char *from, const char *to, const char *run_id, const char *manifest_sha256, struct buf *out)
{
	buf_addf(out, "From: <%s>\r\nTo: <%s>\r\nSubject: Countersign run %s\r\n %s\r\nDate: ", from, to, run_id,
	    manifest_sha256);
	time_add_rfc5322(out, time(NULL));
	buf_addf(out,
	    "\r\nMessage-ID: <%.16s.%lld@%s>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n\r\n"
	    "This gateway took part in the test run below. Its signature on this\r\n"
	    "message says that it was there; the report names what was found.\r\n\r\n"
	    "run: %s\r\nmanifest-sha256:\r\n%s\r\n",
	    run_id, (long long)now_ms(), strchr(from, '@') ? strchr(from, '@') + 1 : "kit.invalid", run_id,
	    manifest_sha256);
}

static STACK_OF(X509) * certificates_of(const struct buf *text, const char *path, struct buf *why)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	BIO *b = NULL;
	X509 *c;

	if (!all)
		die("out of memory");
	if (text->n <= PEM_MAX)
		b = BIO_new_mem_buf(text->p, (int)text->n);
	while (b && sk_X509_num(all) < CERTS_MAX && (c = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		sk_X509_push(all, c);
	if (b && sk_X509_num(all) == 0) {
		const unsigned char *p = (const unsigned char *)text->p;

		c = d2i_X509(NULL, &p, (long)text->n);
		if (c)
			sk_X509_push(all, c);
	}
	BIO_free(b);
	ERR_clear_error();
	if (sk_X509_num(all) > 0)
		return all;
	fail(why, "%s holds no certificate", path);
	sk_X509_free(all);
	return NULL;
}

STACK_OF(X509) * certificates_read(const char *path, struct buf *why)
{
	struct buf text = {0};
	STACK_OF(X509) *all = file_read(path, &text, why) < 0 ? NULL : certificates_of(&text, path, why);

	buf_free(&text);
	return all;
}

STACK_OF(X509) * certificates_read_plain(const char *path, struct buf *why)
{
	struct buf text = {0};
	STACK_OF(X509) *all =
	    file_read_plain(path, PEM_MAX, &text, why) < 0 ? NULL : certificates_of(&text, path, why);

	buf_free(&text);
	return all;
}

void certificates_free(STACK_OF(X509) * certs)
{
	sk_X509_pop_free(certs, X509_free);
}

static int no_password(char *p, int size, int writing, void *arg)
{
	(void)p, (void)size, (void)writing, (void)arg;
	return -1;
}

int opener_read(const char *path, struct opener *o, struct buf *why)
{
	struct buf text = {0};
	BIO *b;

	*o = (struct opener){0};
	if (file_read_plain(path, PEM_MAX, &text, why) < 0) {
		buf_free(&text);
		return -1;
	}
	b = BIO_new_mem_buf(text.p, (int)text.n);
	o->cert = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	if (b)
		(void)BIO_reset(b);
	o->key = b ? PEM_read_bio_PrivateKey(b, NULL, no_password, NULL) : NULL;
	BIO_free(b);
	buf_free(&text);
	ERR_clear_error();
	if (o->cert && o->key && X509_check_private_key(o->cert, o->key) == 1)
		return 0;
	opener_clear(o);
	return fail(why, "%s does not hold a certificate and its key", path);
}

void opener_clear(struct opener *o)
{
	X509_free(o->cert);
	EVP_PKEY_free(o->key);
	*o = (struct opener){0};
}

static void take(BIO *from, struct buf *out)
{
	char *p = NULL;
	long n = BIO_get_mem_data(from, &p);

	buf_clear(out);
	if (n > 0)
		buf_add(out, p, (size_t)n);
}

static int open_sealed(CMS_ContentInfo *cms, struct opener *o, BIO *out, struct buf *why)
{
	if (!o || !o->key)
		return fail(why, "it is sealed, and nothing is here that opens it");
	o->used = true;
	if (CMS_decrypt(cms, o->key, o->cert, NULL, out, CMS_BINARY) == 1)
		return 0;
	return fail(why, "it is sealed, and the key of the kit's domain does not open it");
}

/* The certificate among the gateway's that the only SignerInfo names, once its signature was verified. */
static X509 *verify_signed(CMS_ContentInfo *cms, BIO *detached, STACK_OF(X509) * gateway, BIO *out, struct buf *why)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	int flags = CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY;

	if (sk_CMS_SignerInfo_num(infos) != 1) {
		fail(why, "its signature does not have one signer");
		return NULL;
	}
	for (int i = 0; i < sk_X509_num(gateway); i++) {
		if (CMS_SignerInfo_cert_cmp(sk_CMS_SignerInfo_value(infos, 0), sk_X509_value(gateway, i)) != 0)
			continue;
		if (CMS_verify(cms, gateway, NULL, detached, out, flags) == 1)
			return sk_X509_value(gateway, i);
		fail(why, "its signature does not fit its content");
		return NULL;
	}
	fail(why, "it is signed by a certificate that is not the gateway's");
	return NULL;
}

struct reading {
	struct opener *opener;
	STACK_OF(X509) * gateway;
	X509 *signer; /* of the first signature from outside */
	struct buf *opened;
};

/* One layer: text becomes what is inside it. 1: there was one, 0: no S/MIME (any more), -1: why. */
static int peel(struct reading *r, struct buf *text, struct buf *why)
{
	BIO *in = BIO_new_mem_buf(text->p, (int)text->n), *out = BIO_new(BIO_s_mem()), *detached = NULL;
	CMS_ContentInfo *cms = in ? SMIME_read_CMS(in, &detached) : NULL;
	int kind = cms ? OBJ_obj2nid(CMS_get0_type(cms)) : NID_undef, rc = 0;

	if (kind == NID_pkcs7_enveloped || kind == NID_id_smime_ct_authEnvelopedData) {
		rc = open_sealed(cms, r->opener, out, why) < 0 ? -1 : 1;
		if (rc == 1)
			take(out, text);
		if (rc == 1 && !r->signer && r->opened) {
			buf_clear(r->opened);
			buf_add(r->opened, text->p, text->n);
		}
	} else if (kind == NID_pkcs7_signed) {
		X509 *signer = verify_signed(cms, detached, r->gateway, out, why);

		rc = signer ? 1 : -1;
		if (signer) {
			take(out, text);
			r->signer = r->signer ? r->signer : signer;
		}
	} else if (cms) {
		rc = fail(why, "it is of an S/MIME type that is not read here");
	}
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	BIO_free(detached);
	ERR_clear_error();
	return rc;
}

static bool holds_both(const char *p, size_t n, const char *a, const char *b)
{
	return octets_find(p, n, a) && octets_find(p, n, b);
}

/* The text as it stands, or with the transfer encoding of its only part taken off (digits and letters are themselves
 * in quoted-printable, so joining its lines will do). */
static bool names_both(const struct buf *text, const char *a, const char *b)
{
	struct buf plain = {0};
	const char *body = octets_find(text->p, text->n, "\r\n\r\n"), *alone = octets_find(text->p, text->n, "\n\n");
	bool found = holds_both(text->p, text->n, a, b);

	if (!body || (alone && alone < body))
		body = alone;
	for (size_t i = 0; !found && i < text->n; i++) {
		if (text->p[i] == '=' && i + 1 < text->n && text->p[i + 1] == '\n')
			i++;
		else if (text->p[i] == '=' && i + 2 < text->n && text->p[i + 1] == '\r' && text->p[i + 2] == '\n')
			i += 2;
		else
			buf_add(&plain, text->p + i, 1);
	}
	found = found || (plain.p && holds_both(plain.p, plain.n, a, b));
	buf_clear(&plain);
	if (!found && body && base64_read(body, text->n - (size_t)(body - text->p), &plain) == 0 && plain.p)
		found = holds_both(plain.p, plain.n, a, b);
	buf_free(&plain);
	return found;
}

int countersign_read(const void *octets, size_t n, struct opener *o, STACK_OF(X509) * gateway, const char *run_id,
    const char *manifest_sha256, struct buf *opened, X509 **signer, struct buf *why)
{
	struct reading r = {.opener = o, .gateway = gateway, .opened = opened};
	struct buf text = {0};
	int rc = 1;

	if (n > MESSAGE_MAX)
		return fail(why, "it is larger than 16 MiB");
	buf_add(&text, octets, n);
	if (opened) {
		buf_clear(opened);
		buf_add(opened, octets, n);
	}
	for (int layer = 0; rc == 1; layer++)
		rc = layer < LAYERS_MAX ? peel(&r, &text, why) : fail(why, "it has more than %d layers", LAYERS_MAX);
	if (rc == 0 && !r.signer)
		rc = fail(why, "it is not signed");
	else if (rc == 0 && (!text.p || !names_both(&text, run_id, manifest_sha256)))
		rc = fail(why, "what is signed does not name this run and the SHA-256 of its manifest");
	if (rc == 0 && signer) {
		X509_up_ref(r.signer);
		*signer = r.signer;
	}
	buf_free(&text);
	return rc;
}
