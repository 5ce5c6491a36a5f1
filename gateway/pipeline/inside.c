#include "gateway/pipeline/inside.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"
#include "gateway/mail/dsn_read.h"
#include "gateway/mail/lex.h"

enum { PEEK = 256, HEAD = 32, CHUNK = 65536, OVERLAP = 16 };

/* ---- what a part is, by its first octets ---- */

enum what { NOTHING, SIGNED, ENCRYPTED };

/* RFC 5652 3: SEQUENCE { contentType OBJECT IDENTIFIER ... */
static enum what by_content(const uint8_t *p, size_t n)
{
	static const struct {
		uint8_t oid[13];
		size_t n;
		enum what what;
	} known[] = {{{0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}, 11, SIGNED},
	    {{0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3}, 11, ENCRYPTED},
	    {{0x06, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 23}, 13, ENCRYPTED}};
	size_t at = 2;

	if (n < 3 || p[0] != 0x30)
		return NOTHING;
	if (p[1] > 0x84) /* nobody writes lengths of so many octets but to hide what follows */
		return ENCRYPTED;
	if (p[1] > 0x80)
		at += p[1] & 0x7f;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (n >= at + known[i].n && memcmp(p + at, known[i].oid, known[i].n) == 0)
			return known[i].what;
	return NOTHING;
}

static enum what by_label(const struct mime_inside *in)
{
	const char *kind = in->kind;

	if (lex_same(kind, strlen(kind), "enveloped-data") || lex_same(kind, strlen(kind), "authenveloped-data"))
		return ENCRYPTED;
	return in->detached || lex_same(kind, strlen(kind), "signed-data") ? SIGNED : NOTHING;
}

static int peek(struct work *w, uint64_t off, char text[PEEK], size_t *n_r, struct problem *pr)
{
	size_t got = 1;

	for (*n_r = 0; *n_r < PEEK && got > 0; *n_r += got)
		if (stream_read_at(w->cur, off + *n_r, text + *n_r, PEEK - *n_r, &got, pr) != 0)
			return -1;
	return 0;
}

/* A bag of certificates is SignedData as well, and signs nothing. */
static bool certs_only(const struct mime_inside *in)
{
	return lex_same(in->kind, strlen(in->kind), "certs-only");
}

/* By its label or its content, the worse of both: a reader may go by either. Signed documents (CAdES) have the same
 * type and names. Where nearly all of the beginning is blanks and line ends, a reader finds what stands behind them.
 */
static int weigh(struct work *w, const struct mime_inside *in, enum what *what_r, struct problem *pr)
{
	char text[PEEK];
	uint8_t head[HEAD];
	enum what found;
	size_t n, came;

	*what_r = by_label(in);
	if (*what_r == ENCRYPTED || in->detached)
		return 0;
	if (peek(w, in->body_off, text, &came, pr) != 0)
		return -1;
	n = came;
	if (in->cte == MIME_CTE_QP)
		n = dsn_read_unquote(text, n);
	if (in->cte == MIME_CTE_BASE64) {
		n = encode_unb64_loose(text, n, head, HEAD); /* whoever reads it may skip what is no base64 */
	} else {
		n = n < HEAD ? n : HEAD;
		memcpy(head, text, n);
	}
	found = came == PEEK && n < HEAD ? ENCRYPTED : by_content(head, n);
	if (found > *what_r && !(found == SIGNED && certs_only(in)))
		*what_r = found;
	return 0;
}

/* ---- what a walk that failed did not see ---- */

static bool names_smime(const char *p, size_t n)
{
	static const char *const words[] = {"pkcs7-mime", ".p7m"};

	for (size_t k = 0; k < 2; k++) {
		size_t len = strlen(words[k]);

		for (size_t i = 0; i + len <= n; i++)
			if (lex_lower(p[i]) == words[k][0] && lex_same(p + i, len, words[k]))
				return true;
	}
	return false;
}

/* What will be shown: the wrapped message, where that is what the layers are around. */
static const struct mime_entity *root(const struct work *w)
{
	return w->wrapped.kind == UNWRAP_MESSAGE ? &w->wrapped.message : &w->shown;
}

/* Where the structure cannot be followed, another reader may still follow it: any mention counts. */
static int mentioned(struct work *w, bool *yes_r, struct problem *pr)
{
	uint64_t off = root(w)->body_off, end = off + root(w)->body_len;
	char *p = mem_raw(CHUNK + OVERLAP);
	size_t keep = 0, n = 0;
	int err = 0;

	*yes_r = false;
	while (off < end && !*yes_r) {
		size_t want = end - off < CHUNK ? (size_t)(end - off) : CHUNK;

		err = stream_read_at(w->cur, off, p + keep, want, &n, pr);
		if (err != 0 || n == 0)
			break;
		*yes_r = names_smime(p, keep + n);
		off += n;
		n += keep;
		keep = n < OVERLAP ? n : OVERLAP;
		memmove(p, p + n - keep, keep);
	}
	mem_free_secret(p, CHUNK + OVERLAP);
	return err;
}

/* ---- both ---- */

static void note(struct work *w, const struct mime_inside *in, bool encrypted)
{
	struct verdict_part p = {.encrypted = encrypted, .attached = in->attached};

	p.root = in->path[0] == 0;
	snprintf(p.path, sizeof(p.path), "%s", p.root ? "message" : in->path);
	snprintf(p.type, sizeof(p.type), "%s", in->detached ? "multipart/signed" : "application/pkcs7-mime");
	verdict_part(&w->verdict, &p);
	if (encrypted && !in->attached && !p.root && !w->facts.part_why[0])
		snprintf(w->facts.part_why, sizeof(w->facts.part_why),
		    "part %s is encrypted and stands inside a multipart, beside what anybody can write there",
		    in->path);
}

/*
 * The wrapped message is S/MIME itself: its author's program signed it or sealed it for a person, and a gateway
 * wrapped it afterwards. Nothing stands beside it, so it is let through; but no layer of ours was taken off it.
 */
static int note_root(struct work *w, struct problem *pr)
{
	const struct mime_entity *e = &w->wrapped.message;
	struct mime_inside in = {.cte = e->cte, .body_off = e->body_off};
	enum mime_smime smime;
	const char *kind;
	enum what what;

	if (w->wrapped.kind != UNWRAP_MESSAGE)
		return 0;
	smime = mime_smime(e);
	if (smime == MIME_SMIME_NONE && !mime_is(&e->type, "application", "pkcs7-mime") &&
	    !mime_is(&e->type, "application", "x-pkcs7-mime"))
		return 0;
	in.detached = smime == MIME_SMIME_DETACHED;
	kind = mime_param(&e->type, "smime-type");
	snprintf(in.kind, sizeof(in.kind), "%.23s", kind ? kind : "");
	if (weigh(w, &in, &what, pr) != 0)
		return -1;
	if (what != NOTHING)
		note(w, &in, what == ENCRYPTED);
	return 0;
}

static int note_all(struct work *w, const struct mime_facts *f, struct problem *pr)
{
	for (size_t i = 0; i < f->ninside; i++) {
		enum what what;

		/* what a report returns is its recipient's own mail */
		if (f->report && f->inside[i].attached)
			continue;
		if (weigh(w, &f->inside[i], &what, pr) != 0)
			return -1;
		if (what != NOTHING)
			note(w, &f->inside[i], what == ENCRYPTED);
	}
	if (f->more_inside && !w->facts.part_why[0])
		snprintf(w->facts.part_why, sizeof(w->facts.part_why),
		    "there are more than %d S/MIME parts, and an encrypted one may be among them", MIME_INSIDE_MAX);
	return 0;
}

static int look_blind(struct work *w, const struct problem *why, struct problem *pr)
{
	char text[PROBLEM_TEXT_MAX];
	bool yes;

	if (w->facts.part_why[0])
		return 0;
	if (mentioned(w, &yes, pr) != 0)
		return -1;
	if (yes)
		snprintf(w->facts.part_why, sizeof(w->facts.part_why),
		    "an encrypted part may lie where the structure cannot be followed: %.80s",
		    problem_clause(why, text));
	return 0;
}

int inside_look(struct work *w, bool *beyond_r, struct problem *pr)
{
	struct mime_facts f;
	struct problem why = {0}, away = {0};
	int err = mime_facts(w->a, w->cur, root(w)->off, root(w)->len, &w->lim, &f, &why);

	w->binary = w->cur != spool_reader(w->in) && (f.bare || f.false_end);
	*beyond_r = err != 0 && (f.depth >= w->lim.depth || f.parts > w->lim.parts);
	if ((err != 0 && why.cls == PROBLEM_TEMP) || note_root(w, &away) != 0 || note_all(w, &f, &away) != 0 ||
	    (err != 0 && look_blind(w, &why, &away) != 0)) {
		*pr = away.cls != PROBLEM_NONE ? away : why;
		pr->cls = PROBLEM_TEMP;
		return -1;
	}
	*pr = why;
	return err;
}
