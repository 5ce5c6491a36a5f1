/* postern anchor ...: certification authorities whose certificates are believed. */
#ifndef POSTERN_ADMIN_UI_CLI_ANCHOR_H
#define POSTERN_ADMIN_UI_CLI_ANCHOR_H

#include "admin-ui/cli.h"

int cli_anchor_add(struct cli *c);
int cli_anchor_list(struct cli *c);
int cli_anchor_remove(struct cli *c);

#endif
