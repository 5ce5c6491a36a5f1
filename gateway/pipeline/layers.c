#include "gateway/pipeline/layers.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/cms/base64.h"
#include "gateway/cms/cms_compress.h"
#include "gateway/pipeline/canon.h"
#include "gateway/pipeline/changed.h"

enum { DETACHED_MAX = 1024 * 1024, CERT_OCTETS_MAX = 40 * 1024 };

static enum layers_result malformed(struct work *w)
{
	return w->res->pr.cls == PROBLEM_TEMP ? LAYERS_TEMP : LAYERS_MALFORMED;
}

/* ---- signers ---- */

static bool keep_cert(struct work *w, X509 *x, struct judge_octets *o_r)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	o_r->p = NULL;
	if (n > 0 && w->cert_octets + (size_t)n <= CERT_OCTETS_MAX) {
		o_r->p = (const uint8_t *)arena_dup(w->a, der, (size_t)n);
		o_r->n = (size_t)n;
		w->cert_octets += (size_t)n;
	}
	OPENSSL_free(der);
	return o_r->p != NULL;
}

/* A hint on how to write back: where there is no room for it, it is left out. */
static void keep_caps(struct work *w, const struct cms_signer_facts *s, struct judge_signer *js)
{
	if (s->ncaps == 0 || s->ncaps > JUDGE_CAPS_MAX || w->cert_octets + s->ncaps > CERT_OCTETS_MAX)
		return;
	js->caps.p = (const uint8_t *)arena_dup(w->a, s->caps, s->ncaps);
	js->caps.n = js->caps.p != NULL ? s->ncaps : 0;
	w->cert_octets += js->caps.n;
}

static bool keep_octets(struct work *w, const uint8_t *p, size_t n, size_t max, struct judge_octets *o_r)
{
	*o_r = (struct judge_octets){NULL, 0};
	if (n == 0)
		return true;
	if (n > max || w->cert_octets + n > CERT_OCTETS_MAX)
		return false;
	o_r->p = (const uint8_t *)arena_dup(w->a, p, n);
	o_r->n = n;
	w->cert_octets += n;
	return o_r->p != NULL;
}

static bool keep_id(struct work *w, const struct cms_signer_id *id, struct judge_signer_id *id_r)
{
	return keep_octets(w, id->issuer, id->nissuer, JUDGE_ISSUER_MAX, &id_r->issuer) &&
	       keep_octets(w, id->serial, id->nserial, JUDGE_SERIAL_MAX, &id_r->serial) &&
	       keep_octets(w, id->ski, id->nski, JUDGE_SKI_MAX, &id_r->ski);
}

/* The judge has said what it knows of this very message's signers. */
static bool was_asked(const struct work *w)
{
	return w->rq->have_trust && w->rq->trust_from[0] == 0;
}

/* A signer without a certificate, asked about and still without one: the judge's words say who was looked for. */
static void unknown(struct work *w, struct cms_signer_facts *f)
{
	size_t i = w->verdict.nsigners;

	f->missing = false;
	w->unknown_signer = true;
	if (i < w->rq->trust.n && w->rq->trust.v[i].sha256[0] == 0)
		snprintf(f->why, sizeof(f->why), "%.255s", w->rq->trust.v[i].why);
}

static void note_signer(struct work *w, const struct cms_signer_facts *facts)
{
	struct judge_signer *js = &w->signers[w->nsigners];
	struct cms_signer_facts f = *facts;

	if (f.missing && was_asked(w))
		unknown(w, &f);
	if (verdict_signer(&w->verdict, &f) == NULL || (!f.ok && !f.missing))
		return;
	if (w->nsigners == JUDGE_CERTS_MAX ||
	    !(f.missing ? keep_id(w, &f.id, &js->id) : f.cert != NULL && keep_cert(w, f.cert, &js->cert))) {
		verdict_failed(&w->verdict, "more or larger signer certificates than are judged in one message");
		return;
	}
	js->signing_time = f.signing_time;
	keep_caps(w, &f, js);
	if (f.enc_cert != NULL && (f.cert == NULL || X509_cmp(f.enc_cert, f.cert) != 0))
		(void)keep_cert(w, f.enc_cert, &js->enc); /* without room it is left out, as the capabilities are */
	w->nsigners++;
}

/* Verifies with the certificates that the judge knows, once it was asked. */
static int verify(
    struct work *w, struct cms_outline *o, struct reader *detached, struct writer *out, struct cms_verdict *v)
{
	X509 *known[JUDGE_KNOWN_MAX];
	size_t n = 0;

	for (size_t i = 0; was_asked(w) && i < w->rq->trust.nknown; i++) {
		known[n] = cache_cert(w->cache, &w->rq->trust.known[i].cert, NULL);
		n += known[n] != NULL;
	}
	return cms_verify_known(o, known, n, detached, out, v, &w->res->pr);
}

static bool is_signer(const struct cms_verdict *v, X509 *x)
{
	for (size_t i = 0; i < v->nsigners; i++)
		if (v->signers[i].cert != NULL && X509_cmp(v->signers[i].cert, x) == 0)
			return true;
	return false;
}

/* Other certificates inside may be issuers on the way to an anchor; what does not fit is left out and the judge then
 * names the missing issuer. */
static void note_verdict(struct work *w, const struct cms_verdict *v)
{
	for (size_t i = 0; i < v->nsigners; i++)
		note_signer(w, &v->signers[i]);
	for (int i = 0; v->certs != NULL && i < sk_X509_num(v->certs) && w->nextra < JUDGE_CERTS_MAX; i++)
		if (!is_signer(v, sk_X509_value(v->certs, i)) &&
		    keep_cert(w, sk_X509_value(v->certs, i), &w->extra[w->nextra]))
			w->nextra++;
}

/* ---- one layer ---- */

static int read_entity(struct work *w, struct reader *r, uint64_t off, uint64_t len)
{
	w->cur = r;
	return mime_entity_read(w->a, r, off, len, &w->lim, &w->ent, &w->res->pr);
}

/* What a layer held, which lies in scratch B. */
static int read_opened(struct work *w)
{
	if (canon_opened(w) != 0)
		return -1;
	return read_entity(w, spool_reader(w->plain), 0, spool_size(w->plain));
}

/* The CMS octets of the present entity's body into scratch A. */
static int decode_body(struct work *w)
{
	struct spool *s = work_scratch(w, 0);
	struct base64_dec dec;

	if (w->ent.cte == MIME_CTE_QP || w->ent.cte == MIME_CTE_OTHER)
		return problem_set(&w->res->pr, PROBLEM_PERM, 554, "5.6.1", "RFC 8551 3.1.2",
		    "the S/MIME part has a content transfer encoding other than base64 or binary");
	if (w->ent.cte != MIME_CTE_BASE64) {
		if (stream_copy(w->cur, w->ent.body_off, w->ent.body_len, spool_writer(s), &w->res->pr) != 0)
			return -1;
		return spool_finish(s, &w->res->pr);
	}
	base64_dec_init(&dec, spool_writer(s));
	if (stream_copy(w->cur, w->ent.body_off, w->ent.body_len, &dec.writer, &w->res->pr) != 0 ||
	    base64_dec_end(&dec, &w->res->pr) != 0)
		return -1;
	return spool_finish(s, &w->res->pr);
}

static int our_certs(struct work *w, X509 *certs[JOB_IDENTITIES_MAX], size_t idx[JOB_IDENTITIES_MAX])
{
	int n = 0;

	for (size_t i = 0; i < w->rq->nids; i++) {
		X509 *x = cache_cert(w->cache, &w->rq->ids[i].cert, NULL);

		if (x != NULL) {
			certs[n] = x;
			idx[n++] = i;
		}
	}
	return n;
}

static enum layers_result decrypt_to_b(struct work *w, struct cms_outline *o, X509 *cert, const char *key_id)
{
	struct spool *s = work_scratch(w, 1);
	EVP_PKEY *key = cache_key(w->cache, key_id, cert, &w->res->pr);

	if (key == NULL)
		return LAYERS_TEMP;
	keys_client_expect(
	    w->keys, cms_outline_key_octets(o)); /* the keeper's implicit rejection gives a key of this length */

	int err = cms_decrypt(o, cert, key, NULL, spool_writer(s), &w->res->pr);

	/* Asked before the result is believed: without an answer of the keeper OpenSSL goes on with a random key,
	 * which one time in 256 ends in good padding. */
	if (keys_client_failed(w->keys))
		return LAYERS_TEMP;
	if (err != 0)
		return w->res->pr.cls == PROBLEM_TEMP ? LAYERS_TEMP : LAYERS_UNOPENED;
	if (spool_finish(s, &w->res->pr) != 0)
		return LAYERS_TEMP;
	w->facts.opened = true;
	w->key_used = true;
	return LAYERS_END;
}

/* Returns LAYERS_END when the layer is open and its content is the present entity. */
static enum layers_result enveloped(struct work *w, struct cms_outline *o)
{
	X509 *certs[JOB_IDENTITIES_MAX];
	size_t idx[JOB_IDENTITIES_MAX];
	int which;

	w->facts.encrypted = true;
	w->facts.opened = false;
	verdict_layer(&w->verdict,
	    cms_outline_kind(o) == CMS_KIND_AUTH_ENVELOPED ? VERDICT_AUTH_ENVELOPED : VERDICT_ENVELOPED,
	    cms_outline_cipher(o));
	if (cms_outline_check(o, &w->res->pr) != 0)
		return malformed(w);
	which = cms_outline_find(o, certs, (size_t)our_certs(w, certs, idx));
	if (which < 0)
		return LAYERS_FOREIGN;
	if (!w->res->have_key_hash)
		w->res->have_key_hash = cms_outline_key_hash(o, certs[which], w->res->key_hash) == 0;
	if (w->rq->kind == JOB_CHECK)
		return LAYERS_ENCRYPTED;
	snprintf(w->cipher, sizeof(w->cipher), "%s", cms_outline_cipher(o));
	enum layers_result r = decrypt_to_b(w, o, certs[which], w->rq->ids[idx[which]].key_id);
	if (r != LAYERS_END)
		return r;
	if (read_opened(w) != 0)
		return w->res->pr.cls == PROBLEM_TEMP ? LAYERS_TEMP : LAYERS_UNOPENED;
	return LAYERS_END;
}

/* What is signed is DER that the reader's own program matches with its mail: the message goes on as it came. */
static enum layers_result receipt(struct work *w, struct cms_outline *o)
{
	struct cms_verdict v = {0};
	int err = verify(w, o, NULL, NULL, &v);

	verdict_layer(&w->verdict, VERDICT_RECEIPT, "");
	if (err == 0)
		note_verdict(w, &v);
	cms_verdict_clear(&v);
	w->receipt = w->peeled = true;
	return err == 0 ? LAYERS_END : malformed(w);
}

static enum layers_result opaque_signed(struct work *w, struct cms_outline *o)
{
	struct cms_verdict v = {0};
	struct spool *s = work_scratch(w, 1);
	int err = verify(w, o, NULL, spool_writer(s), &v);

	verdict_layer(&w->verdict, VERDICT_SIGNED, "");
	if (err == 0)
		note_verdict(w, &v);
	cms_verdict_clear(&v);
	if (err != 0 || spool_finish(s, &w->res->pr) != 0)
		return malformed(w);
	if (read_opened(w) != 0)
		return malformed(w);
	named_look(w);
	return LAYERS_END;
}

static enum layers_result compressed(struct work *w, struct cms_outline *o)
{
	struct spool *s = work_scratch(w, 1);

	verdict_layer(&w->verdict, VERDICT_COMPRESSED, "");
	if (cms_uncompress(o, w->rq->message_max, spool_writer(s), &w->res->pr) != 0 ||
	    spool_finish(s, &w->res->pr) != 0)
		return malformed(w);
	if (read_opened(w) != 0)
		return malformed(w);
	return LAYERS_END;
}

static enum layers_result pkcs7(struct work *w)
{
	struct cms_outline *o = NULL;
	enum layers_result r;

	if (decode_body(w) != 0 || cms_outline(spool_reader(w->der), &cms_limits_default, &o, &w->res->pr) != 0)
		return malformed(w);
	switch (cms_outline_kind(o)) {
	case CMS_KIND_ENVELOPED:
	case CMS_KIND_AUTH_ENVELOPED:
		r = enveloped(w, o);
		break;
	case CMS_KIND_SIGNED:
		r = cms_outline_receipt(o) ? receipt(w, o) : opaque_signed(w, o);
		break;
	case CMS_KIND_COMPRESSED:
		r = compressed(w, o);
		break;
	default:
		problem_set(&w->res->pr, PROBLEM_PERM, 554, "5.6.1", "RFC 5652",
		    "the S/MIME content is none of signed, enveloped and compressed data: this version does not read "
		    "it");
		r = LAYERS_MALFORMED;
		break;
	}
	cms_outline_free(o);
	return r;
}

static int detached_parts(struct work *w, struct mime_range *content_r, struct buf *der)
{
	struct mime_entity sig;
	struct stream_buf sb;
	struct base64_dec dec;

	if (mime_detached(w->a, w->cur, &w->ent, &w->lim, content_r, &sig, &w->res->pr) != 0)
		return -1;
	stream_buf_init(&sb, der);
	if (sig.cte != MIME_CTE_BASE64)
		return stream_copy(w->cur, sig.body_off, sig.body_len, &sb.writer, &w->res->pr);
	base64_dec_init(&dec, &sb.writer);
	if (stream_copy(w->cur, sig.body_off, sig.body_len, &dec.writer, &w->res->pr) != 0)
		return -1;
	return base64_dec_end(&dec, &w->res->pr);
}

/* A signature that fails is hardly ever an attack: what happened on the way is said in words, where it can be found.
 */
static void say_changed(
    struct work *w, const struct cms_verdict *v, struct cms_outline *o, const struct mime_range *content)
{
	char said[CHANGED_TEXT_MAX];
	bool any = false;

	for (size_t i = 0; i < v->nsigners; i++)
		any |= v->signers[i].changed;
	if (any && w->verdict.failed && changed_find(o, w->cur, content, said))
		verdict_changed(&w->verdict, said);
}

/*
 * What is in the clear can be read without its signature: a list's footer behind it, a filter that took it out. So it
 * goes on as it came, with a signature that failed; inside an encryption it is a layer that cannot be read.
 */
static enum layers_result without_signature(struct work *w, const struct mime_entity *came, bool noted)
{
	char text[PROBLEM_TEXT_MAX];

	if (w->key_used)
		return LAYERS_MALFORMED;
	if (!noted)
		verdict_layer(&w->verdict, VERDICT_DETACHED, "");
	verdict_failed(&w->verdict, problem_clause(&w->res->pr, text));
	w->res->pr = (struct problem){0};
	w->ent = *came;
	w->peeled = true;
	return LAYERS_END;
}

static enum layers_result detached_signed(struct work *w)
{
	const struct mime_entity came = w->ent;
	bool noted = false;
	struct mime_range content;
	struct cms_outline *o = NULL;
	struct cms_verdict v = {0};
	struct stream_mem m;
	struct stream_part body;
	struct buf der;
	enum layers_result r = LAYERS_MALFORMED;

	buf_init(&der, DETACHED_MAX);
	if (detached_parts(w, &content, &der) != 0)
		goto out;
	stream_mem_init(&m, der.p, der.len);
	stream_part_init(&body, w->cur, content.off, content.len);
	if (cms_outline(&m.reader, &cms_limits_default, &o, &w->res->pr) != 0)
		goto out;
	if (cms_outline_kind(o) != CMS_KIND_SIGNED) {
		problem_set(&w->res->pr, PROBLEM_PERM, 554, "5.6.0", "RFC 8551 3.5.3",
		    "the signature part is not signed data");
		goto out;
	}
	if (verify(w, o, &body.reader, NULL, &v) != 0)
		goto out;
	verdict_layer(&w->verdict, VERDICT_DETACHED, "");
	noted = true;
	note_verdict(w, &v);
	say_changed(w, &v, o, &content);
	if (!w->unwrapped_detached) {
		w->before_detached = w->ent;
		w->unwrapped_detached = true;
	}
	if (read_entity(w, w->cur, content.off, content.len) == 0) {
		named_look(w);
		r = LAYERS_END;
	}
out:
	if (r != LAYERS_END)
		r = malformed(w);
	if (r == LAYERS_MALFORMED)
		r = without_signature(w, &came, noted);
	cms_verdict_clear(&v);
	cms_outline_free(o);
	buf_clear(&der);
	return r;
}

/* What says that it is certificates (smime-type=certs-only) is taken for what it holds. */
static bool is_envelope(struct work *w)
{
	struct cms_outline *o = NULL;
	struct problem none = {0};
	bool is = false;

	if (!mime_is(&w->ent.type, "application", "pkcs7-mime") &&
	    !mime_is(&w->ent.type, "application", "x-pkcs7-mime"))
		return false;
	if (decode_body(w) == 0 && cms_outline(spool_reader(w->der), &cms_limits_default, &o, &w->res->pr) == 0)
		is = cms_outline_kind(o) == CMS_KIND_ENVELOPED || cms_outline_kind(o) == CMS_KIND_AUTH_ENVELOPED;
	cms_outline_free(o);
	is = is || w->res->pr.cls == PROBLEM_TEMP; /* it is read once more, and says so again */
	w->res->pr = none;
	return is;
}

enum layers_result layers_peel(struct work *w)
{
	w->ent = w->msg;
	w->cur = spool_reader(w->in);
	for (uint32_t depth = 0; depth <= w->rq->nesting_max; depth++) {
		enum mime_smime kind = mime_smime(&w->ent);
		enum layers_result r;

		if (kind == MIME_SMIME_NONE && !w->peeled && is_envelope(w))
			kind = MIME_SMIME_PKCS7;
		if (kind == MIME_SMIME_NONE || w->peeled) {
			w->shown = w->ent;
			return LAYERS_END;
		}
		unwrap_between(w);
		r = kind == MIME_SMIME_PKCS7 ? pkcs7(w) : detached_signed(w);
		if (r != LAYERS_END)
			return r;
		if (kind == MIME_SMIME_PKCS7)
			w->unwrapped_detached =
			    false; /* the octets the detached form lay in may be gone: scratch B is new */
	}
	problem_set(&w->res->pr, PROBLEM_PERM, 554, "5.6.0", "", "more than %u S/MIME layers around each other",
	    (unsigned)w->rq->nesting_max);
	return w->key_used ? LAYERS_UNOPENED : LAYERS_MALFORMED;
}
