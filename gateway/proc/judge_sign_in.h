/*
 * Signing in to the web UI. Role judge; blocks on the disk for a row or two, never for a password: Argon2id (RFC
 * 9106) is worked out by whoever asks, the web process or the command line, with the salt and cost that they get
 * here. What comes back is 32 octets, of which the store has the SHA-256. One-time codes: RFC 6238, 30 s, six digits,
 * SHA-1, as telephones have them; each counts once.
 *
 * Who fails too often waits: per user and address, per address, per user, doubling up to a quarter of an hour. What
 * is said does not tell whether there is such a user.
 */
#ifndef POSTERN_PROC_JUDGE_SIGN_IN_H
#define POSTERN_PROC_JUDGE_SIGN_IN_H

#include <jansson.h>

#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_call.h"

/* Cost of new passwords: KiB, passes. */
enum { JUDGE_SIGN_IN_MEMORY = 64 * 1024, JUDGE_SIGN_IN_PASSES = 3, JUDGE_SIGN_IN_KEY = 32 };

/* args: {"user"}. data: "salt" (base64), "memory" (KiB), "passes"; the same for a name that nobody has. Error codes:
 * "throttled" (who waits costs nobody an Argon2), "unavailable". Never NULL; free() it. */
char *judge_sign_in_salt(struct judge_admin *ja, const json_t *args, const char *from);
/* args: {"user", "key" (base64), "code"}; from: the client's address. data: "session" (its value, given this once),
 * "user", "role". Error codes: "refused", "throttled", "unavailable". Never NULL; free() it. */
char *judge_sign_in(struct judge_admin *ja, const json_t *args, const char *from);

/* Verbs of the control socket. */
int judge_admin_user_password(struct judge_call *c);
int judge_admin_user_totp(struct judge_call *c);
int judge_admin_user_sign_out(struct judge_call *c);

#endif
