/* Who may ask over HTTP, and the tokens they do it with. Part of store.h, which says who calls, what blocks and who
 * frees. A token itself is never here: only its SHA-256, which suffices because it is 256 random bits. */
#ifndef POSTERN_CERTSTORE_STORE_USER_H
#define POSTERN_CERTSTORE_STORE_USER_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

enum { STORE_USER_NAME_MAX = 40, STORE_USER_LABEL_MAX = 60, STORE_USER_HASH = 32 };
/* Each may what the one before may. */
enum store_user_role {
	STORE_USER_NOBODY,
	STORE_USER_VIEWER,
	STORE_USER_OPERATOR,
	STORE_USER_TRUST,
	STORE_USER_ADMIN,
};
/* "viewer", "operator", "trust-officer", "admin"; "nobody" of any other value. */
const char *store_user_role_word(enum store_user_role r);
/* STORE_USER_NOBODY: no such word. */
enum store_user_role store_user_role_of(const char *word);

struct store_user {
	char name[STORE_USER_NAME_MAX + 1];
	enum store_user_role role;
	int64_t added; /* unix s */
};
struct store_user_token {
	int64_t id;
	char user[STORE_USER_NAME_MAX + 1], label[STORE_USER_LABEL_MAX + 1];
	enum store_user_role role; /* what the token may at most */
	int64_t added, expires;	   /* unix s */
};

/* Adds, or changes the role of one that is there. */
int store_user_put(struct store *s, const struct store_user *u, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* role NOBODY: there is none. */
int store_user_get(struct store *s, const char *name, struct store_user *u_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* By name. free(*list_r) */
int store_users(struct store *s, struct store_user **list_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* With all tokens. */
int store_user_remove(struct store *s, const char *name, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));

/* t->id is given. */
int store_user_token_add(struct store *s, struct store_user_token *t, const uint8_t hash[STORE_USER_HASH],
    const char *who, struct problem *pr) __attribute__((warn_unused_result));
/* By number; those that ran out stay in the list until they are removed. free(*list_r) */
int store_user_tokens(struct store *s, struct store_user_token **list_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* 1 removed, 0 there is none, -1. */
int store_user_token_remove(struct store *s, int64_t id, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* Whose it is, and what it may now: the lesser of its role and its user's. role NOBODY: unknown, or it has run out.
 */
int store_user_token_find(struct store *s, const uint8_t hash[STORE_USER_HASH], int64_t now,
    struct store_user_token *t_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
