/* A judge with a store and a keeper in threads, and settings of statements: for the tests of our own statements. */
#ifndef POSTERN_TESTS_UNIT_XSMG_OWN_FIXTURE_H
#define POSTERN_TESTS_UNIT_XSMG_OWN_FIXTURE_H

#include <time.h>

#include "gateway/proc/judge_own.h"
#include "gateway/proc/judge_xsmg_own.h"
#include "gateway/xsmg/statement_cms.h"
#include "gateway/xsmg/statement_json.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/keeper_fixture.h"

#define OURS "hospital.example"
#define DAY 86400

struct own_fixture {
	struct judge_fixture j;
	struct fixture keeper;
	struct keys_client *keys;
	struct statement_settings set;
	struct judge_xsmg_own *own;
	int64_t now;
	struct arena *a;
	struct statement st; /* as own_said() read it last */
	struct statement_signed sd;
	char id[44];
};

static inline void own_start(struct own_fixture *f)
{
	memset(f, 0, sizeof *f);
	judge_fixture_start(&f->j);
	fixture_start(&f->keeper);
	f->keys = fixture_client(&f->keeper, KEEPER_FOR_JUDGE);
	f->set = (struct statement_settings){.lifetime = 7 * DAY * 1000LL,
	    .remake = DAY * 1000LL,
	    .promise = 30 * DAY * 1000LL,
	    .key_days = 1000,
	    .before = 60 * DAY * 1000LL,
	    .lead = 14 * DAY * 1000LL,
	    .early = 2 * DAY * 1000LL,
	    .overlap = 14 * DAY * 1000LL};
	f->own = judge_xsmg_own_new(&f->j.w, f->j.s, &f->set, &f->keys, 50 << 20);
	f->j.w.own = f->own;
	f->now = time(NULL) + 10;
	f->a = arena_new(STATEMENT_ARENA);
}

static inline void own_end(struct own_fixture *f)
{
	judge_xsmg_own_free(f->own);
	keys_client_free(f->keys);
	fixture_end(&f->keeper);
	judge_fixture_end(&f->j);
	arena_free(f->a);
}

/* A key with a self-signed certificate for mail, as domain.add makes it. */
static inline void own_identity(struct own_fixture *f, enum store_use use, int days)
{
	static int n;
	char id[KEYS_ID_MAX + 1];
	struct keys_cert_request rq = {.kind = KEYS_CERT_SELF, .common_name = OURS, .dns_name = OURS, .days = days};
	struct store_identity i = {
	    .domain = FIXTURE_STR(OURS), .use = use, .key_id = id, .active = true, .added = f->now};
	struct problem pr = {0};
	struct buf der;
	EVP_PKEY *pub;

	snprintf(id, sizeof id, "%s-%d", store_use_word(use), ++n);
	buf_init(&der, 65536);
	ck_assert_msg(keys_generate(f->keys, id, use == STORE_SIGN ? KEYS_USE_SIGN : KEYS_USE_DECRYPT, KEYS_EC_P256,
			  &pub, &pr) == 0,
	    "%s", pr.text);
	ck_assert_msg(keys_certify(f->keys, id, &rq, &der, &pr) == 0, "%s", pr.text);
	i.cert = der.p;
	i.cert_len = der.len;
	i.spki = judge_own_spki(pub, &i.spki_len);
	ck_assert_msg(store_identity_add(f->j.s, &i, "test", &pr) == 0, "%s", pr.text);
	OPENSSL_free(i.spki);
	EVP_PKEY_free(pub);
	buf_clear(&der);
}

/* Everything that is due, as often as it leaves something behind. */
static inline void own_settle(struct own_fixture *f)
{
	struct problem pr = {0};

	for (int i = 0; i < 8; i++) {
		struct judge_xsmg_rollover r = judge_xsmg_own_rollover(f->own, "test", f->now);
		int steps = judge_xsmg_rollover_tick(&r, &pr);

		ck_assert_msg(steps >= 0, "%s", pr.text);
		if (steps + judge_xsmg_own_tick(f->own, f->now) == 0 && !judge_xsmg_own_waits(f->own))
			return;
		f->now++;
	}
	ck_abort_msg("it does not come to rest");
}

/* Reads what is given out now into st and sd; every signer verifies. */
static inline void own_said(struct own_fixture *f)
{
	struct judge_xsmg_statement s;
	struct problem pr = {0};

	ck_assert_int_eq(judge_xsmg_own_current(f->own, OURS, f->now, &s, &pr), 1);
	arena_free(f->a);
	f->a = arena_new(STATEMENT_ARENA);
	ck_assert_msg(statement_cms_read(s.der, s.n, &f->sd, &pr) == 0, "%s", pr.text);
	ck_assert_msg(statement_json_read(f->sd.content.p, f->sd.content.n, f->a, &f->st, &pr) == 0, "%s", pr.text);
	for (size_t i = 0; i < f->sd.nsigners; i++)
		ck_assert_msg(f->sd.signers[i].verified, "%s", f->sd.signers[i].why);
	ck_assert_str_eq(f->sd.id, s.id);
	ck_assert_int_eq(f->st.serial, s.serial);
	memcpy(f->id, s.id, sizeof f->id);
}

static inline int own_count(const struct own_fixture *f, enum statement_use use)
{
	int n = 0;

	for (size_t i = 0; i < f->st.ncerts; i++)
		n += f->st.certs[i].use == use;
	return n;
}

#endif
