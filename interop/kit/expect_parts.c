/* Expectations about the parts of a message, and about the names that its form bears outside. */
#include "interop/kit/expectation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LEVELS_MAX = 16, PARTS_MAX = 200 };

/* Text as a reader sees it: line ends as LF, none at the end. */
static void add_leaf(const struct mime *m, struct buf *out)
{
	struct buf body = {0};
	bool text = !*m->type || !strncmp(m->type, "text/", 5);
	unsigned char hash[32];

	buf_add(&body, "", 0);
	if (mime_decode(m, &body, NULL) < 0) {
		buf_clear(&body);
		buf_add(&body, m->body, m->body_n);
	}
	if (text) {
		size_t n = 0;

		for (size_t i = 0; i < body.n; i++)
			if (body.p[i] != '\r' || i + 1 == body.n || body.p[i + 1] != '\n')
				body.p[n++] = body.p[i];
		while (n > 0 && body.p[n - 1] == '\n')
			n--;
		body.n = n;
	}
	sha256_of(body.p, body.n, hash);
	buf_addf(out, " %zu octets ", body.n);
	hex_add(out, hash, 8);
	buf_free(&body);
}

/* A line for each part: its media type, and for a leaf length and hash of its octets. */
static void list_parts(const char *p, size_t n, unsigned level, struct buf *out)
{
	struct mime_range parts[PARTS_MAX];
	struct mime m;
	int found = -1;

	mime_read(p, n, &m);
	buf_adds(out, *m.type ? m.type : "text/plain");
	if (level < LEVELS_MAX && !strncmp(m.type, "multipart/", 10))
		found = mime_parts(&m, parts, PARTS_MAX, NULL);
	if (found < 0 && strcmp(m.type, "message/rfc822") != 0)
		add_leaf(&m, out);
	buf_adds(out, "\n");
	for (int i = 0; i < found && i < PARTS_MAX; i++)
		list_parts(parts[i].p, parts[i].n, level + 1, out);
	if (level < LEVELS_MAX && !strcmp(m.type, "message/rfc822")) {
		struct buf inside = {0};

		if (mime_decode(&m, &inside, NULL) == 0)
			list_parts(inside.p, inside.n, level + 1, out);
		buf_free(&inside);
	}
	mime_free(&m);
}

/* The first line in which they differ, for the sentence. */
static void first_difference(const char *wanted, const char *there, struct buf *sentence)
{
	while (*wanted && *wanted == *there) {
		wanted++;
		there++;
	}
	buf_addf(sentence, "; wanted \"%.*s\", there is \"%.*s\" at the first difference", (int)strcspn(wanted, "\n"),
	    wanted, (int)strcspn(there, "\n"), there);
}

bool expect_parts_are(struct view *v, struct buf *sentence)
{
	const struct judged *j = &v->seen->first;
	char *plain = text_make("%s:plain", v->words[0]);
	const struct buf *from = !strcmp(v->words[0], "sent") ? v->sent : scene_named(v->s, plain);
	struct buf wanted = {0}, there = {0};
	bool yes = false;

	free(plain);
	buf_adds(sentence, "wanted the parts that were sent, each with its octets");
	if (!from || from->n == 0) {
		v->not_run = true;
		buf_adds(sentence, "; what was sent is not known");
		return false;
	}
	if (!j->whole) {
		buf_addf(sentence, "; the layers do not come off: %s",
		    j->broken ? j->broken : "no key of the case opens it");
		return false;
	}
	list_parts(from->p, from->n, 0, &wanted);
	list_parts(j->content.p, j->content.n, 0, &there);
	/* a message that was wrapped as a whole (RFC 8551 3.1) is the same message */
	if (!strncmp(there.p, "message/rfc822\n", 15) && strncmp(wanted.p, "message/rfc822\n", 15) != 0)
		yes = !strcmp(wanted.p, there.p + 15);
	yes = yes || !strcmp(wanted.p, there.p);
	if (yes)
		buf_adds(sentence, "; they are there");
	else
		first_difference(wanted.p, there.p, sentence);
	buf_free(&wanted);
	buf_free(&there);
	return yes;
}

/* RFC 8551 3.2.1 and 3.2.2: name, suffix and smime-type by the outermost CMS content. */
static const struct {
	enum layer_kind kind;
	const char *type, *suffix;
} forms[] = {{LAYER_ENVELOPED, "enveloped-data", ".p7m"}, {LAYER_AUTH_ENVELOPED, "authEnveloped-data", ".p7m"},
    {LAYER_SIGNED, "signed-data", ".p7m"}, {LAYER_COMPRESSED, "compressed-data", ".p7z"}};

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), len = strlen(suffix);

	return n >= len && !strcasecmp(name + n - len, suffix);
}

static bool name_fits(const char *value, const char *parameter, const char *suffix, struct buf *sentence)
{
	char *name = value ? mime_parameter(value, parameter, NULL) : NULL;
	bool fits = !name || ends_with(name, suffix);

	if (name)
		buf_addf(sentence, "; %s is %.100s", parameter, name);
	free(name);
	return fits;
}

bool expect_smime_type(struct view *v, struct buf *sentence)
{
	const struct judged *j = &v->seen->first;
	char *type;
	bool good = true;

	buf_adds(sentence, "wanted names that fit the outermost CMS content");
	for (size_t i = 0; j->n > 0 && i < sizeof(forms) / sizeof(*forms); i++)
		if (forms[i].kind == j->layers[0].kind) {
			type = mime_type_parameter(&v->outer, "smime-type");
			if (type)
				buf_addf(sentence, "; smime-type is %.100s", type);
			good = !type || !strcasecmp(type, forms[i].type);
			free(type);
			good = name_fits(mime_value(&v->outer, "Content-Type"), "name", forms[i].suffix, sentence) &&
			       good;
			good = name_fits(mime_value(&v->outer, "Content-Disposition"), "filename", forms[i].suffix,
				   sentence) &&
			       good;
			buf_addf(sentence, "; it is %s", layer_names[j->layers[0].kind]);
		}
	return good && j->n > 0;
}
