/* Opening mail while the keeper is away: it must wait, each single time. */
#include "gateway/pipeline/layers.h"

#include <check.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/pipeline/pipeline.h"
#include "tests/unit/cms_fixture.h"
#include "tests/unit/suite.h"

enum { TRIES = 2000, JOB_MEMORY = 16 * 1024 * 1024 };

static struct fx_id id;
static struct judge_octets der;
static struct pipeline *pipe_line;
static struct keys_client *away;

static void setup(void)
{
	unsigned char *p = NULL;
	int n;

	log_init("test", LOG_LEVEL_ERROR);
	id = fx_id("rsa");
	n = i2d_X509(id.cert, &p);
	ck_assert_int_gt(n, 0);
	der.p = p;
	der.n = (size_t)n;
	away = keys_client_new(-1);
	pipe_line = pipeline_new(away);
}

static void teardown(void)
{
	pipeline_free(pipe_line);
	keys_client_free(away);
	OPENSSL_free((void *)(uintptr_t)der.p);
	fx_id_clear(&id);
}

/* A whole message as from outside: enveloped-data in binary, which needs no base64 here. */
static struct spool *sealed_message(void)
{
	static const char head[] =
	    "From: a@hospital.example\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
	    "Content-Transfer-Encoding: binary\r\n\r\n";
	static const uint8_t key[SPOOL_KEY] = {7};
	struct buf text = fx_text(2000), cms;
	struct problem pr = {0};
	struct spool *s = spool_new(key, 1 << 20, -1, -1, 1 << 20);

	fx_encrypt(&text, id.cert, CMS_KEY_RSA_V15, CMS_AES_256_CBC, &cms);
	ck_assert_int_eq(spool_add(s, head, sizeof(head) - 1, &pr), 0);
	ck_assert_int_eq(spool_add(s, cms.p, cms.len, &pr), 0);
	ck_assert_int_eq(spool_finish(s, &pr), 0);
	buf_clear(&cms);
	buf_clear(&text);
	return s;
}

static void request(struct job_request *rq, struct spool *s, struct job_rcpt *rcpt)
{
	size_t n;

	rq->kind = JOB_OPEN;
	rq->id = "TEST";
	rq->sender = "a@hospital.example";
	rq->trace = "";
	rq->hostname = rq->authserv_id = "gw.lab.example";
	rcpt->address = "b@lab.example";
	rq->rcpts = rcpt;
	rq->nrcpts = 1;
	snprintf(rq->our_domain, sizeof(rq->our_domain), "lab.example");
	rq->nids = 1;
	rq->ids[0].cert = der;
	snprintf(rq->ids[0].key_id, sizeof(rq->ids[0].key_id), "lab.example-decrypt");
	rq->header_max = 65536;
	rq->nesting_max = 5;
	rq->message_max = 1 << 20;
	memcpy(rq->key, spool_key(s), sizeof(rq->key));
	rq->inline_sealed.p = spool_sealed(s, &n);
	rq->inline_sealed.n = n;
	rq->sealed_len = spool_sealed_len(s);
}

/* OpenSSL goes on with a random key when the private operation fails; one time in 256 that ends in good padding. So
 * often that it shows. */
START_TEST(without_keeper_waits)
{
	struct spool *s = sealed_message();
	struct job_request *rq = mem_new(sizeof(*rq));
	struct job_rcpt rcpt = {0};

	request(rq, s, &rcpt);
	for (int i = 0; i < TRIES; i++) {
		struct arena *a = arena_new(JOB_MEMORY);
		struct job_result *res = mem_new(sizeof(*res));
		struct spool *outs[JOB_VERDICTS_MAX];

		pipeline_run(pipe_line, a, rq, res, outs);
		ck_assert_msg(
		    res->status == JOB_LATER, "try %d: status %d: %s%s", i, res->status, res->why, res->pr.text);
		ck_assert_int_eq(res->pr.cls, PROBLEM_TEMP);
		ck_assert(!res->open_failed);
		free(res);
		arena_free(a);
	}
	free(rq);
	spool_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("layers");
	TCase *tc = tcase_create("layers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, without_keeper_waits);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
