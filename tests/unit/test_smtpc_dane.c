/* DANE over loopback: which TLSA records are usable, which let a mail through, what happens to the other hosts of the
 * destination. Servers with certificates made at run time. */
#include "gateway/smtp/smtpc_dane.h"

#include <openssl/sha.h>

#include "gateway/base/mem.h"
#include "tests/unit/smtpc_fixture.h"
#include "tests/unit/suite.h"

static const char *const tls_good[] = {
    "> 220 hi", "< EHLO", "> 250-peer.test", "> 250 STARTTLS", "< STARTTLS", "> 220 go", "t", "*", NULL};
/* the handshake as far as the server sees it ends well or badly, as TLS 1.3 has it: the client decides last */
static const char *const tls_maybe[] = {
    "> 220 hi", "< EHLO", "> 250-peer.test", "> 250 STARTTLS", "< STARTTLS", "> 220 go", "m", NULL};
static const char *const no_tls_cut[] = {"> 220 hi", "< EHLO", "> 250 peer.test", "w", NULL};
static const char *const starttls_421[] = {
    "> 220 hi", "< EHLO", "> 250-peer.test", "> 250 STARTTLS", "< STARTTLS", "> 421 not now", "x", NULL};
static const char *const starttls_lost[] = {
    "> 220 hi", "< EHLO", "> 250-peer.test", "> 250 STARTTLS", "< STARTTLS", "x", NULL};
static const char *const starttls_odd[] = {
    "> 220 hi", "< EHLO", "> 250-peer.test", "> 250 STARTTLS", "< STARTTLS", "> what", "w", NULL};
static const char *const plain_good[] = {"> 220 hi", "*", NULL};

struct digests {
	uint8_t *cert, *spki;
	size_t ncert, nspki;
	uint8_t cert256[32], spki256[32], spki512[64];
};

static void digest(SSL_CTX *server, struct digests *d)
{
	X509 *x = SSL_CTX_get0_certificate(server);
	int n = i2d_X509(x, NULL), k = i2d_PUBKEY(X509_get0_pubkey(x), NULL);
	uint8_t *p;

	ck_assert(n > 0 && k > 0);
	p = d->cert = mem_new((size_t)n);
	d->ncert = (size_t)i2d_X509(x, &p);
	p = d->spki = mem_new((size_t)k);
	d->nspki = (size_t)i2d_PUBKEY(X509_get0_pubkey(x), &p);
	SHA256(d->cert, d->ncert, d->cert256);
	SHA256(d->spki, d->nspki, d->spki256);
	SHA512(d->spki, d->nspki, d->spki512);
}

static void clear(struct digests *d)
{
	free(d->cert);
	free(d->spki);
}

static struct peer *start(const char *const *script, const char *name, int days)
{
	struct peer *p = peer_new();

	p->scripts[0] = script;
	p->nscripts = 1;
	p->parallel = true;
	SSL_CTX_free(peer_tls_setup(p, name, days, false));
	return p;
}

static void extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ck_assert_ptr_nonnull(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* The server's certificate from an authority of its own, which it sends along; d is about the authority. */
static void with_authority(struct peer *p, const char *name, int days, struct digests *d)
{
	EVP_PKEY *ca_key, *key;
	X509 *ca = peer_cert("Authority", 30, &ca_key), *x = peer_cert(name, days, &key);

	extend(ca, NID_basic_constraints, "critical,CA:TRUE");
	ck_assert_int_gt(X509_sign(ca, ca_key, EVP_sha256()), 0);
	X509_set_issuer_name(x, X509_get_subject_name(ca));
	ck_assert_int_gt(X509_sign(x, ca_key, EVP_sha256()), 0);
	clear(d);
	SSL_CTX_use_certificate(p->tls, ca);
	digest(p->tls, d);
	ck_assert_int_eq(SSL_CTX_use_certificate(p->tls, x), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(p->tls, key), 1);
	ck_assert_int_eq(SSL_CTX_add0_chain_cert(p->tls, ca), 1);
	X509_free(x);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
}

static SSL_CTX *client_context(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(smtpc_dane_context(c), 0);
	return c;
}

static void demand(struct smtpc_host *h, SSL_CTX *ctx, struct smtpc_dane *d)
{
	h->own_tls = true;
	h->tls = SMTPC_TLS_DANE;
	h->ctx = ctx;
	h->dane = d;
}

/* ---- which records are of use ---- */

START_TEST(usable)
{
	static const struct {
		uint8_t u, s, m;
		size_t n;
		bool yes;
	} rows[] = {
	    {3, 1, 1, 32, true},
	    {2, 0, 2, 64, true},
	    {3, 0, 1, 32, true},
	    {0, 0, 1, 32, false}, /* PKIX usages say nothing for mail */
	    {1, 1, 1, 32, false},
	    {4, 1, 1, 32, false},
	    {255, 1, 1, 32, false},
	    {3, 2, 1, 32, false},
	    {3, 1, 3, 32, false},
	    {3, 1, 1, 31, false},
	    {3, 1, 1, 64, false},
	    {3, 1, 2, 32, false},
	    {3, 1, 1, 0, false},
	    {3, 0, 0, 64, false}, /* no certificate */
	    {3, 1, 0, 64, false},
	    {3, 1, 0, 0, false},
	};
	uint8_t data[64] = {1};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(
		    smtpc_dane_usable(rows[i].u, rows[i].s, rows[i].m, data, rows[i].n) == rows[i].yes, "row %zu", i);

	struct peer *p = start(plain_good, "mx.peer.test", 1);
	struct digests d;

	digest(p->tls, &d);
	ck_assert(smtpc_dane_usable(3, 0, 0, d.cert, d.ncert));
	ck_assert(!smtpc_dane_usable(3, 0, 0, d.cert, d.ncert - 1));
	ck_assert(smtpc_dane_usable(2, 1, 0, d.spki, d.nspki));
	ck_assert(!smtpc_dane_usable(2, 0, 0, d.spki, d.nspki));
	clear(&d);
	peer_start(p);
	peer_end(p);
}
END_TEST

START_TEST(marks)
{
	uint8_t a[32] = {1}, b[32] = {2};
	struct smtpc_dane *x = smtpc_dane_new("mx.test"), *y = smtpc_dane_new("mx.test"),
			  *z = smtpc_dane_new("mx.test");

	smtpc_dane_record(x, 3, 1, 1, a, 32);
	smtpc_dane_record(y, 3, 1, 1, a, 32);
	smtpc_dane_record(z, 3, 1, 1, b, 32);
	ck_assert(smtpc_dane_same(x, y) && !smtpc_dane_same(x, z) && !smtpc_dane_same(x, NULL));
	ck_assert(smtpc_dane_same(NULL, NULL));
	smtpc_dane_name(y, "mx.test"); /* known already */
	ck_assert(smtpc_dane_same(x, y));
	smtpc_dane_name(y, "other.test");
	ck_assert(!smtpc_dane_same(x, y));
	smtpc_dane_free(x);
	smtpc_dane_free(y);
	smtpc_dane_free(z);
}
END_TEST

/* ---- what gets through ---- */

enum what { CERT256, SPKI256, SPKI512, CERT, SPKI, WRONG };
static const struct {
	const char *title;
	uint8_t usage;
	enum what what;
	const char *cert_name, *name; /* in the certificate; a name that is good for usage 2 besides the base */
	int days;
	bool ok;
} tries[] = {
    {"key by its SHA-256", 3, SPKI256, "mx.peer.test", NULL, 1, true},
    {"key by its SHA-512", 3, SPKI512, "mx.peer.test", NULL, 1, true},
    {"certificate by its SHA-256", 3, CERT256, "mx.peer.test", NULL, 1, true},
    {"the whole certificate", 3, CERT, "mx.peer.test", NULL, 1, true},
    {"the whole key", 3, SPKI, "mx.peer.test", NULL, 1, true},
    {"usage 3 looks at no name", 3, SPKI256, "else.test", NULL, 1, true},
    {"usage 3 looks at no date", 3, SPKI256, "mx.peer.test", NULL, -2, true},
    {"another key", 3, WRONG, "mx.peer.test", NULL, 1, false},
    {"usage 2, the authority", 2, CERT256, "mx.peer.test", NULL, 1, true},
    {"usage 2, wrong name", 2, CERT256, "else.test", NULL, 1, false},
    {"usage 2, the domain's name", 2, CERT256, "peer.test", "peer.test", 1, true},
    {"usage 2, expired", 2, CERT256, "mx.peer.test", NULL, -2, false},
    {"usage 2, another anchor", 2, WRONG, "mx.peer.test", NULL, 1, false},
};

static void add(struct smtpc_dane *dane, uint8_t usage, enum what w, const struct digests *d)
{
	static const uint8_t wrong[32] = {7};

	switch (w) {
	case CERT256:
		smtpc_dane_record(dane, usage, 0, 1, d->cert256, 32);
		break;
	case SPKI256:
		smtpc_dane_record(dane, usage, 1, 1, d->spki256, 32);
		break;
	case SPKI512:
		smtpc_dane_record(dane, usage, 1, 2, d->spki512, 64);
		break;
	case CERT:
		smtpc_dane_record(dane, usage, 0, 0, d->cert, d->ncert);
		break;
	case SPKI:
		smtpc_dane_record(dane, usage, 1, 0, d->spki, d->nspki);
		break;
	case WRONG:
		smtpc_dane_record(dane, usage, 1, 1, wrong, 32);
		break;
	}
}

START_TEST(through)
{
	bool ok = tries[_i].ok;
	struct peer *p = start(ok ? tls_good : tls_maybe, tries[_i].cert_name, tries[_i].days);
	struct smtpc_dane *dane = smtpc_dane_new("mx.peer.test");
	SSL_CTX *ctx = client_context();
	struct fixture f;
	struct fixture_mail m;
	struct digests d;

	digest(p->tls, &d);
	if (tries[_i].usage == 2)
		with_authority(p, tries[_i].cert_name, tries[_i].days, &d);
	add(dane, tries[_i].usage, tries[_i].what, &d);
	if (tries[_i].name)
		smtpc_dane_name(dane, tries[_i].name);
	peer_start(p);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &p->addr);
	demand(&f.hosts[0], ctx, dane);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_msg(m.rcpts[0].ok == ok, "%s: %s", tries[_i].title, m.rcpts[0].pr.text);
	if (!ok) {
		ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_TEMP);
		ck_assert_str_eq(m.rcpts[0].pr.enh, "4.7.5");
		ck_assert_msg(strstr(m.rcpts[0].pr.text, "DANE") && strstr(m.rcpts[0].pr.text, "nothing was sent"),
		    "%s", m.rcpts[0].pr.text);
		ck_assert_int_eq(atomic_load(&p->mails), 0);
	}
	fixture_end(&f);
	clear(&d);
	smtpc_dane_free(dane);
	SSL_CTX_free(ctx);
	peer_end(p);
}
END_TEST

/* A second connection resumes the session under the same records, and does not under others. */
START_TEST(resumed)
{
	struct peer *p = start(tls_good, "mx.peer.test", 1);
	struct smtpc_dane *dane = smtpc_dane_new("mx.peer.test"), *other = smtpc_dane_new("mx.peer.test");
	SSL_CTX *ctx = client_context();
	struct fixture f;
	struct fixture_mail m;
	struct digests d;

	digest(p->tls, &d);
	add(dane, 3, SPKI256, &d);
	add(other, 3, CERT256, &d);
	peer_start(p);
	fixture_init(&f);
	f.set.messages = 1;
	fixture_host(&f, "mx.peer.test", &p->addr);
	demand(&f.hosts[0], ctx, dane);
	fixture_pool(&f);
	for (int i = 0; i < 3; i++) {
		f.hosts[0].dane = i < 2 ? dane : other;
		fixture_mail(&m, 1, "x\r\n");
		fixture_send(&f, &m);
		ck_assert_msg(m.rcpts[0].ok, "%s", m.rcpts[0].pr.text);
		ck_assert_int_eq(atomic_load(&p->resumed), i > 0);
	}
	fixture_end(&f);
	clear(&d);
	smtpc_dane_free(dane);
	smtpc_dane_free(other);
	SSL_CTX_free(ctx);
	peer_end(p);
}
END_TEST

/* ---- several hosts ---- */

static const struct {
	const char *const *script;
	const char *why;
} failures[] = {
    {tls_maybe, "DANE"},
    {no_tls_cut, "DANE"}, /* it does not even offer TLS */
    {starttls_421, "421 not now"},
    {starttls_lost, "to STARTTLS"},
    {starttls_odd, "to STARTTLS"},
};
enum { FAILURES = sizeof failures / sizeof failures[0] };

/* DANE fails at the first host: the second one, which would take mail in the clear, must not get it; a third one with
 * good records may. */
START_TEST(no_way_round)
{
	bool third = _i & 1;
	struct peer *bad = start(failures[_i / 2].script, "mx1.peer.test", 1);
	struct peer *clear_one = start(plain_good, "mx2.peer.test", 1), *good = start(tls_good, "mx3.peer.test", 1);
	struct smtpc_dane *wrong = smtpc_dane_new("mx1.peer.test"), *right = smtpc_dane_new("mx3.peer.test");
	SSL_CTX *ctx = client_context();
	struct fixture f;
	struct fixture_mail m;
	struct digests d;

	digest(good->tls, &d);
	add(wrong, 3, WRONG, &d);
	add(right, 3, SPKI256, &d);
	peer_start(bad);
	peer_start(clear_one);
	peer_start(good);
	fixture_init(&f);
	fixture_host(&f, "mx1.peer.test", &bad->addr);
	fixture_host(&f, "mx2.peer.test", &clear_one->addr);
	demand(&f.hosts[0], ctx, wrong);
	if (third) {
		fixture_host(&f, "mx3.peer.test", &good->addr);
		demand(&f.hosts[2], ctx, right);
	}
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_int_eq(m.rcpts[0].ok, third);
	ck_assert_int_eq(atomic_load(&clear_one->accepted), 0);
	ck_assert_int_eq(atomic_load(&good->mails), third);
	if (!third)
		ck_assert_msg(strstr(m.rcpts[0].pr.text, failures[_i / 2].why) != NULL, "%s", m.rcpts[0].pr.text);
	fixture_end(&f);
	clear(&d);
	smtpc_dane_free(wrong);
	smtpc_dane_free(right);
	SSL_CTX_free(ctx);
	peer_end(bad);
	peer_end(clear_one);
	peer_end(good);
}
END_TEST

/* RFC 7672 2.2: a host that cannot be reached is no failure of DANE; another one of the set is used. And a mail whose
 * destination has other records now does not travel over a connection made under the old ones. */
START_TEST(unreachable_is_no_failure)
{
	struct peer *other = start(plain_good, "mx2.peer.test", 1);
	struct smtpc_dane *dane = smtpc_dane_new("mx1.peer.test");
	SSL_CTX *ctx = client_context();
	struct sockaddr_storage dead;
	int fd = peer_socket(&dead);
	struct fixture f;
	struct fixture_mail m;
	struct digests d;

	digest(other->tls, &d);
	add(dane, 3, SPKI256, &d);
	peer_start(other);
	fixture_init(&f);
	fixture_host(&f, "mx1.peer.test", &dead);
	fixture_host(&f, "mx2.peer.test", &other->addr);
	demand(&f.hosts[0], ctx, dane);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_msg(m.rcpts[0].ok, "%s", m.rcpts[0].pr.text);
	/* the same host demands DANE now: the kept connection in the clear is not for it */
	f.hosts[0] = f.hosts[1];
	f.dest.nhosts = 1;
	demand(&f.hosts[0], ctx, dane);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert(!m.rcpts[0].ok);
	ck_assert_int_eq(atomic_load(&other->mails), 1);
	fixture_end(&f);
	clear(&d);
	smtpc_dane_free(dane);
	SSL_CTX_free(ctx);
	close(fd);
	peer_end(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpc_dane");
	TCase *t = tcase_create("smtpc_dane");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, usable);
	tcase_add_test(t, marks);
	tcase_add_loop_test(t, through, 0, (int)(sizeof tries / sizeof tries[0]));
	tcase_add_test(t, resumed);
	tcase_add_loop_test(t, no_way_round, 0, 2 * FAILURES);
	tcase_add_test(t, unreachable_is_no_failure);
	suite_add_tcase(s, t);
	return suite_run(s);
}
