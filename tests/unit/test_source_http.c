/* The HTTP source with a real name server (nsd), a resolver that changes its mind, and HTTP servers that do what they
 * should not. Each answer in bounded time, with the exact reason. */
#include "gateway/scout/source_http.h"

#include <sys/resource.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/sandbox.h"
#include "tests/unit/http_peer.h"
#include "tests/unit/nsd_fixture.h"
#include "tests/unit/scout_fixture.h"
#include "tests/unit/suite.h"
#include "tests/unit/testcert.h"
#include "tests/unit/testdir.h"

static struct nsd nsd;

static void setup_dns(void)
{
	nsd_begin(&nsd);
	/* of the loopback addresses 127.0.0.2 is what the tests call public */
	nsd_write(&nsd, "plain.test",
	    "good A 127.0.0.2\nother A 127.0.0.2\nbad A 127.0.0.1\nten A 10.0.0.1\nsix AAAA ::1\n"
	    "mixed A 127.0.0.1\nmixed A 127.0.0.2\nnone TXT \"x\"\nmapped AAAA ::ffff:127.0.0.1\n");
	nsd_zone(&nsd, "plain.test", "plain.test.zone");
	nsd_start(&nsd);
}

static void teardown_dns(void)
{
	nsd_end(&nsd);
}

/* ---- a name server that answers 127.0.0.2 first, then 127.0.0.1, and says to forget it at once ---- */

static int fickle = -1;
static unsigned fickle_port;
static pthread_t fickle_thread;
static atomic_int fickle_asked;

static void *be_fickle(void *ctx)
{
	uint8_t b[512];
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	ssize_t n;

	(void)ctx;
	while ((n = recvfrom(fickle, b, sizeof b - 32, 0, (struct sockaddr *)&from, &len)) > 12) {
		size_t at = 12;
		uint8_t rr[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 2};

		while (at < (size_t)n && b[at])
			at += b[at] + 1u;
		at += 5;
		b[2] = 0x84 | (b[2] & 1);
		b[3] = 0;
		b[7] = 0;
		b[9] = b[11] = 0;
		if (b[at - 3] == 1) { /* A */
			b[7] = 1;
			if (atomic_fetch_add(&fickle_asked, 1) > 0)
				rr[15] = 1;
			memcpy(b + at, rr, sizeof rr);
			at += sizeof rr;
		}
		(void)!sendto(fickle, b, at, 0, (struct sockaddr *)&from, len);
		len = sizeof from;
	}
	return NULL;
}

/* ---- asking ---- */

static struct dns *dns;
static struct source_http *http;
static struct http_peer peer, tls_peer;
static struct source_settings set;
static char dir[64], ca[100];
static int found, refused_all, refused_host;

static char allowed[] = "127.0.0.2/32", ports[] = "80", high[] = "1024-65535";
static char *v_allowed[] = {allowed}, *v_ports[] = {ports, high};

static SSL_CTX *make_tls(void)
{
	const struct testcert_spec spec = {.cn = "good", .san = "DNS:good.plain.test", .eku = "serverAuth"};
	struct testcert t = testcert_make(&spec);
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	FILE *f;

	snprintf(ca, sizeof ca, "%s/ca.pem", dir);
	f = fopen(ca, "w");
	ck_assert(f && PEM_write_X509(f, t.x) == 1 && fclose(f) == 0);
	ck_assert(SSL_CTX_use_certificate(c, t.x) == 1 && SSL_CTX_use_PrivateKey(c, t.key) == 1);
	testcert_free(&t);
	return c;
}

static void make_source(void)
{
	static char stubs[2][64], *v[2] = {stubs[0], stubs[1]}, none[] = "none";
	struct dns_settings d = {.stubs = {v, 2}, .timeout = 5000, .trust_anchor_file = none};
	struct problem pr;

	snprintf(stubs[0], sizeof stubs[0], "plain.test=127.0.0.1@%u", nsd.port);
	snprintf(stubs[1], sizeof stubs[1], "fickle.test=127.0.0.1@%u", fickle_port);
	loop = loop_new();
	dns = dns_new(loop, &d, &pr);
	ck_assert_msg(dns != NULL, "%s", pr.text);
	set = (struct source_settings){.allow_private = {v_allowed, 1},
	    .http_ports = {v_ports, 2},
	    .http_redirects = 3,
	    .http_connections = 8,
	    .http_per_host = 2,
	    .http_waiting = 30,
	    .http_waiting_per_host = 15,
	    .http_header = 4096,
	    .http_slow_octets = 1000,
	    .http_slow_time = 1000,
	    .http_dead_time = 60000,
	    .http_ttl = 60000};
	http = source_http_new(loop, dns, &set, ca);
}

static void unmake_source(void)
{
	dns_free(dns);
	source_http_free(http);
	loop_free(loop);
}

static void setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	log_init("unit", LOG_LEVEL_ERROR);
	found = refused_all = refused_host = 0;
	atomic_store(&fickle_asked, 0);
	testdir_make(dir);
	peer_start(&peer, NULL);
	peer_start(&tls_peer, make_tls());
	fickle = server_bind(SOCK_DGRAM, &fickle_port);
	ck_assert_int_eq(pthread_create(&fickle_thread, NULL, be_fickle, NULL), 0);
	make_source();
}

static void teardown(void)
{
	unmake_source();
	peer_stop(&peer);
	peer_stop(&tls_peer);
	SSL_CTX_free(tls_peer.tls);
	shutdown(fickle, SHUT_RDWR);
	close(fickle);
	testdir_remove(dir);
}

static char body[1 << 20];

static void done(void *ctx, const struct source_answer *a)
{
	if (a->n > 0) {
		ck_assert_uint_eq(a->n, 1);
		ck_assert_uint_lt(a->items[0].n, sizeof body);
		memcpy(body, a->items[0].p, a->items[0].n);
		body[a->items[0].n] = 0;
	}
	scout_took(ctx, a);
}

static struct source_ask question(enum source_chosen chosen, const char *url)
{
	struct source_ask a = {
	    .kind = SOURCE_HTTP, .chosen = chosen, .max = 100000, .timeout_ms = 3000, .type_wanted = "application/x"};

	ck_assert_int_eq(mem_copy_str(a.name, sizeof a.name, url), 0);
	return a;
}

static void run(const struct source_ask *a)
{
	int64_t began = scout_begin();

	source_http_ask(http, a, done, &got);
	scout_end(began, a);
}

/* "%u" is the port of the plain server, "%t" of the other. */
static const char *url_of(const char *pattern)
{
	static char out[3000];
	size_t n = 0;

	for (const char *p = pattern; *p; p++) {
		if (p[0] == '%' && (p[1] == 'u' || p[1] == 't'))
			n += (size_t)snprintf(out + n, sizeof out - n, "%u", *++p == 'u' ? peer.port : tls_peer.port);
		else
			out[n++] = *p;
	}
	out[n] = 0;
	return out;
}

#define GOOD "http://good.plain.test:%u"
#define ST SOURCE_BY_STRANGER
static const struct {
	enum source_chosen chosen;
	const char *url;
	enum source_status status;
	unsigned code;
	const char *why; /* or the body */
} rows[] = {
    {ST, GOOD "/ok", SOURCE_FOUND, 200, "DER!"},
    {ST, "HTTP://GOOD.plain.test.:%u/ok#x", SOURCE_FOUND, 200, "DER!"},
    {ST, "http://127.0.0.2:%u/ok", SOURCE_FOUND, 200, "DER!"},
    {ST, "http://mixed.plain.test:%u/ok", SOURCE_FOUND, 200, "DER!"},
    {ST, GOOD "/status/404", SOURCE_NONE, 404, "the server answers 404"},
    {ST, GOOD "/status/410", SOURCE_NONE, 410, "the server answers 410"},
    {ST, GOOD "/status/500", SOURCE_TEMP, 500, "the server answers 500"},
    {ST, GOOD "/status/401", SOURCE_TEMP, 401, "the server answers 401"},
    {ST, GOOD "/status/206", SOURCE_TEMP, 206, "the server answers 206"},
    {ST, GOOD "/empty", SOURCE_TEMP, 200, "the answer is empty"},
    {ST, GOOD "/endless", SOURCE_TEMP, 200, "the answer is longer than 100000 octets"},
    {ST, GOOD "/long", SOURCE_TEMP, 200, "the answer is longer than 100000 octets: 99999999"},
    {ST, GOOD "/short", SOURCE_TEMP, 200, "transfer closed with 91 bytes remaining to read"},
    {ST, GOOD "/bomb", SOURCE_TEMP, 200, "the answer comes compressed or coded (gzip), which was not asked for"},
    {ST, GOOD "/bomb-te", SOURCE_TEMP, 200, "the answer is longer than 100000 octets"},
    {ST, GOOD "/drip", SOURCE_TEMP, 200, "Operation too slow"},
    {ST, GOOD "/silent", SOURCE_TEMP, 0, "Operation too slow"},
    {ST, GOOD "/flood", SOURCE_TEMP, 200, "the header of the answer is longer than 4096 octets"},
    {ST, GOOD "/interim", SOURCE_TEMP, 102, "the header of the answer is longer than 4096 octets"},
    {ST, GOOD "/line", SOURCE_TEMP, 200, "a line of the header of the answer is longer than 100 KiB"},
    {ST, GOOD "/garbage", SOURCE_TEMP, 0, "Received HTTP/0.9 when not allowed"},
    /* redirects */
    {ST, GOOD "/to/302/ok", SOURCE_FOUND, 200, "DER!"},
    {ST, GOOD "/to/307//other.plain.test:%u/ok", SOURCE_FOUND, 200, "DER!"},
    {ST, GOOD "/loop", SOURCE_TEMP, 302, "behind a redirect, at good.plain.test: more than 3 redirects"},
    {ST, GOOD "/nowhere", SOURCE_TEMP, 302, "the server answers 302 without saying where to"},
    {ST, GOOD "/to/302http://127.0.0.1:%u/ok", SOURCE_TEMP, 0,
	"behind a redirect, at 127.0.0.1: 127.0.0.1 has private or reserved addresses alone"},
    {ST, GOOD "/to/302http://bad.plain.test:%u/ok", SOURCE_TEMP, 0, "bad.plain.test has private or reserved"},
    {ST, GOOD "/to/302http://0x7f.1:%u/ok", SOURCE_TEMP, 0, "127.0.0.1 has private or reserved"},
    {ST, GOOD "/to/302file:///etc/passwd", SOURCE_TEMP, 302,
	"the server redirects to file:///etc/passwd: only http:// and https:// are fetched"},
    {ST, GOOD "/to/302gopher://good.plain.test/x", SOURCE_TEMP, 302, "only http:// and https:// are fetched"},
    {ST, GOOD "/to/302http://u:p@good.plain.test:%u/ok", SOURCE_TEMP, 302, "it has a user name or password"},
    {ST, GOOD "/to/302http://good.plain.test:25/ok", SOURCE_TEMP, 0, "port 25 is not among http-ports"},
    {SOURCE_BY_ADMIN, "http://bad.plain.test:%u/to/302http://127.0.0.1:%u/ok", SOURCE_TEMP, 0,
	"127.0.0.1 has private or reserved addresses alone"},
    {SOURCE_BY_ADMIN, "http://bad.plain.test:%u/to/302/ok", SOURCE_FOUND, 200, "DER!"},
    {ST, "https://good.plain.test:%t/to/302" GOOD "/ok", SOURCE_TEMP, 302, "it leads from https to http"},
    /* addresses, names, ports */
    {SOURCE_BY_ADMIN, "http://bad.plain.test:%u/ok", SOURCE_FOUND, 200, "DER!"},
    {SOURCE_BY_ADMIN, "http://127.0.0.1:%u/ok", SOURCE_FOUND, 200, "DER!"},
    {ST, "http://bad.plain.test:%u/ok", SOURCE_TEMP, 0,
	"bad.plain.test has private or reserved addresses alone, which others may not name (allow-private)"},
    {ST, "http://ten.plain.test:%u/ok", SOURCE_TEMP, 0, "ten.plain.test has private"},
    {ST, "http://six.plain.test:%u/ok", SOURCE_TEMP, 0, "six.plain.test has private"},
    {ST, "http://mapped.plain.test:%u/ok", SOURCE_TEMP, 0, "mapped.plain.test has private"},
    {ST, "http://[::1]:%u/ok", SOURCE_TEMP, 0, "::1 has private"},
    {ST, "http://2130706433:%u/ok", SOURCE_TEMP, 0, "its host is a number that is no usual IP address"},
    {ST, "http://none.plain.test:%u/ok", SOURCE_TEMP, 0, "none.plain.test has no address in the DNS"},
    {ST, "http://nowhere.plain.test:%u/ok", SOURCE_TEMP, 0, "nowhere.plain.test has no address in the DNS"},
    {ST, "http://good.plain.test:25/", SOURCE_TEMP, 0, "port 25 is not among http-ports"},
    {ST, "http://good.plain.test:1/", SOURCE_TEMP, 0, "port 1 is not among http-ports"},
    {ST, "ftp://good.plain.test/", SOURCE_TEMP, 0, "this URL is not fetched: only http:// and https:// are fetched"},
    {ST, "http://u@good.plain.test:%u/ok", SOURCE_TEMP, 0, "it has a user name or password, which is never sent"},
    /* https */
    {ST, "https://good.plain.test:%t/ok", SOURCE_FOUND, 200, "DER!"},
    {ST, "https://other.plain.test:%t/ok", SOURCE_TEMP, 0, "no alternative certificate subject name matches"},
    {SOURCE_BY_ADMIN, "https://other.plain.test:%t/ok", SOURCE_TEMP, 0, "no alternative certificate subject name"},
    {ST, "https://good.plain.test:%u/ok", SOURCE_TEMP, 0, "wrong version number"},
};

START_TEST(one)
{
	struct source_ask a = question(rows[_i].chosen, url_of(rows[_i].url));
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	run(&a);
	getrusage(RUSAGE_SELF, &after);
	ck_assert_msg(got.status == rows[_i].status, "%s: %d %s", a.name, got.status, got.why);
	ck_assert_msg(
	    strstr(got.status == SOURCE_FOUND ? body : got.why, rows[_i].why) != NULL, "%s: %s", a.name, got.why);
	ck_assert_msg(got.code == rows[_i].code, "%s: code %u", a.name, got.code);
	ck_assert_msg(strlen(got.where) > 0, "%s", a.name);
	ck_assert_msg(after.ru_maxrss - before.ru_maxrss < 16 * 1024, "%s: %ld KiB", a.name,
	    after.ru_maxrss - before.ru_maxrss);
	if (rows[_i].chosen == SOURCE_BY_STRANGER)
		ck_assert_int_eq(atomic_load(&peer.to_one), 0);
}
END_TEST

START_TEST(what_is_told)
{
	struct source_ask a = question(ST, url_of(GOOD "/to/302/ok"));

	run(&a);
	ck_assert_str_eq(got.where, url_of("http://good.plain.test:%u/ok"));
	ck_assert_str_eq(got.media, "application/pkix-cert");
	ck_assert_uint_eq(got.ttl, 60); /* 77, bounded by http-ttl */
	ck_assert_int_eq(got.dnssec, SOURCE_UNSIGNED);
	ck_assert(!got.more);
}
END_TEST

START_TEST(what_is_sent)
{
	struct source_ask a = question(ST, url_of(GOOD "/echo"));
	static const char *const never[] = {
	    "Cookie", "Authorization", "Referer", "Accept-Encoding", "Proxy", "Expect"};

	memcpy(a.body, "question", 8);
	a.nbody = 8;
	snprintf(a.type_sent, sizeof a.type_sent, "application/ocsp-request");
	run(&a);
	ck_assert_int_eq(got.status, SOURCE_FOUND);
	ck_assert_str_eq(body, "question");
	ck_assert_ptr_eq(strstr(peer.request, "POST /echo HTTP/1.1\r\n"), peer.request);
	ck_assert_ptr_nonnull(strstr(peer.request, "\r\nContent-Type: application/ocsp-request\r\n"));
	ck_assert_ptr_nonnull(strstr(peer.request, "\r\nAccept: application/x\r\n"));
	ck_assert_ptr_nonnull(strstr(peer.request, "\r\nHost: good.plain.test:"));
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		ck_assert_msg(!strcasestr(peer.request, never[i]), "%s: %s", never[i], peer.request);
	/* a POST is repeated as one, or not at all */
	snprintf(a.name, sizeof a.name, "%s", url_of(GOOD "/to/302/echo"));
	run(&a);
	ck_assert_ptr_nonnull(strstr(got.why, "the server answers a POST with 302, a redirect to a GET"));
	snprintf(a.name, sizeof a.name, "%s", url_of(GOOD "/to/308/echo"));
	run(&a);
	ck_assert_msg(got.status == SOURCE_FOUND && strcmp(body, "question") == 0, "%s", got.why);
	/* a media type that would begin a field of its own */
	snprintf(a.type_wanted, sizeof a.type_wanted, "x\r\nX: y");
	run(&a);
	ck_assert_ptr_nonnull(strstr(got.why, "libcurl refuses the request"));
}
END_TEST

/* The name leads elsewhere when it is looked up again. */
START_TEST(rebinding)
{
	struct source_ask a = question(ST, url_of("http://r.fickle.test:%u/to/302/ok"));

	run(&a);
	ck_assert_int_eq(got.status, SOURCE_TEMP);
	ck_assert_msg(
	    strstr(got.why, "r.fickle.test has private or reserved addresses alone") != NULL, "%s", got.why);
	ck_assert_int_ge(atomic_load(&fickle_asked), 2);
	ck_assert_int_eq(atomic_load(&peer.accepted), 1);
	ck_assert_int_eq(atomic_load(&peer.to_one), 0);
}
END_TEST

/* What the configuration may reach, a stranger may not at the same time, though libcurl knows the name's address. */
START_TEST(side_by_side)
{
	struct source_ask a = question(SOURCE_BY_ADMIN, url_of("http://bad.plain.test:%u/slow"));
	struct source_ask b = question(ST, url_of("http://bad.plain.test:%u/ok"));

	answers = 0;
	source_http_ask(http, &a, done, &got);
	source_http_ask(http, &b, done, &got);
	scout_wait(2);
	ck_assert_int_eq(atomic_load(&peer.accepted), 1);
}
END_TEST

START_TEST(in_time)
{
	struct source_ask a = question(ST, url_of(GOOD "/silent"));

	a.timeout_ms = 300;
	run(&a);
	ck_assert_int_eq(got.status, SOURCE_TEMP);
	ck_assert_str_eq(got.why, "no whole answer within 300 ms (0 octets came)");
	ck_assert_uint_ge(got.took_ms, 300);
}
END_TEST

/* A port whose queue is full: nobody is refused, nobody gets in. */
static int full_port(unsigned *port_r, int clients[2])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002)};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 0) == 0);
	ck_assert(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	*port_r = ntohs(a.sin_port);
	for (int i = 0; i < 2; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(clients[i], (struct sockaddr *)&a, sizeof a);
	}
	return fd;
}

/* Who cannot be reached is not waited for again, by whatever name and URL; who is there and silent is. */
START_TEST(dead)
{
	struct source_ask a = question(ST, url_of(GOOD "/silent")), b;
	char url[200];
	int64_t began;
	unsigned port;
	int clients[2], fd = full_port(&port, clients);

	set.http_slow_time = 10000;
	a.timeout_ms = 1100;
	run(&a);
	ck_assert_str_eq(got.why, "no whole answer within 1100 ms (0 octets came)");
	a = question(ST, url_of(GOOD "/ok"));
	run(&a);
	ck_assert_int_eq(got.status, SOURCE_FOUND);
	(void)snprintf(url, sizeof url, "http://good.plain.test:%u/ok", port);
	a = b = question(SOURCE_BY_ADMIN, url);
	a.timeout_ms = 1100;
	run(&a);
	ck_assert_str_eq(got.why, "no whole answer within 1100 ms (0 octets came)");
	began = loop_now_ms();
	(void)snprintf(b.name, sizeof b.name, "http://other.plain.test:%u/else", port);
	run(&b);
	ck_assert_int_eq(got.status, SOURCE_TEMP);
	ck_assert_msg(strstr(got.why, "is marked dead since") && strstr(got.why, "1100 ms"), "%s", got.why);
	ck_assert_int_le(loop_now_ms() - began, 1000);
	close(clients[0]);
	close(clients[1]);
	close(fd);
}
END_TEST

static void count(void *ctx, const struct source_answer *a)
{
	(void)ctx;
	answers++;
	found += a->status == SOURCE_FOUND;
	refused_all += strcmp(a->why, "too many HTTP requests are under way here") == 0;
	refused_host += strcmp(a->why, "too many requests wait for good.plain.test") == 0 ||
			strcmp(a->why, "too many requests wait for other.plain.test") == 0;
}

/* 40 requests to one server by two names: 2 at once, 15 wait, 30 in all. */
START_TEST(many)
{
	struct source_ask a[2] = {
	    question(ST, url_of(GOOD "/slow")), question(ST, url_of("http://other.plain.test:%u/slow"))};

	answers = 0;
	for (int i = 0; i < 40; i++)
		source_http_ask(http, &a[i % 2], count, NULL);
	ck_assert_int_eq(answers, 0);
	scout_wait(40);
	ck_assert_int_eq(refused_all, 10);
	ck_assert_int_eq(found, 17);
	ck_assert_int_eq(refused_host, 13);
	ck_assert_int_eq(atomic_load(&peer.accepted), 17);
	ck_assert_int_le(atomic_load(&peer.most), 2);
}
END_TEST

/* It ends with questions under way in every state. */
START_TEST(end)
{
	struct source_ask a = question(ST, url_of(GOOD "/silent"));

	answers = 0;
	for (int i = 0; i < 10; i++)
		source_http_ask(http, &a, count, NULL);
	while (atomic_load(&peer.accepted) < 2)
		loop_once(loop, 20);
	source_http_ask(http, &a, count, NULL);
	ck_assert_int_eq(answers, 0);
}
END_TEST

/* As the scout has it: no files. In a process of its own: Check could not report from inside the filter. Tells by its
 * exit status what went wrong. */
static int sandboxed(void)
{
	const struct sandbox box = {.net = SANDBOX_NET_CLIENT};
	struct problem pr;
	struct source_ask a;

	make_source();
	if (sandbox_enter(&box, &pr) < 0)
		return 2;
	a = question(ST, url_of(GOOD "/to/302/ok"));
	run(&a);
	if (got.status != SOURCE_FOUND)
		return 3;
	a = question(ST, url_of("https://good.plain.test:%t/ok"));
	run(&a);
	if (got.status != SOURCE_FOUND)
		return 4;
	a = question(ST, url_of("https://other.plain.test:%t/ok"));
	run(&a);
	return strstr(got.why, "no alternative certificate subject name") ? 0 : 5;
}

START_TEST(in_the_sandbox)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(sandboxed());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("source_http");
	TCase *t = tcase_create("servers");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, setup_dns, teardown_dns);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, one, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(t, what_is_told);
	tcase_add_test(t, what_is_sent);
	tcase_add_test(t, rebinding);
	tcase_add_test(t, side_by_side);
	tcase_add_test(t, in_time);
	tcase_add_test(t, dead);
	tcase_add_test(t, many);
	tcase_add_test(t, end);
	tcase_add_test(t, in_the_sandbox);
	suite_add_tcase(s, t);
	return suite_run(s);
}
