/* A ring of traces. Role judge. */
#include "gateway/proc/judge_traces.h"

#include <jansson.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_steps.h"

struct judge_traces {
	struct judge_trace_kept *v;
	size_t max, first, n; /* the oldest is at first */
	size_t octets, octets_max;
	uint32_t next; /* id: after a restart not the one that an older log line has */
};

struct judge_traces *judge_traces_new(size_t number, size_t octets)
{
	struct judge_traces *t = mem_new(sizeof *t);

	t->v = mem_new((number + 1) * sizeof *t->v);
	t->max = number;
	t->octets_max = octets;
	if (RAND_bytes((unsigned char *)&t->next, sizeof t->next) != 1)
		log_fatal("no random numbers");
	return t;
}

static size_t octets_of(const struct judge_trace_kept *k)
{
	return sizeof *k + strlen(k->sender) + strlen(k->recipient) + strlen(k->result) + strlen(k->why) +
	       strlen(k->steps);
}

static void clear(struct judge_trace_kept *k)
{
	free(k->sender);
	free(k->recipient);
	free(k->result);
	free(k->why);
	free(k->steps);
	*k = (struct judge_trace_kept){.at = 0};
}

static void drop_oldest(struct judge_traces *t)
{
	struct judge_trace_kept *k = &t->v[t->first];

	t->octets -= octets_of(k);
	clear(k);
	t->first = (t->first + 1) % t->max;
	t->n--;
}

void judge_traces_free(struct judge_traces *t)
{
	if (!t)
		return;
	while (t->n > 0)
		drop_oldest(t);
	free(t->v);
	free(t);
}

const char *judge_traces_keep(struct judge_traces *t, const struct judge_resolve *rq, const char *result,
    const char *why, const struct trace *steps, int64_t at)
{
	struct judge_trace_kept k = {.at = at};
	json_t *array;
	size_t octets;

	if (!t || t->max == 0)
		return NULL;
	array = judge_steps(steps);
	k.steps = json_dumps(array, JSON_COMPACT);
	json_decref(array);
	if (!k.steps)
		log_fatal("out of memory: JSON");
	k.sender = mem_str(rq->sender);
	k.recipient = mem_str(rq->recipient);
	k.result = mem_str(result);
	k.why = mem_str(why);
	octets = octets_of(&k);
	if (octets > t->octets_max) {
		clear(&k);
		return NULL;
	}
	while (t->n > 0 && (t->n == t->max || t->octets + octets > t->octets_max))
		drop_oldest(t);
	(void)snprintf(k.id, sizeof k.id, "%08x", t->next++);
	t->octets += octets;
	t->v[(t->first + t->n++) % t->max] = k;
	return judge_traces_at(t, 0)->id;
}

const struct judge_trace_kept *judge_traces_at(const struct judge_traces *t, size_t i)
{
	return t && i < t->n ? &t->v[(t->first + t->n - 1 - i) % t->max] : NULL;
}

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at ? at + 1 : address;
}

const struct judge_trace_kept *judge_traces_same(
    const struct judge_traces *t, const struct judge_resolve *rq, const char *result, const char *why, int64_t now)
{
	const struct judge_trace_kept *k;

	for (size_t i = 0; (k = judge_traces_at(t, i)) && k->at <= now && now - k->at < JUDGE_TRACES_SAME_S; i++)
		if (strcmp(domain_of(k->recipient), domain_of(rq->recipient)) == 0 && strcmp(k->why, why) == 0 &&
		    strcmp(k->result, result) == 0)
			return k;
	return NULL;
}

const struct judge_trace_kept *judge_traces_find(const struct judge_traces *t, const char *id)
{
	const struct judge_trace_kept *k;

	for (size_t i = 0; (k = judge_traces_at(t, i)); i++)
		if (strcmp(k->id, id) == 0)
			return k;
	return NULL;
}
