/* postern help. */
#ifndef POSTERN_ADMIN_UI_CLI_HELP_H
#define POSTERN_ADMIN_UI_CLI_HELP_H

#include "admin-ui/cli.h"

int cli_help(struct cli *c);
/* Usage, meaning and an example of one command on stdout. */
void cli_help_one(const struct cli_command *cmd);
/* What is wrong with a command's words, and its usage, on stderr. CLI_USAGE. */
int cli_help_usage(const struct cli_command *cmd, const char *why);
/* Lists the commands that begin with a word ("domain"), or all for ""; how many in *n_r. */
void cli_help_list(const char *word, int *n_r);

#endif
