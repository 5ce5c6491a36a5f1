/* postern domain ...: our own keys and certificates. */
#ifndef POSTERN_ADMIN_UI_CLI_DOMAIN_H
#define POSTERN_ADMIN_UI_CLI_DOMAIN_H

#include "admin-ui/cli.h"

int cli_domain_add(struct cli *c);
int cli_domain_tls(struct cli *c);
int cli_domain_install(struct cli *c);
int cli_domain_retire(struct cli *c);
int cli_domain_list(struct cli *c);

#endif
