/* Signing in: what opens a session, what does not, who waits. Passwords are Argon2id's business; here are its keys.
 */
#include "gateway/proc/judge_sign_in.h"

#include <liboath/oath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/store_session.h"
#include "gateway/base/encode.h"
#include "gateway/proc/judge_web.h"
#include "gateway/proc/sign_in_wait.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

static struct judge_fixture fx;
static struct judge_admin ja;
static int64_t now;

static int64_t the_time(void)
{
	return now;
}

/* The member of the reply, or the error's code. */
static void said(char *answer, const char *member, char out[200])
{
	json_t *o = json_loads(answer, 0, NULL);
	const char *v = json_string_value(json_object_get(json_object_get(o, "data"), member));

	if (!v)
		v = json_string_value(json_object_get(json_object_get(o, "error"), "code"));
	ck_assert_msg(o != NULL, "%s", answer);
	(void)snprintf(out, 200, "%s", v ? v : "");
	json_decref(o);
	free(answer);
}

static void key_of(char c, char out[64])
{
	uint8_t key[JUDGE_SIGN_IN_KEY];

	memset(key, c, sizeof key);
	(void)encode_b64(key, sizeof key, out);
}

static void local(const char *verb, json_t *args)
{
	json_t *o = json_pack("{s:s, s:o}", "verb", verb, "args", args);
	char *text = json_dumps(o, 0), *answer, code[200];
	int fd;

	answer = judge_admin(&ja, NULL, text, "uid 0 (root)", &fd);
	said(answer, "-", code);
	ck_assert_msg(code[0] == '\0', "%s: %s", text, code);
	free(text);
	json_decref(o);
}

static void set_password(const char *user, char c)
{
	char key[64];

	key_of(c, key);
	local("user.password",
	    json_pack("{s:s, s:s, s:s}", "name", user, "salt", "AAAAAAAAAAAAAAAAAAAAAA==", "key", key));
}

static void setup(void)
{
	judge_fixture_start(&fx);
	sign_in_wait_forget();
	now = 1700000000;
	ja = (struct judge_admin){.store = fx.s, .world = &fx.w, .directory = fx.dir, .now = the_time};
	local("user.add", json_pack("{s:s, s:s}", "name", "anna", "role", "admin"));
	local("user.add", json_pack("{s:s, s:s}", "name", "bob", "role", "viewer"));
	set_password("anna", 'a');
}

static void teardown(void)
{
	judge_fixture_end(&fx);
}

/* The session's value, or the error's code. */
static const char *try(const char *user, char c, const char *code, const char *from)
{
	static char out[200];
	char key[64];
	json_t *args;

	key_of(c, key);
	args = json_pack("{s:s, s:s, s:s}", "user", user, "key", key, "code", code);
	said(judge_sign_in(&ja, args, from), "session", out);
	json_decref(args);
	return out;
}

static const char *me(const char *session)
{
	static char out[200];
	json_t *o = json_pack("{s:s, s:{}, s:s}", "verb", "web.me", "args", "session", session);
	char *text = json_dumps(o, 0);

	said(judge_web_answer(&ja, text, "127.0.0.1"), "user", out);
	free(text);
	json_decref(o);
	return out;
}

START_TEST(opens)
{
	char session[200];

	(void)snprintf(session, sizeof session, "%s", try("anna", 'a', "", "127.0.0.1"));
	ck_assert_uint_eq(strlen(session), 43);
	ck_assert_str_eq(me(session), "anna");
	ck_assert_str_ne(try("anna", 'a', "", "127.0.0.1"), session);
	session[5] ^= 1;
	ck_assert_str_eq(me(session), "unauthorized");
}
END_TEST

/* No such user, no password, another password, odd names: the same answer. */
START_TEST(refuses)
{
	ck_assert_str_eq(try("anna", 'b', "", "127.0.0.1"), "refused");
	ck_assert_str_eq(try("bob", 'a', "", "127.0.0.1"), "refused");
	ck_assert_str_eq(try("bob", '\0', "", "127.0.0.1"), "refused");
	ck_assert_str_eq(try("nobody", 'a', "", "127.0.0.1"), "refused");
	ck_assert_str_eq(try("", '\0', "", "127.0.0.1"), "refused");
	ck_assert_str_eq(try("' OR 1=1 --", 'a', "", "127.0.0.1"), "refused");
}
END_TEST

/* The salt of a name that nobody has stays the same, and is another for each. */
START_TEST(salts)
{
	char a[200], b[200];
	json_t *anna = json_pack("{s:s}", "user", "anna"), *one = json_pack("{s:s}", "user", "one"),
	       *two = json_pack("{s:s}", "user", "two");

	said(judge_sign_in_salt(&ja, anna, "127.0.0.1"), "salt", a);
	ck_assert_str_eq(a, "AAAAAAAAAAAAAAAAAAAAAA==");
	said(judge_sign_in_salt(&ja, one, "127.0.0.1"), "salt", a);
	said(judge_sign_in_salt(&ja, one, "127.0.0.1"), "salt", b);
	ck_assert_uint_eq(strlen(a), 24);
	ck_assert_str_eq(a, b);
	said(judge_sign_in_salt(&ja, two, "127.0.0.1"), "salt", b);
	ck_assert_str_ne(a, b);
	json_decref(anna);
	json_decref(one);
	json_decref(two);
}
END_TEST

START_TEST(waits)
{
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(try("anna", 'b', "", "192.0.2.1"), "refused");
	ck_assert_str_eq(try("anna", 'a', "", "192.0.2.1"), "throttled");
	/* another user there, the same user elsewhere */
	ck_assert_str_eq(try("bob", 'a', "", "192.0.2.1"), "refused");
	ck_assert_uint_eq(strlen(try("anna", 'a', "", "192.0.2.2")), 43);
	now += 29;
	ck_assert_str_eq(try("anna", 'a', "", "192.0.2.1"), "throttled");
	now += 1;
	ck_assert_str_eq(try("anna", 'b', "", "192.0.2.1"), "refused");
	now += 59;
	ck_assert_str_eq(try("anna", 'a', "", "192.0.2.1"), "throttled");
	now += 1;
	ck_assert_uint_eq(strlen(try("anna", 'a', "", "192.0.2.1")), 43);
	ck_assert_str_eq(try("anna", 'b', "", "192.0.2.1"), "refused"); /* it begins anew */
	ck_assert_uint_eq(strlen(try("anna", 'a', "", "192.0.2.1")), 43);
}
END_TEST

/* Many names from one address; one name from many addresses. */
START_TEST(waits_for_all)
{
	char name[40];

	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof name, "u%d", i);
		ck_assert_str_eq(try(name, 'b', "", "192.0.2.1"), "refused");
	}
	ck_assert_str_eq(try("anna", 'a', "", "192.0.2.1"), "throttled");
	ck_assert_uint_eq(strlen(try("anna", 'a', "", "192.0.2.2")), 43);
	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof name, "198.51.100.%d", i);
		ck_assert_str_eq(try("bob", 'b', "", name), "refused");
	}
	ck_assert_str_eq(try("bob", 'b', "", "203.0.113.1"), "throttled");
	ck_assert_uint_eq(strlen(try("anna", 'a', "", "203.0.113.1")), 43);
	now += 900;
	ck_assert_str_eq(try("bob", 'b', "", "203.0.113.1"), "refused");
}
END_TEST

/* Whoever is on the machine has sixteen million addresses there. */
/* Strangers who guess from many networks do not keep a user from where the user was right before; who guesses there
 * waits. */
START_TEST(waits_not_where_it_is_known)
{
	char from[40];

	ck_assert_uint_ge(strlen(try("anna", 'a', "", "2001:db8:7::1")), 40); /* a session */
	for (int i = 0; i < 60; i++) {
		(void)snprintf(from, sizeof from, "198.51.100.%d", i);
		(void)try("anna", 'b', "", from);
	}
	ck_assert_str_eq(try("anna", 'a', "", "203.0.113.1"), "throttled");
	ck_assert_uint_ge(strlen(try("anna", 'a', "", "2001:db8:7::2")), 40);
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(try("anna", 'b', "", "2001:db8:7::3"), "refused");
	ck_assert_str_eq(try("anna", 'a', "", "2001:db8:7::2"), "throttled");
	now += 31 * 86400;
	for (int i = 0; i < 60; i++) {
		(void)snprintf(from, sizeof from, "198.51.100.%d", i);
		(void)try("anna", 'b', "", from);
	}
	ck_assert_str_eq(try("anna", 'a', "", "2001:db8:7::2"), "throttled");
}
END_TEST

START_TEST(waits_on_this_machine)
{
	json_t *anna = json_pack("{s:s}", "user", "anna");
	char from[40], code[200];

	for (int i = 0; i < 5; i++) {
		(void)snprintf(from, sizeof from, "127.0.%d.1", i);
		ck_assert_str_eq(try("anna", 'b', "", from), "refused");
	}
	ck_assert_str_eq(try("anna", 'a', "", "127.9.9.9"), "throttled");
	/* and whoever has a network of IPv6 more than that */
	for (int i = 0; i < 5; i++) {
		(void)snprintf(from, sizeof from, "2001:db8:1:2:%x::%x", (unsigned)i, (unsigned)i + 1);
		ck_assert_str_eq(try("anna", 'b', "", from), "refused");
	}
	ck_assert_str_eq(try("anna", 'a', "", "2001:db8:1:2:ffff::1"), "throttled");
	ck_assert_uint_eq(strlen(try("anna", 'a', "", "2001:db8:1:3::1")), 43);
	/* before anything is worked out of a password */
	said(judge_sign_in_salt(&ja, anna, "127.3.3.3"), "salt", code);
	ck_assert_str_eq(code, "throttled");
	said(judge_sign_in_salt(&ja, anna, "::1"), "salt", code);
	ck_assert_str_eq(code, "throttled");
	said(judge_sign_in_salt(&ja, anna, "192.0.2.7"), "salt", code);
	ck_assert_str_ne(code, "throttled");
	json_decref(anna);
}
END_TEST

/* So many others that the table of those who failed is too small end nobody's waiting. */
START_TEST(waits_among_many)
{
	char name[40], from[40];
	int together = 0;

	for (int i = 0; i < 50; i++) {
		(void)snprintf(from, sizeof from, "198.51.100.%d", i);
		ck_assert_str_eq(try("anna", 'b', "", from), "refused");
	}
	ck_assert_str_eq(try("anna", 'a', "", "203.0.113.1"), "throttled");
	now++;
	for (int i = 0; i < 1100; i++) {
		(void)snprintf(name, sizeof name, "u%d", i);
		(void)snprintf(from, sizeof from, "2001:db8:0:%x::1", (unsigned)i);
		together += strcmp(try(name, 'b', "", from), "throttled") == 0;
	}
	ck_assert_int_le(together, 10); /* those whom a secret hash puts into anna's place: one in 4,096 */
	ck_assert_str_eq(try("anna", 'a', "", "203.0.113.1"), "throttled");
}
END_TEST

/* A network of 64 bits is one client, whatever address of it is used. */
START_TEST(waits_with_its_network)
{
	char name[40], from[40];

	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof name, "u%d", i);
		(void)snprintf(from, sizeof from, "2001:db8::%x", (unsigned)i + 1);
		ck_assert_str_eq(try(name, 'b', "", from), "refused");
	}
	ck_assert_str_eq(try("anna", 'a', "", "2001:db8::ffff"), "throttled");
	ck_assert_uint_eq(strlen(try("anna", 'a', "", "2001:db8:0:1::1")), 43);
}
END_TEST

START_TEST(waits_no_longer_for_a_clock)
{
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(try("anna", 'b', "", "192.0.2.1"), "refused");
	now -= 86400;
	ck_assert_str_eq(try("anna", 'a', "", "192.0.2.1"), "throttled");
	now += 31;
	ck_assert_uint_eq(strlen(try("anna", 'a', "", "192.0.2.1")), 43);
}
END_TEST

START_TEST(codes)
{
	uint8_t secret[20];
	struct problem pr = {0};
	char otp[16];

	memset(secret, 9, sizeof secret);
	ck_assert_int_eq(store_totp_put(fx.s, "anna", secret, sizeof secret, "root", &pr), 0);
	ck_assert_str_eq(try("anna", 'a', "", "192.0.2.1"), "refused");
	ck_assert_int_eq(
	    oath_totp_generate((const char *)secret, sizeof secret, (time_t)now, 30, 0, 6, otp), OATH_OK);
	ck_assert_str_eq(try("anna", 'b', otp, "192.0.2.1"), "refused"); /* it is not used up by a wrong password */
	ck_assert_uint_eq(strlen(try("anna", 'a', otp, "192.0.2.1")), 43);
	ck_assert_str_eq(try("anna", 'a', otp, "192.0.2.2"), "refused");
	now += 30; /* the one before the last that counted, though within the window */
	ck_assert_str_eq(try("anna", 'a', otp, "192.0.2.3"), "refused");
	ck_assert_int_eq(
	    oath_totp_generate((const char *)secret, sizeof secret, (time_t)now + 30, 30, 0, 6, otp), OATH_OK);
	ck_assert_uint_eq(strlen(try("anna", 'a', otp, "192.0.2.4")), 43);
	ck_assert_int_eq(store_totp_put(fx.s, "anna", NULL, 0, "root", &pr), 0);
	ck_assert_uint_eq(strlen(try("anna", 'a', "", "192.0.2.5")), 43);
}
END_TEST

static const char *ask_as(const char *session, const char *verb, bool background, json_t *args)
{
	static char out[200];
	json_t *o = json_pack("{s:s, s:o, s:s}", "verb", verb, "args", args, "session", session);
	char *text;

	if (background)
		(void)json_object_set_new(o, "background", json_true());
	text = json_dumps(o, 0);
	said(judge_web_answer(&ja, text, "127.0.0.1"), strcmp(verb, "web.me") == 0 ? "user" : "session", out);
	free(text);
	json_decref(o);
	return out;
}

/* A page that is left open asks and asks: nobody is there. */
START_TEST(ends_in_the_background)
{
	char session[200];

	(void)snprintf(session, sizeof session, "%s", try("anna", 'a', "", "127.0.0.1"));
	now += 1000;
	ck_assert_str_eq(ask_as(session, "web.me", true, json_object()), "anna");
	now += 801;
	ck_assert_str_eq(ask_as(session, "web.me", true, json_object()), "unauthorized");
}
END_TEST

/* Signing in anew ends what the browser had; failing to does not. */
START_TEST(ends_by_another)
{
	char one[200], key[64];

	(void)snprintf(one, sizeof one, "%s", try("anna", 'a', "", "127.0.0.1"));
	key_of('b', key);
	ck_assert_str_eq(
	    ask_as(one, "sign-in", false, json_pack("{s:s, s:s}", "user", "anna", "key", key)), "refused");
	ck_assert_str_eq(me(one), "anna");
	key_of('a', key);
	ck_assert_uint_eq(
	    strlen(ask_as(one, "sign-in", false, json_pack("{s:s, s:s}", "user", "anna", "key", key))), 43);
	ck_assert_str_eq(me(one), "unauthorized");
}
END_TEST

START_TEST(ends)
{
	char session[200];

	(void)snprintf(session, sizeof session, "%s", try("anna", 'a', "", "127.0.0.1"));
	for (int i = 0; i < 24; i++) { /* used every twenty minutes */
		now += 1200;
		ck_assert_str_eq(me(session), "anna");
	}
	now += 1801;
	ck_assert_str_eq(me(session), "unauthorized");
	(void)snprintf(session, sizeof session, "%s", try("anna", 'a', "", "127.0.0.1"));
	for (int i = 0; i < 36; i++) {
		now += 1200;
		ck_assert_str_eq(me(session), "anna");
	}
	now += 1; /* twelve hours and a second */
	ck_assert_str_eq(me(session), "unauthorized");
}
END_TEST

static const struct {
	const char *verb, *args;
} changes[] = {
    {"user.password", "{\"name\": \"anna\", \"salt\": \"AAAAAAAAAAAAAAAAAAAAAA==\", \"key\": "
		      "\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\"}"},
    {"user.totp", "{\"name\": \"anna\"}"},
    {"user.totp", "{\"name\": \"anna\", \"off\": true}"},
    {"user.add", "{\"name\": \"anna\", \"role\": \"viewer\"}"},
    {"user.sign-out", "{\"name\": \"anna\"}"},
    {"user.remove", "{\"name\": \"anna\"}"},
};

START_TEST(ends_with_a_change)
{
	char session[200];

	(void)snprintf(session, sizeof session, "%s", try("anna", 'a', "", "127.0.0.1"));
	ck_assert_str_eq(me(session), "anna");
	local(changes[_i].verb, json_loads(changes[_i].args, 0, NULL));
	ck_assert_str_eq(me(session), "unauthorized");
}
END_TEST

/* The least used of too many ends. */
START_TEST(not_too_many)
{
	char session[STORE_SESSIONS_PER_USER + 1][200];

	for (int i = 0; i <= STORE_SESSIONS_PER_USER; i++) {
		(void)snprintf(session[i], sizeof session[i], "%s", try("anna", 'a', "", "127.0.0.1"));
		now++;
	}
	ck_assert_str_eq(me(session[0]), "unauthorized");
	for (int i = 1; i <= STORE_SESSIONS_PER_USER; i++)
		ck_assert_str_eq(me(session[i]), "anna");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_sign_in");
	TCase *tc = tcase_create("judge_sign_in");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, opens);
	tcase_add_test(tc, refuses);
	tcase_add_test(tc, salts);
	tcase_add_test(tc, waits);
	tcase_add_test(tc, waits_for_all);
	tcase_add_test(tc, waits_not_where_it_is_known);
	tcase_add_test(tc, waits_on_this_machine);
	tcase_add_test(tc, waits_among_many);
	tcase_add_test(tc, waits_with_its_network);
	tcase_add_test(tc, waits_no_longer_for_a_clock);
	tcase_add_test(tc, ends_in_the_background);
	tcase_add_test(tc, ends_by_another);
	tcase_add_test(tc, codes);
	tcase_add_test(tc, ends);
	tcase_add_loop_test(tc, ends_with_a_change, 0, (int)(sizeof changes / sizeof *changes));
	tcase_add_test(tc, not_too_many);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
