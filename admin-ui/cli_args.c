/* Words and options of a command line. Every option is long: nobody who reads a script later has to look up what -f
 * meant. */
#include "admin-ui/cli_args.h"

#include <stdio.h>
#include <string.h>

enum kind { UNKNOWN, PLAIN, WITH_VALUE };

static enum kind kind_of(const char *allowed, const char *name, size_t n)
{
	while (*allowed) {
		size_t len = strcspn(allowed, " "), bare = len > 0 && allowed[len - 1] == '=' ? len - 1 : len;

		if (bare == n && strncmp(allowed, name, n) == 0)
			return bare < len ? WITH_VALUE : PLAIN;
		allowed += len;
		allowed += strspn(allowed, " ");
	}
	return UNKNOWN;
}

/* 0, or -1 with why; *used_r: how many further arguments it took. */
static int option(
    struct cli_args *a, const char *text, const char *next, const char *allowed, int *used_r, char *why, size_t cap)
{
	size_t n = strcspn(text, "=");
	enum kind k = n == 0 ? UNKNOWN : kind_of(allowed, text, n);

	*used_r = 0;
	if (k == UNKNOWN)
		return snprintf(why, cap, "there is no option --%.60s here", text), -1;
	if (k == PLAIN && text[n] == '=')
		return snprintf(why, cap, "option --%.*s takes no value", (int)n, text), -1;
	if (k == WITH_VALUE && text[n] != '=' && next == NULL)
		return snprintf(why, cap, "option --%.*s needs a value", (int)n, text), -1;
	if (a->noptions == CLI_ARGS_OPTIONS_MAX)
		return snprintf(why, cap, "too many options"), -1;
	for (int i = 0; i < a->noptions; i++)
		if (a->options[i].n == n && strncmp(a->options[i].name, text, n) == 0)
			return snprintf(why, cap, "option --%.*s is given twice", (int)n, text), -1;
	a->options[a->noptions].name = text;
	a->options[a->noptions].n = n;
	a->options[a->noptions].value = k == PLAIN ? NULL : text[n] == '=' ? text + n + 1 : next;
	a->noptions++;
	*used_r = k == WITH_VALUE && text[n] != '=';
	return 0;
}

int cli_args_parse(struct cli_args *a, int argc, char **argv, const char *allowed, char *why, size_t cap)
{
	bool only_words = false;

	memset(a, 0, sizeof *a);
	for (int i = 0; i < argc; i++) {
		const char *s = argv[i];
		int used = 0;

		if (!only_words && strcmp(s, "--") == 0) {
			only_words = true;
		} else if (!only_words && strncmp(s, "--", 2) == 0) {
			if (option(a, s + 2, i + 1 < argc ? argv[i + 1] : NULL, allowed, &used, why, cap) < 0)
				return -1;
		} else if (!only_words && s[0] == '-' && s[1] != '\0') {
			return snprintf(
				   why, cap, "there is no option %.60s: options are written out, such as --json", s),
			       -1;
		} else if (a->nwords == CLI_ARGS_WORDS_MAX) {
			return snprintf(why, cap, "too many arguments"), -1;
		} else {
			a->words[a->nwords++] = s;
		}
		i += used;
	}
	return 0;
}

const char *cli_args_get(const struct cli_args *a, const char *name)
{
	for (int i = 0; i < a->noptions; i++)
		if (a->options[i].n == strlen(name) && strncmp(a->options[i].name, name, a->options[i].n) == 0)
			return a->options[i].value != NULL ? a->options[i].value : "";
	return NULL;
}

bool cli_args_has(const struct cli_args *a, const char *name)
{
	return cli_args_get(a, name) != NULL;
}
