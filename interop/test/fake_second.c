/* A second judge that says what a test wants it to say, and a sink where nothing more comes. */
#include "interop/test/fake_second.h"

#include "interop/kit/second.h"
#include "interop/kit/sink.h"

const char *fake_second_answer;
unsigned fake_second_asked;

json_t *second_judge(struct second *j, const void *octets, size_t n, const struct credential *const *keys, size_t n_keys,
    struct buf *why)
{
	(void)j;
	(void)octets;
	(void)n;
	(void)keys;
	(void)n_keys;
	fake_second_asked++;
	if (fake_second_answer)
		return json_loads(fake_second_answer, 0, NULL);
	fail(why, "this format it does not know");
	return NULL;
}

const char *second_name(const struct second *j)
{
	(void)j;
	return "Fake 1";
}

const struct mail *sink_wait(struct sink *s, enum side side, const char *to, unsigned after, int64_t wait_ms,
    bool (*test)(const struct mail *, void *), void *arg)
{
	(void)s;
	(void)side;
	(void)to;
	(void)after;
	(void)wait_ms;
	(void)test;
	(void)arg;
	return NULL;
}
