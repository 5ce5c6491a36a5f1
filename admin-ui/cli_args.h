/* Words and options of a command line. Pure. */
#ifndef POSTERN_ADMIN_UI_CLI_ARGS_H
#define POSTERN_ADMIN_UI_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

enum { CLI_ARGS_WORDS_MAX = 64, CLI_ARGS_OPTIONS_MAX = 32 };

struct cli_args {
	const char *words[CLI_ARGS_WORDS_MAX];
	int nwords;
	struct {
		const char *name, *value; /* value NULL: an option without one */
		size_t n;		  /* length of the name */
	} options[CLI_ARGS_OPTIONS_MAX];
	int noptions;
};
/* Sorts argv into words and options, in any order; "--" ends the options. allowed: "days= csr", each between blanks
 * or the ends. "--name value" and
 * "--name=value". 0, or -1 with a sentence in why. Points into argv. */
int cli_args_parse(struct cli_args *a, int argc, char **argv, const char *allowed, char *why, size_t cap)
    __attribute__((warn_unused_result));
/* The option's value, "" for one without; NULL when it was not given. */
const char *cli_args_get(const struct cli_args *a, const char *name);
bool cli_args_has(const struct cli_args *a, const char *name);

#endif
