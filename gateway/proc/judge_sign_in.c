/* Signing in, see the header. Role judge. */
#include "gateway/proc/judge_sign_in.h"

#include <arpa/inet.h>
#include <liboath/oath.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certstore/store_session.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/judge_admin_user.h"
#include "gateway/proc/sign_in_wait.h"

enum {
	STEP = 30,
	CODE_DIGITS = 6,
	SECRET = 20,
	SESSION = 32,
	MEMORY_MOST = 1024 * 1024,
	PASSES_MOST = 20,
};

/* ---- the two questions ---- */

static int64_t clock_of(const struct judge_admin *ja)
{
	return ja->now ? ja->now() : (int64_t)time(NULL);
}

static const char *text_of(const json_t *args, const char *name, size_t max)
{
	const char *v = json_string_value(json_object_get(args, name));

	return v && strlen(v) <= max ? v : "";
}

/* The same for the same name, whenever it is asked. */
static int made_up(struct judge_admin *ja, const char *user, uint8_t salt_r[STORE_SALT], struct problem *pr)
{
	uint8_t base[STORE_SALT], mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (store_password_decoy(ja->store, base, pr) < 0)
		return -1;
	if (!HMAC(EVP_sha256(), base, sizeof base, (const uint8_t *)user, strlen(user), mac, &n))
		log_fatal("no HMAC");
	memcpy(salt_r, mac, STORE_SALT);
	return 0;
}

/* NULL, or the reply that says how long. */
static char *throttled(const char *user, const char *from, int64_t now)
{
	int64_t wait = sign_in_wait(user, from, now);
	char why[200];

	if (wait <= 0)
		return NULL;
	(void)snprintf(why, sizeof why,
	    "too many attempts have failed: try again in %lld s (whoever runs the gateway sees them in its log)",
	    (long long)wait);
	return admin_json_error("throttled", why);
}

char *judge_sign_in_salt(struct judge_admin *ja, const json_t *args, const char *from)
{
	const char *user = text_of(args, "user", STORE_USER_NAME_MAX);
	struct store_password p;
	struct problem pr = {0};
	uint8_t decoy[STORE_SALT];
	char text[2 * STORE_SALT], *wait = throttled(user, from, clock_of(ja));
	json_t *o;

	if (wait)
		return wait;
	if (made_up(ja, user, decoy, &pr) < 0 || store_password_get(ja->store, user, &p, &pr) < 0)
		return admin_json_error("unavailable", pr.text);
	if (!user[0] || !p.changed) {
		memcpy(p.salt, decoy, sizeof decoy);
		p.memory = JUDGE_SIGN_IN_MEMORY;
		p.passes = JUDGE_SIGN_IN_PASSES;
	}
	o = json_object();
	(void)encode_b64(p.salt, sizeof p.salt, text);
	admin_json_set(o, "salt", admin_json_text(text));
	admin_json_set(o, "memory", json_integer(p.memory));
	admin_json_set(o, "passes", json_integer(p.passes));
	return admin_json_ok(o);
}

/* 1 the code counts, 0 it does not, -1. */
static int right_code(struct judge_admin *ja, const char *user, const char *code, int64_t now, struct problem *pr)
{
	uint8_t secret[STORE_TOTP_MAX];
	int64_t step;
	size_t n;
	int pos = 0, rc;

	if (store_totp_get(ja->store, user, secret, &n, &step, pr) < 0)
		return -1;
	if (n == 0)
		return 1;
	if (strlen(code) != CODE_DIGITS || code[strspn(code, "0123456789")] != '\0')
		rc = -1;
	else
		rc = oath_totp_validate2((const char *)secret, n, (time_t)now, STEP, 0, 1, &pos, code);
	mem_wipe(secret, sizeof secret);
	return rc < 0 ? 0 : store_totp_use(ja->store, user, now / STEP + pos, pr);
}

/* 1 all is right, 0 it is not, -1. Unknown users and those without a password go the same way. */
static int right(struct judge_admin *ja, const char *user, const json_t *args, int64_t now, struct store_user *u_r,
    struct problem *pr)
{
	const char *b64 = text_of(args, "key", 64);
	uint8_t key[48] = {0}, hash[STORE_USER_HASH];
	long n = encode_unb64(b64, strlen(b64), key, sizeof key);
	struct store_password p;
	int same;

	if (store_user_get(ja->store, user, u_r, pr) < 0 || store_password_get(ja->store, user, &p, pr) < 0)
		return -1;
	if (EVP_Digest(key, JUDGE_SIGN_IN_KEY, hash, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("no SHA-256");
	same = CRYPTO_memcmp(hash, p.verifier, sizeof hash) == 0;
	mem_wipe(key, sizeof key);
	if (!same || n != JUDGE_SIGN_IN_KEY || !user[0] || !p.changed || u_r->role == STORE_USER_NOBODY)
		return 0;
	return right_code(ja, user, text_of(args, "code", 16), now, pr);
}

static char *opened(struct judge_admin *ja, const struct store_user *u, const char *from, int64_t now)
{
	struct store_session n = {.began = now};
	uint8_t secret[SESSION], hash[STORE_USER_HASH];
	struct problem pr = {0};
	char value[2 * SESSION], who[128];
	json_t *o;

	(void)snprintf(n.user, sizeof n.user, "%s", u->name);
	(void)snprintf(n.address, sizeof n.address, "%.*s", STORE_ADDRESS_MAX, from);
	if (RAND_bytes(secret, sizeof secret) != 1)
		log_fatal("no random numbers");
	(void)encode_b64url(secret, sizeof secret, value);
	mem_wipe(secret, sizeof secret);
	judge_admin_user_hash(value, hash);
	(void)snprintf(who, sizeof who, "%s from %.60s", u->name, from);
	if (store_session_add(ja->store, &n, hash, who, &pr) < 0) {
		mem_wipe(value, sizeof value);
		return admin_json_error("unavailable", pr.text);
	}
	o = json_object();
	admin_json_set(o, "session", admin_json_text(value));
	admin_json_set(o, "user", admin_json_text(u->name));
	admin_json_set(o, "role", admin_json_text(store_user_role_word(u->role)));
	mem_wipe(value, sizeof value);
	return admin_json_ok(o);
}

char *judge_sign_in(struct judge_admin *ja, const json_t *args, const char *from)
{
	const char *user = text_of(args, "user", STORE_USER_NAME_MAX);
	int64_t now = clock_of(ja);
	struct store_user u = {.role = STORE_USER_NOBODY};
	struct problem pr = {0};
	char *wait = throttled(user, from, now);
	int rc;

	if (wait)
		return wait;
	rc = right(ja, user, args, now, &u, &pr);
	if (rc < 0)
		return admin_json_error("unavailable", pr.text);
	if (rc == 0) {
		sign_in_wait_failed(user, from, now);
		log_warn(NULL, "judge", "sign-in-failed user=\"%.40s\" from=%.60s", user, from);
		return admin_json_error(
		    "refused", "user, password or one-time code are not right (each code counts once)");
	}
	sign_in_wait_passed(user, from, now);
	log_info(NULL, "judge", "sign-in user=\"%s\" from=%.60s", u.name, from);
	return opened(ja, &u, from, now);
}

/* ---- verbs ---- */

static int named(struct judge_call *c, struct store_user *u_r)
{
	const char *name;

	if (judge_call_str(c, "name", JUDGE_MUST, STORE_USER_NAME_MAX, &name) < 0 ||
	    store_user_get(c->store, name, u_r, c->pr) < 0)
		return -1;
	return u_r->role != STORE_USER_NOBODY ? 0 : judge_call_fail(c, "not-found", "there is no user %s", name);
}

int judge_admin_user_password(struct judge_call *c)
{
	struct store_password p = {.changed = c->now};
	uint8_t *salt = NULL, *key = NULL;
	size_t nsalt = 0, nkey = 0;
	struct store_user u;
	int rc = -1;

	if (named(c, &u) < 0 || judge_call_octets(c, "salt", JUDGE_MUST, STORE_SALT, &salt, &nsalt) < 0 ||
	    judge_call_octets(c, "key", JUDGE_MUST, JUDGE_SIGN_IN_KEY, &key, &nkey) < 0 ||
	    judge_call_int(c, "memory", 8 * 1024, MEMORY_MOST, JUDGE_SIGN_IN_MEMORY, &p.memory) < 0 ||
	    judge_call_int(c, "passes", 1, PASSES_MOST, JUDGE_SIGN_IN_PASSES, &p.passes) < 0)
		goto out;
	if (nsalt != STORE_SALT || nkey != JUDGE_SIGN_IN_KEY) {
		rc = judge_call_fail(c, "usage", "argument \"salt\" has 16 octets and \"key\" 32");
		goto out;
	}
	memcpy(p.salt, salt, nsalt);
	if (EVP_Digest(key, nkey, p.verifier, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("no SHA-256");
	rc = store_password_put(c->store, u.name, &p, c->who, c->pr);
	judge_call_set(c->data, "name", judge_call_text(u.name));
out:
	mem_free_secret(salt, nsalt);
	mem_free_secret(key, nkey);
	return rc;
}

int judge_admin_user_totp(struct judge_call *c)
{
	uint8_t secret[SECRET];
	char *base32 = NULL, uri[300];
	struct store_user u;
	size_t n = 0;
	bool off;
	int rc;

	if (named(c, &u) < 0 || judge_call_bool(c, "off", false, &off) < 0)
		return -1;
	if (off)
		return store_totp_put(c->store, u.name, NULL, 0, c->who, c->pr);
	if (RAND_bytes(secret, sizeof secret) != 1)
		log_fatal("no random numbers");
	if (oath_base32_encode((const char *)secret, sizeof secret, &base32, &n) != OATH_OK)
		log_fatal("out of memory: base32");
	(void)snprintf(uri, sizeof uri, "otpauth://totp/Postern:%s?secret=%s&issuer=Postern", u.name, base32);
	rc = store_totp_put(c->store, u.name, secret, sizeof secret, c->who, c->pr);
	judge_call_set(c->data, "name", judge_call_text(u.name));
	judge_call_set(c->data, "secret", judge_call_text(base32));
	judge_call_set(c->data, "uri", judge_call_text(uri));
	mem_wipe(secret, sizeof secret);
	mem_wipe(uri, sizeof uri);
	mem_free_secret(base32, n);
	return rc;
}

int judge_admin_user_sign_out(struct judge_call *c)
{
	struct store_user u;

	if (named(c, &u) < 0)
		return -1;
	if (store_session_end_all(c->store, u.name, c->pr) < 0)
		return -1;
	return store_audit_add(c->store, c->who, "user.sign-out", u.name, "", c->pr);
}
