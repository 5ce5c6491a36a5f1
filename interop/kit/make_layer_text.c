/* Layers of the header and of the text: from, to, cc, subject, header, type, file, raw, large. */
#include "interop/kit/make_layer.h"

#include "interop/kit/mime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LARGE_MAX = 256 << 20 };

static int set_field(struct draft *d, const char *name, struct buf *why)
{
	char *value = draft_word(d, 0, why);
	struct buf list = {0};

	if (!value)
		return -1;
	draft_split(d);
	for (const char *at = value; *at; at++) {
		buf_add(&list, at, 1);
		if (*at == ',' && at[1] != ' ' && strcmp(name, "Subject") != 0)
			buf_adds(&list, " ");
	}
	draft_field(d, name, list.n ? list.p : "");
	buf_free(&list);
	free(value);
	return 0;
}

int layer_from(struct draft *d, struct buf *why)
{
	return set_field(d, "From", why);
}

int layer_to(struct draft *d, struct buf *why)
{
	return set_field(d, "To", why);
}

int layer_cc(struct draft *d, struct buf *why)
{
	return set_field(d, "Cc", why);
}

int layer_subject(struct draft *d, struct buf *why)
{
	return set_field(d, "Subject", why);
}

static bool is_text(const struct draft *d)
{
	return d->kind == DRAFT_PLAIN && d->header.n == 0 && d->body.n == 0;
}

/* A field of MIME becomes one of the entity, the others stand outside. */
int layer_header(struct draft *d, struct buf *why)
{
	char *field = draft_word(d, 0, why);
	struct buf body = {0};

	if (!field)
		return -1;
	if (d->kind == DRAFT_RAW) {
		buf_addf(&body, "%s\r\n", field);
		buf_add(&body, d->body.p, d->body.n);
		buf_free(&d->body);
		d->body = body;
	} else if (is_text(d) && !strncasecmp(field, "Content-Transfer-Encoding:", 26)) {
		free(d->encoding);
		d->encoding = text_copy(field + 26 + strspn(field + 26, " "));
	} else if (!strncasecmp(field, "Content-", 8) && d->kind == DRAFT_PLAIN) {
		buf_addf(is_text(d) ? &d->extra : &d->header, "%s\r\n", field);
	} else {
		buf_addf(&d->fields, "%s\r\n", field);
	}
	free(field);
	return 0;
}

int layer_type(struct draft *d, struct buf *why)
{
	char *type;

	if (!is_text(d))
		return fail(why, "the type of the text stands before the layers around it");
	type = draft_word(d, 0, why);
	if (!type)
		return -1;
	free(d->type);
	d->type = !strncasecmp(type, "text/", 5) && !strchr(type, ';') ? text_make("%s; charset=utf-8", type)
								       : text_copy(type);
	free(type);
	return 0;
}

static int read_beside(struct draft *d, struct buf *out, struct buf *why)
{
	const char *name = stmt_word(d->layer, 0, "");
	char *path;
	int rc;

	if (!*name || strchr(name, '/') || *name == '.')
		return fail(why, "\"%s\" is no file of the case's folder", name);
	path = text_make("%s/%s", d->s->c->dir ? d->s->c->dir : ".", name);
	rc = file_read(path, out, why);
	free(path);
	return rc;
}

int layer_file(struct draft *d, struct buf *why)
{
	if (!is_text(d))
		return fail(why, "the octets of the body stand before the layers around it");
	buf_clear(&d->bare);
	return read_beside(d, &d->bare, why);
}

/* Its line ends become CRLF. */
int layer_raw(struct draft *d, struct buf *why)
{
	struct buf file = {0}, text = {0};
	int rc = read_beside(d, &file, why);

	if (rc == 0) {
		scene_expand_octets(d->s, file.p, file.n, &text);
		buf_clear(&d->body);
		buf_clear(&d->header);
		buf_clear(&d->bare);
		buf_clear(&d->extra);
		buf_clear(&d->object);
		mime_canonical(text.p, text.n, &d->body);
		d->kind = DRAFT_RAW;
	}
	buf_free(&file);
	buf_free(&text);
	return rc;
}

int layer_large(struct draft *d, struct buf *why)
{
	static const char line[] =
	    "The quick brown fox jumps over the lazy dog, and does so again and once more.\r\n";
	const long full = (long)sizeof(line) - 1;
	struct buf *to = is_text(d) ? &d->bare : &d->body;
	long n;

	if (number_read(d->layer->words[0], 0, LARGE_MAX, &n) < 0)
		return fail(why, "\"%s\" is no number of octets to %d", d->layer->words[0], LARGE_MAX);
	if (d->kind != DRAFT_PLAIN && d->kind != DRAFT_RAW)
		return fail(why, "text is added before the layers around it");
	for (long done = 0; done < n;) {
		long len = n - done < full ? n - done : full;

		if (len == 1) { /* no line of its own */
			struct buf longer = {0};

			buf_adds(&longer, "T");
			buf_add(&longer, to->p ? to->p : "", to->n);
			buf_free(to);
			*to = longer;
		} else if (len < full) {
			buf_add(to, line, (size_t)len - 2);
			buf_adds(to, "\r\n");
		} else {
			buf_add(to, line, (size_t)len);
		}
		done += len;
	}
	return 0;
}
