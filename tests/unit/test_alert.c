/* Alerts to the admin: what becomes one, when it is told and how often, the mail's text. */
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"
#include "gateway/proc/alert_list.h"
#include "gateway/proc/alert_mail.h"
#include "gateway/proc/alert_memory.h"
#include "tests/unit/suite.h"

enum { HOUR = 3600, DAY = 86400 };
#define NOON (INT64_C(20000) * DAY + 12 * HOUR)

static const char judge[] =
    "{\"keeper\": {\"state\": \"sealed\"},"
    "\"domains\": [{\"domain\": \"hospital.example\", \"signs\": false, \"sign_why\": \"none was added\", \"opens\": "
    "true}],"
    "\"expiring\": [{\"owner\": \"a.example\", \"kind\": \"partner\", \"subject\": \"CN=a\", \"serial\": \"1\","
    "\"sha256\": \"aaaaaaaaaaaaaaaaaaaa\", \"days_left\": 45, \"next\": \"ask\"},"
    "{\"owner\": \"b.example\", \"kind\": \"partner\", \"subject\": \"CN=b\", \"serial\": \"2\","
    "\"sha256\": \"bbbbbbbbbbbbbbbbbbbb\", \"days_left\": 1, \"next\": \"ask\"}],"
    "\"statements\": [{\"domain\": \"c.example\", \"state\": \"pending\", \"why\": \"new key\", \"next\": "
    "\"approve\"},"
    "{\"domain\": \"d.example\", \"state\": \"frozen\", \"why\": \"two keys\", \"next\": \"ask\"}],"
    "\"partners_noticed\": [{\"domain\": \"e.example\", \"what\": \"downgrade\", \"why\": \"XSMG is gone\"}],"
    "\"waiting\": [{\"owner\": \"f.example\", \"sha256\": \"ff\", \"by\": \"an anchor\"}]}";

static json_t *list_of(const char *j, const char *r, int64_t now_ms)
{
	json_t *jo = j ? json_loads(j, 0, NULL) : NULL, *ro = json_loads(r, 0, NULL), *l;

	ck_assert(ro && (!j || jo));
	l = alert_list(&(struct alert_source){
	    .judge = jo, .relay = ro, .judge_why = "away", .now_ms = now_ms, .queue_age_ms = 4 * HOUR * 1000});
	json_decref(jo);
	json_decref(ro);
	return l;
}

static const json_t *by_key(const json_t *l, const char *key)
{
	const json_t *o;
	size_t i;

	json_array_foreach(l, i, o) if (strcmp(json_string_value(json_object_get(o, "key")), key) == 0) return o;
	return NULL;
}

START_TEST(what_is_one)
{
	static const struct {
		const char *key, *kind;
		bool urgent, once;
	} all[] = {{"keeper", "keys", true, false}, {"signs:hospital.example:", "keys", true, false},
	    {"queue-trouble", "database", true, false}, {"queue-age", "queue", true, false},
	    {"held", "held", false, false}, {"partners_noticed:e.example:downgrade", "downgrade", true, false},
	    {"statements:c.example:pending", "pending", false, false},
	    {"statements:d.example:frozen", "pending", true, false},
	    {"waiting:f.example:ff", "pending", false, false},
	    {"ends:a.example:partner:aaaaaaaaaaaaaaaa:60", "expiry", false, true},
	    {"ends:b.example:partner:bbbbbbbbbbbbbbbb:1", "expiry", true, true}};
	json_t *l = list_of(judge,
	    "{\"queue\": {\"trouble\": \"no space\", \"held\": 3, \"queued\": 2, \"oldest_queued\": 1000}}",
	    INT64_C(5) * HOUR * 1000);

	ck_assert_uint_eq(json_array_size(l), sizeof all / sizeof *all);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const json_t *o = by_key(l, all[i].key);

		ck_assert_msg(o != NULL, "%s", all[i].key);
		ck_assert_str_eq(json_string_value(json_object_get(o, "kind")), all[i].kind);
		ck_assert_msg(json_is_true(json_object_get(o, "urgent")) == all[i].urgent, "%s", all[i].key);
		ck_assert_msg(json_is_true(json_object_get(o, "once")) == all[i].once, "%s", all[i].key);
	}
	ck_assert(json_is_true(json_object_get(json_array_get(l, 0), "urgent")));
	json_decref(l);
	l = list_of(
	    "{}", "{\"queue\": {\"trouble\": \"\", \"held\": 0, \"oldest_queued\": 1000}}", INT64_C(3) * HOUR * 1000);
	ck_assert_uint_eq(json_array_size(l), 0);
	json_decref(l);
	l = list_of(NULL, "{}", 5);
	ck_assert_uint_eq(json_array_size(l), 1);
	ck_assert_ptr_nonnull(by_key(l, "judge"));
	json_decref(l);
	l = list_of("{\"expiring\": 5, \"domains\": [3], \"statements\": [{}], \"keeper\": []}", "[]", 5);
	json_decref(l); /* odd forms: no harm */
}
END_TEST

/* ---- when ---- */

static json_t *memory;
static const struct alert_memory_limits lim = {6, 3};

static json_t *alerts(const char *const *keys)
{
	json_t *l = json_array();

	for (; *keys; keys++)
		ck_assert_int_eq(
		    json_array_append_new(l, json_pack("{s:s, s:b, s:b}", "key", *keys, "urgent",
						 strchr(*keys, '!') != NULL, "once", strchr(*keys, '1') != NULL)),
		    0);
	return l;
}

/* How many are told. The memory goes through text, as over a restart. */
static size_t told(const char *const *keys, int64_t now)
{
	json_t *l = alerts(keys), *due;
	char *text;
	bool digest;
	size_t n;

	due = alert_memory_due(memory, l, &lim, now, &digest);
	n = json_array_size(due);
	json_decref(due);
	json_decref(l);
	text = json_dumps(memory, 0);
	json_decref(memory);
	memory = json_loads(text, 0, NULL);
	free(text);
	return n;
}
#define TOLD(now, ...) told((const char *const[]){__VA_ARGS__, NULL}, now)
#define NONE(now) told((const char *const[]){NULL}, now)

static void setup(void)
{
	memory = json_object();
}

static void teardown(void)
{
	json_decref(memory);
}

START_TEST(urgent_at_once)
{
	int64_t t = INT64_C(20000) * DAY + HOUR; /* before the hour of the daily mail */

	ck_assert_uint_eq(TOLD(t, "quiet"), 0);
	ck_assert_uint_eq(TOLD(t, "a!", "quiet"), 1);
	for (int i = 1; i < 200; i++)
		ck_assert_uint_eq(TOLD(t + i * 60, "a!", "quiet"), 0);
	t += 200 * 60;
	ck_assert_uint_eq(TOLD(t, "a!", "b!"), 1);
	ck_assert_uint_eq(TOLD(t + 60, "c!"), 0); /* it waits for the gap */
	ck_assert_uint_eq(TOLD(t + ALERT_MEMORY_GAP_S, "c!", "d!"), 2);
	ck_assert_uint_eq(TOLD(t + 2 * ALERT_MEMORY_GAP_S, "e!"), 0); /* three mails this day */
}
END_TEST

START_TEST(once_a_day)
{
	int n = 0, mails = 0;

	for (int64_t t = NOON; t < NOON + 4 * DAY; t += 60) {
		size_t k = TOLD(t, "quiet", "loud!", "step1", "over1!");

		n += (int)k;
		mails += k > 0;
	}
	/* quiet and loud on each of five days that have begun and were past the hour; the other two once */
	ck_assert_int_eq(mails, 5 - 1 + 0);
	ck_assert_int_eq(n, 4 * 2 + 2);
}
END_TEST

START_TEST(comes_and_goes)
{
	int n = 0;

	for (int64_t t = NOON; t < NOON + DAY / 4; t += 60)
		n += (int)(t / 60 % 2 ? TOLD(t, "x!") : NONE(t));
	ck_assert_int_eq(n, 1);
	ck_assert_uint_eq(NONE(NOON + 3 * DAY), 0);
	ck_assert_uint_eq(TOLD(NOON + 3 * DAY + HOUR, "x!"), 1);
}
END_TEST

/* Whoever makes thousands of alerts gets no more mails for it. */
START_TEST(no_flood)
{
	char keys[50][40];
	const char *p[51] = {NULL};
	int mails = 0;

	for (int64_t t = NOON; t < NOON + 10 * DAY; t += 600) {
		for (int i = 0; i < 50; i++) {
			(void)snprintf(keys[i], sizeof keys[i], "k%lld-%d!", (long long)t, i);
			p[i] = keys[i];
		}
		mails += told(p, t) > 0;
	}
	ck_assert_int_ge(mails, 10);
	ck_assert_int_le(mails, 11 * (int)lim.mails_per_day);
	ck_assert_uint_le(json_object_size(json_object_get(memory, "told")), ALERT_MEMORY_MAX);
}
END_TEST

/* Whatever stands in the file: no harm, and it works on. */
START_TEST(odd_memory)
{
	static const char *const texts[] = {"{\"told\": 5, \"last\": \"x\"}",
	    "{\"told\": {\"a!\": 7}, \"mails\": []}",
	    "{\"told\": {\"b!\": {\"seen\": -9223372036854775807}}, \"day\": 9223372036854775807}"};

	json_decref(memory);
	memory = json_loads(texts[_i], 0, NULL);
	ck_assert_ptr_nonnull(memory);
	(void)TOLD(NOON, "a!", "b!", "c!");
	ck_assert_uint_eq(TOLD(NOON + DAY, "new!"), 1);
}
END_TEST

/* ---- the mail ---- */

START_TEST(text)
{
	static char one[] = "postmaster@hospital.example", two[] = "it@hospital.example";
	char *to[] = {one, two};
	const struct settings_list list = {to, 2};
	json_t *l = json_pack("[{s:s, s:s, s:b, s:s}]", "kind", "expiry", "text",
	    "CN=evil\r\nSubject: x\xe2\x80\xae\r\n.\r\n<b> "
	    "\xd8\x9c\xc2\x85\xc2\xad\xef\xbb\xbf\xf3\xa0\x81\x81\xc3\xbc\xe6\x97\xa5\xc2\xa7",
	    "urgent", 1, "next", "ask");
	const char *p, *end;
	uint8_t plain[4096];
	struct buf b;
	size_t n;

	buf_init(&b, ALERT_MAIL_MAX);
	alert_mail_write(&(struct alert_mail){.hostname = "gate.hospital.example",
			     .from = one,
			     .message_id = "<alert.1@gate.hospital.example>",
			     .to = &list,
			     .alerts = l,
			     .now = NOON},
	    &b);
	p = buf_str(&b);
	ck_assert_ptr_nonnull(strstr(p, "\r\nTo: <postmaster@hospital.example>,\r\n <it@hospital.example>\r\n"));
	ck_assert_ptr_nonnull(strstr(p, "\r\nSubject: [Postern gate.hospital.example] 1 alert, 1 urgent\r\n"));
	ck_assert_ptr_nonnull(strstr(p, "\r\nAuto-Submitted: auto-generated\r\n"));
	end = strstr(p, "\r\n\r\n");
	ck_assert_ptr_nonnull(end);
	for (const char *c = end + 4; *c; c++)
		ck_assert(encode_b64_value(*c) >= 0 || strchr("=\r\n", *c));
	n = encode_unb64_loose(end + 4, strlen(end + 4), plain, sizeof plain - 1);
	plain[n] = 0;
	ck_assert_ptr_nonnull(strstr((char *)plain, "1. [expiry, urgent] CN=evil  Subject: x   .  <b>      "
						    "\xc3\xbc\xe6\x97\xa5\xc2\xa7\r\n   What to do: ask\r\n"));
	buf_clear(&b);
	json_decref(l);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("alert");
	TCase *t = tcase_create("alert");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_is_one);
	tcase_add_test(t, urgent_at_once);
	tcase_add_test(t, once_a_day);
	tcase_add_test(t, comes_and_goes);
	tcase_add_test(t, no_flood);
	tcase_add_loop_test(t, odd_memory, 0, 3);
	tcase_add_test(t, text);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
