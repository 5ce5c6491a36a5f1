/* cms_enc.c: every cipher and key mode is read by openssl(1) and by ourselves; several recipients; writes of every
 * size; what it refuses. */
#include "tests/unit/cms_fixture.h"

static struct buf text;

static void setup(void)
{
	text = fx_text(50000);
}

static void teardown(void)
{
	buf_clear(&text);
}

static const struct {
	const char *id;
	enum cms_keymode mode;
	enum cms_cipher cipher;
	enum cms_kind kind;
	const char *name;
} cases[] = {
    {"rsa", CMS_KEY_RSA_V15, CMS_AES_256_CBC, CMS_KIND_ENVELOPED, "aes-256-cbc"},
    {"rsa", CMS_KEY_RSA_V15, CMS_AES_128_CBC, CMS_KIND_ENVELOPED, "aes-128-cbc"},
    {"rsa", CMS_KEY_RSA_V15, CMS_AES_256_GCM, CMS_KIND_AUTH_ENVELOPED, "aes-256-gcm"},
    {"rsa", CMS_KEY_RSA_OAEP_SHA256, CMS_AES_256_CBC, CMS_KIND_ENVELOPED, "aes-256-cbc"},
    {"rsa", CMS_KEY_RSA_OAEP_SHA256, CMS_AES_128_GCM, CMS_KIND_AUTH_ENVELOPED, "aes-128-gcm"},
    {"rsa", CMS_KEY_ECDH, CMS_AES_256_CBC, CMS_KIND_ENVELOPED, "aes-256-cbc"}, /* cannot be: v1.5 */
    {"ec", CMS_KEY_ECDH, CMS_AES_256_CBC, CMS_KIND_ENVELOPED, "aes-256-cbc"},
    {"ec", CMS_KEY_RSA_V15, CMS_AES_128_CBC, CMS_KIND_ENVELOPED, "aes-128-cbc"}, /* cannot be: ECDH */
    {"ec", CMS_KEY_ECDH, CMS_AES_256_GCM, CMS_KIND_AUTH_ENVELOPED, "aes-256-gcm"},
    {"p384", CMS_KEY_ECDH, CMS_AES_128_GCM, CMS_KIND_AUTH_ENVELOPED, "aes-128-gcm"},
};

START_TEST(test_modes)
{
	struct fx_id id = fx_id(cases[_i].id);
	struct cms_outline *o;
	struct stream_mem in;
	struct problem pr;
	struct buf der, got;
	char dir[64];

	fx_encrypt(&text, id.cert, cases[_i].mode, cases[_i].cipher, &der);
	stream_mem_init(&in, der.p, der.len);
	ck_assert_int_eq(cms_outline(&in.reader, NULL, &o, &pr), 0);
	ck_assert_int_eq(cms_outline_kind(o), cases[_i].kind);
	ck_assert_str_eq(cms_outline_cipher(o), cases[_i].name);
	ck_assert_uint_eq(cms_outline_recipients(o), 1);
	ck_assert_uint_eq(cms_outline_key_octets(o), strstr(cases[_i].name, "128") != NULL ? 16 : 32);
	cms_outline_free(o);
	ck_assert_msg(fx_decrypt(der.p, der.len, &id, &got, &pr) == 0, "%s", pr.text);
	fx_same(&got, &text);
	buf_clear(&got);

	fx_dir(dir);
	fx_openssl_decrypts(dir, &der, cases[_i].id, &text);
	fx_remove(dir);
	buf_clear(&der);
	fx_id_clear(&id);
}
END_TEST

/* dhSinglePass-stdDH-sha256kdf 1.3.132.1.11.1 ... with a wrap of the content key's size: not what OpenSSL does
 * unasked. */
static const struct {
	const char *id;
	uint8_t kdf;
	enum cms_cipher cipher;
	uint8_t wrap;
} ecdh[] = {
    {"ec", 1, CMS_AES_256_CBC, 0x2d},
    {"ec", 1, CMS_AES_192_CBC, 0x19},
    {"ec", 1, CMS_AES_128_GCM, 0x05},
    {"p384", 2, CMS_AES_256_GCM, 0x2d},
    {"p384", 2, CMS_AES_128_CBC, 0x05},
    {"p521", 3, CMS_AES_256_CBC, 0x2d},
};

START_TEST(test_ecdh_form)
{
	const uint8_t kdf[] = {0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0b, ecdh[_i].kdf};
	const uint8_t wrap[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, ecdh[_i].wrap};
	struct fx_id id = fx_id(ecdh[_i].id);
	struct buf der;

	fx_encrypt(&text, id.cert, CMS_KEY_ECDH, ecdh[_i].cipher, &der);
	ck_assert_ptr_nonnull(memmem(der.p, 400, kdf, sizeof(kdf)));
	ck_assert_ptr_nonnull(memmem(der.p, 400, wrap, sizeof(wrap)));
	buf_clear(&der);
	fx_id_clear(&id);
}
END_TEST

START_TEST(test_recipients)
{
	struct fx_id id[] = {fx_id("rsa"), fx_id("ec"), fx_id("p384"), fx_id("other")};
	struct cms_recipient r[] = {{.cert = id[0].cert, .mode = CMS_KEY_RSA_OAEP_SHA256},
	    {.cert = id[1].cert, .mode = CMS_KEY_ECDH}, {.cert = id[2].cert, .mode = CMS_KEY_ECDH}};
	struct problem pr;
	struct buf der, got;

	fx_encrypt_to(&text, r, 3, CMS_AES_256_GCM, &der);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(fx_decrypt(der.p, der.len, &id[i], &got, &pr), i < 3 ? 0 : -1);
		if (i < 3)
			fx_same(&got, &text);
		buf_clear(&got);
		fx_id_clear(&id[i]);
	}
	buf_clear(&der);
}
END_TEST

START_TEST(test_no_key_identifier)
{
	/* a certificate without the extension is named by issuer and serial number, whatever is asked */
	for (int without = 0; without < 2; without++)
		for (int i = 0; i < 2; i++) {
			struct fx_id id = fx_id(i == 0 ? "rsa" : "ec");
			struct cms_recipient r = {.cert = id.cert, .mode = CMS_KEY_RSA_V15, .ski = true};
			const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(id.cert);
			struct problem pr;
			struct buf der, got, octets;

			buf_init(&octets, 100);
			ck_assert_int_eq(
			    buf_add(&octets, ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski)), 0);
			if (without) {
				int at = X509_get_ext_by_NID(id.cert, NID_subject_key_identifier, -1);

				X509_EXTENSION_free(X509_delete_ext(id.cert, at));
				ck_assert_int_gt(X509_sign(id.cert, id.key, EVP_sha256()), 0);
				r.cert = X509_dup(id.cert); /* what was read of it is forgotten */
				X509_free(id.cert);
				id.cert = r.cert;
			}
			fx_encrypt_to(&text, &r, 1, CMS_AES_256_CBC, &der);
			ck_assert_int_eq(memmem(der.p, 400, octets.p, octets.len) == NULL, without);
			ck_assert_msg(fx_decrypt(der.p, der.len, &id, &got, &pr) == 0, "%s", pr.text);
			fx_same(&got, &text);
			buf_clear(&octets);
			buf_clear(&got);
			buf_clear(&der);
			fx_id_clear(&id);
		}
}
END_TEST

START_TEST(test_write_sizes)
{
	static const size_t sizes[] = {1, 7, 4096, 16383, 16384, 16385, 40000, 50000};
	struct fx_id id = fx_id("ec");
	struct cms_recipient r = {.cert = id.cert, .mode = CMS_KEY_ECDH};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct problem pr = {0};
		struct stream_buf to;
		struct cms_enc *e;
		struct buf der, got;

		buf_init(&der, FX_MAX);
		stream_buf_init(&to, &der);
		e = cms_enc_new(&r, 1, CMS_AES_256_CBC, &to.writer, &pr);
		ck_assert_ptr_nonnull(e);
		for (size_t off = 0; off < text.len; off += sizes[i]) {
			size_t n = text.len - off < sizes[i] ? text.len - off : sizes[i];

			ck_assert_int_eq(stream_write(cms_enc_writer(e), text.p + off, n, &pr), 0);
		}
		ck_assert_int_eq(cms_enc_end(e, &pr), 0);
		ck_assert_uint_lt(der.len, text.len + 1000);
		ck_assert_msg(fx_decrypt(der.p, der.len, &id, &got, &pr) == 0, "%s", pr.text);
		fx_same(&got, &text);
		buf_clear(&got);
		buf_clear(&der);
	}
	fx_id_clear(&id);
}
END_TEST

START_TEST(test_nested)
{
	/* the main use: the signer writes straight into the encryption; both ends also as openssl(1) */
	struct fx_id sig = fx_id("rsa"), enc = fx_id("ec");
	struct cms_signer s = {.cert = sig.cert, .key = sig.key, .domain = true};
	struct cms_recipient r = {.cert = enc.cert, .mode = CMS_KEY_ECDH};
	struct problem pr = {0};
	struct cms_verdict v;
	struct stream_mem in;
	struct stream_buf to;
	struct cms_enc *e;
	struct buf der, got, content;
	char dir[64];

	buf_init(&der, FX_MAX);
	stream_buf_init(&to, &der);
	stream_mem_init(&in, text.p, text.len);
	e = cms_enc_new(&r, 1, CMS_AES_256_CBC, &to.writer, &pr);
	ck_assert_ptr_nonnull(e);
	ck_assert_msg(cms_sign(&in.reader, &s, enc.cert, cms_enc_writer(e), &pr) == 0, "%s", pr.text);
	ck_assert_int_eq(cms_enc_end(e, &pr), 0);
	ck_assert_int_eq(fx_decrypt(der.p, der.len, &enc, &got, &pr), 0);
	ck_assert_int_eq(fx_verify(got.p, got.len, NULL, &content, &v, &pr), 0);
	ck_assert_msg(v.signers[0].ok, "%s", v.signers[0].why);
	fx_same(&content, &text);
	buf_clear(&content);
	buf_clear(&got);
	cms_verdict_clear(&v);

	fx_dir(dir);
	fx_put(dir, "in", &der);
	ck_assert_int_eq(fx_openssl(dir, "cms -decrypt -binary -inform DER -in %D/in -recip tests/data/cms/ec.pem "
					 "-inkey tests/data/cms/ec.key -out %D/sig"),
	    0);
	ck_assert_int_eq(fx_openssl(dir, "cms -verify -noverify -binary -inform DER -in %D/sig -out %D/out"), 0);
	got = fx_get(dir, "out");
	fx_same(&got, &text);
	fx_remove(dir);
	buf_clear(&got);
	buf_clear(&der);
	fx_id_clear(&sig);
	fx_id_clear(&enc);
}
END_TEST

START_TEST(test_refused)
{
	struct fx_id weak = fx_id("weak"), rsa = fx_id("rsa");
	struct cms_recipient r[] = {
	    {.cert = rsa.cert, .mode = CMS_KEY_RSA_V15}, {.cert = weak.cert, .mode = CMS_KEY_RSA_V15}};
	struct problem pr = {0};
	struct stream_buf to;
	struct buf der;

	buf_init(&der, FX_MAX);
	stream_buf_init(&to, &der);
	ck_assert_ptr_null(cms_enc_new(r, 2, CMS_AES_256_CBC, &to.writer, &pr));
	ck_assert_int_eq(pr.cls, PROBLEM_POLICY);
	ck_assert_ptr_nonnull(strstr(pr.text, "weak.hospital.example"));
	ck_assert_uint_eq(der.len, 0);
	fx_id_clear(&weak);
	fx_id_clear(&rsa);
}
END_TEST

START_TEST(test_writer_fails)
{
	struct fx_id id = fx_id("rsa");
	struct cms_recipient r = {.cert = id.cert, .mode = CMS_KEY_RSA_V15};
	struct problem pr = {0};
	struct stream_buf to;
	struct cms_enc *e;
	struct buf der;

	/* however much fits, either a write or the end fails, and says what the writer said */
	for (size_t max = 0; max < 30000; max += 997) {
		buf_init(&der, max);
		stream_buf_init(&to, &der);
		e = cms_enc_new(&r, 1, CMS_AES_256_CBC, &to.writer, &pr);
		ck_assert_ptr_nonnull(e);
		problem_clear(&pr);
		if (stream_write(cms_enc_writer(e), text.p, 30000, &pr) == -1)
			cms_enc_free(e);
		else
			ck_assert_int_eq(cms_enc_end(e, &pr), -1);
		ck_assert_str_eq(pr.enh, "5.3.4");
		buf_clear(&der);
	}
	fx_id_clear(&id);
}
END_TEST

START_TEST(test_abandon)
{
	struct fx_id id = fx_id("rsa");
	struct cms_recipient r = {.cert = id.cert, .mode = CMS_KEY_RSA_V15};
	struct problem pr = {0};
	struct stream_buf to;
	struct cms_enc *e;
	struct buf der;

	buf_init(&der, FX_MAX);
	stream_buf_init(&to, &der);
	e = cms_enc_new(&r, 1, CMS_AES_256_GCM, &to.writer, &pr);
	cms_enc_free(e);
	e = cms_enc_new(&r, 1, CMS_AES_256_GCM, &to.writer, &pr);
	ck_assert_int_eq(stream_write(cms_enc_writer(e), text.p, text.len, &pr), 0);
	cms_enc_free(e);
	cms_enc_free(NULL);
	e = cms_enc_new(&r, 1, CMS_AES_256_GCM, &to.writer, &pr);
	ck_assert_int_eq(cms_enc_end(e, &pr), -1);
	ck_assert_str_eq(pr.text, "There is nothing to encrypt.");
	buf_clear(&der);
	fx_id_clear(&id);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cms_enc");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_modes, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_loop_test(t, test_ecdh_form, 0, (int)(sizeof(ecdh) / sizeof(ecdh[0])));
	tcase_add_test(t, test_recipients);
	tcase_add_test(t, test_no_key_identifier);
	tcase_add_test(t, test_write_sizes);
	tcase_add_test(t, test_nested);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_writer_fails);
	tcase_add_test(t, test_abandon);
	suite_add_tcase(s, t);
	return suite_run(s);
}
