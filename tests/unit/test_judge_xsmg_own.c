/* Our own statements: what stands in one, when another is made, and that two gateways with one store agree. */
#include "gateway/proc/judge_xsmg_own.h"

#include "tests/unit/xsmg_own_fixture.h"

static struct own_fixture f;
static struct problem pr;

static void setup(void)
{
	own_start(&f);
	problem_clear(&pr);
}

static void teardown(void)
{
	own_end(&f);
}

START_TEST(nothing_to_say)
{
	struct judge_xsmg_statement s;

	ck_assert_int_eq(judge_xsmg_own_tick(f.own, f.now), 0);
	ck_assert_int_eq(judge_xsmg_own_current(f.own, OURS, f.now, &s, &pr), 0);
	ck_assert_int_eq(judge_xsmg_own_current(f.own, "lab.example", f.now, &s, &pr), 0);
	ck_assert_uint_eq(f.keeper.nfiles, 0);
}
END_TEST

START_TEST(content)
{
	char *words[] = {FIXTURE_STR("signed")}, *urls[] = {FIXTURE_STR("https://smg.%d/x")};
	struct judge_xsmg_statement s;

	f.set.signs = STATEMENT_PROMISES_ALL;
	f.set.demand = (struct settings_list){words, 1};
	f.set.urls = (struct settings_list){urls, 1};
	own_identity(&f, STORE_SIGN, 400);
	own_identity(&f, STORE_DECRYPT, 500);
	own_settle(&f);
	own_said(&f);
	ck_assert_uint_eq(f.sd.nsigners, 1);
	ck_assert_mem_eq(f.sd.signers[0].cert_sha256, f.st.signer, 32);
	ck_assert_uint_eq(f.st.ncerts, 3);
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_SIGN), 1);
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_ENCRYPT), 1);
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_STATEMENT), 1);
	for (size_t i = 0; i < f.st.ncerts; i++) {
		int days = (int)((f.st.certs[i].until - f.now + DAY / 2) / DAY);

		ck_assert_int_eq(days, f.st.certs[i].use == STATEMENT_FOR_SIGN	    ? 400
				       : f.st.certs[i].use == STATEMENT_FOR_ENCRYPT ? 500
										    : 1000);
	}
	ck_assert_int_eq(f.st.expires - f.st.issued, 7 * DAY);
	ck_assert(f.st.write.said && f.st.write.signs == STATEMENT_PROMISES_ALL && !f.st.write.test);
	ck_assert_int_eq(f.st.write.until - f.st.issued, 30 * DAY);
	ck_assert(f.st.demand_signed && !f.st.demand_encrypted && !f.st.withdrawn);
	ck_assert_uint_eq(f.st.nurls, 1);
	ck_assert_str_eq(f.st.urls[0], "https://smg." OURS "/x");
	ck_assert_uint_eq(f.st.read.octets, 50 << 20);
	/* what an EC key can be reached by, and nothing that it cannot */
	ck_assert(statement_words_has(&f.st.read.keys, STATEMENT_ECDH_P256));
	ck_assert_uint_eq(f.st.read.keys.n, 1);
	/* unsigned encrypted mail is held here, and the second domain has nothing */
	ck_assert(!statement_words_has(&f.st.read.formats, STATEMENT_ENVELOPED));
	ck_assert_int_eq(judge_xsmg_own_current(f.own, "second.example", f.now, &s, &pr), 0);
	/* past its end it is not given out */
	ck_assert_int_eq(judge_xsmg_own_current(f.own, OURS, f.now + 7 * DAY, &s, &pr), 0);
}
END_TEST

/* Daily; on another certificate, another setting; not otherwise; the serial always rises. */
START_TEST(remade)
{
	char *gone[] = {FIXTURE_STR(OURS)};
	char id[44];
	int64_t serial;

	own_identity(&f, STORE_SIGN, 400);
	own_settle(&f);
	own_said(&f);
	memcpy(id, f.id, sizeof id);
	serial = f.st.serial;
	f.now += DAY / 2;
	ck_assert_int_eq(judge_xsmg_own_tick(f.own, f.now), 0);
	f.now += DAY / 2 + 10;
	ck_assert_int_eq(judge_xsmg_own_tick(f.own, f.now), 1);
	own_said(&f);
	ck_assert_str_ne(f.id, id);
	ck_assert_int_gt(f.st.serial, serial);
	serial = f.st.serial;
	own_identity(&f, STORE_DECRYPT, 400);
	ck_assert_int_eq(judge_xsmg_own_tick(f.own, f.now), 0); /* a moment too early */
	ck_assert(judge_xsmg_own_waits(f.own));
	f.now += 5;
	ck_assert_int_eq(judge_xsmg_own_tick(f.own, f.now), 1);
	f.set.withdrawn = (struct settings_list){gone, 1};
	f.now += 5;
	own_settle(&f);
	own_said(&f);
	ck_assert(f.st.withdrawn && !f.st.write.said);
	ck_assert_int_gt(f.st.serial, serial);
	/* a clock that is put back: a serial above the last one all the same */
	serial = f.st.serial;
	f.now -= DAY;
	ck_assert_int_eq(judge_xsmg_own_tick(f.own, f.now), 1);
	own_said(&f);
	ck_assert_int_eq(f.st.serial, serial + 1);
	/* the ids of older ones are known by their serial */
	ck_assert_int_eq(store_own_statement_serial_of(f.j.s, OURS, id, &serial, &pr), 1);
	ck_assert_int_lt(serial, f.st.serial);
	ck_assert_int_eq(store_own_statement_serial_of(f.j.s, OURS, "unknown", &serial, &pr), 0);
}
END_TEST

/* Another gateway at the same store in the same second: it takes what there is; and when both must make one after the
 * other, they have two serials. */
START_TEST(two_nodes)
{
	struct store *other = store_open(f.j.dir, &pr);
	struct judge_world w = f.j.w;
	struct judge_xsmg_own *second;
	struct judge_xsmg_statement a, b;
	struct statement_settings set = f.set;

	w.cache = judge_cache_new();
	second = judge_xsmg_own_new(&w, other, &set, &f.keys, 50 << 20);
	own_identity(&f, STORE_SIGN, 400);
	ck_assert_int_eq(judge_xsmg_own_tick(f.own, f.now), 2); /* key and statement */
	ck_assert_int_eq(judge_xsmg_own_tick(second, f.now), 0);
	ck_assert_int_eq(judge_xsmg_own_current(f.own, OURS, f.now, &a, &pr), 1);
	ck_assert_int_eq(judge_xsmg_own_current(second, OURS, f.now, &b, &pr), 1);
	ck_assert_str_eq(a.id, b.id);
	ck_assert_uint_eq(f.keeper.nfiles, 2);
	set.test = true; /* it has other settings */
	set.signs = STATEMENT_PROMISES_ALL;
	f.now += 5;
	ck_assert_int_eq(judge_xsmg_own_tick(second, f.now), 1);
	f.now += 5;
	ck_assert_int_eq(judge_xsmg_own_tick(f.own, f.now), 1);
	ck_assert_int_eq(judge_xsmg_own_current(second, OURS, f.now, &b, &pr), 1);
	ck_assert_int_eq(judge_xsmg_own_current(f.own, OURS, f.now, &a, &pr), 1);
	ck_assert_str_eq(a.id, b.id);
	judge_xsmg_own_free(second);
	judge_cache_free(w.cache);
	store_close(other);
}
END_TEST

/* The keeper away: nothing is made, nothing is lost, it is tried again. */
START_TEST(keeper_away)
{
	struct judge_xsmg_statement s;

	own_identity(&f, STORE_SIGN, 400);
	fixture_down(&f.keeper);
	ck_assert_int_eq(judge_xsmg_own_tick(f.own, f.now), 0);
	ck_assert(judge_xsmg_own_waits(f.own));
	ck_assert_int_eq(judge_xsmg_own_current(f.own, OURS, f.now, &s, &pr), 0);
	fixture_up(&f.keeper);
	keys_client_replace(f.keys, fixture_fd(&f.keeper, KEEPER_FOR_JUDGE));
	own_settle(&f);
	own_said(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg_own");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, nothing_to_say);
	tcase_add_test(t, content);
	tcase_add_test(t, remade);
	tcase_add_test(t, two_nodes);
	tcase_add_test(t, keeper_away);
	suite_add_tcase(s, t);
	return fixture_run(s, 0);
}
