#include "interop/kit/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of a header field in the outermost header, one line of it; NULL: not there. */
static const char *header_line(const struct mail *m, const char *name, size_t *n)
{
	size_t len = strlen(name);

	for (const char *p = m->data.p, *end = p + m->data.n; p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		stop = stop ? stop : end;
		if (stop - p <= 1)
			return NULL;
		if ((size_t)(stop - p) > len && !strncasecmp(p, name, len) && p[len] == ':') {
			*n = (size_t)(stop - p) - len - 1;
			return p + len + 1;
		}
		p = stop + 1;
	}
	return NULL;
}

bool play_fits(const struct mail *m, void *scene)
{
	struct scene *s = scene;
	size_t n;
	const char *id, *mark;
	char *own;
	bool other;

	if (octets_find(m->data.p, m->data.n, s->nonce))
		return true;
	if (m->side == INSIDE)
		return false;
	/* sealed mail may hide everything; a Message-ID of this kit with another run's nonce shows it is not ours */
	id = header_line(m, "Message-ID", &n);
	own = text_make(".%s@", s->c->id);
	mark = id ? octets_find(id, n, own) : NULL;
	other = mark != NULL;
	free(own);
	return !other;
}

unsigned *play_seen(struct play *p, enum side side, const char *to)
{
	for (size_t i = 0; i < p->n_seen; i++)
		if (p->seen[i].side == side && !strcasecmp(p->seen[i].to, to))
			return &p->seen[i].number;
	p->seen = need_more(p->seen, (p->n_seen + 1) * sizeof(*p->seen));
	p->seen[p->n_seen] = (struct seen){side, text_copy(to), p->began};
	return &p->seen[p->n_seen++].number;
}

int play_side(struct play *p, const struct stmt *st, enum side *side)
{
	const char *w = stmt_word(st, 0, "");

	*side = !strcmp(w, "inside") ? INSIDE : OUTSIDE;
	if (*side == OUTSIDE && strcmp(w, "outside") != 0) {
		scene_found(p->s, NOT_RUN, st->line, "%s needs \"outside\" or \"inside\"", st->verb);
		return -1;
	}
	return 0;
}

void play_list_free(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

char **play_list(struct play *p, const struct stmt *st, const char *value, size_t *n)
{
	struct buf why = {0};
	char *text = scene_text(p->s, value, &why), **list = NULL;

	*n = 0;
	if (!text) {
		scene_found(p->s, NOT_RUN, st->line, "%s", why.p);
		buf_free(&why);
		return NULL;
	}
	for (const char *at = text; *n < RECIPIENTS_OF_STEP_MAX; at += strcspn(at, ",") + 1) {
		list = need_more(list, (*n + 1) * sizeof(*list));
		list[(*n)++] = text_cut(at, strcspn(at, ","));
		if (!strchr(at, ','))
			break;
	}
	free(text);
	return list;
}

static bool one_fits(int code, const char *w, size_t n)
{
	static const char digits[] = "245";
	char number[16];

	if (n == 3 && !strncmp(w, "any", 3))
		return true;
	if (n == 7 && !strncmp(w, "refused", 7))
		return code / 100 == 4 || code / 100 == 5;
	if (n == 6 && !strncmp(w, "closed", 6))
		return code == 0 || code == 421;
	if (n == 3 && strchr(digits, w[0]) && w[1] == 'x')
		return code / 100 == w[0] - '0';
	snprintf(number, sizeof(number), "%d", code);
	return strlen(number) == n && !strncmp(number, w, n);
}

bool play_code_fits(int code, const char *wanted)
{
	for (const char *p = wanted; *p;) {
		size_t n = strcspn(p, ",");

		if (one_fits(code, p, n))
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

void play_reply(struct play *p, const struct stmt *st, const char *without)
{
	const char *wanted = stmt_attribute(st, "reply", without);
	bool fits = play_code_fits(p->reply.code, wanted);
	size_t n = p->reply.text.p ? strcspn(p->reply.text.p, "\r\n") : 0;

	if (p->reply.code == 0)
		scene_found(p->s, fits ? PASSED : FAILED, st->line,
		    "%s: the gateway closed the connection; wanted: %s", st->verb, wanted);
	else
		scene_found(p->s, fits ? PASSED : FAILED, st->line, "%s: answered \"%.*s\"; wanted: %s", st->verb,
		    (int)n, p->reply.text.p ? p->reply.text.p : "", wanted);
}

int play_code(const struct play *p, const char *to)
{
	for (size_t i = 0; i < p->n_to; i++)
		if (!strcasecmp(p->to[i], to))
			return p->codes[i];
	return p->reply.code;
}

void play_later(struct play *p, const struct stmt *st, enum side side, const char *to, unsigned accepted)
{
	p->later = need_more(p->later, (p->n_later + 1) * sizeof(*p->later));
	p->later[p->n_later++] = (struct later){st, side, text_copy(to), play_code(p, to), p->began, accepted};
}
