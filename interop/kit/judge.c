#include "interop/kit/judge.h"

#include "interop/kit/judge_layer.h"
#include "interop/kit/mime.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { MESSAGE_MAX = 72 << 20 };

const char *const layer_names[] = {"enveloped", "auth-enveloped", "signed", "multipart-signed", "compressed"};

int judge_openssl(struct buf *why, const char *what)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return fail(why, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

void judge_certificate(X509 *cert, char out[65])
{
	unsigned char hash[32], *der = NULL;
	struct buf hex = {0};
	int n = i2d_X509(cert, &der);

	sha256_of(der, n > 0 ? (size_t)n : 0, hash);
	hex_add(&hex, hash, sizeof(hash));
	memcpy(out, hex.p, 65);
	buf_free(&hex);
	OPENSSL_free(der);
}

/* RFC 3274: to MESSAGE_MAX octets. */
static int inflate_all(const struct buf *in, struct buf *out, struct buf *why)
{
	z_stream z = {0};
	char part[16384];
	int rc = Z_OK;

	if (in->n > MESSAGE_MAX || inflateInit(&z) != Z_OK)
		return fail(why, "too much for zlib");
	z.next_in = (Bytef *)in->p;
	z.avail_in = (uInt)in->n;
	buf_add(out, "", 0);
	while (rc == Z_OK && out->n <= MESSAGE_MAX) {
		z.next_out = (Bytef *)part;
		z.avail_out = sizeof(part);
		rc = inflate(&z, Z_NO_FLUSH);
		buf_add(out, part, sizeof(part) - z.avail_out);
	}
	inflateEnd(&z);
	return rc == Z_STREAM_END ? 0
				  : fail(why, out->n > MESSAGE_MAX ? "it expands to more than 72 MiB"
								   : "the compressed content is damaged");
}

static int read_object(const struct buf *der, struct cms_parts *parts, struct buf *why)
{
	size_t left;

	if (cms_parts_read(der->p, der->n, parts) < 0)
		return fail(why, "no CMS object");
	left = (size_t)((const unsigned char *)der->p + der->n - parts->whole.end);
	if (left == 0 || (left == 2 && !memcmp(parts->whole.end, "\r\n", 2)))
		return 0;
	return fail(why, "%zu octets stand behind the CMS object", left);
}

/* Takes off one layer. 1: done; 0: no key opens it; -1 with why: broken. */
static int take_off(struct judged *j, const struct buf *der, const struct buf *detached,
    const struct judge_keys *keys, struct buf *content, struct buf *why)
{
	struct layer *l = &j->layers[j->n];
	struct cms_parts parts;
	struct buf packed = {0};
	int rc;

	if (read_object(der, &parts, why) < 0)
		return -1;
	if (detached && parts.type != CMS_SIGNED)
		return fail(why, "the signature of a multipart/signed is no SignedData");
	switch (parts.type) {
	case CMS_SIGNED:
		l->kind = detached ? LAYER_MULTIPART_SIGNED : LAYER_SIGNED;
		j->n++;
		return judge_signed(der, detached, keys, l, content, why) < 0 ? -1 : 1;
	case CMS_ENVELOPED:
	case CMS_AUTH_ENVELOPED:
		l->kind = parts.type == CMS_ENVELOPED ? LAYER_ENVELOPED : LAYER_AUTH_ENVELOPED;
		j->n++;
		return judge_sealed(der, &parts, keys, l, content, why) < 0 ? -1 : l->opened;
	case CMS_COMPRESSED:
		l->kind = LAYER_COMPRESSED;
		j->n++;
		der_octets(&parts.content, &packed);
		rc = inflate_all(&packed, content, why);
		buf_free(&packed);
		return rc < 0 ? -1 : 1;
	default:
		return fail(why, "a CMS object that is neither signed, encrypted nor compressed");
	}
}

/* The two parts of a multipart/signed (RFC 1847 2.1). */
static int signed_parts(
    const struct mime *m, struct mime_range parts[2], struct buf *signature, struct layer *l, struct buf *why)
{
	struct mime s;
	int n = mime_parts(m, parts, 2, why), rc = -1;

	if (n < 0)
		return -1;
	if (n != 2)
		return fail(why, "a multipart/signed with %d parts instead of 2", n);
	mime_read(parts[1].p, parts[1].n, &s);
	if (strcmp(s.type, "application/pkcs7-signature") != 0 &&
	    strcmp(s.type, "application/x-pkcs7-signature") != 0)
		fail(why, "the second part of the multipart/signed is no application/pkcs7-signature");
	else
		rc = mime_decode(&s, signature, why);
	mime_free(&s);
	if (rc == 0)
		l->micalg = mime_type_parameter(m, "micalg");
	return rc;
}

/* One entity: 1: a layer is off, and in has what was inside; 0: there is none (all are off), or no key; -1: broken.
 * clear: no layer around it is encrypted. */
static int peel(
    struct judged *j, struct buf *in, bool der, bool clear, const struct judge_keys *keys, struct buf *why)
{
	struct buf object = {0}, content = {0}, canonical = {0};
	struct mime_range parts[2] = {{NULL, 0}, {NULL, 0}};
	struct mime m;
	bool cms, is_signed;
	int rc = 0;

	mime_read(in->p, in->n, &m);
	cms = der || mime_is_cms(&m);
	is_signed = !der && mime_is_signed(&m);
	j->whole = !cms && !is_signed;
	if (j->whole)
		goto out;
	if (j->n == JUDGE_LAYERS_MAX)
		rc = fail(why, "more than %d layers", JUDGE_LAYERS_MAX);
	else if (!der && mime_count(&m, "Content-Type") > 1)
		rc = fail(why, "more than one Content-Type field");
	else if (der)
		buf_add(&object, in->p, in->n);
	else if (cms)
		rc = mime_decode(&m, &object, why);
	else
		rc = signed_parts(&m, parts, &object, &j->layers[j->n], why);
	if (rc == 0 && is_signed)
		mime_canonical(parts[0].p, parts[0].n, &canonical);
	if (rc == 0)
		rc = take_off(j, &object, is_signed ? &canonical : NULL, keys, &content, why);
	if (rc == 1 && is_signed) {
		buf_clear(&content);
		buf_add(&content, parts[0].p, parts[0].n);
	}
	if (clear)
		buf_add(&j->readable, object.p, object.n);
	if (rc == 1) {
		buf_free(in);
		*in = content;
		content = (struct buf){0};
	}
out:
	mime_free(&m);
	buf_free(&object);
	buf_free(&content);
	buf_free(&canonical);
	return rc;
}

static bool is_der(const struct buf *b)
{
	return b->n > 20 && b->p[0] == 0x30 && ((b->p[1] & 0x80) || b->p[2] == 6);
}

/* Base64 that can be decoded is no text: any short word is in it by chance. What it decodes to is added elsewhere. */
static void add_as_it_stands(const struct buf *in, struct buf *out)
{
	struct buf decoded = {0};
	struct mime m;
	const char *encoding;

	mime_read(in->p, in->n, &m);
	encoding = mime_value(&m, "Content-Transfer-Encoding");
	if (encoding && !strcasecmp(encoding, "base64") && mime_decode(&m, &decoded, NULL) == 0)
		buf_add(out, m.all, (size_t)(m.body - m.all));
	else
		buf_add(out, in->p, in->n);
	mime_free(&m);
	buf_free(&decoded);
}

void judge(const void *p, size_t n, const struct credential *const *keys, size_t n_keys, struct judged *out)
{
	const struct judge_keys k = {keys, n_keys < JUDGE_KEYS_MAX ? n_keys : JUDGE_KEYS_MAX};
	struct buf in = {0}, why = {0};
	bool clear = true;
	int rc;

	*out = (struct judged){0};
	buf_add(&in, p ? p : "", n);
	add_as_it_stands(&in, &out->readable);
	do {
		size_t before = out->n;

		if (clear && !is_der(&in) && !mime_flatten(in.p, in.n, &out->readable))
			out->unread = true;
		rc = peel(out, &in, before == 0 && is_der(&in), clear, &k, &why);
		if (out->n > before)
			clear = clear && out->layers[before].kind >= LAYER_SIGNED;
	} while (rc == 1);
	if (rc < 0)
		out->broken = text_copy(why.n ? why.p : "damaged");
	if (out->whole) {
		out->content = in;
		in = (struct buf){0};
	}
	buf_free(&in);
	buf_free(&why);
	ERR_clear_error();
}

void judged_free(struct judged *j)
{
	for (size_t i = 0; i < JUDGE_LAYERS_MAX; i++) {
		struct layer *l = &j->layers[i];

		for (size_t k = 0; k < l->n_recipients; k++) {
			free(l->recipients[k].id);
			free(l->recipients[k].keys);
		}
		for (size_t k = 0; k < l->n_signers; k++) {
			for (size_t a = 0; a < l->signers[k].n_attributes; a++)
				free(l->signers[k].attributes[a]);
			free(l->signers[k].attributes);
			free(l->signers[k].digest);
			free(l->signers[k].why);
			buf_free(&l->signers[k].types);
		}
		free(l->recipients);
		free(l->signers);
		free(l->cipher);
		free(l->micalg);
	}
	free(j->broken);
	buf_free(&j->content);
	buf_free(&j->readable);
	*j = (struct judged){0};
}
