/*
 * Header fields: RFC 5322 2.1 to 2.2 (lines, fields), 3.6.2 to 3.6.4 (author, recipients, message identifiers). Pure;
 * sealer. Fields are kept as the octets they came in, in their order: signatures of others (DKIM) and the reader's
 * eye depend on it. Strict where two readers could differ: a blank before the colon, a bare CR or LF, a NUL, a line
 * that is no field are refused. Does not decode (RFC 2047) and does not judge single fields.
 */
#include "gateway/mail/header.h"

#include <string.h>

#include "gateway/mail/lex.h"
#include "gateway/mail/mailbox.h"

#define READ_FIRST 4096
#define READ_MOST 65536

const struct header_limits header_limits_default = {.octets = 131072, .fields = 1000};

static int bad(struct problem *pr, const char *rfc, const char *why)
{
	return problem_set(
	    pr, PROBLEM_PERM, 554, "5.6.0", rfc, "The header of the message or of a part is malformed: %s.", why);
}

/* The block while it is read. */
struct block {
	struct buf b;
	size_t line;  /* where the line under examination begins */
	size_t count; /* fields so far */
	bool ended;   /* the empty line was seen; b is cut behind it by `line` */
};

static const char *name_wrong(const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);

	if (!colon || colon == p)
		return "a line is neither a field nor the continuation of one";
	for (; p < colon; p++)
		if (!lex_is(*p, LEX_FTEXT))
			return "a field name has a blank or another forbidden character in it";
	return NULL;
}

/* One line of n octets without its CRLF. */
static int check_line(struct block *k, const char *p, size_t n, const struct header_limits *lim, struct problem *pr)
{
	const char *why;

	if (memchr(p, '\r', n) || memchr(p, '\n', n))
		return bad(pr, "RFC 5322 2.2", "a CR or LF stands alone");
	if (memchr(p, 0, n))
		return bad(pr, "RFC 5322 2.2", "it has a NUL");
	if (lex_is(p[0], LEX_BLANK)) {
		if (k->count == 0)
			return bad(pr, "RFC 5322 2.2", "it begins with a continuation line");
		return 0;
	}
	why = name_wrong(p, n);
	if (why)
		return bad(pr, "RFC 5322 2.2", why);
	if (++k->count > lim->fields)
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "",
		    "The header of the message or of a part has more than %zu fields.", lim->fields);
	return 0;
}

/* Takes all complete lines of what was read so far. */
static int take_lines(struct block *k, const struct header_limits *lim, struct problem *pr)
{
	const char *p = (const char *)k->b.p;

	while (!k->ended && k->line < k->b.len) {
		const char *from = p + k->line;
		const char *lf = memchr(from, '\n', k->b.len - k->line);
		size_t n;

		if (!lf)
			return 0;
		if (lf == from || lf[-1] != '\r')
			return bad(pr, "RFC 5322 2.2", "a line ends in LF without CR");
		n = (size_t)(lf - 1 - from);
		k->line += n + 2;
		if (n == 0)
			k->ended = true;
		else if (check_line(k, from, n, lim, pr))
			return -1;
	}
	return 0;
}

static int too_large(const struct header_limits *lim, struct problem *pr)
{
	return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "",
	    "The header of the message or of a part is longer than %zu octets.", lim->octets);
}

/* The last line, when the entity ends inside it: a line all the same, and given the CRLF it lacks, so that a field
 * copied from here never runs into the next one. */
static int take_rest(struct block *k, const struct header_limits *lim, struct problem *pr)
{
	size_t n = k->b.len - k->line;

	if (k->ended || n == 0)
		return 0;
	if (check_line(k, (const char *)k->b.p + k->line, n, lim, pr))
		return -1;
	if (buf_adds(&k->b, "\r\n"))
		return too_large(lim, pr);
	k->line = k->b.len;
	return 0;
}

static int read_block(struct block *k, struct reader *r, uint64_t off, uint64_t len, const struct header_limits *lim,
    struct problem *pr)
{
	size_t step = READ_FIRST, got;

	while (!k->ended && k->b.len < len) {
		uint64_t want = len - k->b.len < step ? len - k->b.len : step;
		uint8_t *to;

		if (k->b.len >= lim->octets)
			return too_large(lim, pr);
		if (want > lim->octets - k->b.len)
			want = lim->octets - k->b.len;
		to = buf_room(&k->b, want);
		if (!to)
			return too_large(lim, pr);
		if (stream_read_at(r, off + k->b.len, to, want, &got, pr))
			return -1;
		if (got == 0)
			break;
		buf_added(&k->b, got);
		if (take_lines(k, lim, pr))
			return -1;
		step = step < READ_MOST ? step * 2 : READ_MOST;
	}
	return take_rest(k, lim, pr);
}

static void set_field(struct header_field *f, const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);

	f->raw = p;
	f->raw_len = n;
	f->name_len = (size_t)(colon - p);
	f->value = colon + 1;
	f->value_len = n - f->name_len - 3;
}

/* The end of the field that begins at p: behind its last line. Lines are known to end in CRLF. */
static const char *field_end(const char *p, const char *end)
{
	do {
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	} while (p < end && lex_is(*p, LEX_BLANK));
	return p;
}

static int split(struct arena *a, const struct block *k, struct header *h_r, struct problem *pr)
{
	size_t octets = k->line - (k->ended ? 2 : 0);
	const char *p, *end;

	if (k->count == 0)
		return 0;
	p = arena_dup(a, k->b.p, octets);
	h_r->f = arena_alloc(a, k->count * sizeof(*h_r->f));
	if (!p || !h_r->f)
		return bad(pr, "", "it needs more memory than one message may have");
	for (end = p + octets; p < end;) {
		const char *next = field_end(p, end);

		set_field(&h_r->f[h_r->n++], p, (size_t)(next - p));
		p = next;
	}
	return 0;
}

int header_read(struct arena *a, struct reader *r, uint64_t off, uint64_t len, const struct header_limits *lim,
    struct header *h_r, struct problem *pr)
{
	struct block k = {.line = 0};
	int result = -1;

	memset(h_r, 0, sizeof(*h_r));
	buf_init(&k.b, lim->octets + 2);
	if (read_block(&k, r, off, len, lim, pr) == 0 && split(a, &k, h_r, pr) == 0) {
		h_r->octets = k.line < len ? k.line : (size_t)len;
		result = 0;
	}
	buf_clear(&k.b);
	return result;
}

bool header_is(const struct header_field *f, const char *name)
{
	return lex_same(f->raw, f->name_len, name);
}

const struct header_field *header_find(const struct header *h, const char *name, size_t nth)
{
	for (size_t i = 0; i < h->n; i++)
		if (header_is(&h->f[i], name) && nth-- == 0)
			return &h->f[i];
	return NULL;
}

size_t header_count(const struct header *h, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += header_is(&h->f[i], name);
	return n;
}

bool header_is_content(const struct header_field *f)
{
	static const char prefix[] = "content-";
	size_t n = sizeof(prefix) - 1;

	return header_is(f, "MIME-Version") || (f->name_len > n && lex_same(f->raw, n, prefix));
}

char *header_text(struct arena *a, const struct header_field *f)
{
	const char *p = f->value, *end = p + f->value_len;
	char *text, *out;

	while (p < end && (lex_is(*p, LEX_BLANK) || *p == '\r' || *p == '\n'))
		p++;
	while (end > p && (lex_is(end[-1], LEX_BLANK) || end[-1] == '\r' || end[-1] == '\n'))
		end--;
	text = arena_dup(a, p, (size_t)(end - p));
	if (!text)
		return NULL;
	for (out = text; p < end; p++)
		if (*p != '\r' && *p != '\n')
			*out++ = *p;
	*out = 0;
	return text;
}

int header_write(const struct header *h, bool (*keep)(const struct header_field *f, void *ctx), void *ctx,
    struct writer *w, struct problem *pr)
{
	const char *from = NULL;
	size_t n = 0;

	/* Neighbours that stay lie side by side in the block: one write for the run. */
	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->f[i];
		bool stays = !keep || keep(f, ctx);

		if (n && (!stays || from + n != f->raw)) {
			if (stream_write(w, from, n, pr))
				return -1;
			n = 0;
		}
		if (stays) {
			from = n ? from : f->raw;
			n += f->raw_len;
		}
	}
	return n ? stream_write(w, from, n, pr) : 0;
}

static int only_one(const struct header *h, const char *name, struct problem *pr)
{
	size_t n = header_count(h, name);

	if (n > 1)
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 5322 3.6",
		    "The message has %zu %s fields where at most one may stand.", n, name);
	return (int)n;
}

int header_author(struct arena *a, const struct header *h, struct address *from_r, struct problem *pr)
{
	const struct header_field *f;
	size_t n;

	(void)a;
	memset(from_r, 0, sizeof(*from_r));
	switch (only_one(h, "From", pr)) {
	case 1:
		break;
	case 0:
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 5322 3.6", "The message has no From field.");
	default:
		return -1;
	}
	f = header_find(h, "From", 0);
	if (mailbox_list("From", f->value, f->value_len, MAILBOX_AUTHOR, from_r, 1, &n, pr)) {
		memset(from_r, 0, sizeof(*from_r)); /* not the first of several either */
		return -1;
	}
	return 0;
}

int header_recipients(
    struct arena *a, const struct header *h, struct address *list, size_t max, size_t *n_r, struct problem *pr)
{
	static const char *const names[] = {"To", "Cc"};

	(void)a;
	*n_r = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct header_field *f = header_find(h, names[i], 0);
		size_t n;

		if (only_one(h, names[i], pr) < 0)
			return -1;
		if (!f)
			continue;
		if (mailbox_list(
			names[i], f->value, f->value_len, MAILBOX_RECIPIENTS, list + *n_r, max - *n_r, &n, pr))
			return -1;
		*n_r += n;
	}
	return 0;
}

/* The length of the "<...>" at p, 0 when it is none: printable ASCII without blanks or brackets, something inside. */
static size_t msgid_len(const char *p, const char *end)
{
	const char *q = p + 1;

	while (q<end && * q> ' ' && *q < 127 && *q != '<' && *q != '>')
		q++;
	return q < end && *q == '>' && q > p + 1 ? (size_t)(q + 1 - p) : 0;
}

size_t header_msgids(struct arena *a, const struct header_field *f, const char **list, size_t max)
{
	const char *end = f->value + f->value_len, *p = end;
	size_t n = 0;

	/* From the end, so that a list of any length costs no more than the ones asked for. */
	while (n < max && p > f->value) {
		size_t len;

		if (*--p != '<')
			continue;
		len = msgid_len(p, end);
		if (len && !(list[n] = arena_dup(a, p, len)))
			break;
		n += len > 0;
	}
	for (size_t i = 0; i < n / 2; i++) {
		const char *t = list[i];

		list[i] = list[n - 1 - i];
		list[n - 1 - i] = t;
	}
	return n;
}
