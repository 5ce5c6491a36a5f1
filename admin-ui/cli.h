/* What every command of `postern` is given, and how it ends. */
#ifndef POSTERN_ADMIN_UI_CLI_H
#define POSTERN_ADMIN_UI_CLI_H

#include "admin-ui/cli_args.h"

/* The exit status; documented in docs/man/postern.1. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1, /* refused, or it failed: the sentence is on stderr */
	CLI_USAGE = 2,
	CLI_AWAY = 3,  /* the gateway, or the part of it that had to answer, is not there now */
	CLI_NO = 4,    /* a question was not answered with yes */
	CLI_WAITS = 5, /* nothing is changed yet: a second person has to confirm it */
};
enum cli_form { CLI_TEXT, CLI_JSON };

struct cli_command;
struct cli {
	const char *socket;
	enum cli_form form;
	const struct cli_command *command;
	struct cli_args args;
	const char *file; /* what the request carries was read from: named in front of a refusal; NULL none */
};
struct cli_command {
	const char *name;    /* "domain add" */
	const char *usage;   /* what follows the name */
	const char *options; /* "days= csr": those with "=" take a value */
	int min, max;	     /* how many words may follow */
	int (*run)(struct cli *c);
	const char *help; /* one sentence */
	const char *example;
};

#endif
