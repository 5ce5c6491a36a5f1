/* Opening a PKCS#12 file (RFC 7292). Here and not in the gateway: its password need not travel, and its parser runs
 * as the admin, outside the daemon. */
#ifndef POSTERN_ADMIN_UI_CLI_P12_H
#define POSTERN_ADMIN_UI_CLI_P12_H

#include <jansson.h>

#include "admin-ui/cli.h"

/* Asks for the password and puts "key" (PKCS#8, base64) and "certs" (PEM in base64, the key's certificate first) into
 * args. CLI_OK, or another after a sentence. */
int cli_p12_args(const struct cli *c, const char *path, json_t *args);

#endif
