/* Layers around an entity: wrap, protect, mixed, forge, disguise, base64. */
#include "interop/kit/make_layer.h"

#include "interop/kit/mime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool stands_outside(const char *name)
{
	static const char *const names[] = {"From", "To", "Cc", "Subject", "Date", "Message-ID", "MIME-Version"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcasecmp(name, names[i]))
			return true;
	return false;
}

/* What was said inside stays inside: outside remain the fields that a message needs. */
static void keep_needed(struct draft *d)
{
	struct buf was = d->fields;
	struct mime m;

	d->fields = (struct buf){0};
	mime_read(was.p, was.n, &m);
	for (size_t i = 0; i < m.n; i++)
		if (stands_outside(m.fields[i].name))
			buf_add(&d->fields, m.fields[i].at, m.fields[i].n);
	mime_free(&m);
	buf_free(&was);
}

/* RFC 8551 3.1 */
int layer_wrap(struct draft *d, struct buf *why)
{
	struct buf entity = {0};

	(void)why;
	draft_split(d);
	buf_adds(&entity, "Content-Type: message/rfc822\r\n\r\n");
	buf_add(&entity, d->fields.p, d->fields.n);
	draft_entity(d, &entity);
	draft_become(d, &entity);
	keep_needed(d);
	buf_free(&entity);
	return 0;
}

/* RFC 9788 2.1.1, 2.2: the fields stand in the payload as well, and HP-Outer says which are outside. */
int layer_protect(struct draft *d, struct buf *why)
{
	struct buf entity = {0}, now = {0};
	struct mime in, out;

	(void)why;
	draft_split(d);
	draft_entity(d, &entity);
	mime_read(entity.p, entity.n, &in);
	buf_add(&now, d->fields.p, d->fields.n);
	draft_field(d, "Subject", "[...]");
	keep_needed(d);
	mime_read(d->fields.p, d->fields.n, &out);
	for (size_t i = 0; i < out.n; i++)
		if (strcasecmp(out.fields[i].name, "MIME-Version") != 0) {
			buf_adds(&now, "HP-Outer: ");
			buf_add(&now, out.fields[i].at, out.fields[i].n);
		}
	for (size_t i = 0; i < in.n; i++) {
		if (!strcasecmp(in.fields[i].name, "Content-Type"))
			buf_addf(&now, "Content-Type: %s; hp=\"cipher\"\r\n", in.fields[i].value);
		else
			buf_add(&now, in.fields[i].at, in.fields[i].n);
	}
	buf_adds(&now, "\r\n");
	buf_add(&now, in.body, in.body_n);
	mime_free(&in);
	mime_free(&out);
	draft_become(d, &now);
	buf_free(&now);
	buf_free(&entity);
	return 0;
}

static int add_part(struct draft *d, const char *attribute, const char *boundary, struct buf *out, struct buf *why)
{
	char *text = scene_text(d->s, stmt_attribute(d->layer, attribute, ""), why);

	if (!text)
		return -1;
	buf_addf(out, "--%s\r\nContent-Type: %s; charset=utf-8\r\n\r\n%s\r\n", boundary,
	    stmt_attribute(d->layer, "type", "text/plain"), text);
	free(text);
	return 0;
}

int layer_mixed(struct draft *d, struct buf *why)
{
	char *boundary = text_make("=_mixed_%s_%d", d->s->nonce, d->layer->line);
	struct buf out = {0};
	int rc;

	buf_addf(&out, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n", boundary);
	rc = add_part(d, "before", boundary, &out, why);
	if (rc == 0) {
		buf_addf(&out, "--%s\r\n", boundary);
		draft_entity(d, &out);
		buf_adds(&out, "\r\n");
		rc = add_part(d, "after", boundary, &out, why);
	}
	if (rc == 0) {
		buf_addf(&out, "--%s--\r\n", boundary);
		draft_become(d, &out);
	}
	buf_free(&out);
	free(boundary);
	return rc;
}

int layer_forge(struct draft *d, struct buf *why)
{
	if (strcmp(d->layer->words[0], "trusted") != 0)
		return fail(why, "\"trusted\" alone can be forged");
	if (d->s->trusted.n == 0)
		return fail(why, "the gateway has marked no message of this case as trusted yet");
	draft_split(d);
	buf_add(&d->fields, d->s->trusted.p, d->s->trusted.n);
	return 0;
}

int layer_disguise(struct draft *d, struct buf *why)
{
	char *type = draft_word(d, 0, why);

	if (!type)
		return -1;
	draft_split(d);
	if (d->kind == DRAFT_PLAIN && (d->header.n > 0 || d->body.n > 0)) {
		free(type);
		return fail(why, "the layer before is no CMS object, and no text");
	}
	free(d->type);
	d->type = type;
	return 0;
}

int layer_base64(struct draft *d, struct buf *why)
{
	long n;

	if (number_read(stmt_attribute(d->layer, "line", ""), 0, 100000, &n) < 0 || (n > 0 && n < 4))
		return fail(why, "line= is a number of characters, 0 or from 4 on");
	if (d->kind == DRAFT_RAW || (d->kind == DRAFT_PLAIN && d->header.n > 0))
		return fail(why, "the layer before is no CMS object, and no text");
	d->line = (unsigned)n;
	return 0;
}
