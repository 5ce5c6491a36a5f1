/* Questions to whoever sits at the terminal. Blocks. */
#ifndef POSTERN_ADMIN_UI_CLI_ASK_H
#define POSTERN_ADMIN_UI_CLI_ASK_H

#include "admin-ui/cli.h"
#include "gateway/base/buf.h"

/* CLI_OK after "yes" or with --yes, CLI_NO after anything else, CLI_FAILED with a sentence when nobody can be asked.
 * question: "Type yes to import: " */
int cli_ask_yes(const struct cli *c, const char *question);
/* A password typed without echo, or the first line of the file that option password-file names. Wiped by buf_clear.
 * CLI_OK or CLI_FAILED after a sentence. */
int cli_ask_password(const struct cli *c, const char *prompt, struct buf *b);

#endif
