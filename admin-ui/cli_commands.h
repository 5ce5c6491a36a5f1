/* The table of commands. */
#ifndef POSTERN_ADMIN_UI_CLI_COMMANDS_H
#define POSTERN_ADMIN_UI_CLI_COMMANDS_H

#include "admin-ui/cli.h"

/* The command whose name the words begin with ("domain add", "status"); *used_r: how many words its name has. NULL
 * when there is none. */
const struct cli_command *cli_commands_find(int nwords, char *const *words, int *used_r);
/* NULL past the end. */
const struct cli_command *cli_commands_at(size_t i);

#endif
