/* Opening a PKCS#12 file. What was the key is wiped as soon as it is sent. */
#include "admin-ui/cli_p12.h"

#include <openssl/crypto.h>
#include <sys/prctl.h>

#include "admin-ui/cli_ask.h"
#include "admin-ui/cli_file.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "certstore/p12.h"
#include "gateway/base/file.h"
#include "gateway/base/sandbox.h"

static int put(const struct p12 *p, json_t *args, struct problem *pr)
{
	size_t n;
	unsigned char *der = p12_key(p, &n, pr);
	BIO *certs = der ? p12_certs(p, pr) : NULL;
	char *text;
	long len = certs ? BIO_get_mem_data(certs, &text) : 0;

	if (len > 0) {
		cli_json_set(args, "key", cli_file_b64_of(der, n));
		cli_json_set(args, "certs", cli_file_b64_of(text, (size_t)len));
	}
	OPENSSL_clear_free(der, n);
	BIO_free(certs);
	return len > 0 ? 0 : -1;
}

static int open_with(const struct buf *file, const char *password, json_t *args, struct problem *pr)
{
	struct p12 p;
	int rc = p12_open(file->p, file->len, password, &p, pr);

	if (rc == 0)
		rc = put(&p, args, pr);
	p12_clear(&p);
	return rc;
}

int cli_p12_args(const struct cli *c, const char *path, json_t *args)
{
	struct problem pr = {0};
	struct buf file, password;
	int rc = CLI_OK, fits;

	sandbox_limits();
	(void)prctl(PR_SET_DUMPABLE, 0); /* a key is about to be in this memory */
	buf_init(&file, P12_FILE_MAX);
	buf_init(&password, P12_PASSWORD_MAX);
	if (file_read(path, &file, &pr) != 0)
		rc = cli_out_fail("%s", pr.text);
	fits = rc == CLI_OK ? p12_fits(file.p, file.len, "", &pr) : -1;
	if (rc == CLI_OK && fits < 0)
		rc = cli_out_fail("%s: %s", path, pr.text);
	if (fits == 0)
		rc = cli_ask_password(c, "Password of the PKCS#12 file: ", &password);
	if (rc == CLI_OK && open_with(&file, buf_str(&password), args, &pr) < 0)
		rc = cli_out_fail("%s: %s", path, pr.text);
	buf_clear(&password);
	buf_clear(&file);
	return rc;
}
