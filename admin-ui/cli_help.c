/* postern help: from the table of commands. */
#include "admin-ui/cli_help.h"

#include <stdio.h>
#include <string.h>

#include "admin-ui/cli_commands.h"
#include "admin-ui/cli_out.h"

void cli_help_one(const struct cli_command *cmd)
{
	char text[600];

	(void)snprintf(text, sizeof text, "postern %s%s%s [--json]", cmd->name, cmd->usage[0] ? " " : "", cmd->usage);
	cli_out_wrap("usage: ", 11, text);
	cli_out_wrap("", 0, cmd->help);
	(void)snprintf(text, sizeof text, "postern %s", cmd->example);
	cli_out_wrap("for example: ", 13, text);
}

int cli_help_usage(const struct cli_command *cmd, const char *why)
{
	(void)cli_out_fail("%s: %s", cmd->name, why);
	cli_out_note("usage: postern %s %s", cmd->name, cmd->usage);
	return CLI_USAGE;
}

void cli_help_list(const char *word, int *n_r)
{
	const struct cli_command *cmd;
	size_t len = strlen(word);

	*n_r = 0;
	for (size_t i = 0; (cmd = cli_commands_at(i)) != NULL; i++) {
		char lead[40];

		if (len > 0 && (strncmp(cmd->name, word, len) != 0 || cmd->name[len] != ' '))
			continue;
		(void)snprintf(lead, sizeof lead, "  %-16s ", cmd->name);
		cli_out_wrap(lead, 19, cmd->help);
		++*n_r;
	}
}

static void help_all(void)
{
	int n;

	cli_out_line("usage: postern [--socket PATH] [--json] COMMAND ...");
	cli_help_list("", &n);
	cli_out_line("%s", "");
	cli_out_line("postern help COMMAND tells more; postern(1) tells all.");
}

int cli_help(struct cli *c)
{
	const struct cli_command *cmd;
	int n = 0;

	if (c->args.nwords == 0) {
		help_all();
		return CLI_OK;
	}
	cmd = cli_commands_find(c->args.nwords, (char *const *)c->args.words, &n);
	if (cmd != NULL) {
		cli_help_one(cmd);
		return CLI_OK;
	}
	cli_help_list(c->args.words[0], &n);
	if (n > 0)
		return CLI_OK;
	(void)cli_out_fail("there is no command \"%s\"; postern help lists them", c->args.words[0]);
	return CLI_USAGE;
}
