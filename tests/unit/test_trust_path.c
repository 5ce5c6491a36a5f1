/* Several ways to an anchor, missing issuers, records of DNS, name constraints, revocation on the way. */
#include <check.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/issuer.h"
#include "certstore/revoke.h"
#include "certstore/revoke_cache.h"
#include "certstore/trust.h"
#include "certstore/trust_dane.h"
#include "certstore/trust_path.h"
#include "gateway/base/log.h"
#include "tests/unit/suite.h"
#include "tests/unit/testcert.h"
#include "tests/unit/testrevoke.h"

static struct testcert root, other, bridge_key, leaf;
static struct address bob = {.local = "bob", .domain = "lab.example"};
static struct testrevoke_net net;
static struct trust_found found;

static struct testcert ca(const char *cn, EVP_PKEY *key, const struct testcert *by, struct testcert_spec s)
{
	s.cn = cn;
	s.key = key;
	s.ku = s.ku ? s.ku : "critical,keyCertSign,cRLSign";
	s.eku = s.eku ? s.eku : "";
	s.constraints = s.constraints ? s.constraints : "critical,CA:TRUE";
	s.issuer = by->x;
	s.issuer_key = by->key;
	return testcert_make(&s);
}

static struct testcert issue(const struct testcert *by, struct testcert_spec s)
{
	s.issuer = by->x;
	s.issuer_key = by->key;
	s.san = s.san ? s.san : "DNS:lab.example";
	return testcert_make(&s);
}

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	root = testcert_ca("root", NULL);
	other = testcert_ca("other", NULL);
	bridge_key = testcert_ca("bridge", NULL);
	leaf = issue(&bridge_key, (struct testcert_spec){.cn = "leaf"});
}

static void teardown(void)
{
	testcert_free(&root);
	testcert_free(&other);
	testcert_free(&bridge_key);
	testcert_free(&leaf);
	testrevoke_clear(&net);
}

static enum trust_result path(const struct testcert *c, const struct testcert *anchor, X509 *const *extra,
    size_t nextra, struct trust_question t)
{
	struct cert_facts f;

	t.who = &bob;
	t.use = CERT_TO_SIGN;
	t.anchors = (struct store_anchor[1]){{.id = 0}};
	t.nanchors = anchor ? 1 : 0;
	t.anchor_certs = (X509 *[1]){anchor ? anchor->x : NULL};
	t.extra = extra;
	t.nextra = nextra;
	t.at = TESTCERT_NOW;
	cert_facts(c->x, &f);
	trust_path(c->x, &f, &t, &found);
	return found.result;
}

#define IS(e, want, said)                                                                                            \
	do {                                                                                                         \
		ck_assert_msg((e) == (want), "%d: %s", (int)found.result, found.how);                                \
		ck_assert_msg(strstr(found.how, said) != NULL, "\"%s\" has no \"%s\"", found.how, said);             \
	} while (0)
#define EXTRA(...) (X509 *const[]){__VA_ARGS__}, sizeof((X509 *const[]){__VA_ARGS__}) / sizeof(X509 *)

/* One key, certified by several: whichever leads to the anchor is taken, in any order, and what does not hold is
 * passed over. */
START_TEST(bridges)
{
	struct testcert by_root = ca("bridge", bridge_key.key, &root, (struct testcert_spec){.rsa = 0});
	struct testcert by_other = ca("bridge", bridge_key.key, &other, (struct testcert_spec){.rsa = 0});
	struct testcert old = ca("bridge", bridge_key.key, &root, (struct testcert_spec){.until = TESTCERT_NOW - 1});
	struct testcert tls = ca("bridge", bridge_key.key, &root, (struct testcert_spec){.eku = "serverAuth"});
	struct testcert no_ca =
	    ca("bridge", bridge_key.key, &root, (struct testcert_spec){.constraints = "critical,CA:FALSE"});
	struct trust_question q = {.pinned = false};

	IS(path(&leaf, &root, EXTRA(by_other.x, by_root.x), q), TRUST_GOOD, "CN=root");
	ck_assert_int_eq(found.anchor, 0);
	IS(path(&leaf, &root, EXTRA(by_root.x, by_other.x), q), TRUST_GOOD, "CN=root");
	IS(path(&leaf, &other, EXTRA(by_root.x, by_other.x), q), TRUST_GOOD, "CN=other");
	IS(path(&leaf, &root, EXTRA(old.x, tls.x, no_ca.x, by_other.x, by_root.x), q), TRUST_GOOD, "CN=root");
	IS(path(&leaf, &root, EXTRA(old.x, by_other.x), q), TRUST_BAD, "expired");
	IS(path(&leaf, &root, EXTRA(tls.x), q), TRUST_BAD, "may not issue certificates for mail");
	IS(path(&leaf, &root, EXTRA(by_other.x), q), TRUST_BAD, "no anchor leads to it");
	testcert_free(&by_root);
	testcert_free(&by_other);
	testcert_free(&old);
	testcert_free(&tls);
	testcert_free(&no_ca);
}
END_TEST

/* A search that a limit cut short does not know: the one way out may lie behind what was looked at. */
START_TEST(limits_are_uncertain)
{
	enum { MANY = 56, LOW = 4 };
	bool looks = _i == 1;
	struct testcert old[MANY], low[LOW],
	    good = ca("bridge", bridge_key.key, &root, (struct testcert_spec){.rsa = 0});
	struct testcert mid = testcert_ca("mid", NULL);
	X509 *extra[MANY + LOW + 1];
	size_t n = 0;
	struct trust_question q = {.pinned = false};

	for (int i = 0; i < LOW; i++) {
		low[i] = ca("bridge", bridge_key.key, &mid, (struct testcert_spec){.until = TESTCERT_NOW + 9000 + i});
		if (looks)
			extra[n++] = low[i].x;
	}
	for (int i = 0; i < MANY; i++) {
		old[i] = looks ? testcert_ca("mid", NULL)
			       : ca("bridge", bridge_key.key, &root,
				     (struct testcert_spec){.until = TESTCERT_NOW - 1 - i});
		extra[n++] = old[i].x;
	}
	extra[n++] = good.x;
	IS(path(&leaf, &root, extra, n, q), TRUST_UNSURE,
	    looks ? "200 candidate issuers were looked at, which is the limit"
		  : "24 whole paths were tried, which is the limit");
	ck_assert_msg(found.spent && found.until_spent == TRUST_BAD, "%s", found.how);
	ck_assert_msg(strstr(found.how, "postern anchor add") != NULL, "%s", found.how);
	q.pinned = true;
	IS(path(&leaf, &root, extra, n, q), TRUST_GOOD, "pinned");
	q.pinned = false;
	/* as many as may be looked at, and nothing behind them: that is known to be bad */
	IS(path(&leaf, &root, extra, looks ? 1 : TRUST_PATH_TRIES, q), TRUST_BAD, looks ? "no anchor" : "expired");
	extra[n - 2] = good.x;
	IS(path(&leaf, &root, extra + n - 2, 1, q), TRUST_GOOD, "CN=root");
	for (int i = 0; i < MANY; i++)
		testcert_free(&old[i]);
	for (int i = 0; i < LOW; i++)
		testcert_free(&low[i]);
	testcert_free(&good);
	testcert_free(&mid);
}
END_TEST

START_TEST(pool_overflows)
{
	enum { MANY = TRUST_PATH_POOL };
	struct testcert junk[MANY], good = ca("bridge", bridge_key.key, &root, (struct testcert_spec){.rsa = 0});
	X509 *extra[MANY + 1];
	struct trust_question q = {.pinned = false};

	for (int i = 0; i < MANY; i++) {
		junk[i] = testcert_ca("junk", NULL);
		extra[i] = junk[i].x;
	}
	extra[MANY] = good.x;
	IS(path(&leaf, &root, extra, MANY, q), TRUST_BAD, "no anchor leads to it");
	IS(path(&leaf, &root, extra, MANY + 1, q), TRUST_UNSURE, "more than 64 possible issuers");
	for (int i = 0; i < MANY; i++)
		testcert_free(&junk[i]);
	testcert_free(&good);
}
END_TEST

/* A key made to cost as much as possible issues nothing. */
START_TEST(costly_keys)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *e = BN_new();
	struct testcert odd, below;
	struct trust_question q = {.pinned = false};
	EVP_PKEY *key = NULL;

	ck_assert(BN_set_word(e, 1) && BN_lshift(e, e, 100) && BN_add_word(e, 1));
	ck_assert_int_eq(EVP_PKEY_keygen_init(c), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(c, 2048), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(c, e), 1);
	ck_assert_int_eq(EVP_PKEY_keygen(c, &key), 1);
	odd = ca("odd", key, &root, (struct testcert_spec){.rsa = 0});
	below = issue(&odd, (struct testcert_spec){.cn = "below"});
	IS(path(&below, &root, &odd.x, 1, q), TRUST_BAD, "no anchor leads to it");
	BN_free(e);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(c);
	testcert_free(&below);
	testcert_free(&odd);
}
END_TEST

/* Two that certified each other, many times: no circle, an end, and the way out is found. */
START_TEST(circles)
{
	enum { N = 12 };
	struct testcert a[N], b[N], second = testcert_ca("second", NULL);
	struct testcert out = ca("second", second.key, &root, (struct testcert_spec){.rsa = 0});
	X509 *extra[2 * N + 1];
	size_t n = 0;
	struct trust_question q = {.pinned = false};

	for (int i = 0; i < N; i++) {
		a[i] = ca("bridge", bridge_key.key, &second, (struct testcert_spec){.rsa = 0});
		b[i] = ca("second", second.key, &bridge_key, (struct testcert_spec){.rsa = 0});
		extra[n++] = a[i].x;
		extra[n++] = b[i].x;
	}
	IS(path(&leaf, &root, extra, n, q), TRUST_BAD, "no anchor leads to it");
	extra[n++] = out.x;
	IS(path(&leaf, &root, extra, n, q), TRUST_GOOD, "CN=root");
	for (int i = 0; i < N; i++) {
		testcert_free(&a[i]);
		testcert_free(&b[i]);
	}
	testcert_free(&second);
	testcert_free(&out);
}
END_TEST

START_TEST(name_constraints)
{
	static const struct {
		const char *names, *san;
		enum trust_result want;
	} cases[] = {
	    {"critical,permitted;DNS:lab.example", "DNS:lab.example", TRUST_GOOD},
	    {"critical,permitted;DNS:clinic.example", "DNS:lab.example", TRUST_BAD},
	    {"critical,permitted;email:lab.example", "email:bob@lab.example", TRUST_GOOD},
	    {"critical,permitted;email:.lab.example", "email:bob@lab.example", TRUST_BAD},
	    {"critical,excluded;email:bob@lab.example", "email:bob@lab.example", TRUST_BAD},
	    {"critical,excluded;DNS:example", "DNS:lab.example", TRUST_BAD},
	};
	struct trust_question q = {.pinned = false};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct testcert bound = ca("bound", NULL, &root, (struct testcert_spec){.names = cases[i].names});
		struct testcert c = issue(&bound, (struct testcert_spec){.san = cases[i].san});
		enum trust_result got = path(&c, &root, EXTRA(bound.x), q);

		ck_assert_msg(got == cases[i].want, "%zu: %d %s", i, (int)got, found.how);
		testcert_free(&bound);
		testcert_free(&c);
	}
}
END_TEST

/* ---- missing issuers ---- */

static uint8_t *bag(X509 *const *v, size_t n, size_t *len_r)
{
	CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_DETACHED);
	uint8_t *der = NULL;
	int len;

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(CMS_add1_cert(c, v[i]), 1);
	len = i2d_CMS_ContentInfo(c, &der);
	ck_assert_int_gt(len, 0);
	*len_r = (size_t)len;
	CMS_ContentInfo_free(c);
	return der;
}

static uint8_t *pem(X509 *x, size_t *len_r)
{
	BIO *b = BIO_new(BIO_s_mem());
	uint8_t *out;
	char *p;
	long n;

	ck_assert_int_eq(PEM_write_bio_X509(b, x), 1);
	n = BIO_get_mem_data(b, &p);
	out = OPENSSL_memdup(p, (size_t)n);
	*len_r = (size_t)n;
	BIO_free(b);
	return out;
}

static enum trust_result fetching(const struct testcert *c, unsigned left, bool *pending_r)
{
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);
	enum trust_result r =
	    path(c, &root, NULL, 0, (struct trust_question){.run = &run, .fetches = left ? &left : NULL});

	*pending_r = run.pending > 0;
	return r;
}

START_TEST(issuers_by_aia)
{
	struct testcert up = ca("up", NULL, &root, (struct testcert_spec){.rsa = 0});
	struct testcert mid =
	    ca("mid", NULL, &up, (struct testcert_spec){.aia = "caIssuers;URI:http://ca.example/up.p7c"});
	struct testcert low = issue(&mid, (struct testcert_spec){.aia = "caIssuers;URI:ldap://ca.example/mid,"
									"caIssuers;URI:http://ca.example/gone,"
									"caIssuers;URI:http://ca.example/mid"});
	size_t n;
	uint8_t *der;
	bool pending;

	IS(fetching(&low, 4, &pending), TRUST_UNSURE,
	    "no anchor leads to it (the last issuer looked for is CN=mid), and");
	testrevoke_put(&net, "http://ca.example/mid", OPENSSL_memdup(mid.der, mid.n), mid.n);
	testrevoke_put(&net, "http://ca.example/up.p7c", NULL, 0)->status = SOURCE_NONE;
	IS(fetching(&low, 4, &pending), TRUST_BAD,
	    "the last issuer looked for is CN=up); its issuer cannot be had from http://ca.example/up.p7c: ");
	net.v[1].status = SOURCE_FOUND;
	der = bag((X509 *const[]){other.x, up.x}, 2, &n);
	testrevoke_put(&net, "http://ca.example/up.p7c", der, n);
	IS(fetching(&low, 4, &pending), TRUST_GOOD, "CN=root");
	ck_assert(!pending);
	der = pem(up.x, &n);
	testrevoke_put(&net, "http://ca.example/up.p7c", der, n);
	IS(fetching(&low, 4, &pending), TRUST_GOOD, "CN=root");
	/* no more fetches than allowed: what was not asked may lead to an anchor */
	IS(fetching(&low, 2, &pending), TRUST_UNSURE, "no more missing issuers are fetched for one question");
	ck_assert_msg(found.spent && found.until_spent == TRUST_BAD && strstr(found.how, "CN=up"), "%s", found.how);
	IS(fetching(&low, 0, &pending), TRUST_BAD, "CN=mid");
	net.v[1].slow = true;
	(void)fetching(&low, 4, &pending);
	ck_assert(pending);
	net.v[1].slow = false;
	net.v[1].status = SOURCE_TEMP;
	IS(fetching(&low, 4, &pending), TRUST_UNSURE, "ca.example/up.p7c");
	ck_assert(!pending && strstr(found.how, "cannot be read now") != NULL && found.away != 0);
	IS(fetching(&low, 2, &pending), TRUST_UNSURE, "no more missing issuers are fetched for one question");
	net.v[1].status = SOURCE_FOUND;
	testrevoke_put(&net, "http://ca.example/up.p7c", OPENSSL_memdup("junk", 4), 4);
	IS(fetching(&low, 4, &pending), TRUST_BAD, "CN=up");
	testcert_free(&up);
	testcert_free(&mid);
	testcert_free(&low);
}
END_TEST

/* ---- records of signed zones ---- */

static const struct {
	uint8_t usage, selector, matching;
	int what; /* 0 leaf, 1 its CA, 2 the root, 3 somebody else */
	bool anchored;
	enum trust_result want;
	const char *said;
} records[] = {
    {3, 0, 0, 0, false, TRUST_GOOD, "SMIMEA"},
    {3, 0, 1, 0, false, TRUST_GOOD, "SMIMEA"},
    {3, 1, 1, 0, false, TRUST_GOOD, "SMIMEA"},
    {3, 1, 2, 0, false, TRUST_GOOD, "SMIMEA"},
    {3, 0, 1, 3, true, TRUST_BAD, "another certificate or key"},
    {3, 2, 1, 0, true, TRUST_BAD, "another certificate or key"},
    {3, 0, 9, 0, true, TRUST_BAD, "another certificate or key"},
    {2, 0, 0, 2, false, TRUST_GOOD, "CN=root that an SMIMEA record"},
    {2, 0, 1, 1, false, TRUST_GOOD, "CN=mid that an SMIMEA record"},
    {2, 1, 1, 1, false, TRUST_GOOD, "CN=mid"},
    {2, 0, 1, 2, true, TRUST_BAD, "did not come with it"},
    {2, 0, 0, 3, true, TRUST_BAD, "no anchor leads to it"},
    {1, 0, 1, 0, true, TRUST_GOOD, "CN=root"},
    {1, 0, 1, 0, false, TRUST_BAD, "no anchor"},
    {1, 0, 1, 3, true, TRUST_BAD, "names nothing in its path"},
    {0, 0, 1, 1, true, TRUST_GOOD, "CN=root"},
    {0, 1, 2, 2, true, TRUST_GOOD, "CN=root"},
    {0, 0, 1, 0, true, TRUST_BAD, "names nothing in its path"},
    {0, 0, 1, 1, false, TRUST_BAD, "no anchor"},
    {7, 0, 1, 0, true, TRUST_BAD, "names nothing in its path"},
};

START_TEST(dane)
{
	struct testcert mid = ca("mid", NULL, &root, (struct testcert_spec){.rsa = 0});
	struct testcert low = issue(&mid, (struct testcert_spec){.cn = "low"});
	const struct testcert *all[] = {&low, &mid, &root, &other}, *c = all[records[_i].what];
	uint8_t md[64], *spki = NULL;
	unsigned n = 0;
	int k = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x), &spki);
	struct trust_dane d = {
	    .usage = records[_i].usage, .selector = records[_i].selector, .matching = records[_i].matching};

	d.data = d.selector ? spki : c->der;
	d.n = d.selector ? (size_t)k : c->n;
	if (d.matching > 0) {
		ck_assert(EVP_Digest(d.data, d.n, md, &n, d.matching == 2 ? EVP_sha512() : EVP_sha256(), NULL) == 1);
		d.data = md;
		d.n = n;
	}
	IS(path(&low, records[_i].anchored ? &root : NULL, EXTRA(mid.x), (struct trust_question){.dane = &d}),
	    records[_i].want, records[_i].said);
	OPENSSL_free(spki);
	testcert_free(&mid);
	testcert_free(&low);
}
END_TEST

/* Strangers choose how many signatures there are to look at: the work on all certificates of a question is bounded.
 */
START_TEST(work_bounded)
{
	struct testcert mid = ca("mid", NULL, &root, (struct testcert_spec){.rsa = 0});
	struct testcert low = issue(&mid, (struct testcert_spec){.cn = "low"});
	unsigned work = TRUST_WORK, spent;
	struct trust_question q = {.work = &work};

	IS(path(&low, &root, EXTRA(mid.x), q), TRUST_GOOD, "CN=root");
	spent = TRUST_WORK - work;
	ck_assert_msg(spent > 0 && spent < 100, "%u", spent);
	work = spent;
	IS(path(&low, &root, EXTRA(mid.x), q), TRUST_GOOD, "CN=root");
	ck_assert_uint_eq(work, 0);
	/* nothing is left for the next: nobody can tell, which is not the same as bad */
	IS(path(&low, &root, EXTRA(mid.x), q), TRUST_UNSURE, "uncertain: the work");
	ck_assert(found.spent && found.until_spent == TRUST_BAD);
	q.pinned = true;
	IS(path(&low, &root, EXTRA(mid.x), q), TRUST_GOOD, "pinned");
	testcert_free(&mid);
	testcert_free(&low);
}
END_TEST

/* Lists of an authority that only a zone vouches for may be as large as its own setting says. */
START_TEST(dane_lists)
{
	struct testcert low =
	    issue(&other, (struct testcert_spec){.cn = "low", .crl = "URI:http://other.example/crl"});
	struct trust_dane d = {2, 0, 0, other.der, other.n};
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);
	struct revoke r = {.cache = revoke_cache_new(),
	    .run = &run,
	    .mode = REVOKE_HARD,
	    .set = {.octets_max = 1 << 20, .zone_octets_max = 60, .keep_s = 3600, .timeout_ms = 1000}};
	struct testrevoke_list l = {.ca = &other};
	size_t n;
	uint8_t *der = testrevoke_crl(&l, &n);

	testrevoke_put(&net, "http://other.example/crl", der, n);
	IS(path(&low, NULL, NULL, 0, (struct trust_question){.run = &run, .revoke = &r, .dane = &d}), TRUST_UNSURE,
	    "larger than 60 octets");
	IS(path(&low, &other, NULL, 0, (struct trust_question){.run = &run, .revoke = &r}), TRUST_GOOD, "anchor");
	revoke_cache_free(r.cache);
	testcert_free(&low);
}
END_TEST

/* Usage 3 binds by the record's name; time and strength count. */
START_TEST(dane_binds)
{
	struct testcert alien = testcert_make(&(struct testcert_spec){.san = "DNS:elsewhere.example"});
	struct testcert old = testcert_make(&(struct testcert_spec){.until = TESTCERT_NOW - 1});
	struct trust_dane d = {3, 0, 0, alien.der, alien.n};
	struct trust_question q = {.who = &bob, .use = CERT_TO_ENCRYPT, .dane = &d, .at = TESTCERT_NOW};
	char why[700];

	ck_assert_int_eq(trust_check(alien.x, &q, why, sizeof why), TRUST_GOOD);
	ck_assert_msg(strstr(why, "speaks for the name of the record") != NULL, "%s", why);
	d.data = old.der;
	d.n = old.n;
	ck_assert_int_eq(trust_check(old.x, &q, why, sizeof why), TRUST_BAD);
	ck_assert_msg(strstr(why, "ran out") != NULL, "%s", why);
	testcert_free(&alien);
	testcert_free(&old);
}
END_TEST

/* ---- revocation on the way ---- */

static enum trust_result asking(
    const struct testcert *c, X509 *const *extra, size_t n, enum revoke_mode mode, bool pinned)
{
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);
	struct revoke r = {.cache = revoke_cache_new(),
	    .run = &run,
	    .mode = mode,
	    .set = {.octets_max = 1 << 20, .keep_s = 3600, .timeout_ms = 1000}};
	enum trust_result got =
	    path(c, &root, extra, n, (struct trust_question){.run = &run, .revoke = &r, .pinned = pinned});

	revoke_cache_free(r.cache);
	return got;
}

static void put(const char *url, struct testrevoke_list l)
{
	size_t n;
	uint8_t *der = testrevoke_crl(&l, &n);

	testrevoke_put(&net, url, der, n);
}

/* An issuer that was taken back closes one way, not the other; the certificate itself closes all. Pins do not help.
 */
START_TEST(revoked_on_the_way)
{
	struct testcert one =
	    ca("bridge", bridge_key.key, &root, (struct testcert_spec){.crl = "URI:http://root.example/1"});
	struct testcert two =
	    ca("bridge", bridge_key.key, &root, (struct testcert_spec){.crl = "URI:http://root.example/2"});
	struct testcert c = issue(&bridge_key, (struct testcert_spec){.crl = "URI:http://bridge.example/crl"});

	IS(asking(&c, EXTRA(one.x, two.x), REVOKE_SOFT, false), TRUST_GOOD, "cannot be told now");
	IS(asking(&c, EXTRA(one.x, two.x), REVOKE_HARD, false), TRUST_UNSURE, "cannot be told now");
	put("http://bridge.example/crl", (struct testrevoke_list){.ca = &bridge_key});
	put("http://root.example/1", (struct testrevoke_list){.ca = &root, .revoked = {&one}});
	put("http://root.example/2", (struct testrevoke_list){.ca = &root, .revoked = {&one}});
	IS(asking(&c, EXTRA(one.x), REVOKE_HARD, false), TRUST_REVOKED, "its issuer CN=bridge: revoked on");
	IS(asking(&c, EXTRA(one.x, two.x), REVOKE_HARD, false), TRUST_GOOD, "CN=root");
	put("http://bridge.example/crl", (struct testrevoke_list){.ca = &bridge_key, .revoked = {&c}, .reason = 1});
	IS(asking(&c, EXTRA(one.x, two.x), REVOKE_SOFT, false), TRUST_REVOKED, "keyCompromise");
	IS(asking(&c, EXTRA(two.x), REVOKE_SOFT, true), TRUST_REVOKED, "keyCompromise");
	IS(asking(&c, NULL, 0, REVOKE_SOFT, true), TRUST_GOOD, "pinned"); /* no path: nobody can be asked */
	testcert_free(&one);
	testcert_free(&two);
	testcert_free(&c);
}
END_TEST

/* No anchor, no question. */
START_TEST(nothing_is_asked_of_strangers)
{
	struct testcert c = issue(&other, (struct testcert_spec){.crl = "URI:http://other.example/crl",
					      .aia = "OCSP;URI:http://other.example/ocsp"});

	IS(asking(&c, EXTRA(other.x), REVOKE_HARD, false), TRUST_BAD, "no anchor");
	ck_assert_uint_eq(net.asked, 0);
	testcert_free(&c);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("trust_path");
	TCase *t = tcase_create("trust_path");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, bridges);
	tcase_add_loop_test(t, limits_are_uncertain, 0, 2);
	tcase_add_test(t, pool_overflows);
	tcase_add_test(t, costly_keys);
	tcase_add_test(t, circles);
	tcase_add_test(t, name_constraints);
	tcase_add_test(t, issuers_by_aia);
	tcase_add_loop_test(t, dane, 0, (int)(sizeof records / sizeof *records));
	tcase_add_test(t, dane_binds);
	tcase_add_test(t, dane_lists);
	tcase_add_test(t, work_bounded);
	tcase_add_test(t, revoked_on_the_way);
	tcase_add_test(t, nothing_is_asked_of_strangers);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
