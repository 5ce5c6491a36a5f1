/* postern lookup, postern cert show; the steps of explain. */
#ifndef POSTERN_ADMIN_UI_CLI_LOOKUP_H
#define POSTERN_ADMIN_UI_CLI_LOOKUP_H

#include <jansson.h>

#include "admin-ui/cli.h"

int cli_lookup(struct cli *c);
int cli_lookup_cert(struct cli *c);
/* Where was looked, in order; nothing without steps. */
void cli_lookup_steps(const json_t *steps);

#endif
