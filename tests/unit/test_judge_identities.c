/* Which of our identities relay is told, in how many packets, and which one serves a domain. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/judge_identities.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

static struct judge_fixture fx;
static struct judge_identity_list list;
static struct testcert dec, tls, sign;

static void setup(void)
{
	judge_fixture_start(&fx);
	dec =
	    testcert_make(&(struct testcert_spec){.cn = "dec", .san = "DNS:hospital.example", .ku = "keyAgreement"});
	tls = testcert_make(
	    &(struct testcert_spec){.cn = "tls", .san = "DNS:mx.hospital.example", .eku = "serverAuth"});
	sign = testcert_make(
	    &(struct testcert_spec){.cn = "sign", .san = "DNS:hospital.example", .ku = "digitalSignature"});
}

static void teardown(void)
{
	testcert_free(&dec);
	testcert_free(&tls);
	testcert_free(&sign);
	judge_fixture_end(&fx);
}

/* All packets; each must fit into one, as decoded by the other side. */
static size_t all(size_t *packets_r)
{
	size_t at = 0, n = 0;
	struct problem pr = {0};

	*packets_r = 0;
	judge_cache_begin(fx.w.cache, fx.s);
	do {
		struct arena *a = arena_new(1 << 20), *b = arena_new(1 << 20);
		struct ipc_out o;
		struct ipc_in in = {0};
		bool more;

		ck_assert_msg(judge_identities(fx.w.cache, fx.s, &at, a, &list, &pr) == 0, "%s", pr.text);
		n += list.n;
		more = list.more;
		++*packets_r;
		ipc_out_init(&o, JUDGE_IDENTITY_LIST, 0);
		judge_identity_list_put(&o, &list);
		ck_assert(!o.bad && o.b.len <= IPC_PACKET_MAX);
		in.p = o.b.p + IPC_HEADER;
		in.n = o.b.len - IPC_HEADER;
		ck_assert_int_eq(judge_identity_list_get(&in, b, &list), 0);
		ck_assert(list.more == more);
		ipc_out_clear(&o);
		arena_free(a);
		arena_free(b);
	} while (list.more);
	return n;
}

START_TEST(which)
{
	size_t packets;

	ck_assert_uint_eq(all(&packets), 0);
	ck_assert_uint_eq(packets, 1);
	judge_fixture_identity(
	    &fx, "hospital.example", STORE_SIGN, "s", &sign, true); /* not told: verdicts carry it */
	judge_fixture_identity(&fx, "hospital.example", STORE_DECRYPT, "d0", NULL, true); /* no certificate yet */
	judge_fixture_identity(&fx, "hospital.example", STORE_DECRYPT, "d1", &dec, true);
	judge_fixture_identity(&fx, "hospital.example", STORE_DECRYPT, "d2", &dec, false); /* retired: still opens */
	judge_fixture_identity(&fx, "mx.hospital.example", STORE_TLS, "t1", &tls, true);
	judge_fixture_identity(&fx, "mx.hospital.example", STORE_TLS, "t2", &tls, false); /* retired: not served */
	ck_assert_uint_eq(all(&packets), 3);
	ck_assert_uint_eq(packets, 1);
	ck_assert_str_eq(list.v[0].key_id, "d2");
	ck_assert_str_eq(list.v[1].key_id, "d1");
	ck_assert(list.v[0].use == STORE_DECRYPT && list.v[2].use == STORE_TLS);
}
END_TEST

START_TEST(many)
{
	size_t packets;
	struct problem pr = {0};

	ck_assert_int_eq(store_begin(fx.s, &pr), 0);
	for (int i = 0; i < 200; i++) {
		char id[16];

		(void)snprintf(id, sizeof id, "d%d", i);
		judge_fixture_identity(&fx, "hospital.example", STORE_DECRYPT, id, &dec, i % 2);
	}
	ck_assert_int_eq(store_end(fx.s, 0, &pr), 0);
	ck_assert_uint_eq(all(&packets), 200);
	ck_assert_uint_ge(packets, 4);
}
END_TEST

START_TEST(find)
{
	struct testcert newer = testcert_make(&(struct testcert_spec){
	    .cn = "newer", .san = "DNS:hospital.example", .ku = "digitalSignature", .from = TESTCERT_FROM + 9});
	const struct store_identity *i;
	struct problem pr = {0};
	char why[400];

	judge_fixture_identity(&fx, "hospital.example", STORE_SIGN, "new", &newer, true);
	judge_fixture_identity(&fx, "hospital.example", STORE_SIGN, "old", &sign, true);
	judge_fixture_identity(&fx, "hospital.example", STORE_SIGN, "encrypt-only", &dec, true);
	judge_cache_begin(fx.w.cache, fx.s);
	ck_assert_int_eq(judge_identities_find(fx.w.cache, fx.s, "hospital.example", STORE_SIGN, TESTCERT_NOW, &i,
			     why, sizeof why, &pr),
	    0);
	ck_assert(i && strcmp(i->key_id, "new") == 0 && !why[0]);
	ck_assert_int_eq(judge_identities_find(fx.w.cache, fx.s, "hospital.example", STORE_SIGN, TESTCERT_FROM + 5,
			     &i, why, sizeof why, &pr),
	    0);
	ck_assert(i && strcmp(i->key_id, "old") == 0);
	ck_assert_int_eq(judge_identities_find(fx.w.cache, fx.s, "hospital.example", STORE_SIGN, TESTCERT_UNTIL, &i,
			     why, sizeof why, &pr),
	    0);
	ck_assert(!i);
	ck_assert_msg(
	    strstr(why, "CN=newer") && strstr(why, "ran out") && strstr(why, "does not allow signing"), "%s", why);
	ck_assert_int_eq(judge_identities_find(
			     fx.w.cache, fx.s, "second.example", STORE_SIGN, TESTCERT_NOW, &i, why, sizeof why, &pr),
	    0);
	ck_assert(!i);
	ck_assert_str_eq(why, "none was added");
	testcert_free(&newer);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("judge_identities");
	TCase *c = tcase_create("judge_identities");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, which);
	tcase_add_test(c, many);
	tcase_add_test(c, find);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
