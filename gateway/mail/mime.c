/*
 * One MIME entity: its type, encoding and name, what it is to S/MIME, and its direct parts. RFC 2045 5 and 6, RFC
 * 2046 5.1, RFC 8551 3.2 and 3.5, RFC 1847 2.1. Pure; sealer. Parameters are read in mime_field.c, the whole tree in
 * mime_facts.c. Two fields that say the same thing differently are refused, not chosen from: another reader may
 * choose the other.
 */
#include "gateway/mail/mime.h"

#include <string.h>

#include "gateway/mail/lex.h"
#include "gateway/mail/lines.h"
#include "gateway/mail/mime_boundary.h"
#include "gateway/mail/mime_field.h"

const struct mime_limits mime_limits_default = {
    .depth = 50, .parts = 1000, .params = 32, .header = {.octets = 131072, .fields = 1000}};

static int bad(struct problem *pr, const char *rfc, const char *why)
{
	return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", rfc, "The MIME structure is malformed: %s.", why);
}

static int no_memory(struct problem *pr)
{
	return bad(pr, "", "it needs more memory than one message may have");
}

/* A token in lower case, "" when there is none; NULL past the arena. */
static const char *lower_token(struct arena *a, struct lex *l)
{
	const char *from = l->p;
	size_t n = lex_run(l, LEX_TOKEN);
	char *s = arena_dup(a, from, n);

	for (size_t i = 0; s && i < n; i++)
		s[i] = lex_lower(s[i]);
	return s;
}

static int blanks(struct lex *l, struct problem *pr)
{
	return lex_cfws(l, NULL) ? bad(pr, "RFC 2045 5.1", "a MIME field has an open comment or a control character")
				 : 0;
}

/* Up to the first ";" may stand what a sloppy program left there; not in 8 bits, where readers would differ on what
 * it is. */
static int skip_junk(struct lex *l, struct problem *pr)
{
	size_t n;

	for (;;) {
		if (blanks(l, pr))
			return -1;
		if (lex_at_end(l) || lex_at(l, ';'))
			return 0;
		if ((unsigned char)*l->p > 127)
			return bad(pr, "RFC 2045 5.1", "a media type has 8-bit characters in it");
		if (!lex_at(l, '"'))
			l->p++;
		else if (lex_quoted(l, NULL, 0, &n))
			return bad(pr, "RFC 2045 5.1", "a quotation mark is not closed");
	}
}

int mime_type_parse(struct arena *a, const char *p, size_t n, const struct mime_limits *lim, struct mime_type *t_r,
    struct problem *pr)
{
	struct lex l;

	memset(t_r, 0, sizeof(*t_r));
	lex_init(&l, p, n);
	t_r->subtype = "";
	if (blanks(&l, pr))
		return -1;
	t_r->type = lower_token(a, &l);
	if (!t_r->type)
		return no_memory(pr);
	if (blanks(&l, pr))
		return -1;
	if (lex_take(&l, '/')) {
		if (blanks(&l, pr))
			return -1;
		t_r->subtype = lower_token(a, &l);
		if (!t_r->subtype)
			return no_memory(pr);
	}
	return skip_junk(&l, pr) ? -1 : mime_field_params(a, &l, lim, t_r, pr);
}

const char *mime_param(const struct mime_type *t, const char *name)
{
	for (size_t i = 0; i < t->nparams; i++)
		if (strcmp(t->params[i].name, name) == 0)
			return t->params[i].value;
	return NULL;
}

bool mime_is(const struct mime_type *t, const char *type, const char *subtype)
{
	return strcmp(t->type, type) == 0 && strcmp(t->subtype, subtype) == 0;
}

/* The only field of that name, or NULL; two are a problem. */
static int single(const struct header *h, const char *name, const struct header_field **f_r, struct problem *pr)
{
	*f_r = header_find(h, name, 0);
	if (header_find(h, name, 1))
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 2045 3",
		    "The MIME structure is malformed: %s stands twice in one header.", name);
	return 0;
}

/* RFC 2045 5.2: without a type, or with one that is none, text/plain. Not for a container: what it holds would go
 * unseen. */
static int read_type(
    struct arena *a, const struct header *h, const struct mime_limits *lim, struct mime_type *t, struct problem *pr)
{
	const struct header_field *f;

	memset(t, 0, sizeof(*t));
	t->type = "text";
	t->subtype = "plain";
	if (single(h, "Content-Type", &f, pr))
		return -1;
	if (!f)
		return 0;
	if (mime_type_parse(a, f->value, f->value_len, lim, t, pr))
		return -1;
	if (t->type[0] && t->subtype[0])
		return 0;
	if (strcmp(t->type, "multipart") == 0 || strcmp(t->type, "message") == 0 ||
	    strcmp(t->type, "application") == 0)
		return bad(pr, "RFC 2045 5.1", "a Content-Type has no subtype");
	t->type = "text";
	t->subtype = "plain";
	return 0;
}

static int read_cte(const struct header *h, enum mime_cte *cte_r, struct problem *pr)
{
	static const struct {
		const char *name;
		enum mime_cte cte;
	} known[] = {{"7bit", MIME_CTE_7BIT}, {"8bit", MIME_CTE_8BIT}, {"binary", MIME_CTE_BINARY},
	    {"quoted-printable", MIME_CTE_QP}, {"base64", MIME_CTE_BASE64}};
	const struct header_field *f;
	const char *from;
	struct lex l;
	size_t n;

	*cte_r = MIME_CTE_7BIT;
	if (single(h, "Content-Transfer-Encoding", &f, pr))
		return -1;
	if (!f)
		return 0;
	lex_init(&l, f->value, f->value_len);
	if (blanks(&l, pr))
		return -1;
	from = l.p;
	n = lex_run(&l, LEX_TOKEN);
	*cte_r = MIME_CTE_OTHER;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (lex_same(from, n, known[i].name))
			*cte_r = known[i].cte;
	return 0;
}

static int read_filename(
    struct arena *a, const struct header *h, const struct mime_limits *lim, struct mime_entity *e, struct problem *pr)
{
	const struct header_field *f;
	struct mime_type disposition;

	e->filename = mime_param(&e->type, "name");
	if (single(h, "Content-Disposition", &f, pr))
		return -1;
	if (!f)
		return 0;
	if (mime_type_parse(a, f->value, f->value_len, lim, &disposition, pr))
		return -1;
	e->set_apart = !mime_is(&disposition, "inline", "");
	if (mime_param(&disposition, "filename"))
		e->filename = mime_param(&disposition, "filename");
	return 0;
}

int mime_entity_read(struct arena *a, struct reader *r, uint64_t off, uint64_t len, const struct mime_limits *lim,
    struct mime_entity *e_r, struct problem *pr)
{
	memset(e_r, 0, sizeof(*e_r));
	e_r->off = off;
	e_r->len = len;
	if (header_read(a, r, off, len, &lim->header, &e_r->header, pr))
		return -1;
	e_r->body_off = off + e_r->header.octets;
	e_r->body_len = len - e_r->header.octets;
	if (read_type(a, &e_r->header, lim, &e_r->type, pr) || read_cte(&e_r->header, &e_r->cte, pr))
		return -1;
	return read_filename(a, &e_r->header, lim, e_r, pr);
}

/* The parts while they are found. The array grows by doubling inside the arena: at most twice what is needed. */
struct parts {
	struct mime_boundary b;
	struct mime_range *list;
	size_t n, cap;
	uint64_t from; /* where the part under way begins */
	bool open, closed, odd;
};

static int grow(struct arena *a, struct parts *k, struct problem *pr)
{
	size_t cap = k->cap ? k->cap * 2 : 8;
	struct mime_range *list = arena_alloc(a, cap * sizeof(*list));

	if (!list)
		return no_memory(pr);
	if (k->n)
		memcpy(list, k->list, k->n * sizeof(*list));
	k->list = list;
	k->cap = cap;
	return 0;
}

/* The part under way ends before the CRLF in front of the delimiter line at off; a part without any octet has no such
 * CRLF of its own. */
static int end_part(struct arena *a, struct parts *k, uint64_t off, const struct mime_limits *lim, struct problem *pr)
{
	if (!k->open)
		return 0;
	if (k->n >= lim->parts)
		return problem_set(
		    pr, PROBLEM_PERM, 554, "5.6.0", "", "The message has more than %zu MIME parts.", lim->parts);
	if (k->n == k->cap && grow(a, k, pr))
		return -1;
	k->list[k->n].off = k->from;
	k->list[k->n].len = off >= k->from + 2 ? off - 2 - k->from : 0;
	k->n++;
	return 0;
}

static int take_line(struct arena *a, struct parts *k, const struct lines_piece *line, const struct mime_limits *lim,
    struct problem *pr)
{
	enum mime_boundary_line what;

	if (line->n < 2 || line->p[0] != '-' || line->p[1] != '-')
		return 0;
	what = mime_boundary_judge(&k->b, line->p, line->n);
	if (what == MIME_BOUNDARY_NONE)
		return 0;
	if (what == MIME_BOUNDARY_ODD || k->closed || !line->last) {
		k->odd = true;
		return 0;
	}
	if (end_part(a, k, line->off, lim, pr))
		return -1;
	k->open = what == MIME_BOUNDARY_DELIMITER;
	k->closed = what == MIME_BOUNDARY_CLOSE;
	k->from = line->next;
	return 0;
}

static int find_parts(struct arena *a, struct reader *r, const struct mime_entity *e, const struct mime_limits *lim,
    struct parts *k, struct problem *pr)
{
	struct lines_piece line;
	struct lines *l;
	int got, result = 0;

	memset(k, 0, sizeof(*k));
	if (mime_boundary_of(&e->type, &k->b, pr))
		return -1;
	l = lines_new(r, e->body_off, e->body_len);
	while (result == 0 && (got = lines_next(l, &line, pr)) != 0)
		result = got < 0 ? -1 : line.first ? take_line(a, k, &line, lim, pr) : 0;
	lines_free(l);
	if (result == 0 && !k->closed)
		return bad(pr, "RFC 2046 5.1.1", "a multipart is not closed by its boundary");
	if (result == 0 && k->n == 0)
		return bad(pr, "RFC 2046 5.1.1", "a multipart has no part");
	return result;
}

int mime_parts(struct arena *a, struct reader *r, const struct mime_entity *e, const struct mime_limits *lim,
    struct mime_range **parts_r, size_t *n_r, struct problem *pr)
{
	struct parts k;

	*parts_r = NULL;
	*n_r = 0;
	if (find_parts(a, r, e, lim, &k, pr))
		return -1;
	*parts_r = k.list;
	*n_r = k.n;
	return 0;
}

int mime_parts_sure(struct arena *a, struct reader *r, const struct mime_entity *e, const struct mime_limits *lim,
    struct mime_range **parts_r, size_t *n_r, struct problem *pr)
{
	struct parts k;

	*parts_r = NULL;
	*n_r = 0;
	if (find_parts(a, r, e, lim, &k, pr))
		return -1;
	if (k.odd)
		return bad(
		    pr, "RFC 2046 5.1.2", "a multipart has a line that begins with its boundary and is no delimiter");
	*parts_r = k.list;
	*n_r = k.n;
	return 0;
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = s ? strlen(s) : 0, m = strlen(end);

	return n > m && lex_same(s + n - m, m, end);
}

static bool named_p7m(const char *s)
{
	return ends_in(s, ".p7m") || ends_in(s, ".p7z");
}

static bool is_protocol(const char *s)
{
	return s && (lex_same(s, strlen(s), "application/pkcs7-signature") ||
			lex_same(s, strlen(s), "application/x-pkcs7-signature"));
}

static bool is_certs_only(const struct mime_type *t)
{
	const char *kind = mime_param(t, "smime-type");

	return kind && lex_same(kind, strlen(kind), "certs-only");
}

enum mime_smime mime_smime(const struct mime_entity *e)
{
	const struct mime_type *t = &e->type;

	if (mime_is(t, "application", "pkcs7-mime") || mime_is(t, "application", "x-pkcs7-mime"))
		return is_certs_only(t) ? MIME_SMIME_NONE : MIME_SMIME_PKCS7;
	if (mime_is(t, "application", "octet-stream") && (named_p7m(e->filename) || named_p7m(mime_param(t, "name"))))
		return MIME_SMIME_PKCS7;
	if (mime_is(t, "multipart", "signed") && is_protocol(mime_param(t, "protocol")))
		return MIME_SMIME_DETACHED;
	return MIME_SMIME_NONE;
}

bool mime_is_signature(const struct mime_entity *e)
{
	return mime_is(&e->type, "application", "pkcs7-signature") ||
	       mime_is(&e->type, "application", "x-pkcs7-signature");
}

int mime_detached(struct arena *a, struct reader *r, const struct mime_entity *e, const struct mime_limits *lim,
    struct mime_range *content_r, struct mime_entity *signature_r, struct problem *pr)
{
	struct parts k;

	if (find_parts(a, r, e, lim, &k, pr))
		return -1;
	if (k.n != 2)
		return bad(pr, "RFC 1847 2.1", "a multipart/signed must have exactly two parts");
	/* Whoever reads such a line as a delimiter sees other parts than those the signature covers. */
	if (k.odd)
		return bad(pr, "RFC 2046 5.1.2",
		    "a multipart/signed has a line that begins with its boundary and is no delimiter");
	*content_r = k.list[0];
	if (mime_entity_read(a, r, k.list[1].off, k.list[1].len, lim, signature_r, pr))
		return -1;
	if (!mime_is_signature(signature_r))
		return bad(pr, "RFC 1847 2.1",
		    "the second part of a multipart/signed is not of the type its protocol names");
	return 0;
}
