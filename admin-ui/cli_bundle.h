/* postern bundle ... */
#ifndef POSTERN_ADMIN_UI_CLI_BUNDLE_H
#define POSTERN_ADMIN_UI_CLI_BUNDLE_H

#include "admin-ui/cli.h"

int cli_bundle_add(struct cli *c);
int cli_bundle_list(struct cli *c);
int cli_bundle_show(struct cli *c);
int cli_bundle_refresh(struct cli *c);
int cli_bundle_remove(struct cli *c);

#endif
