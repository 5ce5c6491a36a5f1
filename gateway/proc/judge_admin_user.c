/* user.*: role judge; reads and writes the store. */
#include "gateway/proc/judge_admin_user.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin_proposal.h"

/* The prefix lets programs that look for secrets in files find it. */
#define TOKEN_PREFIX "postern_"
enum { TOKEN_OCTETS = 32, DAYS_MAX = 3660, DAYS = 90, DAY = 86400 };

void judge_admin_user_hash(const char *token, uint8_t hash_r[STORE_USER_HASH])
{
	if (EVP_Digest(token, strlen(token), hash_r, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("no SHA-256");
}

static int name_arg(struct judge_call *c, const char *arg, const char **name_r)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

	if (judge_call_str(c, arg, JUDGE_MUST, STORE_USER_NAME_MAX, name_r) < 0)
		return -1;
	if ((*name_r)[0] == '\0' || (*name_r)[strspn(*name_r, allowed)] != '\0')
		return judge_call_fail(c, "usage",
		    "argument \"%s\": small letters, digits, points, underscores and hyphens, at most %d", arg,
		    STORE_USER_NAME_MAX);
	return 0;
}

static int role_arg(struct judge_call *c, enum judge_need need, enum store_user_role dflt, enum store_user_role *r_r)
{
	const char *word;

	if (judge_call_str(c, "role", need, 20, &word) < 0)
		return -1;
	*r_r = word ? store_user_role_of(word) : dflt;
	return *r_r != STORE_USER_NOBODY
		   ? 0
		   : judge_call_fail(
			 c, "usage", "argument \"role\": \"viewer\", \"operator\", \"trust-officer\" or \"admin\"");
}

static int existing(struct judge_call *c, const char *name, struct store_user *u_r)
{
	if (store_user_get(c->store, name, u_r, c->pr) < 0)
		return -1;
	return u_r->role != STORE_USER_NOBODY ? 0 : judge_call_fail(c, "not-found", "there is no user %s", name);
}

/* Who may what. NULL with the problem set. */
static json_t *roles(struct judge_call *c)
{
	struct store_user *users;
	json_t *o;
	size_t n;

	if (store_users(c->store, &users, &n, c->pr) < 0)
		return NULL;
	o = judge_call_object();
	for (size_t i = 0; i < n; i++)
		judge_call_set(o, users[i].name, judge_call_text(store_user_role_word(users[i].role)));
	free(users);
	return o;
}

static int check_match(struct judge_call *c)
{
	json_t *o = json_object_get(c->args, "if_match") ? roles(c) : NULL;
	int rc = o ? judge_call_unchanged(c, o, "who may what was") : json_object_get(c->args, "if_match") ? -1 : 0;

	json_decref(o);
	return rc;
}

int judge_admin_user_add(struct judge_call *c)
{
	struct store_user u = {.added = c->now};
	const char *name;

	if (name_arg(c, "name", &name) < 0 || role_arg(c, JUDGE_MUST, STORE_USER_NOBODY, &u.role) < 0 ||
	    check_match(c) < 0)
		return -1;
	(void)snprintf(u.name, sizeof u.name, "%s", name);
	if (store_user_put(c->store, &u, c->who, c->pr) < 0)
		return -1;
	judge_call_set(c->data, "name", judge_call_text(name));
	judge_call_set(c->data, "role", judge_call_text(store_user_role_word(u.role)));
	return 0;
}

static json_t *token_row(const struct judge_call *c, const struct store_user_token *t)
{
	json_t *o = judge_call_object();

	judge_call_set(o, "id", json_integer(t->id));
	judge_call_set(o, "label", judge_call_text(t->label));
	judge_call_set(o, "role", judge_call_text(store_user_role_word(t->role)));
	judge_call_set(o, "added", judge_call_time(t->added));
	judge_call_set(o, "expires", judge_call_time(t->expires));
	judge_call_set(o, "expired", json_boolean(t->expires <= c->now));
	return o;
}

static json_t *user_row(
    const struct judge_call *c, const struct store_user *u, const struct store_user_token *tokens, size_t ntokens)
{
	json_t *o = judge_call_object(), *a = judge_call_array();

	for (size_t i = 0; i < ntokens; i++)
		if (strcmp(tokens[i].user, u->name) == 0)
			judge_call_add(a, token_row(c, &tokens[i]));
	judge_call_set(o, "name", judge_call_text(u->name));
	judge_call_set(o, "role", judge_call_text(store_user_role_word(u->role)));
	judge_call_set(o, "added", judge_call_time(u->added));
	judge_call_set(o, "tokens", a);
	return o;
}

static int tell_revision(struct judge_call *c)
{
	json_t *o = roles(c);
	char revision[33];

	if (!o)
		return -1;
	judge_call_revision(o, revision);
	judge_call_set(c->data, "revision", judge_call_text(revision));
	json_decref(o);
	return 0;
}

int judge_admin_user_list(struct judge_call *c)
{
	struct store_user_token *tokens = NULL;
	struct store_user *users = NULL;
	json_t *rows = judge_call_array();
	size_t n, ntokens;
	int rc = -1;

	judge_call_set(c->data, "users", rows);
	if (store_users(c->store, &users, &n, c->pr) == 0 &&
	    store_user_tokens(c->store, &tokens, &ntokens, c->pr) == 0) {
		for (size_t i = 0; i < n; i++)
			judge_call_add(rows, user_row(c, &users[i], tokens, ntokens));
		rc = tell_revision(c);
	}
	free(users);
	free(tokens);
	return rc;
}

int judge_admin_user_remove(struct judge_call *c)
{
	struct store_user u;
	const char *name;

	if (name_arg(c, "name", &name) < 0 || existing(c, name, &u) < 0 || check_match(c) < 0)
		return -1;
	return store_user_remove(c->store, name, c->who, c->pr);
}

static void make_token(char out[128])
{
	uint8_t secret[TOKEN_OCTETS];
	size_t n = strlen(TOKEN_PREFIX);

	memcpy(out, TOKEN_PREFIX, n);
	if (RAND_bytes(secret, sizeof secret) != 1)
		log_fatal("no random numbers");
	(void)encode_b64url(secret, sizeof secret, out + n);
	mem_wipe(secret, sizeof secret);
}

int judge_admin_user_token(struct judge_call *c)
{
	struct store_user_token t = {.added = c->now};
	struct store_user u;
	const char *name, *label;
	char token[128];
	uint8_t hash[STORE_USER_HASH];
	int64_t days;

	if (name_arg(c, "name", &name) < 0 ||
	    judge_call_str(c, "label", JUDGE_MUST, STORE_USER_LABEL_MAX, &label) < 0 ||
	    judge_call_int(c, "days", 1, DAYS_MAX, DAYS, &days) < 0 || existing(c, name, &u) < 0 ||
	    role_arg(c, JUDGE_MAY, STORE_USER_VIEWER, &t.role) < 0)
		return -1;
	if (judge_admin_proposal_second_self(c, name))
		return judge_call_fail(c, "refused",
		    "where two people are asked for (two-person), a token of another user is made on the machine "
		    "itself: postern user token %s",
		    name);
	if (t.role > u.role)
		return judge_call_fail(
		    c, "refused", "%s is %s and can have no token that may more", name, store_user_role_word(u.role));
	(void)snprintf(t.user, sizeof t.user, "%s", name);
	(void)snprintf(t.label, sizeof t.label, "%s", label);
	t.expires = c->now + days * DAY;
	make_token(token);
	judge_admin_user_hash(token, hash);
	if (store_user_token_add(c->store, &t, hash, c->who, c->pr) < 0) {
		mem_wipe(token, sizeof token);
		return -1;
	}
	judge_call_set(c->data, "id", json_integer(t.id));
	judge_call_set(c->data, "user", judge_call_text(t.user));
	judge_call_set(c->data, "role", judge_call_text(store_user_role_word(t.role)));
	judge_call_set(c->data, "expires", judge_call_time(t.expires));
	judge_call_set(c->data, "token", judge_call_text(token));
	mem_wipe(token, sizeof token);
	return 0;
}

int judge_admin_user_revoke(struct judge_call *c)
{
	int64_t id;
	int rc;

	if (judge_call_int(c, "id", 1, INT64_MAX, 0, &id) < 0)
		return -1;
	rc = store_user_token_remove(c->store, id, c->who, c->pr);
	if (rc == 0)
		return judge_call_fail(c, "not-found", "there is no token %lld", (long long)id);
	return rc < 0 ? -1 : 0;
}
