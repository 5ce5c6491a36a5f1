#include "gateway/pipeline/seal.h"

#include <openssl/rand.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/cms/base64.h"
#include "gateway/mail/authres.h"
#include "gateway/mail/protect.h"
#include "gateway/pipeline/wrap.h"

/* Content that has to be put into 7 bits is held in memory: larger is refused for treatment `sign`. */
enum { SEVENBIT_MAX = 64 * 1024 * 1024 };

static int put(struct work *w, struct writer *out, const struct buf *b)
{
	return stream_write(out, b->p, b->len, &w->res->pr);
}

static int too_large(struct work *w)
{
	return problem_set(&w->res->pr, PROBLEM_PERM, 552, "5.3.4", "", "the header of the message is too large");
}

/* Our signing identity of the sender's domain, its key in the keeper. s->chain is freed by the caller (stack only).
 */
static int signer_of(const struct seal *se, struct cms_signer *s)
{
	static const char *const digests[] = {[FORMAT_DIGEST_AUTO] = NULL,
	    [FORMAT_SHA256] = "SHA256",
	    [FORMAT_SHA384] = "SHA384",
	    [FORMAT_SHA512] = "SHA512"};
	struct work *w = se->w;
	const struct judge_verdict *v = se->v;

	memset(s, 0, sizeof(*s));
	if (!v->have_signer)
		return problem_policy(&w->res->pr, "no signing certificate for the sender: %s", v->signer_why);
	s->cert = cache_cert(w->cache, &v->sign_cert, &w->res->pr);
	if (s->cert == NULL)
		return -1;
	s->key = cache_key(w->cache, v->sign_key, s->cert, &w->res->pr);
	if (s->key == NULL)
		return -1;
	s->chain = cache_chain(w->cache, &v->sign_chain);
	s->domain = v->sign_domain;
	s->digest = digests[v->format.digest];
	s->pss = v->format.pss;
	s->ski = v->format.ski;
	return 0;
}

static X509 *our_enc_cert(struct work *w, const struct judge_verdict *v)
{
	return v->enc_cert.n == 0 ? NULL : cache_cert(w->cache, &v->enc_cert, NULL);
}

/* ---- the two forms of a signed entity; each writes its Content-* fields, an empty line and the rest ---- */

/* The fields, then base64 of the SignedData around the entity. */
static int opaque(const struct seal *se, struct reader *entity, struct writer *to)
{
	struct work *w = se->w;
	struct cms_signer s;
	struct base64_enc b64;
	struct buf fields;
	int err = -1;

	buf_init(&fields, 1024);
	if (signer_of(se, &s) != 0)
		goto out;
	if (entity_smime_inner("signed-data", &fields) != 0 || put(w, to, &fields) != 0)
		goto out;
	base64_enc_init(&b64, to);
	if (cms_sign(entity, &s, our_enc_cert(w, se->v), &b64.writer, &w->res->pr) != 0)
		goto out;
	err = base64_enc_end(&b64, &w->res->pr);
out:
	sk_X509_free(s.chain);
	buf_clear(&fields);
	return err;
}

static void boundary(char out[48])
{
	uint8_t r[18];

	if (RAND_bytes(r, sizeof(r)) != 1)
		log_fatal("no random octets");
	memcpy(out, "=_postern_", 10);
	encode_b64url(r, sizeof(r), out + 10);
}

static int signed_parts(
    struct work *w, const char *micalg, struct reader *entity, const struct buf *sig, struct writer *to)
{
	struct buf t;
	struct base64_enc b64;
	char b[48];
	int err = -1;

	boundary(b);
	buf_init(&t, 4096);
	if (buf_addf(&t,
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
		"\tmicalg=%s; boundary=\"%s\"\r\n\r\n--%s\r\n",
		micalg, b, b) != 0 ||
	    put(w, to, &t) != 0 || stream_copy(entity, 0, entity->size, to, &w->res->pr) != 0)
		goto out;
	buf_reset(&t);
	if (buf_addf(&t,
		"\r\n--%s\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
		"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; "
		"filename=\"smime.p7s\"\r\n\r\n",
		b) != 0 ||
	    put(w, to, &t) != 0)
		goto out;
	base64_enc_init(&b64, to);
	if (stream_write(&b64.writer, sig->p, sig->len, &w->res->pr) != 0 || base64_enc_end(&b64, &w->res->pr) != 0)
		goto out;
	buf_reset(&t);
	if (buf_addf(&t, "--%s--\r\n", b) == 0)
		err = put(w, to, &t);
out:
	buf_clear(&t);
	return err;
}

/* multipart/signed (RFC 8551 3.5.3) around an entity that is in 7 bits: it is read twice. */
static int multipart(const struct seal *se, struct reader *entity, struct writer *to)
{
	struct work *w = se->w;
	struct cms_signer s;
	struct stream_buf sb;
	struct buf sig;
	const char *micalg;
	int err = -1;

	buf_init(&sig, 1024 * 1024);
	stream_buf_init(&sb, &sig);
	if (signer_of(se, &s) == 0 &&
	    cms_sign_detached(entity, &s, our_enc_cert(w, se->v), &sb.writer, &micalg, &w->res->pr) == 0)
		err = signed_parts(w, micalg, entity, &sig, to);
	sk_X509_free(s.chain);
	buf_clear(&sig);
	return err;
}

/* ---- what is signed: header fields and body, put together by wrap.c ---- */

static enum format_signed form_of(const struct seal *se)
{
	const struct format *f = &se->v->format;

	return (enum format_signed)(se->sealed ? f->inside : se->w->kind.delicate ? f->calendar : f->alone);
}

static bool is_bare(const struct seal *se)
{
	return se->sealed && se->v->format.bare;
}

/* An entity that others may look at is put into 7 bits first, so that no relay has a reason to touch it; it lies in
 * scratch B meanwhile. */
static int sign_content(const struct seal *se, struct writer *to)
{
	struct work *w = se->w;
	struct wrap x;
	int err;

	w->statement = se->v->statement;
	err = wrap_init(&x, w, &se->v->format, se->sealed ? WRAP_SEALED : WRAP_SIGNED);

	if (err == 0 && form_of(se) == FORMAT_OPAQUE)
		err = opaque(se, wrap_reader(&x), to);
	else if (err == 0 && (err = wrap_seven(&x, w, SEVENBIT_MAX)) == 0)
		err = multipart(se, wrap_reader(&x), to);
	wrap_clear(&x);
	return err;
}

/* The entity as it is, for who reads what is encrypted and nothing signed. */
static int bare_content(const struct seal *se, struct writer *to)
{
	struct work *w = se->w;
	struct wrap x;
	int err;

	w->statement = ""; /* nobody could believe it */
	err = wrap_init(&x, w, &se->v->format, WRAP_SEALED);
	if (err == 0)
		err = stream_copy(wrap_reader(&x), 0, wrap_reader(&x)->size, to, &w->res->pr);
	wrap_clear(&x);
	return err;
}

/* The signed entity: as it was made before, or made now, in one pass with what comes after it. */
static int content(const struct seal *se, struct writer *to)
{
	if (is_bare(se))
		return bare_content(se, to);
	return se->ready ? stream_copy(se->ready, 0, se->ready->size, to, &se->w->res->pr) : sign_content(se, to);
}

int seal_prepare(struct seal *se)
{
	struct work *w = se->w;
	struct spool *kept = work_scratch(w, 0);

	if (sign_content(se, spool_writer(kept)) != 0 || spool_finish(kept, &w->res->pr) != 0)
		return -1;
	se->ready = spool_reader(kept);
	return 0;
}

static bool same_octets(const struct judge_octets *a, const struct judge_octets *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

bool seal_same(const struct seal *a, const struct seal *b)
{
	const struct judge_verdict *va = a->v, *vb = b->v;
	const struct format *fa = &va->format, *fb = &vb->format;

	if (!va->have_signer || !vb->have_signer || strcmp(va->sign_key, vb->sign_key) != 0 ||
	    va->sign_domain != vb->sign_domain || strcmp(va->statement, vb->statement) != 0 ||
	    !same_octets(&va->sign_cert, &vb->sign_cert) || !same_octets(&va->sign_chain, &vb->sign_chain) ||
	    !same_octets(&va->enc_cert, &vb->enc_cert))
		return false;
	if (is_bare(a) || is_bare(b) || form_of(a) != form_of(b) || fa->digest != fb->digest || fa->pss != fb->pss ||
	    fa->ski != fb->ski || fa->wrap != fb->wrap)
		return false;
	/* what is protected says whether it is encrypted, and what of it stands outside */
	return fa->wrap == FORMAT_WRAP_NONE ||
	       (a->sealed == b->sealed && fa->subject_outside == fb->subject_outside &&
		   fa->legacy_display == fb->legacy_display);
}

/* ---- encryption ---- */

/* All certificates of the verdict belong to one partner, so that nobody learns of another by them. A domain key
 * serves all people behind it. */
static struct cms_enc *encryption(const struct seal *se, struct writer *out)
{
	struct work *w = se->w;
	const struct judge_verdict *v = se->v;
	struct cms_recipient rc[JUDGE_CERTS_MAX];

	if (v->nrcpt_certs == 0) {
		problem_policy(&w->res->pr, "there is no certificate to encrypt to: %s", v->cert_why);
		return NULL;
	}
	for (size_t i = 0; i < v->nrcpt_certs; i++) {
		memset(&rc[i], 0, sizeof(rc[i]));
		rc[i].cert = cache_cert(w->cache, &v->rcpt_certs[i], &w->res->pr);
		if (rc[i].cert == NULL)
			return NULL;
		rc[i].mode = (enum cms_keymode)v->format.keymode;
		rc[i].ski = v->format.ski;
	}
	return cms_enc_new(rc, v->nrcpt_certs, (enum cms_cipher)v->format.cipher, out, &w->res->pr);
}

/* RFC 8551 3.2.2: what is inside has its own word, since old readers know but one of them. */
static const char *enveloped_type(const struct format *f)
{
	return f->cipher == CMS_AES_128_GCM || f->cipher == CMS_AES_192_GCM || f->cipher == CMS_AES_256_GCM
		   ? "authEnveloped-data"
		   : "enveloped-data";
}

/* The fields, then base64 of the signed entity encrypted: entity -> sign -> base64 -> encrypt -> base64 -> output,
 * in one pass. */
static int enveloped(const struct seal *se, struct writer *out)
{
	struct work *w = se->w;
	struct base64_enc b64;
	struct cms_enc *enc = NULL;
	struct buf fields;
	int err = -1;

	buf_init(&fields, 1024);
	if (entity_smime_inner(enveloped_type(&se->v->format), &fields) != 0 || put(w, out, &fields) != 0)
		goto out;
	base64_enc_init(&b64, out);
	enc = encryption(se, &b64.writer);
	if (enc == NULL || content(se, cms_enc_writer(enc)) != 0)
		goto out;
	err = cms_enc_end(enc, &w->res->pr);
	enc = NULL;
	if (err == 0)
		err = base64_enc_end(&b64, &w->res->pr);
out:
	cms_enc_free(enc);
	buf_clear(&fields);
	return err;
}

/* RFC 2634 1.1: signed, encrypted, and signed again, so that a relay without the key can see who sent it. The outer
 * signature is in the form of mail that is signed alone. */
static int triple(struct seal *se, struct writer *out)
{
	struct work *w = se->w;
	struct spool *mid;

	/* a multipart inside needs scratch B while it is made, and the encrypted entity then lies there */
	if (se->ready == NULL && seal_prepare(se) != 0)
		return -1;
	mid = work_scratch(w, 1);
	if (enveloped(se, spool_writer(mid)) != 0 || spool_finish(mid, &w->res->pr) != 0)
		return -1;
	return se->v->format.alone == FORMAT_OPAQUE ? opaque(se, spool_reader(mid), out)
						    : multipart(se, spool_reader(mid), out);
}

int seal_write(struct seal *se, struct writer *out)
{
	struct work *w = se->w;

	if (buf_adds(&w->front, "MIME-Version: 1.0\r\n") != 0)
		return too_large(w);
	if (put(w, out, &w->front) != 0)
		return -1;
	if (!se->sealed)
		return content(se, out);
	return se->v->format.triple && !is_bare(se) ? triple(se, out) : enveloped(se, out);
}

/* Our own people believe our verdict fields, so nobody inside may write them either (RFC 8601 5). */
static bool stays_plain(const struct work *w, const struct judge_verdict *v, const struct header_field *f)
{
	return protect_kind(f) != PROTECT_SECRET && !(v->own_domain && authres_is_forged(f, w->rq->authserv_id));
}

/* Clear mail keeps its Content-* fields where they stood: only Bcc goes, only the trace comes. */
int seal_write_plain(struct work *w, const struct judge_verdict *v, struct job_output *o, struct writer *out)
{
	const struct header *h = &w->msg.header;
	struct reader *r = spool_reader(w->in);
	struct entity_octets seen;
	int err;

	buf_reset(&w->front);
	if (buf_adds(&w->front, w->rq->trace) != 0)
		return too_large(w);
	for (size_t i = 0; i < h->n; i++)
		if (stays_plain(w, v, &h->f[i]) && buf_add(&w->front, h->f[i].raw, h->f[i].raw_len) != 0)
			return too_large(w);
	if (buf_adds(&w->front, "\r\n") != 0)
		return too_large(w);
	entity_octets_init(&seen, out);
	err = put(w, &seen.writer, &w->front);
	if (err == 0)
		err = stream_copy(r, w->msg.body_off, w->msg.body_len, &seen.writer, &w->res->pr);
	o->eight_bit = seen.eight_bit;
	return err;
}
