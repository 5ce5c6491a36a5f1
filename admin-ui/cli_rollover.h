/* postern domain show, postern domain rollover. */
#ifndef POSTERN_ADMIN_UI_CLI_ROLLOVER_H
#define POSTERN_ADMIN_UI_CLI_ROLLOVER_H

#include "admin-ui/cli.h"

int cli_rollover_show(struct cli *c);
int cli_rollover_domain(struct cli *c);

#endif
