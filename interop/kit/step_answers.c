#include "interop/kit/step_answers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/step_mail.h"

#define TIMES_MAX 200
#define MESSAGES_MAX 16

struct series {
	const char *name;
	struct buf *octets;
	int64_t us[TIMES_MAX];
	int code;
	struct buf text; /* the first answer, ids taken out */
	bool differs;	 /* within the series */
};

/* Words with a digit become "#", but for the codes in front: queue ids, times and hosts may differ. */
static void without_ids(const struct reply *r, struct buf *out)
{
	const char *p = r->text.p;

	buf_addf(out, "%d", r->code);
	p += p && strlen(p) > 3 ? 3 : 0;
	while (p && *p) {
		size_t n = strcspn(p, " \r\n"), digits = 0;
		bool enhanced = n >= 5 && n <= 9 && p[1] == '.' && isdigit((unsigned char)p[0]);

		for (size_t i = 0; i < n; i++)
			digits += isdigit((unsigned char)p[i]) != 0;
		if (digits > 0 && !enhanced)
			buf_adds(out, "#");
		else
			buf_add(out, p, n);
		p += n;
		if (*p)
			buf_add(out, p++, 1);
	}
	buf_add(out, "", 0);
}

static int once(struct play *p, const struct stmt *st, struct series *s, char **to, size_t n, const char *from,
    long i, struct buf *why)
{
	struct reply r = {0};
	struct buf text = {0};
	int rc = 0;

	if (smtp_send(p->s->kit->gateway_outside, p->s->kit->host, !strcmp(stmt_attribute(st, "tls", "no"), "yes"),
		from, to, n, s->octets->p, s->octets->n, &p->s->transcript, &r, NULL, &s->us[i], why) < 0)
		return -1;
	without_ids(&r, &text);
	if (s->us[i] == 0)
		rc = fail(why, "the gateway did not take the content of %s: %.200s", s->name,
		    r.text.p && r.text.n ? r.text.p : play_silence(&r));
	if (i == 0) {
		s->code = r.code;
		buf_add(&s->text, text.p, text.n);
	} else if (strcmp(s->text.p, text.p) != 0) {
		s->differs = true;
	}
	buf_free(&text);
	buf_free(&r.text);
	return rc;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The medians must lie within 5 ms, or within the quarters of each other's times. */
static bool same_time(const struct series *a, const struct series *b, long times)
{
	int64_t ma = a->us[times / 2], mb = b->us[times / 2], apart = ma > mb ? ma - mb : mb - ma;

	return apart <= 5000 || (mb >= a->us[times / 4] && mb <= a->us[times * 3 / 4]) ||
	       (ma >= b->us[times / 4] && ma <= b->us[times * 3 / 4]);
}

static void compare(struct play *p, const struct stmt *st, struct series *s, size_t n, long times)
{
	for (size_t i = 0; i < n; i++) {
		qsort(s[i].us, (size_t)times, sizeof(*s[i].us), by_size);
		scene_found(p->s, s[i].differs ? FAILED : PASSED, st->line,
		    "%s is answered the same each of %ld times, median %lld us: %.*s", s[i].name, times,
		    (long long)s[i].us[times / 2], (int)strcspn(s[i].text.p, "\r\n"), s[i].text.p);
	}
	for (size_t i = 1; i < n; i++) {
		scene_found(p->s, strcmp(s[0].text.p, s[i].text.p) ? FAILED : PASSED, st->line,
		    "%s and %s get the same answer", s[0].name, s[i].name);
		scene_found(p->s, same_time(&s[0], &s[i], times) ? PASSED : FAILED, st->line,
		    "%s and %s are answered after the same time: medians %lld and %lld us", s[0].name, s[i].name,
		    (long long)s[0].us[times / 2], (long long)s[i].us[times / 2]);
	}
}

static size_t collect(struct play *p, const struct stmt *st, char **names, size_t n, struct series *s)
{
	for (size_t i = 0; i < n; i++) {
		s[i].name = names[i];
		s[i].octets = step_octets(p, st, names[i]);
		if (!s[i].octets)
			return 0;
	}
	return n;
}

void step_same_answers(struct play *p, const struct stmt *st)
{
	struct series *s = need(MESSAGES_MAX * sizeof(*s));
	struct buf why = {0};
	char **names = NULL, **to = NULL, *from = scene_text(p->s, stmt_attribute(st, "from", "bob@{p}"), &why);
	size_t n = 0, n_to = 0, ready;
	long times;

	if (number_read(stmt_attribute(st, "times", "12"), 4, TIMES_MAX, &times) == 0 && from)
		names = play_list(p, st, stmt_word(st, 0, ""), &n);
	to = play_list(p, st, stmt_attribute(st, "to", "user@{own}"), &n_to);
	ready = names && to && n >= 2 && n <= MESSAGES_MAX ? collect(p, st, names, n, s) : 0;
	for (long t = 0; ready && t < times; t++)
		for (size_t i = 0; ready && i < n; i++)
			if (once(p, st, &s[(i + (size_t)t) % n], to, n_to, from, t, &why) < 0)
				ready = 0;
	if (ready)
		compare(p, st, s, n, times);
	else
		scene_found(p->s, NOT_RUN, st->line, "same-answers: %s",
		    why.n > 0 ? why.p : "needs 2 to 16 messages, and times from 4 to 200");
	for (size_t i = 0; i < MESSAGES_MAX; i++)
		buf_free(&s[i].text);
	play_list_free(names, n);
	play_list_free(to, n_to);
	free(from);
	free(s);
	buf_free(&why);
}
