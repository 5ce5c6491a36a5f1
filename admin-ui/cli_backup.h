/* postern backup: a copy of the store and the sealed key files, taken from the running gateway. */
#ifndef POSTERN_ADMIN_UI_CLI_BACKUP_H
#define POSTERN_ADMIN_UI_CLI_BACKUP_H

#include "admin-ui/cli.h"

int cli_backup(struct cli *c);

#endif
