/* Revocation by lists and by asking: what is believed of them, what is kept, what happens when nobody answers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/revoke.h"
#include "certstore/revoke_cache.h"
#include "certstore/revoke_crl.h"
#include "certstore/revoke_ocsp.h"
#include "gateway/base/log.h"
#include "tests/unit/suite.h"
#include "tests/unit/testcert.h"
#include "tests/unit/testrevoke.h"

#define ROOT_CRL "http://root.example/crl"
#define CA_CRL "http://ca.example/crl"
#define OCSP "http://ocsp.example/"

static struct testcert root, ca, other, leaf, plain, asks;
static struct testrevoke_net net;
static struct revoke_cache *cache;
static struct revoke_answer a;
static char remembered[65], remembered_words[300];

static struct testcert issue(const struct testcert *by, struct testcert_spec s)
{
	s.issuer = by->x;
	s.issuer_key = by->key;
	s.san = "DNS:lab.example";
	return testcert_make(&s);
}

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	root = testcert_ca("root", NULL);
	other = testcert_ca("other", NULL);
	ca = testcert_make(&(struct testcert_spec){.cn = "ca",
	    .ku = "critical,keyCertSign,cRLSign",
	    .eku = "",
	    .constraints = "critical,CA:TRUE",
	    .crl = "URI:" ROOT_CRL,
	    .issuer = root.x,
	    .issuer_key = root.key});
	leaf = issue(&ca, (struct testcert_spec){.cn = "leaf", .crl = "URI:" CA_CRL});
	plain = issue(&ca, (struct testcert_spec){.cn = "plain"});
	asks = issue(&ca, (struct testcert_spec){.cn = "asks", .aia = "OCSP;URI:" OCSP, .crl = "URI:" CA_CRL});
	cache = revoke_cache_new();
	remembered[0] = 0;
}

static void teardown(void)
{
	testcert_free(&root);
	testcert_free(&other);
	testcert_free(&ca);
	testcert_free(&leaf);
	testcert_free(&plain);
	testcert_free(&asks);
	testrevoke_clear(&net);
	revoke_cache_free(cache);
}

static struct testrevoke_place *put_list(const char *url, struct testrevoke_list l)
{
	size_t n;
	uint8_t *der = testrevoke_crl(&l, &n);

	return testrevoke_put(&net, url, der, n);
}

static bool known(void *ctx, const char *sha256, char *words, size_t cap)
{
	(void)ctx;
	if (strcmp(sha256, remembered) != 0)
		return false;
	snprintf(words, cap, "%s", remembered_words);
	return true;
}

static void revoked(void *ctx, X509 *cert, const char *sha256, const char *words)
{
	(void)ctx;
	(void)cert;
	snprintf(remembered, sizeof remembered, "%s", sha256);
	snprintf(remembered_words, sizeof remembered_words, "%s", words);
}

static int64_t remembered_at;

static bool good(void *ctx, const char *sha256, int64_t as_of, char *words, size_t cap)
{
	(void)ctx;
	ck_assert_int_gt(as_of, 0);
	if (strcmp(sha256, remembered) != 0)
		return true;
	if (as_of <= remembered_at) {
		snprintf(words, cap, "%s", remembered_words);
		return false;
	}
	remembered[0] = 0;
	return true;
}

static const struct revoke_memory memory = {NULL, known, revoked, good};

static enum revoke_state check_at(const struct testcert *c, enum revoke_mode mode, int64_t at)
{
	X509 *path[] = {c->x, ca.x, root.x};
	struct source_run run = testrevoke_run(&net, at);
	struct revoke r = {.cache = cache,
	    .run = &run,
	    .mode = mode,
	    .set = {.octets_max = 1 << 20, .keep_s = 3600, .timeout_ms = 1000},
	    .memory = &memory};

	revoke_path(&r, path, 3, NULL, 0, at, &a);
	if (a.state == REVOKE_PENDING)
		ck_assert_uint_gt(run.pending, 0);
	return a.state;
}

static enum revoke_state check(const struct testcert *c, enum revoke_mode mode)
{
	return check_at(c, mode, TESTCERT_NOW);
}

#define IS(e, want, said)                                                                                            \
	do {                                                                                                         \
		ck_assert_msg((e) == (want), "%d: %s", (int)a.state, a.words);                                       \
		ck_assert_msg(strstr(a.words, said) != NULL, "\"%s\" has no \"%s\"", a.words, said);                 \
	} while (0)

START_TEST(lists)
{
	struct testcert gone = issue(&ca, (struct testcert_spec){.cn = "gone", .crl = "URI:" CA_CRL});

	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	put_list(CA_CRL, (struct testrevoke_list){.ca = &ca, .revoked = {&gone}});
	IS(check(&leaf, REVOKE_HARD), REVOKE_GOOD, "");
	ck_assert_str_eq(a.words, "");
	IS(check(&gone, REVOKE_SOFT), REVOKE_REVOKED,
	    "revoked on 2026-11-21 (no reason given), says the list " CA_CRL " of 2026-11-21, next 2026-11-23");
	ck_assert_uint_eq(a.at, 0);
	testcert_free(&gone);
}
END_TEST

/* A certificate that names no place counts, though its issuer's list be at hand only by chance. */
START_TEST(no_place)
{
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	IS(check(&plain, REVOKE_HARD), REVOKE_GOOD, "");
}
END_TEST

START_TEST(reason_and_issuer)
{
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root, .revoked = {&ca}, .reason = 1});
	put_list(CA_CRL, (struct testrevoke_list){.ca = &ca});
	IS(check(&leaf, REVOKE_SOFT), REVOKE_REVOKED, "its issuer CN=ca: revoked on 2026-11-21 (keyCompromise)");
	ck_assert_uint_eq(a.at, 1);
}
END_TEST

/* Lists that say nothing: what is wrong with each is told; hard waits, soft goes on. */
static const struct {
	const char *name;
	struct testrevoke_list l; /* ca filled in: 0 the CA, 1 another of the same name, 2 root */
	int ca;
	const char *words;
} silent[] = {
    {"signed by another key", {.from = 0}, 1, "signature"},
    {"of another CA", {.from = 0}, 2, "does not cover it: it is one of CN=root"},
    {"old", {.from = TESTCERT_NOW - 10 * TESTREVOKE_DAY, .to = TESTCERT_NOW - TESTREVOKE_DAY}, 0, "expired"},
    {"of the future", {.from = TESTCERT_NOW + TESTREVOKE_DAY, .to = TESTCERT_NOW + 2 * TESTREVOKE_DAY}, 0,
	"not yet valid"},
    {"SHA-1", {.digest = "SHA1"}, 0, "MD5, SHA-1"},
    {"for CAs only", {.idp = "critical,onlyCA:TRUE"}, 0, "CRL"},
    {"of another place", {.idp = "critical,fullname:URI:http://elsewhere.example/"}, 0, "CRL"},
    {"of some reasons", {.idp = "critical,onlysomereasons:keyCompromise"}, 0, "list"},
};

START_TEST(lists_that_say_nothing)
{
	struct testcert same = testcert_ca("ca", NULL);
	struct testrevoke_list l = silent[_i].l;

	l.ca = silent[_i].ca == 2 ? &root : &ca;
	l.key = silent[_i].ca == 1 ? &same : l.ca;
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	put_list(CA_CRL, l);
	check(&leaf, REVOKE_HARD);
	ck_assert_msg(a.state == REVOKE_UNKNOWN, "%s: %d %s", silent[_i].name, (int)a.state, a.words);
	ck_assert_msg(strstr(a.words, silent[_i].words) != NULL, "%s: \"%s\" has no \"%s\"", silent[_i].name, a.words,
	    silent[_i].words);
	IS(check(&leaf, REVOKE_SOFT), REVOKE_GOOD, "cannot be told now");
	testcert_free(&same);
}
END_TEST

/* What stands on a list that is out of date is revoked all the same; on a forged one nothing is. */
START_TEST(lists_that_revoke)
{
	struct testcert same = testcert_ca("ca", NULL);
	struct testrevoke_list l = silent[_i].l;
	bool counts = silent[_i].ca == 0 && !l.digest;

	l.ca = silent[_i].ca == 2 ? &root : &ca;
	l.key = silent[_i].ca == 1 ? &same : l.ca;
	l.revoked[0] = &leaf;
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	put_list(CA_CRL, l);
	check(&leaf, REVOKE_SOFT);
	ck_assert_msg(
	    a.state == (counts ? REVOKE_REVOKED : REVOKE_GOOD), "%s: %d %s", silent[_i].name, (int)a.state, a.words);
	ck_assert_msg(!counts || strstr(a.words, "on 2026-"), "%s: %s", silent[_i].name, a.words);
	testcert_free(&same);
}
END_TEST

/* A part of the CA's list, by its place (RFC 5280 5.2.5). */
START_TEST(partitioned)
{
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	put_list(CA_CRL, (struct testrevoke_list){.ca = &ca, .idp = "critical,fullname:URI:" CA_CRL});
	IS(check(&leaf, REVOKE_HARD), REVOKE_GOOD, "");
	revoke_cache_free(cache);
	cache = revoke_cache_new();
	put_list(
	    CA_CRL, (struct testrevoke_list){.ca = &ca, .idp = "critical,fullname:URI:" CA_CRL, .revoked = {&leaf}});
	IS(check(&leaf, REVOKE_HARD), REVOKE_REVOKED, CA_CRL);
}
END_TEST

START_TEST(unreachable)
{
	IS(check(&leaf, REVOKE_HARD), REVOKE_UNKNOWN, "the list " CA_CRL " could not be used: no such host");
	IS(check(&leaf, REVOKE_SOFT), REVOKE_GOOD, "cannot be told now");
	testrevoke_put(&net, CA_CRL, OPENSSL_memdup("garbage", 7), 7);
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	IS(check(&leaf, REVOKE_HARD), REVOKE_UNKNOWN, "not a revocation list");
	net.asked = 0;
	IS(check(&leaf, REVOKE_OFF), REVOKE_GOOD, "");
	ck_assert_uint_eq(net.asked, 0);
}
END_TEST

/* All of a path is asked for in one go; what came is used when the rest came. */
START_TEST(awaited)
{
	struct testrevoke_place *one = put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	struct testrevoke_place *two = put_list(CA_CRL, (struct testrevoke_list){.ca = &ca, .revoked = {&leaf}});

	one->slow = two->slow = true;
	IS(check(&leaf, REVOKE_SOFT), REVOKE_PENDING, "awaited");
	ck_assert(one->asked == 1 && two->asked == 1);
	one->slow = false;
	IS(check(&leaf, REVOKE_SOFT), REVOKE_PENDING, "awaited");
	two->slow = false;
	IS(check(&leaf, REVOKE_SOFT), REVOKE_REVOKED, CA_CRL);
}
END_TEST

/* Read once and kept until its end, or the setting's time; a kept one in its time is better than none. */
START_TEST(kept)
{
	struct testrevoke_place *p = put_list(CA_CRL, (struct testrevoke_list){.ca = &ca});

	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	for (int i = 0; i < 5; i++)
		IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + i * 700), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->asked, 1);
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 3600), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->asked, 2);
	p->status = SOURCE_TEMP;
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 7300), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->asked, 3);
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root, .to = TESTCERT_NOW + 9 * TESTREVOKE_DAY});
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 2 * TESTREVOKE_DAY), REVOKE_UNKNOWN, "test");
}
END_TEST

/* Known to be revoked, it stays so while nobody can be asked, and until a current list says otherwise. */
/* A server may let one keep a list for a day: a list that has come to its end is fetched all the same, and earlier
 * when the server says so. One that is no use is not fetched for each message. */
START_TEST(whose_end_is_first)
{
	struct testrevoke_place *p = put_list(CA_CRL, (struct testrevoke_list){.ca = &ca, .to = TESTCERT_NOW + 600});

	p->kept = true;
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW), REVOKE_GOOD, "");
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 599), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->fetched, 1);
	for (int i = 0; i < 20; i++) /* the next one is late */
		IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 601 + i), REVOKE_UNKNOWN, "expired");
	ck_assert_uint_eq(p->fetched, 2);
	put_list(CA_CRL, (struct testrevoke_list){.ca = &ca});
	p->said = 300;
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 700), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->fetched, 3);
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 990), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->fetched, 3);
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 1010), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->fetched, 4);
}
END_TEST

/* A large list is refused to who may have less; that takes nothing away from who may have it, and the other way
 * round.
 */
START_TEST(smaller_for_strangers)
{
	X509 *path[] = {leaf.x, ca.x, root.x};
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);
	struct revoke r = {.cache = cache, .run = &run, .mode = REVOKE_HARD, .set = {50, 50, 3600, 1000, 0}};

	put_list(CA_CRL, (struct testrevoke_list){.ca = &ca});
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	revoke_path(&r, path, 3, NULL, 0, TESTCERT_NOW, &a);
	IS(a.state, REVOKE_UNKNOWN, "larger than 50 octets");
	IS(check(&leaf, REVOKE_HARD), REVOKE_GOOD, "");
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 3599), REVOKE_GOOD, "");
	run = testrevoke_run(&net, TESTCERT_NOW + 3600);
	revoke_path(&r, path, 3, NULL, 0, TESTCERT_NOW + 3600, &a);
	run = testrevoke_run(&net, TESTCERT_NOW + 3601);
	net.v[0].status = net.v[1].status = SOURCE_TEMP;
	IS(check_at(&leaf, REVOKE_HARD, TESTCERT_NOW + 3601), REVOKE_GOOD, ""); /* the large one is still there */
}
END_TEST

START_TEST(remembered_across)
{
	struct testrevoke_place *p =
	    put_list(CA_CRL, (struct testrevoke_list){.ca = &ca, .revoked = {&leaf}, .reason = 6});

	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	IS(check(&leaf, REVOKE_SOFT), REVOKE_REVOKED, "certificateHold");
	ck_assert_str_eq(remembered, leaf.sha256);
	revoke_cache_free(cache);
	cache = revoke_cache_new();
	p->status = SOURCE_TEMP;
	IS(check(&leaf, REVOKE_SOFT), REVOKE_REVOKED, "certificateHold");
	IS(check(&leaf, REVOKE_OFF), REVOKE_REVOKED, "certificateHold");
	/* an older list, repeated by whoever stands between, does not bring it back */
	remembered_at = TESTCERT_NOW;
	put_list(CA_CRL, (struct testrevoke_list){.ca = &ca})->status = SOURCE_FOUND;
	IS(check(&leaf, REVOKE_SOFT), REVOKE_REVOKED, "certificateHold");
	ck_assert_str_eq(remembered, leaf.sha256);
	put_list(CA_CRL, (struct testrevoke_list){.ca = &ca, .from = TESTCERT_NOW + 4000, .to = TESTCERT_NOW + 8000});
	IS(check_at(&leaf, REVOKE_SOFT, TESTCERT_NOW + 5000), REVOKE_GOOD, "");
	ck_assert_str_eq(remembered, "");
	remembered_at = 0;
}
END_TEST

/* ---- asking ---- */

static struct testrevoke_answer to_say;

/* Answers with the nonce of the question. */
static void say(struct testrevoke_place *p, const struct source_ask *q)
{
	const unsigned char *at = q->body;
	OCSP_REQUEST *r = d2i_OCSP_REQUEST(NULL, &at, (long)q->nbody);
	struct testrevoke_answer t = to_say;
	int i;

	ck_assert_str_eq(q->type_sent, "application/ocsp-request");
	ck_assert(r != NULL && OCSP_request_onereq_count(r) == 1);
	i = OCSP_REQUEST_get_ext_by_NID(r, NID_id_pkix_OCSP_Nonce, -1);
	ck_assert_int_ge(i, 0);
	if (!t.nonce) {
		t.nonce = ASN1_STRING_get0_data(X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(r, i))) + 2;
		t.nnonce = REVOKE_CACHE_NONCE;
	} else if (t.nnonce == 0) {
		t.nonce = NULL;
	}
	OPENSSL_free(p->der);
	p->der = testrevoke_ocsp(&t, &p->n);
	OCSP_REQUEST_free(r);
}

static struct testrevoke_place *responder(struct testrevoke_answer t)
{
	struct testrevoke_place *p = testrevoke_put(&net, OCSP, NULL, 0);

	to_say = t;
	p->make = say;
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	return p;
}

START_TEST(asked)
{
	struct testrevoke_place *p = responder((struct testrevoke_answer){.of = &asks, .issuer = &ca});

	IS(check(&asks, REVOKE_HARD), REVOKE_GOOD, "");
	IS(check_at(&asks, REVOKE_HARD, TESTCERT_NOW + 3000), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->asked, 1);
	to_say.status = V_OCSP_CERTSTATUS_REVOKED;
	to_say.reason = 4;
	to_say.to = TESTCERT_NOW + 9000;
	IS(check_at(&asks, REVOKE_SOFT, TESTCERT_NOW + 3601), REVOKE_REVOKED,
	    "revoked on 2026-11-21 (superseded), says the responder " OCSP);
	ck_assert_uint_eq(p->asked, 2);
	ck_assert_str_eq(remembered, asks.sha256);
}
END_TEST

/* The same question as long as its answer is awaited. */
static uint8_t first[SOURCE_BODY_MAX];
static size_t nfirst;

static void same(struct testrevoke_place *p, const struct source_ask *q)
{
	(void)p;
	if (nfirst == 0) {
		memcpy(first, q->body, q->nbody);
		nfirst = q->nbody;
	}
	ck_assert(nfirst == q->nbody && memcmp(first, q->body, nfirst) == 0);
	p->status = SOURCE_TEMP;
}

START_TEST(one_question)
{
	struct testrevoke_place *p = responder((struct testrevoke_answer){.of = &asks, .issuer = &ca});

	p->make = same;
	nfirst = 0;
	put_list(CA_CRL, (struct testrevoke_list){.ca = &ca});
	for (int i = 0; i < 3; i++)
		IS(check_at(&asks, REVOKE_HARD, TESTCERT_NOW + i), REVOKE_GOOD, ""); /* by the list */
	ck_assert_uint_eq(p->asked, 3);
}
END_TEST

/* The same for what a responder says. */
START_TEST(end_of_an_answer)
{
	struct testrevoke_place *p =
	    responder((struct testrevoke_answer){.of = &plain, .issuer = &ca, .nonce = NULL});

	p->kept = true;
	for (int i = 0; i < 10; i++) /* of another certificate: no use */
		IS(check_at(&asks, REVOKE_HARD, TESTCERT_NOW + i), REVOKE_UNKNOWN, "");
	ck_assert_uint_eq(p->fetched, 1);
	responder((struct testrevoke_answer){.of = &asks, .issuer = &ca, .to = TESTCERT_NOW + 7200});
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	IS(check_at(&asks, REVOKE_HARD, TESTCERT_NOW + 70), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->fetched, 2);
	IS(check_at(&asks, REVOKE_HARD, TESTCERT_NOW + 3000), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->fetched, 2);
	IS(check_at(&asks, REVOKE_HARD, TESTCERT_NOW + 3700), REVOKE_GOOD, ""); /* by the setting */
	ck_assert_uint_eq(p->fetched, 3);
}
END_TEST

/* One whose answers end in a few seconds, or ended a moment ago, is not asked for each mail; behind the end, and the
 * five minutes that clocks may differ, its word counts no more. */
START_TEST(answers_that_end_at_once)
{
	int64_t ends = TESTCERT_NOW + (_i == 0 ? 2 : -250), last = ends + 300;
	struct testrevoke_place *p = responder((struct testrevoke_answer){.of = &asks, .issuer = &ca, .to = ends});

	IS(check(&asks, REVOKE_HARD), REVOKE_GOOD, "");
	for (int64_t at = TESTCERT_NOW; at < TESTCERT_NOW + 50 && at < last; at++)
		IS(check_at(&asks, REVOKE_HARD, at), REVOKE_GOOD, "");
	ck_assert_uint_eq(p->asked, 1);
	put_list(ROOT_CRL, (struct testrevoke_list){.ca = &root});
	IS(check_at(&asks, REVOKE_HARD, last + 1), REVOKE_UNKNOWN, "cannot be told now");
	ck_assert_uint_eq(p->asked, 2);
	IS(check_at(&asks, REVOKE_HARD, TESTCERT_NOW + 1200), REVOKE_UNKNOWN, "cannot be told now");
}
END_TEST

static const uint8_t other_nonce[REVOKE_CACHE_NONCE] = {1, 2, 3};
enum who { ISSUER, DELEGATED, NOT_A_RESPONDER, OF_ANOTHER_CA, STRANGER };

static const struct {
	const char *name;
	enum who signer;
	struct testrevoke_answer t;
	enum revoke_state state; /* hard, and no list to fall back to */
	const char *words;
} answers[] = {
    {"good", ISSUER, {.status = V_OCSP_CERTSTATUS_GOOD}, REVOKE_GOOD, ""},
    {"no nonce", ISSUER, {.nonce = other_nonce}, REVOKE_GOOD, ""},
    {"another nonce", ISSUER, {.nonce = other_nonce, .nnonce = sizeof other_nonce}, REVOKE_UNKNOWN, "nonce"},
    {"delegated", DELEGATED, {.status = V_OCSP_CERTSTATUS_GOOD}, REVOKE_GOOD, ""},
    {"delegated, revoked", DELEGATED, {.status = V_OCSP_CERTSTATUS_REVOKED}, REVOKE_REVOKED, OCSP},
    {"signer left out", DELEGATED, {.without_signer = true}, REVOKE_UNKNOWN, "signed neither"},
    {"not made a responder", NOT_A_RESPONDER, {.status = V_OCSP_CERTSTATUS_GOOD}, REVOKE_UNKNOWN, "signed neither"},
    {"responder of another CA", OF_ANOTHER_CA, {.status = V_OCSP_CERTSTATUS_GOOD}, REVOKE_UNKNOWN, "signed neither"},
    {"a stranger", STRANGER, {.status = V_OCSP_CERTSTATUS_REVOKED}, REVOKE_UNKNOWN, "signed neither"},
    {"unknown", ISSUER, {.status = V_OCSP_CERTSTATUS_UNKNOWN}, REVOKE_UNKNOWN, "does not know"},
    {"old", ISSUER, {.from = TESTCERT_NOW - 9000, .to = TESTCERT_NOW - 4000}, REVOKE_UNKNOWN, "out of date"},
    {"future", ISSUER, {.from = TESTCERT_NOW + 9000, .to = TESTCERT_NOW + 19000}, REVOKE_UNKNOWN, "future"},
    {"SHA-1", ISSUER, {.digest = "SHA1"}, REVOKE_UNKNOWN, "MD5, SHA-1"},
};

/* Keys that meet in one place do not take each other's number away. */
START_TEST(places)
{
	struct revoke_cache *c = revoke_cache_new();
	uint8_t key[5][32] = {{0}};
	struct revoke_reply *v[5];

	for (size_t i = 0; i < 5; i++)
		key[i][31] = (uint8_t)(i + 1);
	for (size_t i = 0; i < 4; i++) {
		v[i] = revoke_cache_reply(c, key[i]);
		v[i]->nonce_at = TESTCERT_NOW + (int64_t)i;
	}
	for (size_t i = 0; i < 4; i++)
		ck_assert(revoke_cache_reply(c, key[i]) == v[i] && v[i]->nonce_at == TESTCERT_NOW + (int64_t)i);
	v[4] = revoke_cache_reply(c, key[4]);
	ck_assert(v[4] == v[0] && v[4]->nonce_at == 0); /* the oldest */
	revoke_cache_free(c);
}
END_TEST

START_TEST(what_responders_say)
{
	struct testcert by = issue(&ca,
	    (struct testcert_spec){.cn = "responder", .eku = answers[_i].signer == DELEGATED ? "OCSPSigning" : NULL});
	struct testcert alien = issue(&other, (struct testcert_spec){.cn = "responder", .eku = "OCSPSigning"});
	struct testrevoke_answer t = answers[_i].t;
	enum who who = answers[_i].signer;

	t.of = &asks;
	t.issuer = &ca;
	t.signer = who == DELEGATED || who == NOT_A_RESPONDER ? &by
		   : who == OF_ANOTHER_CA		      ? &alien
		   : who == STRANGER			      ? &other
							      : NULL;
	responder(t);
	check(&asks, REVOKE_HARD);
	ck_assert_msg(a.state == answers[_i].state, "%s: %d %s", answers[_i].name, (int)a.state, a.words);
	testcert_free(&by);
	testcert_free(&alien);
}
END_TEST

/* One that says nothing of use: the list is looked at. */
START_TEST(falls_back)
{
	responder((struct testrevoke_answer){.of = &leaf, .issuer = &ca}); /* speaks of another certificate */
	put_list(CA_CRL, (struct testrevoke_list){.ca = &ca, .revoked = {&asks}});
	IS(check(&asks, REVOKE_SOFT), REVOKE_REVOKED, CA_CRL);
}
END_TEST

START_TEST(answer_octets)
{
	static const uint8_t bad[][3] = {{0x30, 0x03, 0x0a}, {0}, {0x30, 0x80, 0}};
	struct revoke_reply r = {.status = REVOKE_CACHE_NONE};
	size_t n;
	uint8_t *der = testrevoke_ocsp(&(struct testrevoke_answer){.of = &asks, .issuer = &ca}, &n);
	char why[200];

	ck_assert_int_eq(revoke_ocsp_read(der, n, asks.x, ca.x, NULL, TESTCERT_NOW, &r, why, sizeof why), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(revoke_ocsp_read(der, i, asks.x, ca.x, NULL, TESTCERT_NOW, &r, why, sizeof why), -1);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(
		    revoke_ocsp_read(bad[i], 3, asks.x, ca.x, NULL, TESTCERT_NOW, &r, why, sizeof why), -1);
	ck_assert_int_eq(revoke_ocsp_read(der, n, leaf.x, ca.x, NULL, TESTCERT_NOW, &r, why, sizeof why), -1);
	OPENSSL_free(der);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("revoke");
	TCase *t = tcase_create("revoke");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, lists);
	tcase_add_test(t, no_place);
	tcase_add_test(t, reason_and_issuer);
	tcase_add_loop_test(t, lists_that_say_nothing, 0, (int)(sizeof silent / sizeof *silent));
	tcase_add_loop_test(t, lists_that_revoke, 0, (int)(sizeof silent / sizeof *silent));
	tcase_add_test(t, partitioned);
	tcase_add_test(t, unreachable);
	tcase_add_test(t, awaited);
	tcase_add_test(t, kept);
	tcase_add_test(t, whose_end_is_first);
	tcase_add_test(t, end_of_an_answer);
	tcase_add_loop_test(t, answers_that_end_at_once, 0, 2);
	tcase_add_test(t, smaller_for_strangers);
	tcase_add_test(t, remembered_across);
	tcase_add_test(t, asked);
	tcase_add_test(t, one_question);
	tcase_add_test(t, places);
	tcase_add_loop_test(t, what_responders_say, 0, (int)(sizeof answers / sizeof *answers));
	tcase_add_test(t, falls_back);
	tcase_add_test(t, answer_octets);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
