#include "interop/kit/step_end.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "interop/kit/mime.h"

void step_outcome(struct play *p, const struct stmt *st)
{
	const char *is = stmt_attribute(st, "is", "");
	enum side side;
	char **to;
	size_t n;

	if (play_side(p, st, &side) < 0)
		return;
	to = play_list(p, st, stmt_attribute(st, "to", side == INSIDE ? "user@{own}" : "bob@{p}"), &n);
	for (size_t i = 0; to && i < n; i++) {
		/* what has to come is waited for; where nothing may come, too, the settling suffices */
		if (play_code(p, to[i]) / 100 == 2 && !text_is_word_in("none", is))
			sink_wait(p->s->sink, side, to[i], p->began, p->s->kit->within_ms, play_fits, p->s);
		play_later(p, st, side, to[i], 0);
	}
	play_list_free(to, n);
}

void step_never(struct play *p, const struct stmt *st)
{
	enum side side;
	char **to;
	size_t n;

	if (play_side(p, st, &side) < 0)
		return;
	to = play_list(p, st, stmt_attribute(st, "to", side == INSIDE ? "user@{own}" : "bob@{p}"), &n);
	for (size_t i = 0; to && i < n; i++)
		play_later(p, st, side, to[i], 0);
	play_list_free(to, n);
}

static const char *kind_of(struct play *p, const struct mail *m)
{
	return m->side == OUTSIDE ? expect_kind(p->s, m) : mark_names[expect_mark(p->s, m)];
}

/* One part: message/delivery-status says failed (RFC 3464 2.3.3). */
static void look_for_failed(const struct mime *m, const struct buf *body, void *failed)
{
	for (const char *p = body->p; !strcmp(m->type, "message/delivery-status") && p && *p;
	     p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
		if (!strncasecmp(p, "Action:", 7) && !strncasecmp(p + 7 + strspn(p + 7, " \t"), "failed", 6))
			*(bool *)failed = true;
}

/* Did the sender get a delivery report that names the recipient, and says that it failed for one? */
static bool is_report(const struct mail *m, void *to)
{
	bool failed = false;

	if (!play_has(m, "multipart/report") || !play_has(m, to))
		return false;
	mime_leaves(m->data.p, m->data.n, look_for_failed, &failed);
	return failed;
}

static bool was_returned(struct play *p, const struct later *l)
{
	char *from = text_make("alice@%s", p->s->kit->gateway_domain);
	bool is = l->side == OUTSIDE && sink_wait(p->s->sink, INSIDE, from, 0, 0, is_report, l->to);

	free(from);
	return is;
}

static void end_outcome(struct play *p, const struct later *l)
{
	const char *is = stmt_attribute(l->stmt, "is", ""), *kind = l->code / 100 == 5	 ? "refused"
								    : l->code / 100 != 2 ? "deferred"
											 : "none";
	const struct mail *m = NULL;
	unsigned after = l->after;
	size_t came = 0;

	while ((m = sink_wait(p->s->sink, l->side, l->to, after, 0, play_fits, p->s))) {
		if (l->side == INSIDE && expect_marks(p->s, l->stmt->line) < 0)
			return;
		kind = kind_of(p, m);
		p->s->unmarked = p->s->unmarked || (l->side == INSIDE && strcmp(kind, mark_names[MARK_NONE]) == 0);
		came++;
		after = m->number;
		scene_keep(p->s, "outcome.eml", m->data.p, m->data.n);
		scene_found(p->s, text_is_word_in(kind, is) ? PASSED : FAILED, l->stmt->line,
		    "the message for %s came as %s; allowed: %s", l->to, kind, is);
		if (l->stmt->n_below > 0)
			expect_message(p->s, l->stmt, m, &p->sent);
	}
	if (came == 0 && !strcmp(kind, "none") && was_returned(p, l))
		kind = "returned";
	if (came == 0)
		scene_found(p->s, text_is_word_in(kind, is) ? PASSED : FAILED, l->stmt->line,
		    "nothing came for %s, it was answered %d: %s; allowed: %s", l->to, l->code, kind, is);
}

static void end_never(struct play *p, const struct later *l)
{
	struct buf why = {0};
	const char *containing = stmt_attribute(l->stmt, "containing", NULL);
	char *text = containing ? scene_text(p->s, containing, &why) : NULL;
	const struct mail *m;
	unsigned after = l->after;
	size_t found = 0;

	while ((m = sink_wait(p->s->sink, l->side, l->to, after, 0, containing ? NULL : play_fits, p->s))) {
		after = m->number;
		/* line ends are looked for as they go over the wire */
		if (text &&
		    !(strpbrk(text, "\r\n") ? octets_find(m->data.p, m->data.n, text) != NULL : play_has(m, text)))
			continue;
		found++;
		scene_keep(p->s, "never.eml", m->data.p, m->data.n);
	}
	if (containing && !text)
		scene_found(p->s, NOT_RUN, l->stmt->line, "%s", why.p);
	else
		scene_found(p->s, found ? FAILED : PASSED, l->stmt->line,
		    "%zu messages for %s%s%s that must not come %s", found, l->to, text ? " with " : "",
		    text ? text : "", l->side == INSIDE ? "inside" : "outside");
	free(text);
	buf_free(&why);
}

static void end_once(struct play *p, const struct later *l)
{
	const struct mail *m = sink_wait(p->s->sink, l->side, l->to, l->accepted, 0, play_fits, p->s);

	if (m && *play_seen(p, l->side, l->to) >= m->number)
		m = NULL; /* another await of the case took it */
	scene_found(p->s, m ? FAILED : PASSED, l->stmt->line,
	    m ? "a second message for %s came" : "no second message for %s came", l->to);
}

void steps_end(struct play *p)
{
	for (size_t i = 0; i < p->n_later; i++) {
		const struct later *l = &p->later[i];

		if (!strcmp(l->stmt->verb, "outcome"))
			end_outcome(p, l);
		else if (!strcmp(l->stmt->verb, "never"))
			end_never(p, l);
		else
			end_once(p, l);
	}
}
