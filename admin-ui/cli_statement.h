/* postern pending, approve, refuse, partner statement, fetch, compromised. */
#ifndef POSTERN_ADMIN_UI_CLI_STATEMENT_H
#define POSTERN_ADMIN_UI_CLI_STATEMENT_H

#include <jansson.h>

#include "admin-ui/cli.h"

int cli_statement_pending(struct cli *c);
/* approve, refuse, partner compromised. */
int cli_statement_decide(struct cli *c);
int cli_statement_set(struct cli *c);
int cli_statement_fetch(struct cli *c);
/* The statements of one partner, as partner.show has them; null: nothing is printed. */
void cli_statement_tell(const json_t *row);

#endif
