/* Asking the gateway over its control socket. Blocks until it answers. */
#ifndef POSTERN_ADMIN_UI_CLI_CALL_H
#define POSTERN_ADMIN_UI_CLI_CALL_H

#include <jansson.h>
#include <stdbool.h>

#include "admin-ui/cli.h"

/* Once, at the start: what jansson frees is wiped, because a request may hold a private key. */
void cli_call_init(void);
/* Sends verb with args (consumed; NULL: none). CLI_OK and the reply's "data" in *data_r (json_decref), or another
 * exit status after the gateway's sentence was printed on stderr; then *data_r is NULL. */
int cli_call(struct cli *c, const char *verb, json_t *args, json_t **data_r);
/* The same for a reply that brings one descriptor (-1 when it brings none). */
int cli_call_file(struct cli *c, const char *verb, json_t *args, json_t **data_r, int *fd_r);
/* Does anybody listen at the control socket? */
bool cli_call_running(const struct cli *c);

#endif
