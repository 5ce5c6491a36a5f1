/* Expectations about what can be seen without CMS: header, envelope, octets, mark. */
#include "interop/kit/expect.h"
#include "interop/kit/expectation.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What cannot be read as a header has no fields for this kit; others may see some. */
static bool no_header(struct view *v, struct buf *sentence)
{
	v->not_run = v->outer.n == 0;
	if (v->not_run)
		buf_adds(sentence, "the message has no header that can be read");
	return v->not_run;
}

bool expect_header_count(struct view *v, struct buf *sentence)
{
	size_t n = mime_count(&v->outer, v->words[0]);
	long wanted;

	if (no_header(v, sentence))
		return false;
	if (number_read(v->words[1], 0, 100000, &wanted) < 0) {
		v->not_run = true;
		buf_addf(sentence, "\"%s\" is no number", v->words[1]);
		return false;
	}
	buf_addf(sentence, "wanted %ld fields %s; there are %zu", wanted, v->words[0], n);
	return n == (size_t)wanted;
}

bool expect_no_header(struct view *v, struct buf *sentence)
{
	const char *there = mime_value(&v->outer, v->words[0]);

	if (no_header(v, sentence))
		return false;
	buf_addf(sentence, "wanted no field %s outside; there is %s%.200s", v->words[0], there ? "" : "none",
	    there ? there : "");
	return !there;
}

bool expect_mime_type(struct view *v, struct buf *sentence)
{
	buf_addf(sentence, "wanted the Content-Type %s; it is %s", v->words[0],
	    *v->outer.type ? v->outer.type : "missing");
	return !strcasecmp(v->words[0], v->outer.type);
}

/* --- the envelope ----------------------------------------------------------------------------------------------- */

/* Without brackets; the domain's case does not count (RFC 5321 2.4). */
static bool same_address(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	const char *at;

	if (n >= 2 && *a == '<' && a[n - 1] == '>') {
		a++;
		n -= 2;
	}
	if (m >= 2 && *b == '<' && b[m - 1] == '>') {
		b++;
		m -= 2;
	}
	if (n != m)
		return false;
	at = memrchr(a, '@', n);
	return at ? !memcmp(a, b, (size_t)(at - a)) && !strncasecmp(at, b + (at - a), n - (size_t)(at - a))
		  : !memcmp(a, b, n);
}

bool expect_envelope_from(struct view *v, struct buf *sentence)
{
	const char *there = v->m->from ? v->m->from : "";

	buf_addf(sentence, "wanted MAIL FROM:<%s>; it is <%s>", v->words[0], there);
	return same_address(v->words[0], there);
}

bool expect_envelope_to(struct view *v, struct buf *sentence)
{
	size_t wanted = 0, found = 0;

	buf_addf(sentence, "wanted the recipients %s; there are", v->words[0]);
	for (size_t i = 0; i < v->m->n_to; i++)
		buf_addf(sentence, " %s", v->m->to[i]);
	for (const char *at = v->words[0]; *at; wanted++) {
		size_t len = strcspn(at, ","), was = found;
		char *one = text_cut(at, len);

		for (size_t i = 0; found == was && i < v->m->n_to; i++)
			found += same_address(one, v->m->to[i]);
		at += len + (at[len] == ',');
		free(one);
	}
	return wanted == found && v->m->n_to == wanted;
}

/* --- octets ----------------------------------------------------------------------------------------------------- */

bool expect_seven_bit(struct view *v, struct buf *sentence)
{
	const struct buf *d = &v->m->data;
	const char *what = NULL;
	size_t at = 0;

	for (size_t i = 0; !what && i < d->n; i++) {
		unsigned char c = (unsigned char)d->p[i];

		what = c >= 0x80					     ? "an octet with 8 bits"
		       : c == 0						     ? "a NUL"
		       : c == '\n' && (i == 0 || d->p[i - 1] != '\r')	     ? "a bare LF"
		       : c == '\r' && (i + 1 == d->n || d->p[i + 1] != '\n') ? "a bare CR"
									     : NULL;
		at = i;
	}
	buf_adds(sentence, "wanted octets with 7 bits, in lines that end with CRLF");
	if (what)
		buf_addf(sentence, "; there is %s at octet %zu", what, at);
	return !what;
}

bool expect_line_max(struct view *v, struct buf *sentence)
{
	const struct buf *d = &v->m->data;
	size_t longest = 0;
	long wanted;

	if (number_read(v->words[0], 1, 1000000, &wanted) < 0) {
		v->not_run = true;
		buf_addf(sentence, "\"%s\" is no number", v->words[0]);
		return false;
	}
	for (size_t from = 0; from < d->n;) {
		const char *lf = memchr(d->p + from, '\n', d->n - from);
		size_t end = lf ? (size_t)(lf - d->p) : d->n, len = end - from;

		len -= lf && len > 0 && d->p[end - 1] == '\r';
		longest = len > longest ? len : longest;
		from = end + 1;
	}
	buf_addf(sentence, "wanted lines of at most %ld characters; the longest has %zu", wanted, longest);
	return longest <= (size_t)wanted;
}

bool expect_tls(struct view *v, struct buf *sentence)
{
	bool wanted = strcmp(v->words[0], "no") != 0;

	buf_addf(
	    sentence, "wanted it %s TLS; it came %s it", wanted ? "over" : "without", v->m->tls ? "over" : "without");
	return v->m->tls == wanted;
}

/* --- copies ----------------------------------------------------------------------------------------------------- */

static bool is_copy(const struct mail *other, void *arg)
{
	const struct view *v = arg;
	const char *id = mime_value(&v->outer, "Message-ID"), *theirs;
	struct mime m;
	bool same;

	if (other == v->m)
		return false;
	if (!id)
		return other->data.n == v->m->data.n &&
		       !memcmp(other->data.p ? other->data.p : "", v->m->data.p ? v->m->data.p : "", v->m->data.n);
	mime_read(other->data.p, other->data.n, &m);
	theirs = mime_value(&m, "Message-ID");
	same = theirs && !strcmp(theirs, id);
	mime_free(&m);
	return same;
}

/* Waits until nothing more is expected to come. */
bool expect_once(struct view *v, struct buf *sentence)
{
	char *to = scene_text(v->s, stmt_attribute(v->await, "to", v->m->n_to ? v->m->to[0] : ""), NULL);
	const struct mail *copy =
	    to && v->s->sink ? sink_wait(v->s->sink, v->m->side, to, 0, v->s->kit->settle_ms, is_copy, v) : NULL;

	buf_addf(sentence, "wanted one copy for %s; there is %s", to ? to : "", copy ? "another" : "no other");
	free(to);
	return !copy;
}

/* --- the mark --------------------------------------------------------------------------------------------------- */

static bool marked(const regex_t *re, const char *line, struct buf *lines)
{
	bool is = regexec(re, line, 0, NULL, 0) == 0;

	if (is && lines)
		buf_addf(lines, "%s\r\n", line);
	return is;
}

size_t marks_count(struct scene *s, const struct mail *m, enum mark mark, struct buf *lines)
{
	const char *pattern = mark < MARK_NONE ? s->kit->marks[mark] : NULL;
	size_t n = 0;
	struct mime h;
	regex_t re;

	if (!pattern || !*pattern || regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB | REG_ICASE) != 0)
		return 0;
	mime_read(m->data.p, m->data.n, &h);
	for (size_t i = 0; i < h.n; i++) {
		char *line = text_make("%s: %s", h.fields[i].name, h.fields[i].value);

		n += marked(&re, line, lines);
		free(line);
	}
	/* no header that can be read: others may see one, so each of its lines counts */
	for (const char *p = h.n == 0 && m->data.p ? m->data.p : ""; *p && *p != '\r' && *p != '\n';) {
		size_t len = strcspn(p, "\r\n");
		char *line = text_cut(p, len);

		n += marked(&re, line, lines);
		free(line);
		p += len;
		p += *p == '\r';
		p += *p == '\n';
	}
	mime_free(&h);
	regfree(&re);
	return n;
}

int expect_marks(struct scene *s, int line)
{
	const char *pattern = s->kit->marks[MARK_TRUSTED];

	if (pattern && *pattern)
		return 0;
	scene_found(s, NOT_RUN, line,
	    "mark-trusted of kit.conf does not say how the gateway marks what it trusts, so nobody can see what it "
	    "does not trust");
	return -1;
}

bool expect_mark_is(struct view *v, struct buf *sentence)
{
	enum mark there = expect_mark(v->s, v->m);
	const char *trusted = v->s->kit->marks[MARK_TRUSTED];
	size_t kinds = 0;

	for (enum mark k = MARK_TRUSTED; k < MARK_NONE; k++)
		kinds += marks_count(v->s, v->m, k, NULL) > 0;
	buf_addf(sentence, "wanted the mark %s; it is %s", v->words[0], mark_names[there]);
	if (kinds > 1)
		buf_adds(sentence, ", and others as well");
	if (!trusted || !*trusted) {
		buf_adds(sentence, "; mark-trusted of kit.conf does not say how the gateway marks what it trusts");
		v->not_run = true;
	}
	return !strcmp(v->words[0], mark_names[there]) && kinds <= 1;
}
