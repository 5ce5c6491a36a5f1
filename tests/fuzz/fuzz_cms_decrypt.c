/*
 * cms_decrypt.c and cms_verify.c: the whole opening of any octets with fixed keys: outline, decrypt, verify what
 * comes out; the input itself also as SignedData, opaque and beside a content.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cms/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static X509 *certs[2];
static EVP_PKEY *keys[2];

static FILE *must_open(const char *name, const char *ext)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "tests/data/cms/%s.%s", name, ext);
	f = fopen(path, "r");
	REQUIRE(f != NULL); /* run in the project's root */
	return f;
}

static void load(void)
{
	static const char *const names[] = {"rsa", "ec"};

	for (int i = 0; i < 2 && keys[i] == NULL; i++) {
		FILE *f = must_open(names[i], "pem");

		certs[i] = PEM_read_X509(f, NULL, NULL, NULL);
		fclose(f);
		f = must_open(names[i], "key");
		keys[i] = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		fclose(f);
		REQUIRE(certs[i] != NULL && keys[i] != NULL);
	}
}

static void verify(const uint8_t *p, size_t n, struct reader *detached)
{
	struct problem pr = {0};
	struct cms_verdict v;
	struct cms_outline *o;
	struct stream_mem in;
	struct stream_buf to;
	struct buf out;

	buf_init(&out, 1 << 24);
	stream_buf_init(&to, &out);
	stream_mem_init(&in, p, n);
	if (cms_outline(&in.reader, NULL, &o, &pr) == -1)
		return;
	if (cms_verify(o, detached, detached != NULL ? NULL : &to.writer, &v, &pr) == -1)
		REQUIRE(pr.cls == PROBLEM_PERM && pr.text[0] != '\0');
	else
		REQUIRE(v.nsigners > 0);
	for (size_t i = 0; i < v.nsigners; i++)
		REQUIRE(v.signers[i].ok ? v.signers[i].cert != NULL : v.signers[i].why[0] != '\0');
	cms_verdict_clear(&v);
	cms_outline_free(o);
	buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem pr = {0};
	struct cms_outline *o;
	struct stream_mem in, side;
	struct stream_buf to;
	struct buf plain;
	int i;

	load();
	stream_mem_init(&side, "Content-Type: text/plain\r\n\r\nfuzz\r\n", 34);
	verify(data, size, NULL);
	verify(data, size, &side.reader);
	stream_mem_init(&in, data, size);
	if (cms_outline(&in.reader, NULL, &o, &pr) == -1)
		return 0;
	buf_init(&plain, 1 << 24);
	stream_buf_init(&to, &plain);
	i = cms_outline_find(o, certs, 2);
	if (cms_decrypt(o, certs[i == 1], keys[i == 1], NULL, &to.writer, &pr) == 0)
		verify(plain.p, plain.len, NULL);
	else
		REQUIRE(pr.cls == PROBLEM_PERM && pr.text[0] != '\0');
	buf_clear(&plain);
	cms_outline_free(o);
	return 0;
}
