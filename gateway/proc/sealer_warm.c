#include "gateway/proc/sealer_warm.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/cms/cms.h"
#include "gateway/mail/sevenbit.h"

static const char text[] =
    "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xe4\r\n";

static X509 *certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *n = X509_NAME_new();

	if (x == NULL || n == NULL ||
	    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)"warm", -1, -1, 0) != 1)
		log_fatal("warm-up: no certificate");
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_set_subject_name(x, n);
	X509_set_issuer_name(x, n);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	if (X509_set_pubkey(x, key) != 1 || X509_sign(x, key, EVP_sha256()) == 0)
		log_fatal("warm-up: no certificate");
	X509_NAME_free(n);
	return x;
}

static void round_trip(EVP_PKEY *key, X509 *x, struct buf *cms, struct buf *plain)
{
	struct stream_mem m;
	struct stream_buf out, back;
	struct cms_signer s = {.cert = x, .key = key};
	struct cms_recipient rc = {.cert = x, .mode = CMS_KEY_RSA_V15};
	struct cms_outline *o = NULL;
	struct problem pr = {0};
	struct cms_enc *e;

	stream_mem_init(&m, text, sizeof(text) - 1);
	stream_buf_init(&out, cms);
	stream_buf_init(&back, plain);
	e = cms_enc_new(&rc, 1, CMS_AES_256_CBC, &out.writer, &pr);
	if (e == NULL || cms_sign(&m.reader, &s, x, cms_enc_writer(e), &pr) != 0 || cms_enc_end(e, &pr) != 0)
		log_fatal("warm-up: %s", pr.text);
	stream_mem_init(&m, cms->p, cms->len);
	if (cms_outline(&m.reader, &cms_limits_default, &o, &pr) != 0 ||
	    cms_decrypt(o, x, key, NULL, &back.writer, &pr) != 0)
		log_fatal("warm-up: %s", pr.text);
	cms_outline_free(o);
}

static void verify(struct buf *plain)
{
	struct stream_mem m;
	struct stream_buf back;
	struct buf out;
	struct cms_outline *o = NULL;
	struct cms_verdict v = {0};
	struct problem pr = {0};

	buf_init(&out, 65536);
	stream_buf_init(&back, &out);
	stream_mem_init(&m, plain->p, plain->len);
	if (cms_outline(&m.reader, &cms_limits_default, &o, &pr) != 0 ||
	    cms_verify(o, NULL, &back.writer, &v, &pr) != 0)
		log_fatal("warm-up: %s", pr.text);
	cms_verdict_clear(&v);
	cms_outline_free(o);
	buf_clear(&out);
}

static void one_key(EVP_PKEY *key)
{
	struct buf cms, plain;
	X509 *x;

	if (key == NULL)
		log_fatal("warm-up: no key");
	x = certificate(key);
	buf_init(&cms, 65536);
	buf_init(&plain, 65536);
	round_trip(key, x, &cms, &plain);
	verify(&plain);
	buf_clear(&cms);
	buf_clear(&plain);
	X509_free(x);
	EVP_PKEY_free(key);
}

void sealer_warm(void)
{
	struct stream_mem m;
	struct stream_buf out;
	struct buf b;
	struct problem pr = {0};
	time_t now = time(NULL);
	struct tm tm;

	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	localtime_r(&now, &tm); /* reads the time zone file */
	one_key(EVP_EC_gen("P-256"));
	one_key(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
	buf_init(&b, 65536);
	stream_buf_init(&out, &b);
	stream_mem_init(&m, text, sizeof(text) - 1);
	if (sevenbit_write(&m.reader, 0, sizeof(text) - 1, 65536, &out.writer, &pr) != 0)
		log_fatal("warm-up: %s", pr.text);
	buf_clear(&b);
	ERR_clear_error();
}
