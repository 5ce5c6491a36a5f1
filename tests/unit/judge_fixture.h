/* A store in a directory of its own and a judge's world around it. Header only; for the tests of judge_*.c. */
#ifndef POSTERN_TESTS_UNIT_JUDGE_FIXTURE_H
#define POSTERN_TESTS_UNIT_JUDGE_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/store.h"
#include "gateway/base/log.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_world.h"
#include "tests/unit/testcert.h"
#include "tests/unit/testdir.h"

struct judge_fixture {
	char dir[64];
	struct store *s;
	struct judge_world w;
};

static const char *const judge_fixture_domains[] = {"hospital.example", "second.example"};
static const struct policy_in_rules judge_fixture_in[] = {
    {POLICY_DELIVER, POLICY_MARK, POLICY_MARK, POLICY_HOLD, POLICY_CHOICE_MARK, POLICY_CHOICE_REFUSE,
	POLICY_CHOICE_MARK},
    {POLICY_HOLD, POLICY_HOLD, POLICY_HOLD, POLICY_HOLD, POLICY_CHOICE_HOLD, POLICY_CHOICE_HOLD, POLICY_CHOICE_MARK}};

#define FIXTURE_STR(s) ((char *)(uintptr_t)(s))

static inline void judge_fixture_start(struct judge_fixture *f)
{
	struct problem pr = {0};

	log_init("test", LOG_LEVEL_ERROR);
	testdir_make(f->dir);
	f->s = store_open(f->dir, &pr);
	ck_assert_msg(f->s != NULL, "%s", pr.text);
	f->w = (struct judge_world){.domains = judge_fixture_domains,
	    .ndomains = 2,
	    .in_rules = judge_fixture_in,
	    .treatment = POLICY_SEAL,
	    .strength = POLICY_PREFER,
	    .format = format_default(),
	    .cipher_bits_min = 128,
	    .rsa_bits_min = 2048,
	    .learn = true,
	    .learn_max = 100,
	    .learn_future_max = 300,
	    .find = find_options_default(),
	    .find_limits = {.timeout_ms = 1000, .octets_max = 65536, .weigh_max = 32},
	    .harvest = true,
	    .harvest_max = 100,
	    .cache = judge_cache_new()};
}

static inline void judge_fixture_end(struct judge_fixture *f)
{
	judge_cache_free(f->w.cache);
	store_close(f->s);
	testdir_remove(f->dir);
}

static inline void judge_fixture_partner(
    struct judge_fixture *f, const char *domain, const char *treatment, const char *strength)
{
	struct store_partner p = {
	    .domain = FIXTURE_STR(domain), .treatment = FIXTURE_STR(treatment), .strength = FIXTURE_STR(strength)};
	struct problem pr = {0};

	ck_assert_msg(store_partner_put(f->s, &p, "test", &pr) == 0, "%s", pr.text);
}

static inline void judge_fixture_cert(
    struct judge_fixture *f, const char *owner, const struct testcert *c, bool pinned)
{
	struct store_cert sc = {.owner = FIXTURE_STR(owner),
	    .der = c->der,
	    .der_len = c->n,
	    .source = FIXTURE_STR("test"),
	    .pinned = pinned,
	    .not_after = TESTCERT_UNTIL};
	struct problem pr = {0};

	memcpy(sc.sha256, c->sha256, sizeof sc.sha256);
	ck_assert_msg(store_cert_add(f->s, &sc, "test", &pr) == 0, "%s", pr.text);
}

static inline void judge_fixture_anchor(
    struct judge_fixture *f, const char *scope, enum store_direction dir, const struct testcert *c)
{
	struct store_anchor a = {.scope = FIXTURE_STR(scope), .dir = dir, .der = c->der, .der_len = c->n};
	struct problem pr = {0};

	memcpy(a.sha256, c->sha256, sizeof a.sha256);
	ck_assert_msg(store_anchor_add(f->s, &a, "test", &pr) == 0, "%s", pr.text);
}

static inline void judge_fixture_rule(struct judge_fixture *f, const char *name, const char *sender,
    const char *recipient, const char *treatment, const char *strength)
{
	struct store_rule r = {.name = FIXTURE_STR(name),
	    .sender = FIXTURE_STR(sender),
	    .recipient = FIXTURE_STR(recipient),
	    .treatment = FIXTURE_STR(treatment),
	    .strength = FIXTURE_STR(strength)};
	struct problem pr = {0};

	ck_assert_msg(store_rule_add(f->s, &r, "test", &pr) == 0, "%s", pr.text);
}

/* c NULL: the key waits for its certificate. */
static inline void judge_fixture_identity(struct judge_fixture *f, const char *domain, enum store_use use,
    const char *key_id, const struct testcert *c, bool active)
{
	struct store_identity i = {.domain = FIXTURE_STR(domain),
	    .use = use,
	    .key_id = FIXTURE_STR(key_id),
	    .cert = c ? c->der : NULL,
	    .cert_len = c ? c->n : 0,
	    .chain = c ? (uint8_t *)(uintptr_t) "chain" : NULL,
	    .chain_len = c ? 5 : 0,
	    .active = active};
	struct problem pr = {0};

	ck_assert_msg(store_identity_add(f->s, &i, "test", &pr) == 0, "%s", pr.text);
}

#endif
