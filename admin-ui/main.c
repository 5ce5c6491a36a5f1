/*
 * postern: the admin's command. Runs as the admin, speaks to the gateway over its control socket
 * (certstore/admin_proto.h) and decides nothing itself; only `restore` works on files, while the gateway does not
 * run.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_commands.h"
#include "admin-ui/cli_help.h"
#include "admin-ui/cli_out.h"

#define GLOBAL_OPTIONS " json help socket="
enum { OPTIONS_ROOM = 256 };

/* Options before the command: only those every command has. 0, or -1 after a sentence; *used_r: how many arguments.
 */
static int global_options(struct cli *c, int argc, char **argv, int *used_r)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--json") == 0)
			c->form = CLI_JSON;
		else if (strncmp(argv[i], "--socket=", 9) == 0)
			c->socket = argv[i] + 9;
		else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc)
			c->socket = argv[++i];
		else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			c->args.nwords = -1; /* asked for help */
		else
			return cli_out_fail(
				   "there is no option %.60s here; postern help lists what there is", argv[i]),
			       -1;
	}
	*used_r = i;
	return 0;
}

static int no_command(int argc, char **argv)
{
	int n;

	if (argc == 0)
		(void)cli_out_fail("which command? postern help lists them");
	else {
		(void)cli_out_fail("there is no command \"%.40s%s%.40s\"; there are:", argv[0], argc > 1 ? " " : "",
		    argc > 1 ? argv[1] : "");
		cli_help_list(argv[0], &n);
		if (n == 0)
			cli_help_list("", &n);
	}
	return CLI_USAGE;
}

/* "postern domain --help": the commands that begin with a word. */
static bool group_help(int argc, char **argv)
{
	int n = 0;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		cli_help_list(argv[0], &n);
	return n > 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	char allowed[OPTIONS_ROOM], why[200];
	int used;

	if (c->args.nwords < 0) {
		c->args.nwords = 0;
		return cli_help(c);
	}
	c->command = cli_commands_find(argc, argv, &used);
	if (c->command == NULL)
		return group_help(argc, argv) ? CLI_OK : no_command(argc, argv);
	(void)snprintf(allowed, sizeof allowed, "%s" GLOBAL_OPTIONS, c->command->options);
	if (cli_args_parse(&c->args, argc - used, argv + used, allowed, why, sizeof why) != 0)
		return cli_help_usage(c->command, why);
	if (cli_args_has(&c->args, "help")) {
		cli_help_one(c->command);
		return CLI_OK;
	}
	if (cli_args_has(&c->args, "json"))
		c->form = CLI_JSON;
	if (cli_args_has(&c->args, "socket"))
		c->socket = cli_args_get(&c->args, "socket");
	if (c->args.nwords < c->command->min)
		return cli_help_usage(c->command, "something is missing");
	if (c->args.nwords > c->command->max)
		return cli_help_usage(c->command, "that is too much");
	return c->command->run(c);
}

int main(int argc, char **argv)
{
	const char *env = getenv("POSTERN_SOCKET");
	struct cli c = {.socket = env != NULL && env[0] ? env : "/run/postern/postern.sock"};
	int used = 0, rc = CLI_USAGE;

	cli_out_init();
	cli_call_init();
	if (global_options(&c, argc, argv, &used) == 0)
		rc = run(&c, argc - used, argv + used);
	/* what was not written was not done, as far as a script can know */
	if ((fflush(stdout) != 0 || ferror(stdout)) && rc == CLI_OK)
		rc = cli_out_fail("the output could not be written");
	return rc;
}
