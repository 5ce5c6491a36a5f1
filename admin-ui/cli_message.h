/* postern message find, show, counts: what became of a message. */
#ifndef POSTERN_ADMIN_UI_CLI_MESSAGE_H
#define POSTERN_ADMIN_UI_CLI_MESSAGE_H

#include <stdint.h>

#include "admin-ui/cli.h"

int cli_message_find(struct cli *c);
int cli_message_show(struct cli *c);
int cli_message_counts(struct cli *c);
/* A time as it is given to --since: "90m", "2h", "3d" (ago), "2026-11-22", "2026-11-22 14:05", "2026-11-22T14:05:30Z"
 * (UTC). 0 with unix seconds, or -1. */
int cli_message_time(const char *text, int64_t now, int64_t *unix_s_r) __attribute__((warn_unused_result));

#endif
