/* RFC 9325. Role scout. */
#include "gateway/scout/curl_loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { RESOLVE_CAP = 1024 };

/* A socket of libcurl's, as the loop watches it. */
struct sock {
	struct sock *next, **prev;
	struct curl_loop *of;
	curl_socket_t fd;
	struct loop_io *io;
};
struct curl_loop {
	struct loop *loop;
	CURLM *multi;
	X509_STORE *cas;
	struct loop_timer *timer;
	struct sock *socks;
};

/* ---- libcurl and the loop ---- */

static void look_for_finished(struct curl_loop *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left))) {
		struct curl_loop_transfer *t = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		t->done(t->ctx, m->data.result);
	}
}

static void act(struct curl_loop *c, curl_socket_t fd, int what)
{
	int running;

	if (curl_multi_socket_action(c->multi, fd, what, &running) != CURLM_OK)
		log_warn(NULL, "scout", "https why=\"libcurl fails\"");
	look_for_finished(c);
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
	struct curl_loop *c = ctx;

	(void)multi;
	if (ms < 0)
		loop_timer_off(c->timer);
	else
		loop_timer_set(c->timer, ms);
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

static struct sock *sock_new(struct curl_loop *c, curl_socket_t fd)
{
	struct sock *s = mem_new(sizeof *s);

	s->of = c;
	s->fd = fd;
	s->io = loop_io_new(c->loop, fd, on_io, s);
	s->next = c->socks;
	s->prev = &c->socks;
	if (s->next)
		s->next->prev = &s->next;
	c->socks = s;
	curl_multi_assign(c->multi, fd, s);
	return s;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *sock)
{
	struct curl_loop *c = ctx;
	struct sock *s = sock;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			sock_free(s);
		return 0;
	}
	if (!s)
		s = sock_new(c, fd);
	loop_io_want(s->io, (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0));
	return 0;
}

/* ---- a transfer ---- */

/* libcurl looks at the CN where there is no subjectAltName; what OpenSSL looks for comes on top of that. */
static int demand_san(SSL_CTX *ctx, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 ? 0 : -1;
}

static CURLcode set_trust(CURL *easy, void *ctx, void *arg)
{
	struct curl_loop_transfer *t = arg;

	(void)easy;
	SSL_CTX_set1_cert_store(ctx, t->of->cas);
	return t->san[0] && demand_san(ctx, t->san) < 0 ? CURLE_OUT_OF_MEMORY : CURLE_OK;
}

/* IPv4 as mapped. */
static struct in6_addr plain(const struct sockaddr *sa)
{
	struct in6_addr a = {{{0}}};

	if (sa->sa_family == AF_INET6)
		return ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	a.s6_addr[10] = a.s6_addr[11] = 0xff;
	memcpy(&a.s6_addr[12], &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	return a;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct curl_loop_transfer *t = ctx;
	struct in6_addr a;

	if (purpose != CURLSOCKTYPE_IPCXN || (to->family != AF_INET && to->family != AF_INET6))
		return CURL_SOCKET_BAD;
	a = plain(&to->addr);
	for (size_t i = 0; i < t->nallowed; i++) {
		if (memcmp(&a, &t->allowed[i], sizeof a) == 0)
			return socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);
	}
	return CURL_SOCKET_BAD;
}

static void text_of(const struct sockaddr_storage *ss, char out[INET6_ADDRSTRLEN + 2])
{
	char text[INET6_ADDRSTRLEN] = "";

	if (ss->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)ss)->sin6_addr, text, sizeof text);
		snprintf(out, INET6_ADDRSTRLEN + 2, "[%s]", text);
		return;
	}
	inet_ntop(AF_INET, &((const struct sockaddr_in *)ss)->sin_addr, out, INET6_ADDRSTRLEN);
}

/* "+host:port:addr,addr": what libcurl takes instead of asking anybody; the plus has it forgotten again. A numeric
 * host needs none. */
static int give_addresses(const struct curl_loop_to *to, struct curl_loop_transfer *t)
{
	char line[RESOLVE_CAP], text[INET6_ADDRSTRLEN + 2];
	size_t n = (size_t)snprintf(line, sizeof line, "+%s:%u:", to->host, to->port);
	struct in6_addr any;

	REQUIRE(to->naddrs >= 1 && to->naddrs <= CURL_LOOP_ADDRS_MAX);
	for (size_t i = 0; i < to->naddrs; i++) {
		t->allowed[t->nallowed++] = plain((const struct sockaddr *)&to->addrs[i]);
		text_of(&to->addrs[i], text);
		if (n < sizeof line)
			n += (size_t)snprintf(line + n, sizeof line - n, "%s%s", i ? "," : "", text);
	}
	if (inet_pton(AF_INET, to->host, &any) == 1 || inet_pton(AF_INET6, to->host, &any) == 1)
		return 0;
	if (n >= sizeof line)
		return -1;
	t->resolve = curl_slist_append(NULL, line);
	return t->resolve ? 0 : -1;
}

static int set_options(struct curl_loop_transfer *t, const char *url)
{
	CURL *e = t->easy;
	int bad = 0;

#define SET(option, value) bad |= curl_easy_setopt(e, option, value) != CURLE_OK
	SET(CURLOPT_URL, url);
	SET(CURLOPT_RESOLVE, t->resolve);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_SSL_CTX_FUNCTION, set_trust);
	SET(CURLOPT_SSL_CTX_DATA, t);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_PRIVATE, t);
#undef SET
	return bad ? -1 : 0;
}

int curl_loop_prepare(struct curl_loop *c, const struct curl_loop_to *to, struct curl_loop_transfer *t)
{
	*t = (struct curl_loop_transfer){.of = c};
	if (to->san_only && snprintf(t->san, sizeof t->san, "%s", to->host) >= (int)sizeof t->san)
		return -1;
	if (give_addresses(to, t) == 0 && (t->easy = curl_easy_init()) != NULL && set_options(t, to->url) == 0)
		return 0;
	curl_loop_end(t);
	return -1;
}

int curl_loop_begin(struct curl_loop_transfer *t, void (*done)(void *ctx, CURLcode r), void *ctx)
{
	t->done = done;
	t->ctx = ctx;
	return curl_multi_add_handle(t->of->multi, t->easy) == CURLM_OK ? 0 : -1;
}

void curl_loop_end(struct curl_loop_transfer *t)
{
	if (t->easy) {
		if (t->done)
			curl_multi_remove_handle(t->of->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	curl_slist_free_all(t->resolve);
	t->easy = NULL;
	t->resolve = NULL;
	t->done = NULL;
}

const char *curl_loop_words(const struct curl_loop_transfer *t, CURLcode r)
{
	return t->error[0] ? t->error : curl_easy_strerror(r);
}

/* ---- the whole ---- */

struct curl_loop *curl_loop_new(struct loop *l, const char *ca_file, struct problem *pr)
{
	struct curl_loop *c = mem_new(sizeof *c);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		log_fatal("libcurl does not start");
	c->loop = l;
	c->cas = X509_STORE_new();
	c->multi = curl_multi_init();
	if (!c->cas || !c->multi)
		log_fatal("no memory for HTTPS");
	c->timer = loop_timer_new(l, on_timer, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	if (!ca_file || X509_STORE_load_locations(c->cas, ca_file, NULL) == 1)
		return c;
	problem_perm(pr, "%s cannot be read as PEM certificates", ca_file);
	ERR_clear_error();
	curl_loop_free(c);
	return NULL;
}

void curl_loop_free(struct curl_loop *c)
{
	if (!c)
		return;
	curl_multi_cleanup(c->multi);
	for (struct sock *s = c->socks, *next; s; s = next) {
		next = s->next;
		sock_free(s);
	}
	loop_timer_free(c->timer);
	X509_STORE_free(c->cas);
	free(c);
}
