/* postern dns-records. */
#ifndef POSTERN_ADMIN_UI_CLI_RECORDS_H
#define POSTERN_ADMIN_UI_CLI_RECORDS_H

#include "admin-ui/cli.h"

int cli_records(struct cli *c);

#endif
