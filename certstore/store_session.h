/* How users of the web UI sign in: passwords, secrets for one-time codes, sessions. Part of store.h, which says who
 * calls, what blocks and who frees. Neither a password nor a session's value is ever here, only what shows that
 * somebody has it. */
#ifndef POSTERN_CERTSTORE_STORE_SESSION_H
#define POSTERN_CERTSTORE_STORE_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "certstore/store_user.h"

enum { STORE_SALT = 16, STORE_TOTP_MAX = 64, STORE_ADDRESS_MAX = 60, STORE_SESSIONS_PER_USER = 20 };

/* Argon2id (RFC 9106) with one lane makes 32 octets of a password; verifier is their SHA-256. */
struct store_password {
	uint8_t salt[STORE_SALT], verifier[STORE_USER_HASH];
	int64_t memory; /* KiB */
	int64_t passes;
	int64_t changed; /* unix s; 0: there is none */
};
struct store_session {
	char user[STORE_USER_NAME_MAX + 1], address[STORE_ADDRESS_MAX + 1];
	enum store_user_role role; /* the user's present one */
	int64_t began, used;	   /* unix s */
	char id[17];		   /* by which it is named: the begin of the value's SHA-256, in hex; read only */
};

/* All sessions of the user end. */
int store_password_put(struct store *s, const char *user, const struct store_password *p, const char *who,
    struct problem *pr) __attribute__((warn_unused_result));
/* changed is 0: there is none. */
int store_password_get(struct store *s, const char *user, struct store_password *p_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* What the salts of names that nobody has are made from: random, made once. */
int store_password_decoy(struct store *s, uint8_t salt_r[STORE_SALT], struct problem *pr)
    __attribute__((warn_unused_result));

/* n 0: codes are no longer asked for. All sessions of the user end. */
int store_totp_put(struct store *s, const char *user, const uint8_t *secret, size_t n, const char *who,
    struct problem *pr) __attribute__((warn_unused_result));
/* *n_r 0: there is none. *step_r: the step (RFC 6238) of the last code that was taken. */
int store_totp_get(struct store *s, const char *user, uint8_t secret_r[STORE_TOTP_MAX], size_t *n_r, int64_t *step_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* 1: step is later than the last and is now the last; 0: it is not. */
int store_totp_use(struct store *s, const char *user, int64_t step, struct problem *pr)
    __attribute__((warn_unused_result));

/* The oldest of more than STORE_SESSIONS_PER_USER ends. */
int store_session_add(struct store *s, const struct store_session *n, const uint8_t hash[STORE_USER_HASH],
    const char *who, struct problem *pr) __attribute__((warn_unused_result));
/* role NOBODY: unknown, begun before began or last used before used. */
int store_session_find(struct store *s, const uint8_t hash[STORE_USER_HASH], int64_t began, int64_t used,
    struct store_session *n_r, struct problem *pr) __attribute__((warn_unused_result));
int store_session_touch(struct store *s, const uint8_t hash[STORE_USER_HASH], int64_t now, struct problem *pr)
    __attribute__((warn_unused_result));
/* No audit row: it may end by time as well. */
int store_session_end(struct store *s, const uint8_t hash[STORE_USER_HASH], struct problem *pr)
    __attribute__((warn_unused_result));
/* By its id, with an audit row of whose it was. 1; 0: there is none. */
int store_session_end_id(struct store *s, const char *id, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
int store_session_end_all(struct store *s, const char *user, struct problem *pr) __attribute__((warn_unused_result));
/* Forgets those that are over. */
int store_session_prune(struct store *s, int64_t began, int64_t used, struct problem *pr)
    __attribute__((warn_unused_result));
/* Of a user (NULL: of all), by user, the newest first, but for those begun before began or last used before used.
 * free(*list_r) */
int store_sessions(struct store *s, const char *user, int64_t began, int64_t used, struct store_session **list_r,
    size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
