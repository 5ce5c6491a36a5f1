/*
 * A whole SMTP server session on a socket pair. The first octet of the input says how it is cut into writes, when the
 * application answers and whether a PROXY header must come first; the rest is what the client says. smtpd_app.h
 * aborts when the session breaks its contract; every reply heard must be a reply line.
 */
#include <ctype.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/smtp/conn.h"
#include "gateway/smtp/smtpd_clients.h"
#include "gateway/smtp/smtpd_settings.h"
#include "tests/unit/smtpd_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct loop *loop;
static struct smtpd_settings set;
static struct smtpd_clients *clients;

static void set_up(void)
{
	struct settings *s;
	struct problem pr;

	loop = loop_new();
	clients = smtpd_clients_new(4);
	log_init("fuzz", LOG_LEVEL_ERROR);
	REQUIRE(settings_parse("fuzz", "", 0, &smtpd_settings_section, 1, &s, &pr) == 0);
	set = *(const struct smtpd_settings *)settings_get(s, "smtp-server");
	settings_free(s);
	set.message_max = 3000;
	set.text_line_max = 500;
	set.recipients_max = 3;
	set.command_line_max = 600;
	set.received_max = 5;
	set.own_received_max = 2;
	set.client_errors_rate = 0; /* all inputs are one client's */
	set.client_recipients_rate = 0;
}

/* "250 ", "250-" in front, printable to the CRLF, at most 512 octets. Returns what is left when the last line is not
 * whole. */
static size_t check_replies(const char *p, size_t n)
{
	const char *end;

	while ((end = memmem(p, n, "\r\n", 2)) != NULL) {
		size_t len = (size_t)(end - p);

		REQUIRE(len >= 4 && len <= 510 && strchr("2345", p[0]) && isdigit((unsigned char)p[1]) &&
			isdigit((unsigned char)p[2]));
		REQUIRE(p[3] == ' ' || p[3] == '-');
		for (size_t i = 0; i < len; i++)
			REQUIRE(isprint((unsigned char)p[i]));
		p = end + 2;
		n -= len + 2;
	}
	return n;
}

struct ear {
	char text[16384];
	size_t n;
	bool over;
};

static void listen_to(struct ear *e, int fd)
{
	ssize_t r = recv(fd, e->text + e->n, sizeof e->text - e->n, MSG_DONTWAIT);

	if (r == 0)
		e->over = true;
	if (r <= 0)
		return;
	e->n += (size_t)r;

	size_t left = check_replies(e->text, e->n);

	memmove(e->text, e->text + e->n - left, left);
	e->n = left;
}

static void session(const uint8_t *p, size_t n, size_t step, enum app_when when, bool balancer)
{
	static struct ear ear;
	struct app app;
	struct smtpd_listener ls = {.name = "fuzz",
	    .side = balancer ? SMTPD_OUTSIDE : SMTPD_INSIDE,
	    .hostname = "mx.example",
	    .set = &set,
	    .ops = &app_ops,
	    .app = &app};
	int fd[2];

	ear.n = 0;
	ear.over = false;
	app_init(&app, loop, when);
	app.behind_balancer = balancer;
	app.client = smtpd_clients_enter(clients, "192.0.2.1");
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	smtpd_new(loop, fd[0], &ls);
	while (n > 0 && !ear.over) {
		ssize_t k = send(fd[1], p, n < step ? n : step, MSG_NOSIGNAL | MSG_DONTWAIT);

		p += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
		loop_once(loop, 0);
		listen_to(&ear, fd[1]);
	}
	for (int i = 0; i < 4; i++) {
		loop_once(loop, 0);
		listen_to(&ear, fd[1]);
	}
	close(fd[1]);
	for (int i = 0; i < 6; i++) /* also for a session that the application was never told of */
		loop_once(loop, 0);
	while (app.closes != app.connects || conn_lingering() > 0)
		loop_once(loop, 10);
	smtpd_clients_leave(clients, app.client);
	app_clear(&app);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (!loop)
		set_up();
	if (n == 0 || n > 20000)
		return 0;

	size_t step = p[0] & 0x3f;

	session(p + 1, n - 1, step == 0 ? 65536 : step * step, p[0] & 0x40 ? APP_SOON : APP_AT_ONCE, p[0] & 0x80);
	return 0;
}
