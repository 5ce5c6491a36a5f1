#include "interop/kit/der.h"

#include <openssl/objects.h>
#include <string.h>

enum { DEPTH_MAX = 64, CHILDREN_MAX = 100000 };

static int read_at(const unsigned char *p, size_t n, int depth, struct der *out);

/* Behind an indefinite length: finds its 00 00. */
static int find_end(struct der *out, size_t left, int depth)
{
	const unsigned char *at = out->p, *stop = out->p + left;

	while (stop - at >= 2 && (at[0] != 0 || at[1] != 0)) {
		struct der inner;

		if (read_at(at, (size_t)(stop - at), depth + 1, &inner) < 0)
			return -1;
		at = inner.end;
	}
	if (stop - at < 2)
		return -1;
	out->n = (size_t)(at - out->p);
	out->end = at + 2;
	return 0;
}

static int read_at(const unsigned char *p, size_t n, int depth, struct der *out)
{
	size_t len = 0, used = 2, octets;

	*out = (struct der){0};
	if (depth > DEPTH_MAX || n < 2 || (p[0] & 31) == 31)
		return -1;
	out->tag = p[0];
	out->at = p;
	if (p[1] == 0x80) {
		out->indefinite = true;
		out->p = p + 2;
		return p[0] & 32 ? find_end(out, n - 2, depth) : -1;
	}
	if (p[1] < 0x80) {
		len = p[1];
	} else {
		octets = p[1] & 127;
		if (octets > 8 || n < 2 + octets)
			return -1;
		for (size_t i = 0; i < octets; i++)
			len = len << 8 | p[2 + i];
		used += octets;
	}
	if (len > n - used)
		return -1;
	out->p = p + used;
	out->n = len;
	out->end = out->p + len;
	return 0;
}

int der_read(const unsigned char *p, size_t n, struct der *out)
{
	return read_at(p, n, 0, out);
}

int der_child(const struct der *e, size_t i, struct der *out)
{
	const unsigned char *at = e->p, *stop = e->p + e->n;

	*out = (struct der){0};
	if (!e->at || !(e->tag & 32) || i > CHILDREN_MAX)
		return -1;
	for (size_t k = 0;; k++) {
		if (at == stop || read_at(at, (size_t)(stop - at), 0, out) < 0) {
			*out = (struct der){0};
			return -1;
		}
		if (k == i)
			return 0;
		at = out->end;
	}
}

size_t der_count(const struct der *e)
{
	const unsigned char *at = e->p, *stop = e->p + e->n;
	struct der one;
	size_t n = 0;

	if (!e->at || !(e->tag & 32))
		return 0;
	while (at < stop && n < CHILDREN_MAX && read_at(at, (size_t)(stop - at), 0, &one) == 0) {
		at = one.end;
		n++;
	}
	return n;
}

int der_tagged(const struct der *e, size_t i, unsigned char tag, struct der *out)
{
	for (; i < 64 && der_child(e, i, out) == 0; i++)
		if (out->tag == tag)
			return 0;
	*out = (struct der){0};
	return -1;
}

void der_oid(const struct der *e, struct buf *out)
{
	ASN1_OBJECT *o = NULL;
	const unsigned char *p = e->at;
	char text[256] = "";

	buf_clear(out);
	buf_add(out, "", 0);
	if (!e->at || e->tag != DER_OID || e->n > 64)
		return;
	o = d2i_ASN1_OBJECT(NULL, &p, e->end - e->at);
	if (o && OBJ_obj2txt(text, sizeof(text), o, 1) > 0)
		buf_adds(out, text);
	ASN1_OBJECT_free(o);
}

void der_add(struct buf *b, unsigned char tag, const void *p, size_t n)
{
	unsigned char head[6] = {tag};
	size_t len = 2;

	if (n < 0x80) {
		head[1] = (unsigned char)n;
	} else {
		size_t octets = n < 0x100 ? 1 : n < 0x10000 ? 2 : n < 0x1000000 ? 3 : 4;

		head[1] = (unsigned char)(0x80 | octets);
		for (size_t i = 0; i < octets; i++)
			head[2 + i] = (unsigned char)(n >> 8 * (octets - 1 - i));
		len += octets;
	}
	buf_add(b, head, len);
	buf_add(b, p, n);
}

void der_add_oid(struct buf *b, const char *dotted)
{
	ASN1_OBJECT *o = OBJ_txt2obj(dotted, 1);

	if (!o)
		die("%s is no object identifier", dotted);
	der_add(b, DER_OID, OBJ_get0_data(o), OBJ_length(o));
	ASN1_OBJECT_free(o);
}

static enum cms_type type_of(const char *oid)
{
	static const struct {
		const char *oid;
		enum cms_type type;
	} types[] = {{"1.2.840.113549.1.7.2", CMS_SIGNED}, {"1.2.840.113549.1.7.3", CMS_ENVELOPED},
	    {"1.2.840.113549.1.9.16.1.23", CMS_AUTH_ENVELOPED}, {"1.2.840.113549.1.9.16.1.9", CMS_COMPRESSED}};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(oid, types[i].oid))
			return types[i].type;
	return CMS_OTHER;
}

/* EncapsulatedContentInfo: the OCTET STRING inside [0]. */
static void encapsulated(const struct der *info, struct cms_parts *out)
{
	struct der explicit;

	if (der_tagged(info, 1, 0xa0, &explicit) == 0)
		der_child(&explicit, 0, &out->content);
}

/* EncryptedContentInfo (RFC 5652 6.1): the content is [0] IMPLICIT OCTET STRING, in one piece or in many. */
static void encrypted(const struct der *info, struct cms_parts *out)
{
	if (der_child(info, 1, &out->cipher) == 0)
		der_child(&out->cipher, 1, &out->parameters);
	if (der_tagged(info, 2, 0x80, &out->content) < 0)
		der_tagged(info, 2, 0xa0, &out->content);
}

int cms_parts_read(const void *p, size_t n, struct cms_parts *out)
{
	struct der oid, inner, info;
	struct buf name = {0};

	*out = (struct cms_parts){0};
	if (der_read(p, n, &out->whole) < 0 || out->whole.tag != DER_SEQUENCE ||
	    der_child(&out->whole, 0, &oid) < 0 || oid.tag != DER_OID)
		return -1;
	der_oid(&oid, &name);
	out->type = type_of(name.p);
	buf_free(&name);
	if (der_child(&out->whole, 1, &inner) < 0 || inner.tag != 0xa0 || der_child(&inner, 0, &out->body) < 0)
		return -1;
	if (out->type == CMS_SIGNED && der_child(&out->body, 2, &info) == 0) {
		encapsulated(&info, out);
		der_tagged(&out->body, 3, DER_SET, &out->signers);
	} else if (out->type == CMS_COMPRESSED && der_child(&out->body, 2, &info) == 0) {
		encapsulated(&info, out);
	} else if (out->type == CMS_ENVELOPED || out->type == CMS_AUTH_ENVELOPED) {
		der_tagged(&out->body, 1, DER_SET, &out->recipients);
		if (der_tagged(&out->body, 1, DER_SEQUENCE, &info) == 0)
			encrypted(&info, out);
		der_tagged(&out->body, 2, DER_OCTETS, &out->mac);
	}
	return 0;
}

static void add_pieces(const struct der *e, int depth, struct buf *out)
{
	const unsigned char *at = e->p, *stop = e->p + e->n;
	struct der one;

	if (!(e->tag & 32)) {
		buf_add(out, e->p, e->n);
		return;
	}
	while (depth < DEPTH_MAX && at < stop && read_at(at, (size_t)(stop - at), 0, &one) == 0) {
		add_pieces(&one, depth + 1, out);
		at = one.end;
	}
}

void der_octets(const struct der *e, struct buf *out)
{
	buf_add(out, "", 0);
	if (e->at)
		add_pieces(e, 0, out);
}

static void rebuild(const struct der *e, const struct der *target, const struct buf *with, struct buf *out)
{
	struct buf inner = {0};
	struct der child;

	if (e->at == target->at && e->end == target->end) {
		buf_add(out, with->p, with->n);
		return;
	}
	if (target->at < e->p || target->at >= e->p + e->n) {
		buf_add(out, e->at, (size_t)(e->end - e->at));
		return;
	}
	for (const unsigned char *at = e->p;
	     at < e->p + e->n && der_read(at, (size_t)(e->p + e->n - at), &child) == 0; at = child.end)
		rebuild(&child, target, with, &inner);
	der_add(out, e->tag, inner.p ? inner.p : "", inner.n);
	buf_free(&inner);
}

void der_replace(struct buf *der, const struct der *target, const void *p, size_t n)
{
	struct buf with = {0}, out = {0};
	struct der root;

	if (!target->at || der_read((const unsigned char *)der->p, der->n, &root) < 0)
		return;
	buf_add(&with, p, n);
	rebuild(&root, target, &with, &out);
	buf_add(&out, root.end, (size_t)(der->p + der->n - (const char *)root.end));
	buf_free(&with);
	buf_free(der);
	*der = out;
}
