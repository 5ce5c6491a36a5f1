/* postern user ...: who may ask over HTTP: tokens, passwords, one-time codes, sessions. */
#ifndef POSTERN_ADMIN_UI_CLI_USER_H
#define POSTERN_ADMIN_UI_CLI_USER_H

#include "admin-ui/cli.h"

int cli_user_add(struct cli *c);
int cli_user_list(struct cli *c);
int cli_user_remove(struct cli *c);
int cli_user_token(struct cli *c);
int cli_user_revoke(struct cli *c);
int cli_user_password(struct cli *c);
int cli_user_totp(struct cli *c);
int cli_user_sessions(struct cli *c);
int cli_user_session_end(struct cli *c);
int cli_user_sign_out(struct cli *c);

#endif
