#include "interop/kit/mime.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 16, PARTS_MAX = 1000 };

/* --- encoded words ---------------------------------------------------------------------------------------------- */

static void add_utf8(const char *charset, struct buf *octets, struct buf *out)
{
	iconv_t way = iconv_open("UTF-8", charset);
	char *from = octets->p;
	size_t left = octets->n;

	if (way == (iconv_t)-1) {
		buf_add(out, octets->p, octets->n);
		return;
	}
	while (left > 0) {
		char part[512], *to = part;
		size_t room = sizeof(part), before = left;

		iconv(way, &from, &left, &to, &room);
		buf_add(out, part, sizeof(part) - room);
		if (left == before) { /* an octet that is none of this character set */
			buf_adds(out, "\xEF\xBF\xBD");
			from++;
			left--;
		}
	}
	iconv_close(way);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* RFC 2047 4.2 */
static void q_decode(const char *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '=' && i + 2 < n && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0) {
			buf_add(out, (char[1]){(char)(hex(p[i + 1]) << 4 | hex(p[i + 2]))}, 1);
			i += 2;
		} else {
			buf_add(out, p[i] == '_' ? " " : p + i, 1);
		}
	}
}

/* "=?charset?q?text?=" at p: adds it decoded; how long it is, 0: it is none. */
static size_t word(const char *p, struct buf *out)
{
	const char *charset = p + 2, *q1 = strchr(charset, '?'), *q2 = q1 ? strchr(q1 + 1, '?') : NULL,
		   *end = q2 ? strstr(q2 + 1, "?=") : NULL;
	struct buf octets = {0};
	size_t blank = end ? strcspn(p, " \t") : 0;
	char *name;
	bool good = true;

	if (!end || q2 != q1 + 2 || (size_t)(end - p) > blank)
		return 0;
	buf_add(&octets, "", 0);
	if (q1[1] == 'B' || q1[1] == 'b')
		good = base64_read(q2 + 1, (size_t)(end - q2 - 1), &octets) == 0;
	else if (q1[1] == 'Q' || q1[1] == 'q')
		q_decode(q2 + 1, (size_t)(end - q2 - 1), &octets);
	else
		good = false;
	name = text_cut(charset, (size_t)(q1 - charset));
	name[strcspn(name, "*")] = 0; /* RFC 2231 5: a language */
	if (good)
		add_utf8(name, &octets, out);
	free(name);
	buf_free(&octets);
	return good ? (size_t)(end + 2 - p) : 0;
}

void mime_words(const char *value, struct buf *out)
{
	bool after = false; /* behind an encoded word: blanks before another do not count (6.2) */
	struct buf blanks = {0};

	buf_add(out, "", 0);
	while (*value) {
		size_t blank = strspn(value, " \t"), used;
		struct buf decoded = {0};

		buf_clear(&blanks);
		buf_add(&blanks, value, blank);
		value += blank;
		used = value[0] == '=' && value[1] == '?' ? word(value, &decoded) : 0;
		if (!(used && after))
			buf_add(out, blanks.p, blanks.n);
		if (used) {
			buf_add(out, decoded.p, decoded.n);
			value += used;
		} else if (*value) {
			size_t plain = 1 + strcspn(value + 1, " \t=");

			buf_add(out, value, plain);
			value += plain;
		}
		after = used > 0;
		buf_free(&decoded);
	}
	buf_free(&blanks);
}

/* --- everything within ------------------------------------------------------------------------------------------ */

struct walk {
	void (*head)(const struct mime *, void *);
	void (*leaf)(const struct mime *, const struct buf *, void *);
	void *arg;
	bool *all; /* becomes false when something is not taken apart */
};

static void walk(const char *p, size_t n, int depth, const struct walk *w)
{
	struct mime_range *parts = NULL;
	struct buf body = {0};
	struct mime m;
	int count = -1;

	mime_read(p, n, &m);
	if (w->head)
		w->head(&m, w->arg);
	if (!strncmp(m.type, "multipart/", 10)) {
		parts = need(PARTS_MAX * sizeof(*parts));
		count = depth < DEPTH_MAX ? mime_parts(&m, parts, PARTS_MAX, NULL) : -1;
	}
	if (w->all && ((parts && count <= 0) || (depth >= DEPTH_MAX && !strcmp(m.type, "message/rfc822"))))
		*w->all = false;
	if (mime_decode(&m, &body, NULL) < 0) {
		buf_clear(&body);
		buf_add(&body, m.body, m.body_n);
	}
	if (count > 0) {
		for (int i = 0; i < count && i < PARTS_MAX; i++)
			walk(parts[i].p, parts[i].n, depth + 1, w);
	} else if (!strcmp(m.type, "message/rfc822") && depth < DEPTH_MAX) {
		walk(body.p, body.n, depth + 1, w);
	} else {
		w->leaf(&m, &body, w->arg);
	}
	free(parts);
	buf_free(&body);
	mime_free(&m);
}

static void add_head(const struct mime *m, void *arg)
{
	struct buf *out = arg;

	buf_add(out, m->all, (size_t)(m->body - m->all));
	for (size_t i = 0; i < m->n; i++) {
		buf_addf(out, "%s: ", m->fields[i].name);
		mime_words(m->fields[i].value, out);
		buf_adds(out, "\r\n");
	}
}

static void add_leaf(const struct mime *m, const struct buf *body, void *arg)
{
	(void)m;
	buf_add(arg, body->p, body->n);
	buf_adds(arg, "\r\n");
}

bool mime_flatten(const char *p, size_t n, struct buf *out)
{
	bool all = true;
	const struct walk w = {add_head, add_leaf, out, &all};

	buf_add(out, "", 0);
	walk(p, n, 0, &w);
	return all;
}

void mime_leaves(
    const char *p, size_t n, void (*leaf)(const struct mime *m, const struct buf *body, void *arg), void *arg)
{
	mime_walk(p, n, NULL, leaf, arg);
}

void mime_walk(const char *p, size_t n, void (*node)(const struct mime *m, void *arg),
    void (*leaf)(const struct mime *m, const struct buf *body, void *arg), void *arg)
{
	const struct walk w = {node, leaf, arg, NULL};

	walk(p, n, 0, &w);
}
