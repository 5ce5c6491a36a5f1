/* A network in a table: what each question is answered with, and a run over it. Header only; the caller includes
 * Check before. */
#ifndef POSTERN_TESTS_UNIT_SOURCE_FIXTURE_H
#define POSTERN_TESTS_UNIT_SOURCE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/source.h"
#include "certstore/trace.h"

#define SOURCE_FIXTURE_MAX 40
/* Questions as "lab.example CERT", "ldap://h:389 bob@lab.example", "http://...". What is not there is NONE, of the
 * zone that is unsigned. */
struct source_fixture {
	struct {
		char key[400];
		struct source_answer a;
		bool late; /* pending the first time that it is asked for */
	} v[SOURCE_FIXTURE_MAX];
	size_t n;
	struct source_answer none;
	char asked[4000]; /* every question, once, in order, between newlines */
	struct source_run run;
	struct trace trace;
	unsigned runs;
};

static inline const char *source_fixture_key(const struct source_ask *a, char out[400])
{
	static const struct {
		unsigned type;
		const char *word;
	} types[] = {{16, "TXT"}, {33, "SRV"}, {37, "CERT"}, {53, "SMIMEA"}};

	if (a->kind == SOURCE_LDAP)
		snprintf(out, 400, "%.100s %.250s", a->directory[0] ? a->directory : a->name, a->mail);
	else
		snprintf(out, 400, "%.380s", a->name);
	for (size_t i = 0; a->kind == SOURCE_DNS && i < 4; i++)
		if (types[i].type == a->type)
			snprintf(out + strlen(out), 400 - strlen(out), " %s", types[i].word);
	return out;
}

static inline const struct source_answer *source_fixture_get(struct source_run *r, const struct source_ask *a)
{
	struct source_fixture *f = r->ctx;
	char key[400], line[402];

	source_fixture_key(a, key);
	snprintf(line, sizeof line, "\n%s\n", key);
	if (!f->asked[0])
		strcpy(f->asked, "\n");
	if (!strstr(f->asked, line) && strlen(f->asked) + strlen(line) < sizeof f->asked)
		strcat(f->asked, line + 1);
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].key, key) == 0) {
			if (f->v[i].late && f->runs == 0)
				return NULL;
			return &f->v[i].a;
		}
	return &f->none;
}

static inline void source_fixture_start(struct source_fixture *f)
{
	memset(f, 0, sizeof *f);
	source_answer_set(&f->none, SOURCE_NONE, "nothing there");
}

static inline void source_fixture_end(struct source_fixture *f)
{
	trace_clear(&f->trace);
}

static inline struct source_run *source_fixture_run(struct source_fixture *f, int64_t now)
{
	trace_restart(&f->trace);
	f->run = (struct source_run){.get = source_fixture_get, .ctx = f, .max = 100, .now = now, .trace = &f->trace};
	return &f->run;
}

/* The answer to a question, made when it is not there. */
static inline struct source_answer *source_fixture_at(struct source_fixture *f, const char *key)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].key, key) == 0)
			return &f->v[i].a;
	ck_assert_uint_lt(f->n, SOURCE_FIXTURE_MAX);
	snprintf(f->v[f->n].key, sizeof f->v[0].key, "%s", key);
	source_answer_set(&f->v[f->n].a, SOURCE_FOUND, "found");
	return &f->v[f->n++].a;
}

static inline void source_fixture_late(struct source_fixture *f, const char *key)
{
	struct source_answer *a = source_fixture_at(f, key);

	for (size_t i = 0; i < f->n; i++)
		if (&f->v[i].a == a)
			f->v[i].late = true;
}

static inline void source_fixture_temp(struct source_fixture *f, const char *key, enum source_dnssec dnssec)
{
	struct source_answer *a = source_fixture_at(f, key);

	source_answer_set(a, SOURCE_TEMP, "no answer in time");
	a->dnssec = dnssec;
}

/* One more item; p must live as long as the fixture. */
static inline void source_fixture_item(
    struct source_fixture *f, const char *key, const char *attribute, const void *p, size_t n)
{
	struct source_answer *a = source_fixture_at(f, key);
	struct source_item *it = &a->items[a->n++];

	ck_assert_uint_le(a->n, SOURCE_ITEMS_MAX);
	it->p = p;
	it->n = n;
	snprintf(it->attribute, sizeof it->attribute, "%s", attribute);
}

/* A step of the trace whose place, query or answer has the text. */
static inline bool source_fixture_traced(const struct source_fixture *f, const char *text)
{
	for (size_t i = 0; i < f->trace.n; i++)
		if (strstr(f->trace.v[i].place, text) || strstr(f->trace.v[i].query, text) ||
		    strstr(f->trace.v[i].answer, text))
			return true;
	return false;
}

#endif
