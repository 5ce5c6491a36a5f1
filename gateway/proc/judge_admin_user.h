/* user.*: who may ask over HTTP, and with which tokens. Role judge; reads and writes the store. Only over the control
 * socket: judge_web.c lets none of it through. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_USER_H
#define POSTERN_PROC_JUDGE_ADMIN_USER_H

#include "certstore/store_user.h"
#include "gateway/proc/judge_call.h"

/* Adds, or changes the role. -> name, role */
int judge_admin_user_add(struct judge_call *c);
/* -> users: [{name, role, added, tokens: [{id, label, role, added, expires, expired}]}] */
int judge_admin_user_list(struct judge_call *c);
int judge_admin_user_remove(struct judge_call *c);
/* -> id, user, role, expires, token: which is told this once and kept nowhere */
int judge_admin_user_token(struct judge_call *c);
int judge_admin_user_revoke(struct judge_call *c);

/* What stands in the store for a token, of any text. */
void judge_admin_user_hash(const char *token, uint8_t hash_r[STORE_USER_HASH]);

#endif
