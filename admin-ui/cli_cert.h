/* postern cert ...: partners' certificates. */
#ifndef POSTERN_ADMIN_UI_CLI_CERT_H
#define POSTERN_ADMIN_UI_CLI_CERT_H

#include "admin-ui/cli.h"

int cli_cert_import(struct cli *c);
int cli_cert_list(struct cli *c);
int cli_cert_accept(struct cli *c);
int cli_cert_remove(struct cli *c);

#endif
