/* Relay. A table of fixed size: a new entry takes the place of another. */
#include "gateway/proc/relay_trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

struct place {
	char author[400], our_domain[256];
	uint64_t changes;
	int64_t until_ms;
	size_t n; /* 0: empty */
	struct {
		char sha256[65], caps[65];
		char why[400];
	} v[RELAY_TRUST_SIGNERS];
};
/* What a domain promises. */
struct promise {
	char domain[256]; /* "": empty */
	uint64_t changes;
	int64_t until_ms;
	uint8_t bits;
};
struct relay_trust {
	struct promise promises[RELAY_TRUST_PLACES];
	struct place places[RELAY_TRUST_PLACES];
};

struct relay_trust *relay_trust_new(void)
{
	return mem_new(sizeof(struct relay_trust));
}

void relay_trust_free(struct relay_trust *t)
{
	free(t);
}

static size_t number(const char *author, const char *our_domain)
{
	uint32_t h = 2166136261u;

	for (; *author; author++)
		h = (h ^ (uint8_t)*author) * 16777619u;
	for (h = (h ^ '>') * 16777619u; *our_domain; our_domain++)
		h = (h ^ (uint8_t)*our_domain) * 16777619u;
	return h % RELAY_TRUST_PLACES;
}

void relay_trust_note(struct relay_trust *t, const char *our_domain, const char *author,
    const struct judge_trust *answer, uint64_t changes, int64_t now_ms)
{
	struct place *p = &t->places[number(author, our_domain)];

	if (answer->n == 0 || answer->n > RELAY_TRUST_SIGNERS)
		return;
	for (size_t i = 0; i < answer->n; i++)
		if (answer->v[i].state != JUDGE_TRUST_GOOD)
			return;
	p->n = 0;
	if (mem_copy_str(p->author, sizeof(p->author), author) != 0 ||
	    mem_copy_str(p->our_domain, sizeof(p->our_domain), our_domain) != 0)
		return;
	for (size_t i = 0; i < answer->n; i++) {
		memcpy(p->v[i].sha256, answer->v[i].sha256, sizeof(p->v[i].sha256));
		memcpy(p->v[i].caps, answer->v[i].caps, sizeof(p->v[i].caps));
		memcpy(p->v[i].why, answer->v[i].why, sizeof(p->v[i].why));
	}
	p->n = answer->n;
	p->changes = changes;
	p->until_ms = now_ms + RELAY_TRUST_MS;
}

void relay_trust_give(const struct relay_trust *t, struct job_request *rq, uint64_t changes, int64_t now_ms)
{
	const struct place *p = &t->places[number(rq->sender, rq->our_domain)];

	if (p->n == 0 || p->changes != changes || now_ms >= p->until_ms || strcmp(p->author, rq->sender) != 0 ||
	    strcmp(p->our_domain, rq->our_domain) != 0)
		return;
	memset(&rq->trust, 0, sizeof(rq->trust));
	rq->trust.n = p->n;
	for (size_t i = 0; i < p->n; i++) {
		rq->trust.v[i].state = JUDGE_TRUST_GOOD;
		memcpy(rq->trust.v[i].sha256, p->v[i].sha256, sizeof(p->v[i].sha256));
		memcpy(rq->trust.v[i].caps, p->v[i].caps, sizeof(p->v[i].caps));
		memcpy(rq->trust.v[i].why, p->v[i].why, sizeof(p->v[i].why));
	}
	memcpy(rq->trust_from, p->author, sizeof(p->author));
	rq->have_trust = true;
}

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : "";
}

void relay_trust_promise_note(
    struct relay_trust *t, const char *author, const struct judge_trust *answer, uint64_t changes, int64_t now_ms)
{
	struct promise *p = &t->promises[number(domain_of(author), "")];

	if (mem_copy_str(p->domain, sizeof(p->domain), domain_of(author)) != 0 ||
	    answer->promise & JUDGE_PROMISE_UNSURE)
		p->domain[0] = '\0';
	p->bits = answer->promise;
	p->changes = changes;
	p->until_ms = now_ms + RELAY_TRUST_MS;
}

void relay_trust_promise_give(const struct relay_trust *t, struct job_request *rq, uint64_t changes, int64_t now_ms)
{
	const char *domain = domain_of(rq->sender);
	const struct promise *p = &t->promises[number(domain, "")];

	rq->promises = JOB_PROMISES_ASK;
	if (domain[0] == '\0' || strcmp(p->domain, domain) != 0 || p->changes != changes || now_ms >= p->until_ms)
		return;
	rq->promises = JOB_PROMISES_KNOWN;
	rq->promise = p->bits;
	memcpy(rq->promise_domain, p->domain, sizeof(rq->promise_domain));
}
