/* Expectations about the message once all layers are off. */
#include "interop/kit/expectation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The message within: its own header, or, when only its MIME entity was sealed, the header outside as well. */
struct inner {
	struct mime entity, message; /* message: what is inside message/rfc822 (RFC 8551 3.1) */
	struct buf decoded;
	bool wrapped, protected; /* protected: RFC 9788 */
};

static bool open_inner(struct view *v, struct inner *in, struct buf *sentence)
{
	const struct judged *j = &v->seen->first;
	char *hp;

	*in = (struct inner){0};
	if (!j->whole) {
		buf_addf(sentence, "; the layers do not come off: %s",
		    j->broken ? j->broken : "no key of the case opens it");
		return false;
	}
	mime_read(j->content.p, j->content.n, &in->entity);
	hp = mime_type_parameter(&in->entity, "hp");
	in->protected = hp != NULL;
	free(hp);
	if (j->n > 0 && !strcmp(in->entity.type, "message/rfc822") &&
	    mime_decode(&in->entity, &in->decoded, NULL) == 0) {
		in->wrapped = true;
		mime_read(in->decoded.p, in->decoded.n, &in->message);
	}
	return true;
}

static void close_inner(struct inner *in)
{
	mime_free(&in->entity);
	mime_free(&in->message);
	buf_free(&in->decoded);
}

/* Decoded, runs of blanks as one. */
static char *readable(const char *value)
{
	struct buf words = {0}, out = {0};

	mime_words(value, &words);
	buf_add(&out, "", 0);
	for (size_t i = 0; i < words.n; i++) {
		bool blank = words.p[i] == ' ' || words.p[i] == '\t';

		if (!blank)
			buf_add(&out, words.p + i, 1);
		else if (out.n > 0 && out.p[out.n - 1] != ' ')
			buf_add(&out, " ", 1);
	}
	buf_free(&words);
	return out.p;
}

/* Is there a field with this text? Otherwise what is there is added to the sentence. */
static bool has_field(const struct mime *m, const char *name, const char *text, bool *any, struct buf *sentence)
{
	char *wanted = readable(text);
	bool yes = false;

	for (size_t i = 0; i < m->n && !yes; i++) {
		char *there;

		if (strcasecmp(m->fields[i].name, name) != 0)
			continue;
		there = readable(m->fields[i].value);
		yes = !strcmp(there, wanted);
		buf_addf(sentence, "; there is \"%.200s\"", there);
		*any = true;
		free(there);
	}
	free(wanted);
	return yes;
}

bool expect_inner_header(struct view *v, struct buf *sentence)
{
	struct inner in;
	bool any = false, yes;

	buf_addf(sentence, "wanted %s: \"%s\" inside", v->words[0], v->words[1]);
	if (!open_inner(v, &in, sentence))
		return false;
	yes = has_field(in.wrapped ? &in.message : &in.entity, v->words[0], v->words[1], &any, sentence);
	if (!any && !in.wrapped && !in.protected)
		yes = has_field(&v->outer, v->words[0], v->words[1], &any, sentence);
	if (!any)
		buf_adds(sentence, "; there is none");
	close_inner(&in);
	return yes;
}

bool expect_outer_header(struct view *v, struct buf *sentence)
{
	bool any = false, yes;

	buf_addf(sentence, "wanted %s: \"%s\" outside", v->words[0], v->words[1]);
	yes = has_field(&v->outer, v->words[0], v->words[1], &any, sentence);
	if (!any)
		buf_adds(sentence, "; there is none");
	return yes;
}

static void not_whole(struct view *v, struct buf *sentence)
{
	buf_adds(sentence, "; but a multipart in it cannot be taken apart, and others may see more");
	v->not_run = true;
}

/* -1: it cannot be read; else whether the text is there. */
static int inside_has(struct view *v, const char *text, struct buf *sentence)
{
	struct buf all = {0};
	struct inner in;
	bool whole;
	int has;

	if (!open_inner(v, &in, sentence))
		return -1;
	whole = mime_flatten(v->seen->first.content.p, v->seen->first.content.n, &all);
	buf_add(&all, v->seen->first.content.p, v->seen->first.content.n);
	if (!in.wrapped && !in.protected) {
		buf_add(&all, v->outer.all, (size_t)(v->outer.body - v->outer.all));
		for (size_t i = 0; i < v->outer.n; i++) {
			buf_addf(&all, "%s: ", v->outer.fields[i].name);
			mime_words(v->outer.fields[i].value, &all);
			buf_adds(&all, "\r\n");
		}
	}
	has = octets_find(all.p, all.n, text) != NULL;
	buf_addf(sentence, "; it is %s", has ? "there" : "not there");
	if (!has && !whole)
		not_whole(v, sentence);
	buf_free(&all);
	close_inner(&in);
	return has;
}

bool expect_inner_contains(struct view *v, struct buf *sentence)
{
	buf_addf(sentence, "wanted \"%.200s\" inside", v->words[0]);
	return inside_has(v, v->words[0], sentence) == 1;
}

bool expect_inner_lacks(struct view *v, struct buf *sentence)
{
	buf_addf(sentence, "wanted nothing like \"%.200s\" inside", v->words[0]);
	return inside_has(v, v->words[0], sentence) == 0;
}

bool expect_outer_lacks(struct view *v, struct buf *sentence)
{
	const struct buf *all = &v->seen->first.readable;
	bool there = octets_find(all->p, all->n, v->words[0]) != NULL;

	buf_addf(sentence, "wanted nothing like \"%.200s\" in what can be read without a key; it is %s", v->words[0],
	    there ? "there" : "not there");
	if (!there && v->seen->first.unread)
		not_whole(v, sentence);
	return !there;
}

/* --- the body --------------------------------------------------------------------------------------------------- */

/* Line ends as LF, none at the end: what a reader sees. */
static void add_text(struct buf *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '\r' || i + 1 == n || p[i + 1] != '\n')
			buf_add(out, p + i, 1);
	while (out->n > 0 && out->p[out->n - 1] == '\n')
		out->p[--out->n] = 0;
}

static void collect(const struct mime *m, const struct buf *body, void *arg)
{
	struct buf *all = arg, one = {0};

	(void)m;
	buf_add(&one, "", 0);
	add_text(&one, body->p, body->n);
	buf_add(all, one.p, one.n);
	buf_adds(all, "\n--\n");
	buf_free(&one);
}

static void wanted_body(struct view *v, struct buf *out)
{
	struct mime m;

	if (strcmp(v->words[0], "sent") != 0) {
		struct buf text = {0};

		buf_adds(&text, v->words[0]);
		collect(NULL, &text, out);
		buf_free(&text);
		return;
	}
	mime_read(v->sent->p, v->sent->n, &m);
	if (mime_value(&m, "From") || mime_value(&m, "Subject"))
		mime_leaves(v->sent->p, v->sent->n, collect, out);
	else
		collect(NULL, v->sent, out);
	mime_free(&m);
}

/* Where they part, and what stands there. */
static void add_difference(const struct buf *wanted, const struct buf *there, struct buf *sentence)
{
	size_t at = 0, from;

	while (at < wanted->n && at < there->n && wanted->p[at] == there->p[at])
		at++;
	from = at > 40 ? at - 40 : 0;
	buf_addf(sentence, "; from octet %zu on, wanted \"%.200s\", there is \"%.200s\"", from,
	    wanted->n > from ? wanted->p + from : "", there->n > from ? there->p + from : "");
}

bool expect_body_is(struct view *v, struct buf *sentence)
{
	struct buf wanted = {0}, there = {0};
	struct inner in;
	bool yes;

	buf_adds(sentence, !strcmp(v->words[0], "sent") ? "wanted the body that was sent" : "wanted a body");
	if (!strcmp(v->words[0], "sent") && !v->sent) {
		v->not_run = true;
		buf_adds(sentence, "; what was sent is not known");
		return false;
	}
	if (!open_inner(v, &in, sentence))
		return false;
	wanted_body(v, &wanted);
	mime_leaves(v->seen->first.content.p, v->seen->first.content.n, collect, &there);
	yes = wanted.n == there.n && wanted.n > 0 && memcmp(wanted.p, there.p, wanted.n) == 0;
	if (yes)
		buf_adds(sentence, "; it is there");
	else
		add_difference(&wanted, &there, sentence);
	buf_free(&wanted);
	buf_free(&there);
	close_inner(&in);
	return yes;
}
