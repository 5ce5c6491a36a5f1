#include "interop/kit/play.h"

#include "interop/kit/mime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool play_has(const struct mail *m, const char *text)
{
	struct buf seen = {0};
	bool has = octets_find(m->data.p, m->data.n, text);

	if (!has) {
		mime_flatten(m->data.p, m->data.n, &seen);
		has = octets_find(seen.p, seen.n, text);
		buf_free(&seen);
	}
	return has;
}

bool play_fits(const struct mail *m, void *scene)
{
	struct scene *s = scene;
	struct mime h;
	const char *id;
	char *own;
	bool fits;

	if (play_has(m, s->nonce))
		return true;
	if (m->side == INSIDE)
		return false;
	mime_read(m->data.p, m->data.n, &h);
	/* sealed mail may hide everything; a Message-ID of this kit with another run's nonce shows it is not ours */
	own = text_make(".%s@", s->c->id);
	id = mime_value(&h, "Message-ID");
	fits = !id || !strstr(id, own);
	free(own);
	mime_free(&h);
	return fits;
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

bool play_reply_fits(const struct reply *r, const char *wanted)
{
	return (r->code > 0 || r->closed) && play_code_fits(r->code, wanted);
}

const char *play_silence(const struct reply *r)
{
	return r->closed ? "the gateway closed the connection" : "the gateway gave no reply of SMTP in time";
}

void play_reply(struct play *p, const struct stmt *st, const char *without)
{
	const char *wanted = stmt_attribute(st, "reply", without);
	bool fits = play_reply_fits(&p->reply, wanted);
	size_t n = p->reply.text.p ? strcspn(p->reply.text.p, "\r\n") : 0;

	if (p->reply.code == 0)
		scene_found(p->s, fits ? PASSED : FAILED, st->line, "%s: %s; wanted: %s", st->verb,
		    play_silence(&p->reply), wanted);
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
