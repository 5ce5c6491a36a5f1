/* postern queue ...: mail that waits, is held or is done. */
#ifndef POSTERN_ADMIN_UI_CLI_QUEUE_H
#define POSTERN_ADMIN_UI_CLI_QUEUE_H

#include "admin-ui/cli.h"

int cli_queue_list(struct cli *c);
int cli_queue_show(struct cli *c);
/* hold, release, retry, delete: by the command's name */
int cli_queue_change(struct cli *c);

#endif
