/*
 * Rendering, see the header. A template is read anew each time: the tags are few and the text is short. Sections that
 * are not shown are passed over by the same reading with nothing written.
 */
#include "admin-ui/page/tmpl.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "admin-ui/page/tmpl_text.h"

enum { NAME_MAX_ = 80, NUMBER_MAX = 40 };

struct render {
	tmpl_find *find;
	const json_t *around[TMPL_DEPTH + 1]; /* the models, innermost last */
	size_t n;
	unsigned depth;
	struct buf *out;
	struct problem *pr;
};

struct tag {
	char kind; /* 0: the value */
	char name[NAME_MAX_];
};

/* A template in reading. */
struct text {
	const char *name, *p, *end;
};

static int wrong(struct render *r, const struct text *t, const char *what)
{
	return problem_perm(r->pr, "template %.60s: %s", t->name, what);
}

/* ---- values ---- */

static const json_t *member(const json_t *o, const char *name, size_t n)
{
	char key[NAME_MAX_];

	if (n >= sizeof key)
		return NULL;
	memcpy(key, name, n);
	key[n] = '\0';
	return json_object_get(o, key);
}

const json_t *tmpl_value(const json_t *model, const char *name)
{
	const json_t *v = model;

	while (v && *name) {
		size_t n = strcspn(name, ".");

		v = member(v, name, n);
		name += n;
		name += *name == '.';
	}
	return v;
}

static const json_t *look_up(const struct render *r, const char *name)
{
	size_t first = strcspn(name, ".");

	if (strcmp(name, ".") == 0)
		return r->around[r->n - 1];
	for (size_t i = r->n; i-- > 0;)
		if (member(r->around[i], name, first))
			return tmpl_value(r->around[i], name);
	return NULL;
}

int tmpl_is(const json_t *v)
{
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_TRUE:
		return 1;
	case JSON_STRING:
		return json_string_length(v) > 0;
	case JSON_INTEGER:
		return json_integer_value(v) != 0;
	case JSON_REAL:
		return json_real_value(v) < 0 || json_real_value(v) > 0;
	case JSON_ARRAY:
		return json_array_size(v) > 0;
	case JSON_OBJECT:
		return json_object_size(v) > 0;
	default:
		return 0;
	}
}

/* The text of a value; what has none is "". */
static const char *text_of(const json_t *v, char number[NUMBER_MAX], size_t *n_r)
{
	number[0] = '\0';
	if (json_is_string(v)) {
		*n_r = json_string_length(v);
		return json_string_value(v);
	}
	if (json_is_integer(v))
		(void)snprintf(number, NUMBER_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		(void)snprintf(number, NUMBER_MAX, "%.6g", json_real_value(v));
	else if (json_is_boolean(v))
		(void)snprintf(number, NUMBER_MAX, "%s", json_is_true(v) ? "yes" : "no");
	*n_r = strlen(number);
	return number;
}

static int put_value(struct render *r, const struct text *t, const struct tag *tag)
{
	const json_t *v = look_up(r, tag->name);
	char number[NUMBER_MAX];
	size_t n;
	const char *s = text_of(v, number, &n);
	int rc;

	if (tag->kind == '%')
		rc = tmpl_text_url(s, n, r->out);
	else if (tag->kind == '|')
		rc = tmpl_text_html(s, n, n, TMPL_TEXT_LINES, r->out);
	else
		rc = tmpl_text_html(s, n, TMPL_SHOWN, TMPL_TEXT_ONE_LINE, r->out);
	return rc ? wrong(r, t, "the page is longer than pages may be") : 0;
}

/* ---- tags ---- */

/* The text up to the next tag goes to out, unless silent. 1: a tag, 0: the end, -1. */
static int next_tag(struct render *r, struct text *t, bool silent, struct tag *tag_r)
{
	const char *open = memmem(t->p, (size_t)(t->end - t->p), "{{", 2), *close;
	size_t n = (size_t)((open ? open : t->end) - t->p);

	if (!silent && buf_add(r->out, t->p, n))
		return wrong(r, t, "the page is longer than pages may be");
	t->p += n;
	if (!open)
		return 0;
	close = memmem(open, (size_t)(t->end - open), "}}", 2);
	if (!close)
		return wrong(r, t, "a tag does not end");
	t->p = close + 2;
	open += 2;
	tag_r->kind = open < close && strchr("#^/>%|!", *open) ? *open++ : '\0';
	n = (size_t)(close - open);
	if (tag_r->kind == '!')
		n = 0;
	else if (n == 0 || n >= sizeof tag_r->name)
		return wrong(r, t, "a tag without a name, or with too long a one");
	memcpy(tag_r->name, open, n);
	tag_r->name[n] = '\0';
	return 1;
}

static int go_deeper(struct render *r, const struct text *t)
{
	return ++r->depth > TMPL_DEPTH ? wrong(r, t, "too many sections within each other") : 0;
}

static int text_until(struct render *r, struct text *t, const char *section, bool silent);

/* The section that begins at t for one model; t is then behind it. */
static int one(struct render *r, struct text *t, const char *section, const json_t *model)
{
	int rc;

	r->around[r->n++] = model;
	rc = text_until(r, t, section, false);
	r->n--;
	return rc;
}

static int each(struct render *r, struct text *t, const char *section, const json_t *array)
{
	struct text again = *t;
	const json_t *e;
	size_t i;

	json_array_foreach(array, i, e)
	{
		*t = again;
		if (one(r, t, section, e))
			return -1;
	}
	return 0;
}

static int section(struct render *r, struct text *t, const struct tag *tag)
{
	const json_t *v = look_up(r, tag->name);
	bool show = tmpl_is(v) == (tag->kind == '#');
	int rc;

	if (go_deeper(r, t))
		return -1;
	if (!show || tag->kind == '^')
		rc = text_until(r, t, tag->name, !show);
	else if (json_is_array(v))
		rc = each(r, t, tag->name, v);
	else
		rc = one(r, t, tag->name, v);
	r->depth--;
	return rc;
}

static int file(struct render *r, const struct text *from, const char *name)
{
	size_t n;
	const char *p = r->find(name, &n);
	struct text t = {.name = name, .p = p};
	int rc;

	if (!p)
		return wrong(r, from, "it names a template that there is not");
	t.end = p + n;
	if (go_deeper(r, from))
		return -1;
	rc = text_until(r, &t, NULL, false);
	r->depth--;
	return rc;
}

static int one_tag(struct render *r, struct text *t, const struct tag *tag, bool silent)
{
	if (tag->kind == '!')
		return 0;
	if ((tag->kind == '#' || tag->kind == '^') && silent) {
		int rc = go_deeper(r, t) ? -1 : text_until(r, t, tag->name, true);

		r->depth--;
		return rc;
	}
	if (tag->kind == '#' || tag->kind == '^')
		return section(r, t, tag);
	if (silent)
		return 0;
	return tag->kind == '>' ? file(r, t, tag->name) : put_value(r, t, tag);
}

/* Up to the end of the section, or of the file (NULL). */
static int text_until(struct render *r, struct text *t, const char *section_name, bool silent)
{
	struct tag tag = {.kind = 0};
	int rc;

	while ((rc = next_tag(r, t, silent, &tag)) > 0) {
		if (tag.kind == '/') {
			if (section_name && strcmp(tag.name, section_name) == 0)
				return 0;
			return wrong(r, t, "a section ends that is not open");
		}
		if (one_tag(r, t, &tag, silent))
			return -1;
	}
	if (rc == 0 && section_name)
		return wrong(r, t, "a section does not end");
	return rc;
}

int tmpl_render(tmpl_find *find, const char *name, const json_t *model, struct buf *out, struct problem *pr)
{
	struct render r = {.find = find, .around = {model}, .n = 1, .out = out, .pr = pr};
	struct text none = {.name = name};

	return file(&r, &none, name);
}
