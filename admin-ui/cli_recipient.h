/* postern recipient ...: which recipients of our domains exist. */
#ifndef POSTERN_ADMIN_UI_CLI_RECIPIENT_H
#define POSTERN_ADMIN_UI_CLI_RECIPIENT_H

#include "admin-ui/cli.h"

int cli_recipient_check(struct cli *c);

#endif
