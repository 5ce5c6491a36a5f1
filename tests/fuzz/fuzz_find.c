/*
 * Looking for a certificate over whatever the network answers: first octet order and places, then answers of a kind,
 * a length (two octets) and octets, in the order in which they are asked for. It ends, chooses nothing that was not
 * weighed as usable, and says why.
 */
#include "certstore/find.h"

#include <string.h>

#include "certstore/trace.h"
#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	const uint8_t *p;
	size_t n;
	struct source_answer a[64];
	size_t used;
} in;

static const struct source_answer *get(struct source_run *r, const struct source_ask *ask)
{
	static const char *const attributes[] = {
	    "usercertificate;binary", "usercertificate", "usersmimecertificate", ""};
	struct source_answer *a = &in.a[in.used++ % 64];
	size_t k;
	uint8_t what;

	(void)r;
	REQUIRE(ask->max > 0 && strlen(ask->name) <= SOURCE_NAME_MAX);
	source_answer_set(a, SOURCE_NONE, "nothing");
	if (in.n < 3)
		return a;
	what = in.p[0];
	k = ((size_t)in.p[1] << 8 | in.p[2]) % (in.n - 2);
	a->status = (enum source_status)(what % 3);
	a->dnssec = (enum source_dnssec)(what / 3 % 4);
	in.p += 3;
	in.n -= 3;
	for (size_t i = 0; a->status == SOURCE_FOUND && i < 1u + what / 64; i++) {
		a->items[i].p = in.p + i * (k / 4);
		a->items[i].n = k - i * (k / 4);
		memcpy(a->items[i].attribute, attributes[(what / 16 + i) % 4],
		    strlen(attributes[(what / 16 + i) % 4]) + 1);
		a->n = ask->kind == SOURCE_HTTP ? 1 : i + 1;
	}
	in.p += k;
	in.n -= k;
	return a;
}

static int weigh(void *ctx, const struct find_cert *c, struct find_weight *w, struct problem *pr)
{
	(void)ctx;
	(void)pr;
	REQUIRE(c->der.n > 0 && c->owner[0] && c->place[0]);
	w->worth = (enum find_worth)(c->der.p[c->der.n - 1] % 4);
	w->not_before = c->der.p[0];
	memcpy(w->why, "why", 4);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct find_limits limits = {.timeout_ms = 1000, .octets_max = 65536, .weigh_max = 20};
	static const struct address who = {.local = "bob", .domain = "lab.example"};
	static struct find_result res;
	struct trace t = {0};
	struct source_run run = {.get = get, .max = 60, .now = 1000, .trace = &t};
	struct find_options o = find_options_default();
	struct find_question q = {
	    .who = &who, .options = &o, .limits = &limits, .listed = true, .run = &run, .weigh = weigh, .all = true};
	struct arena *a = arena_new(1 << 20);
	struct problem pr = {0};

	if (size > 0) {
		o.order = data[0] & 1;
		o.tiers = (uint8_t)(data[0] >> 1 & 0x3e);
		q.strict = data[0] & 0x80;
		in.p = data + 1;
		in.n = size - 1;
		in.used = 0;
		if (find_certificate(&q, a, &res, &pr) == 0) {
			REQUIRE(res.why[0] && res.nseen <= FIND_SEEN_MAX);
			REQUIRE((res.state == FIND_USABLE) == (res.best.p != NULL));
			REQUIRE(res.state != FIND_USABLE || res.seen[res.chosen].w.worth == FIND_GOOD);
		} else {
			REQUIRE(pr.text[0]);
		}
	}
	trace_clear(&t);
	arena_free(a);
	return 0;
}
