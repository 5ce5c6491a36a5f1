/*
 * gateway/cms against the openssl command line, both ways: every signature (RSA and PSS with three hashes, three
 * curves) opaque and detached; every content cipher with every key management.
 */
#include "tests/unit/cms_fixture.h"

static struct buf text;
static char dir[64];

static void setup(void)
{
	text = fx_text(20000);
	fx_dir(dir);
	fx_put(dir, "text", &text);
}

static void teardown(void)
{
	fx_remove(dir);
	buf_clear(&text);
}

/* ---- signatures ---- */

static const struct {
	const char *id, *digest, *sigalg;
	bool pss, ski;
} signs[] = {
    {"rsa", "SHA256", "rsaEncryption", false, false},
    {"rsa", "SHA384", "rsaEncryption", false, true},
    {"rsa", "SHA512", "rsaEncryption", false, false},
    {"rsa", "SHA256", "rsassaPss", true, false},
    {"rsa", "SHA384", "rsassaPss", true, false},
    {"rsa", "SHA512", "rsassaPss", true, true},
    {"ec", "SHA256", "ecdsa-with-SHA256", false, false},
    {"p384", "SHA384", "ecdsa-with-SHA384", false, true},
    {"p521", "SHA512", "ecdsa-with-SHA512", false, false},
};
enum { SIGNS = sizeof(signs) / sizeof(signs[0]) };

static void good(const struct buf *der, bool detached, int i)
{
	struct cms_verdict v;
	struct problem pr;
	struct buf got;

	ck_assert_msg(fx_verify(der->p, der->len, detached ? &text : NULL, &got, &v, &pr) == 0, "%s", pr.text);
	ck_assert_uint_eq(v.nsigners, 1);
	ck_assert_msg(v.signers[0].ok, "%s: %s", signs[i].sigalg, v.signers[0].why);
	ck_assert_str_eq(v.signers[0].sigalg, signs[i].sigalg);
	ck_assert_int_eq(strcasecmp(v.signers[0].digest, signs[i].digest), 0);
	if (!detached)
		fx_same(&got, &text);
	buf_clear(&got);
	cms_verdict_clear(&v);
}

START_TEST(test_sign_ours)
{
	int i = _i / 2;
	bool detached = _i % 2;
	struct fx_id id = fx_id(signs[i].id);
	struct cms_signer s = {
	    .cert = id.cert, .key = id.key, .digest = signs[i].digest, .pss = signs[i].pss, .ski = signs[i].ski};
	struct buf der;

	if (detached)
		fx_sign_detached(&text, &s, &der);
	else
		fx_sign(&text, &s, id.cert, &der);
	good(&der, detached, i);
	fx_openssl_verifies(dir, &der, detached, &text);
	buf_clear(&der);
	fx_id_clear(&id);
}
END_TEST

START_TEST(test_sign_theirs)
{
	int i = _i / 2;
	bool detached = _i % 2;
	char line[400];
	struct buf der;

	snprintf(line, sizeof(line),
	    "cms -sign -binary -outform DER -in %%D/text -out %%D/in -signer tests/data/cms/%s.pem -inkey "
	    "tests/data/cms/%s.key -md %s%s%s%s",
	    signs[i].id, signs[i].id, signs[i].digest,
	    signs[i].pss ? " -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:-1" : "",
	    signs[i].ski ? " -keyid" : "", detached ? "" : " -nodetach");
	ck_assert_int_eq(fx_openssl(dir, line), 0);
	der = fx_get(dir, "in");
	good(&der, detached, i);
	buf_clear(&der);
}
END_TEST

/* ---- encryption ---- */

static const struct {
	const char *id, *words;
	enum cms_keymode mode;
	bool ski;
} keys[] = {
    {"rsa", "", CMS_KEY_RSA_V15, false},
    {"rsa", "-keyid", CMS_KEY_RSA_V15, true},
    {"rsa", "-keyopt rsa_padding_mode:oaep", CMS_KEY_RSA_OAEP_SHA1, false},
    {"rsa", "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256",
	CMS_KEY_RSA_OAEP_SHA256, false},
    {"ec", "-keyopt ecdh_kdf_md:sha256", CMS_KEY_ECDH, false},
    {"ec", "-keyid", CMS_KEY_ECDH, true},
    {"p384", "-keyopt ecdh_kdf_md:sha384", CMS_KEY_ECDH, false},
};
static const struct {
	const char *word;
	enum cms_cipher cipher;
} ciphers[] = {
    {"-aes-128-cbc", CMS_AES_128_CBC},
    {"-aes-192-cbc", CMS_AES_192_CBC},
    {"-aes-256-cbc", CMS_AES_256_CBC},
    {"-aes-128-gcm", CMS_AES_128_GCM},
    {"-aes-192-gcm", CMS_AES_192_GCM},
    {"-aes-256-gcm", CMS_AES_256_GCM},
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]), CIPHERS = sizeof(ciphers) / sizeof(ciphers[0]) };

static void encrypt_for(struct fx_id *id, int k, enum cms_cipher cipher, struct buf *out)
{
	struct cms_recipient r = {.cert = id->cert, .mode = keys[k].mode, .ski = keys[k].ski};

	fx_encrypt_to(&text, &r, 1, cipher, out);
}

START_TEST(test_enc_ours)
{
	int k = _i / CIPHERS, c = _i % CIPHERS;
	struct fx_id id = fx_id(keys[k].id);
	struct buf der;

	encrypt_for(&id, k, ciphers[c].cipher, &der);
	fx_openssl_decrypts(dir, &der, keys[k].id, &text);
	buf_clear(&der);
	fx_id_clear(&id);
}
END_TEST

static void opens(const char *name, const char *line)
{
	struct fx_id id = fx_id(name);
	struct problem pr;
	struct buf der, got;

	ck_assert_msg(fx_openssl(dir, line) == 0, "%s", line);
	der = fx_get(dir, "in");
	ck_assert_msg(fx_decrypt(der.p, der.len, &id, &got, &pr) == 0, "%s: %s", line, pr.text);
	fx_same(&got, &text);
	buf_clear(&got);
	buf_clear(&der);
	fx_id_clear(&id);
}

START_TEST(test_enc_theirs)
{
	int k = _i / CIPHERS, c = _i % CIPHERS;
	char line[400];

	/* streamed, or in one piece of definite length */
	snprintf(line, sizeof(line),
	    "cms -encrypt -binary %s -outform DER -in %%D/text -out %%D/in %s -recip tests/data/cms/%s.pem %s",
	    _i % 2 ? "-stream" : "", ciphers[c].word, keys[k].id, keys[k].words);
	opens(keys[k].id, line);
}
END_TEST

/* What we do not write, and read. */
static const struct {
	const char *id, *words;
} reads[] = {
    {"rsa", "-aes256 -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha384 -keyopt rsa_mgf1_md:sha384"},
    {"rsa", "-aes256 -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512 -keyopt rsa_mgf1_md:sha512"},
    {"rsa", "-aes256 -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha1"},
    {"rsa", "-aes128 -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha1 -keyopt rsa_mgf1_md:sha512"},
    {"rsa", "-aes256 -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_label:74656c6c"},
    {"rsa", "-aes-256-gcm -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_oaep_label:00ff00"},
    {"ec", "-aes256"}, /* X9.63 with SHA-1 */
    {"ec", "-aes256 -keyopt ecdh_kdf_md:sha224"},
    {"ec", "-aes256 -keyopt ecdh_kdf_md:sha512"},
    {"ec", "-aes256 -keyopt ecdh_kdf_md:sha256 -keyopt ecdh_cofactor_mode:1"},
    {"p384", "-aes-256-gcm"},
    /* beside recipients of kinds that are no person's */
    {"rsa", "-aes256 -pwri_password secret"},
    {"ec", "-aes-192-cbc -pwri_password secret"},
    {"ec", "-aes128 -secretkey 000102030405060708090A0B0C0D0E0F -secretkeyid C0FFEE"},
    {"p521", "-aes-128-cbc -keyopt ecdh_kdf_md:sha512"},
    {"p521", "-aes-256-gcm -keyopt ecdh_kdf_md:sha256"},
};

START_TEST(test_reads)
{
	char line[400];

	snprintf(line, sizeof(line),
	    "cms -encrypt -binary -outform DER -in %%D/text -out %%D/in -recip "
	    "tests/data/cms/%s.pem %s",
	    reads[_i].id, reads[_i].words);
	opens(reads[_i].id, line);
}
END_TEST

START_TEST(test_several)
{
	/* one message of theirs for all kinds of recipients, one of ours, and several signers of theirs */
	static const char *const ids[] = {"rsa", "ec", "other", "p384", "p521"};
	static const char encrypt[] =
	    "cms -encrypt -binary -outform DER -in %D/text -out %D/in -aes-256-cbc "
	    "-recip tests/data/cms/rsa.pem -keyopt rsa_padding_mode:oaep -recip tests/data/cms/ec.pem "
	    "-recip tests/data/cms/other.pem -recip tests/data/cms/p384.pem -keyopt ecdh_kdf_md:sha384 "
	    "-recip tests/data/cms/p521.pem";
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		opens(ids[i], encrypt);
	ck_assert_int_eq(fx_openssl(dir, "cms -sign -binary -nodetach -outform DER -in %D/text -out %D/in "
					 "-signer tests/data/cms/rsa.pem -inkey tests/data/cms/rsa.key "
					 "-signer tests/data/cms/ec.pem -inkey tests/data/cms/ec.key "
					 "-signer tests/data/cms/p384.pem -inkey tests/data/cms/p384.key"),
	    0);
	der = fx_get(dir, "in");
	ck_assert_msg(fx_verify(der.p, der.len, NULL, &got, &v, &pr) == 0, "%s", pr.text);
	ck_assert_uint_eq(v.nsigners, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_msg(v.signers[i].ok, "%s", v.signers[i].why);
	cms_verdict_clear(&v);
	buf_clear(&got);
	buf_clear(&der);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cms_openssl");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_sign_ours, 0, SIGNS * 2);
	tcase_add_loop_test(t, test_sign_theirs, 0, SIGNS * 2);
	tcase_add_loop_test(t, test_enc_ours, 0, KEYS * CIPHERS);
	tcase_add_loop_test(t, test_enc_theirs, 0, KEYS * CIPHERS);
	tcase_add_loop_test(t, test_reads, 0, (int)(sizeof(reads) / sizeof(reads[0])));
	tcase_add_test(t, test_several);
	suite_add_tcase(s, t);
	return suite_run(s);
}
