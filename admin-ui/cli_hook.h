/* A command of the admin's that takes a request for a certificate to a certification authority and brings its answer.
 * Runs with the rights of whoever calls `postern`; blocks until it ends. */
#ifndef POSTERN_ADMIN_UI_CLI_HOOK_H
#define POSTERN_ADMIN_UI_CLI_HOOK_H

#include <stddef.h>

#include "gateway/base/buf.h"

/* command by /bin/sh -c, with the request on its standard input and POSTERN_DOMAIN, POSTERN_USE, POSTERN_KEY in its
 * environment. What it prints (PEM, DER or PKCS#7) goes to out_r. CLI_OK, or CLI_FAILED after a sentence: it did not
 * end with 0, or printed nothing or too much. */
int cli_hook_run(const char *command, const char *request, const char *domain, const char *use, const char *key,
    struct buf *out_r);

#endif
