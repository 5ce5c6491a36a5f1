/* The admin's decisions about a partner's statement, and what mail gets after them. */
#include "gateway/proc/judge_admin_statement.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/trust_change.h"
#include "gateway/base/encode.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_xsmg.h"
#include "gateway/proc/judge_xsmg_use.h"
#include "gateway/proc/judge_resolve.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/source_fixture.h"
#include "tests/unit/statement_fixture.h"
#include "tests/unit/suite.h"

#define URL "https://smg.lab.example/.well-known/smg/lab.example"
#define ELSEWHERE "https://smg.lab.example/else"

static struct testcert key, other, mail;
static struct judge_fixture j;
static struct judge_admin ja;
static struct source_fixture net;
static struct problem pr;
static char code[40];

static int64_t fixed_now(void)
{
	return FX_NOW + 120;
}

static void setup(void)
{
	judge_fixture_start(&j);
	source_fixture_start(&net);
	ja = (struct judge_admin){.store = j.s, .world = &j.w, .directory = j.dir, .now = fixed_now};
	key = fx_gateway("gateway");
	other = fx_gateway("gateway");
	mail = fx_gateway("gateway");
}

static void teardown(void)
{
	testcert_free(&key);
	testcert_free(&other);
	testcert_free(&mail);
	judge_fixture_end(&j);
}

static enum xsmg_action come(const struct testcert *by, int serial, bool encrypted, const char *where)
{
	struct statement st = fx_statement(by);
	struct fx_signed sig = {.by = {by, NULL}};
	struct judge_xsmg_result r;
	struct judge_xsmg_octets o = {.domain = "lab.example", .way = JUDGE_XSMG_BY_URL, .where = where};
	struct buf json, der;

	st.serial = FX_NOW * 1000 + serial;
	st.issued = FX_NOW;
	st.expires = FX_NOW + 7 * FX_DAY;
	st.demand_encrypted = encrypted;
	st.certs[st.ncerts++] = fx_cert(STATEMENT_FOR_BOTH, &mail);
	json = fx_json(&st);
	der = fx_signed(json.p, json.len, &sig);
	o.der = der.p;
	o.n = der.len;
	ck_assert_msg(judge_xsmg_take(&j.w, j.s, source_fixture_run(&net, FX_NOW), &o, FX_NOW + 60, &r, &pr) == 0,
	    "%s", pr.text);
	buf_clear(&json);
	buf_clear(&der);
	return r.action;
}

static const struct judge_owner *owner(void)
{
	const struct judge_owner *o;

	judge_cache_begin(j.w.cache, j.s);
	ck_assert(judge_cache_owner(j.w.cache, j.s, "lab.example", &o, &pr) == 0 && o->statement);
	return o;
}

static bool gives(void)
{
	struct find_octets v[FIND_CERTS_MAX], issuers[FIND_ISSUERS_MAX];
	size_t n, k;

	judge_xsmg_use_certs(owner(), FX_NOW, v, &n, issuers, &k);
	return n > 0;
}

static size_t audited(const char *what)
{
	struct store_audit *l;
	size_t n, found = 0;

	ck_assert(store_audit_list(j.s, 0, 1000, &l, &n, &pr) == 0);
	for (size_t i = 0; i < n; i++)
		found += strcmp(l[i].what, what) == 0;
	store_audit_free(l, n);
	return found;
}

static json_t *data; /* of the last answer */

/* Steals args. */
static bool ask(const char *verb, json_t *args)
{
	json_t *rq = json_pack("{s:s, s:o}", "verb", verb, "args", args), *reply;
	int fd;
	char *text = json_dumps(rq, 0), *answer = judge_admin(&ja, NULL, text, "uid 0 (root)", &fd);
	const char *word;
	bool ok;

	reply = json_loads(answer, 0, NULL);
	ck_assert_msg(reply != NULL, "%s", answer);
	word = json_string_value(json_object_get(json_object_get(reply, "error"), "code"));
	snprintf(code, sizeof code, "%s", word ? word : "");
	ok = json_is_true(json_object_get(reply, "ok"));
	json_decref(data);
	data = json_incref(json_object_get(reply, "data"));
	json_decref(reply);
	json_decref(rq);
	free(answer);
	free(text);
	return ok;
}

static json_t *decision(const char *fingerprint)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "domain", "lab.example", "channel", "phone", "reason", "a test");

	if (fingerprint)
		json_object_set_new(o, "fingerprint", json_string(fingerprint));
	return o;
}

static const char *key_hex(const struct testcert *c)
{
	static char hex[65];
	uint8_t md[32];
	unsigned char *spki = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x), &spki);

	ck_assert(n > 0 && EVP_Digest(spki, (size_t)n, md, NULL, EVP_sha256(), NULL) == 1);
	OPENSSL_free(spki);
	encode_hex(md, 32, hex);
	return hex;
}

static bool pin(const char *hex)
{
	return ask("statement.set", json_pack("{s:s, s:s}", "domain", "lab.example", "pin", hex));
}

START_TEST(pin_that_fits)
{
	ck_assert_int_eq(come(&key, 0, false, URL), XSMG_DO_TRUST);
	ck_assert(pin(key_hex(&key)));
	ck_assert(gives());
	ck_assert(pin(key.sha256));
	ck_assert(gives());
	ck_assert_uint_eq(audited("statement.distrust"), 0);
}
END_TEST

START_TEST(pin_of_another)
{
	char why[400];

	ck_assert_int_eq(come(&key, 0, false, URL), XSMG_DO_TRUST);
	ck_assert(gives());
	ck_assert(pin(key_hex(&other)));
	ck_assert(!gives());
	ck_assert_ptr_null(owner()->statement->trusted.der);
	ck_assert_uint_eq(owner()->ngiven, 0);
	ck_assert_int_eq(judge_xsmg_use_vouches(owner(), mail.sha256, CERT_TO_ENCRYPT, FX_NOW), XSMG_NEVER);
	ck_assert(judge_xsmg_use_waits(owner(), why, sizeof why));
	ck_assert_uint_eq(audited("statement.distrust"), 1);
	ck_assert_int_ne(come(&key, 1, false, URL), XSMG_DO_TRUST);
	ck_assert_int_eq(come(&other, 2, false, URL), XSMG_DO_TRUST);
	ck_assert(gives());
}
END_TEST

START_TEST(approve_marked)
{
	ck_assert_int_eq(come(&key, 0, false, ELSEWHERE), XSMG_DO_PENDING);
	ck_assert(ask("statement.refuse", decision(NULL))); /* its key is known from now on */
	ck_assert(ask("statement.compromised", decision(key_hex(&key))));
	ck_assert(!ask("statement.approve", decision(NULL)));
	ck_assert_str_eq(code, "not-found");
}
END_TEST

/* What waits when its key is marked does not any more. */
START_TEST(marked_while_it_waits)
{
	ck_assert_int_eq(come(&key, 0, false, ELSEWHERE), XSMG_DO_PENDING);
	ck_assert(ask("statement.refuse", decision(NULL)));
	ck_assert_int_eq(come(&other, 1, false, URL), XSMG_DO_TRUST);
	struct store_statement *st;

	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0);
	store_statement_body_copy(&st->waiting, &st->trusted);
	memcpy(st->waiting.key, key_hex(&key), sizeof st->waiting.key);
	ck_assert(store_statement_save(j.s, st, "test", NULL, "", &pr) == 0);
	ck_assert(ask("statement.compromised", decision(key_hex(&key))));
	ck_assert_ptr_null(owner()->statement->waiting.der);
	ck_assert(gives());
	store_statements_free(st, 1);
	/* and one that is there all the same is refused */
	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0);
	store_statement_body_copy(&st->waiting, &st->trusted);
	memcpy(st->waiting.key, key_hex(&key), sizeof st->waiting.key);
	ck_assert(store_statement_save(j.s, st, "test", NULL, "", &pr) == 0);
	ck_assert(!ask("statement.approve", decision(NULL)));
	ck_assert_str_eq(code, "refused");
	store_statements_free(st, 1);
}
END_TEST

static size_t listed(const char *verb, const char *rows, const char *next)
{
	size_t n;

	ck_assert(ask(verb, json_object()));
	n = json_array_size(json_object_get(data, rows));
	if (n > 0)
		ck_assert_ptr_nonnull(
		    strstr(json_string_value(json_object_get(json_array_get(json_object_get(data, rows), 0), "next")),
			next));
	return n;
}

/* What mail waits for is listed until the admin, or a statement, ends it. */
START_TEST(listed_and_released)
{
	ck_assert_uint_eq(listed("statement.pending", "statements", ""), 0);
	ck_assert_int_eq(come(&key, 0, false, ELSEWHERE), XSMG_DO_PENDING);
	ck_assert_uint_eq(listed("statement.pending", "statements", "postern approve lab.example"), 1);
	ck_assert(ask("statement.approve", decision(NULL)));
	ck_assert_uint_eq(listed("statement.pending", "statements", ""), 0);
	ck_assert(!ask("partner.release", json_pack("{s:s}", "domain", "lab.example")));
	ck_assert(gives());
	ck_assert(ask("statement.compromised", decision(NULL)));
	ck_assert_uint_eq(listed("statement.pending", "statements", "postern partner release lab.example"), 1);
	ck_assert(ask("partner.release", json_pack("{s:s}", "domain", "lab.example")));
	ck_assert_uint_eq(audited("statement.release"), 1);
	ck_assert_uint_eq(listed("statement.pending", "statements", ""), 0);
	ck_assert_int_eq(owner()->statement->established, XSMG_NEVER);
	/* a marked key stays marked, an old serial old; another key is met as the first */
	ck_assert_int_eq(come(&key, 1, false, URL), XSMG_DO_REFUSE);
	ck_assert_int_eq(come(&other, 2, false, URL), XSMG_DO_TRUST);
}
END_TEST

static json_t *of_shown(const char *key_shown)
{
	json_t *o = decision(NULL);

	(void)json_object_set_new(o, "seen", json_string(key_shown));
	return o;
}

/* While the admin telephones about one, another one comes: nobody decides about what was not shown. */
START_TEST(another_than_shown)
{
	static const char *const verbs[] = {"statement.approve", "statement.refuse", "statement.compromised"};
	char few[16];

	ck_assert_int_eq(come(&key, 0, false, ELSEWHERE), XSMG_DO_PENDING);
	ck_assert_int_eq(come(&other, 1, false, ELSEWHERE), XSMG_DO_PENDING);
	ck_assert(!ask("statement.approve", of_shown(key_hex(&key))));
	ck_assert_str_eq(code, "changed");
	ck_assert(!gives());
	ck_assert(!ask("statement.refuse", of_shown(key_hex(&key))));
	ck_assert_str_eq(code, "changed");
	ck_assert(!ask("statement.approve", of_shown("")));
	ck_assert_str_eq(code, "changed");
	/* so few digits that a stranger's may begin with them are no comparison */
	(void)snprintf(few, sizeof few, "%.15s", key_hex(&other));
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		ck_assert(!ask(verbs[i], decision(few)));
		ck_assert_str_eq(code, "usage");
	}
	ck_assert(ask("statement.approve", of_shown(key_hex(&other))));
	ck_assert(gives());
	ck_assert(!ask("statement.compromised", of_shown(key_hex(&key))));
	ck_assert_str_eq(code, "changed");
	ck_assert(gives());
	ck_assert(ask("statement.compromised", of_shown(key_hex(&other))));
	ck_assert(!gives());
}
END_TEST

START_TEST(approve_revoked)
{
	struct store_revoked r = {.at = FX_NOW, .words = FIXTURE_STR("a test")};

	ck_assert_int_eq(come(&key, 0, false, ELSEWHERE), XSMG_DO_PENDING);
	memcpy(r.sha256, key.sha256, sizeof r.sha256);
	ck_assert(store_revoked_add(j.s, &r, "gateway", "test", &pr) == 0);
	ck_assert(!ask("statement.approve", decision(NULL)));
	ck_assert_str_eq(code, "refused");
	ck_assert(!gives());
}
END_TEST

static int resolve(int64_t now, struct judge_verdict *v)
{
	struct judge_resolve rq = {.sender = "a@hospital.example", .recipient = "b@lab.example"};
	struct arena *arena = arena_new(1 << 20);
	int rc = judge_resolve(j.s, &j.w, NULL, &rq, now, arena, v);

	arena_free(arena);
	return rc;
}

/* What it demanded last stays when it ran out; frozen, nothing goes out at all. */
START_TEST(demands)
{
	enum policy_treatment least;
	struct judge_verdict v;

	judge_fixture_partner(&j, "lab.example", "clear", "prefer");
	ck_assert_int_eq(come(&key, 0, true, URL), XSMG_DO_TRUST);
	ck_assert(judge_xsmg_use_demands(owner(), &least) && least == POLICY_SEAL);
	ck_assert_int_eq(resolve(FX_NOW + 30 * FX_DAY, &v), 0);
	ck_assert(v.treatment == POLICY_SEAL && v.strength == POLICY_REQUIRE && !v.temp);
	ck_assert_int_eq(come(&key, 0, false, ELSEWHERE), XSMG_DO_FREEZE);
	ck_assert(judge_xsmg_use_demands(owner(), &least) && least == POLICY_SEAL);
	ck_assert_int_eq(resolve(FX_NOW + 60, &v), -1);
	ck_assert(v.temp && strstr(v.pr.text, "frozen"));
}
END_TEST

START_TEST(frozen_holds_clear)
{
	struct judge_verdict v;

	judge_fixture_partner(&j, "lab.example", "clear", "never");
	ck_assert_int_eq(come(&key, 0, false, URL), XSMG_DO_TRUST);
	ck_assert_int_eq(resolve(FX_NOW + 60, &v), 0);
	ck_assert_int_eq(v.treatment, POLICY_CLEAR);
	ck_assert_int_eq(come(&key, 0, true, ELSEWHERE), XSMG_DO_FREEZE);
	ck_assert_int_eq(resolve(FX_NOW + 60, &v), -1);
	ck_assert(v.temp);
}
END_TEST

START_TEST(reasons)
{
	const enum xsmg_level up[] = {
	    XSMG_NEVER, XSMG_FIRST_CONTACT, XSMG_WEBPKI, XSMG_DNSSEC, XSMG_ANCHORED, XSMG_PINNED};

	for (size_t i = 1; i < sizeof up / sizeof *up; i++)
		ck_assert_int_lt(trust_change_rank(judge_xsmg_use_reason(up[i - 1])),
		    trust_change_rank(judge_xsmg_use_reason(up[i])));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_admin_statement");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, pin_that_fits);
	tcase_add_test(tc, pin_of_another);
	tcase_add_test(tc, approve_marked);
	tcase_add_test(tc, marked_while_it_waits);
	tcase_add_test(tc, listed_and_released);
	tcase_add_test(tc, another_than_shown);
	tcase_add_test(tc, approve_revoked);
	tcase_add_test(tc, demands);
	tcase_add_test(tc, reasons);
	tcase_add_test(tc, frozen_holds_clear);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
