/*
 * Whole jobs with fixed keys, for the fuzz targets of the pipeline: the fixture of the unit tests (a keeper in
 * threads of this process) with the keys of tests/data/cms, so that what a corpus holds stays readable. Header only.
 */
#ifndef POSTERN_TESTS_FUZZ_PIPES_H
#define POSTERN_TESTS_FUZZ_PIPES_H

#include <check.h>
#include <openssl/pem.h>

#include "gateway/base/log.h"

/* Check reports to its runner, and there is none. */
#undef ck_assert
#undef ck_assert_msg
#undef ck_assert_int_eq
#undef ck_assert_int_ge
#undef ck_assert_int_lt
#undef ck_assert_uint_eq
#undef ck_assert_uint_gt
#undef ck_assert_uint_lt
#undef ck_assert_str_eq
#undef ck_assert_ptr_eq
#undef ck_assert_ptr_null
#undef ck_assert_ptr_nonnull
#define ck_assert(e) REQUIRE(e)
#define ck_assert_msg(e, ...) REQUIRE(e)
#define ck_assert_int_eq(a, b) REQUIRE((a) == (b))
#define ck_assert_int_ge(a, b) REQUIRE((a) >= (b))
#define ck_assert_int_lt(a, b) REQUIRE((a) < (b))
#define ck_assert_uint_eq(a, b) REQUIRE((a) == (b))
#define ck_assert_uint_gt(a, b) REQUIRE((a) > (b))
#define ck_assert_uint_lt(a, b) REQUIRE((a) < (b))
#define ck_assert_str_eq(a, b) REQUIRE(strcmp((a), (b)) == 0)
#define ck_assert_ptr_eq(a, b) REQUIRE((const void *)(a) == (const void *)(b))
#define ck_assert_ptr_null(p) REQUIRE((p) == NULL)
#define ck_assert_ptr_nonnull(p) REQUIRE((p) != NULL)

#include "gateway/mail/authres.h"
#include "gateway/mail/mime.h"
#include "tests/unit/pipeline_fixture.h"

static struct pipes w;
static EVP_PKEY *hospital_key;

static inline void fuzz_pipes_key(enum keys_algo algo, const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *key = f == NULL ? NULL : PEM_read_PrivateKey(f, NULL, NULL, NULL);
	PKCS8_PRIV_KEY_INFO *info;
	unsigned char *der = NULL;
	int n;

	REQUIRE(key != NULL); /* run in the project's root */
	fclose(f);
	info = EVP_PKEY2PKCS8(key);
	n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	buf_init(&fixture_pkcs8[algo], KEEPER_PKCS8_MAX);
	REQUIRE(n > 0 && buf_add(&fixture_pkcs8[algo], der, (size_t)n) == 0);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(key);
}

/* So that what the threads of the keeper hold is no leak. */
static inline void fuzz_pipes_end(void)
{
	pipes_end(&w);
	EVP_PKEY_free(hospital_key);
	buf_clear(&fixture_master);
	buf_clear(&fixture_pkcs8[KEYS_RSA_2048]);
	buf_clear(&fixture_pkcs8[KEYS_EC_P256]);
}

/* Once a process. */
static inline void fuzz_pipes_start(void)
{
	struct problem pr = {0};

	if (hospital_key != NULL)
		return;
	buf_init(&fixture_master, 1024);
	REQUIRE(keeper_master_new(FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), &fixture_master, &pr) == 0);
	fuzz_pipes_key(KEYS_RSA_2048, "tests/data/cms/rsa.key");
	fuzz_pipes_key(KEYS_EC_P256, "tests/data/cms/ec.key");
	pipes_start(&w);
	hospital_key = pipes_private(KEYS_EC_P256);
	REQUIRE(atexit(fuzz_pipes_end) == 0);
}

/* The message opened by the other gateway, whose judge believes every signer. Reports are about nothing that is
 * known. */
static inline enum job_status fuzz_pipes_open(enum job_kind kind, const void *p, size_t n)
{
	enum job_status s;

	pipes_job(&w, kind);
	w.rq.in_rules[3] = POLICY_MARK;
	for (int again = 0; again < 3; again++) {
		s = pipes_run(&w, p, n);
		if (s == JOB_NEEDS_TRUST)
			pipes_trust(&w, JUDGE_TRUST_GOOD);
		else if (s == JOB_NEEDS_DSN)
			w.rq.dsn = JOB_DSN_UNMATCHED;
		else
			return s;
	}
	return s;
}

/* Nobody but us wrote the fields that our people believe. */
static inline void fuzz_pipes_check(size_t i)
{
	const char *text = pipes_text(&w, i), *end = strstr(text, "\r\n\r\n"), *p;
	size_t n = 0;

	REQUIRE(end != NULL && strncmp(text, PIPES_TRACE_IN, strlen(PIPES_TRACE_IN)) == 0);
	for (p = text; p < end; p = strstr(p, "\r\n") + 2)
		n += strncasecmp(p, "X-Postern-Verdict:", 18) == 0;
	REQUIRE(n == 1);
}

#endif
