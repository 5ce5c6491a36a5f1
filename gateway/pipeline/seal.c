#include "gateway/pipeline/seal.h"

#include <openssl/rand.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/cms/base64.h"
#include "gateway/mail/authres.h"
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
static int signer_of(struct work *w, const struct judge_verdict *v, struct cms_signer *s)
{
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
	return 0;
}

static X509 *our_enc_cert(struct work *w, const struct judge_verdict *v)
{
	return v->enc_cert.n == 0 ? NULL : cache_cert(w->cache, &v->enc_cert, NULL);
}

/* Signed entity into `to`: fields, then base64 of the SignedData around the entity. */
static int signed_entity(struct work *w, const struct judge_verdict *v, struct reader *entity, struct writer *to)
{
	struct cms_signer s;
	struct base64_enc b64;
	struct buf fields;
	int err = -1;

	buf_init(&fields, 1024);
	if (signer_of(w, v, &s) != 0)
		goto out;
	if (entity_smime_inner("signed-data", &fields) != 0 || put(w, to, &fields) != 0)
		goto out;
	base64_enc_init(&b64, to);
	if (cms_sign(entity, &s, our_enc_cert(w, v), &b64.writer, &w->res->pr) != 0)
		goto out;
	err = base64_enc_end(&b64, &w->res->pr);
out:
	sk_X509_free(s.chain);
	buf_clear(&fields);
	return err;
}

/* The recipient's certificates were judged; the first (best) one is used. A domain key serves all people behind it.
 */
static struct cms_enc *encryption(struct work *w, const struct judge_verdict *v, struct writer *out)
{
	struct cms_recipient rc = {0};

	if (v->nrcpt_certs == 0) {
		problem_policy(&w->res->pr, "there is no certificate to encrypt to: %s", v->cert_why);
		return NULL;
	}
	rc.cert = cache_cert(w->cache, &v->rcpt_certs[0], &w->res->pr);
	if (rc.cert == NULL)
		return NULL;
	rc.mode = (enum cms_keymode)v->format.keymode;
	return cms_enc_new(&rc, 1, (enum cms_cipher)v->format.cipher, out, &w->res->pr);
}

/* Everything flows in one pass: entity -> sign -> base64 -> encrypt -> base64 -> output. Nothing is kept. */
int seal_write(struct work *w, const struct judge_verdict *v, struct writer *out)
{
	struct wrap x;
	struct base64_enc b64;
	struct cms_enc *enc = NULL;
	int err = -1;

	if (wrap_init(&x, w, &v->format, WRAP_SEALED) != 0)
		goto out;
	if (entity_smime_fields("enveloped-data", &w->front) != 0) {
		too_large(w);
		goto out;
	}
	if (put(w, out, &w->front) != 0)
		goto out;
	base64_enc_init(&b64, out);
	enc = encryption(w, v, &b64.writer);
	if (enc == NULL)
		goto out;
	if (signed_entity(w, v, wrap_reader(&x), cms_enc_writer(enc)) != 0)
		goto out;
	err = cms_enc_end(enc, &w->res->pr);
	enc = NULL;
	if (err == 0)
		err = base64_enc_end(&b64, &w->res->pr);
out:
	cms_enc_free(enc);
	wrap_clear(&x);
	return err;
}

static int boundary(char out[48])
{
	uint8_t r[18];

	if (RAND_bytes(r, sizeof(r)) != 1)
		log_fatal("no random octets");
	memcpy(out, "=_postern_", 10);
	encode_b64url(r, sizeof(r), out + 10);
	return 0;
}

static int signed_parts(
    struct work *w, const char *b, const char *micalg, struct reader *body, const struct buf *sig, struct writer *out)
{
	struct buf t;
	struct base64_enc b64;
	int err = -1;

	buf_init(&t, 4096);
	if (buf_addf(&w->front,
		"MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
		"\tmicalg=%s; boundary=\"%s\"\r\n\r\n--%s\r\n",
		micalg, b, b) != 0 ||
	    buf_addf(&t,
		"\r\n--%s\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
		"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; "
		"filename=\"smime.p7s\"\r\n\r\n",
		b) != 0) {
		too_large(w);
		goto out;
	}
	if (put(w, out, &w->front) != 0 || stream_copy(body, 0, body->size, out, &w->res->pr) != 0 ||
	    put(w, out, &t) != 0)
		goto out;
	base64_enc_init(&b64, out);
	if (stream_write(&b64.writer, sig->p, sig->len, &w->res->pr) != 0 || base64_enc_end(&b64, &w->res->pr) != 0)
		goto out;
	buf_reset(&t);
	if (buf_addf(&t, "--%s--\r\n", b) != 0)
		goto out;
	err = put(w, out, &t);
out:
	buf_clear(&t);
	return err;
}

/* multipart/signed (RFC 8551 3.5.3): the entity is put into 7 bits first, so that no relay has a reason to touch it;
 * it lies in scratch B meanwhile. */
int seal_write_signed(struct work *w, const struct judge_verdict *v, struct writer *out)
{
	struct wrap x;
	struct cms_signer s = {0};
	struct stream_buf sb;
	struct buf sig;
	char b[48];
	const char *micalg = "sha-256";
	int err = -1;

	buf_init(&sig, 1024 * 1024);
	stream_buf_init(&sb, &sig);
	if (wrap_init(&x, w, &v->format, WRAP_SIGNED) != 0 || wrap_seven(&x, w, SEVENBIT_MAX) != 0 ||
	    signer_of(w, v, &s) != 0)
		goto out;
	if (cms_sign_detached(wrap_reader(&x), &s, our_enc_cert(w, v), &sb.writer, &micalg, &w->res->pr) != 0)
		goto out;
	boundary(b);
	err = signed_parts(w, b, micalg, wrap_reader(&x), &sig, out);
out:
	sk_X509_free(s.chain);
	wrap_clear(&x);
	buf_clear(&sig);
	return err;
}

/* Our own people believe our verdict fields, so nobody inside may write them either (RFC 8601 5). */
static bool stays_plain(const struct work *w, const struct judge_verdict *v, const struct header_field *f)
{
	return !header_is(f, "Bcc") && !header_is(f, "Resent-Bcc") &&
	       !(v->own_domain && authres_is_forged(f, w->rq->authserv_id));
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
