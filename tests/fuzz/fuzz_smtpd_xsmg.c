/*
 * XSMG in an SMTP server session, inside TLS on a socket pair. The first octet of the input says how it is cut into
 * writes and when the application answers; the rest is what the client says behind EHLO. smtpd_app.h aborts when the
 * session breaks its contract; every line heard must be a reply line.
 */
#include <ctype.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/smtp/conn.h"
#include "gateway/smtp/smtpd_settings.h"
#include "tests/unit/smtpd_app.h"
#include "tests/unit/tls_contexts.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { ROUNDS = 3000, HEARD_MAX = 2 * 1024 * 1024 };

static struct loop *loop;
static struct smtpd_settings set;
static struct tls_contexts tls;
static struct {
	struct conn *c;
	bool told, left;
	struct buf heard;
} client;

static void on_input(void *ctx, struct conn *c)
{
	(void)ctx;
	REQUIRE(buf_add(&client.heard, conn_in(c)->p, conn_in(c)->len) == 0);
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
	REQUIRE(!why);
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

static const struct conn_ops ops = {
    .on_input = on_input, .on_drained = on_drained, .on_tls = on_tls, .on_closed = on_closed};

static void set_up(void)
{
	struct settings *s;
	struct problem pr;

	loop = loop_new();
	log_init("fuzz", LOG_LEVEL_ERROR);
	REQUIRE(settings_parse("fuzz", "", 0, &smtpd_settings_section, 1, &s, &pr) == 0);
	set = *(const struct smtpd_settings *)settings_get(s, "smtp-server");
	settings_free(s);
	tls_contexts_init(&tls, "mx.example.org");
}

static void check_heard(void)
{
	const char *p = buf_str(&client.heard), *end;

	for (; (end = strstr(p, "\r\n")) != NULL; p = end + 2) {
		size_t len = (size_t)(end - p);

		REQUIRE(len >= 4 && len <= 510 && strchr("2345", p[0]) && isdigit((unsigned char)p[1]) &&
			isdigit((unsigned char)p[2]) && (p[3] == ' ' || p[3] == '-'));
		for (size_t i = 0; i < len; i++)
			REQUIRE(isprint((unsigned char)p[i]));
	}
}

static void rounds_until(const bool *what)
{
	for (int i = 0; i < ROUNDS && !*what && client.c; i++)
		loop_once(loop, 1);
}

static void say(const uint8_t *p, size_t n)
{
	if (client.c && n > 0)
		(void)conn_write(client.c, p, n);
	loop_once(loop, 0);
}

static void start_tls(void)
{
	say((const uint8_t *)"STARTTLS\r\n", 10);
	for (int i = 0; i < ROUNDS && !strstr(buf_str(&client.heard), "\r\n220 ") && client.c; i++)
		loop_once(loop, 1);
	REQUIRE(client.c);
	conn_start_tls(client.c, tls.client, false, "mx.example.org");
	rounds_until(&client.told);
	REQUIRE(client.told);
	say((const uint8_t *)"EHLO x\r\n", 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct smtpd_listener listener = {
	    .name = "fuzz", .side = SMTPD_OUTSIDE, .hostname = "mx.example.org", .xsmg = true};
	struct app app;
	size_t piece;
	int fd[2];

	if (!loop)
		set_up();
	if (n < 1)
		return 0;
	piece = 1 + (p[0] >> 2) * 9u;
	app_init(&app, loop, p[0] % APP_WHENS);
	listener.tls = tls.server;
	listener.set = &set;
	listener.ops = &app_ops;
	listener.app = &app;
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	memset(&client, 0, sizeof client);
	buf_init(&client.heard, HEARD_MAX);
	client.c = conn_new(loop, fd[1], true, 65536, &ops, NULL);
	app.s = smtpd_new(loop, fd[0], &listener);
	start_tls();
	for (size_t i = 1; i < n; i += piece)
		say(p + i, n - i < piece ? n - i : piece);
	for (int i = 0; i < 20; i++)
		loop_once(loop, 0);
	if (client.c)
		conn_free(client.c);
	client.c = NULL;
	for (int i = 0; i < ROUNDS && (app.closes == 0 || conn_lingering() > 0); i++)
		loop_once(loop, 1);
	REQUIRE(app.closes == 1);
	check_heard();
	app_clear(&app);
	buf_clear(&client.heard);
	return 0;
}
