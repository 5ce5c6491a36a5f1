/*
 * How many messages a second go through the queue: put (waits for the commit), claim, settle (waits for the commit),
 * 20 KiB bodies, closed loop. bench_queue [DIR [MESSAGES [WAITING]]] prints `queue_cycle_per_s value 1/s (n, messages
 * a commit)`.
 *
 * bench_queue DIR million [MESSAGES]: fills a queue with that many small messages (1,000,000) for a fifth as many
 * destinations, every second of them dead, opens it, and delivers 20,000 to the living; the same with a queue of
 * 1,000 for living ones, filled again and again. Prints `queue_1m_start_s` (queue_open and the first claim),
 * `queue_1m_per_s`, `queue_1k_per_s` and `queue_1m_rate_ratio`. A dead destination's try ends as in the relay: the
 * site is reported, the recipient waits for its next try.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/queue/queue.h"
#include "gateway/queue/queue_settings.h"

enum { BODY = 20 * 1024, CLAIM = 64, TRACE = 600 };

struct bench {
	struct queue *q;
	struct loop *loop;
	struct spool *body;
	char trace[TRACE];
	long wanted, put, settled;
	int claiming;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put_one(struct bench *b);

static void settled(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	struct bench *b = ctx;

	(void)rows;
	(void)nrows;
	if (err)
		log_fatal("settle: %s", pr->text);
	if (++b->settled == b->wanted)
		loop_stop(b->loop);
	else if (b->put < b->wanted)
		put_one(b);
}

static void claim(void *ctx)
{
	struct bench *b = ctx;
	struct queue_job *jobs[CLAIM];
	int64_t next;
	size_t n;

	b->claiming = 0;
	while ((n = queue_claim(b->q, CLAIM, NULL, 0, jobs, &next)) > 0) {
		for (size_t i = 0; i < n; i++) {
			struct queue_settle s = {.rcpt = jobs[i]->rcpts[0].row,
			    .state = QUEUE_DONE,
			    .outcome = QUEUE_DELIVERED,
			    .reason = "250 2.0.0 Ok: queued as 4dGhT21Xz9",
			    .remote = "mx.lab.example[192.0.2.7]:25",
			    .status = "2.0.0"};
			struct queue_tx tx = {.settles = &s, .nsettles = 1};

			queue_commit(b->q, &tx, settled, b);
			queue_job_free(jobs[i]);
		}
	}
}

static void was_put(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	struct bench *b = ctx;

	(void)rows;
	(void)nrows;
	if (err)
		log_fatal("put: %s", pr->text);
	if (!b->claiming) {
		b->claiming = 1;
		loop_soon(b->loop, claim, b);
	}
}

static void put_one(struct bench *b)
{
	static const uint8_t wrapped[60];
	char id[QUEUE_ID_MAX], address[64], mid[64];
	struct queue_rcpt r = {
	    .address = address, .nexthop = "lab.example", .state = QUEUE_QUEUED, .treatment = "seal"};
	struct queue_msg m = {.id = id,
	    .kind = QUEUE_OUTBOUND,
	    .sender = "ward3@hospital.example",
	    .trace = b->trace,
	    .facts = "{\"client\":\"192.0.2.1\",\"helo\":\"mail.hospital.example\",\"tls\":\"TLSv1.3\"}",
	    .message_id = mid,
	    .wrapped = wrapped,
	    .wrapped_len = sizeof wrapped,
	    .content = b->body,
	    .rcpts = &r,
	    .nrcpts = 1};
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

	queue_id(b->q, id);
	snprintf(address, sizeof address, "desk%ld@lab.example", b->put % 1000);
	snprintf(mid, sizeof mid, "<%s@hospital.example>", id);
	b->put++;
	queue_commit(b->q, &tx, was_put, b);
}

static void make_body(struct bench *b)
{
	static const uint8_t key[SPOOL_KEY] = {1};
	static uint8_t octets[BODY];
	struct problem pr;

	b->body = spool_new(key, 256 * 1024, -1, -1, UINT64_MAX);
	if (spool_add(b->body, octets, sizeof octets, &pr) || spool_finish(b->body, &pr))
		log_fatal("body: %s", pr.text);
	memset(b->trace, 'x', TRACE - 3);
	memcpy(b->trace + TRACE - 3, "\r\n", 3);
}

/* ---- a million ---- */

enum { LIVING_WANTED = 20000, IN_A_TX = 256, THOUSAND = 1000, PER_HOP = 5, UNDER_WAY = 500, SMALL = 600 };

struct million {
	struct queue *q;
	struct loop *loop;
	struct spool *body;
	long open, delivered, wanted;
	size_t under_way;
};

static void filled(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	struct million *b = ctx;

	(void)rows;
	(void)nrows;
	if (err)
		log_fatal("put: %s", pr->text);
	b->open--;
}

/* Every odd destination is dead. */
static bool is_dead(const char *nexthop)
{
	return strncmp(nexthop, "mx:dead", 7) == 0;
}

static void put_batch(struct million *b, long from, long n, long hops, bool living_only)
{
	static const uint8_t wrapped[60];
	static char id[IN_A_TX][QUEUE_ID_MAX], address[IN_A_TX][64], hop[IN_A_TX][64];
	static struct queue_rcpt r[IN_A_TX];
	static struct queue_msg m[IN_A_TX];
	struct queue_tx tx = {.msgs = m, .nmsgs = (size_t)n};

	for (long i = 0; i < n; i++) {
		long d = (from + i) % hops;
		const char *kind = d % 2 && !living_only ? "dead" : "alive";

		queue_id(b->q, id[i]);
		snprintf(address[i], sizeof address[i], "desk@%s%ld.example", kind, d);
		snprintf(hop[i], sizeof hop[i], "mx:%s%ld.example", kind, d);
		r[i] = (struct queue_rcpt){
		    .address = address[i], .nexthop = hop[i], .state = QUEUE_QUEUED, .treatment = "seal"};
		m[i] = (struct queue_msg){.id = id[i],
		    .kind = QUEUE_OUTBOUND,
		    .sender = "ward3@hospital.example",
		    .trace = "",
		    .facts = "",
		    .message_id = id[i],
		    .wrapped = wrapped,
		    .wrapped_len = sizeof wrapped,
		    .content = b->body,
		    .rcpts = &r[i],
		    .nrcpts = 1};
	}
	b->open++;
	queue_commit(b->q, &tx, filled, b);
}

static void fill_queue(struct million *b, long n, bool living_only)
{
	long hops = n / PER_HOP;

	for (long i = 0; i < n; i += IN_A_TX) {
		put_batch(b, i, n - i < IN_A_TX ? n - i : IN_A_TX, hops, living_only);
		while (b->open > 4)
			loop_once(b->loop, 1000);
	}
	while (b->open > 0)
		loop_once(b->loop, 1000);
}

static void ended(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	struct million *b = ctx;

	(void)rows;
	(void)nrows;
	if (err)
		log_fatal("settle: %s", pr->text);
	b->under_way--;
}

static void end_one(struct million *b, const struct queue_job *j)
{
	bool dead = is_dead(j->nexthop);
	int64_t now = queue_now(b->q);
	struct queue_settle s = {.rcpt = j->rcpts[0].row,
	    .state = dead ? QUEUE_QUEUED : QUEUE_DONE,
	    .outcome = dead ? QUEUE_NONE : QUEUE_DELIVERED,
	    .next_at = dead ? queue_next_try(b->q, j->rcpts[0].attempts + 1, now) : 0,
	    .reason = dead ? "connection timed out" : "250 2.0.0 Ok: queued as 4dGhT21Xz9",
	    .remote = "mx.lab.example[192.0.2.7]:25",
	    .status = dead ? "4.4.1" : "2.0.0"};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};

	if (dead)
		queue_hop_failed(b->q, j->nexthop, now + 300000);
	else
		queue_hop_works(b->q, j->nexthop);
	b->delivered += !dead;
	b->under_way++;
	queue_commit(b->q, &tx, ended, b);
}

static size_t claim_some(struct million *b)
{
	struct queue_job *jobs[CLAIM];
	int64_t next;
	struct queue_claim_limits limits = {.max = CLAIM, .probes = CLAIM, .strangers = CLAIM}; /* as the relay */
	size_t n = queue_claim_with(b->q, &limits, jobs, &next);

	for (size_t i = 0; i < n; i++) {
		end_one(b, jobs[i]);
		queue_job_free(jobs[i]);
	}
	return n;
}

static void deliver(struct million *b, long wanted)
{
	for (long end = b->delivered + wanted; b->delivered < end;) {
		if (b->under_way >= UNDER_WAY)
			loop_once(b->loop, 1000);
		else if (claim_some(b) > 0)
			loop_once(b->loop, 0);
		else if (b->under_way > 0)
			loop_once(b->loop, 1000);
		else
			break;
	}
	while (b->under_way)
		loop_once(b->loop, 1000);
}

static void open_queue(struct million *b, const char *dir, const struct queue_settings *set)
{
	struct problem pr;

	b->q = queue_open(dir, set, b->loop, &pr);
	if (!b->q)
		log_fatal("%s", pr.text);
}

static void small_body(struct million *b)
{
	static const uint8_t key[SPOOL_KEY] = {1};
	static const uint8_t octets[SMALL];
	struct problem pr;

	b->body = spool_new(key, 256 * 1024, -1, -1, UINT64_MAX);
	if (spool_add(b->body, octets, sizeof octets, &pr) || spool_finish(b->body, &pr))
		log_fatal("body: %s", pr.text);
}

/* Living ones a second with a thousand in the queue at a time. */
static double thousand(struct million *b)
{
	double took = 0;

	for (long i = 0; i < LIVING_WANTED; i += THOUSAND) {
		fill_queue(b, THOUSAND, true);

		double from = now_s();

		deliver(b, THOUSAND);
		took += now_s() - from;
	}
	return LIVING_WANTED / took;
}

static void million(const char *dir, long n, const struct queue_settings *set)
{
	struct million b = {.loop = loop_new()};
	char sub[4096];
	double from, start, rate, small;

	small_body(&b);
	snprintf(sub, sizeof sub, "%s/small", dir);
	open_queue(&b, sub, set);
	small = thousand(&b);
	queue_close(b.q);
	loop_once(b.loop, 0);
	snprintf(sub, sizeof sub, "%s/large", dir);
	open_queue(&b, sub, set);
	fill_queue(&b, n, false);
	queue_close(b.q);
	loop_once(b.loop, 0);
	from = now_s();
	open_queue(&b, sub, set);
	claim_some(&b);
	start = now_s() - from;
	from = now_s();
	b.delivered = 0;
	deliver(&b, LIVING_WANTED);
	rate = (double)b.delivered / (now_s() - from);
	printf("queue_1m_start_s %.2f s\nqueue_1m_per_s %.0f 1/s\nqueue_1k_per_s %.0f 1/s\nqueue_1m_rate_ratio %.2f "
	       "x (%ld messages)\n",
	    start, rate, small, rate / small, n);
	queue_close(b.q);
	loop_once(b.loop, 0);
	spool_free(b.body);
	loop_free(b.loop);
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "/var/tmp/bench_queue";
	struct bench b = {.wanted = argc > 2 ? strtol(argv[2], NULL, 10) : 20000, .loop = loop_new()};
	long waiting = argc > 3 ? strtol(argv[3], NULL, 10) : 64;
	struct queue_settings set;
	struct problem pr;

	log_init("bench", LOG_LEVEL_WARN);
	queue_settings_default(&set);
	if (argc > 2 && strcmp(argv[2], "million") == 0) {
		million(dir, argc > 3 ? strtol(argv[3], NULL, 10) : 1000000, &set);
		loop_free(b.loop);
		return 0;
	}
	b.q = queue_open(dir, &set, b.loop, &pr);
	if (!b.q)
		log_fatal("%s", pr.text);
	make_body(&b);

	double from = now_s();

	for (long i = 0; i < waiting && i < b.wanted; i++)
		put_one(&b);
	loop_run(b.loop);

	double took = now_s() - from;

	printf("queue_cycle_per_s %.0f 1/s (%ld, %.1f messages a commit)\n", (double)b.wanted / took, b.wanted,
	    2.0 * (double)b.wanted / (double)queue_commits(b.q));
	queue_close(b.q);
	loop_once(b.loop, 0);
	spool_free(b.body);
	loop_free(b.loop);
	return 0;
}
