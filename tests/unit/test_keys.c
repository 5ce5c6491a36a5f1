/* What the clients of the keeper may and may not: making keys, wrapping, certifying, and every refusal by kind of
 * client and use of key. */
#include "gateway/keys/keys.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "gateway/base/log.h"
#include "gateway/keys/keys_client.h"
#include "tests/unit/keeper_fixture.h"

static struct fixture fx;
static struct keys_client *clients[KEEPER_FOR_JUDGE + 1];
static struct problem pr;

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	fixture_start(&fx);
	for (int who = 0; who <= KEEPER_FOR_JUDGE; who++)
		clients[who] = fixture_client(&fx, who);
	problem_clear(&pr);
}

static void teardown(void)
{
	for (int who = 0; who <= KEEPER_FOR_JUDGE; who++)
		keys_client_free(clients[who]);
	fixture_end(&fx);
}

START_TEST(words)
{
	static const char *const algos[] = {"rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384", "ec-p521"};
	enum keys_algo a;

	for (int i = 0; i <= KEYS_EC_P521; i++) {
		ck_assert_int_eq(keys_algo_parse(algos[i], &a), 0);
		ck_assert_int_eq(a, i);
		ck_assert_str_eq(keys_algo_word(a), algos[i]);
	}
	ck_assert_int_eq(keys_algo_parse("rsa-1024", &a), -1);
	ck_assert_str_eq(keys_use_word(KEYS_USE_SIGN), "sign");
	ck_assert_str_eq(keys_use_word(KEYS_USE_STATEMENT), "statement");
}
END_TEST

START_TEST(generate)
{
	enum keys_algo algo = (enum keys_algo)_i;
	struct keys_client *judge = clients[KEEPER_FOR_JUDGE];
	unsigned n;
	EVP_PKEY *pub, *again;

	keys_client_timeout(judge, 280000); /* RSA-4096 under a memory checker */
	ck_assert_msg(keys_generate(judge, "new.key-1", KEYS_USE_SIGN, algo, &pub, &pr) == 0, "%s", pr.text);
	ck_assert_int_eq(EVP_PKEY_is_a(pub, "RSA"), algo <= KEYS_RSA_4096);
	ck_assert_int_eq(EVP_PKEY_get_bits(pub), algo == KEYS_RSA_2048	 ? 2048
						 : algo == KEYS_RSA_3072 ? 3072
						 : algo == KEYS_RSA_4096 ? 4096
						 : algo == KEYS_EC_P256	 ? 256
						 : algo == KEYS_EC_P384	 ? 384
									 : 521);
	ck_assert_int_eq(keys_status(judge, &n), KEYS_READY);
	ck_assert_uint_eq(n, 1);
	/* durable before it was answered */
	ck_assert_int_eq(fx.nfiles, 1);
	ck_assert_str_eq(fx.files[0].name, "new.key-1.key");
	/* never overwritten */
	ck_assert_int_eq(keys_generate(judge, "new.key-1", KEYS_USE_SIGN, KEYS_EC_P256, &again, &pr), -1);
	ck_assert_ptr_null(again);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert_int_eq(fx.nfiles, 1);
	EVP_PKEY_free(pub);
	/* and there after a restart */
	fixture_down(&fx);
	fixture_up(&fx);
	keys_client_replace(judge, fixture_fd(&fx, KEEPER_FOR_JUDGE));
	ck_assert_int_eq(keys_status(judge, &n), KEYS_READY);
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(import)
{
	struct keys_client *judge = clients[KEEPER_FOR_JUDGE];
	const struct buf *p8 = &fixture_pkcs8[KEYS_EC_P256];
	uint8_t junk[KEEPER_PKCS8_MAX + 1] = {0x30, 0x80};
	EVP_PKEY *pub;
	unsigned n;

	ck_assert_msg(keys_import(judge, "in", KEYS_USE_TLS, p8->p, p8->len, &pub, &pr) == 0, "%s", pr.text);
	EVP_PKEY_free(pub);
	ck_assert_int_eq(keys_import(judge, "in", KEYS_USE_TLS, p8->p, p8->len, &pub, &pr), -1);
	ck_assert_int_eq(keys_import(judge, "in2", KEYS_USE_TLS, p8->p, p8->len - 1, &pub, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	/* too large for a packet of the keeper: refused before it is sent, the channel lives */
	ck_assert_int_eq(keys_import(judge, "in2", KEYS_USE_TLS, junk, sizeof(junk), &pub, &pr), -1);
	ck_assert_int_eq(keys_import(judge, "in2", KEYS_USE_TLS, junk, 1000, &pub, &pr), -1);
	ck_assert_int_eq(keys_status(judge, &n), KEYS_READY);
	ck_assert_uint_eq(n, 1);
	ck_assert(!keys_client_failed(judge));
}
END_TEST

START_TEST(store_fails)
{
	EVP_PKEY *pub;
	unsigned n;

	fx.refuse = 1;
	ck_assert_int_eq(keys_generate(clients[KEEPER_FOR_JUDGE], "a", KEYS_USE_SIGN, KEYS_EC_P256, &pub, &pr), -1);
	ck_assert_str_eq(pr.text, "no room for a.key");
	ck_assert_int_eq(keys_status(clients[KEEPER_FOR_JUDGE], &n), KEYS_READY);
	ck_assert_uint_eq(n, 0);
	fx.refuse = 0;
	ck_assert_int_eq(keys_generate(clients[KEEPER_FOR_JUDGE], "a", KEYS_USE_SIGN, KEYS_EC_P256, &pub, &pr), 0);
	EVP_PKEY_free(pub);
}
END_TEST

START_TEST(bad_names)
{
	static const char *const bad[] = {"", ".hidden", "../x", "a/b", "Upper", "a b", "a\n", "caf\xc3\xa9",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct keys_client *judge = clients[KEEPER_FOR_JUDGE];
	EVP_PKEY *pub, *ec = EVP_EC_gen("P-256"), *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct keeper_request rq = {.msg = KEEPER_MSG_GENERATE, .make = {KEYS_USE_SIGN, KEYS_EC_P256, {0}}};
		struct keeper_reply rp;

		ck_assert_int_eq(keys_generate(judge, bad[i], KEYS_USE_SIGN, KEYS_EC_P256, &pub, &pr), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		ck_assert_ptr_null(keys_pkey(clients[KEEPER_FOR_SEALER], bad[i], ec, &pr));
		/* a client that does not check is refused by the keeper itself */
		if (mem_copy_str(rq.id, sizeof(rq.id), bad[i]) < 0)
			continue;
		ck_assert_int_eq(keys_client_call(judge, &rq, &rp, &pr), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	}
	ck_assert_int_eq(fx.nfiles, 0);
	ck_assert_ptr_null(keys_pkey(clients[KEEPER_FOR_SEALER], "ed", ed, &pr));
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed);
}
END_TEST

START_TEST(wrap)
{
	struct keys_client *relay = clients[KEEPER_FOR_RELAY];
	uint8_t key[KEYS_DATA_KEY] = "the data key of a message", back[KEYS_DATA_KEY];
	struct buf wrapped, small;

	buf_init(&wrapped, KEYS_WRAPPED_MAX);
	ck_assert_msg(keys_wrap(relay, key, &wrapped, &pr) == 0, "%s", pr.text);
	ck_assert_uint_le(wrapped.len, KEYS_WRAPPED_MAX);
	ck_assert_ptr_null(memmem(wrapped.p, wrapped.len, key, 8));
	ck_assert_int_eq(keys_unwrap(relay, wrapped.p, wrapped.len, back, &pr), 0);
	ck_assert_mem_eq(back, key, sizeof(key));
	fixture_down(&fx);
	fixture_up(&fx);
	keys_client_replace(relay, fixture_fd(&fx, KEEPER_FOR_RELAY));
	memset(back, 0, sizeof(back));
	ck_assert_int_eq(keys_unwrap(relay, wrapped.p, wrapped.len, back, &pr), 0);
	ck_assert_mem_eq(back, key, sizeof(key));
	/* damaged, cut, far too long: the keeper answers, the channel lives */
	wrapped.p[50] ^= 1;
	ck_assert_int_eq(keys_unwrap(relay, wrapped.p, wrapped.len, back, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert_int_eq(keys_unwrap(relay, wrapped.p, 3, back, &pr), -1);
	ck_assert_int_eq(keys_unwrap(relay, wrapped.p, 0, back, &pr), -1);
	ck_assert_int_eq(keys_unwrap(relay, fixture_pkcs8[KEYS_RSA_2048].p, 1000, back, &pr), -1);
	ck_assert(!keys_client_failed(relay));
	buf_clear(&wrapped);
	buf_init(&small, 10);
	ck_assert_int_eq(keys_wrap(relay, key, &small, &pr), -1);
}
END_TEST

START_TEST(certify)
{
	struct keys_cert_request rq = {.kind = KEYS_CERT_CSR, .common_name = "hospital.example"};
	struct keys_client *judge = clients[KEEPER_FOR_JUDGE];
	EVP_PKEY *pub = fixture_key(&fx, "k", KEYS_USE_SIGN, KEYS_RSA_2048);
	char big[400];
	const unsigned char *p;
	X509_REQ *req;
	struct buf der;

	buf_init(&der, 16384);
	ck_assert_msg(keys_certify(judge, "k", &rq, &der, &pr) == 0, "%s", pr.text);
	p = der.p;
	req = d2i_X509_REQ(NULL, &p, (long)der.len);
	ck_assert_int_eq(X509_REQ_verify(req, pub), 1);
	X509_REQ_free(req);
	EVP_PKEY_free(pub);
	rq.common_name = "";
	ck_assert_int_eq(keys_certify(judge, "k", &rq, &der, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = 0;
	rq.common_name = big;
	ck_assert_int_eq(keys_certify(judge, "k", &rq, &der, &pr), -1);
	rq.common_name = "x";
	rq.kind = KEYS_CERT_SELF;
	rq.days = -5;
	ck_assert_int_eq(keys_certify(judge, "k", &rq, &der, &pr), -1);
	rq.days = 5;
	ck_assert_int_eq(keys_certify(judge, "none", &rq, &der, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "no key called \"none\""));
	buf_clear(&der);
}
END_TEST

/* ---- who may what ---- */

/* Every request that names a key, with every use of key, from every kind of client. */
enum ask { ASK_SIGN, ASK_DECRYPT, ASK_AGREE, ASK_CERTIFY, ASK_STATEMENT, ASKS };

static const struct {
	enum keeper_client who;
	enum ask ask;
	enum keys_use use;
} allowed[] = {
    {KEEPER_FOR_RELAY, ASK_SIGN, KEYS_USE_TLS},
    {KEEPER_FOR_SEALER, ASK_SIGN, KEYS_USE_SIGN},
    {KEEPER_FOR_SEALER, ASK_DECRYPT, KEYS_USE_DECRYPT},
    {KEEPER_FOR_SEALER, ASK_AGREE, KEYS_USE_DECRYPT},
    {KEEPER_FOR_JUDGE, ASK_CERTIFY, KEYS_USE_SIGN},
    {KEEPER_FOR_JUDGE, ASK_CERTIFY, KEYS_USE_DECRYPT},
    {KEEPER_FOR_JUDGE, ASK_CERTIFY, KEYS_USE_TLS},
    {KEEPER_FOR_JUDGE, ASK_CERTIFY, KEYS_USE_STATEMENT},
    {KEEPER_FOR_JUDGE, ASK_STATEMENT, KEYS_USE_STATEMENT},
};

static bool is_allowed(int who, int ask, int use)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if ((int)allowed[i].who == who && (int)allowed[i].ask == ask && (int)allowed[i].use == use)
			return true;
	return false;
}

/* the signed attributes of a statement (test_keeper_statement.c takes them apart) */
static const uint8_t statement_attrs[] =
    "\x31\x81\xac\x30\x1c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05\x31\x0f\x17\x0d\x32\x36\x31\x31\x32"
    "\x32\x31\x38\x33\x30\x30\x30\x5a\x30\x22\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03\x31\x15\x06\x13"
    "\x69\x89\xc6\x87\xac\x8c\x8a\xfa\x9a\xf7\x89\xd3\xbe\xd0\x80\xa3\xc1\x88\x7d\x30\x2f\x06\x09\x2a\x86"
    "\x48\x86\xf7\x0d\x01\x09\x04\x31\x22\x04\x20\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64"
    "\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66\x30\x37\x06\x0b\x2a\x86\x48"
    "\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x28\x30\x26\x30\x24\x30\x22\x04\x20\x30\x31\x32\x33\x34\x35\x36"
    "\x37\x38\x39\x61\x62\x63\x64\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66";

static uint8_t point[65];

static struct keeper_request request(int ask, int use)
{
	static const uint8_t some[256];
	struct keeper_request rq = {0};

	snprintf(rq.id, sizeof(rq.id), "%s-%s", ask == ASK_DECRYPT ? "rsa" : "ec", keys_use_word((enum keys_use)use));
	switch (ask) {
	case ASK_SIGN:
		rq.msg = KEEPER_MSG_SIGN;
		rq.sign = (struct keeper_sign){KEEPER_PAD_ECDSA, KEEPER_MD_SHA256, 0, {some, 32}};
		break;
	case ASK_DECRYPT:
		rq.msg = KEEPER_MSG_DECRYPT;
		rq.decrypt = (struct keeper_decrypt){
		    KEEPER_PAD_PKCS1, KEEPER_MD_SHA256, KEEPER_MD_SHA256, 0, {some, 0}, {some, 256}};
		break;
	case ASK_AGREE:
		rq.msg = KEEPER_MSG_AGREE;
		rq.agree = (struct keeper_agree){KEEPER_MD_SHA256, 16, {point, sizeof(point)}, {some, 8}};
		break;
	case ASK_STATEMENT:
		rq.msg = KEEPER_MSG_STATEMENT;
		rq.attrs = (struct keeper_attrs){0, KEEPER_MD_SHA256, {statement_attrs, sizeof(statement_attrs) - 1}};
		break;
	default:
		rq.msg = KEEPER_MSG_CERTIFY;
		rq.certify = (struct keeper_certify){.kind = KEYS_CERT_SELF, .common_name = "x", .days = 1};
	}
	return rq;
}

START_TEST(permitted_use)
{
	EVP_PKEY *pub, *peer = EVP_EC_gen("P-256");
	size_t n;

	ck_assert(EVP_PKEY_get_octet_string_param(peer, "pub", point, sizeof(point), &n) && n == sizeof(point));
	for (int use = KEYS_USE_SIGN; use <= KEYS_USE_STATEMENT; use++)
		for (int rsa = 0; rsa < 2; rsa++) {
			char id[20];

			snprintf(id, sizeof(id), "%s-%s", rsa ? "rsa" : "ec", keys_use_word((enum keys_use)use));
			pub = fixture_key(&fx, id, (enum keys_use)use, rsa ? KEYS_RSA_2048 : KEYS_EC_P256);
			EVP_PKEY_free(pub);
		}
	for (int who = KEEPER_FOR_RELAY; who <= KEEPER_FOR_JUDGE; who++)
		for (int ask = 0; ask < ASKS; ask++)
			for (int use = KEYS_USE_SIGN; use <= KEYS_USE_STATEMENT; use++) {
				struct keeper_request rq = request(ask, use);
				struct keeper_reply rp;
				int want = is_allowed(who, ask, use) ? 0 : -1;

				problem_clear(&pr);
				keys_client_begin(clients[who]);
				ck_assert_msg(keys_client_call(clients[who], &rq, &rp, &pr) == want,
				    "client %d asks %d of %s: %s", who, ask, rq.id, pr.text);
				/* a refusal says so, and is never taken for bad data */
				ck_assert_int_eq(keys_client_failed(clients[who]), want < 0);
				ck_assert_int_eq(strstr(pr.text, "refuses") != NULL, want < 0);
			}
	EVP_PKEY_free(peer);
}
END_TEST

/* The public listener: TLS keys of its host name, and of no name that looks like it. */
START_TEST(public_listener)
{
	static const char host[] = "smg.hospital.example";
	static const struct {
		const char *id;
		enum keys_use use;
		bool may;
	} t[] = {{"smg.hospital.example-tls-20261122-1a2b", KEYS_USE_TLS, true},
	    {"smg.hospital.example-tls-20271122-ffff", KEYS_USE_TLS, true},
	    {"gw.hospital.example-tls-20261122-1a2b", KEYS_USE_TLS, false},
	    {"smg.hospital.example-tls-evil.example-tls-20261122-1a2b", KEYS_USE_TLS, false},
	    {"x.smg.hospital.example-tls-20261122-1a2b", KEYS_USE_TLS, false},
	    {"smg.hospital.example-tls-20261122-1a2", KEYS_USE_TLS, false},
	    {"smg.hospital.example-tls-2026112a-1a2b", KEYS_USE_TLS, false},
	    {"smg.hospital.exampl", KEYS_USE_TLS, false},
	    {"smg.hospital.example-tls-20261122-1a2c", KEYS_USE_SIGN, false}};
	struct keeper_request rq = {.msg = KEEPER_MSG_SIGN};
	static const uint8_t digest[32];
	struct keys_client *public;

	rq.sign = (struct keeper_sign){KEEPER_PAD_ECDSA, KEEPER_MD_SHA256, 0, {digest, 32}};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		EVP_PKEY_free(fixture_key(&fx, t[i].id, t[i].use, KEYS_EC_P256));
	for (int pass = 0; pass < 6; pass++) {
		static const char *const hosts[] = {"", host, "SMG.hospital.example"};
		enum keeper_client who = pass < 3 ? KEEPER_FOR_PUBLIC : KEEPER_FOR_WEB;

		fixture_down(&fx);
		fixture_https_host = hosts[pass % 3];
		fixture_https_client = who;
		fixture_up(&fx);
		public = fixture_client(&fx, who);
		for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
			struct keeper_reply rp;
			int want = pass % 3 > 0 && t[i].may ? 0 : -1;

			snprintf(rq.id, sizeof(rq.id), "%s", t[i].id);
			ck_assert_msg(keys_client_call(public, &rq, &rp, &pr) == want, "%s: %s", t[i].id, pr.text);
			keys_client_done(public, &rp);
		}
		keys_client_free(public);
	}
	ck_assert(keys_tls_of("a234567890123456789012345678901234567890-tls-20261122-1a2b",
	    "a234567890123456789012345678901234567890.example"));
}
END_TEST

START_TEST(permitted_without_key)
{
	uint8_t key[KEYS_DATA_KEY] = {1}, back[KEYS_DATA_KEY];
	struct buf wrapped;
	EVP_PKEY *pub;
	unsigned n;

	for (int who = KEEPER_FOR_RELAY; who <= KEEPER_FOR_JUDGE; who++) {
		buf_init(&wrapped, KEYS_WRAPPED_MAX);
		ck_assert_int_eq(keys_status(clients[who], &n), KEYS_READY);
		ck_assert_int_eq(keys_wrap(clients[who], key, &wrapped, &pr), who == KEEPER_FOR_RELAY ? 0 : -1);
		ck_assert_int_eq(keys_unwrap(clients[who], wrapped.len ? wrapped.p : key,
				     wrapped.len ? wrapped.len : 32, back, &pr),
		    who == KEEPER_FOR_RELAY ? 0 : -1);
		ck_assert_int_eq(keys_generate(clients[who], "g", KEYS_USE_SIGN, KEYS_EC_P256, &pub, &pr),
		    who == KEEPER_FOR_JUDGE ? 0 : -1);
		EVP_PKEY_free(pub);
		ck_assert_int_eq(keys_import(clients[who], "i", KEYS_USE_SIGN, fixture_pkcs8[KEYS_EC_P256].p,
				     fixture_pkcs8[KEYS_EC_P256].len, &pub, &pr),
		    who == KEEPER_FOR_JUDGE ? 0 : -1);
		EVP_PKEY_free(pub);
		buf_clear(&wrapped);
	}
	ck_assert_int_eq(fx.nfiles, 2);
	for (int who = KEEPER_FOR_RELAY; who <= KEEPER_FOR_JUDGE; who++) {
		ck_assert_int_eq(keys_forget(clients[who], "g", &pr), who == KEEPER_FOR_JUDGE ? 0 : -1);
		ck_assert_int_eq(fx.nfiles, who == KEEPER_FOR_JUDGE ? 1 : 2);
	}
}
END_TEST

/* The key does nothing from the request on, also when its file cannot be removed; then the request is made again. */
START_TEST(forgotten)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_SIGN, .id = "old"};
	static const uint8_t digest[32];
	struct keys_client *judge = clients[KEEPER_FOR_JUDGE], *sealer = clients[KEEPER_FOR_SEALER];
	struct keeper_reply rp;
	EVP_PKEY *pub = fixture_key(&fx, "old", KEYS_USE_SIGN, KEYS_EC_P256);
	unsigned n;

	EVP_PKEY_free(pub);
	rq.sign = (struct keeper_sign){KEEPER_PAD_ECDSA, KEEPER_MD_SHA256, 0, {digest, 32}};
	ck_assert_int_eq(keys_client_call(sealer, &rq, &rp, &pr), 0);
	keys_client_done(sealer, &rp);
	fx.refuse = 1;
	ck_assert_int_eq(keys_forget(judge, "old", &pr), -1);
	ck_assert_int_eq(fx.nfiles, 1);
	ck_assert_int_eq(keys_client_call(sealer, &rq, &rp, &pr), -1);
	keys_client_done(sealer, &rp);
	ck_assert_msg(strstr(pr.text, "no key called"), "%s", pr.text);
	fx.refuse = 0;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(keys_forget(judge, "old", &pr), 0);
	ck_assert_int_eq(fx.nfiles, 0);
	ck_assert(keys_status(judge, &n) == KEYS_READY && n == 0);
	ck_assert_int_eq(keys_forget(judge, "../master", &pr), -1);
}
END_TEST

/* The signature is one over the attributes as they were given; mail's attributes get none, whoever asks. */
START_TEST(statement)
{
	static const struct {
		enum keys_algo algo;
		bool pss;
	} keys[] = {{KEYS_EC_P256, false}, {KEYS_RSA_2048, false}, {KEYS_RSA_2048, true}};
	struct keys_client *judge = clients[KEEPER_FOR_JUDGE];
	uint8_t mail[sizeof(statement_attrs)];
	EVP_PKEY *pub = fixture_key(&fx, "st", KEYS_USE_STATEMENT, keys[_i].algo);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	struct buf sig;

	buf_init(&sig, 1024);
	ck_assert_msg(keys_sign_statement(judge, "st", NID_sha256, keys[_i].pss, statement_attrs,
			  sizeof(statement_attrs) - 1, &sig, &pr) == 0,
	    "%s", pr.text);
	ck_assert_int_eq(EVP_DigestVerifyInit(md, &ctx, EVP_sha256(), NULL, pub), 1);
	if (keys[_i].pss)
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 0);
	ck_assert_int_eq(EVP_DigestVerify(md, sig.p, sig.len, statement_attrs, sizeof(statement_attrs) - 1), 1);
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(pub);

	memcpy(mail, statement_attrs, sizeof(mail));
	mail[47] ^= 1; /* within the contentType */
	buf_reset(&sig);
	ck_assert_int_eq(keys_sign_statement(judge, "st", NID_sha256, false, mail, sizeof(mail) - 1, &sig, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert_int_eq(
	    keys_sign_statement(judge, "st", NID_sha384, false, statement_attrs, sizeof(mail) - 1, &sig, &pr), -1);
	ck_assert_uint_eq(sig.len, 0);
	buf_clear(&sig);
}
END_TEST

/* A key that the keeper does not have is our fault, not the message's. */
START_TEST(missing_key)
{
	struct keeper_request rq = request(ASK_DECRYPT, KEYS_USE_DECRYPT);
	struct keeper_reply rp;

	ck_assert_int_eq(keys_client_call(clients[KEEPER_FOR_SEALER], &rq, &rp, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	ck_assert(keys_client_failed(clients[KEEPER_FOR_SEALER]));
	ck_assert_ptr_nonnull(strstr(pr.text, "rsa-decrypt"));
}
END_TEST

/* Data of a stranger that cannot be meant for the key is the message's fault: points off the curve, infinity, another
 * curve, the wrong kind of key. */
START_TEST(bad_points)
{
	EVP_PKEY *pub = fixture_key(&fx, "ec-decrypt", KEYS_USE_DECRYPT, KEYS_EC_P256), *peer = EVP_EC_gen("P-256");
	struct keys_client *sealer = clients[KEEPER_FOR_SEALER];
	uint8_t bad[97];
	size_t n;
	static const size_t lengths[] = {65, 65, 1, 2, 33, 64, 66, 97, 65};

	ck_assert(EVP_PKEY_get_octet_string_param(peer, "pub", point, sizeof(point), &n) && n == sizeof(point));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct keeper_request rq = request(ASK_AGREE, KEYS_USE_DECRYPT);
		struct keeper_reply rp;

		memset(bad, 0, sizeof(bad));
		if (i != 2 && i != 1)
			memcpy(bad, point, sizeof(point));
		if (i == 0)
			bad[64] ^= 1; /* off the curve */
		if (i == 1)
			bad[0] = 4;
		if (i == 8)
			bad[0] = (uint8_t)(6 + (point[64] & 1)); /* hybrid: nobody writes it */
		rq.agree.point = (struct keeper_octets){bad, lengths[i]};
		ck_assert_msg(keys_client_call(sealer, &rq, &rp, &pr) == -1, "%zu", i);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	}
	ck_assert(!keys_client_failed(sealer));
	/* compressed is fine */
	{
		struct keeper_request rq = request(ASK_AGREE, KEYS_USE_DECRYPT);
		struct keeper_reply rp;

		memcpy(bad, point, 33);
		bad[0] = (uint8_t)(2 + (point[64] & 1));
		rq.agree.point = (struct keeper_octets){bad, 33};
		ck_assert_int_eq(keys_client_call(sealer, &rq, &rp, &pr), 0);
		ck_assert_uint_eq(rp.data.n, 16);
	}
	/* RSA key transport to an EC key */
	{
		struct keeper_request rq = request(ASK_DECRYPT, KEYS_USE_DECRYPT);
		struct keeper_reply rp;

		memcpy(rq.id, "ec-decrypt", 11);
		ck_assert_int_eq(keys_client_call(sealer, &rq, &rp, &pr), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	}
	EVP_PKEY_free(pub);
	EVP_PKEY_free(peer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keys");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 300);
	tcase_add_test(t, words);
	tcase_add_loop_test(t, generate, 0, KEYS_EC_P521 + 1);
	tcase_add_test(t, import);
	tcase_add_test(t, store_fails);
	tcase_add_test(t, bad_names);
	tcase_add_test(t, wrap);
	tcase_add_test(t, certify);
	tcase_add_test(t, permitted_use);
	tcase_add_test(t, public_listener);
	tcase_add_test(t, forgotten);
	tcase_add_test(t, permitted_without_key);
	tcase_add_loop_test(t, statement, 0, 3);
	tcase_add_test(t, missing_key);
	tcase_add_test(t, bad_points);
	suite_add_tcase(s, t);
	return fixture_run(s, 1u << KEYS_RSA_2048 | 1u << KEYS_EC_P256);
}
