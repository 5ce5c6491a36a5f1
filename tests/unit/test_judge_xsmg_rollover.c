/* Rollovers under a clock of the test: what is said and used at each step, and that each begins where the store says.
 */
#include "gateway/proc/judge_xsmg_rollover.h"

#include "gateway/proc/judge_identities.h"
#include "gateway/proc/judge_xsmg_relay.h"
#include "tests/unit/xsmg_own_fixture.h"

static struct own_fixture f;
static struct problem pr;

static void setup(void)
{
	own_start(&f);
	problem_clear(&pr);
	own_identity(&f, STORE_SIGN, 1000);
	own_identity(&f, STORE_DECRYPT, 1000);
	own_settle(&f);
}

static void teardown(void)
{
	own_end(&f);
}

static enum store_rollover_step step(enum store_rollover_kind kind)
{
	struct store_rollover o;

	ck_assert_int_eq(store_rollover_get(f.j.s, OURS, kind, &o, &pr), 0);
	return o.step;
}

static void start(enum store_rollover_kind kind, bool csr)
{
	struct judge_xsmg_rollover r = judge_xsmg_own_rollover(f.own, "test", f.now);

	ck_assert_msg(judge_xsmg_rollover_start(&r, OURS, kind, csr, &pr) == 0, "%s", pr.text);
}

/* The key that is used for `use` now. */
static void used(enum store_use use, char out[64])
{
	const struct store_identity *i;
	char why[300];

	judge_cache_begin(f.j.w.cache, f.j.s);
	ck_assert_int_eq(judge_identities_find(f.j.w.cache, f.j.s, OURS, use, f.now, &i, why, sizeof why, &pr), 0);
	ck_assert_msg(i != NULL, "%s", why);
	snprintf(out, 64, "%s", i->key_id);
}

/* A restart: nothing is remembered but the store. */
static void restart(void)
{
	judge_xsmg_own_free(f.own);
	judge_cache_free(f.j.w.cache);
	store_close(f.j.s);
	f.j.s = store_open(f.j.dir, &pr);
	f.j.w.cache = judge_cache_new();
	f.own = f.j.w.own = judge_xsmg_own_new(&f.j.w, f.j.s, &f.set, &f.keys, 50 << 20);
}

START_TEST(mail)
{
	char before[64], now[64], opens[64];
	int64_t switch_at;

	used(STORE_SIGN, before);
	start(STORE_ROLLOVER_MAIL, false);
	restart();
	own_settle(&f);
	ck_assert_int_eq(step(STORE_ROLLOVER_MAIL), STORE_ROLLOVER_ANNOUNCED);
	own_said(&f);
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_SIGN), 2);
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_ENCRYPT), 2);
	switch_at = 0;
	for (size_t i = 0; i < f.st.ncerts; i++)
		if (f.st.certs[i].from > f.now) {
			ck_assert(switch_at == 0 || switch_at == f.st.certs[i].from);
			switch_at = f.st.certs[i].from;
		}
	ck_assert_int_ge(switch_at, f.now + 14 * DAY - 10);
	used(STORE_SIGN, now);
	ck_assert_str_eq(now, before);
	/* a second before, and then */
	f.now = switch_at - 1;
	restart();
	used(STORE_SIGN, now);
	ck_assert_str_eq(now, before);
	f.now = switch_at;
	used(STORE_SIGN, now);
	ck_assert_str_ne(now, before);
	used(STORE_DECRYPT, opens);
	own_settle(&f);
	ck_assert_int_eq(step(STORE_ROLLOVER_MAIL), STORE_ROLLOVER_OVERLAP);
	f.now += 5;
	own_settle(&f);
	own_said(&f);
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_SIGN), 2); /* mail that the old one signed is under way */
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_ENCRYPT), 1);
	restart();
	f.now += 14 * DAY;
	own_settle(&f);
	ck_assert_int_eq(step(STORE_ROLLOVER_MAIL), STORE_ROLLOVER_DONE);
	f.now += 5;
	own_settle(&f);
	own_said(&f);
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_SIGN), 1);
	used(STORE_DECRYPT, now);
	ck_assert_str_eq(now, opens);
}
END_TEST

/* All partners that were handed a statement hold the announcement: the switch comes nearer. One does not: it stays.
 */
static void taken(const char *partner, bool verified)
{
	struct judge_xsmg_note n = {.seen = JUDGE_XSMG_TAKEN, .verified = verified, .ours = OURS};
	struct store_statement *st;

	ck_assert_int_eq(store_statement_get(f.j.s, partner, &st, &pr), 0);
	if (!st) {
		st = store_statement_new(partner);
		ck_assert_int_eq(store_statement_save(f.j.s, st, "test", NULL, "", &pr), 0);
	}
	store_statements_free(st, 1);
	snprintf(n.partner, sizeof n.partner, "%s", partner);
	snprintf(n.id, sizeof n.id, "%s", f.id);
	judge_xsmg_relay_note(&f.j.w, f.j.s, &n, f.now);
}

START_TEST(earlier)
{
	struct store_rollover o;
	int64_t at;

	own_said(&f);
	ck_assert_int_eq(store_statement_held_put(f.j.s, "lab.example", OURS, f.id, f.now, &pr), 0);
	ck_assert_int_eq(store_statement_held_put(f.j.s, "clinic.example", OURS, f.id, f.now, &pr), 0);
	start(STORE_ROLLOVER_MAIL, false);
	f.now += 5;
	own_settle(&f);
	ck_assert_int_eq(store_rollover_get(f.j.s, OURS, STORE_ROLLOVER_MAIL, &o, &pr), 0);
	at = o.switch_at;
	own_said(&f);
	ck_assert_int_eq(store_statement_held_put(f.j.s, "lab.example", OURS, f.id, f.now, &pr), 0);
	own_settle(&f);
	ck_assert_int_eq(store_rollover_get(f.j.s, OURS, STORE_ROLLOVER_MAIL, &o, &pr), 0);
	ck_assert(o.switch_at == at && !o.early);
	/* "received" of a host that proved nothing is no knowledge */
	taken("clinic.example", false);
	own_settle(&f);
	ck_assert_int_eq(store_rollover_get(f.j.s, OURS, STORE_ROLLOVER_MAIL, &o, &pr), 0);
	ck_assert(o.switch_at == at && !o.early);
	taken("clinic.example", true);
	own_settle(&f);
	ck_assert_int_eq(store_rollover_get(f.j.s, OURS, STORE_ROLLOVER_MAIL, &o, &pr), 0);
	ck_assert(o.early && o.switch_at <= f.now + 2 * DAY && o.switch_at >= f.now + 2 * DAY - 20);
	/* a statement key's partners must have known it for a week: theirs does not come nearer */
	start(STORE_ROLLOVER_STATEMENT, false);
	f.now += 5;
	own_settle(&f);
	own_said(&f);
	ck_assert_int_eq(store_statement_held_put(f.j.s, "lab.example", OURS, f.id, f.now, &pr), 0);
	ck_assert_int_eq(store_statement_held_put(f.j.s, "clinic.example", OURS, f.id, f.now, &pr), 0);
	own_settle(&f);
	ck_assert_int_eq(store_rollover_get(f.j.s, OURS, STORE_ROLLOVER_STATEMENT, &o, &pr), 0);
	ck_assert(o.step == STORE_ROLLOVER_ANNOUNCED && !o.early && o.switch_at > f.now + 13 * DAY);
}
END_TEST

START_TEST(statement_key)
{
	uint8_t old[32], next[32];

	own_said(&f);
	memcpy(old, f.st.signer, 32);
	ck_assert_int_eq(store_statement_held_put(f.j.s, "lab.example", OURS, f.id, f.now, &pr), 0);
	start(STORE_ROLLOVER_STATEMENT, false);
	f.now += 5;
	own_settle(&f);
	own_said(&f);
	ck_assert_uint_eq(f.sd.nsigners, 1); /* announced, and not used */
	ck_assert_mem_eq(f.st.signer, old, 32);
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_STATEMENT), 2);
	f.now += 14 * DAY;
	own_settle(&f);
	f.now += 5;
	own_settle(&f);
	own_said(&f);
	ck_assert_uint_eq(f.sd.nsigners, 2);
	ck_assert_mem_ne(f.st.signer, old, 32);
	memcpy(next, f.st.signer, 32);
	ck_assert(
	    memcmp(f.sd.signers[0].cert_sha256, old, 32) == 0 || memcmp(f.sd.signers[1].cert_sha256, old, 32) == 0);
	restart();
	f.now += 14 * DAY;
	own_settle(&f);
	f.now += 5;
	own_settle(&f);
	own_said(&f);
	ck_assert_uint_eq(f.sd.nsigners, 1);
	ck_assert_mem_eq(f.st.signer, next, 32);
	ck_assert_int_eq(own_count(&f, STATEMENT_FOR_STATEMENT), 1);
	ck_assert_int_eq(step(STORE_ROLLOVER_STATEMENT), STORE_ROLLOVER_DONE);
}
END_TEST

/* Requests: the new keys do nothing before each has its certificate; one at a time; it can be given up. */
START_TEST(requests)
{
	struct judge_xsmg_rollover r;
	struct store_identity *list;
	char before[64], now[64];
	size_t n, waiting = 0;

	used(STORE_SIGN, before);
	start(STORE_ROLLOVER_MAIL, true);
	own_settle(&f);
	ck_assert_int_eq(step(STORE_ROLLOVER_MAIL), STORE_ROLLOVER_WAITS);
	own_said(&f);
	ck_assert_uint_eq(f.st.ncerts, 3);
	r = judge_xsmg_own_rollover(f.own, "test", f.now);
	ck_assert_int_eq(judge_xsmg_rollover_start(&r, OURS, STORE_ROLLOVER_MAIL, false, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "being changed already"));
	ck_assert_int_eq(store_identities(f.j.s, OURS, &list, &n, &pr), 0);
	for (size_t i = 0; i < n; i++) {
		struct keys_cert_request rq = {
		    .kind = KEYS_CERT_SELF, .common_name = OURS, .dns_name = OURS, .days = 500};
		struct buf der;

		if (list[i].cert)
			continue;
		buf_init(&der, 65536);
		ck_assert_int_eq(keys_certify(f.keys, list[i].key_id, &rq, &der, &pr), 0);
		ck_assert_int_eq(store_identity_cert(f.j.s, list[i].key_id, der.p, der.len, NULL, 0, "test", &pr), 0);
		buf_clear(&der);
		own_settle(&f);
		ck_assert_int_eq(
		    step(STORE_ROLLOVER_MAIL), ++waiting == 2 ? STORE_ROLLOVER_ANNOUNCED : STORE_ROLLOVER_WAITS);
	}
	ck_assert_uint_eq(waiting, 2);
	store_identities_free(list, n);
	r = judge_xsmg_own_rollover(f.own, "test", f.now);
	ck_assert_int_eq(judge_xsmg_rollover_cancel(&r, OURS, STORE_ROLLOVER_MAIL, &pr), 0);
	ck_assert_int_eq(judge_xsmg_rollover_cancel(&r, OURS, STORE_ROLLOVER_MAIL, &pr), -1);
	f.now += 20 * DAY;
	own_settle(&f);
	used(STORE_SIGN, now);
	ck_assert_str_eq(now, before);
	own_said(&f);
	ck_assert_uint_eq(f.st.ncerts, 3);
}
END_TEST

/* By itself before it runs out, once; in time for what is to be announced; and never when switched off. */
START_TEST(by_itself)
{
	f.set.before = 0;
	f.now += 950 * DAY;
	own_settle(&f);
	ck_assert_int_eq(step(STORE_ROLLOVER_MAIL), STORE_ROLLOVER_NONE);
	f.set.before = 60 * DAY * 1000LL;
	f.now -= 20 * DAY;
	own_settle(&f);
	ck_assert_int_eq(step(STORE_ROLLOVER_MAIL), STORE_ROLLOVER_NONE);
	ck_assert_int_eq(step(STORE_ROLLOVER_STATEMENT), STORE_ROLLOVER_NONE);
	f.now += 15 * DAY;
	own_settle(&f);
	ck_assert_int_eq(step(STORE_ROLLOVER_MAIL), STORE_ROLLOVER_ANNOUNCED);
	/* nobody was handed a statement: its key can change at once */
	ck_assert_int_ge(step(STORE_ROLLOVER_STATEMENT), STORE_ROLLOVER_ANNOUNCED);
}
END_TEST

/* A statement key of which somebody may know changes with notice, one of which nobody can know at once. */
START_TEST(notice)
{
	struct store_rollover o;

	if (_i == 1)
		judge_fixture_partner(&f.j, "lab.example", "seal", "prefer");
	start(STORE_ROLLOVER_STATEMENT, false);
	f.now += 5;
	own_settle(&f);
	ck_assert_int_eq(store_rollover_get(f.j.s, OURS, STORE_ROLLOVER_STATEMENT, &o, &pr), 0);
	ck_assert_int_eq(o.step, _i == 1 ? STORE_ROLLOVER_ANNOUNCED : STORE_ROLLOVER_OVERLAP);
	ck_assert(_i == 0 || o.switch_at > f.now + 13 * DAY);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg_rollover");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, mail);
	tcase_add_test(t, earlier);
	tcase_add_test(t, statement_key);
	tcase_add_test(t, requests);
	tcase_add_test(t, by_itself);
	tcase_add_loop_test(t, notice, 0, 2);
	suite_add_tcase(s, t);
	return fixture_run(s, 0);
}
