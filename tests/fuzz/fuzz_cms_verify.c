/*
 * cms_verify.c, cms_attr.c, cms_prefer.c: any octets as SignedData, opaque and beside a fixed content. Nobody but the
 * corpus has signed anything, so whatever is called good must be one of its contents, signed by one of its
 * certificates.
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cms/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the corpus has signed. */
static const char content[] = "Content-Type: text/plain\r\n\r\nfuzz\r\n";
static const char *const names[] = {"rsa", "ec", "p384"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };
static EVP_PKEY *keys[NAMES];

static void load(void)
{
	for (int i = 0; i < NAMES && keys[i] == NULL; i++) {
		char path[64];
		X509 *x;
		FILE *f;

		snprintf(path, sizeof(path), "tests/data/cms/%s.pem", names[i]);
		f = fopen(path, "r");
		REQUIRE(f != NULL); /* run in the project's root */
		x = PEM_read_X509(f, NULL, NULL, NULL);
		fclose(f);
		REQUIRE(x != NULL && (keys[i] = X509_get_pubkey(x)) != NULL);
		X509_free(x);
	}
}

static bool known(X509 *cert)
{
	for (int i = 0; i < NAMES; i++)
		if (EVP_PKEY_eq(X509_get0_pubkey(cert), keys[i]) == 1)
			return true;
	return false;
}

static void check_signer(const struct cms_signer_facts *s, const struct buf *out)
{
	struct cms_caps caps;

	if (!s->ok) {
		REQUIRE(s->why[0] != '\0' && s->caps == NULL && s->enc_cert == NULL);
		return;
	}
	REQUIRE(s->why[0] == '\0' && s->cert != NULL && known(s->cert));
	REQUIRE(out == NULL || (out->len == strlen(content) && memcmp(out->p, content, out->len) == 0));
	REQUIRE(s->ncaps <= CMS_CAPS_DER_MAX);
	if (s->caps != NULL)
		(void)!cms_caps_read(s->caps, s->ncaps, &caps);
}

static void verify(const uint8_t *p, size_t n, struct reader *detached)
{
	struct problem pr = {0};
	struct cms_verdict v;
	struct cms_outline *o;
	struct stream_mem in;
	struct stream_buf to;
	struct buf out;

	stream_mem_init(&in, p, n);
	if (cms_outline(&in.reader, NULL, &o, &pr) == -1)
		return;
	buf_init(&out, 1 << 24);
	stream_buf_init(&to, &out);
	if (cms_verify(o, detached, detached != NULL ? NULL : &to.writer, &v, &pr) == -1)
		REQUIRE(pr.cls == PROBLEM_PERM && pr.text[0] != '\0' && v.nsigners == 0);
	else
		REQUIRE(v.nsigners > 0 && v.nsigners <= cms_limits_default.signers);
	for (size_t i = 0; i < v.nsigners; i++)
		check_signer(&v.signers[i], detached != NULL ? NULL : &out);
	cms_verdict_clear(&v);
	cms_outline_free(o);
	buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream_mem side;

	load();
	stream_mem_init(&side, content, strlen(content));
	verify(data, size, NULL);
	verify(data, size, &side.reader);
	return 0;
}
