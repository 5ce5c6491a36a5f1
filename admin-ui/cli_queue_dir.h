/* postern queue check and adopt: verbs on a queue directory of this machine, not asked of a gateway. */
#ifndef POSTERN_ADMIN_UI_CLI_QUEUE_DIR_H
#define POSTERN_ADMIN_UI_CLI_QUEUE_DIR_H

#include "admin-ui/cli.h"

int cli_queue_check(struct cli *c);
int cli_queue_adopt(struct cli *c);

#endif
