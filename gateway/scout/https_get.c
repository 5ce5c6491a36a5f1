/*
 * libcurl on the loop. Role scout. RFC 9110, RFC 9325.
 *
 * In the sandbox no file can be opened and no thread started: so names are never resolved by libcurl (every name it
 * sees has its addresses given), and the CAs are read once, before, and lent to each connection.
 */
#include "gateway/scout/https_get.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { URL_CAP = 512, RESOLVE_CAP = 1024 };

struct get {
	struct get *next, **prev;
	struct https_get *of;
	CURL *easy;
	struct curl_slist *resolve;
	char error[CURL_ERROR_SIZE];
	char type[64];
	const char *why; /* set: what is wrong, said before libcurl says so */
	struct buf body;
	https_get_done *done;
	void *ctx;
	struct loop_timer *soon; /* refused before it began */
};
/* A socket of libcurl's, as the loop watches it. */
struct sock {
	struct sock *next, **prev;
	struct https_get *of;
	curl_socket_t fd;
	struct loop_io *io;
};
struct https_get {
	struct loop *loop;
	CURLM *multi;
	X509_STORE *cas;
	struct loop_timer *timer;
	struct get *gets;
	struct sock *socks;
	size_t n;
};

static void get_free(struct get *g)
{
	if (g->easy) {
		curl_multi_remove_handle(g->of->multi, g->easy);
		curl_easy_cleanup(g->easy);
	}
	curl_slist_free_all(g->resolve);
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
	long code = 0;
	char *type = NULL;

	if (g->why)
		return g->why;
	if (r != CURLE_OK)
		return g->error[0] ? g->error : curl_easy_strerror(r);
	curl_easy_getinfo(g->easy, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_getinfo(g->easy, CURLINFO_CONTENT_TYPE, &type);
	if (code != 200) {
		snprintf(words, cap, "the server answers %ld%s", code,
		    code / 100 == 3 ? " (redirects are not followed)" : "");
		return words;
	}
	return right_type(type, g->type) ? NULL : "the answer has another media type";
}

static void finished(struct get *g, CURLcode r)
{
	char words[80];
	const char *why = judge(g, r, words, sizeof words);

	if (why)
		g->done(g->ctx, NULL, 0, why);
	else
		g->done(g->ctx, g->body.len ? g->body.p : (const uint8_t *)"", g->body.len, NULL);
	get_free(g);
}

static void look_for_finished(struct https_get *h)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		struct get *g = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&g);
		finished(g, m->data.result);
	}
}

/* ---- libcurl and the loop ---- */

static void act(struct https_get *h, curl_socket_t fd, int what)
{
	int running;

	if (curl_multi_socket_action(h->multi, fd, what, &running) != CURLM_OK)
		log_warn(NULL, "scout", "https why=\"libcurl fails\"");
	look_for_finished(h);
}

static void on_timer(void *ctx)
{
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void on_io(void *ctx, int fd, unsigned got)
{
	struct sock *s = ctx;

	act(s->of, fd, got == LOOP_READ ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
}

static int set_timer(CURLM *multi, long ms, void *ctx)
{
	struct https_get *h = ctx;

	(void)multi;
	if (ms < 0)
		loop_timer_off(h->timer);
	else
		loop_timer_set(h->timer, ms);
	return 0;
}

static void sock_free(struct sock *s)
{
	*s->prev = s->next;
	if (s->next)
		s->next->prev = s->prev;
	loop_io_free(s->io);
	free(s);
}

static struct sock *sock_new(struct https_get *h, curl_socket_t fd)
{
	struct sock *s = mem_new(sizeof *s);

	s->of = h;
	s->fd = fd;
	s->io = loop_io_new(h->loop, fd, on_io, s);
	s->next = h->socks;
	s->prev = &h->socks;
	if (s->next)
		s->next->prev = &s->next;
	h->socks = s;
	curl_multi_assign(h->multi, fd, s);
	return s;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *sock)
{
	struct https_get *h = ctx;
	struct sock *s = sock;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			sock_free(s);
		return 0;
	}
	if (!s)
		s = sock_new(h, fd);
	loop_io_want(s->io, (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0));
	return 0;
}

/* ---- a request ---- */

static CURLcode lend_cas(CURL *easy, void *ctx, void *arg)
{
	struct https_get *h = arg;

	(void)easy;
	SSL_CTX_set1_cert_store((SSL_CTX *)ctx, h->cas);
	return CURLE_OK;
}

/* "+host:port:addr,addr": what libcurl takes instead of asking anybody; the plus has it forgotten again. */
static struct curl_slist *addresses(const struct https_get_request *rq)
{
	char line[RESOLVE_CAP], text[INET6_ADDRSTRLEN];
	size_t n = (size_t)snprintf(line, sizeof line, "+%s:%u:", rq->host, rq->port);

	for (size_t i = 0; i < rq->naddrs && n < sizeof line; i++) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)&rq->addrs[i];
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&rq->addrs[i];
		bool six = in6->sin6_family == AF_INET6;

		inet_ntop(six ? AF_INET6 : AF_INET, six ? (const void *)&in6->sin6_addr : &in4->sin_addr, text,
		    sizeof text);
		n += (size_t)snprintf(
		    line + n, sizeof line - n, "%s%s%s%s", i ? "," : "", six ? "[" : "", text, six ? "]" : "");
	}
	return n < sizeof line ? curl_slist_append(NULL, line) : NULL;
}

static int set_options(struct get *g, const struct https_get_request *rq)
{
	CURL *e = g->easy;
	char url[URL_CAP];
	int bad = 0;

	snprintf(url, sizeof url, "https://%s:%u%s", rq->host, rq->port, rq->path);
#define SET(option, value) bad |= curl_easy_setopt(e, option, value) != CURLE_OK
	SET(CURLOPT_URL, url);
	SET(CURLOPT_RESOLVE, g->resolve);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_SSL_CTX_FUNCTION, lend_cas);
	SET(CURLOPT_SSL_CTX_DATA, g->of);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_TIMEOUT_MS, (long)rq->timeout);
	SET(CURLOPT_MAXFILESIZE, (long)rq->max);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, g);
	SET(CURLOPT_ERRORBUFFER, g->error);
	SET(CURLOPT_PRIVATE, g);
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
	else if (!(g->resolve = addresses(rq)) || !(g->easy = curl_easy_init()))
		g->why = "libcurl cannot begin";
	else if (set_options(g, rq) < 0 || curl_multi_add_handle(h->multi, g->easy) != CURLM_OK)
		g->why = "libcurl refuses the request";
	if (!g->why)
		return;
	g->soon = loop_timer_new(h->loop, refused, g);
	loop_timer_set(g->soon, 0);
}

struct https_get *https_get_new(struct loop *l, const char *ca_file, struct problem *pr)
{
	struct https_get *h = mem_new(sizeof *h);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		log_fatal("libcurl does not start");
	h->loop = l;
	h->cas = X509_STORE_new();
	h->multi = curl_multi_init();
	if (!h->cas || !h->multi)
		log_fatal("no memory for HTTPS");
	h->timer = loop_timer_new(l, on_timer, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	if (X509_STORE_load_locations(h->cas, ca_file, NULL) == 1)
		return h;
	problem_perm(pr, "%s cannot be read as PEM certificates", ca_file);
	ERR_clear_error();
	https_get_free(h);
	return NULL;
}

void https_get_free(struct https_get *h)
{
	if (!h)
		return;
	for (struct get *g = h->gets, *next; g; g = next) {
		next = g->next;
		get_free(g);
	}
	curl_multi_cleanup(h->multi);
	for (struct sock *s = h->socks, *next; s; s = next) {
		next = s->next;
		sock_free(s);
	}
	loop_timer_free(h->timer);
	X509_STORE_free(h->cas);
	free(h);
}
