#include "admin-ui/page/page_args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_time.h"
#include "admin-ui/page/tmpl_text.h"
#include "gateway/base/encode.h"
#include "gateway/base/mem.h"

enum { WORD_MAX = 80 };

const char *page_args_field(const struct page_request *rq, const char *name)
{
	/* a segment that is compared with NULL makes the analyzer think of no request:
	 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	const json_t *v = rq->query ? json_object_get(rq->query, name) : NULL;
	const char *s;

	if (json_is_array(v))
		v = json_array_get(v, json_array_size(v) - 1);
	s = json_string_value(v);
	return s ? s : "";
}

bool page_args_asked(const struct page_question *q, const struct page_request *rq)
{
	if (q->may == PAGE_OPERATORS && rq->role < PAGE_OPERATOR)
		return false;
	return !q->when || page_args_field(rq, q->when)[0] != '\0';
}

/* One word of the table, taken apart. */
struct word {
	char name[WORD_MAX], source[WORD_MAX];
	char kind; /* 0 text, '#', '!', '*', '@', '&' */
};

/* The next word, or NULL at the end. */
static const char *next_word(const char *p, struct word *w)
{
	size_t n, eq;

	p += strspn(p, " ");
	n = strcspn(p, " ");
	eq = strcspn(p, "=");
	if (n == 0 || eq >= n || eq >= WORD_MAX || n - eq > WORD_MAX)
		return NULL;
	memcpy(w->name, p, eq);
	w->name[eq] = '\0';
	memcpy(w->source, p + eq + 1, n - eq - 1);
	w->source[n - eq - 1] = '\0';
	w->kind = '\0';
	if (eq > 1 && strchr("#!*@&", w->name[eq - 1])) {
		w->kind = w->name[eq - 1];
		w->name[eq - 1] = '\0';
	}
	return p + n;
}

/* The text that a source stands for, NULL: none is given. */
static const char *text_of(struct word *w, const struct page_request *rq)
{
	size_t n = strlen(w->source);
	const char *s;

	if (strcmp(w->source, "{}") == 0)
		return rq->segments[0];
	if (strcmp(w->source, "{2}") == 0)
		return rq->segments[1];
	if (w->source[0] != '?')
		return w->source;
	if (w->source[n - 1] == ':') {
		w->source[n - 1] = '\0';
		return page_args_field(rq, w->source + 1);
	}
	s = page_args_field(rq, w->source + 1);
	return s[0] ? s : NULL;
}

/* "rule.name" is the member name of the object rule. */
static void put(json_t *args, const char *name, json_t *v)
{
	const char *dot = strchr(name, '.');
	char outer[WORD_MAX];
	json_t *o;

	if (!dot) {
		page_json_set(args, name, v);
		return;
	}
	(void)snprintf(outer, sizeof outer, "%.*s", (int)(dot - name), name);
	o = json_object_get(args, outer);
	if (!o) {
		o = json_object();
		page_json_set(args, outer, o);
	}
	put(o, dot + 1, v);
}

static int add_number(json_t *args, const struct word *w, const char *s, struct problem *pr)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(s, &end, 10);
	if (s[0] < '0' || s[0] > '9' || *end || errno)
		return problem_perm(pr, "\"%.60s\" is a whole number", w->name);
	put(args, w->name, json_integer(v));
	return 0;
}

static int add_time(json_t *args, const struct word *w, const char *s, struct problem *pr)
{
	char whole[32];
	int64_t t = -1;

	if (strlen(s) == 10 || strlen(s) == 16 || strlen(s) == 19) {
		(void)snprintf(whole, sizeof whole, "%s%sZ", s, &"T00:00:00"[strlen(s) - 10]);
		t = page_time_read(whole);
	}
	if (t < 0)
		return problem_perm(pr, "\"%.60s\" is a time in UTC, such as 2026-11-22T02:05", w->name);
	put(args, w->name, json_integer(t));
	return 0;
}

/* A file that was sent, else what was typed into the field NAME-text. */
static int add_octets(json_t *args, const struct word *w, const struct page_request *rq)
{
	const char *file = page_args_field(rq, w->source + 1), *text;
	char name[WORD_MAX + 8], *b64;
	size_t n;

	if (file[0]) {
		put(args, w->name, page_json_text(file));
		return 0;
	}
	(void)snprintf(name, sizeof name, "%s-text", w->source + 1);
	text = page_args_field(rq, name);
	n = strlen(text);
	if (n == 0)
		return 0;
	b64 = mem_raw(4 * ((n + 2) / 3) + 1);
	(void)encode_b64((const uint8_t *)text, n, b64);
	put(args, w->name, page_json_text(b64));
	free(b64);
	return 0;
}

static void add_list(json_t *args, const struct word *w, const struct page_request *rq)
{
	/* a segment that is compared with NULL makes the analyzer think of no request:
	 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	const json_t *v = rq->query ? json_object_get(rq->query, w->source + 1) : NULL, *e;
	json_t *list = json_array();
	size_t i;

	if (json_is_string(v))
		page_json_add(list, json_string(json_string_value(v)));
	json_array_foreach(v, i, e) if (json_is_string(e)) page_json_add(list, json_string(json_string_value(e)));
	put(args, w->name, list);
}

static int add(json_t *args, struct word *w, const struct page_request *rq, struct problem *pr)
{
	const char *s;

	if (w->kind == '*') {
		add_list(args, w, rq);
		return 0;
	}
	if (w->kind == '&')
		return add_octets(args, w, rq);
	s = text_of(w, rq);
	if (w->kind == '!') {
		put(args, w->name, json_boolean(s && s[0] && strcmp(s, "0") != 0));
		return 0;
	}
	if (!s)
		return 0;
	if (w->kind == '#')
		return add_number(args, w, s, pr);
	if (w->kind == '@')
		return add_time(args, w, s, pr);
	put(args, w->name, page_json_text(s));
	return 0;
}

json_t *page_args(const struct page_question *q, const struct page_request *rq, struct problem *pr)
{
	json_t *args = json_object();
	struct word w;

	for (const char *p = q->args ? q->args : ""; (p = next_word(p, &w));)
		if (add(args, &w, rq, pr) < 0) {
			json_decref(args);
			return NULL;
		}
	return args;
}

int page_args_then(const struct page_action *a, const struct page_request *rq, struct buf *out)
{
	for (const char *p = a->then; *p;) {
		size_t n = strcspn(p, "{"), hole = strcspn(p + n, "}");
		struct word w = {.kind = '\0'};
		const char *s;

		if (buf_add(out, p, n))
			return -1;
		p += n;
		if (!*p)
			break;
		if (hole + 1 >= WORD_MAX)
			return -1;
		memcpy(w.source, p, hole + 1);
		if (w.source[1] == '?') { /* without the braces, as in the arguments */
			memmove(w.source, w.source + 1, hole);
			w.source[hole - 1] = '\0';
		}
		s = text_of(&w, rq);
		if (s && tmpl_text_url(s, strlen(s), out))
			return -1;
		p += hole + 1;
	}
	return 0;
}
