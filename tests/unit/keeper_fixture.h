/*
 * A keeper in threads of the test, with its key files in memory, and clients over socketpairs. For the unit tests of
 * gateway/keys.
 */
#ifndef POSTERN_TESTS_UNIT_KEEPER_FIXTURE_H
#define POSTERN_TESTS_UNIT_KEEPER_FIXTURE_H

#include <check.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/ipc.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keeper.h"
#include "gateway/keys/keeper_files.h"
#include "gateway/keys/keeper_proto.h"
#include "gateway/keys/keys.h"
#include "tests/unit/suite.h"

#define FIXTURE_PASSPHRASE "correct horse"
#define FIXTURE_THREADS 3

/* Made once in main(), before Check forks: a master file and one key of each algorithm. RSA keys take seconds to
 * find, scrypt its tenths. */
static struct buf fixture_master;
static struct buf fixture_pkcs8[KEYS_EC_P521 + 1];

struct fixture_file {
	char name[80];
	struct buf content;
};

struct fixture {
	struct keeper *k;
	pthread_t thread;
	struct buf master;
	struct fixture_file files[40];
	int nfiles;
	int refuse; /* persist fails */
};

static inline int fixture_persist(void *ctx, const char *name, const void *p, size_t n, struct problem *pr)
{
	struct fixture *f = ctx;
	struct fixture_file *file;

	if (f->refuse)
		return problem_temp(pr, "no room for %s", name);
	if (p == NULL) {
		for (int i = 0; i < f->nfiles; i++)
			if (strcmp(f->files[i].name, name) == 0) {
				buf_clear(&f->files[i].content);
				f->files[i] = f->files[--f->nfiles];
				return 0;
			}
		return 0;
	}
	ck_assert_int_lt(f->nfiles, 40);
	file = &f->files[f->nfiles++];
	ck_assert_int_eq(mem_copy_str(file->name, sizeof(file->name), name), 0);
	buf_init(&file->content, KEEPER_FILES_KEY_MAX);
	ck_assert_int_eq(buf_add(&file->content, p, n), 0);
	return 0;
}

static inline void *fixture_thread(void *arg)
{
	keeper_run(arg, FIXTURE_THREADS);
	return NULL;
}

static const char *fixture_https_host = "";
static enum keeper_client fixture_https_client = KEEPER_FOR_PUBLIC;

/* The keeper as a process would start it: sealed, unsealed, keys loaded, served. */
static inline void fixture_up(struct fixture *f)
{
	struct problem pr = {0};

	f->k = keeper_new(fixture_persist, f);
	keeper_https_host(f->k, fixture_https_client, fixture_https_host);
	ck_assert_msg(
	    keeper_unseal(f->k, FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), f->master.p, f->master.len, &pr) == 0,
	    "%s", pr.text);
	for (int i = 0; i < f->nfiles; i++)
		ck_assert_msg(
		    keeper_load(f->k, f->files[i].name, f->files[i].content.p, f->files[i].content.len, &pr) == 0,
		    "%s", pr.text);
	ck_assert_int_eq(pthread_create(&f->thread, NULL, fixture_thread, f->k), 0);
}

static inline void fixture_down(struct fixture *f)
{
	keeper_stop(f->k);
	ck_assert_int_eq(pthread_join(f->thread, NULL), 0);
	keeper_free(f->k);
	f->k = NULL;
}

static inline void fixture_start(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->master, 1024);
	ck_assert_int_eq(buf_add(&f->master, fixture_master.p, fixture_master.len), 0);
	fixture_up(f);
}

static inline void fixture_end(struct fixture *f)
{
	if (f->k)
		fixture_down(f);
	buf_clear(&f->master);
	for (int i = 0; i < f->nfiles; i++)
		buf_clear(&f->files[i].content);
}

/* The client's end of a new channel. */
static inline int fixture_fd(struct fixture *f, enum keeper_client who)
{
	int fds[2];

	ck_assert_int_eq(ipc_pair(fds), 0);
	keeper_attach(f->k, fds[0], who);
	return fds[1];
}

static inline struct keys_client *fixture_client(struct fixture *f, enum keeper_client who)
{
	return keys_client_new(fixture_fd(f, who));
}

static inline void fixture_pkcs8_make(enum keys_algo algo)
{
	EVP_PKEY *pkey = algo == KEYS_RSA_2048	 ? EVP_RSA_gen(2048)
			 : algo == KEYS_RSA_3072 ? EVP_RSA_gen(3072)
			 : algo == KEYS_RSA_4096 ? EVP_RSA_gen(4096)
			 : algo == KEYS_EC_P256	 ? EVP_EC_gen("P-256")
			 : algo == KEYS_EC_P384	 ? EVP_EC_gen("P-384")
						 : EVP_EC_gen("P-521");
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	unsigned char *der = NULL;
	int n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	buf_init(&fixture_pkcs8[algo], KEEPER_PKCS8_MAX);
	if (n <= 0 || buf_add(&fixture_pkcs8[algo], der, (size_t)n) < 0)
		abort();
	OPENSSL_clear_free(der, (size_t)n);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(pkey);
}

/* Gives a key to the keeper through a judge. Free the public key. */
static inline EVP_PKEY *fixture_key(struct fixture *f, const char *id, enum keys_use use, enum keys_algo algo)
{
	struct keys_client *judge = fixture_client(f, KEEPER_FOR_JUDGE);
	struct problem pr = {0};
	EVP_PKEY *pub;

	ck_assert_msg(keys_import(judge, id, use, fixture_pkcs8[algo].p, fixture_pkcs8[algo].len, &pub, &pr) == 0,
	    "%s", pr.text);
	keys_client_free(judge);
	return pub;
}

/* A self-signed certificate for it. */
static inline X509 *fixture_cert(struct fixture *f, const char *id)
{
	struct keys_cert_request rq = {.kind = KEYS_CERT_SELF,
	    .common_name = "gateway.hospital.example",
	    .organisation = "Hospital",
	    .dns_name = "hospital.example",
	    .rfc822_name = "gateway@hospital.example",
	    .days = 365};
	struct keys_client *judge = fixture_client(f, KEEPER_FOR_JUDGE);
	struct problem pr = {0};
	const unsigned char *p;
	struct buf der;
	X509 *x;

	buf_init(&der, 16384);
	ck_assert_msg(keys_certify(judge, id, &rq, &der, &pr) == 0, "%s", pr.text);
	p = der.p;
	x = d2i_X509(NULL, &p, (long)der.len);
	ck_assert_ptr_nonnull(x);
	ck_assert_ptr_eq(p, der.p + der.len);
	buf_clear(&der);
	keys_client_free(judge);
	return x;
}

/* main() of a test program; algos: bits of the algorithms that fixture_key may be asked for. */
static inline int fixture_run(Suite *s, unsigned algos)
{
	struct problem pr = {0};
	int result;

	buf_init(&fixture_master, 1024);
	if (keeper_master_new(FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), &fixture_master, &pr) < 0)
		abort();
	for (int i = 0; i <= KEYS_EC_P521; i++)
		if (algos & 1u << i)
			fixture_pkcs8_make((enum keys_algo)i);
	result = suite_run(s);
	for (int i = 0; i <= KEYS_EC_P521; i++)
		buf_clear(&fixture_pkcs8[i]);
	buf_clear(&fixture_master);
	return result;
}

#endif
