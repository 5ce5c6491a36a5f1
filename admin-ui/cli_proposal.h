/* Changes that wait for a second person. */
#ifndef POSTERN_ADMIN_UI_CLI_PROPOSAL_H
#define POSTERN_ADMIN_UI_CLI_PROPOSAL_H

#include "admin-ui/cli.h"

int cli_proposal_list(struct cli *c);
int cli_proposal_confirm(struct cli *c);
int cli_proposal_drop(struct cli *c);

#endif
