/* postern user ... */
#include "admin-ui/cli_user.h"

#include <argon2.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/cli_ask.h"
#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_table.h"
#include "gateway/base/encode.h"
#include "gateway/base/mem.h"

/* What a password costs (RFC 9106 4): KiB, passes; one lane. The judge takes what it is told within its limits. */
enum { MEMORY = 64 * 1024, PASSES = 3, SALT = 16, KEY = 32, PASSWORD_LEAST = 12, PASSWORD_MOST = 1000 };

int cli_user_add(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "name", c->args.words[0]);
	cli_json_option(args, "role", &c->args, "role");
	rc = cli_call(c, "user.add", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("User %s has role %s.", cli_json_str(data, "name"), cli_json_str(data, "role"));
	json_decref(data);
	return rc;
}

static void tell_tokens(struct cli_table *t, const json_t *user)
{
	const json_t *k;
	size_t i;

	json_array_foreach(json_object_get(user, "tokens"), i, k)
	{
		char id[24], until[32], day[11];
		const char *values[] = {
		    cli_json_str(user, "name"), id, cli_json_str(k, "label"), cli_json_str(k, "role"), until};

		(void)snprintf(id, sizeof id, "%lld", (long long)cli_json_int(k, "id"));
		(void)snprintf(until, sizeof until, "%s%s", cli_out_day(cli_json_str(k, "expires"), day),
		    cli_json_is(k, "expired") ? " (over)" : "");
		cli_table_row(t, values);
	}
}

static void tell_list(const json_t *users)
{
	static const char *const heads[] = {"USER", ">TOKEN", "LABEL", "ROLE", "UNTIL", NULL};
	struct cli_table *t = cli_table_new(heads);
	const json_t *u;
	size_t i;

	json_array_foreach(users, i, u)
	{
		const char *values[] = {cli_json_str(u, "name"), "", "", cli_json_str(u, "role"), ""};

		cli_table_row(t, values);
		tell_tokens(t, u);
	}
	cli_table_print(t, "No users: postern user add NAME --role viewer makes the first.");
}

int cli_user_list(struct cli *c)
{
	json_t *data;
	int rc = cli_call(c, "user.list", NULL, &data);

	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_list(json_object_get(data, "users"));
	json_decref(data);
	return rc;
}

int cli_user_remove(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "name", c->args.words[0]);
	rc = cli_call(c, "user.remove", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("User %s and all tokens removed.", c->args.words[0]);
	json_decref(data);
	return rc;
}

int cli_user_token(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	char day[11];
	int rc;

	cli_json_set_str(args, "name", c->args.words[0]);
	cli_json_option(args, "label", &c->args, "label");
	cli_json_option(args, "role", &c->args, "role");
	rc = cli_json_number(args, "days", &c->args, "days");
	if (rc != CLI_OK) {
		json_decref(args);
		return rc;
	}
	rc = cli_call(c, "user.token", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		cli_out_note("Token %lld of %s counts as %s until %s. It is shown this once:",
		    (long long)cli_json_int(data, "id"), cli_json_str(data, "user"), cli_json_str(data, "role"),
		    cli_out_day(cli_json_str(data, "expires"), day));
		cli_out_line("%s", cli_json_str(data, "token"));
	}
	json_decref(data);
	return rc;
}

int cli_user_revoke(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	char *end;
	long long id = strtoll(c->args.words[0], &end, 10);
	int rc;

	if (id <= 0 || *end != '\0') {
		json_decref(args);
		(void)cli_out_fail("TOKEN is the number that \"postern user list\" shows, not the token itself");
		return CLI_USAGE;
	}
	cli_json_set(args, "id", json_integer(id));
	rc = cli_call(c, "user.revoke", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("Token %lld counts no more.", id);
	json_decref(data);
	return rc;
}

/* Twice at the terminal; from a file once. */
static int new_password(const struct cli *c, struct buf *b)
{
	struct buf again;
	int rc = cli_ask_password(c, "New password: ", b);

	if (rc != CLI_OK)
		return rc;
	if (b->len < PASSWORD_LEAST || b->len > PASSWORD_MOST || strlen(buf_str(b)) != b->len)
		return cli_out_fail("a password has from %d to %d octets: a sentence is easy to keep in mind",
		    PASSWORD_LEAST, PASSWORD_MOST);
	if (cli_args_get(&c->args, "password-file"))
		return CLI_OK;
	buf_init(&again, PASSWORD_MOST + 1);
	rc = cli_ask_password(c, "The same again: ", &again);
	if (rc == CLI_OK && (again.len != b->len || memcmp(again.p, b->p, b->len) != 0))
		rc = cli_out_fail("that was another one: nothing is changed");
	buf_clear(&again);
	return rc;
}

/* The judge gets what Argon2id makes of it, never the password. */
static int password_args(json_t *args, const struct buf *b)
{
	uint8_t salt[SALT], key[KEY];
	char text[2 * KEY];

	if (RAND_bytes(salt, sizeof salt) != 1)
		return cli_out_fail("no random numbers");
	if (argon2id_hash_raw(PASSES, MEMORY, 1, b->p, b->len, salt, sizeof salt, key, sizeof key) != ARGON2_OK)
		return cli_out_fail("there is not enough memory for a password (64 MiB)");
	(void)encode_b64(salt, sizeof salt, text);
	cli_json_set_str(args, "salt", text);
	(void)encode_b64(key, sizeof key, text);
	cli_json_set_str(args, "key", text);
	mem_wipe(key, sizeof key);
	mem_wipe(text, sizeof text);
	cli_json_set(args, "memory", json_integer(MEMORY));
	cli_json_set(args, "passes", json_integer(PASSES));
	return CLI_OK;
}

int cli_user_password(struct cli *c)
{
	json_t *args = cli_json_object(), *data = NULL;
	struct buf b;
	int rc;

	buf_init(&b, PASSWORD_MOST + 1);
	rc = new_password(c, &b);
	cli_json_set_str(args, "name", c->args.words[0]);
	if (rc == CLI_OK)
		rc = password_args(args, &b);
	buf_clear(&b);
	if (rc != CLI_OK) {
		json_decref(args);
		return rc;
	}
	rc = cli_call(c, "user.password", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line(
		    "User %s has a new password; every session of %s is over.", c->args.words[0], c->args.words[0]);
	json_decref(data);
	return rc;
}

int cli_user_totp(struct cli *c)
{
	json_t *args = cli_json_object(), *data = NULL;
	bool off = cli_args_get(&c->args, "off") != NULL;
	int rc;

	cli_json_set_str(args, "name", c->args.words[0]);
	if (off)
		cli_json_set(args, "off", json_true());
	rc = cli_call(c, "user.totp", args, &data);
	if (rc != CLI_OK || cli_out_json(c, data)) {
		json_decref(data);
		return rc;
	}
	if (off) {
		cli_out_line("User %s signs in without a code.", c->args.words[0]);
	} else {
		cli_out_note(
		    "User %s signs in with a code (RFC 6238: 6 digits, 30 s) from now on. It is shown this once:",
		    c->args.words[0]);
		cli_out_line("%s\n%s", cli_json_str(data, "secret"), cli_json_str(data, "uri"));
	}
	json_decref(data);
	return rc;
}

int cli_user_sign_out(struct cli *c)
{
	json_t *args = cli_json_object(), *data = NULL;
	int rc;

	cli_json_set_str(args, "name", c->args.words[0]);
	rc = cli_call(c, "user.sign-out", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("Every session of %s is over.", c->args.words[0]);
	json_decref(data);
	return rc;
}

static void tell_sessions(const json_t *sessions)
{
	static const char *const heads[] = {"SESSION", "USER", "SINCE", "LAST USED", "FROM", NULL};
	struct cli_table *t = cli_table_new(heads);
	const json_t *o;
	size_t i;

	json_array_foreach(sessions, i, o)
	{
		char began[17], used[17];
		const char *values[] = {cli_json_str(o, "id"), cli_json_str(o, "user"),
		    cli_out_minute(cli_json_str(o, "began"), began), cli_out_minute(cli_json_str(o, "used"), used),
		    cli_json_str(o, "address")};

		cli_table_row(t, values);
	}
	cli_table_print(t, "Nobody is signed in.");
}

int cli_user_sessions(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	if (c->args.nwords > 0)
		cli_json_set_str(args, "name", c->args.words[0]);
	rc = cli_call(c, "user.sessions", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_sessions(json_object_get(data, "sessions"));
	json_decref(data);
	return rc;
}

int cli_user_session_end(struct cli *c)
{
	json_t *args = cli_json_object(), *data = NULL;
	int rc;

	cli_json_set_str(args, "id", c->args.words[0]);
	rc = cli_call(c, "user.session-end", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("Session %s is over.", c->args.words[0]);
	json_decref(data);
	return rc;
}
