/* Common ground of the CMS tests: keys of tests/data/cms, messages in memory, the openssl command line. Tests run in
 * the project's root. */
#ifndef POSTERN_TESTS_CMS_FIXTURE_H
#define POSTERN_TESTS_CMS_FIXTURE_H

#include <check.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/cms/cms.h"
#include "tests/unit/suite.h"

#define FX __attribute__((unused)) static

enum { FX_MAX = 64 << 20 };

extern char **environ;

struct fx_id {
	X509 *cert;
	EVP_PKEY *key;
};

FX struct fx_id fx_id(const char *name)
{
	struct fx_id id;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "tests/data/cms/%s.pem", name);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s is missing: run the tests in the project's root", path);
	id.cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	snprintf(path, sizeof(path), "tests/data/cms/%s.key", name);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	id.key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	ck_assert_ptr_nonnull(id.cert);
	ck_assert_ptr_nonnull(id.key);
	return id;
}

FX void fx_id_clear(struct fx_id *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
}

/* A message body of n octets in CRLF lines. */
FX struct buf fx_text(size_t n)
{
	static const char line[] = "The result of the examination is in the attachment.\r\n";
	struct buf b;

	buf_init(&b, FX_MAX);
	while (b.len < n)
		ck_assert_int_eq(buf_addc(&b, (uint8_t)line[b.len % (sizeof(line) - 1)]), 0);
	return b;
}

FX void fx_sign(const struct buf *text, const struct cms_signer *s, X509 *enc_cert, struct buf *out)
{
	struct problem pr = {0};
	struct stream_mem in;
	struct stream_buf to;

	buf_init(out, FX_MAX);
	stream_mem_init(&in, text->p, text->len);
	stream_buf_init(&to, out);
	ck_assert_msg(cms_sign(&in.reader, s, enc_cert, &to.writer, &pr) == 0, "%s", pr.text);
}

FX void fx_sign_detached(const struct buf *text, const struct cms_signer *s, struct buf *out)
{
	struct problem pr = {0};
	struct stream_mem in;
	struct stream_buf to;
	const char *micalg;

	buf_init(out, FX_MAX);
	stream_mem_init(&in, text->p, text->len);
	stream_buf_init(&to, out);
	ck_assert_msg(cms_sign_detached(&in.reader, s, NULL, &to.writer, &micalg, &pr) == 0, "%s", pr.text);
}

FX void fx_encrypt_to(
    const struct buf *text, const struct cms_recipient *r, size_t n, enum cms_cipher cipher, struct buf *out)
{
	struct problem pr = {0};
	struct stream_buf to;
	struct cms_enc *e;

	buf_init(out, FX_MAX);
	stream_buf_init(&to, out);
	e = cms_enc_new(r, n, cipher, &to.writer, &pr);
	ck_assert_msg(e != NULL, "%s", pr.text);
	ck_assert_int_eq(stream_write(cms_enc_writer(e), text->p, text->len, &pr), 0);
	ck_assert_msg(cms_enc_end(e, &pr) == 0, "%s", pr.text);
}

FX void fx_encrypt(const struct buf *text, X509 *cert, enum cms_keymode mode, enum cms_cipher cipher, struct buf *out)
{
	struct cms_recipient r = {.cert = cert, .mode = mode};

	fx_encrypt_to(text, &r, 1, cipher, out);
}

/* Outline, check and decrypt; -1 with pr wherever it failed. *plain is to be cleared in both cases. */
FX int fx_decrypt(const void *p, size_t n, const struct fx_id *id, struct buf *plain, struct problem *pr)
{
	struct cms_outline *o = NULL;
	struct stream_mem in;
	struct stream_buf to;
	int r;

	memset(pr, 0, sizeof(*pr));
	buf_init(plain, FX_MAX);
	stream_buf_init(&to, plain);
	stream_mem_init(&in, p, n);
	r = cms_outline(&in.reader, NULL, &o, pr);
	if (r == 0)
		r = cms_outline_check(o, pr);
	if (r == 0)
		r = cms_decrypt(o, id->cert, id->key, NULL, &to.writer, pr);
	cms_outline_free(o);
	return r;
}

FX int fx_verify(const void *p, size_t n, const struct buf *detached, struct buf *content, struct cms_verdict *v,
    struct problem *pr)
{
	struct cms_outline *o = NULL;
	struct stream_mem in, side;
	struct stream_buf to;
	int r;

	memset(pr, 0, sizeof(*pr));
	memset(v, 0, sizeof(*v));
	buf_init(content, FX_MAX);
	stream_buf_init(&to, content);
	stream_mem_init(&in, p, n);
	if (detached != NULL)
		stream_mem_init(&side, detached->p, detached->len);
	r = cms_outline(&in.reader, NULL, &o, pr);
	if (r == 0)
		r = cms_verify(
		    o, detached != NULL ? &side.reader : NULL, detached != NULL ? NULL : &to.writer, v, pr);
	cms_outline_free(o);
	return r;
}

FX void fx_same(const struct buf *a, const struct buf *b)
{
	ck_assert_uint_eq(a->len, b->len);
	ck_assert(a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

/* ---- openssl(1) in a directory of its own ---- */

FX void fx_dir(char dir[64])
{
	snprintf(dir, 64, "/tmp/postern-cms-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

FX void fx_put(const char *dir, const char *name, const struct buf *b)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, b->p, b->len), (ssize_t)b->len);
	close(fd);
}

FX struct buf fx_get(const char *dir, const char *name)
{
	struct problem pr = {0};
	char path[160];
	struct buf b;

	buf_init(&b, FX_MAX);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_msg(file_read(path, &b, &pr) == 0, "%s", pr.text);
	return b;
}

/* Runs "openssl <words>"; %D in a word stands for the directory. Returns the exit status. */
FX int fx_openssl(const char *dir, const char *words)
{
	char line[1024], *argv[64], *save = NULL, path[64][160];
	posix_spawn_file_actions_t fa;
	int n = 0, status;
	pid_t pid;

	snprintf(line, sizeof(line), "openssl %s", words);
	for (char *w = strtok_r(line, " ", &save); w != NULL && n < 63; w = strtok_r(NULL, " ", &save)) {
		if (strncmp(w, "%D/", 3) == 0) {
			snprintf(path[n], sizeof(path[n]), "%s/%s", dir, w + 3);
			w = path[n];
		}
		argv[n++] = w;
	}
	argv[n] = NULL;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
	ck_assert_int_eq(posix_spawnp(&pid, "openssl", &fa, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&fa);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What it wrote is the text. */
FX void fx_openssl_wrote(const char *dir, const struct buf *text)
{
	struct buf got = fx_get(dir, "out");

	fx_same(&got, text);
	buf_clear(&got);
}

/* It decrypts der with the key of that name, and gets the text. */
FX void fx_openssl_decrypts(const char *dir, const struct buf *der, const char *name, const struct buf *text)
{
	char line[300];

	fx_put(dir, "in", der);
	snprintf(line, sizeof(line),
	    "cms -decrypt -binary -inform DER -in %%D/in -recip tests/data/cms/%s.pem -inkey tests/data/cms/%s.key "
	    "-out %%D/out",
	    name, name);
	ck_assert_int_eq(fx_openssl(dir, line), 0);
	fx_openssl_wrote(dir, text);
}

/* It verifies der, and gets the text; detached: of a signature alone. */
FX void fx_openssl_verifies(const char *dir, const struct buf *der, bool detached, const struct buf *text)
{
	fx_put(dir, "in", der);
	fx_put(dir, "text", text);
	ck_assert_int_eq(
	    fx_openssl(dir, detached
				? "cms -verify -noverify -binary -inform DER -in %D/in -content %D/text -out %D/out"
				: "cms -verify -noverify -binary -inform DER -in %D/in -out %D/out"),
	    0);
	fx_openssl_wrote(dir, text);
}

FX void fx_remove(const char *dir)
{
	static const char *const names[] = {"in", "out", "text", "sig", "signer"};
	char path[160];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

#endif
