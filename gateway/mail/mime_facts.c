/*
 * mime_facts: the tree of a message walked in one pass over its lines, with a stack of the containers that are open
 * instead of recursion (RFC 2046 5.1, 5.2.1). Pure; sealer. Octets are read once, header blocks twice; memory is the
 * stack and one header at a time. Content is not decoded: what an encoded message/rfc822 or an encrypted part holds
 * is not seen.
 */
#include "gateway/mail/mime_facts.h"

#include <stdio.h>
#include <string.h>

#include "gateway/mail/lex.h"
#include "gateway/mail/lines.h"
#include "gateway/mail/mime_boundary.h"

/* A container that is open: a multipart with its boundary, or a message/rfc822, which ends when the one around it
 * moves on. */
struct frame {
	bool multipart;
	bool closed; /* its close-delimiter was seen: the rest is epilogue */
	bool digest; /* RFC 2046 5.1.5: a part without a type is a message */
	size_t parts;
	struct mime_boundary b;
};

enum place { IN_HEADER, IN_BODY };

struct walk {
	struct reader *r;
	const struct mime_limits *lim;
	struct mime_facts *f;
	struct problem *pr;
	struct frame *stack;
	size_t depth;
	enum place place;
	uint64_t header_off;
	bool beyond_invitation, beyond_text; /* a part was seen that an invitation, that mere text does not have */
};

static int bad(struct walk *w, const char *rfc, const char *why)
{
	return problem_set(w->pr, PROBLEM_PERM, 554, "5.6.0", rfc, "The MIME structure is malformed: %s.", why);
}

static int push(struct walk *w, const struct mime_entity *e)
{
	struct frame *f;

	if (w->depth >= w->lim->depth)
		return problem_set(w->pr, PROBLEM_PERM, 554, "5.6.0", "",
		    "The MIME parts of the message are nested more than %zu deep.", w->lim->depth);
	f = &w->stack[w->depth];
	memset(f, 0, sizeof(*f));
	f->multipart = e != NULL;
	f->digest = e && mime_is(&e->type, "multipart", "digest");
	if (e && mime_boundary_of(&e->type, &f->b, w->pr))
		return -1;
	for (size_t i = 0; e && i < w->depth; i++)
		if (w->stack[i].multipart && !w->stack[i].closed && !mime_boundary_apart(&w->stack[i].b, &f->b))
			return bad(w, "RFC 2046 5.1.2", "a multipart has the boundary of one around it");
	w->depth++;
	if (w->depth > w->f->depth)
		w->f->depth = w->depth;
	return 0;
}

static bool named_tnef(const struct mime_entity *e)
{
	return e->filename && lex_same(e->filename, strlen(e->filename), "winmail.dat");
}

/* Text in one form or more, nothing that is there to be opened or saved. */
static bool of_text(const struct mime_entity *e)
{
	const struct mime_type *t = &e->type;

	if (mime_is(t, "multipart", "alternative") || mime_is(t, "multipart", "mixed"))
		return true;
	return (mime_is(t, "text", "plain") || mime_is(t, "text", "html")) && !e->set_apart && !e->filename;
}

/* What programs put into an invitation beside its text (RFC 6047 2.4): the calendar object, and that once more as a
 * file. */
static bool of_invitation(const struct mime_entity *e)
{
	return of_text(e) || mime_is(&e->type, "text", "calendar") || mime_is(&e->type, "application", "ics");
}

/* The numbers of the parts that are open, outermost first. */
static void path_of(const struct walk *w, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = 0;
	for (size_t i = 0; i < w->depth && n + 1 < cap; i++) {
		int k =
		    !w->stack[i].multipart ? 0 : snprintf(out + n, cap - n, "%s%zu", n ? "." : "", w->stack[i].parts);

		n += k > 0 ? (size_t)k : 0;
	}
	if (n == 0 && w->depth > 0) /* a message in the message and no multipart around it */
		(void)snprintf(out, cap, "1");
}

/* What says that it is a bag of certificates (smime-type=certs-only) may be something else. */
static bool says_certs(const struct mime_entity *e)
{
	return mime_is(&e->type, "application", "pkcs7-mime") || mime_is(&e->type, "application", "x-pkcs7-mime");
}

static void note_inside(struct walk *w, const struct mime_entity *e)
{
	const char *kind = mime_param(&e->type, "smime-type");
	enum mime_smime what = mime_smime(e);
	struct mime_inside *in;

	if (w->depth == 0 || (what == MIME_SMIME_NONE && !says_certs(e)))
		return;
	if (w->f->ninside == MIME_INSIDE_MAX) {
		w->f->more_inside = true;
		return;
	}
	in = &w->f->inside[w->f->ninside];
	path_of(w, in->path, sizeof(in->path));
	in->attached = false;
	for (size_t i = 0; i < w->depth; i++)
		in->attached |= !w->stack[i].multipart;
	in->detached = what == MIME_SMIME_DETACHED;
	(void)snprintf(in->kind, sizeof(in->kind), "%.23s", kind ? kind : "");
	in->cte = e->cte;
	in->body_off = e->body_off;
	w->f->ninside++;
}

static void note(struct walk *w, const struct mime_entity *e)
{
	struct mime_facts *f = w->f;
	const struct mime_type *t = &e->type;

	w->beyond_text = w->beyond_text || !of_text(e);
	w->beyond_invitation = w->beyond_invitation || !of_invitation(e);
	if (mime_is(t, "text", "calendar") && mime_param(t, "method"))
		f->calendar_method = true;
	if (mime_is(t, "application", "ms-tnef") || mime_is(t, "application", "vnd.ms-tnef") || named_tnef(e))
		f->tnef = true;
	if (w->depth == 0 && mime_is(t, "multipart", "report"))
		f->report = true;
	if (w->depth > 0 && mime_smime(e) == MIME_SMIME_PKCS7)
		f->smime_inside = true;
	note_inside(w, e);
}

static int begin_part(struct walk *w, uint64_t off)
{
	w->place = IN_HEADER;
	w->header_off = off;
	if (++w->f->parts > w->lim->parts)
		return problem_set(w->pr, PROBLEM_PERM, 554, "5.6.0", "", "The message has more than %zu MIME parts.",
		    w->lim->parts);
	return 0;
}

bool mime_facts_holds_message(const struct mime_entity *e)
{
	return (mime_is(&e->type, "message", "rfc822") || mime_is(&e->type, "message", "global")) &&
	       (e->cte == MIME_CTE_7BIT || e->cte == MIME_CTE_8BIT || e->cte == MIME_CTE_BINARY);
}

static bool in_digest(const struct walk *w)
{
	return w->depth > 0 && w->stack[w->depth - 1].digest;
}

/* The header that began at header_off ended before `end`; the body begins at `body`. */
static int enter(struct walk *w, struct arena *scratch, uint64_t end, uint64_t body)
{
	struct mime_entity e;

	if (mime_entity_read(scratch, w->r, w->header_off, end - w->header_off, w->lim, &e, w->pr))
		return -1;
	w->place = IN_BODY;
	note(w, &e);
	if (strcmp(e.type.type, "multipart") == 0)
		return push(w, &e);
	if (mime_facts_holds_message(&e) || (in_digest(w) && !header_find(&e.header, "Content-Type", 0)))
		return push(w, NULL) ? -1 : begin_part(w, body);
	return 0;
}

/* The arena is for this header alone: a thousand parts need no more memory than the largest. */
static int end_header(struct walk *w, uint64_t end, uint64_t body)
{
	struct arena *scratch =
	    arena_new(w->lim->header.octets * 4 + w->lim->header.fields * sizeof(struct header_field) + 65536);
	int result = enter(w, scratch, end, body);

	arena_free(scratch);
	return result;
}

/* Closes what lies inside stack[keep]. A multipart left open there ends nowhere a reader could be sure of. */
static int pop_to(struct walk *w, size_t keep)
{
	for (size_t i = keep; i < w->depth; i++)
		if (w->stack[i].multipart && (!w->stack[i].closed || w->stack[i].parts == 0))
			return bad(w, "RFC 2046 5.1.1",
			    w->stack[i].closed ? "a multipart has no part"
					       : "a multipart is not closed by its boundary");
	w->depth = keep;
	return 0;
}

static int at_boundary(struct walk *w, size_t which, enum mime_boundary_line what, const struct lines_piece *line)
{
	uint64_t end = line->off >= w->header_off + 2 ? line->off - 2 : w->header_off;

	/* A part may end with its header, or have not even that. It can begin nothing that this delimiter would not
	 * end. */
	if (w->place == IN_HEADER && end_header(w, end, line->off))
		return -1;
	if (pop_to(w, which + 1))
		return -1;
	w->place = IN_BODY;
	if (what == MIME_BOUNDARY_CLOSE) {
		w->stack[which].closed = true;
		return 0;
	}
	w->stack[which].parts++;
	return begin_part(w, line->next);
}

static int take_line(struct walk *w, const struct lines_piece *line)
{
	if (line->last && line->n >= 2 && line->p[0] == '-' && line->p[1] == '-') {
		for (size_t i = w->depth; i-- > 0;) {
			struct frame *f = &w->stack[i];
			enum mime_boundary_line what = MIME_BOUNDARY_NONE;

			if (f->multipart && !f->closed)
				what = mime_boundary_judge(&f->b, line->p, line->n);
			if (what == MIME_BOUNDARY_DELIMITER || what == MIME_BOUNDARY_CLOSE)
				return at_boundary(w, i, what, line);
		}
	}
	if (w->place == IN_HEADER && line->n == 0 && line->crlf)
		return end_header(w, line->next, line->next);
	if (w->place == IN_HEADER && line->off - w->header_off > w->lim->header.octets)
		return problem_set(w->pr, PROBLEM_PERM, 554, "5.6.0", "",
		    "The header of the message or of a part is longer than %zu octets.", w->lim->header.octets);
	return 0;
}

static int walk(struct walk *w, struct lines *l, uint64_t end)
{
	struct lines_piece line;
	int got;

	while ((got = lines_next(l, &line, w->pr)) != 0)
		if (got < 0 || (line.first && take_line(w, &line)))
			return -1;
	while (w->place == IN_HEADER)
		if (end_header(w, end, end))
			return -1;
	return pop_to(w, 0);
}

int mime_facts(struct arena *a, struct reader *r, uint64_t off, uint64_t len, const struct mime_limits *lim,
    struct mime_facts *f_r, struct problem *pr)
{
	struct walk w = {.r = r, .lim = lim, .f = f_r, .pr = pr};
	struct lines_facts seen;
	struct lines *l;
	int result;

	memset(f_r, 0, sizeof(*f_r));
	w.stack = arena_alloc(a, (lim->depth + 1) * sizeof(*w.stack));
	if (!w.stack)
		return bad(&w, "", "it needs more memory than one message may have");
	if (begin_part(&w, off))
		return -1;
	l = lines_new(r, off, len);
	result = walk(&w, l, off + len);
	seen = lines_facts(l);
	lines_free(l);
	f_r->eight_bit = seen.eight_bit;
	f_r->nul = seen.nul;
	f_r->bare = seen.bare;
	f_r->false_end = seen.false_end;
	f_r->longest_line = seen.longest;
	f_r->invitation = f_r->calendar_method && !w.beyond_invitation;
	f_r->mere_text = !w.beyond_text;
	return result;
}
