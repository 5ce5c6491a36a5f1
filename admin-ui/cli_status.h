/* postern status. */
#ifndef POSTERN_ADMIN_UI_CLI_STATUS_H
#define POSTERN_ADMIN_UI_CLI_STATUS_H

#include "admin-ui/cli.h"

int cli_status(struct cli *c);

#endif
