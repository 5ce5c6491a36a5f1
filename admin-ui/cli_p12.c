/* Opening a PKCS#12 file. What was the key is wiped as soon as it is sent. */
#include "admin-ui/cli_p12.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <sys/prctl.h>

#include "admin-ui/cli_ask.h"
#include "admin-ui/cli_file.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "gateway/base/file.h"
#include "gateway/base/sandbox.h"

enum { FILE_OCTETS_MAX = 1024 * 1024, PASSWORD_MAX = 1024 };

struct opened {
	EVP_PKEY *key;
	X509 *cert;
	STACK_OF(X509) * chain;
};

static int put_key(EVP_PKEY *key, json_t *args)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL;
	int n = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;

	PKCS8_PRIV_KEY_INFO_free(info);
	if (n <= 0)
		return cli_out_fail("the private key in the file is of a kind that cannot be used");
	cli_json_set(args, "key", cli_file_b64_of(der, (size_t)n));
	OPENSSL_clear_free(der, (size_t)n);
	return CLI_OK;
}

static int put_certs(const struct opened *o, json_t *args)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;
	int ok = b != NULL && PEM_write_bio_X509(b, o->cert) == 1;

	for (int i = 0; ok && i < sk_X509_num(o->chain); i++)
		ok = PEM_write_bio_X509(b, sk_X509_value(o->chain, i)) == 1;
	n = ok ? BIO_get_mem_data(b, &p) : 0;
	if (n > 0)
		cli_json_set(args, "certs", cli_file_b64_of(p, (size_t)n));
	BIO_free(b);
	return n > 0 ? CLI_OK : cli_out_fail("the certificates in the file cannot be written out");
}

/* 1 when the MAC over the content fits the password, which is then the one. */
static int try_password(PKCS12 *p, const char *password)
{
	int ok = !PKCS12_mac_present(p) || PKCS12_verify_mac(p, password, -1);

	ERR_clear_error();
	return ok;
}

static int parse(PKCS12 *p, const char *path, const char *password, struct opened *o)
{
	if (!try_password(p, password))
		return cli_out_fail("%s: the password is wrong, or the file was changed", path);
	if (!PKCS12_parse(p, password, &o->key, &o->cert, &o->chain)) {
		/* older programs encrypt with RC2 and 3DES: only then are these loaded */
		ERR_clear_error();
		if (OSSL_PROVIDER_load(NULL, "default") == NULL || OSSL_PROVIDER_load(NULL, "legacy") == NULL ||
		    !PKCS12_parse(p, password, &o->key, &o->cert, &o->chain)) {
			ERR_clear_error();
			return cli_out_fail(
			    "%s cannot be opened: export it anew with AES (openssl pkcs12 -export)", path);
		}
	}
	if (o->key == NULL || o->cert == NULL)
		return cli_out_fail("%s holds no %s: export certificate and private key together", path,
		    o->key == NULL ? "private key" : "certificate that belongs to its key");
	return CLI_OK;
}

static int read_p12(const char *path, PKCS12 **p_r)
{
	struct problem pr = {0};
	const unsigned char *at;
	struct buf b;

	buf_init(&b, FILE_OCTETS_MAX);
	if (file_read(path, &b, &pr) != 0) {
		buf_clear(&b);
		return cli_out_fail("%s", pr.text);
	}
	at = b.p;
	*p_r = b.len > 0 ? d2i_PKCS12(NULL, &at, (long)b.len) : NULL;
	buf_clear(&b);
	ERR_clear_error();
	return *p_r != NULL ? CLI_OK : cli_out_fail("%s is not a PKCS#12 file", path);
}

int cli_p12_args(const struct cli *c, const char *path, json_t *args)
{
	struct opened o = {NULL, NULL, NULL};
	struct buf password;
	PKCS12 *p = NULL;
	int rc;

	sandbox_limits();
	(void)prctl(PR_SET_DUMPABLE, 0); /* a key is about to be in this memory */
	buf_init(&password, PASSWORD_MAX);
	rc = read_p12(path, &p);
	if (rc == CLI_OK && !try_password(p, ""))
		rc = cli_ask_password(c, "Password of the PKCS#12 file: ", &password);
	if (rc == CLI_OK)
		rc = parse(p, path, buf_str(&password), &o);
	buf_clear(&password);
	PKCS12_free(p);
	if (rc == CLI_OK)
		rc = put_key(o.key, args);
	if (rc == CLI_OK)
		rc = put_certs(&o, args);
	EVP_PKEY_free(o.key);
	X509_free(o.cert);
	sk_X509_pop_free(o.chain, X509_free);
	return rc;
}
