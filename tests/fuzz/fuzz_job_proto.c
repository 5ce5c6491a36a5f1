/*
 * The decoders of relay <-> sealer: a sealer that was taken over writes results and pieces, a relay requests. The
 * first octet chooses the message. Whatever is taken must be encoded again to the same octets.
 */
#include "gateway/pipeline/job_proto.h"
#include "tests/fuzz/fuzz_proto.h"

static struct job_request rq;
static struct job_result res;

/* What the relay does with a result that was taken: every index and word of it is used. */
static void use_result(void)
{
	REQUIRE(res.status <= JOB_NEEDS_DSN && res.noutputs <= JOB_VERDICTS_MAX && res.nids <= JOB_IDS_MAX);
	for (size_t i = 0; i < res.nids; i++)
		REQUIRE(strlen(res.ids[i]) <= 998);
	REQUIRE((res.dsn != NULL) == (res.status == JOB_NEEDS_DSN));
	if (res.dsn)
		REQUIRE(res.dsn->read.nrcpts <= DSN_READ_RCPTS);
	for (size_t i = 0; i < res.noutputs; i++) {
		REQUIRE(res.outputs[i].nrcpts <= JOB_RCPTS_MAX);
		for (size_t k = 0; k < res.outputs[i].nrcpts; k++)
			(void)*(volatile uint16_t *)&res.outputs[i].rcpts[k];
	}
}

static int again(unsigned kind, struct ipc_in *in, struct arena *a, struct ipc_out *o)
{
	uint8_t output;
	const uint8_t *p;
	size_t n;

	switch (kind) {
	case 0:
		if (job_request_get(in, a, &rq) != 0)
			return -1;
		REQUIRE(rq.nids <= JOB_IDENTITIES_MAX && rq.nverdicts <= JOB_VERDICTS_MAX);
		job_request_put(o, &rq);
		return 0;
	case 1:
		if (job_piece_get(in, &output, &p, &n) != 0)
			return -1;
		REQUIRE(output < JOB_VERDICTS_MAX);
		job_piece_put(o, output, p, n);
		return 0;
	default:
		if (job_result_get(in, a, &res) != 0)
			return -1;
		use_result();
		job_result_put(o, &res);
		return 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_proto(data, size, 3, again);
}
