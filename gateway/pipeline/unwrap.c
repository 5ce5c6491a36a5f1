/*
 * Protected header fields of incoming mail: RFC 9788 4 (finding, weighing, showing), 4.10 and RFC 8551 3.1 (wrapped
 * messages), draft-autocrypt-lamps-protected-headers and draft-ietf-lamps-header-protection (older forms). Sealer.
 *
 * Whose word is shown: with a signature that is good and bound to the author inside, the fields inside. Of what was
 * only decrypted, anybody may be the author, as of mail in the clear: the fields inside as well, unless they name
 * another author than the outside (RFC 9788 4.4). With a signature that is not good, those outside; but a Subject
 * that was hidden is no better and no worse than the text under it, and is shown with it.
 */
#include "gateway/pipeline/unwrap.h"

#include <stdio.h>
#include <string.h>

#include "gateway/mail/legacy.h"
#include "gateway/mail/lex.h"
#include "gateway/mail/mime_facts.h"
#include "gateway/mail/protect.h"
#include "gateway/pipeline/work.h"

enum { RECIPIENTS_MAX = 1000, SAID_MAX = 400 };

static bool param_is(const struct mime_type *t, const char *name, const char *value)
{
	const char *p = mime_param(t, name);

	return p != NULL && lex_same(p, strlen(p), value);
}

/* ---- finding ---- */

static bool any_author_field(const struct header *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (protect_kind(&h->f[i]) == PROTECT_AUTHOR)
			return true;
	return false;
}

static bool same_field(const struct header *g, const struct header *h, const char *name)
{
	const struct header_field *x = header_find(g, name, 0), *y = header_find(h, name, 0);

	return x != NULL && y != NULL && protect_same(x, y);
}

static bool same_author(struct work *w, const struct header *inner)
{
	struct address a, b;

	return header_author(w->a, inner, &a, NULL) == 0 && header_author(w->a, &w->msg.header, &b, NULL) == 0 &&
	       address_same_nocase(&a, &b);
}

/*
 * A message/rfc822 alone under the layers is a wrapped message or one that somebody forwards. The sender may say
 * which (forwarded=no, protected-headers=wrapped); one who does not wraps his own message, under the identifier that
 * it has outside as well, or without one under the same date.
 */
static bool is_wrapped(struct work *w, const struct mime_type *t, const struct header *inner)
{
	if (param_is(t, "forwarded", "no") || param_is(t, "protected-headers", "wrapped"))
		return any_author_field(inner);
	if (mime_param(t, "forwarded") != NULL)
		return false;
	if (header_find(inner, "Message-ID", 0) != NULL && header_find(&w->msg.header, "Message-ID", 0) != NULL)
		return same_author(w, inner) && same_field(inner, &w->msg.header, "Message-ID");
	return same_author(w, inner) && same_field(inner, &w->msg.header, "Date");
}

/* TEMP is the machine's; what is wrong with the content only means that nothing is found. */
static int tried(struct work *w, const struct problem *pr)
{
	if (pr->cls != PROBLEM_TEMP)
		return 0;
	w->res->pr = *pr;
	return -1;
}

static int find_message(struct work *w)
{
	struct unwrap *u = &w->wrapped;
	const struct mime_entity *e = &w->shown;
	struct problem pr = {0};

	if (mime_entity_read(w->a, w->cur, e->body_off, e->body_len, &w->lim, &u->message, &pr) != 0)
		return tried(w, &pr);
	if (!is_wrapped(w, &e->type, &u->message.header))
		return 0;
	u->kind = UNWRAP_MESSAGE;
	u->inner = u->message.header;
	return 0;
}

/* Memory Hole: the fields may stand in a first part of type text/rfc822-headers instead of on the root. */
static int find_in_part(struct work *w)
{
	struct mime_range *parts;
	struct mime_entity e;
	struct header h;
	struct problem pr = {0};
	size_t n;

	if (mime_parts(w->a, w->cur, &w->shown, &w->lim, &parts, &n, &pr) != 0 ||
	    mime_entity_read(w->a, w->cur, parts[0].off, parts[0].len, &w->lim, &e, &pr) != 0)
		return tried(w, &pr);
	if (!mime_is(&e.type, "text", "rfc822-headers") || !param_is(&e.type, "protected-headers", "v1") ||
	    e.cte == MIME_CTE_BASE64 || e.cte == MIME_CTE_QP || e.cte == MIME_CTE_OTHER)
		return 0;
	if (header_read(w->a, w->cur, e.body_off, e.body_len, &w->lim.header, &h, &pr) != 0)
		return tried(w, &pr);

	struct header *in = &w->wrapped.inner;
	struct header_field *f = arena_alloc(w->a, (in->n + h.n) * sizeof(*f) + 1);

	n = 0;
	if (f == NULL)
		return 0;
	/* the entity's own Content-* fields alone say what it is: what is shown must be what was looked at */
	for (size_t i = 0; i < h.n; i++)
		if (protect_kind(&h.f[i]) == PROTECT_AUTHOR)
			f[n++] = h.f[i];
	memcpy(f + n, in->f, in->n * sizeof(*f));
	in->f = f;
	in->n += n;
	return 0;
}

static bool has_hp(const struct mime_type *t)
{
	return param_is(t, "hp", "cipher") || param_is(t, "hp", "clear");
}

/* Behind the last encryption among the first n layers; 0 when there is none. */
static size_t behind_encryption(const struct verdict *v, size_t n)
{
	while (n > 0 && !verdict_encrypts(&v->layers[n - 1]))
		n--;
	return n;
}

void unwrap_between(struct work *w)
{
	if (w->verdict.nlayers == 0 || !has_hp(&w->ent.type) || !any_author_field(&w->ent.header))
		return;
	w->between = w->ent;
	w->between_layers = w->verdict.nlayers;
}

static void find_between(struct work *w)
{
	struct unwrap *u = &w->wrapped;

	if (w->between_layers == 0)
		return;
	u->layers = w->between_layers;
	u->inner = w->between.header;
	u->kind = param_is(&w->between.type, "hp", "cipher") && behind_encryption(&w->verdict, u->layers) > 0
		      ? UNWRAP_CIPHER
		      : UNWRAP_CLEAR;
}

static int find(struct work *w)
{
	struct unwrap *u = &w->wrapped;
	const struct mime_entity *e = &w->shown;
	const struct mime_type *t = &e->type;
	int err = 0;

	u->inner = e->header;
	if (w->receipt) {
		/* signed is what lies in it: nothing vouches for the fields on it */
		if (w->between_layers + 1 != w->verdict.nlayers)
			find_between(w);
		return 0;
	}
	if (has_hp(t)) {
		/* hp="cipher" on what was not encrypted hides nothing */
		u->kind = param_is(t, "hp", "cipher") && w->facts.opened ? UNWRAP_CIPHER : UNWRAP_CLEAR;
	} else if (mime_facts_holds_message(e)) {
		err = find_message(w);
	} else if (param_is(t, "protected-headers", "v1") || param_is(t, "protected-headers", "injected")) {
		if (strcmp(t->type, "multipart") == 0 && !any_author_field(&u->inner))
			err = find_in_part(w);
		u->kind = UNWRAP_OLD;
	}
	if (u->kind != UNWRAP_NONE && !any_author_field(&u->inner))
		u->kind = UNWRAP_NONE;
	if (u->kind == UNWRAP_NONE)
		find_between(w);
	return err;
}

static int no_room(struct work *w)
{
	return problem_temp(&w->res->pr, "the header of the message does not fit into the memory of one job");
}

/* ---- weighing ---- */

/* The fields of h for which keep says yes; none past the arena. */
static struct header pick(
    struct work *w, const struct header *h, bool (*keep)(const struct work *w, const struct header_field *f))
{
	struct header p = {0};

	p.f = arena_alloc(w->a, (h->n + 1) * sizeof(*p.f));
	for (size_t i = 0; p.f != NULL && i < h->n; i++)
		if (keep(w, &h->f[i]))
			p.f[p.n++] = h->f[i];
	return p;
}

static bool is_author(const struct work *w, const struct header_field *f)
{
	(void)w;
	return protect_kind(f) == PROTECT_AUTHOR;
}

/* Without HP-Outer nobody knows what was put outside in place of what is hidden. */
static bool not_hidden(const struct work *w, const struct header_field *f)
{
	return is_author(w, f) && !protect_is_hidden(f);
}

static bool stands_outside(const struct work *w, const struct header_field *f)
{
	return not_hidden(w, f) && field_index_has(&w->wrapped.out, f);
}

/*
 * The older forms let a sender protect a few fields alone, as the Subject (mutt does). Of the others nothing is said
 * inside: those outside are what they are in mail that is signed without them. Nobody can take From away inside.
 */
static bool also_inside(const struct work *w, const struct header_field *f)
{
	return is_author(w, f) && field_index_has(&w->wrapped.in, f);
}

static struct header recorded(struct work *w)
{
	const struct header *h = &w->wrapped.inner;
	struct header p = {0};

	p.f = arena_alloc(w->a, (h->n + 1) * sizeof(*p.f));
	for (size_t i = 0; p.f != NULL && i < h->n; i++)
		if (protect_kind(&h->f[i]) == PROTECT_RECORD && protect_record_read(&h->f[i], &p.f[p.n]) == 0)
			p.n++;
	return p;
}

static void note_differs(struct work *w)
{
	struct unwrap *u = &w->wrapped;
	const struct header *in = &u->inner;
	struct header said, outside = w->msg.header;

	if (u->kind == UNWRAP_CIPHER) {
		said = recorded(w);
	} else if (u->kind == UNWRAP_CLEAR && !w->facts.opened) {
		said = pick(w, in, is_author);
	} else {
		said = pick(w, in, w->facts.opened ? stands_outside : is_author);
		outside = pick(w, &w->msg.header, w->facts.opened ? not_hidden : is_author);
	}
	if (w->wrapped.few)
		outside = pick(w, &outside, also_inside);
	(void)protect_differs(w->a, &outside, &said, u->differs, sizeof(u->differs));
}

static bool is_among(const struct address *a, const struct address *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (address_same_nocase(a, &list[i]))
			return true;
	return false;
}

static bool all_among(const struct work *w, const struct address *list, size_t n)
{
	for (size_t i = 0; i < w->rq->nrcpts; i++) {
		const char *text = w->rq->rcpts[i].address;
		struct address a;

		if (address_parse_utf8(text, strlen(text), &a, NULL) != 0 || !is_among(&a, list, n))
			return false;
	}
	return true;
}

/* Somebody who sends on what he got, in its envelope and with its signature, cannot write To anew. */
static void note_recipients(struct work *w)
{
	const struct header *in = &w->wrapped.inner;
	struct address *list;
	size_t n = 0;

	if (header_find(in, "To", 0) == NULL && header_find(in, "Cc", 0) == NULL)
		return;
	w->facts.recipients_signed = true;
	list = arena_alloc(w->a, RECIPIENTS_MAX * sizeof(*list));
	w->facts.recipient_bound =
	    list != NULL && header_recipients(w->a, in, list, RECIPIENTS_MAX, &n, NULL) == 0 && all_among(w, list, n);
}

/* One From inside counts for the one outside; more than one, or one that cannot be read, is nobody. */
static void note_from(struct work *w, bool is_signed)
{
	struct unwrap *u = &w->wrapped;
	struct problem pr = {0};
	char text[PROBLEM_TEXT_MAX];
	struct address a;

	if (header_find(&u->inner, "From", 0) == NULL)
		return;
	if (header_author(w->a, &u->inner, &a, &pr) != 0) {
		u->from_bad = true;
		if (is_signed && w->have_from && u->layers == 0) {
			w->have_from = false;
			snprintf(w->from_why, sizeof(w->from_why), "%.390s", problem_clause(&pr, text));
		}
		return;
	}
	u->from_differs = !w->have_from || !address_same_nocase(&a, &w->from);
	/* between layers stand the words of one signer, whom the verdict does not rest on */
	if (!is_signed || !w->have_from || u->layers > 0)
		return;
	w->from = a;
	snprintf(w->res->from_domain, sizeof(w->res->from_domain), "%s", a.domain);
}

/* What is asked of every field, answered once. */
static int look_up(struct work *w)
{
	struct unwrap *u = &w->wrapped;
	const struct header *in = &u->inner;

	u->few = header_find(in, "From", 0) == NULL;
	for (size_t i = 0; i < in->n; i++)
		u->typed |= protect_kind(&in->f[i]) == PROTECT_STRUCTURAL && !protect_type_made(&in->f[i]);
	if (field_index_make(w->a, in, FIELD_INDEX_NAME, &u->in) == 0 &&
	    field_index_make(w->a, &w->msg.header, FIELD_INDEX_NAME, &u->out) == 0 &&
	    field_index_make(w->a, &w->msg.header, FIELD_INDEX_OCTETS, &u->out_octets) == 0)
		return 0;
	return no_room(w);
}

int unwrap_read(struct work *w)
{
	bool is_signed = w->nsigners > 0 && !w->verdict.failed;

	memset(&w->wrapped, 0, sizeof(w->wrapped));
	/* the message itself: no layer was taken off, or it goes on as it came */
	if ((!w->facts.opened && w->nsigners == 0) || (w->cur == spool_reader(w->in) && w->shown.off == 0))
		return 0;
	if (find(w) != 0)
		return -1;
	if (w->wrapped.kind == UNWRAP_NONE)
		return 0;
	if (look_up(w) != 0)
		return -1;
	note_differs(w);
	note_from(w, is_signed);
	/* fields between layers are not covered by the signature that decides */
	if (is_signed && w->wrapped.layers == 0)
		note_recipients(w);
	return 0;
}

/* ---- showing ---- */

enum use { USE_OUTSIDE, USE_HIDDEN, USE_ALL };

/* A signature that is good lies around fields between layers, inside the encryption that they are in. */
static bool vouched(const struct work *w)
{
	const struct verdict *v = &w->verdict;
	size_t n = w->wrapped.layers, from = behind_encryption(v, n);

	for (size_t i = 0; i < v->nsigners; i++)
		if (v->signers[i].result == VERDICT_PASS && v->signers[i].layer >= from && v->signers[i].layer < n)
			return true;
	return false;
}

static enum use use_of(const struct work *w)
{
	const struct unwrap *u = &w->wrapped;

	if (u->kind == UNWRAP_NONE)
		return USE_OUTSIDE;
	if (w->facts.sig == POLICY_SIG_GOOD && w->facts.whole && !u->from_bad &&
	    (u->layers == 0 || (!u->from_differs && vouched(w))))
		return USE_ALL;
	if (!w->facts.opened)
		return USE_OUTSIDE;
	if (w->facts.sig == POLICY_SIG_NONE && !u->from_differs && !u->from_bad)
		return USE_ALL;
	return u->kind == UNWRAP_CLEAR ? USE_OUTSIDE : USE_HIDDEN;
}

const char *unwrap_says(struct work *w)
{
	static const char *const whose[] = {
	    [USE_OUTSIDE] = "protected, but those outside are shown: the signature does not vouch for them",
	    [USE_HIDDEN] = "those outside are shown, and what was hidden: the signature does not vouch for them",
	    [USE_ALL] = "protected"};
	const struct unwrap *u = &w->wrapped;
	char *text = arena_alloc(w->a, SAID_MAX);

	if (u->kind == UNWRAP_NONE || text == NULL)
		return "";
	(void)snprintf(text, SAID_MAX, "%s%s%s%s%s", whose[use_of(w)],
	    w->wrapped.few && use_of(w) == USE_ALL ? "; only some of them, the others are those outside" : "",
	    u->from_differs ? "; the author inside is not the one outside" : "",
	    u->differs[0] ? "; outside they are not as they were sent: " : "", u->differs);
	return text;
}

/* Not where the message comes with its own, or has nothing of MIME but what was added for the way. */
static bool needs_version(const struct work *w, const struct header_field *f)
{
	if (w->wrapped.layers > 0)
		return true;
	return w->wrapped.kind != UNWRAP_MESSAGE && !field_index_has(&w->wrapped.in, f) && w->wrapped.typed;
}

/* Of the fields outside: what relays wrote, and what nobody sees or answers by. */
static bool stays(const struct work *w, const struct header_field *f)
{
	switch (protect_kind(f)) {
	case PROTECT_TRACE:
		return true;
	case PROTECT_STRUCTURAL:
		return header_is(f, "MIME-Version") && needs_version(w, f);
	case PROTECT_SECRET:
	case PROTECT_RECORD:
		return false;
	case PROTECT_AUTHOR:
		break;
	}
	/* without a From inside, the one outside is whom the signer was bound to */
	return !field_index_has(&w->wrapped.in, f) && (!protect_is_shown(f) || w->wrapped.few);
}

/* Of the fields inside. Results of authentication are no sender's to give; trace that stands outside too was only
 * copied. */
static bool enters(const struct work *w, const struct header_field *f)
{
	switch (protect_kind(f)) {
	case PROTECT_TRACE:
		return !header_is(f, "Authentication-Results") && !field_index_has(&w->wrapped.out_octets, f);
	case PROTECT_RECORD:
		return false;
	case PROTECT_STRUCTURAL:
		return w->wrapped.layers == 0; /* of the layer, which is not shown */
	case PROTECT_AUTHOR:
	case PROTECT_SECRET:
		break;
	}
	return true;
}

static int without_marks(struct work *w, const struct unwrap_shown *s, struct header_field *f)
{
	struct header_field one = *f;

	if (!header_is(f, "Content-Type") || w->wrapped.kind == UNWRAP_MESSAGE)
		return 0;
	if (s->display.root && protect_type_cut(w->a, f, LEGACY_PARAM, &one) != 0)
		return -1;
	if (protect_type_cut(w->a, &one, "hp", f) != 0)
		return -1;
	one = *f;
	if (w->wrapped.kind != UNWRAP_OLD || one.raw_len == 0)
		return 0;
	return protect_type_cut(w->a, &one, "protected-headers", f);
}

/* Takes fields inside from *next on, up to and with the first of f's name; none when there is none. */
static int take_up_to(struct work *w, struct unwrap_shown *s, const struct header_field *f, size_t *next)
{
	const struct header *in = &w->wrapped.inner;
	struct header *h = &s->header;
	size_t end = f == NULL ? in->n : field_index_next(&w->wrapped.in, f, *next);

	if (f != NULL && end++ == in->n)
		return 0;
	for (; *next < end; (*next)++) {
		if (!enters(w, &in->f[*next]))
			continue;
		h->f[h->n] = in->f[*next];
		if (without_marks(w, s, &h->f[h->n]) != 0)
			return -1;
		h->n += h->f[h->n].raw_len > 0;
	}
	return 0;
}

/* The fields inside in their order; those outside that stay keep their places among them as far as these tell. */
static int show_all(struct work *w, struct unwrap_shown *s)
{
	const struct header *out = &w->msg.header;
	struct header *h = &s->header;
	size_t next = 0;

	for (size_t i = 0; i < out->n; i++) {
		if (stays(w, &out->f[i]))
			h->f[h->n++] = out->f[i];
		else if (protect_kind(&out->f[i]) == PROTECT_AUTHOR && take_up_to(w, s, &out->f[i], &next) != 0)
			return -1;
	}
	if (take_up_to(w, s, NULL, &next) != 0)
		return -1;
	s->whole = w->wrapped.layers == 0;
	if (w->wrapped.kind == UNWRAP_MESSAGE) {
		s->body_off = w->wrapped.message.body_off;
		s->body_len = w->wrapped.message.body_len;
	}
	return 0;
}

static void add_named(const struct field_index *in, const struct header_field *f, struct header *h)
{
	for (size_t i = field_index_next(in, f, 0); i < in->h->n; i = field_index_next(in, f, i + 1))
		h->f[h->n++] = in->h->f[i];
}

/* Each hidden field where its stand-in stood; those that had none at the end. */
static void show_hidden(struct work *w, struct unwrap_shown *s)
{
	const struct header *out = &w->msg.header, *in = &w->wrapped.inner;
	const struct unwrap *u = &w->wrapped;
	struct header *h = &s->header;

	for (size_t i = 0; i < out->n; i++) {
		if (!protect_is_hidden(&out->f[i]) || !field_index_has(&u->in, &out->f[i]))
			h->f[h->n++] = out->f[i];
		else if (field_index_next(&u->out, &out->f[i], 0) == i)
			add_named(&u->in, &out->f[i], h);
	}
	for (size_t i = 0; i < in->n; i++)
		if (protect_is_hidden(&in->f[i]) && !field_index_has(&u->out, &in->f[i]))
			h->f[h->n++] = in->f[i];
}

/* The entity's own fields without what was put there for the way; of a wrapped message its own, and its body. */
static int show_content(struct work *w, const struct mime_entity *e, struct unwrap_shown *s)
{
	const struct header *h = &e->header;

	if (w->wrapped.kind == UNWRAP_MESSAGE && e == &w->shown) {
		s->content = w->wrapped.message.header;
		s->body_off = w->wrapped.message.body_off;
		s->body_len = w->wrapped.message.body_len;
		return 0;
	}
	if (!has_hp(&e->type))
		return 0;
	s->content.n = 0;
	s->content.f = arena_alloc(w->a, (h->n + 1) * sizeof(*s->content.f));
	if (s->content.f == NULL)
		return -1;
	for (size_t i = 0; i < h->n; i++) {
		s->content.f[s->content.n] = h->f[i];
		if (header_is(&h->f[i], "Content-Type") &&
		    protect_type_cut(w->a, &h->f[i], "hp", &s->content.f[s->content.n]) != 0)
			return -1;
		s->content.n += s->content.f[s->content.n].raw_len > 0;
	}
	return 0;
}

int unwrap_show(struct work *w, const struct mime_entity *e, struct unwrap_shown *s_r)
{
	const struct header *out = &w->msg.header;
	enum use use = use_of(w);

	memset(s_r, 0, sizeof(*s_r));
	s_r->header = *out;
	s_r->content = e->header;
	s_r->body_off = e->body_off;
	s_r->body_len = e->body_len;
	s_r->whole = w->cur == spool_reader(w->in) && e->off == 0;
	if (use == USE_OUTSIDE)
		return 0;
	s_r->header.n = 0;
	s_r->header.f = arena_alloc(w->a, (out->n + w->wrapped.inner.n + 1) * sizeof(*s_r->header.f));
	if (s_r->header.f == NULL)
		return no_room(w);
	/* RFC 9788 4.5.3: it is for readers to whom the fields are not shown */
	if (w->wrapped.kind == UNWRAP_CIPHER && use == USE_ALL &&
	    display_cut(&s_r->display, w, e, &w->wrapped.inner) != 0)
		return -1;
	if (use == USE_ALL)
		return show_all(w, s_r) == 0 && (s_r->whole || show_content(w, e, s_r) == 0) ? 0 : no_room(w);
	show_hidden(w, s_r);
	return show_content(w, e, s_r) == 0 ? 0 : no_room(w);
}
