/*
 * The verb XSMG of the server: where it is offered and known, its order, its answers, the lines behind PUT. The
 * client is on the same loop, inside TLS; each script is said at once and cut in two at every octet, to an
 * application that answers at once, soon and later (smtpd_app.h holds the session to its contract).
 */
#include "gateway/smtp/smtpd_xsmg.h"

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/smtp/conn.h"
#include "gateway/smtp/smtpd_clients.h"
#include "gateway/smtp/smtpd_settings.h"
#include "tests/unit/smtpd_app.h"
#include "tests/unit/suite.h"
#include "tests/unit/tls_contexts.h"

#define HELLO "EHLO client.example\r\n"
#define QUIT "QUIT\r\n"

enum { INSIDE = 1, OFF = 2, NO_TLS = 4 };

static struct loop *loop;
static struct settings *defaults;
static struct smtpd_settings set;
static struct smtpd_listener listener;
static struct app app;
static struct tls_contexts tls;
static struct buf heard;
static struct {
	struct conn *c;
	bool told, left;
} client;

static void on_input(void *ctx, struct conn *c)
{
	(void)ctx;
	ck_assert_int_eq(buf_add(&heard, conn_in(c)->p, conn_in(c)->len), 0);
	buf_drop(conn_in(c), conn_in(c)->len);
}

static void on_drained(void *ctx, struct conn *c)
{
	(void)ctx;
	(void)c;
}

static void on_tls(void *ctx, struct conn *c, const char *why)
{
	(void)ctx;
	(void)c;
	ck_assert_msg(!why, "%s", why);
	client.told = true;
}

static void on_closed(void *ctx, struct conn *c, const char *why)
{
	(void)ctx;
	(void)why;
	conn_free(c);
	client.c = NULL;
	client.left = true;
}

static const struct conn_ops client_ops = {
    .on_input = on_input, .on_drained = on_drained, .on_tls = on_tls, .on_closed = on_closed};

#define UNTIL(cond)                                                                                                  \
	do {                                                                                                         \
		for (int64_t t0 = loop_now_ms(); !(cond) && loop_now_ms() - t0 < 20000;)                             \
			loop_once(loop, 20);                                                                         \
		ck_assert_msg(cond, "never: %s; heard: %s", #cond, buf_str(&heard));                                 \
	} while (0)

/* The replies heard as "code:enhanced"; all but the last lines are left out. */
static int replies(char *out, size_t cap)
{
	int count = 0;
	size_t at = 0;

	out[0] = 0;
	for (const char *p = buf_str(&heard), *end; (end = strstr(p, "\r\n")) != NULL; p = end + 2) {
		bool enhanced = end - p > 9 && p[5] == '.' && p[0] != '3';

		ck_assert_msg(end - p >= 4, "%s", p);
		if (p[3] == '-')
			continue;
		at += (size_t)snprintf(out + at, cap - at, "%s%.3s%s%.*s", count ? " " : "", p, enhanced ? ":" : "",
		    enhanced ? 5 : 0, p + 4);
		count++;
	}
	return count;
}

static int reply_count(void)
{
	char text[4096];

	return replies(text, sizeof text);
}

static void begin(enum app_when when, unsigned how)
{
	int fd[2];

	loop = loop_new();
	app_init(&app, loop, when);
	listener = (struct smtpd_listener){.name = "test",
	    .side = how & INSIDE ? SMTPD_INSIDE : SMTPD_OUTSIDE,
	    .hostname = "mx.example.org",
	    .tls = tls.server,
	    .xsmg = !(how & OFF),
	    .set = &set,
	    .ops = &app_ops,
	    .app = &app};
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	memset(&client, 0, sizeof client);
	buf_init(&heard, 4u * 1024 * 1024);
	client.c = conn_new(loop, fd[1], true, 65536, &client_ops, NULL);
	app.s = smtpd_new(loop, fd[0], &listener);
	UNTIL(reply_count() == 1);
	if (how & NO_TLS)
		return;
	ck_assert_int_eq(conn_write(client.c, "STARTTLS\r\n", 10), 0);
	UNTIL(reply_count() == 2);
	conn_start_tls(client.c, tls.client, false, "mx.example.org");
	UNTIL(client.told);
	buf_reset(&heard);
}

static void finish(void)
{
	if (client.c)
		conn_free(client.c);
	client.c = NULL;
	UNTIL(app.closes == 1 && conn_lingering() == 0);
	app_clear(&app);
	buf_clear(&heard);
	loop_free(loop);
}

static void say(const void *p, size_t n)
{
	if (client.c && n > 0)
		(void)conn_write(client.c, p, n);
}

#define S(name, how, in, want, lines)                                                                                \
	{                                                                                                            \
		name, how, in, sizeof(in) - 1, want, lines                                                           \
	}
/* '\f': the client waits for its answers, which stand before the next '/' in want. */
static const struct script {
	const char *name;
	unsigned how;
	const char *in;
	size_t n;
	const char *want;
	const char *lines; /* of the last PUT */
} scripts[] = {
    S("get", 0, HELLO "XSMG GET a\r\nxsmg GET a b\r\n" QUIT, "250 250:2.0.0 250:2.0.0 221:2.0.0", ""),
    S("refused", 0, HELLO "XSMG GET no\r\nXSMG GET later\r\n" QUIT, "250 550:5.1.2 451:4.3.0 221:2.0.0", ""),
    S("long", 0, HELLO "XSMG GET long\r\nNOOP\r\n" QUIT, "250 250:2.0.0 250:2.0.0 221:2.0.0", ""),
    S("before EHLO", 0, "XSMG GET a\r\nHELO x\r\nXSMG GET a\r\n" QUIT, "503:5.5.1 250 503:5.5.1 221:2.0.0", ""),
    S("in a transaction", 0,
	HELLO "MAIL FROM:<a@b.c>\r\nXSMG GET a\r\nRCPT TO:<a@b.c>\r\nXSMG GET a\r\nRSET\r\nXSMG GET a\r\n" QUIT,
	"250 250:2.1.0 503:5.5.1 250:2.1.5 503:5.5.1 250:2.0.0 250:2.0.0 221:2.0.0", ""),
    S("in front of a mail", 0,
	HELLO "XSMG GET a\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\nhi\r\n.\r\nXSMG GET no\r\n" QUIT,
	"250 250:2.0.0 250:2.1.0 250:2.1.5 354 250:2.0.0 550:5.1.2 221:2.0.0", ""),
    S("put", 0, HELLO "XSMG PUT a 3\r\n\fMAMA\r\nMAMA\r\n.\r\n" QUIT, "250 354 / 250:2.0.0 221:2.0.0",
	"MAMA\nMAMA\n"),
    S("put, then mail", 0, HELLO "XSMG PUT a 3\r\n\fMAMA\r\n.\r\nMAIL FROM:<a@b.c>\r\n" QUIT,
	"250 354 / 250:2.0.0 250:2.1.0 221:2.0.0", "MAMA\n"),
    S("put of nothing", 0, HELLO "XSMG PUT a 3\r\n\f.\r\n" QUIT, "250 354 / 250:2.0.0 221:2.0.0", ""),
    S("its lines are no commands", 0, HELLO "XSMG PUT a 3\r\n\fQUIT\r\nMAIL FROM:<evil@b.c>\r\n.\r\n" QUIT,
	"250 354 / 250:2.0.0 221:2.0.0", "QUIT\nMAIL FROM:<evil@b.c>\n"),
    S("put is bad", 0, HELLO "XSMG PUT a 3\r\n\fbad\r\nMAMA\r\n.\r\n" QUIT, "250 354 / 501:5.5.2 221:2.0.0",
	"bad\nMAMA\n"),
    S("put stops", 0, HELLO "XSMG PUT a 3\r\n\fstop\r\n.\r\n" QUIT, "250 354 / 552:5.3.4", ""),
    S("put refused", 0, HELLO "XSMG PUT no\r\n\fNOOP\r\n" QUIT, "250 552:5.3.4 / 250:2.0.0 221:2.0.0", ""),
    S("bare LF", 0, HELLO "XSMG PUT a 3\r\n\fMAMA\n.\nx\r\n.\r\n" QUIT, "250 354 / 501:5.5.2 221:2.0.0", ""),
    S("LF, dot, CRLF is no end", 0, HELLO "XSMG PUT a 3\r\n\fMAMA\n.\r\nNOOP\r\n.\r\n" QUIT,
	"250 354 / 501:5.5.2 221:2.0.0", "NOOP\n"),
    S("CR, dot, CRLF is no end", 0, HELLO "XSMG PUT a 3\r\n\fMAMA\r.\r\nNOOP\r\n.\r\n" QUIT,
	"250 354 / 501:5.5.2 221:2.0.0", "NOOP\n"),
    S("dot and blank is no end", 0, HELLO "XSMG PUT a 3\r\n\f. \r\nNOOP\r\n.\r\n" QUIT,
	"250 354 / 501:5.5.2 221:2.0.0", "NOOP\n"),
    S("two dots are no end", 0, HELLO "XSMG PUT a 3\r\n\f..\r\n.\r\n" QUIT, "250 354 / 250:2.0.0 221:2.0.0", "..\n"),
    S("NUL and control characters", 0, HELLO "XSMG PUT a 3\r\n\fMA\0MA\r\nMA\tMA\r\n.\r\n" QUIT,
	"250 354 / 501:5.5.2 221:2.0.0", ""),
    S("inside", INSIDE, HELLO "XSMG GET a\r\n" QUIT, "250 500:5.5.2 221:2.0.0", ""),
    S("switched off", OFF, HELLO "XSMG GET a\r\n" QUIT, "250 500:5.5.2 221:2.0.0", ""),
    S("in the clear", NO_TLS, HELLO "XSMG GET a\r\nXSMG PUT a 3\r\n\f" QUIT,
	"220 250 530:5.7.0 530:5.7.0 / 221:2.0.0", ""),
    S("in the clear, switched off", NO_TLS | OFF, HELLO "XSMG GET a\r\n" QUIT, "220 250 500:5.5.2 221:2.0.0", ""),
};

/* The words of want before the n-th slash. */
static int replies_before(const char *want, int slash)
{
	int n = 0;

	for (const char *p = want; *p && slash >= 0; p += strspn(p, " ")) {
		size_t word = strcspn(p, " ");

		if (*p == '/')
			slash--;
		else
			n++;
		p += word;
	}
	return n;
}

static void run(const struct script *k, enum app_when when, size_t cut)
{
	char want[600] = "", got[4096];
	size_t said = 0;
	int slash = 0;

	begin(when, k->how);
	for (size_t i = 0; i <= k->n; i++) {
		if (i == cut && i > said && k->in[i - 1] != '\f') {
			say(k->in + said, i - said);
			said = i;
			conn_flush(client.c);
			loop_once(loop, 0);
			loop_once(loop, 0);
		}
		if (i < k->n && k->in[i] != '\f')
			continue;
		say(k->in + said, i - said);
		said = i + 1;
		if (i < k->n)
			UNTIL(reply_count() >= replies_before(k->want, slash));
		slash++;
	}
	UNTIL(client.left);
	for (const char *p = k->want; *p; p++)
		if (strncmp(p, "/ ", 2) == 0)
			p++;
		else
			strncat(want, p, 1);
	replies(got, sizeof got);
	ck_assert_msg(
	    strcmp(got, want) == 0, "%s, cut %zu, when %d:\n got %s\nwant %s", k->name, cut, (int)when, got, want);
	ck_assert_msg(strcmp(buf_str(&app.lines), k->lines) == 0, "%s: %s", k->name, buf_str(&app.lines));
	finish();
}

START_TEST(whole)
{
	for (enum app_when w = 0; w < APP_WHENS; w++)
		run(&scripts[_i], w, 0);
}
END_TEST

START_TEST(cut_in_two)
{
	const struct script *k = &scripts[_i];

	for (size_t cut = 1; cut < k->n; cut++)
		run(k, cut % APP_WHENS, cut);
}
END_TEST

START_TEST(keyword)
{
	static const unsigned hows[] = {0, INSIDE, OFF, NO_TLS};
	const char *line;

	begin(APP_AT_ONCE, hows[_i]);
	buf_reset(&heard);
	say(HELLO, strlen(HELLO));
	UNTIL(reply_count() == 1);
	line = strstr(buf_str(&heard), "XSMG");
	ck_assert_int_eq(line != NULL, _i == 0);
	if (line)
		ck_assert_int_eq(strncmp(line - 4, "250-XSMG 1\r\n", 12), 0);
	finish();
}
END_TEST

/* RFC 2920 3.1: what was sent behind a PUT before its answer may be a statement; it is never commands. */
START_TEST(lines_too_early)
{
	static const char *const early[] = {"XSMG PUT no\r\nNOOP\r\n", "xsmg put no\r\nNOOP\r\n",
	    "MAIL FROM:<a@b.c>\r\nXSMG PUT a 3\r\nNOOP\r\n", "XSMG PUT late\r\nMAMA\r\n.\r\nNOOP\r\n"};
	static const char *const want[] = {
	    "250 552:5.3.4 421:4.7.0", "250 552:5.3.4 421:4.7.0", "250 250:2.1.0 503:5.5.1 421:4.7.0", "250 354"};
	char got[600];

	begin(APP_SOON, 0);
	say(HELLO, strlen(HELLO));
	UNTIL(reply_count() == 1);
	say(early[_i], strlen(early[_i]));
	UNTIL(_i == 3 ? app.asked == APP_XSMG_END && reply_count() == 2 : client.left);
	replies(got, sizeof got);
	ck_assert_str_eq(got, want[_i]);
	finish();
}
END_TEST

/* Past 90,000 characters nothing is waited for, whether they are lines or one without an end. */
START_TEST(too_much)
{
	char *line = mem_new(101), got[600];

	memset(line, 'A', 100);
	if (_i == 0)
		memcpy(line + 98, "\r\n", 2);
	begin(APP_SOON, 0);
	say(HELLO "XSMG PUT a 3\r\n", strlen(HELLO) + 14);
	UNTIL(reply_count() == 2);
	for (int i = 0; i < 900; i++)
		say(line, 100);
	loop_once(loop, 20);
	ck_assert(!client.left);
	for (int i = 0; i < 2000 && !client.left; i++) {
		say(line, 100);
		loop_once(loop, 0);
	}
	UNTIL(client.left);
	replies(got, sizeof got);
	ck_assert_str_eq(got, "250 354 552:5.3.4");
	finish();
	free(line);
}
END_TEST

/* _i: no answer in time to GET, to the lines of PUT; lines that do not come; shutdown; the client leaves. */
START_TEST(time_and_end)
{
	static const char *const in[] = {"XSMG GET wait\r\nNOOP\r\n", "XSMG PUT late\r\n", "XSMG PUT a 3\r\n",
	    "XSMG GET wait\r\n", "XSMG GET wait\r\n", "XSMG PUT a 3\r\n"};
	static const char *const want[] = {"250 451:4.3.0 250:2.0.0", "250 354 451:4.3.0", "250 354 421:4.4.2",
	    "250 421:4.3.2", "250", "250 354 421:4.3.2"};
	char got[600];

	if (_i < 2)
		set.xsmg_deadline = 50;
	if (_i == 2)
		set.xsmg_timeout = 50;
	begin(APP_SOON, 0);
	say(HELLO, strlen(HELLO));
	UNTIL(reply_count() == 1);
	say(in[_i], strlen(in[_i]));
	if (_i == 1) {
		UNTIL(reply_count() == 2);
		say("MAMA\r\n.\r\n", 9);
	}
	if (_i == 5)
		UNTIL(reply_count() == 2);
	if (_i >= 3)
		UNTIL(app.in_xsmg);
	if (_i == 3 || _i == 5)
		smtpd_shutdown(app.s);
	if (_i == 4) {
		conn_free(client.c);
		client.c = NULL;
		UNTIL(app.closes == 1);
	} else {
		UNTIL(reply_count() == (_i == 3 ? 2 : 3));
	}
	replies(got, sizeof got);
	ck_assert_str_eq(got, want[_i]);
	ck_assert_int_eq(app.xsmg_overs, 1);
	finish();
}
END_TEST

START_TEST(rate)
{
	struct smtpd_clients *t = smtpd_clients_new(4);
	struct smtpd_client *c = smtpd_clients_enter(t, "192.0.2.1");
	char got[600];

	set.client_xsmg_rate = 2;
	begin(APP_SOON, 0);
	smtpd_set_client(app.s, c);
	say(HELLO, strlen(HELLO));
	say("XSMG GET a\r\nXSMG GET a\r\nXSMG GET a\r\nXSMG PUT a 3\r\n", 50);
	UNTIL(reply_count() == 5);
	replies(got, sizeof got);
	ck_assert_str_eq(got, "250 250:2.0.0 250:2.0.0 450:4.7.1 450:4.7.1");
	ck_assert_int_eq(app.xsmgs, 2);
	finish();
	smtpd_clients_leave(t, c);
	smtpd_clients_free(t);
}
END_TEST

static void set_up(void)
{
	struct problem pr;

	tls_contexts_init(&tls, "mx.example.org");
	ck_assert_msg(settings_parse("test", "", 0, &smtpd_settings_section, 1, &defaults, &pr) == 0, "%s", pr.text);
	set = *(const struct smtpd_settings *)settings_get(defaults, "smtp-server");
	log_init("test", LOG_LEVEL_ERROR);
}

static void tear_down(void)
{
	tls_contexts_clear(&tls);
	settings_free(defaults);
}

int main(void)
{
	Suite *s = suite_create("smtpd_xsmg");
	TCase *t = tcase_create("smtpd_xsmg");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, whole, 0, sizeof scripts / sizeof scripts[0]);
	tcase_add_loop_test(t, cut_in_two, 0, sizeof scripts / sizeof scripts[0]);
	tcase_add_loop_test(t, keyword, 0, 4);
	tcase_add_loop_test(t, lines_too_early, 0, 4);
	tcase_add_loop_test(t, too_much, 0, 2);
	tcase_add_loop_test(t, time_and_end, 0, 6);
	tcase_add_test(t, rate);
	suite_add_tcase(s, t);
	return suite_run(s);
}
