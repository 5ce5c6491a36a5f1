#include "interop/kit/make_layer.h"

#include "interop/kit/mime.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX_LENGTH = 998 };

char *list_next(const char **at)
{
	size_t n;
	char *out;

	if (!*at || !**at)
		return NULL;
	n = strcspn(*at, ",");
	out = text_cut(*at, n);
	*at += n + ((*at)[n] == ',');
	return out;
}

int fail_openssl(struct buf *why, const char *what)
{
	char text[256] = "no reason given";
	unsigned long e = ERR_peek_last_error();

	if (e)
		ERR_error_string_n(e, text, sizeof(text));
	ERR_clear_error();
	return fail(why, "%s: %s", what, text);
}

char *draft_word(struct draft *d, size_t i, struct buf *why)
{
	return scene_text(d->s, stmt_word(d->layer, i, ""), why);
}

const struct credential *draft_credential(struct draft *d, const char *name, char use, struct buf *why)
{
	const struct credential *c = d->s->world ? world_credential(d->s->world, d->s->c, name, use) : NULL;

	if (c && use == 'a' && !strcmp(name, "gateway") && c->cert && !EVP_PKEY_is_a(X509_get0_pubkey(c->cert), "EC"))
		c = NULL;
	if (!c || !c->cert) {
		fail(why, "there is no certificate \"%s\"", name);
		return NULL;
	}
	return c;
}

static bool plain_ascii(const char *p, size_t n)
{
	size_t line = 0;

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] >= 0x80 || p[i] == 0)
			return false;
		if (p[i] == '\n' && (i == 0 || p[i - 1] != '\r'))
			return false;
		if (p[i] == '\r' && (i + 1 == n || p[i + 1] != '\n'))
			return false;
		line = p[i] == '\n' ? 0 : line + 1;
		if (line > LINE_MAX_LENGTH)
			return false;
	}
	return true;
}

/* The text becomes header and body, with base64 where that is needed. */
static void settle(struct draft *d)
{
	bool as_is = d->line == 64 && plain_ascii(d->bare.p, d->bare.n);

	if (d->kind != DRAFT_PLAIN || d->header.n > 0 || d->body.n > 0)
		return;
	if (d->encoding)
		as_is = strcasecmp(d->encoding, "base64") != 0;
	buf_addf(&d->header, "Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n",
	    d->type ? d->type : "text/plain",
	    d->encoding ? d->encoding
	    : as_is	? "7bit"
			: "base64");
	buf_add(&d->header, d->extra.p ? d->extra.p : "", d->extra.n);
	if (as_is) {
		buf_add(&d->body, d->bare.p ? d->bare.p : "", d->bare.n);
		return;
	}
	base64_add(&d->body, d->bare.p, d->bare.n, d->line);
	if (d->line == 0)
		buf_adds(&d->body, "\r\n");
}

static void add_object(struct draft *d, const char *type, struct buf *out)
{
	char *name = mime_parameter(type, "name", NULL);

	buf_addf(out, "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n", type);
	if (name)
		buf_addf(out, "Content-Disposition: attachment; filename=%s\r\n", name);
	buf_adds(out, "\r\n");
	base64_add(out, d->object.p, d->object.n, d->line);
	if (d->line == 0)
		buf_adds(out, "\r\n");
	free(name);
}

/* RFC 8551 3.5.3.1 */
static void add_detached(struct draft *d, struct buf *out)
{
	unsigned char hash[32];
	struct buf boundary = {0};

	sha256_of(d->object.p, d->object.n, hash);
	buf_adds(&boundary, "=_");
	hex_add(&boundary, hash, 12);
	if (d->type)
		buf_addf(out, "Content-Type: %s;\r\n boundary=\"%s\"\r\n\r\n", d->type, boundary.p);
	else
		buf_addf(out,
		    "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=%s; "
		    "boundary=\"%s\"\r\n\r\n",
		    d->micalg, boundary.p);
	buf_addf(out, "--%s\r\n", boundary.p);
	buf_add(out, d->body.p, d->body.n);
	buf_addf(out, "\r\n--%s\r\n", boundary.p);
	add_object(d, "application/pkcs7-signature; name=smime.p7s", out);
	if (d->third)
		buf_addf(out,
		    "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThis part is not signed.\r\n",
		    boundary.p);
	buf_addf(out, "\r\n--%s--\r\n", boundary.p);
	buf_free(&boundary);
}

void draft_entity(struct draft *d, struct buf *out)
{
	static const char *const types[] = {[DRAFT_SIGNED] = "signed-data",
	    [DRAFT_SEALED] = "enveloped-data",
	    [DRAFT_AUTH_SEALED] = "authEnveloped-data",
	    [DRAFT_COMPRESSED] = "compressed-data"};
	const char *name = d->kind == DRAFT_COMPRESSED ? "smime.p7z" : "smime.p7m";
	char *type;

	draft_split(d);
	settle(d);
	if (d->kind == DRAFT_PLAIN) {
		buf_add(out, d->header.p, d->header.n);
		buf_adds(out, "\r\n");
		buf_add(out, d->body.p, d->body.n);
		return;
	}
	if (d->kind == DRAFT_DETACHED) {
		add_detached(d, out);
		return;
	}
	type = d->type ? text_copy(d->type)
		       : text_make("application/pkcs7-mime; smime-type=%s; name=%s", types[d->kind], name);
	add_object(d, type, out);
	free(type);
}

void draft_become(struct draft *d, const struct buf *entity)
{
	struct mime m;

	mime_read(entity->p, entity->n, &m);
	d->kind = DRAFT_PLAIN;
	d->third = false;
	free(d->type);
	d->type = NULL;
	buf_clear(&d->header);
	buf_clear(&d->body);
	buf_clear(&d->object);
	buf_clear(&d->bare);
	buf_clear(&d->extra);
	for (size_t i = 0; i < m.n; i++)
		buf_add(&d->header, m.fields[i].at, m.fields[i].n);
	buf_add(&d->body, m.body, m.body_n);
	d->line = 64;
	mime_free(&m);
}

void draft_object(struct draft *d, enum draft_kind kind, const void *p, size_t n)
{
	buf_clear(&d->object);
	buf_add(&d->object, p, n);
	buf_clear(&d->header);
	buf_clear(&d->bare);
	buf_clear(&d->extra);
	if (kind != DRAFT_DETACHED)
		buf_clear(&d->body);
	free(d->type);
	d->type = NULL;
	d->kind = kind;
	d->line = 64;
	d->third = false;
}

static void add_value(struct buf *out, const char *value)
{
	size_t n = strlen(value);
	bool ascii = true;

	for (size_t i = 0; i < n; i++)
		ascii = ascii && (unsigned char)value[i] < 0x80;
	if (ascii) {
		buf_adds(out, value);
		return;
	}
	for (size_t at = 0; at < n;) { /* RFC 2047 2: words to 75 characters, cut between characters */
		size_t len = n - at < 39 ? n - at : 39;

		while (at + len < n && len > 1 && ((unsigned char)value[at + len] & 0xc0) == 0x80)
			len--;
		buf_adds(out, at ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
		base64_add(out, value + at, len, 0);
		buf_adds(out, "?=");
		at += len;
	}
}

void draft_field(struct draft *d, const char *name, const char *value)
{
	struct buf was = d->fields;
	struct mime m;
	bool done = false;

	d->fields = (struct buf){0};
	mime_read(was.p, was.n, &m);
	for (size_t i = 0; i < m.n; i++) {
		if (strcasecmp(m.fields[i].name, name) != 0) {
			buf_add(&d->fields, m.fields[i].at, m.fields[i].n);
			continue;
		}
		if (!done) {
			buf_addf(&d->fields, "%s: ", name);
			add_value(&d->fields, value);
			buf_adds(&d->fields, "\r\n");
		}
		done = true;
	}
	if (!done) {
		buf_addf(&d->fields, "%s: ", name);
		add_value(&d->fields, value);
		buf_adds(&d->fields, "\r\n");
	}
	mime_free(&m);
	buf_free(&was);
}

void draft_split(struct draft *d)
{
	struct buf raw = d->body;
	struct mime m;

	if (d->kind != DRAFT_RAW)
		return;
	mime_read(raw.p, raw.n, &m);
	d->kind = DRAFT_PLAIN;
	d->body = (struct buf){0};
	buf_clear(&d->fields);
	buf_clear(&d->header);
	buf_clear(&d->bare);
	buf_clear(&d->extra);
	for (size_t i = 0; i < m.n; i++)
		buf_add(strncasecmp(m.fields[i].name, "Content-", 8) ? &d->fields : &d->header, m.fields[i].at,
		    m.fields[i].n);
	buf_add(&d->body, m.body, m.body_n);
	mime_free(&m);
	buf_free(&raw);
}
