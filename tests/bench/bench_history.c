/*
 * How long questions to the history take. bench_history DIR [MESSAGES [QUESTIONS]] notes that many messages
 * (1,000,000) with their outcomes, as a relay would, over 30 days: 20,000 partners, some of which have most of the
 * mail, one domain of ours, every hundredth refused, some held, deferred, bounced. Prints `history_notes_per_s`,
 * `history_size_mib`, and over questions of every kind `message_find_p95_ms` and `message_find_worst_ms`: one page
 * of 50.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/history.h"
#include "gateway/queue/history_settings.h"
#include "gateway/queue/queue.h"
#include "gateway/queue/queue_number.h"

enum { PARTNERS = 20000, STAFF = 2000, AT_ONCE = 8192 };
#define DAYS INT64_C(29)
#define DAY_MS INT64_C(86400000)

static uint64_t seed = 88172645463325252u;
static struct loop *loop;
static struct history *h;
static long messages = 1000000;
static int64_t now;

static uint64_t any(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* Few have most of the mail. */
static unsigned partner(void)
{
	uint64_t a = any(PARTNERS), b = any(PARTNERS);

	return (unsigned)(a * b / PARTNERS * any(PARTNERS) / PARTNERS);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t number_of(long i)
{
	return queue_number_from(
	    now - DAYS * DAY_MS + (int64_t)((double)i * (double)(DAYS * DAY_MS) / (double)messages));
}

static enum history_outcome outcome(void)
{
	uint64_t d = any(1000);

	return d < 10 ? HISTORY_BOUNCED : d < 13 ? HISTORY_HELD : d < 18 ? HISTORY_DEFERRED : HISTORY_DELIVERED;
}

static void note(long i)
{
	char id[QUEUE_ID_MAX], ours[60], theirs[60], message_id[80];
	bool out = any(2);
	int64_t number = number_of(i);
	struct history_rcpt r = {.outcome = any(100) ? HISTORY_QUEUED : HISTORY_REFUSED,
	    .address = out ? theirs : ours,
	    .treatment = any(20) ? (out ? "seal" : "open") : "clear",
	    .reason = "rule all: partner.example gets sealed mail, its certificate was pinned by the admin",
	    .rule = "all",
	    .partner = "partner.example",
	    .certs = "CN=partner.example, serial 4A3F00112233, sha256 "
		     "3f2a90c13f2a90c13f2a90c13f2a90c13f2a90c13f2a90c13f2a90c13f2a90c1"};

	(void)snprintf(ours, sizeof ours, "person%u@hospital.example", (unsigned)any(STAFF));
	(void)snprintf(theirs, sizeof theirs, "user%u@p%u.example", (unsigned)any(5), partner());
	(void)snprintf(message_id, sizeof message_id, "<%ld.load@mail.example>", i);
	queue_number_text(number, id, sizeof id);
	history_note(h, &(struct history_note){.event = out ? "sealed" : "opened",
			    .id = id,
			    .direction = out ? HISTORY_OUT : HISTORY_IN,
			    .size = 20480,
			    .sender = out ? ours : theirs,
			    .message_id = message_id,
			    .client = "192.0.2.17",
			    .helo = "mail.example",
			    .tls_in = "TLSv1.3 TLS_AES_256_GCM_SHA384",
			    .text = r.reason,
			    .rcpts = &r,
			    .nrcpts = 1});
	if (r.outcome == HISTORY_QUEUED)
		history_note(h, &(struct history_note){.event = "delivered",
				    .id = id,
				    .row = queue_number_row(number, 0),
				    .outcome = outcome(),
				    .text = "250 2.0.0 queued as 4A3F00112233",
				    .remote = "mx.partner.example[192.0.2.99]:25",
				    .tls_out = "TLSv1.3 TLS_AES_256_GCM_SHA384",
				    .status = "2.0.0"});
}

struct answer {
	bool came;
	size_t n;
};

static void answered(void *ctx, json_t *data, const struct problem *pr)
{
	struct answer *a = ctx;

	if (!data)
		log_fatal("%s", pr->text);
	a->n = json_array_size(json_object_get(data, "messages"));
	a->came = true;
	json_decref(data);
}

/* Takes args. Milliseconds. */
static double ask(enum history_question q, json_t *args)
{
	struct answer a = {0};
	double began = now_s(), took;

	REQUIRE(args);
	history_ask(h, q, args, answered, &a);
	while (!a.came)
		loop_once(loop, -1);
	took = (now_s() - began) * 1000;
	json_decref(args);
	return took;
}

static void fill(void)
{
	double began = now_s();

	for (long i = 0; i < messages; i++) {
		note(i);
		if (i % AT_ONCE == AT_ONCE - 1) /* so that none is dropped */
			(void)ask(HISTORY_COUNTS, json_object());
	}
	(void)ask(HISTORY_COUNTS, json_object());
	printf("history_notes_per_s %.0f 1/s\n", (double)messages * 2 / (now_s() - began));
}

static json_t *question(int kind)
{
	static const char *const outcomes[] = {
	    "refused", "held", "deferred", "bounced", "delivered", "sealed", "clear", "opened", "queued", "expired"};
	char text[100], domain[40], ours[60];
	const char *word = outcomes[any(sizeof outcomes / sizeof outcomes[0])];
	json_int_t since = (json_int_t)(now - (int64_t)any((uint64_t)(DAYS * DAY_MS))) / 1000;

	(void)snprintf(domain, sizeof domain, "p%u.example", partner());
	(void)snprintf(ours, sizeof ours, "person%u@hospital.example", (unsigned)any(STAFF));
	(void)snprintf(text, sizeof text, "user%u@p%u.example", (unsigned)any(5), partner());
	switch (kind) {
	case 0:
		queue_number_text(number_of((long)any((uint64_t)messages)), text, sizeof text);
		return json_pack("{s:s}", "id", text);
	case 1:
		(void)snprintf(text, sizeof text, "%ld.load@mail.example", (long)any((uint64_t)messages));
		return json_pack("{s:s}", "message_id", text);
	case 2:
		return json_pack("{s:s}", "to", text);
	case 3:
		return json_pack("{s:s}", "from", ours);
	case 4:
		return json_pack("{s:s}", "to", domain);
	case 5:
		return json_pack("{s:s}", "from", "hospital.example");
	case 6:
		return json_pack("{s:I, s:I}", "since", since, "until", since + 3600);
	case 7:
		return json_pack("{s:s}", "outcome", word);
	case 8:
		return json_pack("{s:s, s:s}", "from", ours, "to", domain);
	case 9:
		return json_pack("{s:s, s:s}", "to", "hospital.example", "outcome", word);
	case 10:
		return json_pack("{s:s, s:s, s:I}", "from", domain, "outcome", word, "since", since);
	case 11:
		return json_pack("{s:s, s:s, s:s}", "from", ours, "to", text, "outcome", word);
	case 12:
		return json_pack("{s:s, s:I, s:s}", "from", "hospital.example", "until", since, "direction", "in");
	default:
		return json_pack("{s:s, s:I}", "outcome", word, "until", since);
	}
}

enum { KINDS = 14 };

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(long n)
{
	double *v = mem_new((size_t)n * sizeof *v), worst[KINDS] = {0};

	for (long i = 0; i < n; i++) {
		v[i] = ask(HISTORY_FIND, question((int)(i % KINDS)));
		if (v[i] > worst[i % KINDS])
			worst[i % KINDS] = v[i];
	}
	qsort(v, (size_t)n, sizeof *v, ascending);
	printf("message_find_p50_ms %.2f ms\n", v[n / 2]);
	printf("message_find_p95_ms %.2f ms\n", v[n * 95 / 100]);
	printf("message_find_worst_ms %.2f ms\n", v[n - 1]);
	for (int i = 0; i < KINDS; i++)
		fprintf(stderr, "kind %d: worst %.2f ms\n", i, worst[i]);
	free(v);
}

int main(int argc, char **argv)
{
	static const struct history_settings set = {true, 3650, 100000000, INT64_C(1) << 40, 600};
	const char *dir = argc > 1 ? argv[1] : "/var/tmp/postern-bench-history";
	char path[4096];
	struct stat st;
	struct timespec t;

	log_init("bench", LOG_LEVEL_WARN);
	messages = argc > 2 ? atol(argv[2]) : messages;
	clock_gettime(CLOCK_REALTIME, &t);
	now = t.tv_sec * INT64_C(1000);
	REQUIRE(mkdir(dir, 0700) == 0);
	loop = loop_new();
	h = history_open(dir, &set, loop);
	fill();
	(void)snprintf(path, sizeof path, "%s/history.db", dir);
	if (stat(path, &st) == 0)
		printf("history_size_mib %.0f MiB\n", (double)st.st_size / 1048576);
	fflush(stdout);
	measure(argc > 3 ? atol(argv[3]) : 2800);
	history_close(h);
	loop_once(loop, 0);
	loop_free(loop);
	return 0;
}
