/*
 * smtpd.c and its verbs: a client's octets in, reply codes out, over a socket pair on a real loop. Each script runs
 * whole, cut in two at every octet and octet by octet, with an application that answers at once, soon and later; the
 * application (smtpd_app.h) checks its side of the contract.
 */
#include "gateway/smtp/smtpd.h"

#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
#define TWO "MAIL FROM:<a@inside.example>\r\nRCPT TO:<b@outside.example>\r\n"
#define QUIT "QUIT\r\n"
/* Replies to them. */
#define HELLO_OK "220 250 "
#define TWO_OK "250:2.1.0 250:2.1.5 "
#define QUIT_OK "221:2.0.0"

enum { SMALL = 1, TLS_OFFERED = 2, TLS_REQUIRED = 4, REFUSED = 8, OUTSIDE = 16, BALANCER = 32, EAGER = 64 };

static struct loop *loop;
static struct settings *defaults;
static struct smtpd_settings set;
static struct smtpd_listener listener;
static struct app app;
static struct tls_contexts tls;
static int client; /* the client's descriptor */
static struct buf heard;
static bool server_left;
static bool scarce;			 /* the listener's busy */
static const char *eager = "EHLO x\r\n"; /* said before the session begins */

static void begin_with(enum app_when when, unsigned how, void (*change)(struct smtpd_settings *set, int i), int i)
{
	int fd[2];

	loop = loop_new();
	app_init(&app, loop, when);
	app.refuse_connection = how & REFUSED;
	app.behind_balancer = how & BALANCER;
	set = *(const struct smtpd_settings *)settings_get(defaults, "smtp-server");
	if (how & SMALL) {
		set.recipients_max = 2;
		set.errors_max = 4;
		set.commands_max = 12;
		set.message_max = 1000;
		set.text_line_max = 100;
		set.command_line_max = 512;
		set.received_max = 3;
		set.own_received_max = 1;
	}
	if (change)
		change(&set, i);
	listener = (struct smtpd_listener){.name = "test",
	    .side = how & OUTSIDE ? SMTPD_OUTSIDE : SMTPD_INSIDE,
	    .busy = &scarce,
	    .hostname = "mx.example.org",
	    .tls = how & (TLS_OFFERED | TLS_REQUIRED) ? tls.server : NULL,
	    .tls_required = how & TLS_REQUIRED,
	    .set = &set,
	    .ops = &app_ops,
	    .app = &app};
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	client = fd[1];
	server_left = scarce = false;
	if (how & EAGER)
		ck_assert_int_gt(send(client, eager, strlen(eager), 0), 0);
	buf_init(&heard, 4u * 1024 * 1024);
	app.s = smtpd_new(loop, fd[0], &listener);
}

static void begin(enum app_when when, unsigned how)
{
	begin_with(when, how, NULL, 0);
}

static void hear(void)
{
	uint8_t some[4096];
	ssize_t n;

	while (client >= 0 && (n = recv(client, some, sizeof some, MSG_DONTWAIT)) != -1) {
		if (n == 0) {
			server_left = true;
			return;
		}
		ck_assert_int_eq(buf_add(&heard, some, (size_t)n), 0);
	}
	if (client >= 0 && errno == ECONNRESET)
		server_left = true;
}

/* One round; hears what was said. */
static void round_of(int64_t ms)
{
	loop_once(loop, ms);
	hear();
}

#define UNTIL(cond)                                                                                                  \
	do {                                                                                                         \
		for (int64_t t0 = loop_now_ms(); !(cond) && loop_now_ms() - t0 < 20000;)                             \
			round_of(20);                                                                                \
		ck_assert_msg(cond, "never: %s; heard: %s", #cond, buf_str(&heard));                                 \
	} while (0)

static void finish(void)
{
	if (client >= 0)
		close(client);
	client = -1;
	UNTIL(app.closes == 1 && conn_lingering() == 0);
	app_clear(&app);
	buf_clear(&heard);
	loop_free(loop);
}

static void say(const void *p, size_t n)
{
	const char *at = p;

	for (int64_t t0 = loop_now_ms(); n > 0 && !server_left && loop_now_ms() - t0 < 20000;) {
		ssize_t k = send(client, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (k > 0) {
			at += k;
			n -= (size_t)k;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return;
		} else {
			round_of(1);
		}
	}
}

static void says(const char *s)
{
	say(s, strlen(s));
}

/* The replies heard as "code:enhanced", one for each last line; all lines of a reply must agree. Returns their
 * number. */
static int replies(char *out, size_t cap)
{
	int count = 0;
	size_t at = 0;

	out[0] = 0;
	for (const char *p = buf_str(&heard), *end; (end = strstr(p, "\r\n")) != NULL; p = end + 2) {
		char line[600], enh[12] = "";
		int code, used = 0;
		char sep;

		snprintf(line, sizeof line, "%.*s", (int)(end - p), p);
		ck_assert_msg(sscanf(line, "%3d%c", &code, &sep) == 2, "no reply line: %s", line);
		if (sscanf(line + 4, "%*1[245].%*1[0-9].%*3[0-9]%n", &used) >= 0 && used >= 5)
			snprintf(enh, sizeof enh, ":%.*s", used, line + 4);
		ck_assert_int_le(end + 2 - p, 512);
		if (sep == '-')
			continue;
		ck_assert_int_eq(sep, ' ');
		at += (size_t)snprintf(out + at, cap - at, "%s%d%s", count ? " " : "", code, enh);
		count++;
	}
	return count;
}

static int reply_count(void)
{
	char text[4096];

	return replies(text, sizeof text);
}

static void check_replies(const char *want, const char *what)
{
	char text[4096];

	replies(text, sizeof text);
	ck_assert_msg(strcmp(text, want) == 0, "%s:\n got %s\nwant %s\n%s", what, text, want, buf_str(&heard));
}

/* in: what the client says; '\f' = it waits for the replies that stand before the next '/' in want. Each script ends
 * with the server closing. */
struct script {
	const char *name;
	unsigned how;
	const char *in;
	size_t n;
	const char *want;
	const char
	    *content; /* of the last message that was given to the application to the end; NULL = not checked */
};

#define S(name, how, in, want, content)                                                                              \
	{                                                                                                            \
		name, how, in, sizeof(in) - 1, want, content                                                         \
	}
static const struct script scripts[] = {
    S("quit", 0, QUIT, "220 " QUIT_OK, NULL),
    S("one message", 0, HELLO TWO "DATA\r\nSubject: x\r\n\r\nhi\r\n.\r\n" QUIT,
	HELLO_OK TWO_OK "354 250:2.0.0 " QUIT_OK, "Subject: x\r\n\r\nhi\r\n"),
    S("HELO", 0, "HELO client.example\r\n" TWO "DATA\r\nhi\r\n.\r\n" QUIT, HELLO_OK TWO_OK "354 250:2.0.0 " QUIT_OK,
	"hi\r\n"),
    S("lower case", 0, "ehlo c\r\nmail from:<a@b.c>\r\nrcpt to:<d@e.f>\r\ndata\r\nhi\r\n.\r\nquit\r\n",
	HELLO_OK TWO_OK "354 250:2.0.0 " QUIT_OK, "hi\r\n"),
    S("two messages", 0, HELLO TWO "DATA\r\n1\r\n.\r\n" TWO "DATA\r\n2\r\n.\r\n" QUIT,
	HELLO_OK TWO_OK "354 250:2.0.0 " TWO_OK "354 250:2.0.0 " QUIT_OK, "2\r\n"),
    S("empty message", 0, HELLO TWO "DATA\r\n.\r\n" QUIT, HELLO_OK TWO_OK "354 250:2.0.0 " QUIT_OK, ""),
    S("dots", 0, HELLO TWO "DATA\r\n..\r\n...x\r\n.x\r\nx.\r\n.\r\n" QUIT, HELLO_OK TWO_OK "354 250:2.0.0 " QUIT_OK,
	".\r\n..x\r\nx\r\nx.\r\n"),
    S("8 bit", 0,
	HELLO "MAIL FROM:<a@b.c> BODY=8BITMIME SIZE=10\r\nRCPT TO:<a@b.c>\r\nDATA\r\n\377\200\0\r\n.\r\n" QUIT,
	HELLO_OK TWO_OK "354 250:2.0.0 " QUIT_OK, NULL),
    S("null sender", 0, HELLO "MAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\nx\r\n.\r\n" QUIT,
	HELLO_OK TWO_OK "354 250:2.0.0 " QUIT_OK, "x\r\n"),
    S("blank behind colon", 0, HELLO "MAIL FROM: <a@b.c>\r\nRCPT TO:  <a@b.c>\r\nRSET  \r\n" QUIT,
	HELLO_OK TWO_OK "250:2.0.0 " QUIT_OK, NULL),
    S("odd jobs", 0, "NOOP\r\nNOOP words here\r\nVRFY a\r\nHELP\r\nHELP MAIL\r\nRSET\r\n" QUIT,
	"220 250:2.0.0 250:2.0.0 252:2.5.0 214:2.0.0 214:2.0.0 250:2.0.0 " QUIT_OK, NULL),
    S("EHLO names", 0,
	"EHLO [192.0.2.1]\r\nEHLO [IPv6:2001:db8::1]\r\nEHLO under_score\r\nHELO x\r\nEHLO\r\nEHLO a b\r\nEHLO [\r\n"
	"HELO \303\251\r\nEHLO a\"b\r\n" QUIT,
	"220 250 250 250 250 501 501 501 501 501 " QUIT_OK, NULL),
    S("arguments", 0, "RSET x\r\nQUIT x\r\nVRFY\r\nSTARTTLS x\r\nSTARTTLS\r\n" QUIT,
	"220 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 502:5.5.1 " QUIT_OK, NULL),
    S("unknown verbs", 0, "XYZZY\r\nEXPN a\r\nTURN\r\nETRN x\r\nBDAT\r\nAUTH PLAIN\r\n\r\n MAIL\r\n" QUIT,
	"220 500:5.5.2 502:5.5.1 502:5.5.1 502:5.5.1 501:5.5.4 502:5.5.1 500:5.5.2 500:5.5.2 " QUIT_OK, NULL),
    S("order", 0,
	"MAIL FROM:<a@b.c>\r\n" HELLO "RCPT TO:<a@b.c>\r\n" TWO
	"MAIL FROM:<x@b.c>\r\nRSET\r\nRCPT TO:<a@b.c>\r\n" QUIT,
	"220 503:5.5.1 250 503:5.5.1 " TWO_OK "503:5.5.1 250:2.0.0 503:5.5.1 " QUIT_OK, NULL),
    S("EHLO resets", 0, HELLO TWO HELLO "RCPT TO:<a@b.c>\r\n" QUIT, HELLO_OK TWO_OK "250 503:5.5.1 " QUIT_OK, NULL),
    S("bad EHLO does not", 0, HELLO "MAIL FROM:<a@b.c>\r\nEHLO\r\nRCPT TO:<a@b.c>\r\n" QUIT,
	HELLO_OK "250:2.1.0 501 250:2.1.5 " QUIT_OK, NULL),
    S("DATA early", 0, "DATA\r\n\fEHLO x\r\nDATA\r\n\fMAIL FROM:<a@b.c>\r\nDATA\r\n\fDATA x\r\n\f" QUIT,
	"220 503:5.5.1 / 250 503:5.5.1 / 250:2.1.0 503:5.5.1 / 501:5.5.4 / " QUIT_OK, NULL),
    S("no recipient", 0,
	HELLO "MAIL FROM:<a@b.c>\r\nRCPT TO:<no@b.c>\r\nRCPT TO:<later@b.c>\r\nDATA\r\n\fRSET\r\n" QUIT,
	HELLO_OK "250:2.1.0 550:5.1.1 451:4.7.1 554:5.5.1 / 250:2.0.0 " QUIT_OK, NULL),
    S("some recipients", 0, HELLO TWO "RCPT TO:<no@b.c>\r\nRCPT TO:<z@b.c>\r\nDATA\r\nx\r\n.\r\n" QUIT,
	HELLO_OK TWO_OK "550:5.1.1 250:2.1.5 354 250:2.0.0 " QUIT_OK, "x\r\n"),
    S("sender refused", 0, HELLO "MAIL FROM:<refuse@b.c>\r\nRCPT TO:<a@b.c>\r\nMAIL FROM:<a@b.c>\r\n" QUIT,
	HELLO_OK "550:5.7.1 503:5.5.1 250:2.1.0 " QUIT_OK, NULL),
    S("DATA refused", 0, HELLO "MAIL FROM:<nodata@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n\fRCPT TO:<a@b.c>\r\n" TWO QUIT,
	HELLO_OK TWO_OK "451:4.3.0 / 503:5.5.1 " TWO_OK QUIT_OK, NULL),
    S("message refused", 0, HELLO "MAIL FROM:<endtemp@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\nx\r\n.\r\n" TWO QUIT,
	HELLO_OK TWO_OK "354 451:4.3.0 " TWO_OK QUIT_OK, "x\r\n"),
    S("content refused", 0,
	HELLO "MAIL FROM:<full@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\nx\r\nQUIT\r\ny\r\n.\r\n" TWO QUIT,
	HELLO_OK TWO_OK "354 452:4.3.1 " TWO_OK QUIT_OK, NULL),
    S("bad addresses", 0,
	HELLO "MAIL FROM:a@b.c\r\nMAIL FROM:<a@b.c\r\nMAIL FROM:<a>\r\nMAIL FROM:<postmaster>\r\nMAIL "
	      "TO:<a@b.c>\r\nMAIL\r\n"
	      "MAIL FROM:<a@b.c>x\r\nMAIL FROM:<a@b.c>\r\n" QUIT,
	HELLO_OK "501:5.1.7 501:5.1.7 501:5.1.7 553:5.1.7 501:5.5.4 501:5.5.4 501:5.5.4 250:2.1.0 " QUIT_OK, NULL),
    S("bad recipients", 0,
	HELLO
	"MAIL FROM:<a@b.c>\r\nRCPT TO:<>\r\nRCPT TO:<@x:a@b.c>\r\nRCPT TO:<a@b_.c>\r\nRCPT FROM:<a@b.c>\r\nRCPT\r\n"
	"RCPT TO:<\303\251@b.c>\r\nRCPT TO:<a@b.c>\r\n" QUIT,
	HELLO_OK "250:2.1.0 501:5.1.3 553:5.1.3 501:5.1.3 501:5.5.4 501:5.5.4 553:5.6.7 250:2.1.5 " QUIT_OK, NULL),
    S("parameters", 0,
	HELLO
	"MAIL FROM:<a@b.c> FOO=1\r\nMAIL FROM:<a@b.c> SIZE=x\r\nMAIL FROM:<a@b.c> SIZE=\r\nMAIL FROM:<a@b.c> SIZE\r\n"
	"MAIL FROM:<a@b.c> BODY=9\r\nMAIL FROM:<a@b.c> SIZE=1 SIZE=1\r\nMAIL FROM:<a@b.c> BODY=7BIT -X\r\n"
	"MAIL FROM:<a@b.c>  SIZE=1   BODY=7bit  \r\nRCPT TO:<a@b.c> X=NEVER\r\n" QUIT,
	HELLO_OK "555:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 250:2.1.0 555:5.5.4 " QUIT_OK,
	NULL),
    S("parameters after HELO", 0, "HELO x\r\nMAIL FROM:<a@b.c> SIZE=1\r\nMAIL FROM:<a@b.c>\r\n" QUIT,
	"220 250 555:5.5.4 250:2.1.0 " QUIT_OK, NULL),
    S("declared size", SMALL,
	HELLO "MAIL FROM:<a@b.c> SIZE=1001\r\nMAIL FROM:<a@b.c> SIZE=99999999999999999999\r\nMAIL FROM:<a@b.c> "
	      "SIZE=1000\r\n" QUIT,
	HELLO_OK "552:5.3.4 552:5.3.4 250:2.1.0 " QUIT_OK, NULL),
    S("recipients", SMALL,
	HELLO TWO
	"RCPT TO:<no@b.c>\r\nRCPT TO:<2@b.c>\r\nRCPT TO:<3@b.c>\r\nRCPT TO:<4@b.c>\r\nDATA\r\nx\r\n.\r\n" QUIT,
	HELLO_OK TWO_OK "550:5.1.1 250:2.1.5 452:4.5.3 452:4.5.3 354 250:2.0.0 " QUIT_OK, "x\r\n"),
    S("errors", SMALL, "A\r\nB\r\nC\r\nD\r\n" HELLO, "220 500:5.5.2 500:5.5.2 500:5.5.2 500:5.5.2 421:4.7.0", NULL),
    S("errors forgiven", SMALL, "A\r\nB\r\nC\r\n" HELLO TWO "DATA\r\nx\r\n.\r\nD\r\nE\r\nF\r\n" QUIT,
	"220 500:5.5.2 500:5.5.2 500:5.5.2 250 " TWO_OK "354 250:2.0.0 500:5.5.2 500:5.5.2 500:5.5.2 " QUIT_OK,
	"x\r\n"),
    S("commands", SMALL,
	"NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP"
	"\r\n",
	"220 250:2.0.0 250:2.0.0 250:2.0.0 250:2.0.0 250:2.0.0 250:2.0.0 250:2.0.0 250:2.0.0 250:2.0.0 250:2.0.0 "
	"250:2.0.0 "
	"250:2.0.0 421:4.7.0",
	NULL),
    S("text line", SMALL,
	HELLO TWO
	"DATA\r\n"
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"
	".\r\n" TWO "DATA\r\nok\r\n"
	"01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\r\n"
	"x\r\n.\r\n" QUIT,
	HELLO_OK TWO_OK "354 250:2.0.0 " TWO_OK "354 554:5.6.0 " QUIT_OK, NULL),
    S("bare LF in a command", 0, "NOOP\nEHLO x\r\nEHLO y\r\n" QUIT, "220 500:5.5.2 500:5.5.2 250 " QUIT_OK, NULL),
    S("a client of bare LFs", SMALL, "EHLO x\nMAIL FROM:<a@b.c>\nRCPT TO:<a@b.c>\nDATA\nQUIT\n",
	"220 500:5.5.2 500:5.5.2 500:5.5.2 500:5.5.2 421:4.7.0", NULL),
    S("bare CR in a command", 0, "NOOP\rRSET\r\nNOOP\r\r\n" QUIT, "220 500:5.5.2 500:5.5.2 " QUIT_OK, NULL),
    S("NUL in a command", 0, "NO\0OP\r\nNOOP \0\r\n" QUIT, "220 500:5.5.2 500:5.5.2 " QUIT_OK, NULL),
    S("control in a command", 0, "NOOP\tx\r\nNOOP \33[2J\r\n" QUIT, "220 500:5.5.2 500:5.5.2 " QUIT_OK, NULL),
    S("HTTP", 0, "POST / HTTP/1.1\r\nHost: x\r\n\r\n" HELLO TWO, "220 500:5.5.2 421:4.7.0", NULL),
    S("BDAT", 0, HELLO TWO "BDAT 4 LAST\r\nhi\r\n" QUIT, HELLO_OK TWO_OK "250:2.0.0 " QUIT_OK, "hi\r\n"),
    S("BDAT pipelined, CRLF cut", 0, HELLO TWO "BDAT 3\r\nhi\rbdat 0\r\nBDAT 3 last\r\n\nx\r" TWO QUIT,
	HELLO_OK TWO_OK "250:2.0.0 250:2.0.0 550:5.5.2 " TWO_OK QUIT_OK, NULL),
    S("BDAT, two messages", 0,
	HELLO TWO "BDAT 3\r\nhi\rBDAT 4 LAST\r\n\nx\r\n" TWO "DATA\r\ny\r\n.\r\n" TWO "BDAT 0 LAST\r\n" QUIT,
	HELLO_OK TWO_OK "250:2.0.0 250:2.0.0 " TWO_OK "354 250:2.0.0 " TWO_OK "250:2.0.0 " QUIT_OK, ""),
    S("BDAT 0 LAST", 0, HELLO TWO "BDAT 4\r\nhi\r\nBDAT 0 LAST\r\n" QUIT,
	HELLO_OK TWO_OK "250:2.0.0 250:2.0.0 " QUIT_OK, "hi\r\n"),
    S("BDAT with NOOP between", 0, HELLO TWO "BDAT 4\r\nhi\r\nNOOP\r\nBDAT 3 LAST\r\nx\r\n" QUIT,
	HELLO_OK TWO_OK "250:2.0.0 250:2.0.0 250:2.0.0 " QUIT_OK, "hi\r\nx\r\n"),
    S("BDAT, dots are content", 0, HELLO TWO "BDAT 36 LAST\r\na\r\n.\r\n..x\r\nMAIL FROM:<evil@b.c>\r\n.\r\n" QUIT,
	HELLO_OK TWO_OK "250:2.0.0 " QUIT_OK, "a\r\n.\r\n..x\r\nMAIL FROM:<evil@b.c>\r\n.\r\n"),
    S("BDAT without the last CRLF", 0, HELLO TWO "BDAT 5\r\nhi\r\nxBDAT 0 LAST\r\n" TWO "BDAT 1 LAST\r\ny" QUIT,
	HELLO_OK TWO_OK "250:2.0.0 250:2.0.0 " TWO_OK "250:2.0.0 " QUIT_OK, "y\r\n"),
    S("BDAT, bare LF", 0, HELLO TWO "BDAT 4 LAST\r\nh\ni\n" TWO QUIT, HELLO_OK TWO_OK "550:5.5.2 " TWO_OK QUIT_OK,
	NULL),
    S("BDAT, bare CR between chunks", 0, HELLO TWO "BDAT 2\r\nh\rBDAT 1 LAST\r\ni" TWO QUIT,
	HELLO_OK TWO_OK "250:2.0.0 550:5.5.2 " TWO_OK QUIT_OK, NULL),
    S("BDAT, LF first in a chunk", 0, HELLO TWO "BDAT 1\r\nhBDAT 2\r\n\niBDAT 1 LAST\r\ni" TWO QUIT,
	HELLO_OK TWO_OK "250:2.0.0 550:5.5.2 503:5.5.1 " TWO_OK QUIT_OK, NULL),
    S("BDAT, CR at the end", 0, HELLO TWO "BDAT 2 LAST\r\nh\r" TWO QUIT, HELLO_OK TWO_OK "550:5.5.2 " TWO_OK QUIT_OK,
	NULL),
    S("BDAT, the chunk behind a failure is no commands", 0,
	HELLO TWO "BDAT 2\r\nh\nBDAT 30 LAST\r\nMAIL FROM:<evil@b.c>\r\nRSET\r\nxx" TWO QUIT,
	HELLO_OK TWO_OK "550:5.5.2 503:5.5.1 " TWO_OK QUIT_OK, NULL),
    S("BDAT out of order", 0,
	"BDAT 6\r\nQUIT\r\n" HELLO "BDAT 6 LAST\r\nQUIT\r\nMAIL FROM:<a@b.c>\r\nBDAT 6 LAST\r\nQUIT\r\n"
	"RCPT TO:<no@b.c>\r\nBDAT 6 LAST\r\nQUIT\r\nRCPT TO:<a@b.c>\r\nBDAT 3 LAST\r\nx\r\n" QUIT,
	"220 503:5.5.1 250 503:5.5.1 250:2.1.0 503:5.5.1 550:5.1.1 554:5.5.1 250:2.1.5 250:2.0.0 " QUIT_OK, "x\r\n"),
    S("BDAT before TLS", TLS_REQUIRED, HELLO "BDAT 6 LAST\r\nQUIT\r\n" QUIT, HELLO_OK "530:5.7.0 " QUIT_OK, NULL),
    S("BDAT, then DATA or RCPT", 0, HELLO TWO "BDAT 3\r\nx\r\nRCPT TO:<a@b.c>\r\nDATA\r\n\fBDAT 3 LAST\r\ny\r\n" QUIT,
	HELLO_OK TWO_OK "250:2.0.0 503:5.5.1 503:5.5.1 / 250:2.0.0 " QUIT_OK, "x\r\ny\r\n"),
    S("BDAT refused", 0,
	HELLO "MAIL FROM:<nodata@b.c>\r\nRCPT TO:<a@b.c>\r\nBDAT 6\r\nRSET\r\nBDAT 6 LAST\r\nQUIT\r\n" TWO QUIT,
	HELLO_OK TWO_OK "451:4.3.0 503:5.5.1 " TWO_OK QUIT_OK, NULL),
    S("BDAT, message refused", 0, HELLO "MAIL FROM:<endtemp@b.c>\r\nRCPT TO:<a@b.c>\r\nBDAT 3 LAST\r\nx\r\n" TWO QUIT,
	HELLO_OK TWO_OK "451:4.3.0 " TWO_OK QUIT_OK, "x\r\n"),
    S("BDAT, content refused", 0,
	HELLO "MAIL FROM:<full@b.c>\r\nRCPT TO:<a@b.c>\r\nBDAT 3\r\nx\r\nBDAT 6 LAST\r\nRSET\r\n" TWO QUIT,
	HELLO_OK TWO_OK "452:4.3.1 503:5.5.1 " TWO_OK QUIT_OK, NULL),
    S("BDAT, RSET inside", 0, HELLO TWO "BDAT 3\r\nx\r\nRSET\r\n" TWO "DATA\r\ny\r\n.\r\n" QUIT,
	HELLO_OK TWO_OK "250:2.0.0 250:2.0.0 " TWO_OK "354 250:2.0.0 " QUIT_OK, "y\r\n"),
    S("BDAT, far too large", SMALL, HELLO TWO "BDAT 70000\r\nQUIT\r\n", HELLO_OK TWO_OK "552:5.3.4", NULL),
    S("BDAT, no number so large", 0, HELLO TWO "BDAT 99999999999999999999 LAST\r\n", HELLO_OK TWO_OK "552:5.3.4",
	NULL),
    S("BDAT of unknown size", 0, HELLO TWO "BDAT x LAST\r\nRSET\r\n", HELLO_OK TWO_OK "501:5.5.4 421:4.7.0", NULL),
    S("BDAT with a sign", 0, HELLO TWO "BDAT -1\r\nRSET\r\n", HELLO_OK TWO_OK "501:5.5.4 421:4.7.0", NULL),
    S("BDAT with more", 0, HELLO TWO "BDAT 6 LAST x\r\nQUIT\r\n", HELLO_OK TWO_OK "501:5.5.4 421:4.7.0", NULL),
    S("BDAT with a long line", SMALL,
	HELLO TWO "BDAT 50\r\n01234567890123456789012345678901234567890123456789BDAT 53 LAST\r\n"
		  "012345678901234567890123456789012345678901234567890\r\n" QUIT,
	HELLO_OK TWO_OK "250:2.0.0 554:5.6.0 " QUIT_OK, NULL),
    S("DSN", 0,
	HELLO "MAIL FROM:<a@b.c> RET=hdrs ENVID=QQ+2B314+3D159 BODY=8BITMIME\r\n"
	      "RCPT TO:<a@b.c> NOTIFY=success,DELAY,Failure ORCPT=rfc822;Bob+20C@Example.COM\r\n"
	      "RCPT TO:<a@b.c> NOTIFY=NEVER\r\nRCPT TO:<a@b.c> ORCPT=x400;a\r\nRCPT TO:<a@b.c> "
	      "ORCPT=utf-8;\\x{E9}@b.c\r\n" QUIT,
	HELLO_OK "250:2.1.0 250:2.1.5 250:2.1.5 250:2.1.5 250:2.1.5 " QUIT_OK, NULL),
    S("DSN, bad MAIL", 0,
	HELLO
	"MAIL FROM:<a@b.c> RET=BOTH\r\nMAIL FROM:<a@b.c> RET\r\nMAIL FROM:<a@b.c> RET=FULL RET=FULL\r\n"
	"MAIL FROM:<a@b.c> ENVID=a+0D+0Ab\r\nMAIL FROM:<a@b.c> ENVID=a+2b\r\nMAIL FROM:<a@b.c> ENVID=\303\251\r\n"
	"MAIL FROM:<a@b.c> "
	"ENVID=0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
	"7890\r\n" QUIT,
	HELLO_OK "501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 " QUIT_OK, NULL),
    S("DSN, bad RCPT", 0,
	HELLO "MAIL FROM:<a@b.c>\r\nRCPT TO:<a@b.c> NOTIFY=NEVER,DELAY\r\nRCPT TO:<a@b.c> NOTIFY=SUCCESS,\r\n"
	      "RCPT TO:<a@b.c> NOTIFY\r\nRCPT TO:<a@b.c> NOTIFY=DELAY NOTIFY=DELAY\r\nRCPT TO:<a@b.c> "
	      "ORCPT=rfc822\r\nRCPT TO:<a@b.c> ORCPT=rfc822;a+0Ab\r\nRCPT TO:<a@b.c> ORCPT=;a\r\nRCPT TO:<a@b.c> "
	      "ORCPT=utf-8;\303\251\r\n" QUIT,
	HELLO_OK "250:2.1.0 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 " QUIT_OK,
	NULL),
    S("DSN is not for the outside", OUTSIDE,
	HELLO "MAIL FROM:<a@b.c> RET=FULL\r\nMAIL FROM:<a@b.c> ENVID=x\r\nMAIL FROM:<a@b.c>\r\n"
	      "RCPT TO:<a@b.c> NOTIFY=NEVER\r\nRCPT TO:<a@b.c> ORCPT=rfc822;a\r\nRCPT TO:<a@b.c>\r\n" QUIT,
	HELLO_OK "555:5.5.4 555:5.5.4 250:2.1.0 555:5.5.4 555:5.5.4 250:2.1.5 " QUIT_OK, NULL),
    S("DSN after HELO", 0, "HELO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<a@b.c> NOTIFY=NEVER\r\n" QUIT,
	"220 250 250:2.1.0 555:5.5.4 " QUIT_OK, NULL),
    S("SMTPUTF8", 0,
	HELLO
	"MAIL FROM:<\303\251@b.c>\r\nMAIL FROM:<a@b\303\274cher.example>\r\nMAIL FROM:<\303\251@b.c> SMTPUTF8=1\r\n"
	"MAIL FROM:<\303\251@b\303\274cher.example> SMTPUTF8\r\nRCPT TO:<\344\270\255@b.c> ORCPT=utf-8;\303\251\r\n"
	"RCPT TO:<\303@b.c>\r\nRCPT TO:<\300\200@b.c>\r\nRCPT TO:<a@\355\240\200.c>\r\n"
	"RCPT TO:<a@B\303\234CHER.example>\r\n" QUIT,
	HELLO_OK "553:5.6.7 553:5.6.7 501:5.5.4 250:2.1.0 250:2.1.5 553:5.6.7 553:5.6.7 553:5.6.7 501:5.1.3 " QUIT_OK,
	NULL),
    S("SMTPUTF8 of the transaction before", 0,
	HELLO "MAIL FROM:<a@b.c> SMTPUTF8\r\nRCPT TO:<\303\251@b.c>\r\nRSET\r\nMAIL FROM:<a@b.c>\r\nRCPT "
	      "TO:<\303\251@b.c>\r\n" QUIT,
	HELLO_OK "250:2.1.0 250:2.1.5 250:2.0.0 250:2.1.0 553:5.6.7 " QUIT_OK, NULL),
    S("REQUIRETLS in the clear", TLS_OFFERED,
	HELLO "MAIL FROM:<a@b.c> REQUIRETLS\r\nMAIL FROM:<a@b.c> REQUIRETLS=1\r\n" QUIT,
	HELLO_OK "530:5.7.10 501:5.5.4 " QUIT_OK, NULL),
#define LOOP(what, want)                                                                                             \
	S("loop " #what, SMALL, HELLO TWO "DATA\r\n" what "\r\nhi\r\n.\r\n" QUIT, HELLO_OK TWO_OK want QUIT_OK, NULL)
    LOOP("Received: by a\r\nreceived : by b\r\nRECEIVED:by c\r\nX: y\r\n", "354 250:2.0.0 "),
    LOOP("Received: by a\r\nReceived: by b\r\nX: y\r\nReceived: by c\r\nReceived: by d\r\n", "354 554:5.4.6 "),
    LOOP("Received: from x\r\n\tby MX.Example.org (x) with y\r\n", "354 250:2.0.0 "),
    LOOP("Received: from x\r\n\tby mx.example.org; x\r\nReceived: by\r\n mx.example.org.\r\n", "354 554:5.4.6 "),
    LOOP("\r\nReceived: by a\r\nReceived: by b\r\nReceived: by c\r\nReceived: by d\r\n", "354 250:2.0.0 "),
#undef LOOP
    S("open relay tricks are other people's addresses", 0,
	HELLO "MAIL FROM:<a@b.c>\r\nRCPT TO:<@a.example,@b.example:c@d.e>\r\nRCPT TO:<a%b.c@d.e>\r\nRCPT "
	      "TO:<\"a@b.c\"@d.e>\r\nRCPT TO:<b.c!a@d.e>\r\nRCPT TO:<a@b.c@d.e>\r\nRCPT TO:<\"a@b.c\">\r\n" QUIT,
	HELLO_OK "250:2.1.0 553:5.1.3 250:2.1.5 250:2.1.5 250:2.1.5 501:5.1.3 501:5.1.3 " QUIT_OK, NULL),
    S("refused connection", REFUSED, HELLO, "554", NULL),
    S("no TLS here", TLS_REQUIRED, HELLO TWO "VRFY a\r\nNOOP\r\n" QUIT,
	HELLO_OK "530:5.7.0 530:5.7.0 530:5.7.0 250:2.0.0 " QUIT_OK, NULL),
    S("STARTTLS in a transaction", TLS_OFFERED, HELLO TWO "STARTTLS\r\n" QUIT, HELLO_OK TWO_OK "503:5.5.1 " QUIT_OK,
	NULL),
/* Every way to end the data but the right one is content, is not followed by commands, and is refused at the real
 * end. */
#define SMUGGLE(name, what)                                                                                          \
	S(name, 0,                                                                                                   \
	    HELLO TWO "DATA\r\nx" what "MAIL FROM:<evil@b.c>\r\nRCPT TO:<evil@b.c>\r\nDATA\r\nevil\r\n.\r\n" QUIT,   \
	    HELLO_OK TWO_OK "354 550:5.5.2 " QUIT_OK, NULL)
    SMUGGLE("LF.LF", "\n.\n"),
    SMUGGLE("LF.CRLF", "\n.\r\n"),
    SMUGGLE("CRLF.LF", "\r\n.\n"),
    SMUGGLE("CR.CR", "\r.\r"),
    SMUGGLE("CRLF.CR", "\r\n.\r"),
    SMUGGLE("CR.CRLF", "\r.\r\n"),
    SMUGGLE("LF.CR", "\n.\r"),
    SMUGGLE("CR.LF", "\r.\n"),
    SMUGGLE("CRLF.CRCRLF", "\r\n.\r\r\n"),
    SMUGGLE("CRCRLF.CRLF", "\r\r\n.\r\r\n"),
    SMUGGLE("LFCR.", "\n\r.\r\n"),
#undef SMUGGLE
#define HARMLESS(name, what, content)                                                                                \
	S(name, 0, HELLO TWO "DATA\r\nx" what "MAIL FROM:<evil@b.c>\r\n.\r\n" QUIT,                                  \
	    HELLO_OK TWO_OK "354 250:2.0.0 " QUIT_OK, "x" content "MAIL FROM:<evil@b.c>\r\n")
    HARMLESS("CRLF.NUL", "\r\n.\1\r\n", "\r\n\1\r\n"),
    HARMLESS("CRLF..", "\r\n..\r\n", "\r\n.\r\n"),
    HARMLESS("CRLF.blank", "\r\n. \r\n", "\r\n \r\n"),
#undef HARMLESS
};
#undef S
enum { SCRIPTS = (int)(sizeof scripts / sizeof scripts[0]) };

/* How many replies stand before the k-th '/' (from 1). */
static int replies_before(const char *want, int k)
{
	int n = 0;

	for (const char *p = want; *p && k > 0; p++) {
		if (*p == '/')
			k--;
		else if (*p != ' ' && (p == want || p[-1] == ' '))
			n++;
	}
	return n;
}

/* The wanted replies without the marks. */
static void without_marks(const char *want, char *out, size_t cap)
{
	size_t at = 0;

	for (const char *p = want; *p && at + 1 < cap; p++) {
		if (p[0] == '/' && p[1] == ' ')
			p++;
		else
			out[at++] = *p;
	}
	out[at] = 0;
}

/* Says octets from..to, waiting where the script waits. */
static void play(const struct script *sc, size_t from, size_t to, int *marks)
{
	while (from < to) {
		const char *mark = memchr(sc->in + from, '\f', to - from);
		size_t stop = mark ? (size_t)(mark - sc->in) : to;

		say(sc->in + from, stop - from);
		from = stop;
		if (!mark)
			return;
		from++;

		int want = replies_before(sc->want, ++*marks);

		UNTIL(reply_count() >= want);
	}
}

static void check_end(const struct script *sc, const char *what)
{
	char want[4096], name[200];

	UNTIL(server_left);
	snprintf(name, sizeof name, "%s (%s)", sc->name, what);
	without_marks(sc->want, want, sizeof want);
	check_replies(want, name);
	if (sc->content) {
		ck_assert_uint_eq(app.content.len, strlen(sc->content));
		ck_assert_int_eq(memcmp(buf_str(&app.content), sc->content, app.content.len), 0);
	}
	ck_assert_str_ne(buf_str(&heard), "");
	finish();
}

START_TEST(whole)
{
	for (int when = 0; when < APP_WHENS; when++) {
		int marks = 0;

		begin((enum app_when)when, scripts[_i].how);
		play(&scripts[_i], 0, scripts[_i].n, &marks);
		check_end(&scripts[_i], "whole");
	}
}
END_TEST

START_TEST(cut_in_two)
{
	for (size_t k = 1; k < scripts[_i].n; k++) {
		char what[40];
		int marks = 0;

		begin((enum app_when)(k % APP_WHENS), scripts[_i].how);
		play(&scripts[_i], 0, k, &marks);
		for (int i = 0; i < 4; i++)
			round_of(0);
		play(&scripts[_i], k, scripts[_i].n, &marks);
		snprintf(what, sizeof what, "cut at %zu", k);
		check_end(&scripts[_i], what);
	}
}
END_TEST

START_TEST(octet_by_octet)
{
	for (int when = 0; when < APP_WHENS; when++) {
		int marks = 0;

		begin((enum app_when)when, scripts[_i].how);
		for (size_t k = 0; k < scripts[_i].n; k++) {
			play(&scripts[_i], k, k + 1, &marks);
			round_of(0);
		}
		check_end(&scripts[_i], "octet by octet");
	}
}
END_TEST

/* A whole session that touches every stage, for what may happen in the middle. */
static const char life[] =
    HELLO TWO "RCPT TO:<no@b.c>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\nMAIL FROM:<a@b.c>\r\nRSET\r\n" TWO
	      "DATA\r\nx\r\n.\r\n" TWO "BDAT 3\r\nx\r\nBDAT 3 LAST\r\ny\r\nBDAT 3\r\nz\r\n";

/* The client is gone after k octets: every transaction is ended, closed comes once, no late answer (smtpd_app.h and
 * app_clear check). */
START_TEST(client_leaves)
{
	for (size_t k = 0; k < sizeof life; k++) {
		begin((enum app_when)_i, 0);
		say(life, k);
		if (k % 2)
			round_of(0);
		finish();
	}
}
END_TEST

static void check_last_is_421(const char *what)
{
	char text[4096];
	size_t n;

	replies(text, sizeof text);
	n = strlen(text);
	ck_assert_msg(n >= 9 && strcmp(text + n - 9, "421:4.3.2") == 0, "%s: %s", what, text);
}

/* 421 is the last word wherever the session stands; a message whose end was handed over has its answer before. */
START_TEST(shutdown_anywhere)
{
	for (size_t k = 0; k < sizeof life; k++) {
		begin((enum app_when)_i, 0);
		say(life, k);
		for (size_t i = 0; i < k % 5; i++)
			round_of(0);
		hear();

		int ends = app.ends;

		smtpd_shutdown(app.s);
		UNTIL(server_left);
		check_last_is_421("shutdown");
		ck_assert_int_ge(app.accepted, ends);
		ck_assert_int_eq(app.closes, 1);
		finish();
	}
}
END_TEST

START_TEST(shutdown_waits_for_the_end)
{
	char text[500];

	begin(APP_LATER, 0);
	says(HELLO TWO "DATA\r\nx\r\n.\r\n");
	UNTIL(app.ends == 1);
	loop_timer_off(app.timer);
	smtpd_shutdown(app.s);
	for (int i = 0; i < 5; i++)
		round_of(0);
	ck_assert_int_eq(app.closes, 0);
	ck_assert_int_eq(app.resets, 0);
	app_answer(&app);
	UNTIL(server_left);
	replies(text, sizeof text);
	ck_assert_str_eq(text, HELLO_OK TWO_OK "354 250:2.0.0 421:4.3.2");
	finish();
}
END_TEST

/* RFC 1047: the client's going away while its message is decided on is told at once. */
START_TEST(leaves_before_the_answer)
{
	begin(APP_AT_ONCE, 0);
	says(HELLO "MAIL FROM:<endnever@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\nx\r\n.\r\n" QUIT);
	UNTIL(app.ends == 1);
	ck_assert(!smtpd_gone(app.s));
	ck_assert_int_eq(app.resets, 0);
	close(client);
	client = -1;
	ck_assert(smtpd_gone(app.s));
	UNTIL(app.closes == 1);
	ck_assert_int_eq(app.resets, 1);
	finish();
}
END_TEST

/* P2: the answer comes in time also when the application has none; the session goes on. */
START_TEST(end_deadline)
{
	begin(APP_AT_ONCE, 0);
	set.end_deadline = 20;
	says(HELLO "MAIL FROM:<endnever@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\nx\r\n.\r\n");
	UNTIL(reply_count() == 6);
	check_replies(HELLO_OK TWO_OK "354 451:4.3.0", "end deadline");
	ck_assert_int_eq(app.resets, 1);
	says(TWO "DATA\r\ny\r\n.\r\n" QUIT);
	UNTIL(server_left);
	check_replies(HELLO_OK TWO_OK "354 451:4.3.0 " TWO_OK "354 250:2.0.0 " QUIT_OK, "end deadline");
	finish();
}
END_TEST

/* What is being committed is not answered 451: the answer waits for what becomes of it. */
START_TEST(end_deadline_while_it_is_stored)
{
	begin(APP_AT_ONCE, 0);
	set.end_deadline = 20;
	says(HELLO "MAIL FROM:<begun@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\nx\r\n.\r\n");
	UNTIL(app.lates == 1);
	for (int i = 0; i < 10; i++)
		loop_once(loop, 10);
	ck_assert_uint_eq(reply_count(), 5);
	app_answer(&app);
	UNTIL(reply_count() == 6);
	ck_assert(app.lates == 1 && app.resets == 1);
	says("MAIL FROM:<endnever@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\ny\r\n.\r\n" QUIT);
	UNTIL(server_left);
	ck_assert_int_eq(app.lates, 2);
	check_replies(HELLO_OK TWO_OK "354 250:2.0.0 " TWO_OK "354 451:4.3.0 " QUIT_OK, "while it is stored");
	finish();
}
END_TEST

static const struct {
	const char *say, *want;
	int which; /* the time that is short */
} late[] = {
    {"", "220 421:4.4.2", 0},
    {HELLO "NOO", HELLO_OK "421:4.4.2", 0},
    {HELLO TWO, HELLO_OK TWO_OK "421:4.4.2", 0},
    {HELLO "MAIL FROM:<wait@b.c>\r\n", HELLO_OK "421:4.3.0", 1},
    {HELLO "MAIL FROM:<a@b.c>\r\nRCPT TO:<wait@b.c>\r\nRCPT TO:<x@b.c>\r\nDATA\r\n", HELLO_OK "250:2.1.0 421:4.3.0",
	1},
    {HELLO TWO "DATA\r\nhi\r\n", HELLO_OK TWO_OK "354 421:4.4.2", 2},
    {HELLO TWO "DATA\r\nhi\r\n.\r", HELLO_OK TWO_OK "354 421:4.4.2", 3},
    {HELLO TWO "BDAT 10\r\nhi", HELLO_OK TWO_OK "421:4.4.2", 2},
    {HELLO TWO "BDAT 2\r\nhi", HELLO_OK TWO_OK "250:2.0.0 421:4.4.2", 3},
    {HELLO "BDAT 10\r\nhi", HELLO_OK "503:5.5.1 421:4.4.2", 2},
};

static void short_time(struct smtpd_settings *with, int i)
{
	int64_t *times[] = {
	    &with->command_timeout, &with->answer_deadline, &with->data_timeout, &with->data_deadline};

	*times[late[i].which] = 30;
}

START_TEST(too_late)
{
	begin_with(APP_AT_ONCE, 0, short_time, _i);
	says(late[_i].say);
	UNTIL(server_left);
	check_replies(late[_i].want, late[_i].say);
	finish();
}
END_TEST

/* A client that sends an octet now and then does not hold the session: whole commands and a minimum rate count. */
START_TEST(trickle)
{
	int64_t start;

	begin(APP_AT_ONCE, 0);
	set.data_timeout = 60;
	set.data_rate_min = 1024 * 1024;
	set.command_timeout = 60;
	if (_i == 1) {
		says(HELLO TWO "DATA\r\n");
		UNTIL(reply_count() == 5);
	} else {
		says("NOOP\r\n");
		UNTIL(reply_count() == 2);
	}
	for (start = loop_now_ms(); !server_left && loop_now_ms() - start < 20000;) {
		say("x", 1);
		round_of(1);
	}
	ck_assert(server_left);
	check_replies(_i == 1 ? HELLO_OK TWO_OK "354 421:4.4.2" : "220 250:2.0.0 421:4.4.2", "trickle");
	finish();
}
END_TEST

START_TEST(session_too_long)
{
	begin(APP_AT_ONCE, 0);
	says(HELLO);
	UNTIL(reply_count() == 2);
	set.session_max = -1;
	says("NOOP\r\n");
	UNTIL(server_left);
	check_replies(HELLO_OK "421:4.3.2", "session");
	finish();
}
END_TEST

START_TEST(line_too_long)
{
	char line[3000];

	begin(APP_AT_ONCE, SMALL);
	memset(line, 'x', sizeof line);
	for (int n = 505; n < 520; n++) {
		int before = reply_count();

		set.errors_max = set.commands_max = 1000;
		memcpy(line, "NOOP ", 5);
		memcpy(line + n, "\r\n", 2);
		say(line, (size_t)n + 2);
		memset(line + n, 'x', 2);
		UNTIL(reply_count() == before + 1 || (before == 0 && reply_count() == 2));

		size_t at = heard.len;

		while (at > 2 && heard.p[at - 3] != '\n')
			at--;

		const char *last = (const char *)heard.p + (at > 2 ? at - 2 : 0);

		ck_assert_int_eq(strncmp(last, n + 2 > 512 ? "500 5.5.2" : "250 2.0.0", 9), 0);
	}
	says(QUIT);
	UNTIL(server_left);
	finish();
}
END_TEST

START_TEST(line_without_end)
{
	static char some[100000];

	begin(APP_AT_ONCE, 0);
	memset(some, 'x', sizeof some);
	say(some, sizeof some);
	UNTIL(server_left);
	check_replies("220 421:4.7.0", "endless line");
	finish();
}
END_TEST

/* RFC 2920 3.1: content that was sent before DATA was answered, and refused, is not a series of commands. */
START_TEST(early_content)
{
	static const char evil[] = "MAIL FROM:<evil@b.c>\r\nRCPT TO:<evil@b.c>\r\nDATA\r\nx\r\n.\r\n";
	static const char *const first[] = {
	    "MAIL FROM:<nodata@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n",
	    "MAIL FROM:<a@b.c>\r\nRCPT TO:<no@b.c>\r\nDATA\r\n",
	    "DATA\r\n",
	    "MAIL FROM:<a@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA now\r\n",
	    "MAIL FROM:<a@b.c>\r\nRCPT TO:<a@b.c>\r\nBDAT 3\r\nx\r\nDATA\r\n",
	};
	static const char *const want[] = {
	    HELLO_OK TWO_OK "451:4.3.0 421:4.7.0",
	    HELLO_OK "250:2.1.0 550:5.1.1 554:5.5.1 421:4.7.0",
	    HELLO_OK "503:5.5.1 421:4.7.0",
	    HELLO_OK TWO_OK "501:5.5.4 421:4.7.0",
	    HELLO_OK TWO_OK "250:2.0.0 503:5.5.1 421:4.7.0",
	};
	struct buf all;

	for (int k = 0; k < 5; k++) {
		begin((enum app_when)_i, 0);
		buf_init(&all, 1000);
		ck_assert_int_eq(buf_addf(&all, "%s%s%s", HELLO, first[k], evil), 0);
		say(all.p, all.len);
		UNTIL(server_left);
		check_replies(want[k], first[k]);
		ck_assert_int_eq(app.ends, 0);
		buf_clear(&all);
		finish();
	}
}
END_TEST

/* One write of ours for one write of the client's: the pair keeps packets apart. */
START_TEST(replies_together)
{
	int fd[2];
	char some[2000];
	ssize_t n;

	begin(APP_AT_ONCE, 0);
	close(client);
	client = -1;
	UNTIL(app.closes == 1);
	app_clear(&app);
	app_init(&app, loop, APP_AT_ONCE);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	app.s = smtpd_new(loop, fd[0], &listener);
	ck_assert_int_eq(send(fd[1], HELLO, strlen(HELLO), 0), (ssize_t)strlen(HELLO));
	while (recv(fd[1], some, sizeof some, MSG_DONTWAIT) < 0)
		loop_once(loop, 20);
	while (recv(fd[1], some, sizeof some, MSG_DONTWAIT) > 0)
		loop_once(loop, 0);
	ck_assert_int_eq(
	    send(fd[1], TWO TWO "DATA\r\n", strlen(TWO TWO "DATA\r\n"), 0), (ssize_t)strlen(TWO TWO "DATA\r\n"));
	while ((n = recv(fd[1], some, sizeof some, MSG_DONTWAIT)) < 0)
		loop_once(loop, 20);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(buf_add(&heard, some, (size_t)n), 0);
	check_replies(TWO_OK "503:5.5.1 250:2.1.5 354", "one packet");
	close(fd[1]);
	finish();
}
END_TEST

/* A client that sends commands without reading: we stop reading, keep our memory, and go on when it reads. */
START_TEST(never_reads)
{
	enum { MANY = 60000 };
	static const char line[] = "NOOP 0123456789012345678901234567890123456789\r\n";
	size_t sent = 0;
	int64_t start;

	begin(APP_AT_ONCE, 0);
	set.commands_max = 10 * MANY;
	for (int idle = 0; sent < MANY * (sizeof line - 1) && idle < 50;) {
		size_t off = sent % (sizeof line - 1);
		ssize_t k = send(client, line + off, sizeof line - 1 - off, MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += k > 0 ? (size_t)k : 0;
		idle = k > 0 ? 0 : idle + 1;
		if (k <= 0)
			loop_once(loop, 0);
	}
	ck_assert_uint_lt(sent, MANY * (sizeof line - 1));
	for (start = loop_now_ms(); sent < MANY * (sizeof line - 1) && loop_now_ms() - start < 60000;) {
		size_t off = sent % (sizeof line - 1);
		ssize_t k = send(client, line + off, sizeof line - 1 - off, MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += k > 0 ? (size_t)k : 0;
		if (k <= 0)
			round_of(0);
	}
	says(QUIT);
	UNTIL(server_left);

	size_t lines = 0;

	for (size_t i = 0; i < heard.len; i++)
		lines += heard.p[i] == '\n';
	ck_assert_uint_eq(lines, MANY + 2);
	finish();
}
END_TEST

static void fill_lines(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : (char)('a' + i % 26);
}

/* Large content arrives whole; the size limit is met to the octet. */
START_TEST(sizes)
{
	enum { N = 5 * 1024 * 1024 };
	char *body = malloc(N);

	fill_lines(body, N);
	begin(APP_SOON, 0);
	set.message_max = _i == 0 ? N : N - 1;
	says(HELLO TWO "DATA\r\n");
	UNTIL(reply_count() == 5);
	say(body, N);
	says(".\r\n");
	says(TWO QUIT);
	UNTIL(server_left);
	check_replies(_i == 0 ? HELLO_OK TWO_OK "354 250:2.0.0 " TWO_OK QUIT_OK
			      : HELLO_OK TWO_OK "354 552:5.3.4 " TWO_OK QUIT_OK,
	    "size");
	if (_i == 0) {
		ck_assert_uint_eq(app.content.len, N);
		ck_assert_int_eq(memcmp(app.content.p, body, N), 0);
	} else {
		ck_assert_uint_lt(app.content.len, N);
	}
	free(body);
	finish();
}
END_TEST

/* The same in chunks; chunks of some size are no idle commands. */
START_TEST(chunk_sizes)
{
	enum { N = 2 * 1024 * 1024, CHUNK = 100 * 1000 };
	char *body = malloc(N), line[60];
	int chunks = 0;

	fill_lines(body, N);
	begin(APP_SOON, 0);
	set.message_max = _i == 0 ? N : N - 1;
	set.commands_max = 10;
	says(HELLO TWO);
	for (size_t at = 0; at < N; at += CHUNK, chunks++) {
		size_t n = N - at < CHUNK ? N - at : CHUNK;

		snprintf(line, sizeof line, "BDAT %zu%s\r\n", n, at + n == N ? " LAST" : "");
		says(line);
		say(body + at, n);
	}
	says(QUIT);
	UNTIL(server_left);
	ck_assert_int_eq(reply_count(), 4 + chunks + 1);
	ck_assert_ptr_nonnull(strstr(buf_str(&heard), _i == 0 ? "250 2.0.0 queued\r\n221 " : "552 5.3.4 "));
	ck_assert_int_eq(app.accepted, _i == 0);
	if (_i == 0) {
		ck_assert_uint_eq(app.content.len, N);
		ck_assert_int_eq(memcmp(app.content.p, body, N), 0);
	}
	free(body);
	finish();
}
END_TEST

START_TEST(far_too_large)
{
	enum { N = 300 * 1024 };
	char *body = malloc(N);

	fill_lines(body, N);
	begin(APP_AT_ONCE, SMALL);
	says(HELLO TWO "DATA\r\n");
	UNTIL(reply_count() == 5);
	say(body, N);
	UNTIL(server_left);
	check_replies(HELLO_OK TWO_OK "354 552:5.3.4", "far too large");
	free(body);
	finish();
}
END_TEST

START_TEST(what_the_application_sees)
{
	char words[100], from[ADDRESS_TEXT_MAX];

	begin(APP_LATER, 0);
	says("EHLO client.example\r\nMAIL FROM:<\"a b\"@B.Example> SIZE=77 BODY=8BITMIME RET=FULL ENVID=a+20b "
	     "SMTPUTF8\r\nRCPT TO:<a@B\303\274cher.example>\r\nRCPT TO:<\303\251@b.c> NOTIFY=SUCCESS,DELAY "
	     "ORCPT=rfc822;a+2Bb@c.d\r\n");
	UNTIL(app.mails == 1);
	ck_assert_str_eq(address_text(&app.mail.sender, from), "\"a b\"@b.example");
	ck_assert_uint_eq(app.mail.size, 77);
	ck_assert(app.mail.env.body8);
	ck_assert(app.mail.env.utf8);
	ck_assert(!app.mail.env.requiretls);
	ck_assert_int_eq(app.mail.env.ret, ENVELOPE_RET_FULL);
	ck_assert_str_eq(app.envid, "a+20b");
	UNTIL(app.rcpts == 1);
	ck_assert_str_eq(address_text(&app.rcpt, from), "a@xn--bcher-kva.example");
	ck_assert_uint_eq(app.notify, 0);
	ck_assert_str_eq(app.orcpt, "");
	UNTIL(app.rcpts == 2);
	ck_assert_str_eq(address_text(&app.rcpt, from), "\303\251@b.c");
	ck_assert_uint_eq(app.notify, ENVELOPE_NOTIFY_SUCCESS | ENVELOPE_NOTIFY_DELAY);
	ck_assert_str_eq(app.orcpt, "rfc822;a+2Bb@c.d");
	ck_assert_str_eq(smtpd_helo(app.s), "client.example");
	ck_assert(smtpd_esmtp(app.s));
	ck_assert(!smtpd_tls(app.s, words, sizeof words));
	ck_assert_str_eq(words, "");
	ck_assert_str_eq(smtpd_client(app.s), "unix");
	ck_assert_uint_ge(strlen(smtpd_id(app.s)), 8);
	ck_assert_ptr_eq(smtpd_where(app.s), &listener);
	smtpd_set_user(app.s, &app);
	ck_assert_ptr_eq(smtpd_user(app.s), &app);
	finish();
}
END_TEST

START_TEST(ehlo_lines)
{
	begin(APP_AT_ONCE, _i ? TLS_OFFERED : 0);
	says(HELLO QUIT);
	UNTIL(server_left);
	ck_assert_ptr_nonnull(
	    strstr(buf_str(&heard), _i ? "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE "
					 "52428800\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n"
					 "250-SMTPUTF8\r\n250-DSN\r\n"
					 "250-STARTTLS\r\n250 HELP\r\n"
				       : "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE "
					 "52428800\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n"
					 "250-SMTPUTF8\r\n250-DSN\r\n"
					 "250 HELP\r\n"));
	ck_assert_int_eq(strncmp(buf_str(&heard), "220 mx.example.org ESMTP", 24), 0);
	finish();
}
END_TEST

/* The client's side of a TLS session, on the same loop. */
struct tls_client {
	struct conn *c;
	int told, closed;
	char why[300];
};

static void tc_input(void *ctx, struct conn *c)
{
	(void)ctx;
	ck_assert_int_eq(buf_add(&heard, conn_in(c)->p, conn_in(c)->len), 0);
	buf_drop(conn_in(c), conn_in(c)->len);
}

static void tc_drained(void *ctx, struct conn *c)
{
	(void)ctx;
	(void)c;
}

static void tc_tls(void *ctx, struct conn *c, const char *why)
{
	struct tls_client *t = ctx;

	(void)c;
	t->told++;
	snprintf(t->why, sizeof t->why, "%s", why ? why : "");
}

static void tc_closed(void *ctx, struct conn *c, const char *why)
{
	struct tls_client *t = ctx;

	t->closed++;
	snprintf(t->why, sizeof t->why, "%s", why);
	conn_free(c);
	t->c = NULL;
}

static const struct conn_ops tc_ops = {
    .on_input = tc_input, .on_drained = tc_drained, .on_tls = tc_tls, .on_closed = tc_closed};

static void tc_start(struct tls_client *t)
{
	*t = (struct tls_client){0};
	t->c = conn_new(loop, client, true, 65536, &tc_ops, t);
	client = -1;
	conn_start_tls(t->c, tls.client, false, "mx.example.org");
	UNTIL(t->told);
	ck_assert_str_eq(t->why, "");
}

static void tc_says(struct tls_client *t, const char *s)
{
	ck_assert_int_ge(conn_write(t->c, s, strlen(s)), 0);
}

/* RFC 3207 4.2. _i 1: commands behind STARTTLS in the clear are not heard under TLS. */
START_TEST(starttls)
{
	struct tls_client t;
	char words[100];

	begin(APP_SOON, TLS_REQUIRED);
	says(_i ? HELLO "STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@b.c>\r\n" : HELLO "STARTTLS\r\n");
	UNTIL(reply_count() == 3);
	check_replies(HELLO_OK "220:2.0.0", "starttls");
	tc_start(&t);
	/* The greeting is forgotten. */
	tc_says(&t, "MAIL FROM:<a@b.c>\r\n");
	UNTIL(reply_count() == 4);
	ck_assert_str_eq(smtpd_helo(app.s), "");
	buf_reset(&heard);
	tc_says(&t, HELLO "STARTTLS\r\nMAIL FROM:<a@b.c> REQUIRETLS\r\nRCPT TO:<a@b.c>\r\n");
	UNTIL(reply_count() == 4);
	check_replies("250 503:5.5.1 250:2.1.0 250:2.1.5", "after TLS");
	ck_assert_ptr_null(strstr(buf_str(&heard), "STARTTLS"));
	ck_assert_ptr_nonnull(strstr(buf_str(&heard), "250-REQUIRETLS\r\n"));
	ck_assert(app.mail.env.requiretls);
	ck_assert(smtpd_tls(app.s, words, sizeof words));
	ck_assert_str_eq(words, "TLSv1.3 cipher TLS_AES_256_GCM_SHA384");
	tc_says(&t, "DATA\r\nx\r\n.\r\n" QUIT);
	UNTIL(t.closed);
	ck_assert_str_eq(t.why, "peer closed the connection");
	check_replies("250 503:5.5.1 250:2.1.0 250:2.1.5 354 250:2.0.0 221:2.0.0", "TLS session");
	ck_assert_int_eq(app.accepted, 1);
	finish();
}
END_TEST

START_TEST(starttls_goes_wrong)
{
	begin(APP_AT_ONCE, TLS_OFFERED);
	if (_i == 2)
		set.tls_timeout = 20;
	says(HELLO "STARTTLS\r\n");
	UNTIL(reply_count() == 3);
	if (_i == 0)
		says("EHLO x\r\n");
	if (_i == 1)
		close(client), client = -1;
	if (_i == 3)
		smtpd_shutdown(app.s);
	UNTIL(app.closes == 1);
	finish();
}
END_TEST

/* ---- before the greeting ---- */

START_TEST(early_talker)
{
	begin(APP_AT_ONCE, OUTSIDE | EAGER);
	UNTIL(server_left);
	check_replies("554:5.5.1", "early");
	ck_assert_int_eq(app.connects, 1);
	finish();
	/* our own servers are not asked for manners */
	begin(APP_AT_ONCE, EAGER);
	says(QUIT);
	UNTIL(server_left);
	check_replies("220 250 " QUIT_OK, "early inside");
	finish();
}
END_TEST

static void delayed(struct smtpd_settings *with, int ms)
{
	with->greeting_delay = ms;
}

START_TEST(greeting_delay)
{
	int64_t began = loop_now_ms();

	begin_with(APP_AT_ONCE, OUTSIDE, delayed, 40);
	ck_assert_int_eq(reply_count(), 0);
	UNTIL(reply_count() == 1);
	ck_assert_int_ge(loop_now_ms() - began, 40);
	says(HELLO QUIT);
	UNTIL(server_left);
	check_replies(HELLO_OK QUIT_OK, "patient");
	finish();
	begin_with(APP_AT_ONCE, OUTSIDE, delayed, 20000);
	says("E");
	UNTIL(server_left);
	check_replies("554:5.5.1", "impatient");
	finish();
	begin_with(APP_AT_ONCE, OUTSIDE, delayed, 20000);
	close(client);
	client = -1;
	finish();
	begin_with(APP_AT_ONCE, OUTSIDE, delayed, 20000);
	smtpd_shutdown(app.s);
	UNTIL(server_left);
	check_replies("421:4.3.2", "shutdown");
	finish();
}
END_TEST

#define SIG "\r\n\r\n\0\r\nQUIT\n"
static const struct {
	const char *in;
	size_t n;
	const char *want, *peer;
	unsigned how;
} behind[] = {
    {SIG "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\x30\x39\x00\x19", 28, "220", "192.0.2.1", 0},
    {SIG "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\x30\x39\x00\x19", 28, "220", "192.0.2.1", OUTSIDE},
    {SIG "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\x30\x39\x00\x19" QUIT, 34, "554:5.5.1", "192.0.2.1",
	OUTSIDE},
    {SIG "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\x30\x39\x00\x19" QUIT, 34, "220 " QUIT_OK, "192.0.2.1", 0},
    {SIG "\x20\x00\x00\x00", 16, "220", "unix", 0},
    {SIG "\x21\x00\x00\x00", 16, "554:5.5.1", NULL, 0},
    {HELLO, sizeof HELLO - 1, "554:5.5.1", NULL, 0},
    {"", 0, "421:4.4.2", NULL, 0},
    {"\r\n\r\n", 4, "421:4.4.2", NULL, 0},
};
#undef SIG

static void impatient(struct smtpd_settings *with, int ms)
{
	with->proxy_timeout = ms;
}

START_TEST(balancer)
{
	for (int pass = 0; pass < 2; pass++) {
		/* octet by octet is early talk only when the rest was there before the greeting */
		bool early = behind[_i].how & OUTSIDE && behind[_i].n > 28;
		size_t step = pass == 1 || early ? behind[_i].n + 1 : 1;
		bool in_time = strcmp(behind[_i].want, "421:4.4.2") != 0;
		int wanted = behind[_i].want[3] == ' ' ? 2 : 1;

		begin_with(APP_AT_ONCE, BALANCER | behind[_i].how, impatient, in_time ? 20000 : 40);
		for (size_t k = 0; k < behind[_i].n; k += step) {
			say(behind[_i].in + k, step < behind[_i].n - k ? step : behind[_i].n - k);
			round_of(0);
		}
		UNTIL(reply_count() == wanted);
		check_replies(behind[_i].want, "balancer");
		ck_assert_int_eq(app.connects, behind[_i].peer ? 1 : 0);
		if (behind[_i].peer && !server_left && app.s)
			ck_assert_str_eq(smtpd_client(app.s), behind[_i].peer);
		close(client);
		client = -1;
		UNTIL(conn_lingering() == 0 && app.connects == app.closes);
		app.closes = app.connects = 1;
		finish();
	}
}
END_TEST

/* ---- rates, and little room ---- */

static void slow_rates(struct smtpd_settings *with, int i)
{
	(void)i;
	with->client_recipients_rate = 3;
	with->client_errors_rate = 4;
}

START_TEST(rates)
{
	struct smtpd_clients *t = smtpd_clients_new(10);

	begin_with(APP_AT_ONCE, 0, slow_rates, 0);
	smtpd_set_client(app.s, smtpd_clients_enter(t, "192.0.2.1"));
	says(
	    HELLO "MAIL FROM:<a@b.c>\r\nRCPT TO:<no@b.c>\r\nRCPT TO:<a@b.c>\r\nRCPT TO:<a@b.c>\r\nRCPT TO:<a@b.c>\r\n"
		  "X\r\nX\r\nX\r\nX\r\n");
	UNTIL(server_left);
	check_replies(HELLO_OK
	    "250:2.1.0 550:5.1.1 250:2.1.5 250:2.1.5 450:4.7.1 500:5.5.2 500:5.5.2 500:5.5.2 500:5.5.2 "
	    "421:4.7.0",
	    "rates");
	finish();
	smtpd_clients_free(t);
}
END_TEST

static void little_room(struct smtpd_settings *with, int i)
{
	(void)i;
	with->busy_timeout = 60;
	with->data_rate_min = 1024 * 1024;
}

/* When sessions are scarce, one that does not come forward with a message is ended, whatever it keeps saying; one
 * that is at it goes on. */
START_TEST(scarce_sessions)
{
	static const char *const first[] = {
	    HELLO, HELLO TWO, HELLO TWO "DATA\r\nx\r\n", HELLO TWO "BDAT 100\r\nx\r\n"};
	static const char *const want[] = {HELLO_OK "421:4.3.2", HELLO_OK TWO_OK "421:4.3.2",
	    HELLO_OK TWO_OK "354 421:4.4.2", HELLO_OK TWO_OK "421:4.4.2"};

	begin_with(APP_AT_ONCE, 0, little_room, 0);
	says(first[_i]);
	for (int64_t t0 = loop_now_ms(); loop_now_ms() - t0 < 100;)
		round_of(5);
	ck_assert(!server_left);
	scarce = true;
	smtpd_hurry(app.s);
	UNTIL(server_left);
	check_replies(want[_i], "scarce");
	finish();
}
END_TEST

START_TEST(scarce_but_at_it)
{
	begin_with(APP_AT_ONCE, 0, little_room, 0);
	set.busy_timeout = 20000;
	scarce = true;
	smtpd_hurry(app.s);
	says(HELLO TWO "DATA\r\nx\r\n.\r\n" QUIT);
	UNTIL(server_left);
	check_replies(HELLO_OK TWO_OK "354 250:2.0.0 " QUIT_OK, "at it");
	finish();
}
END_TEST

static void set_up(void)
{
	struct problem pr;

	tls_contexts_init(&tls, "mx.example.org");
	ck_assert_msg(settings_parse("test", "", 0, &smtpd_settings_section, 1, &defaults, &pr) == 0, "%s", pr.text);
	log_init("test", LOG_LEVEL_ERROR);
}

static void tear_down(void)
{
	tls_contexts_clear(&tls);
	settings_free(defaults);
}

static TCase *tcase(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return t;
}

static void add_scripts(Suite *s)
{
	TCase *t = tcase(s, "whole");

	tcase_add_loop_test(t, whole, 0, SCRIPTS);
	tcase_add_loop_test(tcase(s, "cut"), cut_in_two, 0, SCRIPTS);
	tcase_add_loop_test(tcase(s, "octets"), octet_by_octet, 0, SCRIPTS);
}

static void add_stages(Suite *s)
{
	TCase *t = tcase(s, "stages");

	tcase_add_loop_test(t, client_leaves, 0, APP_WHENS);
	tcase_add_loop_test(t, shutdown_anywhere, 0, APP_WHENS);
	tcase_add_test(t, shutdown_waits_for_the_end);
	tcase_add_test(t, leaves_before_the_answer);
}

static void add_limits(Suite *s)
{
	TCase *t = tcase(s, "limits");

	tcase_add_test(t, end_deadline);
	tcase_add_test(t, end_deadline_while_it_is_stored);
	tcase_add_loop_test(t, too_late, 0, (int)(sizeof late / sizeof late[0]));
	tcase_add_loop_test(t, trickle, 0, 2);
	tcase_add_test(t, session_too_long);
	tcase_add_test(t, line_too_long);
	tcase_add_test(t, line_without_end);
	tcase_add_test(t, never_reads);
	tcase_add_loop_test(t, sizes, 0, 2);
	tcase_add_loop_test(t, chunk_sizes, 0, 2);
	tcase_add_test(t, far_too_large);
}

static void add_rest(Suite *s)
{
	TCase *t = tcase(s, "rest");

	tcase_add_loop_test(t, early_content, 0, APP_WHENS);
	tcase_add_test(t, replies_together);
	tcase_add_test(t, what_the_application_sees);
	tcase_add_loop_test(t, ehlo_lines, 0, 2);
	tcase_add_loop_test(t, starttls, 0, 2);
	tcase_add_loop_test(t, starttls_goes_wrong, 0, 4);
}

static void add_clients(Suite *s)
{
	TCase *t = tcase(s, "clients");

	tcase_add_test(t, early_talker);
	tcase_add_test(t, greeting_delay);
	tcase_add_loop_test(t, balancer, 0, (int)(sizeof behind / sizeof behind[0]));
	tcase_add_test(t, rates);
	tcase_add_loop_test(t, scarce_sessions, 0, 4);
	tcase_add_test(t, scarce_but_at_it);
}

int main(void)
{
	Suite *s = suite_create("smtpd");

	add_scripts(s);
	add_stages(s);
	add_limits(s);
	add_rest(s);
	add_clients(s);
	return suite_run(s);
}
