/* The client against a scripted server over loopback: every class of reply at every stage, lost connections,
 * STARTTLS, pipelining. */
#include "gateway/smtp/smtpc_tls.h"
#include "gateway/smtp/smtpc_trouble.h"
#include "tests/unit/smtpc_fixture.h"
#include "tests/unit/suite.h"

#define MAX_STEPS 24

struct want {
	enum problem_class cls; /* NONE: delivered */
	const char *enh, *text; /* beginning of the code; part of the sentence (or, delivered, of the reply) */
};
struct row {
	const char *name;
	const char *steps[MAX_STEPS];
	size_t nrcpts;
	struct want want[3];
	enum smtpc_tls tls;
};

#define HELLO "> 220 hi", "< EHLO client.test", "> 250 peer.test"
#define HELLO_PIPE "> 220 hi", "< EHLO client.test", "> 250-peer.test", "> 250 PIPELINING"
#define UP_TO_MAIL HELLO, "< MAIL FROM:<from@client.test>"
#define UP_TO_RCPT UP_TO_MAIL, "> 250 ok", "< RCPT TO:<r0@peer.test>"
#define UP_TO_DATA UP_TO_RCPT, "> 250 ok", "< DATA"
#define UP_TO_END UP_TO_DATA, "> 354 go", "."
#define PIPE2 HELLO_PIPE, "< MAIL FROM:", "< RCPT TO:<r0@", "< RCPT TO:<r1@", "< DATA"

static const struct row rows[] = {
    {"delivered", {UP_TO_END, "> 250 2.0.0 taken", "w"}, 1, {{PROBLEM_NONE, "", "250 2.0.0 taken"}}, SMTPC_TLS_NONE},
    {"251 is a success",
	{UP_TO_MAIL, "> 250 ok", "< RCPT", "> 251 will forward", "< DATA", "> 354 go", ".", "> 250 ok", "w"}, 1,
	{{PROBLEM_NONE, "", "250 ok"}}, SMTPC_TLS_NONE},

    /* greeting */
    {"greeting 421", {"> 421 4.3.2 busy", "w"}, 1, {{PROBLEM_TEMP, "4.3.2", "in its greeting: 421 4.3.2 busy"}},
	SMTPC_TLS_NONE},
    {"greeting 450", {"> 450 no", "w"}, 1, {{PROBLEM_TEMP, "4.", "in its greeting"}}, SMTPC_TLS_NONE},
    {"greeting 554", {"> 554 5.3.2 no mail here", "w"}, 1, {{PROBLEM_TEMP, "4.", "554 5.3.2 no mail here"}},
	SMTPC_TLS_NONE},
    {"greeting 521", {"> 521 never", "w"}, 1, {{PROBLEM_PERM, "5.3.2", "521 never"}}, SMTPC_TLS_NONE},
    {"greeting 354", {"> 354 what", "w"}, 1, {{PROBLEM_TEMP, "4.5.0", "intermediate"}}, SMTPC_TLS_NONE},
    {"greeting is not SMTP", {"> SSH-2.0-OpenSSH", "w"}, 1, {{PROBLEM_TEMP, "4.5.0", "reply code"}}, SMTPC_TLS_NONE},
    {"greeting with LF", {">>220 hi\n", "w"}, 1, {{PROBLEM_TEMP, "4.5.0", "LF"}}, SMTPC_TLS_NONE},
    {"greeting with NUL", {">>220 h", "0", ">>i\r\n", "w"}, 1, {{PROBLEM_TEMP, "4.5.0", "NUL"}}, SMTPC_TLS_NONE},
    {"greeting without end", {"s 20000", "w"}, 1, {{PROBLEM_TEMP, "4.5.0", "limit"}}, SMTPC_TLS_NONE},
    {"greeting in many lines",
	{">>220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n",
	    ">>220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n220-a\r\n",
	    "w"},
	1, {{PROBLEM_TEMP, "4.5.0", "reply-lines"}}, SMTPC_TLS_NONE},
    {"greeting with two codes", {">>220-a\r\n221 b\r\n", "w"}, 1, {{PROBLEM_TEMP, "4.5.0", "different codes"}},
	SMTPC_TLS_NONE},
    {"greeting in lines",
	{">>220-a\r\n220 b\r\n", "< EHLO", "> 250 x", "< MAIL", "> 250 x", "< RCPT", "> 250 x", "< DATA", "> 354 x",
	    ".", "> 250 in", "w"},
	1, {{PROBLEM_NONE, "", "250 in"}}, SMTPC_TLS_NONE},
    {"closed before the greeting", {"x"}, 1, {{PROBLEM_TEMP, "4.4.2", "in its greeting"}}, SMTPC_TLS_NONE},
    {"reset before the greeting", {"r"}, 1, {{PROBLEM_TEMP, "4.4.", ""}}, SMTPC_TLS_NONE},
    {"greeting and more at once", {">>220 hi\r\n250 early\r\n", "w"}, 1,
	{{PROBLEM_TEMP, "4.5.0", "before its question"}}, SMTPC_TLS_NONE},

    /* EHLO, HELO */
    {"EHLO 421", {"> 220 hi", "< EHLO", "> 421 4.3.2 no", "w"}, 1, {{PROBLEM_TEMP, "4.3.2", "to EHLO: 421"}},
	SMTPC_TLS_NONE},
    {"EHLO 450", {"> 220 hi", "< EHLO", "> 450 no", "w"}, 1, {{PROBLEM_TEMP, "4.3.2", "to EHLO: 450"}},
	SMTPC_TLS_NONE},
    {"EHLO 502, HELO",
	{"> 220 hi", "< EHLO client.test", "> 502 what", "< HELO client.test", "> 250 x",
	    "< MAIL FROM:<from@client.test>", "> 250 x", "< RCPT", "> 250 x", "< DATA", "> 354 x", ".", "> 250 in",
	    "w"},
	1, {{PROBLEM_NONE, "", "250 in"}}, SMTPC_TLS_NONE},
    {"EHLO 502, HELO 550", {"> 220 hi", "< EHLO", "> 502 what", "< HELO", "> 550 go away", "w"}, 1,
	{{PROBLEM_TEMP, "4.", "550 go away"}}, SMTPC_TLS_NONE},
    {"EHLO lost", {"> 220 hi", "< EHLO", "x"}, 1, {{PROBLEM_TEMP, "4.4.2", "to EHLO"}}, SMTPC_TLS_NONE},
    {"EHLO garbage", {"> 220 hi", "< EHLO", ">>\r\n", "w"}, 1, {{PROBLEM_TEMP, "4.5.0", "to EHLO"}}, SMTPC_TLS_NONE},

    /* MAIL */
    {"MAIL 450", {UP_TO_MAIL, "> 450 4.7.1 greylisted", "w"}, 1, {{PROBLEM_TEMP, "4.7.1", "to MAIL: 450 4.7.1"}},
	SMTPC_TLS_NONE},
    {"MAIL 550", {UP_TO_MAIL, "> 550 5.7.1 sender refused", "w"}, 1, {{PROBLEM_PERM, "5.7.1", "sender refused"}},
	SMTPC_TLS_NONE},
    {"MAIL 552 without enhanced code", {UP_TO_MAIL, "> 552 too big", "w"}, 1,
	{{PROBLEM_PERM, "5.1.0", "552 too big"}}, SMTPC_TLS_NONE},
    {"MAIL 421", {UP_TO_MAIL, "> 421 closing", "x"}, 1, {{PROBLEM_TEMP, "4.", "421 closing"}}, SMTPC_TLS_NONE},
    {"MAIL 354", {UP_TO_MAIL, "> 354 what", "w"}, 1, {{PROBLEM_TEMP, "4.5.0", "intermediate"}}, SMTPC_TLS_NONE},
    {"MAIL lost", {UP_TO_MAIL, "x"}, 1, {{PROBLEM_TEMP, "4.4.2", "to MAIL"}}, SMTPC_TLS_NONE},

    /* RCPT */
    {"RCPT 450", {UP_TO_RCPT, "> 450 4.2.0 busy", "w"}, 1, {{PROBLEM_TEMP, "4.2.0", "to RCPT: 450"}}, SMTPC_TLS_NONE},
    {"RCPT 550", {UP_TO_RCPT, "> 550 5.1.1 unknown", "w"}, 1, {{PROBLEM_PERM, "5.1.1", "to RCPT: 550 5.1.1 unknown"}},
	SMTPC_TLS_NONE},
    {"RCPT 552 is 452", {UP_TO_RCPT, "> 552 too many", "w"}, 1, {{PROBLEM_TEMP, "4.5.3", "552 too many"}},
	SMTPC_TLS_NONE},
    {"RCPT 552 mailbox full", {UP_TO_RCPT, "> 552 5.2.2 full", "w"}, 1, {{PROBLEM_PERM, "5.2.2", "full"}},
	SMTPC_TLS_NONE},
    {"RCPT 421", {UP_TO_RCPT, "> 421 4.7.0 enough", "x"}, 1, {{PROBLEM_TEMP, "4.7.0", "421 4.7.0 enough"}},
	SMTPC_TLS_NONE},
    {"RCPT lost", {UP_TO_RCPT, "r"}, 1, {{PROBLEM_TEMP, "4.4.2", "to RCPT"}}, SMTPC_TLS_NONE},
    {"RCPT mixed",
	{UP_TO_RCPT, "> 550 5.1.1 unknown", "< RCPT TO:<r1@", "> 250 ok", "< RCPT TO:<r2@", "> 451 4.3.0 later",
	    "< DATA", "> 354 go", ".", "> 250 in", "w"},
	3, {{PROBLEM_PERM, "5.1.1", "unknown"}, {PROBLEM_NONE, "", "250 in"}, {PROBLEM_TEMP, "4.3.0", "later"}},
	SMTPC_TLS_NONE},
    {"RCPT too many after one: a second transaction",
	{UP_TO_RCPT, "> 250 ok", "< RCPT TO:<r1@", "> 452 4.5.3 too many", "< DATA", "> 354 go", ".", "> 250 first",
	    "< MAIL", "> 250 ok", "< RCPT TO:<r1@", "> 250 ok", "< DATA", "> 354 go", ".", "> 250 second", "w"},
	2, {{PROBLEM_NONE, "", "250 first"}, {PROBLEM_NONE, "", "250 second"}}, SMTPC_TLS_NONE},

    /* DATA */
    {"DATA 451", {UP_TO_DATA, "> 451 4.3.0 no", "w"}, 1, {{PROBLEM_TEMP, "4.3.0", "to DATA: 451"}}, SMTPC_TLS_NONE},
    {"DATA 554", {UP_TO_DATA, "> 554 5.5.1 no", "w"}, 1, {{PROBLEM_PERM, "5.5.1", "to DATA: 554"}}, SMTPC_TLS_NONE},
    {"DATA 250", {UP_TO_DATA, "> 250 ok", "w"}, 1, {{PROBLEM_TEMP, "4.5.0", "354"}}, SMTPC_TLS_NONE},
    {"DATA 421", {UP_TO_DATA, "> 421 bye", "x"}, 1, {{PROBLEM_TEMP, "4.", "421 bye"}}, SMTPC_TLS_NONE},
    {"DATA lost", {UP_TO_DATA, "x"}, 1, {{PROBLEM_TEMP, "4.4.2", "to DATA"}}, SMTPC_TLS_NONE},
    {"354 and 250 at once", {UP_TO_DATA, ">>354 go\r\n250 taken\r\n", "w"}, 1, {{PROBLEM_TEMP, "4.", ""}},
	SMTPC_TLS_NONE},

    /* the end */
    {"END 451", {UP_TO_END, "> 451 4.3.0 disk full", "w"}, 1, {{PROBLEM_TEMP, "4.3.0", "to the content: 451"}},
	SMTPC_TLS_NONE},
    {"END 554", {UP_TO_END, "> 554 5.7.1 spam", "w"}, 1, {{PROBLEM_PERM, "5.7.1", "to the content: 554 5.7.1 spam"}},
	SMTPC_TLS_NONE},
    {"END 421", {UP_TO_END, "> 421 4.3.2 down", "x"}, 1, {{PROBLEM_TEMP, "4.3.2", "421 4.3.2 down"}}, SMTPC_TLS_NONE},
    {"END 354", {UP_TO_END, "> 354 more", "w"}, 1, {{PROBLEM_TEMP, "4.4.2", "duplicate"}}, SMTPC_TLS_NONE},
    {"END lost", {UP_TO_END, "x"}, 1, {{PROBLEM_TEMP, "4.4.2", "duplicate"}}, SMTPC_TLS_NONE},
    {"END reset", {UP_TO_END, "r"}, 1, {{PROBLEM_TEMP, "4.4.2", "duplicate"}}, SMTPC_TLS_NONE},
    {"END garbage", {UP_TO_END, ">>yes\r\n", "w"}, 1, {{PROBLEM_TEMP, "4.4.2", "duplicate"}}, SMTPC_TLS_NONE},
    {"END 250 and 421 at once", {UP_TO_END, ">>250 in\r\n421 bye\r\n", "x"}, 1, {{PROBLEM_NONE, "", "250 in"}},
	SMTPC_TLS_NONE},
    {"END 250 in lines", {UP_TO_END, ">>250-in\r\n250 the box\r\n", "w"}, 1, {{PROBLEM_NONE, "", "250 in the box"}},
	SMTPC_TLS_NONE},

    /* pipelining */
    {"pipelined", {PIPE2, ">>250 m\r\n250 r0\r\n250 r1\r\n354 go\r\n", ".", "> 250 in", "w"}, 2,
	{{PROBLEM_NONE, "", "250 in"}, {PROBLEM_NONE, "", "250 in"}}, SMTPC_TLS_NONE},
    {"pipelined, mixed", {PIPE2, ">>250 m\r\n550 5.1.1 no r0\r\n25", ">>0 r1\r\n354 go\r\n", ".", "> 250 in", "w"}, 2,
	{{PROBLEM_PERM, "5.1.1", "no r0"}, {PROBLEM_NONE, "", "250 in"}}, SMTPC_TLS_NONE},
    {"pipelined, none taken, DATA refused", {PIPE2, ">>250 m\r\n550 5.1.1 a\r\n450 4.2.1 b\r\n554 no rcpts\r\n", "w"},
	2, {{PROBLEM_PERM, "5.1.1", "a"}, {PROBLEM_TEMP, "4.2.1", "b"}}, SMTPC_TLS_NONE},
    {"pipelined, none taken, 354: lone dot",
	{PIPE2, ">>250 m\r\n550 5.1.1 a\r\n450 4.2.1 b\r\n354 go\r\n", "< .", "> 250 nonsense", "w"}, 2,
	{{PROBLEM_PERM, "5.1.1", "a"}, {PROBLEM_TEMP, "4.2.1", "b"}}, SMTPC_TLS_NONE},
    {"pipelined, MAIL refused", {PIPE2, ">>550 5.7.1 never\r\n503 no\r\n503 no\r\n503 no\r\n", "w"}, 2,
	{{PROBLEM_PERM, "5.7.1", "never"}, {PROBLEM_PERM, "5.7.1", "never"}}, SMTPC_TLS_NONE},
    {"pipelined, MAIL refused, then lost", {PIPE2, ">>550 5.7.1 never\r\n503 no\r\n", "x"}, 2,
	{{PROBLEM_PERM, "5.7.1", "never"}, {PROBLEM_PERM, "5.7.1", "never"}}, SMTPC_TLS_NONE},
    {"pipelined, lost in the middle", {PIPE2, ">>250 m\r\n550 5.1.1 a\r\n", "x"}, 2,
	{{PROBLEM_PERM, "5.1.1", "a"}, {PROBLEM_TEMP, "4.4.2", "lost"}}, SMTPC_TLS_NONE},
    {"pipelined, DATA refused", {PIPE2, ">>250 m\r\n250 r\r\n550 5.1.1 b\r\n451 4.3.0 later\r\n", "w"}, 2,
	{{PROBLEM_TEMP, "4.3.0", "later"}, {PROBLEM_PERM, "5.1.1", "b"}}, SMTPC_TLS_NONE},
    {"pipelined, one reply too many", {PIPE2, ">>250 m\r\n250 r\r\n250 r\r\n354 go\r\n250 taken\r\n", "w"}, 2,
	{{PROBLEM_TEMP, "4.", ""}, {PROBLEM_TEMP, "4.", ""}}, SMTPC_TLS_NONE},

    /* STARTTLS without TLS */
    {"TLS demanded, not offered", {HELLO, "w"}, 1, {{PROBLEM_TEMP, "4.7.4", "TLS is demanded"}}, SMTPC_TLS_ENCRYPT},
    {"verified TLS demanded, not offered", {HELLO, "w"}, 1,
	{{PROBLEM_TEMP, "4.7.4", "TLS with a verified certificate is demanded"}}, SMTPC_TLS_VERIFY},
    {"TLS demanded, HELO only", {"> 220 hi", "< EHLO", "> 500 what", "< HELO", "> 250 x", "w"}, 1,
	{{PROBLEM_TEMP, "4.7.4", "does not offer STARTTLS"}}, SMTPC_TLS_ENCRYPT},
    {"TLS demanded, refused",
	{"> 220 hi", "< EHLO", ">>250-x\r\n250 starttls\r\n", "< STARTTLS", "> 454 4.7.0 no key", "w"}, 1,
	{{PROBLEM_TEMP, "4.7.4", "refuses STARTTLS (454 4.7.0 no key)"}}, SMTPC_TLS_ENCRYPT},
    {"TLS may, refused",
	{"> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "> 454 no", "< MAIL", "> 250 x", "< RCPT",
	    "> 250 x", "< DATA", "> 354 x", ".", "> 250 in", "w"},
	1, {{PROBLEM_NONE, "", "250 in"}}, SMTPC_TLS_MAY},
    {"TLS may, not offered", {UP_TO_END, "> 250 in", "w"}, 1, {{PROBLEM_NONE, "", "250 in"}}, SMTPC_TLS_MAY},
    {"TLS none, offered",
	{"> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< MAIL", "> 250 x", "< RCPT", "> 250 x", "< DATA",
	    "> 354 x", ".", "> 250 in", "w"},
	1, {{PROBLEM_NONE, "", "250 in"}}, SMTPC_TLS_NONE},
    {"STARTTLS 421", {"> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "> 421 no", "x"}, 1,
	{{PROBLEM_TEMP, "4.", "421 no"}}, SMTPC_TLS_MAY},
    {"STARTTLS 250", {"> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "> 250 eh", "w"}, 1,
	{{PROBLEM_TEMP, "4.5.0", "neither"}}, SMTPC_TLS_MAY},
    {"STARTTLS lost", {"> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "x"}, 1,
	{{PROBLEM_TEMP, "4.4.2", "to STARTTLS"}}, SMTPC_TLS_ENCRYPT},
    {"handshake lost", {"> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "> 220 go", "x"}, 1,
	{{PROBLEM_TEMP, "4.7.5", "TLS is demanded"}}, SMTPC_TLS_ENCRYPT},
    {"handshake garbage",
	{"> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "> 220 go", "s 4000", "w"}, 1,
	{{PROBLEM_TEMP, "4.7.5", "TLS is demanded"}}, SMTPC_TLS_ENCRYPT},
};

static void judge(const char *name, size_t i, const struct smtpc_rcpt *r, const struct want *w)
{
	ck_assert_msg(r->ok == (w->cls == PROBLEM_NONE) && r->pr.cls == w->cls,
	    "%s: recipient %zu: ok %d class %d: %s", name, i, r->ok, r->pr.cls, r->pr.text);
	ck_assert_msg(strncmp(r->pr.enh, w->enh, strlen(w->enh)) == 0, "%s: recipient %zu: %s: %s", name, i,
	    r->pr.enh, r->pr.text);
	ck_assert_msg(strstr(r->ok ? r->reply : r->pr.text, w->text), "%s: recipient %zu: \"%s\" \"%s\"", name, i,
	    r->pr.text, r->reply);
	if (r->ok)
		return;
	ck_assert_int_eq(r->pr.enh[0], r->pr.cls == PROBLEM_TEMP ? '4' : '5');
	ck_assert_int_eq(r->pr.code / 100, r->pr.cls == PROBLEM_TEMP ? 4 : 5);
}

START_TEST(stages)
{
	const struct row *r = &rows[_i];
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_verify(ctx, r->tls == SMTPC_TLS_VERIFY ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	p->scripts[0] = r->steps;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	f.set.attempts = 1;
	f.dest.tls = r->tls;
	f.dest.ctx = ctx;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, r->nrcpts, "Subject: x\r\n\r\nhello\r\n.dot\r\n");
	fixture_send(&f, &m);
	for (size_t i = 0; i < r->nrcpts; i++)
		judge(r->name, i, &m.rcpts[i], &r->want[i]);
	fixture_end(&f);
	SSL_CTX_free(ctx);
	peer_end(p);
}
END_TEST

static const char *const good[] = {"> 220 hi", "*", NULL};

/* What arrives: front first, dots doubled, CRLF before the dot where the content lacks it. */
START_TEST(content)
{
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();

	p->scripts[0] = good;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "A: b\r\n\r\n.\r\n..x\r\nlast line without an end");
	m.m.front = "Received: by us\r\n";
	fixture_send(&f, &m);
	ck_assert(m.rcpts[0].ok);
	ck_assert_str_eq(m.rcpts[0].reply, "250 2.0.0 taken");
	ck_assert_ptr_nonnull(strstr(m.remote, "mx.peer.test[127.0.0.1]:"));
	ck_assert_str_eq(m.tls, "");
	fixture_end(&f);
	ck_assert_str_eq(p->content, "Received: by us\r\nA: b\r\n\r\n..\r\n...x\r\nlast line without an end\r\n");
	peer_end(p);
}
END_TEST

/* Larger than every buffer on the way. */
START_TEST(large)
{
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();
	size_t lines = 40000;
	char *text = malloc(lines * 72 + 1);

	for (size_t i = 0; i < lines; i++)
		snprintf(
		    text + i * 72, 73, "%08zu..............................................................\r\n", i);
	p->scripts[0] = good;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, text);
	fixture_send(&f, &m);
	ck_assert_msg(m.rcpts[0].ok, "%s", m.rcpts[0].pr.text);
	fixture_end(&f);
	ck_assert_uint_eq(p->content_len, strlen(text));
	ck_assert_int_eq(memcmp(p->content, text, p->content_len), 0);
	peer_end(p);
	free(text);
}
END_TEST

/* Content that cannot be read to its end must not look complete to the server. */
static int broken_read(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	(void)r;
	if (off >= 20000)
		return problem_temp(pr, "the spool file is broken");
	memset(p, 'x', n);
	*got_r = n;
	return 0;
}

START_TEST(unreadable)
{
	static const char *const steps[] = {UP_TO_DATA, "> 354 go", "w", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct reader broken = {.read_at = broken_read, .size = 100000};
	struct peer *p = peer_new();

	p->scripts[0] = steps;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "");
	m.m.content = &broken;
	fixture_send(&f, &m);
	ck_assert(!m.rcpts[0].ok);
	ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_TEMP);
	ck_assert_str_eq(m.rcpts[0].pr.text, "the spool file is broken");
	fixture_end(&f);
	ck_assert_int_eq(atomic_load(&p->mails), 0);
	peer_end(p);
}
END_TEST

/* A refusal while the content is still on its way counts, and the connection ends. */
START_TEST(refused_in_content)
{
	static const char *const steps[] = {UP_TO_DATA, "> 354 go", "> 552 5.3.4 too large", "w", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();
	size_t n = 40 * 1024 * 1024;
	char *text = malloc(n + 1);

	memset(text, 'y', n);
	text[n] = 0;
	p->scripts[0] = steps;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, text);
	fixture_send(&f, &m);
	ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_PERM);
	ck_assert_str_eq(m.rcpts[0].pr.enh, "5.3.4");
	fixture_end(&f);
	peer_end(p);
	free(text);
}
END_TEST

/* ---- parameters and what is never sent ---- */

struct local_row {
	const char *ehlo; /* line behind the first */
	const char *sender, *rcpt;
	bool body8, assume;
	size_t size;	  /* of the content */
	const char *mail; /* what the server gets, or NULL: nothing */
	struct want want;
};
static const struct local_row locals[] = {
    {"250 SIZE", "a@b.test", "c@d.test", false, false, 10, "< MAIL FROM:<a@b.test> SIZE=10",
	{PROBLEM_NONE, "", "in"}},
    {"250 SIZE 1000", "a@b.test", "c@d.test", false, false, 1000, "< MAIL FROM:<a@b.test> SIZE=1000",
	{PROBLEM_NONE, "", "in"}},
    {"250 SIZE 1000", "a@b.test", "c@d.test", false, false, 1001, NULL, {PROBLEM_PERM, "5.3.4", "at most 1000"}},
    {"250 SIZE 99999999999999999999", "a@b.test", "c@d.test", false, false, 10, "< MAIL FROM:<a@b.test> SIZE=10",
	{PROBLEM_NONE, "", "in"}},
    {"250 8BITMIME", "a@b.test", "c@d.test", true, false, 10, "< MAIL FROM:<a@b.test> BODY=8BITMIME",
	{PROBLEM_NONE, "", "in"}},
    {"250 8bitmime", "a@b.test", "c@d.test", false, false, 10, "< MAIL FROM:<a@b.test>", {PROBLEM_NONE, "", "in"}},
    {"250 HELP", "a@b.test", "c@d.test", true, false, 10, NULL, {PROBLEM_PERM, "5.6.3", "8BITMIME"}},
    {"250 HELP", "a@b.test", "c@d.test", true, true, 10, "< MAIL FROM:<a@b.test>", {PROBLEM_NONE, "", "in"}},
    {"250 HELP", "", "c@d.test", false, false, 10, "< MAIL FROM:<>", {PROBLEM_NONE, "", "in"}},
    {"250 HELP", "\"a b>\\\"\"@b.test", "\"x<y\"@d.test", false, false, 10, "< MAIL FROM:<\"a b>\\\"\"@b.test>",
	{PROBLEM_NONE, "", "in"}},
    {"250 HELP", "a@b.test", "\xc3\xa9@d.test", false, false, 10, NULL, {PROBLEM_PERM, "5.6.7", "recipient"}},
    {"250 HELP", "\xc3\xa9@b.test", "c@d.test", false, false, 10, NULL, {PROBLEM_PERM, "5.6.7", "sender"}},
    {"250 HELP", "a@b.test", "c@d.test> NOTIFY=NEVER", false, false, 10, NULL, {PROBLEM_PERM, "5.1.3", "recipient"}},
    {"250 HELP", "a@b.test", "c@d.test\r\nDATA", false, false, 10, NULL, {PROBLEM_PERM, "5.1.3", "recipient"}},
    {"250 HELP", "a@b.test", "\"c@d.test", false, false, 10, NULL, {PROBLEM_PERM, "5.1.3", "quotes"}},
};

START_TEST(parameters)
{
	const struct local_row *r = &locals[_i];
	const char *sent[] = {"> 220 hi", "< EHLO", "> 250-x", NULL, NULL, "> 250 x", "< RCPT TO:<", "> 250 x",
	    "< DATA", "> 354 x", ".", "> 250 in", "w", NULL};
	const char *unsent[] = {"> 220 hi", "< EHLO", "> 250-x", NULL, "< QUIT", "w", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();
	char ehlo[100], *text = calloc(1, r->size + 1);

	snprintf(ehlo, sizeof ehlo, "> %s", r->ehlo);
	sent[3] = unsent[3] = ehlo;
	sent[4] = r->mail;
	memset(text, 'z', r->size);
	p->scripts[0] = r->mail ? sent : unsent;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	f.set.assume_8bit = r->assume;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, text);
	m.m.sender = r->sender;
	m.m.body8 = r->body8;
	m.rcpts[0].address = r->rcpt;
	fixture_send(&f, &m);
	judge(r->ehlo, (size_t)_i, &m.rcpts[0], &r->want);
	fixture_end(&f);
	peer_end(p);
	free(text);
}
END_TEST

/* One address that cannot be sent does not stop the others. */
START_TEST(bad_address_among_good)
{
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();

	p->scripts[0] = good;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 3, "x\r\n");
	m.rcpts[1].address = "\xff@peer.test";
	fixture_send(&f, &m);
	ck_assert(m.rcpts[0].ok && !m.rcpts[1].ok && m.rcpts[2].ok);
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* ---- time-outs ---- */

START_TEST(timeouts)
{
	static const char *const scripts[][MAX_STEPS] = {
	    {"w"}, {"> 220 hi", "w"}, {UP_TO_MAIL, "w"}, {UP_TO_RCPT, "w"}, {UP_TO_DATA, "w"}, {UP_TO_END, "w"}};
	static const char *const texts[] = {
	    "in its greeting", "to EHLO", "to MAIL", "to RCPT", "to DATA", "duplicate"};
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();
	int64_t *ms[6];

	p->scripts[0] = scripts[_i];
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	ms[0] = &f.set.greeting_timeout, ms[1] = &f.set.ehlo_timeout, ms[2] = &f.set.mail_timeout;
	ms[3] = &f.set.rcpt_timeout, ms[4] = &f.set.data_timeout, ms[5] = &f.set.end_timeout;
	*ms[_i] = 50;
	f.set.attempts = 1;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_TEMP);
	ck_assert_str_eq(m.rcpts[0].pr.enh, "4.4.2");
	ck_assert_ptr_nonnull(strstr(m.rcpts[0].pr.text, "timeout"));
	ck_assert_ptr_nonnull(strstr(m.rcpts[0].pr.text, texts[_i]));
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* ---- TLS ---- */

static const char *const tls_good[] = {
    "> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "> 220 go", "t", "*", NULL};
static const char *const tls_bad[] = {
    "> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "> 220 go", "T", NULL};
/* What was said before the handshake, together with 220, is gone: were it read, it would be EHLO's answer. */
static const char *const tls_inject[] = {"> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS",
    ">>220 go\r\n250-evil\r\n250 PIPELINING\r\n", "t", "< EHLO", "> 250 x", "< MAIL", "> 250 x", "< RCPT", "> 250 x",
    "< DATA", "> 354 x", ".", "> 250 in", "w", NULL};

/* TLS that fails at each step. */
#define OFFERED "> 220 hi", "< EHLO", "> 250-x", "> 250 STARTTLS", "< STARTTLS"
static const char *const tls_refused[] = {OFFERED, "> 454 4.7.0 no", "w", NULL};
static const char *const tls_going[] = {OFFERED, "> 421 4.3.2 going", "w", NULL};
static const char *const tls_odd[] = {OFFERED, "> 354 go on", "w", NULL};
static const char *const tls_lost[] = {OFFERED, "x", NULL};
static const char *const tls_closed[] = {OFFERED, "> 220 go", "x", NULL};
static const char *const tls_garbage[] = {
    OFFERED, "> 220 go", ">>this is not TLS and nothing like it\r\n", "w", NULL};
static const char *const tls_lost_after[] = {OFFERED, "> 220 go", "t", "< EHLO", "x", NULL};

struct tls_row {
	const char *const *script, *const *second; /* second: of the next connection */
	enum smtpc_tls tls;
	bool verify; /* the client's context verifies */
	const char *name;
	int days;
	struct want want;
	const char *more; /* in the text */
};
static const struct tls_row tls_rows[] = {
    {tls_good, NULL, SMTPC_TLS_ENCRYPT, false, "mx.peer.test", 30, {PROBLEM_NONE, "", "taken"}, NULL},
    {tls_good, NULL, SMTPC_TLS_ENCRYPT, false, "other.test", -3, {PROBLEM_NONE, "", "taken"}, NULL},
    {tls_good, NULL, SMTPC_TLS_MAY, false, "mx.peer.test", 30, {PROBLEM_NONE, "", "taken"}, NULL},
    {tls_good, NULL, SMTPC_TLS_VERIFY, true, "mx.peer.test", 30, {PROBLEM_NONE, "", "taken"}, NULL},
    {tls_inject, NULL, SMTPC_TLS_ENCRYPT, false, "mx.peer.test", 30, {PROBLEM_NONE, "", "in"}, NULL},
    {tls_bad, NULL, SMTPC_TLS_VERIFY, true, "other.test", 30,
	{PROBLEM_TEMP, "4.7.5", "subject CN=other.test, serial 1234, valid 2"},
	"TLS with a verified certificate is demanded"},
    {tls_bad, NULL, SMTPC_TLS_VERIFY, true, "mx.peer.test", -3, {PROBLEM_TEMP, "4.7.5", "expired"},
	"subject CN=mx.peer.test"},
    {tls_bad, good, SMTPC_TLS_MAY, true, "other.test", 30, {PROBLEM_NONE, "", "taken"}, NULL},
    {tls_refused, NULL, SMTPC_TLS_ENCRYPT, false, "mx.peer.test", 30, {PROBLEM_TEMP, "4.7.4", "refuses STARTTLS"},
	"nothing was sent in the clear"},
    {tls_going, NULL, SMTPC_TLS_ENCRYPT, false, "mx.peer.test", 30, {PROBLEM_TEMP, "4.3.2", "421 4.3.2 going"}, NULL},
    {tls_odd, NULL, SMTPC_TLS_ENCRYPT, false, "mx.peer.test", 30, {PROBLEM_TEMP, "4.5.0", "neither 220"}, NULL},
    {tls_lost, NULL, SMTPC_TLS_ENCRYPT, false, "mx.peer.test", 30, {PROBLEM_TEMP, "4.4.2", "to STARTTLS"}, NULL},
    {tls_closed, NULL, SMTPC_TLS_ENCRYPT, false, "mx.peer.test", 30, {PROBLEM_TEMP, "4.7.5", "handshake"},
	"nothing was sent in the clear"},
    {tls_garbage, NULL, SMTPC_TLS_ENCRYPT, false, "mx.peer.test", 30, {PROBLEM_TEMP, "4.7.5", "handshake"},
	"nothing was sent in the clear"},
    {tls_lost_after, NULL, SMTPC_TLS_ENCRYPT, false, "mx.peer.test", 30, {PROBLEM_TEMP, "4.4.2", "to EHLO"}, NULL},
    {tls_garbage, good, SMTPC_TLS_MAY, false, "mx.peer.test", 30, {PROBLEM_NONE, "", "taken"}, NULL},
    {tls_closed, good, SMTPC_TLS_MAY, false, "mx.peer.test", 30, {PROBLEM_NONE, "", "taken"}, NULL},
};

START_TEST(tls)
{
	const struct tls_row *r = &tls_rows[_i];
	struct fixture f;
	struct fixture_mail m;
	struct peer *p = peer_new();
	SSL_CTX *client = peer_tls_setup(p, r->name, r->days, r->verify);

	p->scripts[0] = r->script;
	p->scripts[1] = r->second;
	p->nscripts = r->second ? 2 : 1;
	peer_start(p);
	fixture_init(&f);
	f.set.attempts = r->second ? 8 : 1;
	f.dest.tls = r->tls;
	f.dest.ctx = client;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	fixture_send(&f, &m);
	judge("tls", (size_t)_i, &m.rcpts[0], &r->want);
	if (r->more)
		ck_assert_msg(strstr(m.rcpts[0].pr.text, r->more), "%s", m.rcpts[0].pr.text);
	ck_assert_int_eq(strncmp(m.tls, "TLSv1.3 cipher ", 15) == 0, r->want.cls == PROBLEM_NONE && !r->second);
	fixture_end(&f);
	SSL_CTX_free(client);
	peer_end(p);
}
END_TEST

/* The second connection to the host resumes; one under another demand does not. */
START_TEST(resumption)
{
	struct fixture f;
	struct fixture_mail m[3];
	struct peer *p = peer_new();
	SSL_CTX *client = peer_tls_setup(p, "mx.peer.test", 30, true);

	p->scripts[0] = tls_good;
	p->nscripts = 1;
	p->parallel = true;
	peer_start(p);
	fixture_init(&f);
	f.set.messages = 1;
	f.dest.ctx = client;
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	for (int i = 0; i < 3; i++) {
		f.dest.tls = i < 2 ? SMTPC_TLS_VERIFY : SMTPC_TLS_ENCRYPT;
		fixture_mail(&m[i], 1, "x\r\n");
		fixture_send(&f, &m[i]);
		ck_assert_msg(m[i].rcpts[0].ok, "%s", m[i].rcpts[0].pr.text);
		ck_assert_int_eq(atomic_load(&p->resumed), i == 0 ? 0 : 1);
	}
	fixture_end(&f);
	SSL_CTX_free(client);
	peer_end(p);
}
END_TEST

static struct problem gone_with;
static int gone_times;

static void not_ready(void *ctx, struct smtpc *c)
{
	(void)ctx, (void)c;
	ck_abort_msg("ready although the peer was not verified");
}

static void note_gone(void *ctx, struct smtpc *c, const struct smtpc_trouble *t)
{
	(void)ctx, (void)c;
	ck_assert_ptr_nonnull(t);
	gone_with = t->pr;
	gone_times++;
}

/* A verified peer is demanded, but the context does not verify: noticed after the handshake, before a word about
 * mail. */
START_TEST(second_look)
{
	static const char *const steps[] = {
	    "> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "> 220 go", "t", "w", NULL};
	static const struct smtpc_ops ops = {.ready = not_ready, .gone = note_gone};
	struct fixture f;
	struct smtpc_trouble t;
	struct peer *p = peer_new();
	SSL_CTX *client = peer_tls_setup(p, "mx.peer.test", 30, false);
	struct smtpc_tls_store *sessions = smtpc_tls_store_new();
	struct smtpc_way way = {
	    .host = "mx.peer.test", .addr = &p->addr, .tls = SMTPC_TLS_VERIFY, .ctx = client, .sessions = sessions};

	p->scripts[0] = steps;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	ck_assert_ptr_nonnull(smtpc_new(f.loop, &f.set, "client.test", &way, &ops, NULL, &t));
	for (int i = 0; i < 200 && !gone_times; i++)
		loop_once(f.loop, 100);
	ck_assert_int_eq(gone_times, 1);
	ck_assert_str_eq(gone_with.enh, "4.7.5");
	ck_assert_msg(strstr(gone_with.text, "not set up to verify; its certificate: subject CN=mx.peer.test"), "%s",
	    gone_with.text);
	fixture_linger(&f);
	loop_free(f.loop);
	smtpc_tls_store_free(sessions);
	SSL_CTX_free(client);
	peer_end(p);
}
END_TEST

/* The store keeps a bounded number of sessions, the last used ones. */
START_TEST(store_is_bounded)
{
	struct smtpc_tls_store *s = smtpc_tls_store_new();
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx), *other = SSL_new(ctx);
	SSL_SESSION *session = SSL_SESSION_new();
	char host[32];

	SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
	SSL_SESSION_set1_id(session, (const unsigned char *)"0123456789abcdef", 16);
	ck_assert_int_eq(SSL_set_session(ssl, session), 1);
	for (int i = 0; i <= SMTPC_TLS_SESSIONS_MAX; i++) {
		snprintf(host, sizeof host, "h%d", i);
		smtpc_tls_keep(s, host, 1, ctx, ssl);
	}
	smtpc_tls_resume(s, "h0", 1, ctx, other);
	ck_assert_ptr_null(SSL_get_session(other));
	smtpc_tls_resume(s, "h1", 2, ctx, other);
	ck_assert_ptr_null(SSL_get_session(other));
	smtpc_tls_resume(s, "h1", 1, ctx, other);
	ck_assert_ptr_eq(SSL_get_session(other), session);
	smtpc_tls_forget(s, host, 1, ctx);
	SSL_set_session(other, NULL);
	smtpc_tls_resume(s, host, 1, ctx, other);
	ck_assert_ptr_null(SSL_get_session(other));
	SSL_SESSION_free(session);
	SSL_free(ssl);
	SSL_free(other);
	SSL_CTX_free(ctx);
	smtpc_tls_store_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpc");
	TCase *t = tcase_create("stages");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, stages, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_test(t, content);
	tcase_add_test(t, large);
	tcase_add_test(t, unreadable);
	tcase_add_test(t, refused_in_content);
	tcase_add_loop_test(t, parameters, 0, (int)(sizeof locals / sizeof locals[0]));
	tcase_add_test(t, bad_address_among_good);
	tcase_add_loop_test(t, timeouts, 0, 6);
	tcase_add_loop_test(t, tls, 0, (int)(sizeof tls_rows / sizeof tls_rows[0]));
	tcase_add_test(t, resumption);
	tcase_add_test(t, second_look);
	tcase_add_test(t, store_is_bounded);
	suite_add_tcase(s, t);
	return suite_run(s);
}
