/*
 * Why a pass of our own before libconfuse (3.3):
 *  - it counts lines wrongly behind comments, so comments are blanked here;
 *  - it skips characters it has no use for, so that `listen = *:25` would silently become ":25";
 *  - it puts environment variables in for ${NAME}: parent and children must read the same file in the same way;
 *  - escapes can write a NUL or a line end into a value, and a forgotten quote swallows the rest of the file;
 *  - it takes the end of the file for the end of every section, so that a file cut in half would pass.
 * What is left to libconfuse is the grammar. Lexical rules as there: # and // to the end of the line and C comments
 * begin only where a word could; in quotes a backslash takes the next character.
 */
#include "gateway/base/settings_text.h"

#include <string.h>

enum { BRACES_MAX = 8 }; /* the grammar needs two: a list in a section */

struct pass {
	const char *file, *p, *end;
	char *out;
	unsigned line;
	unsigned braces[BRACES_MAX]; /* lines of those that are open */
	size_t depth;
	struct problem *pr;
};

static int left(const struct pass *s)
{
	return s->p < s->end;
}

static char ahead(const struct pass *s)
{
	return s->end - s->p > 1 ? s->p[1] : 0;
}

static void keep(struct pass *s)
{
	if (*s->p == '\n')
		s->line++;
	*s->out++ = *s->p++;
}

static void blank(struct pass *s)
{
	if (*s->p == '\n') {
		keep(s);
		return;
	}
	s->p++;
	*s->out++ = ' ';
}

static int wrong(struct pass *s, unsigned line, const char *what)
{
	return problem_perm(s->pr, "%s:%u: %s", s->file, line, what);
}

static int is_control(const struct pass *s)
{
	unsigned char c = (unsigned char)*s->p;

	return (c < 0x20 && c != '\t' && c != '\n' && !(c == '\r' && ahead(s) == '\n')) || c == 0x7f;
}

static int refuse_control(struct pass *s)
{
	return wrong(s, s->line, "a control character stands here: allowed is printable text, tab and line end");
}

static int refuse_variable(struct pass *s)
{
	return wrong(
	    s, s->line, "environment variables are not put in: allowed is \"$\" before \"{\" in single quotes only");
}

static int line_comment(struct pass *s)
{
	while (left(s) && *s->p != '\n')
		blank(s);
	return 0;
}

static int block_comment(struct pass *s)
{
	unsigned began = s->line;

	blank(s);
	blank(s);
	while (left(s)) {
		if (*s->p == '*' && ahead(s) == '/') {
			blank(s);
			blank(s);
			return 0;
		}
		blank(s);
	}
	return wrong(s, began, "the comment that begins here has no end: allowed is /* ... */");
}

/* A backslash in quotes and what follows it. Others than these would be control characters in disguise. */
static int escape(struct pass *s, char quote)
{
	char c = ahead(s);

	if (c == '\\' || c == quote || (quote == '"' && c == '$')) {
		keep(s);
		keep(s);
		return 0;
	}
	if (quote == '"')
		return wrong(s, s->line,
		    "a backslash stands here: allowed in double quotes are \\\\, \\\" and \\$, or use single quotes");
	keep(s);
	return 0;
}

static int quoted(struct pass *s)
{
	char quote = *s->p;
	int r = 0;

	keep(s);
	while (r == 0 && left(s) && *s->p != '\n' && *s->p != '\r') {
		char c = *s->p;

		if (c == quote) {
			keep(s);
			return 0;
		}
		if (is_control(s))
			return refuse_control(s);
		if (c == '$' && quote == '"' && ahead(s) == '{')
			return refuse_variable(s);
		if (c == '\\')
			r = escape(s, quote);
		else
			keep(s);
	}
	return r < 0 ? r : wrong(s, s->line, "a quote is not closed: allowed is a string that ends on its own line");
}

static int ends_word(char c)
{
	return strchr(" #\"'\t\n\r={}()+,*", c) != NULL;
}

static int word(struct pass *s)
{
	while (left(s) && !ends_word(*s->p)) {
		if (is_control(s))
			return refuse_control(s);
		keep(s);
	}
	/* `$` is a character of words, `${` a variable only where a word begins; refused everywhere, it is never
	 * meant */
	if (left(s) && *s->p == '{' && s->p[-1] == '$')
		return refuse_variable(s);
	return 0;
}

static int brace(struct pass *s)
{
	if (*s->p == '}')
		s->depth -= s->depth > 0; /* one too many is libconfuse's to refuse */
	else if (s->depth == BRACES_MAX)
		return wrong(s, s->line, "braces are nested too deeply: allowed is section { name = {a, b} }");
	else
		s->braces[s->depth++] = s->line;
	return 0;
}

static int mark(struct pass *s)
{
	char c = *s->p;

	if (is_control(s))
		return refuse_control(s);
	if (c == '*' || (c == '+' && ahead(s) != '='))
		return wrong(s, s->line,
		    c == '*' ? "\"*\" stands outside quotes: allowed is '*' in quotes"
			     : "\"+\" stands outside quotes: allowed is '+' in quotes");
	if ((c == '{' || c == '}') && brace(s) < 0)
		return -1;
	keep(s);
	return 0;
}

static int item(struct pass *s)
{
	char c = *s->p, d = ahead(s);

	if (c == '#' || (c == '/' && d == '/'))
		return line_comment(s);
	if (c == '/' && d == '*')
		return block_comment(s);
	if (c == '"' || c == '\'')
		return quoted(s);
	return ends_word(c) ? mark(s) : word(s);
}

int settings_text_clean(const char *file, const char *text, size_t n, char *out, struct problem *pr)
{
	struct pass s = {.file = file, .p = text, .end = text + n, .out = out, .line = 1, .pr = pr};

	if (n > SETTINGS_TEXT_MAX)
		return problem_perm(
		    pr, "%s:1: the file has %zu octets: allowed is at most %zu", file, n, SETTINGS_TEXT_MAX);
	while (left(&s))
		if (item(&s) < 0)
			return -1;
	if (s.depth > 0)
		return wrong(&s, s.braces[s.depth - 1], "a brace that opens here is not closed: allowed is {...}");
	*s.out = 0;
	return 0;
}
