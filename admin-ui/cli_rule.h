/* postern rule ...: treatment by sender and recipient. */
#ifndef POSTERN_ADMIN_UI_CLI_RULE_H
#define POSTERN_ADMIN_UI_CLI_RULE_H

#include "admin-ui/cli.h"

int cli_rule_add(struct cli *c);
int cli_rule_set(struct cli *c);
int cli_rule_list(struct cli *c);
int cli_rule_remove(struct cli *c);

#endif
