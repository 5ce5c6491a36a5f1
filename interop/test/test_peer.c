/* A gateway that says anything to the kit as a client: what counts as an answer, and what as none. And what came at
 * the sinks, when the case has settled. */
#include "interop/kit/http_get.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interop/kit/sink.h"
#include "interop/kit/sink_store.h"
#include "interop/kit/smtp_client.h"
#include "interop/kit/step_end.h"
#include "interop/kit/web.h"

#include <check.h> /* last: it has a macro of the name fail */

/* --- a peer that says one text to whoever comes first ----------------------------------------------------------- */

struct peer {
	int listener;
	char address[40];
	const char *says;
	size_t n;
	bool stays; /* it does not close */
	pthread_t thread;
};

static int free_port(char address[40])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 4) == 0);
	ck_assert(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	snprintf(address, 40, "127.0.0.1:%d", ntohs(a.sin_port));
	return fd;
}

static void *serve(void *arg)
{
	struct peer *p = arg;
	int fd = accept(p->listener, NULL, NULL);
	char part[4096];

	send(fd, p->says, p->n, MSG_NOSIGNAL);
	if (!p->stays)
		shutdown(fd, SHUT_WR);
	while (recv(fd, part, sizeof(part), 0) > 0)
		;
	close(fd);
	return NULL;
}

static void begin(struct peer *p, const char *says, size_t n, bool stays)
{
	*p = (struct peer){.says = says, .n = n, .stays = stays};
	p->listener = free_port(p->address);
	ck_assert(pthread_create(&p->thread, NULL, serve, p) == 0);
}

static void end(struct peer *p)
{
	pthread_join(p->thread, NULL);
	close(p->listener);
}

/* --- HTTP ------------------------------------------------------------------------------------------------------- */

#define S(text) text, sizeof(text) - 1

static const struct {
	const char *says;
	size_t n;
	const char *body; /* NULL: no answer */
	long status;
} answers[] = {
    {S("HTTP/1.1 200 OK\r\nContent-Type: a/b; c=d\r\nContent-Length: 3\r\n\r\nabc"), "abc", 200},
    {S("HTTP/1.0 404 No\r\n\r\nno"), "no", 404},
    {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), "abcde", 200},
    {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), NULL, 0},
    {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nabc\r\n"), NULL, 0},
    {S("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc"), NULL, 0},
    {S("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc"), NULL, 0},
    {S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc"), NULL, 0},
    {S("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), NULL, 0},
    {S("HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc"), NULL, 0},
    {S("HTTP/1.1 200 OK\r\nA\0B: c\r\n\r\nabc"), NULL, 0},
    {S("HTTP/1.1 200 OK\r\nA\0\r\n\r\nabc"), NULL, 0},
    {S("HTTP/1.1 20\r\n\r\nabc"), NULL, 0},
    {S("HTTP/1.1 200 OK\r\nContent-Type: a"), NULL, 0},
    {S(""), NULL, 0},
};

START_TEST(http)
{
	struct buf type = {0}, body = {0}, why = {0};
	struct peer p;
	long status = 0;
	int rc;

	begin(&p, answers[_i].says, answers[_i].n, false);
	rc = http_get("http://gateway.test/", p.address, &status, &type, &body, NULL, &why);
	ck_assert_msg((rc == 0) == (answers[_i].body != NULL), "%d: %s", _i, why.n ? why.p : "taken");
	if (rc == 0) {
		ck_assert_int_eq(status, answers[_i].status);
		ck_assert_str_eq(body.p, answers[_i].body);
	} else {
		ck_assert(why.n > 0 && status == 0);
	}
	end(&p);
	buf_free(&type);
	buf_free(&body);
	buf_free(&why);
}
END_TEST

static void ask(const char *address, const char *p, size_t n, struct buf *out)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)strtoul(strchr(address, ':') + 1, NULL, 10))};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char part[4096];
	ssize_t got;

	ck_assert(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	ck_assert(send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n && shutdown(fd, SHUT_WR) == 0);
	while ((got = recv(fd, part, sizeof(part), 0)) > 0)
		buf_add(out, part, (size_t)got);
	buf_add(out, "", 0);
	close(fd);
}

static const struct {
	const char *says;
	size_t n;
	const char *answer;
} requests[] = {
    {S("GET /there HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 OK"},
    {S("GET /nowhere HTTP/1.1\r\n\r\n"), "HTTP/1.1 404"},
    {S("GET /there HTTP/1.1\r\nA\0B\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 OK"},
    {S("\0\r\n\r\n"), ""},
    {S("POST /ocsp/x/good HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"), ""},
    {S("GET /%00%zz%"), ""},
};

/* whatever a gateway asks for, the kit's web server goes on */
START_TEST(web)
{
	char none[] = "", address[40];
	struct kit k = {.dir = none, .http = address, .https = none};
	struct buf out = {0}, page = {0};
	struct web *w;

	close(free_port(address));
	w = web_open(&k, NULL, NULL);
	ck_assert(w != NULL);
	buf_adds(&page, "page");
	web_put(w, "/there", "text/plain", &page);
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		buf_clear(&out);
		ask(address, requests[i].says, requests[i].n, &out);
		ck_assert_msg(!strncmp(out.p, requests[i].answer, strlen(requests[i].answer)), "%zu: %s", i, out.p);
	}
	web_close(w);
	buf_free(&out);
	buf_free(&page);
}
END_TEST

/* --- SMTP ------------------------------------------------------------------------------------------------------- */

#define UP_TO_DATA "220 g\r\n250 g\r\n250 mail\r\n250 rcpt\r\n"

static const struct {
	const char *says;
	bool stays;
	int code;
	bool closed;
} sessions[] = {
    {UP_TO_DATA "354 go\r\n250 taken\r\n", false, 250, false},
    {UP_TO_DATA "250 go\r\n250 taken\r\n", false, 0, false}, /* no content was sent */
    {UP_TO_DATA "451 not now\r\n", false, 451, false},
    {UP_TO_DATA "354 go\r\n", false, 0, true},
    {UP_TO_DATA "354 go\r\n", true, 0, false}, /* it says nothing */
    {UP_TO_DATA "354 go\r\n250-taken\r\n550 or not\r\n", false, 0, false},
    {UP_TO_DATA "354 go\r\nwhatever\r\n", false, 0, false},
    {"", true, 0, false},
    {"", false, 0, true},
    {"421 busy\r\n", false, 421, false},
    {"020 g\r\n", false, 0, false},
    {"220\r\n", false, 0, true},
};

START_TEST(smtp)
{
	struct reply r = {0};
	struct buf why = {0};
	struct smtp *s;
	struct peer p;

	begin(&p, sessions[_i].says, strlen(sessions[_i].says), sessions[_i].stays);
	/* as smtp_send does it, with a limit that a test can wait for */
	s = smtp_open(p.address, 500, NULL, &r, &why);
	ck_assert(s != NULL);
	if (r.code == 220 && smtp_command(s, &r, "EHLO k") == 250 && smtp_command(s, &r, "MAIL FROM:<>") == 250 &&
	    smtp_command(s, &r, "RCPT TO:<a@b>") == 250) {
		if (smtp_command(s, &r, "DATA") == 354)
			smtp_content(s, "x\r\n.\r\n", 6, &r);
		else
			smtp_nothing_sent(&r);
	}
	ck_assert_int_eq(r.code, sessions[_i].code);
	ck_assert_msg(r.closed == sessions[_i].closed, "%d: closed is %d", _i, r.closed);
	smtp_close(s);
	end(&p);
	buf_free(&r.text);
	buf_free(&why);
}
END_TEST

START_TEST(sent)
{
	static const char two[] = "220 g\r\n250 g\r\n250 mail\r\n250 rcpt\r\n250 rcpt\r\n250 data\r\n221 bye\r\n";
	char one[] = "a@b", other[] = "c@d", *to[] = {one, other};
	struct reply r = {0};
	int codes[2] = {-1, -1};
	struct peer p;

	begin(&p, two, sizeof(two) - 1, false);
	ck_assert_int_eq(smtp_send(p.address, "k", false, "", to, 2, "x\r\n", 3, NULL, &r, codes, NULL, NULL), 0);
	ck_assert(codes[0] == 0 && codes[1] == 0);
	end(&p);
	buf_free(&r.text);
}
END_TEST

/* a gateway that sends and sends does not use up the machine */
START_TEST(full)
{
	struct sink_store *s = sink_store_new();
	int taken = 0;

	for (bool room = true; room && taken < 100; taken += room) {
		struct mail *m = need(sizeof(*m));

		m->data.room = 64 << 20; /* said alone, for the test */
		room = sink_store_add(s, m);
	}
	ck_assert_int_eq(taken, 16);
	sink_store_free(s);
}
END_TEST

/* --- when the case has settled ---------------------------------------------------------------------------------- */

#define REPORT(action)                                                                                               \
	"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nbob@p.test\r\n--b\r\nContent-Type: "           \
	"message/delivery-status\r\n\r\nReporting-MTA: dns; g\r\n\r\nFinal-Recipient: rfc822; "                      \
	"bob@p.test\r\nAction: " action "\r\n--b--\r\n"

static const struct {
	const char *to, *mail, *verb, *word, *attribute, *value;
	enum verdict verdict;
} ends[] = {
    {"alice@own.test", REPORT("failed"), "outcome", "outside", "is", "returned", PASSED},
    {"alice@own.test", REPORT("delayed"), "outcome", "outside", "is", "returned", FAILED},
    {"alice@own.test", REPORT("delivered"), "outcome", "outside", "is", "returned", FAILED},
    {"bob@p.test", "A: b\r\n\r\nthe dose\r\n", "never", "inside", "containing", "dose", FAILED},
    {"bob@p.test", "Content-Transfer-Encoding: base64\r\n\r\ndGhlIGRvc2U=\r\n", "never", "inside", "containing",
	"dose", FAILED},
    {"bob@p.test", "Content-Transfer-Encoding: base64\r\n\r\nYQpi\r\n", "never", "inside", "containing", "a\nb",
	PASSED},
    {"bob@p.test", "A: b\r\n\r\na\nb\r\n", "never", "inside", "containing", "a\nb", FAILED},
    {"bob@p.test", "A: b\r\n\r\nthe rest\r\n", "never", "inside", "containing", "dose", PASSED},
    /* nobody said how the gateway marks what it trusts */
    {"bob@p.test", "A: b\r\n\r\n0123456789abcdef\r\n", "outcome", "inside", "is", "unmarked", NOT_RUN},
};

static struct sink *open_sink(struct kit *k, char in[40], char out[40])
{
	struct buf why = {0};
	struct sink *s = NULL;

	for (int i = 0; !s && i < 10; i++) {
		int a = free_port(in), b = free_port(out);

		close(a);
		close(b);
		k->inside_sink = in;
		k->outside_sink = out;
		s = sink_open(k, NULL, &why);
	}
	ck_assert_msg(s, "%s", why.p);
	buf_free(&why);
	return s;
}

START_TEST(settled)
{
	char own[] = "own.test", host[] = "k", none[] = "", in[40], out[40], *to[] = {text_copy(ends[_i].to)};
	struct kit k = {.gateway_domain = own, .host = host, .marks = {none, none, none, none}};
	struct attribute a = {text_copy(ends[_i].attribute), text_copy(ends[_i].value)};
	struct case_file c = {.id = own};
	struct stmt st = {.verb = text_copy(ends[_i].verb), .attributes = &a, .n_attributes = 1};
	struct scene s = {.kit = &k, .c = &c, .nonce = "0123456789abcdef"};
	struct play p = {.s = &s};
	struct reply r = {0};

	s.sink = open_sink(&k, in, out);
	ck_assert_int_eq(
	    smtp_send(in, "g", false, "", to, 1, ends[_i].mail, strlen(ends[_i].mail), NULL, &r, NULL, NULL, NULL),
	    250);
	p.reply.code = 250;
	play_later(&p, &st, strcmp(ends[_i].word, "inside") ? OUTSIDE : INSIDE, "bob@p.test", 0);
	steps_end(&p);
	ck_assert_uint_eq(s.n_findings, 1);
	ck_assert_msg(s.findings[0].verdict == ends[_i].verdict, "%d: %s", _i, s.findings[0].sentence);
	free(p.later->to);
	free(p.later);
	sink_close(s.sink);
	scene_free(&s);
	free(to[0]);
	free(a.name);
	free(a.value);
	free(st.verb);
	buf_free(&r.text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("peer");
	TCase *t = tcase_create("all");
	SRunner *r;
	int bad;

	tcase_add_loop_test(t, http, 0, (int)(sizeof(answers) / sizeof(*answers)));
	tcase_add_loop_test(t, smtp, 0, (int)(sizeof(sessions) / sizeof(*sessions)));
	tcase_add_test(t, sent);
	tcase_add_test(t, web);
	tcase_add_test(t, full);
	tcase_add_loop_test(t, settled, 0, (int)(sizeof(ends) / sizeof(*ends)));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
