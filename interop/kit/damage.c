#include "interop/kit/damage.h"

#include "interop/kit/der.h"
#include "interop/kit/make_layer.h"

#include <stdlib.h>
#include <string.h>

enum { NEST_DEPTH = 20000, TAG_SHORT = 4 };

/* The elements point into these octets. */
static void flip(struct buf *der, const unsigned char *at)
{
	der->p[at - (const unsigned char *)der->p] ^= 1;
}

/* The piece of an OCTET STRING in many that holds its octet number at (of all pieces); NULL: none there. */
static const unsigned char *octet(const struct der *e, size_t *at, int depth)
{
	struct der piece;

	if (!(e->tag & 32)) {
		if (*at < e->n)
			return e->p + *at;
		*at -= e->n;
		return NULL;
	}
	for (const unsigned char *p = e->p;
	     depth < 16 && p < e->p + e->n && der_read(p, (size_t)(e->p + e->n - p), &piece) == 0; p = piece.end) {
		const unsigned char *found = octet(&piece, at, depth + 1);

		if (found)
			return found;
	}
	return NULL;
}

static int flip_octet(struct buf *der, const struct der *e, bool last, struct buf *why)
{
	struct buf all = {0};
	const unsigned char *p;
	size_t at;

	der_octets(e, &all);
	at = last ? all.n - 1 : all.n / 2;
	p = all.n > 0 ? octet(e, &at, 0) : NULL;
	buf_free(&all);
	if (!p)
		return fail(why, "there are no such octets in this object");
	flip(der, p);
	return 0;
}

static int content(struct buf *der, struct cms_parts *c, struct buf *why)
{
	return flip_octet(der, &c->content, false, why);
}

static int tail(struct buf *der, struct cms_parts *c, struct buf *why)
{
	return flip_octet(der, &c->content, true, why);
}

static int signature(struct buf *der, struct cms_parts *c, struct buf *why)
{
	struct der signer, value;

	if (der_child(&c->signers, 0, &signer) < 0 || der_tagged(&signer, 4, DER_OCTETS, &value) < 0)
		return fail(why, "there is no signature in this object");
	return flip_octet(der, &value, false, why);
}

/* the messageDigest attribute (RFC 5652 11.2) */
static int digest(struct buf *der, struct cms_parts *c, struct buf *why)
{
	struct der signer, attributes, one, oid, set, value;
	struct buf name = {0};
	bool found = false;

	if (der_child(&c->signers, 0, &signer) < 0 || der_tagged(&signer, 3, 0xa0, &attributes) < 0)
		return fail(why, "there are no signed attributes in this object");
	for (size_t i = 0; !found && der_child(&attributes, i, &one) == 0; i++) {
		if (der_child(&one, 0, &oid) < 0 || der_child(&one, 1, &set) < 0 || der_child(&set, 0, &value) < 0)
			continue;
		der_oid(&oid, &name);
		found = !strcmp(name.p, "1.2.840.113549.1.9.4");
	}
	buf_free(&name);
	return found ? flip_octet(der, &value, false, why) : fail(why, "there is no messageDigest in this object");
}

static int tag(struct buf *der, struct cms_parts *c, struct buf *why)
{
	return flip_octet(der, &c->mac, false, why);
}

/* RFC 5084 3.2: the length stands in the parameters, too. */
static int tag_short(struct buf *der, struct cms_parts *c, struct buf *why)
{
	static const unsigned char length[] = {DER_INTEGER, 1, TAG_SHORT};
	struct buf mac = {0}, nonce = {0};
	struct der n;

	if (c->mac.n < TAG_SHORT || der_child(&c->parameters, 0, &n) < 0)
		return fail(why, "there is no tag in this object");
	der_add(&mac, DER_OCTETS, c->mac.p, TAG_SHORT);
	der_replace(der, &c->mac, mac.p, mac.n);
	buf_free(&mac);
	if (cms_parts_read(der->p, der->n, c) < 0 || der_child(&c->parameters, 0, &n) < 0)
		return fail(why, "the tag cannot be made shorter");
	buf_add(&nonce, n.at, (size_t)(n.end - n.at));
	buf_add(&nonce, length, sizeof(length));
	der_add(&mac, DER_SEQUENCE, nonce.p, nonce.n);
	der_replace(der, &c->parameters, mac.p, mac.n);
	buf_free(&nonce);
	buf_free(&mac);
	return 0;
}

/* The encrypted keys of all recipients: KeyTransRecipientInfo, and [1] KeyAgreeRecipientInfo (RFC 5652 6.2). */
static int key(struct buf *der, struct cms_parts *c, struct buf *why)
{
	struct der one, keys, each, value;
	size_t done = 0;

	for (size_t i = 0; der_child(&c->recipients, i, &one) == 0; i++) {
		if (one.tag == DER_SEQUENCE && der_tagged(&one, 3, DER_OCTETS, &value) == 0) {
			flip_octet(der, &value, false, NULL);
			done++;
		} else if (one.tag == 0xa1 && der_child(&one, der_count(&one) - 1, &keys) == 0) {
			for (size_t k = 0; der_child(&keys, k, &each) == 0; k++)
				if (der_child(&each, 1, &value) == 0) {
					flip_octet(der, &value, false, NULL);
					done++;
				}
		}
	}
	return done ? 0 : fail(why, "there is no encrypted key in this object");
}

static int truncate_half(struct buf *der, struct cms_parts *c, struct buf *why)
{
	(void)c;
	(void)why;
	der->n /= 2;
	der->p[der->n] = 0;
	return 0;
}

static int append(struct buf *der, struct cms_parts *c, struct buf *why)
{
	(void)c;
	(void)why;
	buf_add(der, "", 1);
	return 0;
}

static int length(struct buf *der, struct cms_parts *c, struct buf *why)
{
	static const unsigned char head[] = {DER_SEQUENCE, 0x84, 0x7f, 0xff, 0xff, 0xff};
	struct buf out = {0};

	(void)why;
	buf_add(&out, head, sizeof(head));
	buf_add(&out, c->whole.p, (size_t)(der->p + der->n - (const char *)c->whole.p));
	buf_free(der);
	*der = out;
	return 0;
}

/* the type stays, and what is inside is sequences in sequences */
static int nest(struct buf *der, struct cms_parts *c, struct buf *why)
{
	static const unsigned char open[] = {DER_SEQUENCE, 0x80}, close[] = {0, 0};
	struct buf levels = {0}, inner = {0}, out = {0};
	struct der oid;

	if (der_child(&c->whole, 0, &oid) < 0)
		return fail(why, "no CMS object");
	for (int i = 0; i < NEST_DEPTH; i++)
		buf_add(&levels, open, sizeof(open));
	for (int i = 0; i < NEST_DEPTH; i++)
		buf_add(&levels, close, sizeof(close));
	buf_add(&inner, oid.at, (size_t)(oid.end - oid.at));
	der_add(&inner, 0xa0, levels.p, levels.n);
	der_add(&out, DER_SEQUENCE, inner.p, inner.n);
	buf_free(&levels);
	buf_free(&inner);
	buf_free(der);
	*der = out;
	return 0;
}

int damage(const char *kind, struct buf *der, struct buf *why)
{
	static const struct {
		const char *name;
		int (*make)(struct buf *der, struct cms_parts *c, struct buf *why);
	} kinds[] = {{"content", content}, {"tail", tail}, {"signature", signature}, {"digest", digest}, {"tag", tag},
	    {"tag-short", tag_short}, {"key", key}, {"truncate", truncate_half}, {"append", append},
	    {"length", length}, {"nest", nest}};
	struct cms_parts parts;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kind, kinds[i].name)) {
			if (cms_parts_read(der->p, der->n, &parts) < 0)
				return fail(why, "this is no CMS object that can be damaged");
			return kinds[i].make(der, &parts, why);
		}
	return fail(why, "the damage \"%s\" is not known", kind);
}

static bool letter(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int damage_text(struct buf *text, struct buf *why)
{
	const char *blank = octets_find(text->p, text->n, "\r\n\r\n");
	size_t from = blank ? (size_t)(blank + 4 - text->p) : 0, middle = from + (text->n - from) / 2;

	for (size_t i = 0; i < text->n - from; i++) {
		char *c = text->p + from + (middle - from + i) % (text->n - from);

		if (letter(*c)) {
			*c = *c == 'x' ? 'y' : 'x';
			return 0;
		}
	}
	return fail(why, "there is no text to damage");
}

/* what stands in clear: content and text are of the signed part, or of the text itself */
int layer_damage(struct draft *d, struct buf *why)
{
	const char *kind = d->layer->words[0];
	bool clear = !strcmp(kind, "text") || !strcmp(kind, "content") || !strcmp(kind, "tail");

	if (!strcmp(kind, "part")) {
		if (d->kind != DRAFT_DETACHED)
			return fail(why, "only a detached signature has parts");
		d->third = true;
		return 0;
	}
	if (clear && (d->kind == DRAFT_DETACHED || d->kind == DRAFT_PLAIN || d->kind == DRAFT_RAW))
		return damage_text(d->bare.n > 0 ? &d->bare : &d->body, why);
	if (d->kind == DRAFT_PLAIN || d->kind == DRAFT_RAW)
		return fail(why, "the layer before is no CMS object");
	return damage(!strcmp(kind, "text") ? "content" : kind, &d->object, why);
}
