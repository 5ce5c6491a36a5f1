#include "interop/kit/case_file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define CASE_MAX (256 * 1024)
#define LINES_MAX 20000

const char *stmt_attribute(const struct stmt *s, const char *name, const char *without)
{
	for (size_t i = 0; i < s->n_attributes; i++)
		if (!strcmp(s->attributes[i].name, name))
			return s->attributes[i].value;
	return without;
}

const char *stmt_word(const struct stmt *s, size_t i, const char *without)
{
	return i < s->n_words ? s->words[i] : without;
}

static void words_free(char **words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(words[i]);
	free(words);
}

static void stmts_free(struct stmt *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(s[i].verb);
		free(s[i].text);
		words_free(s[i].words, s[i].n_words);
		for (size_t j = 0; j < s[i].n_attributes; j++) {
			free(s[i].attributes[j].name);
			free(s[i].attributes[j].value);
		}
		free(s[i].attributes);
		stmts_free(s[i].below, s[i].n_below);
	}
	free(s);
}

void case_file_free(struct case_file *c)
{
	free(c->id);
	free(c->profile);
	free(c->dir);
	free(c->title);
	words_free(c->proves, c->n_proves);
	words_free(c->needs, c->n_needs);
	stmts_free(c->stmts, c->n_stmts);
	*c = (struct case_file){0};
}

/* One escape behind a backslash; the characters used, 0: not known. */
static size_t escape(const char *p, const char *end, char *out)
{
	static const char from[] = "nrt\\\"0", to[] = "\n\r\t\\\"\0";
	const char *at = p < end && *p ? strchr(from, *p) : NULL;
	char hex[3] = {0}, *stop;

	if (at) {
		*out = to[at - from];
		return 1;
	}
	if (end - p < 3 || *p != 'x')
		return 0;
	memcpy(hex, p + 1, 2);
	*out = (char)strtol(hex, &stop, 16);
	return *stop ? 0 : 3;
}

/* One word up to a blank (or, for a name, up to "="); *quoted: it began with a quote. NULL: why. */
static char *word(const char **at, const char *end, const char *stops, bool *quoted, struct buf *why)
{
	struct buf b = {0};
	bool in = false;
	char c;

	*quoted = *at < end && **at == '"';
	for (; *at < end && (in || !strchr(stops, **at)); ++*at) {
		if (**at == '"') {
			in = !in;
		} else if (in && **at == '\\') {
			size_t used = escape(*at + 1, end, &c);

			if (used == 0) {
				fail(why, "unknown escape in a text");
				goto bad;
			}
			buf_add(&b, &c, 1);
			*at += used;
		} else {
			buf_add(&b, *at, 1);
		}
	}
	if (in) {
		fail(why, "a quote is not closed");
		goto bad;
	}
	buf_add(&b, "", 0);
	return b.p;
bad:
	buf_free(&b);
	return NULL;
}

static void add_word(char ***words, size_t *n, char *w)
{
	*words = need_more(*words, (*n + 1) * sizeof(**words));
	(*words)[(*n)++] = w;
}

/* "name=value" or a word. A quoted word is never name=value. */
static int read_word(struct stmt *s, const char **at, const char *end, struct buf *why)
{
	bool quoted, value_quoted;
	char *name = word(at, end, " \t=", &quoted, why), *value;

	if (!name)
		return -1;
	if (*at == end || **at != '=' || quoted || !*name) {
		if (*at < end && **at == '=') {
			free(name);
			return fail(why, "\"=\" behind a text in quotes, or behind nothing");
		}
		if (!s->verb)
			s->verb = name;
		else
			add_word(&s->words, &s->n_words, name);
		return 0;
	}
	++*at;
	value = word(at, end, " \t", &value_quoted, why);
	if (!value || !s->verb || stmt_attribute(s, name, NULL)) {
		if (value)
			fail(why, s->verb ? "%s= stands twice" : "%s= has no verb before it", name);
		free(name);
		free(value);
		return -1;
	}
	s->attributes = need_more(s->attributes, (s->n_attributes + 1) * sizeof(*s->attributes));
	s->attributes[s->n_attributes++] = (struct attribute){name, value};
	return 0;
}

static int read_line(struct stmt *s, const char *p, const char *end, struct buf *why)
{
	for (;;) {
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (p == end || *p == '#')
			return 0;
		if (read_word(s, &p, end, why) < 0)
			return -1;
	}
}

static struct stmt *add_stmt(struct stmt **list, size_t *n, int line)
{
	*list = need_more(*list, (*n + 1) * sizeof(**list));
	(*list)[*n] = (struct stmt){.line = line};
	return &(*list)[(*n)++];
}

static void add_text(struct stmt *s, const char *p, const char *end)
{
	struct buf b = {0};

	if (s->text)
		buf_adds(&b, s->text);
	p += p < end && *p == ' ';
	buf_add(&b, p, (size_t)(end - p));
	buf_adds(&b, "\r\n");
	free(s->text);
	s->text = b.p;
}

static bool is_head(const char *verb)
{
	return !strcmp(verb, "title") || !strcmp(verb, "proves") || !strcmp(verb, "needs");
}

/* title, proves and needs are not statements. */
static int head(struct case_file *c, struct stmt *s, struct buf *why)
{
	bool title = !strcmp(s->verb, "title"), proves = !strcmp(s->verb, "proves");

	if (!is_head(s->verb))
		return 0;
	if (s->n_attributes > 0 || s->n_words == 0 || (title && (s->n_words != 1 || c->title)))
		return fail(why, "%s", title ? "title has one text, once" : "proves and needs have words");
	if (title)
		c->title = text_copy(s->words[0]);
	for (size_t i = 0; !title && i < s->n_words; i++)
		add_word(
		    proves ? &c->proves : &c->needs, proves ? &c->n_proves : &c->n_needs, text_copy(s->words[i]));
	return 0;
}

static int add_line(struct case_file *c, const char *p, const char *end, int line, struct buf *why)
{
	const char *first = p;
	struct stmt *above = c->n_stmts ? &c->stmts[c->n_stmts - 1] : NULL, *s;
	bool indented;

	while (first < end && (*first == ' ' || *first == '\t'))
		first++;
	if (first == end || *first == '#')
		return 0;
	indented = first > p;
	if (indented && (!above || is_head(above->verb)))
		return fail(why, "an indented line without a statement above it");
	if (*first == '|') {
		if (!indented)
			return fail(why, "text lines are indented");
		add_text(above, first + 1, end);
		return 0;
	}
	s = indented ? add_stmt(&above->below, &above->n_below, line) : add_stmt(&c->stmts, &c->n_stmts, line);
	if (read_line(s, first, end, why) < 0)
		return -1;
	if (!s->verb)
		return fail(why, "a line without a verb");
	return !indented && head(c, s, why) < 0 ? -1 : 0;
}

/* takes the lines of the head out of the statements */
static void drop_head(struct case_file *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n_stmts; i++) {
		if (is_head(c->stmts[i].verb)) {
			struct stmt *one = need(sizeof(*one));

			*one = c->stmts[i];
			stmts_free(one, 1);
		} else {
			c->stmts[kept++] = c->stmts[i];
		}
	}
	c->n_stmts = kept;
}

int case_file_parse(const char *text, size_t n, struct case_file *out, struct buf *why)
{
	struct buf said = {0};
	int line = 0, rc = 0;

	if (n > CASE_MAX)
		return fail(why, "larger than %d octets", CASE_MAX);
	if (memchr(text, 0, n))
		return fail(why, "a NUL octet in it");
	for (const char *p = text; rc == 0 && p < text + n;) {
		const char *end = memchr(p, '\n', (size_t)(text + n - p)), *stop = end ? end : text + n;

		stop -= stop > p && stop[-1] == '\r';
		rc = ++line > LINES_MAX ? fail(&said, "more than %d lines", LINES_MAX)
					: add_line(out, p, stop, line, &said);
		p = end ? end + 1 : text + n;
	}
	if (rc == 0) {
		line = 0;
		drop_head(out);
		if (!out->title || out->n_proves == 0)
			rc = fail(&said, "title and proves are missing");
	}
	if (rc < 0) {
		if (line)
			fail(why, "line %d: %s", line, said.p);
		else
			fail(why, "%s", said.p);
	}
	buf_free(&said);
	return rc;
}

static int read_case(const char *dir, const char *profile, const char *id, struct case_list *out, struct buf *why)
{
	char *folder = text_make("%s/%s/%s", dir, profile, id), *path = text_make("%s/case", folder);
	struct buf text = {0}, said = {0};
	struct case_file c = {.id = text_copy(id), .profile = text_copy(profile), .dir = folder};
	int rc = file_read(path, &text, &said);

	if (rc == 0)
		rc = case_file_parse(text.p, text.n, &c, &said);
	if (rc < 0) {
		fail(why, "%s: %s", path, said.p);
		case_file_free(&c);
	} else {
		out->cases = need_more(out->cases, (out->n + 1) * sizeof(*out->cases));
		out->cases[out->n++] = c;
	}
	free(path);
	buf_free(&text);
	buf_free(&said);
	return rc;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dot(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int read_profile(const char *dir, const char *profile, const char *id, struct case_list *out, struct buf *why)
{
	char *path = text_make("%s/%s", dir, profile);
	struct dirent **found;
	int n = scandir(path, &found, no_dot, by_name), rc = 0;

	for (int i = 0; i < n; i++) {
		if ((!id || text_is_word_in(found[i]->d_name, id)) &&
		    read_case(dir, profile, found[i]->d_name, out, why) < 0)
			rc = -1;
		free(found[i]);
	}
	if (n >= 0)
		free(found);
	free(path);
	return n < 0 ? fail(why, "%s/%s: cannot be read", dir, profile) : rc;
}

/* What was asked for by name and is not there would be missing in the report, too. */
static int all_there(const struct case_list *l, const char *names, bool profiles, struct buf *why)
{
	int rc = 0;

	for (const char *at = names; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
		char *name = text_cut(at, strcspn(at, ","));
		bool there = !*name;

		for (size_t i = 0; !there && i < l->n; i++)
			there = !strcmp(name, profiles ? l->cases[i].profile : l->cases[i].id);
		if (!there)
			rc = fail(why, "there is no %s \"%s\"", profiles ? "case of a profile" : "case", name);
		free(name);
	}
	return rc;
}

int case_list_read(const char *dir, const char *profile, const char *id, struct case_list *out, struct buf *why)
{
	struct dirent **found;
	int n = scandir(dir, &found, no_dot, by_name), rc = 0;

	if (n < 0)
		return fail(why, "%s: cannot be read", dir);
	for (int i = 0; i < n; i++) {
		if ((!profile || text_is_word_in(found[i]->d_name, profile)) &&
		    read_profile(dir, found[i]->d_name, id, out, why) < 0)
			rc = -1;
		free(found[i]);
	}
	free(found);
	if (rc == 0 && out->n == 0)
		return fail(why, "no case fits below %s", dir);
	if (rc == 0 && profile)
		rc = all_there(out, profile, true, why);
	return rc == 0 && id ? all_there(out, id, false, why) : rc;
}

void case_list_free(struct case_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		case_file_free(&l->cases[i]);
	free(l->cases);
	*l = (struct case_list){0};
}
