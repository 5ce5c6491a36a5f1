/* postern restore: puts a backup in place while the gateway does not run. */
#ifndef POSTERN_ADMIN_UI_CLI_RESTORE_H
#define POSTERN_ADMIN_UI_CLI_RESTORE_H

#include "admin-ui/cli.h"

int cli_restore(struct cli *c);

#endif
