/*
 * How many messages a second go through the queue: put (waits for the commit), claim, settle (waits for the commit),
 * 20 KiB bodies, closed loop. bench_queue [DIR [MESSAGES [WAITING]]] prints `queue_cycle_per_s value 1/s (n, messages
 * a commit)`.
 */
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

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "/var/tmp/bench_queue";
	struct bench b = {.wanted = argc > 2 ? strtol(argv[2], NULL, 10) : 20000, .loop = loop_new()};
	long waiting = argc > 3 ? strtol(argv[3], NULL, 10) : 64;
	struct queue_settings set;
	struct problem pr;

	log_init("bench", LOG_LEVEL_WARN);
	queue_settings_default(&set);
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
