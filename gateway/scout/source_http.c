/*
 * The way of a question: its name looked up, its addresses judged, a place among those under way, libcurl, and from
 * the beginning again for a redirect. Role scout. RFC 9110.
 */
#include "gateway/scout/source_http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/scout/curl_loop.h"
#include "gateway/scout/http_dead.h"
#include "gateway/scout/http_fresh.h"
#include "gateway/scout/source_url.h"

enum { UNDER_WAY_MAX = 512 };

enum state {
	LOOKING, /* dns.h will call */
	WAITING, /* for a place */
	RUNNING, /* libcurl will call */
	ENDING,	 /* the timer `soon` will call */
	TOLD,	 /* but dns.h will still call */
};
struct fetch {
	struct fetch *next, **prev; /* in the order asked */
	struct source_http *of;
	struct source_ask ask;
	source_done *done;
	void *ctx;
	enum state state;
	struct source_url url;	   /* of the present target */
	enum source_chosen chosen; /* who named it */
	unsigned redirects;	   /* followed so far */
	struct sockaddr_storage addrs[SCOUT_ADDRS_MAX];
	size_t naddrs;
	struct curl_loop_transfer transfer;
	struct curl_slist *fields; /* of the request */
	struct buf body;
	size_t header;		/* octets */
	bool enough;		/* its status says all: the rest is not read */
	char why[300];		/* set: what is wrong, said before libcurl says so */
	int64_t began, started; /* started: when libcurl got it */
	struct loop_timer *soon, *deadline;
};
struct source_http {
	struct loop *loop;
	struct dns *dns;
	const struct source_settings *set;
	struct curl_loop *curl;
	struct fetch *first, **last;
	size_t n;
	struct fetch *running[UNDER_WAY_MAX];
	size_t nrunning;
	struct dead dead;
};

/* ---- its end ---- */

static void stop_running(struct fetch *f)
{
	struct source_http *h = f->of;

	for (size_t i = 0; i < h->nrunning; i++) {
		if (h->running[i] == f)
			h->running[i] = h->running[--h->nrunning];
	}
	curl_loop_end(&f->transfer);
	curl_slist_free_all(f->fields);
	f->fields = NULL;
}

static void fetch_free(struct fetch *f)
{
	struct source_http *h = f->of;

	stop_running(f);
	*f->prev = f->next;
	if (f->next)
		f->next->prev = f->prev;
	else
		h->last = f->prev;
	h->n--;
	loop_timer_free(f->soon);
	loop_timer_free(f->deadline);
	buf_clear_public(&f->body);
	free(f);
}

static void start_waiting(struct source_http *h);

/* Tells; what dns.h still holds goes when it lets go. */
static void tell(struct fetch *f, struct source_answer *a)
{
	struct source_http *h = f->of;
	enum state was = f->state;

	stop_running(f);
	a->took_ms = (uint32_t)(loop_now_ms() - f->began);
	snprintf(a->where, sizeof a->where, "%s", f->url.text[0] ? f->url.text : f->ask.name);
	f->state = TOLD;
	loop_timer_off(f->soon);
	loop_timer_off(f->deadline);
	f->done(f->ctx, a);
	if (was != LOOKING)
		fetch_free(f);
	else
		buf_clear_public(&f->body);
	start_waiting(h);
}

static void tell_temp(struct fetch *f, unsigned code)
{
	struct source_answer *a = mem_new(sizeof *a);

	source_answer_set(a, SOURCE_TEMP, "%s%.100s%s%.180s", f->redirects ? "behind a redirect, at " : "",
	    f->redirects ? f->url.host : "", f->redirects ? ": " : "", f->why);
	a->code = (uint16_t)code;
	tell(f, a);
	free(a);
}

__attribute__((format(printf, 2, 3))) static void say(struct fetch *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->why, sizeof f->why, fmt, ap);
	va_end(ap);
	for (char *p = f->why; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
}

static void on_soon(void *ctx)
{
	tell_temp(ctx, 0);
}

/* From where telling is not allowed. */
static void end_soon(struct fetch *f)
{
	f->state = ENDING;
	loop_timer_set(f->soon, 0);
}

static void note_dead(struct fetch *f, bool given_up)
{
	const struct http_dead_place at = {f->url.host, f->url.port, f->addrs, f->naddrs};
	curl_off_t connected = 0;

	if (f->state != RUNNING || f->header > 0)
		return;
	curl_easy_getinfo(f->transfer.easy, CURLINFO_CONNECT_TIME_T, &connected);

	const struct http_dead_silence how = {.ran_ms = loop_now_ms() - f->started,
	    .time_ms = f->ask.timeout_ms,
	    .given_up = given_up,
	    .connected = connected != 0,
	    .why = f->why};

	http_dead_note(&f->of->dead, &at, &how, f->of->set->http_dead_time);
}

static void leave_out_dead(struct fetch *f)
{
	struct http_dead_place at = {f->url.host, f->url.port, f->addrs, f->naddrs};
	char words[300];

	if (http_dead_leave_out(&f->of->dead, &at, words, sizeof words) == 0)
		say(f, "%s", words);
	else
		f->naddrs = at.naddrs;
}

static void on_deadline(void *ctx)
{
	struct fetch *f = ctx;
	unsigned ms = f->ask.timeout_ms;

	if (f->state == LOOKING)
		say(f, "DNS said nothing of %.100s within %u ms", f->url.host, ms);
	else if (f->state == WAITING)
		say(f, "too many requests were under way for %u ms", ms);
	else if (f->state == RUNNING)
		say(f, "no whole answer within %u ms (%zu octets came)", ms, f->body.len);
	note_dead(f, false);
	tell_temp(f, 0);
}

/* ---- what comes back ---- */

static const char *field(struct fetch *f, const char *name, size_t i)
{
	struct curl_header *h;

	if (curl_easy_header(f->transfer.easy, name, i, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return "";
	return h->value;
}

static long status_of(struct fetch *f)
{
	long code = 0;

	curl_easy_getinfo(f->transfer.easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;

	(void)p;
	f->header += size * n;
	if (f->header <= (size_t)f->of->set->http_header)
		return size * n;
	say(f, "the header of the answer is longer than %lld octets", (long long)f->of->set->http_header);
	return 0;
}

/* Before the first octet of a body is kept. 0, or -1: not wanted. */
static int check_body(struct fetch *f)
{
	const char *coding = field(f, "Content-Encoding", 0);
	curl_off_t length = -1;

	if (status_of(f) != 200) {
		f->enough = true;
		return -1;
	}
	curl_easy_getinfo(f->transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (*coding && strcasecmp(coding, "identity") != 0)
		say(f, "the answer comes compressed or coded (%.30s), which was not asked for", coding);
	else if (length > (curl_off_t)f->ask.max)
		say(f, "the answer is longer than %u octets: %lld", f->ask.max, (long long)length);
	return f->why[0] ? -1 : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;

	if (f->body.len == 0 && check_body(f) < 0)
		return 0;
	if (buf_add(&f->body, p, size * n) == 0)
		return size * n;
	say(f, "the answer is longer than %u octets", f->ask.max);
	return 0;
}

/* Without parameters, lower case; "" when it is none. */
static void media_of(const char *type, char media_r[128])
{
	size_t n = strspn(type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-/");

	media_r[0] = 0;
	if (n >= 128 || (type[n] && !strchr("; \t", type[n])))
		return;
	for (size_t i = 0; i < n; i++)
		media_r[i] = (char)(type[i] >= 'A' && type[i] <= 'Z' ? type[i] + 32 : type[i]);
	media_r[n] = 0;
}

static uint32_t ttl_of(struct fetch *f)
{
	char control[512];
	size_t n = 0;
	struct http_fresh_fields v = {control, field(f, "Age", 0), field(f, "Date", 0), field(f, "Expires", 0)};

	control[0] = 0;
	for (size_t i = 0; i < 4 && n < sizeof control; i++) {
		const char *more = field(f, "Cache-Control", i);

		n += (size_t)snprintf(control + n, sizeof control - n, "%s%s", n ? "," : "", more);
		if (!*more)
			break;
	}
	return http_fresh(&v, (int64_t)time(NULL), (uint32_t)(f->of->set->http_ttl / 1000));
}

static void tell_found(struct fetch *f)
{
	struct source_answer *a = mem_new(sizeof *a);
	struct buf body = f->body;

	source_answer_set(a, SOURCE_FOUND, "%s", "");
	a->code = 200;
	a->ttl = ttl_of(f);
	media_of(field(f, "Content-Type", 0), a->media);
	a->n = 1;
	a->items[0].p = body.p;
	a->items[0].n = body.len;
	buf_init(&f->body, 0); /* the answer's from here on */
	tell(f, a);
	buf_clear_public(&body);
	free(a);
}

static void tell_none(struct fetch *f, long code)
{
	struct source_answer *a = mem_new(sizeof *a);

	source_answer_set(a, SOURCE_NONE, "the server answers %ld", code);
	a->code = (uint16_t)code;
	a->ttl = ttl_of(f);
	tell(f, a);
	free(a);
}

static void begin_target(struct fetch *f);

/* The next target has the rights of the one that chose it: the configuration named a host, not what that host names.
 */
static void follow(struct fetch *f, long code)
{
	struct source_url *to = mem_new(sizeof *to);
	const char *location = field(f, "Location", 0), *why = NULL;

	if (!*location)
		say(f, "the server answers %ld without saying where to", code);
	else if (f->ask.nbody > 0 && code != 307 && code != 308)
		say(f, "the server answers a POST with %ld, a redirect to a GET", code);
	else if (f->redirects >= (unsigned)f->of->set->http_redirects)
		say(f, "more than %u redirects", f->redirects);
	else if (source_url_follow(&f->url, location, to, &why) < 0)
		say(f, "the server redirects to %.120s: %s", location, why);
	if (f->why[0]) {
		free(to);
		tell_temp(f, (unsigned)code);
		return;
	}
	if (strcmp(to->host, f->url.host) != 0)
		f->chosen = SOURCE_BY_STRANGER;
	f->url = *to;
	free(to);
	f->redirects++;
	f->enough = false;
	f->header = 0;
	stop_running(f);
	begin_target(f);
	start_waiting(f->of);
}

static void finished(void *ctx, CURLcode r)
{
	struct fetch *f = ctx;
	long code = status_of(f);

	if (r == CURLE_OUT_OF_MEMORY && !f->why[0]) /* so libcurl says it; memory that is out ends us elsewhere */
		say(f, "a line of the header of the answer is longer than 100 KiB");
	if (r != CURLE_OK && !f->enough && !f->why[0])
		say(f, "%s", curl_loop_words(&f->transfer, r));
	if (r == CURLE_COULDNT_CONNECT || r == CURLE_OPERATION_TIMEDOUT)
		note_dead(f, true);
	if (f->why[0])
		tell_temp(f, (unsigned)code);
	else if (code == 200 && f->body.len > 0)
		tell_found(f);
	else if (code == 404 || code == 410)
		tell_none(f, code);
	else if (code == 301 || code == 302 || code == 303 || code == 307 || code == 308)
		follow(f, code);
	else {
		say(f, code == 200 ? "the answer is empty (%ld)" : "the server answers %ld", code);
		tell_temp(f, (unsigned)code);
	}
}

/* ---- libcurl ---- */

static int add_field(struct fetch *f, const char *name, const char *value)
{
	char line[200];
	struct curl_slist *more;

	snprintf(line, sizeof line, "%s:%s%s", name, *value ? " " : "", value);
	for (const char *p = line; *p; p++) {
		if (*p < ' ' || *p > '~')
			return -1;
	}
	more = curl_slist_append(f->fields, line);
	if (more)
		f->fields = more;
	return more ? 0 : -1;
}

static int set_options(struct fetch *f)
{
	const struct source_settings *set = f->of->set;
	CURL *e = f->transfer.easy;
	int64_t left = f->began + f->ask.timeout_ms - loop_now_ms();
	int bad = 0;

#define SET(option, value) bad |= curl_easy_setopt(e, option, value) != CURLE_OK
	/* the deadline is our own timer; libcurl shares the time out among addresses */
	SET(CURLOPT_TIMEOUT_MS, (long)(left > 0 ? left : 0) + 1000);
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)set->http_slow_octets);
	SET(CURLOPT_LOW_SPEED_TIME, (long)((set->http_slow_time + 999) / 1000));
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, f);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, f);
	SET(CURLOPT_USERAGENT, "postern");
	if (f->ask.nbody > 0) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE, (long)f->ask.nbody);
		SET(CURLOPT_POSTFIELDS, (const char *)f->ask.body);
		bad |= add_field(f, "Content-Type", f->ask.type_sent) < 0 || add_field(f, "Expect", "") < 0;
	}
	if (f->ask.type_wanted[0])
		bad |= add_field(f, "Accept", f->ask.type_wanted) < 0;
	SET(CURLOPT_HTTPHEADER, f->fields);
#undef SET
	return bad ? -1 : 0;
}

static void start(struct fetch *f)
{
	struct source_http *h = f->of;
	leave_out_dead(f); /* while it waited */
	if (f->why[0]) {
		end_soon(f);
		return;
	}

	const struct curl_loop_to to = {f->url.text, f->url.host, f->url.port, f->addrs, f->naddrs, false};

	if (curl_loop_prepare(h->curl, &to, &f->transfer) < 0 || set_options(f) < 0 ||
	    curl_loop_begin(&f->transfer, finished, f) < 0) {
		say(f, "libcurl refuses the request");
		stop_running(f);
		end_soon(f);
		return;
	}
	f->state = RUNNING;
	f->started = loop_now_ms();
	h->running[h->nrunning++] = f;
}

/* ---- a place among those under way ---- */

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a, *b4 = (const struct sockaddr_in *)b;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a, *b6 = (const struct sockaddr_in6 *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof a6->sin6_addr) == 0;
}

/* A thousand names may lead to one server. */
static bool same_place(const struct fetch *a, const struct fetch *b)
{
	return strcmp(a->url.host, b->url.host) == 0 || same_address(&a->addrs[0], &b->addrs[0]);
}

static bool has_place(const struct fetch *f)
{
	const struct source_http *h = f->of;
	size_t there = 0;

	if (h->nrunning >= (size_t)h->set->http_connections || h->nrunning >= UNDER_WAY_MAX)
		return false;
	for (size_t i = 0; i < h->nrunning; i++)
		there += same_place(f, h->running[i]);
	return there < (size_t)h->set->http_per_host;
}

/* Never tells. */
static void start_waiting(struct source_http *h)
{
	for (struct fetch *f = h->first, *next; f && h->nrunning < (size_t)h->set->http_connections; f = next) {
		next = f->next;
		if (f->state == WAITING && has_place(f))
			start(f);
	}
}

static bool too_many_wait(const struct fetch *f)
{
	const struct source_http *h = f->of;
	int64_t there = 0;

	for (const struct fetch *o = h->first; o; o = o->next)
		there += o != f && o->state == WAITING && same_place(f, o);
	return there >= h->set->http_waiting_per_host && !has_place(f);
}

/* ---- names and addresses ---- */

static void keep_allowed(struct fetch *f, const struct scout_host *host)
{
	f->naddrs = 0;
	for (size_t i = 0; i < host->naddrs && f->naddrs < SCOUT_ADDRS_MAX; i++) {
		if (source_settings_addr(f->of->set, f->chosen, &host->addrs[i]))
			f->addrs[f->naddrs++] = host->addrs[i];
	}
	if (f->naddrs == 0)
		say(f, "%.100s has private or reserved addresses alone, which others may not name (allow-private)",
		    f->url.host);
}

static void addresses_came(void *ctx, const struct scout_hosts *h)
{
	struct fetch *f = ctx;

	if (f->state == TOLD) {
		fetch_free(f);
		return;
	}
	f->state = ENDING;
	if (h->status == SCOUT_OK)
		keep_allowed(f, &h->hosts[0]);
	else if (h->status == SCOUT_PERM)
		say(f, "%.100s has no address in the DNS", f->url.host);
	else
		say(f, "%.250s", h->problem.text);
	if (!f->why[0])
		leave_out_dead(f);
	if (!f->why[0] && too_many_wait(f))
		say(f, "too many requests wait for %.100s", f->url.host);
	if (f->why[0]) {
		tell_temp(f, 0);
		return;
	}
	f->state = WAITING;
	if (has_place(f))
		start(f);
}

/* Never tells. */
static void begin_target(struct fetch *f)
{
	if (f->chosen == SOURCE_BY_STRANGER && !source_settings_port(&f->of->set->http_ports, f->url.port)) {
		say(f, "port %u is not among http-ports", f->url.port);
		end_soon(f);
		return;
	}
	f->state = LOOKING;
	dns_host(f->of->dns, f->url.host, addresses_came, f);
}

/* ---- the whole ---- */

static struct fetch *fetch_new(struct source_http *h, const struct source_ask *ask, source_done *done, void *ctx)
{
	struct fetch *f = mem_new(sizeof *f);

	f->of = h;
	f->ask = *ask;
	f->chosen = ask->chosen;
	f->done = done;
	f->ctx = ctx;
	f->began = loop_now_ms();
	f->prev = h->last;
	*h->last = f;
	h->last = &f->next;
	h->n++;
	buf_init(&f->body, ask->max);
	f->soon = loop_timer_new(h->loop, on_soon, f);
	f->deadline = loop_timer_new(h->loop, on_deadline, f);
	loop_timer_set(f->deadline, ask->timeout_ms);
	return f;
}

void source_http_ask(struct source_http *h, const struct source_ask *ask, source_done *done, void *ctx)
{
	struct fetch *f = fetch_new(h, ask, done, ctx);
	const char *why = NULL;

	if (h->n > (size_t)h->set->http_waiting)
		say(f, "too many HTTP requests are under way here");
	else if (source_url_split(ask->name, &f->url, &why) < 0)
		say(f, "this URL is not fetched: %s", why);
	if (f->why[0])
		end_soon(f);
	else
		begin_target(f);
}

struct source_http *source_http_new(
    struct loop *l, struct dns *d, const struct source_settings *set, const char *ca_file)
{
	struct source_http *h = mem_new(sizeof *h);
	struct problem pr;

	h->loop = l;
	h->dns = d;
	h->set = set;
	h->last = &h->first;
	h->curl = curl_loop_new(l, ca_file, &pr);
	if (h->curl)
		return h;
	log_error(NULL, "scout", "alarm=sources why=\"tls-ca-file: %s; no https URL can be fetched\"", pr.text);
	h->curl = curl_loop_new(l, NULL, &pr);
	return h;
}

void source_http_free(struct source_http *h)
{
	if (!h)
		return;
	/* fetch_free unlinks through prev, which the analyser does not follow */
	while (h->first)
		fetch_free(h->first); /* NOLINT(clang-analyzer-unix.Malloc) */
	curl_loop_free(h->curl);
	free(h);
}
