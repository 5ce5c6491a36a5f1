/*
 * Real certificates found in a network of a table: which one mail is encrypted to, by whose word; where one partner's
 * entry sends the search; what explain, lookup and cert.show tell of it.
 */
#include "gateway/proc/judge_certs.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_resolve.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/source_fixture.h"
#include "tests/unit/suite.h"

#define SMIMEA "81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd._smimecert.lab.example SMIMEA"

static struct judge_fixture fx;
static struct source_fixture net;
static struct testcert root, middle, lab, bob, below, past, strange;
static struct judge_verdict v;
static struct arena *arena;
static uint8_t octets[20][3000];
static size_t noctets;

static struct testcert issue(const struct testcert *by, const char *cn, const char *san, int64_t until)
{
	return testcert_make(
	    &(struct testcert_spec){.cn = cn, .san = san, .until = until, .issuer = by->x, .issuer_key = by->key});
}

static void setup(void)
{
	judge_fixture_start(&fx);
	source_fixture_start(&net);
	arena = arena_new(1 << 20);
	noctets = 0;
	root = testcert_ca("root", NULL);
	middle = testcert_ca("middle", &root);
	lab = issue(&root, "lab", "DNS:lab.example", 0);
	bob = issue(&root, "bob", "email:bob@lab.example", 0);
	below = issue(&middle, "below", "DNS:lab.example", 0);
	past = issue(&root, "past", "DNS:lab.example", TESTCERT_NOW - 10);
	strange = testcert_make(&(struct testcert_spec){.cn = "strange", .san = "email:bob@lab.example"});
	judge_fixture_anchor(&fx, "*", STORE_BOTH, &root);
}

static void teardown(void)
{
	struct testcert *all[] = {&root, &middle, &lab, &bob, &below, &past, &strange};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		testcert_free(all[i]);
	arena_free(arena);
	source_fixture_end(&net);
	judge_fixture_end(&fx);
}

static void record(const char *key, const void *head, size_t nhead, const struct testcert *c)
{
	uint8_t *at = octets[noctets++];

	ck_assert(noctets <= 20 && nhead + c->n <= sizeof octets[0]);
	memcpy(at, head, nhead);
	memcpy(at + nhead, c->der, c->n);
	source_fixture_item(&net, key, "", at, nhead + c->n);
}

static void dns_cert(const char *key, const struct testcert *c)
{
	record(key, "\0\1\0\0\0", 5, c);
}

static void resolve(void)
{
	struct judge_resolve rq = {.sender = "alice@hospital.example", .recipient = "bob@lab.example"};

	ck_assert_msg(
	    judge_resolve(fx.s, &fx.w, source_fixture_run(&net, TESTCERT_NOW), &rq, TESTCERT_NOW, arena, &v) == 0,
	    "%s", v.pr.text);
	ck_assert_uint_eq(net.run.pending, 0);
}

static bool uses(const struct testcert *c)
{
	return v.certs == POLICY_CERTS_USABLE && v.nrcpt_certs == 1 && v.rcpt_certs[0].n == c->n &&
	       memcmp(v.rcpt_certs[0].p, c->der, c->n) == 0;
}

START_TEST(unlisted)
{
	resolve();
	ck_assert(v.certs == POLICY_CERTS_NONE);
	ck_assert_str_eq(v.cert_why,
	    "there is no certificate for lab.example (looked in the store, smg, cert, ldap; by-address keeps the "
	    "address itself from being asked for)");
	dns_cert("lab.example CERT", &past);
	resolve();
	ck_assert(v.certs == POLICY_CERTS_UNUSABLE); /* it ran out, and was believed until then: not just anybody's */
	dns_cert("lab.example CERT", &lab);
	dns_cert("bob.lab.example CERT", &bob); /* not asked for: the partner is not listed */
	resolve();
	ck_assert(uses(&lab) && !v.personal);
}
END_TEST

/* The first use of a certificate is written down, and touches nothing that is kept; the next ones write nothing. */
START_TEST(written_once)
{
	const struct store_anchor *before, *after;
	struct problem pr = {0};
	uint64_t version;
	size_t n;

	dns_cert("lab.example CERT", &lab);
	judge_cache_begin(fx.w.cache, fx.s);
	ck_assert_int_eq(judge_cache_anchors(fx.w.cache, fx.s, &before, &n, &pr), 0);
	version = store_version(fx.s);
	resolve();
	ck_assert(uses(&lab) && store_version(fx.s) != version);
	judge_cache_begin(fx.w.cache, fx.s);
	ck_assert_int_eq(judge_cache_anchors(fx.w.cache, fx.s, &after, &n, &pr), 0);
	ck_assert(after == before);
	version = store_version(fx.s);
	resolve();
	ck_assert(uses(&lab) && store_version(fx.s) == version);
}
END_TEST

static void anchor_for(const char *local, const char *scope, const struct testcert *c)
{
	struct store_anchor a = {.scope = FIXTURE_STR(scope),
	    .local = FIXTURE_STR(local),
	    .der = c->der,
	    .der_len = c->n,
	    .dir = STORE_OUT};
	struct problem pr = {0};

	memcpy(a.sha256, c->sha256, sizeof a.sha256);
	ck_assert_int_eq(store_anchor_add(fx.s, &a, "test", &pr), 0);
}

/* Anchors for one of our domains alone: each of them has its own certificate of the partner, and both stay in use. */
START_TEST(each_domain_of_ours)
{
	struct testcert ca[2] = {testcert_ca("one", NULL), testcert_ca("two", NULL)}, leaf[2];
	struct judge_resolve rq = {.recipient = "bob@two.example"};
	uint64_t version = 0;

	judge_fixture_partner(&fx, "two.example", "seal", "require");
	anchor_for("hospital.example", "*", &ca[0]);
	anchor_for("second.example", "two.example", &ca[1]);
	for (int i = 0; i < 2; i++) {
		leaf[i] = issue(&ca[i], "leaf", "DNS:two.example", 0);
		dns_cert("two.example CERT", &leaf[i]);
	}
	/* with one memory for both, that of the weaker anchor would have to wait */
	for (int i = 0; i < 6; i++) {
		(void)snprintf(rq.sender, sizeof rq.sender, "alice@%s", judge_fixture_domains[i % 2]);
		if (i == 2)
			version = store_version(fx.s);
		ck_assert_int_eq(
		    judge_resolve(fx.s, &fx.w, source_fixture_run(&net, TESTCERT_NOW), &rq, TESTCERT_NOW, arena, &v),
		    0);
		ck_assert_msg(uses(&leaf[i % 2]), "%d: %s", i, v.cert_why);
	}
	ck_assert(store_version(fx.s) == version);
	for (int i = 0; i < 2; i++) {
		testcert_free(&leaf[i]);
		testcert_free(&ca[i]);
	}
}
END_TEST

START_TEST(of_listed)
{
	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	dns_cert("lab.example CERT", &lab);
	dns_cert("bob.lab.example CERT", &bob);
	resolve();
	ck_assert(uses(&bob) && v.personal);
	/* found in the network under the address, and the domain's: not one person's */
	source_fixture_at(&net, "bob.lab.example CERT")->items[0].p = octets[0];
	source_fixture_at(&net, "bob.lab.example CERT")->items[0].n = lab.n + 5;
	resolve();
	ck_assert(uses(&lab) && !v.personal);
}
END_TEST

/* What stands beside it may issue it. */
START_TEST(issuer_beside)
{
	dns_cert("lab.example CERT", &below);
	resolve();
	ck_assert(v.certs != POLICY_CERTS_USABLE);
	dns_cert("lab.example CERT", &middle);
	resolve();
	ck_assert_msg(uses(&below), "%s", v.cert_why);
}
END_TEST

START_TEST(smimea)
{
	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	record(SMIMEA, "\3\0\0", 3, &strange);
	resolve();
	ck_assert(v.certs == POLICY_CERTS_NONE);
	source_fixture_at(&net, SMIMEA)->dnssec = SOURCE_SECURE;
	resolve();
	ck_assert_msg(uses(&strange), "%s", v.cert_why);
}
END_TEST

/* Nobody is asked for mail that is not encrypted. */
START_TEST(only_where_needed)
{
	static const struct {
		const char *treatment, *strength;
		bool asks;
	} t[] = {{"seal", "require", true}, {"seal", "prefer", true}, {"seal", "never", false},
	    {"sign", "require", false}, {"clear", "never", false}};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		net.asked[0] = '\0';
		judge_fixture_partner(&fx, "lab.example", t[i].treatment, t[i].strength);
		resolve();
		ck_assert_msg((net.asked[0] != '\0') == t[i].asks, "row %zu: %s", i, net.asked);
	}
	ck_assert_int_eq(store_seen_protected(fx.s, "lab.example", 5, NULL), 0);
	resolve();
	ck_assert(net.asked[0] != '\0');
}
END_TEST

/* P1 at the judge: who is known is uncertain, who is not is none. */
START_TEST(uncertain)
{
	source_fixture_temp(&net, "lab.example CERT", SOURCE_UNSIGNED);
	resolve();
	ck_assert(v.certs == POLICY_CERTS_NONE);
	ck_assert_int_eq(store_seen_protected(fx.s, "lab.example", 5, NULL), 0);
	resolve();
	ck_assert(v.certs == POLICY_CERTS_UNCERTAIN && strstr(v.cert_why, "dns CERT lab.example: no answer in time"));
}
END_TEST

static void entry(const char *domain, const char *find)
{
	struct store_partner p = {.domain = FIXTURE_STR(domain),
	    .treatment = FIXTURE_STR("seal"),
	    .strength = FIXTURE_STR("require"),
	    .find = FIXTURE_STR(find)};
	struct problem pr = {0};

	ck_assert_msg(store_partner_put(fx.s, &p, "test", &pr) == 0, "%s", pr.text);
}

START_TEST(by_entry)
{
	struct judge_resolve rq = {.sender = "alice@hospital.example", .recipient = "bob@lab.example"};

	source_fixture_item(&net, "state lab.example", "usercertificate;binary", lab.der, lab.n);
	dns_cert("bob.lab.example CERT", &bob);
	entry("lab.example", "tiers=store,ldap directory=state");
	resolve();
	ck_assert(uses(&lab));
	entry("bob@lab.example", "tiers=cert");
	resolve();
	ck_assert(uses(&bob));
	entry("bob@lab.example", "tiers=moon");
	ck_assert_int_eq(
	    judge_resolve(fx.s, &fx.w, source_fixture_run(&net, TESTCERT_NOW), &rq, TESTCERT_NOW, arena, &v), -1);
	ck_assert(v.temp && strstr(v.pr.text, "the store is damaged"));
}
END_TEST

/* ---- the admin ---- */

static json_t *ask(const char *request)
{
	struct judge_admin ja = {.store = fx.s, .world = &fx.w, .directory = fx.dir};
	int fd;
	char *answer = judge_admin(&ja, source_fixture_run(&net, TESTCERT_NOW), request, "root", &fd);
	json_t *reply = json_loads(answer, 0, NULL), *data = json_incref(json_object_get(reply, "data"));

	ck_assert_msg(json_is_object(data), "%s", answer);
	json_decref(reply);
	free(answer);
	return data;
}

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static const json_t *step_of(const json_t *data, const char *place)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(data, "steps"), i, s) if (strcmp(text(s, "place"), place) == 0) return s;
	return NULL;
}

START_TEST(explained)
{
	json_t *d;
	const json_t *s;

	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	dns_cert("bob.lab.example CERT", &bob);
	d = ask("{\"verb\": \"explain\", \"args\": {\"recipient\": \"bob@lab.example\"}}");
	ck_assert_str_eq(text(d, "sender"), "postmaster@hospital.example");
	s = step_of(d, "dns SMIMEA");
	ck_assert(s && strstr(text(s, "query"), "._smimecert.lab.example") && text(s, "answer")[0]);
	s = step_of(d, "decision");
	ck_assert(s && strncmp(text(s, "answer"), "used: certificate CN=bob", 24) == 0);
	ck_assert_str_eq(text(s, "sha256"), bob.sha256);
	ck_assert_str_eq(text(json_array_get(json_object_get(d, "certificates"), 0), "place"), "dns CERT");
	json_decref(d);
}
END_TEST

/* One place alone, whatever the settings say. */
START_TEST(looked_up)
{
	json_t *d;
	const json_t *c;

	source_fixture_temp(&net, "lab.example CERT", SOURCE_UNSIGNED);
	d = ask("{\"verb\": \"lookup\", \"args\": {\"address\": \"bob@lab.example\", \"source\": \"dns\"}}");
	ck_assert_str_eq(text(d, "state"), "uncertain");
	ck_assert(
	    strstr(net.asked, "bob.lab.example CERT") && !strstr(net.asked, "SRV") && !strstr(net.asked, "SMIMEA"));
	json_decref(d);
	dns_cert("bob.lab.example CERT", &strange);
	dns_cert("bob.lab.example CERT", &bob);
	d = ask("{\"verb\": \"cert.show\", \"args\": {\"owner\": \"bob@lab.example\"}}");
	ck_assert_str_eq(text(d, "state"), "usable");
	ck_assert_uint_eq(json_array_size(json_object_get(d, "certificates")), 2);
	c = json_array_get(json_object_get(d, "certificates"), 1);
	ck_assert(json_is_true(json_object_get(c, "chosen")));
	ck_assert(strstr(text(c, "pem"), "BEGIN CERTIFICATE") && strstr(text(c, "subject"), "bob"));
	json_decref(d);
}
END_TEST

static void refused(const char *request, const char *words)
{
	struct judge_admin ja = {.store = fx.s, .world = &fx.w, .directory = fx.dir};
	int fd;
	char *answer = judge_admin(&ja, source_fixture_run(&net, TESTCERT_NOW), request, "root", &fd);

	ck_assert_msg(strstr(answer, "\"ok\":false") && strstr(answer, words), "%s", answer);
	free(answer);
}

START_TEST(refusals)
{
	static const char *const titles[] = {"state"};
	json_t *d;

	refused("{\"verb\": \"lookup\", \"args\": {\"address\": \"bob@lab.example\", \"source\": \"moon\"}}",
	    "there is no source");
	refused("{\"verb\": \"lookup\", \"args\": {\"address\": \"bob@hospital.example\", \"source\": \"dns\"}}",
	    "is a domain of ours");
	refused("{\"verb\": \"partner.add\", \"args\": {\"domain\": \"lab.example\", \"find\": \"directory=state\"}}",
	    "there is no section certificate-directory");
	refused("{\"verb\": \"partner.add\", \"args\": {\"domain\": \"lab.example\", \"find\": \"order=x\"}}",
	    "order cannot be");
	fx.w.directories = titles;
	fx.w.ndirectories = 1;
	d = ask("{\"verb\": \"partner.add\", \"args\": {\"domain\": \"lab.example\", \"find\": \"directory=state  "
		"order=own\"}}");
	ck_assert_str_eq(text(json_object_get(d, "partner"), "find"), "order=own directory=state");
	json_decref(d);
	d = ask("{\"verb\": \"partner.set\", \"args\": {\"domain\": \"lab.example\", \"note\": \"x\"}}");
	ck_assert_str_eq(text(json_object_get(d, "partner"), "find"), "order=own directory=state");
	json_decref(d);
	d = ask("{\"verb\": \"partner.show\", \"args\": {\"domain\": \"lab.example\"}}");
	ck_assert(strstr(text(d, "find"), "directory=state") &&
		  strstr(text(d, "find"), "tiers=store,smimea,smg,cert,ldap"));
	json_decref(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_certs");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, unlisted);
	tcase_add_test(tc, written_once);
	tcase_add_test(tc, each_domain_of_ours);
	tcase_add_test(tc, of_listed);
	tcase_add_test(tc, issuer_beside);
	tcase_add_test(tc, smimea);
	tcase_add_test(tc, only_where_needed);
	tcase_add_test(tc, uncertain);
	tcase_add_test(tc, by_entry);
	tcase_add_test(tc, explained);
	tcase_add_test(tc, looked_up);
	tcase_add_test(tc, refusals);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
