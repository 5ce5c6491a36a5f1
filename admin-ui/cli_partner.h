/* postern partner ...: whom we exchange mail with. */
#ifndef POSTERN_ADMIN_UI_CLI_PARTNER_H
#define POSTERN_ADMIN_UI_CLI_PARTNER_H

#include "admin-ui/cli.h"

int cli_partner_add(struct cli *c);
int cli_partner_set(struct cli *c);
int cli_partner_list(struct cli *c);
int cli_partner_show(struct cli *c);
int cli_partner_remove(struct cli *c);
int cli_partner_release(struct cli *c);

#endif
