/* Role scout. RFC 9110. */
#include "gateway/scout/https_get.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/buf.h"
#include "gateway/base/mem.h"
#include "gateway/scout/curl_loop.h"

enum { URL_CAP = 512 };

struct get {
	struct get *next, **prev;
	struct https_get *of;
	struct curl_loop_transfer transfer;
	char type[64];
	const char *why; /* set: what is wrong, said before libcurl says so */
	struct buf body;
	https_get_done *done;
	void *ctx;
	struct loop_timer *soon; /* refused before it began */
};
struct https_get {
	struct loop *loop;
	struct curl_loop *curl;
	struct get *gets;
	size_t n;
};

static void get_free(struct get *g)
{
	curl_loop_end(&g->transfer);
	*g->prev = g->next;
	if (g->next)
		g->next->prev = g->prev;
	g->of->n--;
	loop_timer_free(g->soon);
	buf_clear(&g->body);
	free(g);
}

/* ---- what comes back ---- */

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct get *g = ctx;

	if (buf_add(&g->body, p, size * n) == 0)
		return size * n;
	g->why = "the answer is longer than allowed";
	return 0;
}

/* The media type, parameters left out. */
static bool right_type(const char *got, const char *want)
{
	size_t n = strlen(want);

	return got && strncasecmp(got, want, n) == 0 && (got[n] == 0 || got[n] == ';' || got[n] == ' ');
}

static const char *judge(struct get *g, CURLcode r, char *words, size_t cap)
{
	CURL *easy = g->transfer.easy;
	long code = 0;
	char *type = NULL;

	if (g->why)
		return g->why;
	if (r != CURLE_OK)
		return curl_loop_words(&g->transfer, r);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	if (code != 200) {
		snprintf(words, cap, "the server answers %ld%s", code,
		    code / 100 == 3 ? " (redirects are not followed)" : "");
		return words;
	}
	return right_type(type, g->type) ? NULL : "the answer has another media type";
}

static void finished(void *ctx, CURLcode r)
{
	struct get *g = ctx;
	char words[80];
	const char *why = judge(g, r, words, sizeof words);

	if (why)
		g->done(g->ctx, NULL, 0, why);
	else
		g->done(g->ctx, g->body.len ? g->body.p : (const uint8_t *)"", g->body.len, NULL);
	get_free(g);
}

/* ---- a request ---- */

static int prepare(struct get *g, const struct https_get_request *rq)
{
	char url[URL_CAP];
	const struct curl_loop_to to = {url, rq->host, rq->port, rq->addrs, rq->naddrs, true};
	int bad = 0;

	if (snprintf(url, sizeof url, "https://%s:%u%s", rq->host, rq->port, rq->path) >= (int)sizeof url ||
	    curl_loop_prepare(g->of->curl, &to, &g->transfer) < 0)
		return -1;
#define SET(option, value) bad |= curl_easy_setopt(g->transfer.easy, option, value) != CURLE_OK
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_TIMEOUT_MS, (long)rq->timeout);
	SET(CURLOPT_MAXFILESIZE, (long)rq->max);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, g);
#undef SET
	return bad ? -1 : 0;
}

static void refused(void *ctx)
{
	struct get *g = ctx;

	g->done(g->ctx, NULL, 0, g->why);
	get_free(g);
}

static struct get *get_new(struct https_get *h, const struct https_get_request *rq, https_get_done *done, void *ctx)
{
	struct get *g = mem_new(sizeof *g);

	g->of = h;
	g->done = done;
	g->ctx = ctx;
	buf_init(&g->body, rq->max);
	snprintf(g->type, sizeof g->type, "%s", rq->type);
	g->next = h->gets;
	g->prev = &h->gets;
	if (g->next)
		g->next->prev = &g->next;
	h->gets = g;
	h->n++;
	return g;
}

void https_get_start(struct https_get *h, const struct https_get_request *rq, https_get_done *done, void *ctx)
{
	struct get *g = get_new(h, rq, done, ctx);

	if (rq->naddrs == 0)
		g->why = "no address to connect to";
	else if (h->n > HTTPS_GET_MAX)
		g->why = "too many requests are under way here";
	else if (prepare(g, rq) < 0)
		g->why = "libcurl cannot begin";
	else if (curl_loop_begin(&g->transfer, finished, g) < 0)
		g->why = "libcurl refuses the request";
	if (!g->why)
		return;
	g->soon = loop_timer_new(h->loop, refused, g);
	loop_timer_set(g->soon, 0);
}

struct https_get *https_get_new(struct loop *l, const char *ca_file, struct problem *pr)
{
	struct https_get *h;
	struct curl_loop *c = curl_loop_new(l, ca_file, pr);

	if (!c)
		return NULL;
	h = mem_new(sizeof *h);
	h->loop = l;
	h->curl = c;
	return h;
}

void https_get_free(struct https_get *h)
{
	if (!h)
		return;
	for (struct get *g = h->gets, *next; g; g = next) {
		next = g->next;
		get_free(g);
	}
	curl_loop_free(h->curl);
	free(h);
}
