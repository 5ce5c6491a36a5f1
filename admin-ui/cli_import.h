/* Certificates of many partners out of one file. */
#ifndef POSTERN_ADMIN_UI_CLI_IMPORT_H
#define POSTERN_ADMIN_UI_CLI_IMPORT_H

#include "admin-ui/cli.h"

int cli_import(struct cli *c);

#endif
