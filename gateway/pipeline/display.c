/*
 * Legacy display in the main parts of a message (RFC 9787 7.1: the first part of a multipart, all of an alternative).
 * RFC 9788 5.2.2, 5.2.3 (putting), 4.5.3 (leaving out). Sealer. Memory: the beginning of one text at a time.
 */
#include "gateway/pipeline/display.h"

#include <string.h>

#include "gateway/cms/base64.h"
#include "gateway/mail/lex.h"
#include "gateway/mail/legacy.h"
#include "gateway/mail/protect.h"
#include "gateway/mail/utf8.h"
#include "gateway/pipeline/work.h"

enum { DEPTH_MAX = 8, MARKED_MAX = DISPLAY_EDITS_MAX / 2, WINDOW_MEMORY = LEGACY_RAW_MAX * 8 };

struct walk {
	struct display *d;
	struct work *w;
	struct reader *r;
	const struct header *h;
	int (*leaf)(struct walk *k, const struct mime_entity *e, enum legacy_kind kind);
	uint64_t root;
	size_t marked; /* parts with a mark so far */
};

static int tried(struct walk *k, const struct problem *pr)
{
	if (pr->cls != PROBLEM_TEMP)
		return 0;
	k->w->res->pr = *pr;
	return -1;
}

static int visit(struct walk *k, const struct mime_entity *e, unsigned depth)
{
	bool all = mime_is(&e->type, "multipart", "alternative");
	struct problem pr = {0};
	struct mime_entity part;
	struct mime_range *v;
	size_t n;

	if (mime_is(&e->type, "text", "plain") || mime_is(&e->type, "text", "html"))
		return e->set_apart ? 0 : k->leaf(k, e, e->type.subtype[0] == 'p' ? LEGACY_PLAIN : LEGACY_HTML);
	/* what is signed by itself is not changed */
	if (strcmp(e->type.type, "multipart") != 0 || mime_is(&e->type, "multipart", "signed") ||
	    mime_is(&e->type, "multipart", "encrypted") || depth == DEPTH_MAX)
		return 0;
	if (mime_parts(k->w->a, k->r, e, &k->w->lim, &v, &n, &pr) != 0)
		return tried(k, &pr);
	for (size_t i = 0; i < (all ? n : 1); i++) {
		if (mime_entity_read(k->w->a, k->r, v[i].off, v[i].len, &k->w->lim, &part, &pr) != 0)
			return tried(k, &pr);
		if (visit(k, &part, depth + 1) != 0)
			return -1;
	}
	return 0;
}

static bool add_edit(struct walk *k, const struct display_edit *e)
{
	if (k->d->n == DISPLAY_EDITS_MAX)
		return false;
	k->d->v[k->d->n++] = *e;
	return true;
}

/* Where the Content-Type of e lies, or would lie. */
static const struct header_field *type_field(const struct mime_entity *e, uint64_t *off_r)
{
	uint64_t off = e->off;

	for (size_t i = 0; i < e->header.n; i++) {
		if (header_is(&e->header.f[i], "Content-Type")) {
			*off_r = off;
			return &e->header.f[i];
		}
		off += e->header.f[i].raw_len;
	}
	*off_r = off;
	return NULL;
}

/* The beginning of a text. Its memory is the arena's, which the caller frees. 1; 0 not to be read; -1 TEMP. */
static int beginning(
    struct walk *k, const struct mime_entity *e, struct arena *a, uint8_t **raw_r, struct legacy_text *t_r)
{
	size_t n = e->body_len < LEGACY_RAW_MAX ? (size_t)e->body_len : LEGACY_RAW_MAX;
	struct problem pr = {0};

	*raw_r = arena_alloc(a, n + 1);
	if (*raw_r == NULL)
		return 0;
	if (stream_read_full(k->r, e->body_off, *raw_r, n, &pr) != 0)
		return tried(k, &pr) != 0 ? -1 : 0;
	return legacy_decode(a, *raw_r, n, e->cte, t_r) == 0;
}

static bool charset_is(const struct mime_entity *e, const char *name)
{
	const char *c = mime_param(&e->type, "charset");

	return c != NULL && strlen(c) >= strlen(name) && lex_same(c, strlen(name), name);
}

/* ---- putting ---- */

static int make(struct walk *k, const struct mime_entity *e, enum legacy_kind kind, struct buf *display)
{
	bool utf8 = charset_is(e, "utf-8") && e->cte != MIME_CTE_7BIT;

	/* charsets in which these octets mean something else */
	if (charset_is(e, "utf-16") || charset_is(e, "utf-32") || charset_is(e, "utf-7") || charset_is(e, "ucs"))
		return 0;
	if (legacy_make(display, kind, k->h, utf8) != 0)
		return 0;
	return display->len > 0 && (utf8 || !utf8_needed(buf_str(display), display->len));
}

static int place_text(struct walk *k, const struct mime_entity *e, const struct legacy_text *t, enum legacy_kind kind,
    const struct buf *display, struct display_edit *ed)
{
	struct buf out;
	uint32_t from, to;
	int ok = 0;

	buf_init(&out, display->len * 4 + 4096);
	if (legacy_insert(&out, t, e->cte, legacy_place(kind, t), display, &from, &to) == 0) {
		ed->from = e->body_off + from;
		ed->to = e->body_off + to;
		ed->p = (const uint8_t *)arena_dup(k->w->a, out.p, out.len);
		ed->n = out.len;
		ok = ed->p != NULL;
	}
	buf_clear(&out);
	return ok;
}

/* The field in place of the old one, or one that was not there. */
static int place_type(struct walk *k, const struct mime_entity *e, struct display_edit *ed)
{
	const struct header_field *f = type_field(e, &ed->from);
	struct buf out;
	int ok;

	buf_init(&out, (f ? f->raw_len : 0) + 256);
	ok = protect_type_put(&out, f, LEGACY_PARAM, "1") == 0;
	ed->to = ed->from + (f ? f->raw_len : 0);
	ed->p = ok ? (const uint8_t *)arena_dup(k->w->a, out.p, out.len) : NULL;
	ed->n = out.len;
	buf_clear(&out);
	return ed->p != NULL;
}

static int put_leaf(struct walk *k, const struct mime_entity *e, enum legacy_kind kind)
{
	struct arena *a = arena_new(WINDOW_MEMORY);
	struct display_edit type = {0}, text = {0};
	struct legacy_text t;
	struct buf display;
	uint8_t *raw;
	int got;

	buf_init(&display, LEGACY_RAW_MAX);
	/* a mark that somebody else set there would become ours */
	got = mime_param(&e->type, LEGACY_PARAM) == NULL ? beginning(k, e, a, &raw, &t) : 0;
	/* a part that ends with its header has no place for either */
	if (got > 0 && e->body_len > 0 && make(k, e, kind, &display) && place_text(k, e, &t, kind, &display, &text) &&
	    place_type(k, e, &type) && k->d->n + 2 <= DISPLAY_EDITS_MAX) {
		(void)add_edit(k, &type);
		(void)add_edit(k, &text);
	}
	buf_clear(&display);
	arena_free(a);
	return got < 0 ? -1 : 0;
}

static int read_at(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct display *d = (struct display *)r;
	uint64_t old = 0, now = 0; /* where the piece begins, in what was and in what is read */

	*got_r = 0;
	if (off >= r->size || n == 0)
		return 0;
	for (size_t i = 0; i <= d->n; i++) {
		uint64_t len = (i < d->n ? d->v[i].from : d->of->size) - old;

		if (off - now < len)
			return stream_read_at(d->of, old + (off - now), p,
			    n < len - (off - now) ? n : (size_t)(len - (off - now)), got_r, pr);
		now += len;
		if (i < d->n && off - now < d->v[i].n) {
			size_t at = (size_t)(off - now);

			*got_r = n < d->v[i].n - at ? n : d->v[i].n - at;
			memcpy(p, d->v[i].p + at, *got_r);
			return 0;
		}
		if (i < d->n) {
			now += d->v[i].n;
			old = d->v[i].to;
		}
	}
	return 0;
}

int display_put(struct display *d, struct work *w, struct reader *r, const struct header *h)
{
	struct walk k = {.d = d, .w = w, .r = r, .h = h, .leaf = put_leaf};
	struct mime_entity e;
	struct problem pr = {0};
	int err;

	memset(d, 0, sizeof(*d));
	if (mime_entity_read(w->a, r, 0, r->size, &w->lim, &e, &pr) != 0)
		err = tried(&k, &pr);
	else
		err = visit(&k, &e, 0);
	d->of = r;
	d->reader.read_at = read_at;
	d->reader.size = r->size;
	for (size_t i = 0; i < d->n; i++)
		d->reader.size = d->reader.size + d->v[i].n - (d->v[i].to - d->v[i].from);
	return err;
}

/* ---- taking out ---- */

static int null_write(struct writer *wr, const void *p, size_t n, struct problem *pr)
{
	(void)wr, (void)p, (void)n, (void)pr;
	return 0;
}

/* Whether it can be recoded to its end is known before anything is delivered of it. */
static bool recodable(struct walk *k, const struct mime_entity *e)
{
	struct writer nowhere = {null_write};
	struct base64_dec dec;

	base64_dec_init(&dec, &nowhere);
	return stream_copy(k->r, e->body_off, e->body_len, &dec.writer, NULL) == 0 && base64_dec_end(&dec, NULL) == 0;
}

static bool cut_text(struct walk *k, const struct mime_entity *e, const uint8_t *raw, const struct legacy_text *t,
    enum legacy_kind kind, struct display_edit *ed)
{
	size_t from, to;
	uint32_t raw_from, raw_to;

	if (!legacy_find(kind, t, k->h, &from, &to))
		return false;
	if (legacy_cut(t, raw, e->cte, from, to, &raw_from, &raw_to)) {
		ed->from = e->body_off + raw_from;
		ed->to = e->body_off + raw_to;
		return true;
	}
	if (!recodable(k, e))
		return false;
	ed->from = e->body_off;
	ed->to = e->body_off + e->body_len;
	ed->recoded = true;
	ed->skip_from = from;
	ed->skip_to = to;
	return true;
}

static bool cut_type(struct walk *k, const struct mime_entity *e, struct display_edit *ed)
{
	const struct header_field *f = type_field(e, &ed->from);
	struct header_field now;

	if (f == NULL || protect_type_cut(k->w->a, f, LEGACY_PARAM, &now) != 0)
		return false;
	ed->to = ed->from + f->raw_len;
	ed->p = (const uint8_t *)now.raw;
	ed->n = now.raw_len;
	return true;
}

static int cut_leaf(struct walk *k, const struct mime_entity *e, enum legacy_kind kind)
{
	const char *mark = mime_param(&e->type, LEGACY_PARAM);
	struct display_edit type = {0}, text = {0};
	struct arena *a;
	struct legacy_text t;
	uint8_t *raw;
	int got;

	/* looked for in no more parts than it could be cut out of: the sender sets the mark, and the search costs */
	if (mark == NULL || strcmp(mark, "1") != 0 || k->d->n + 2 > DISPLAY_EDITS_MAX || k->marked == MARKED_MAX)
		return 0;
	k->marked++;
	a = arena_new(WINDOW_MEMORY);
	got = beginning(k, e, a, &raw, &t);
	if (got > 0 && cut_text(k, e, raw, &t, kind, &text)) {
		if (e->off == k->root)
			k->d->root = true;
		else if (cut_type(k, e, &type))
			(void)add_edit(k, &type);
		(void)add_edit(k, &text);
	}
	arena_free(a);
	return got < 0 ? -1 : 0;
}

int display_cut(struct display *d, struct work *w, const struct mime_entity *e, const struct header *h)
{
	struct walk k = {.d = d, .w = w, .r = w->cur, .h = h, .leaf = cut_leaf, .root = e->off};

	memset(d, 0, sizeof(*d));
	return visit(&k, e, 0);
}

/* Decoded octets on their way, some of them left out. */
struct skipper {
	struct writer writer;
	struct writer *to;
	uint64_t at;
	size_t from, until;
};

static int skip_write(struct writer *wr, const void *p, size_t n, struct problem *pr)
{
	struct skipper *s = (struct skipper *)wr;
	const uint8_t *q = p;
	uint64_t begin = s->at, end = s->at + n;
	uint64_t head = begin < s->from ? (end < s->from ? end : s->from) - begin : 0;
	uint64_t tail = end > s->until ? (begin > s->until ? n : end - s->until) : 0;

	s->at = end;
	if (head > 0 && stream_write(s->to, q, (size_t)head, pr) != 0)
		return -1;
	return tail > 0 ? stream_write(s->to, q + n - tail, (size_t)tail, pr) : 0;
}

static int recode(const struct display_edit *e, struct reader *r, struct writer *w, struct problem *pr)
{
	struct base64_enc enc;
	struct base64_dec dec;
	struct skipper s = {.writer.write = skip_write, .to = &enc.writer, .from = e->skip_from, .until = e->skip_to};

	base64_enc_init(&enc, w);
	base64_dec_init(&dec, &s.writer);
	if (stream_copy(r, e->from, e->to - e->from, &dec.writer, pr) != 0 || base64_dec_end(&dec, pr) != 0)
		return -1;
	return base64_enc_end(&enc, pr);
}

int display_copy(
    const struct display *d, struct reader *r, uint64_t off, uint64_t n, struct writer *w, struct problem *pr)
{
	uint64_t end = off + n;

	for (size_t i = 0; i < d->n; i++) {
		const struct display_edit *e = &d->v[i];

		if (e->from < off || e->to > end)
			continue;
		if (stream_copy(r, off, e->from - off, w, pr) != 0)
			return -1;
		if (e->recoded ? recode(e, r, w, pr) != 0 : e->n > 0 && stream_write(w, e->p, e->n, pr) != 0)
			return -1;
		off = e->to;
	}
	return stream_copy(r, off, end - off, w, pr);
}
