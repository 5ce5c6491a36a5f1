/* Extensions on the way out: what is said to a host that offers them, what to one that does not, and each recipient's
 * outcome: DSN, SMTPUTF8, 8BITMIME, CHUNKING, REQUIRETLS. Scripted servers over loopback. */
#include "gateway/smtp/smtpc_send.h"
#include "tests/unit/smtpc_fixture.h"
#include "tests/unit/suite.h"

#define MAX_STEPS 24
#define HELLO(words) "> 220 hi", "< EHLO", "> 250-peer.test", words
#define TAKEN "< DATA", "> 354 go", ".", "> 250 2.0.0 taken", "w"

enum content { SEVEN, EIGHT, LONG, BARE, NO_END };
static const char *const contents[] = {
    [SEVEN] = "Subject: s\r\n\r\nx\r\n",
    [EIGHT] = "Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	      "Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f"
	      "e\r\n",
    [BARE] = "a\nb\rc\r\r\n.\r\nd\r\n\n\r\r",
    [NO_END] = "no end",
};

struct want {
	enum problem_class cls;
	const char *enh, *text;
	bool dsn_lost;
};
struct row {
	const char *name;
	const char *steps[MAX_STEPS];
	struct envelope env;
	struct envelope_rcpt to[2];
	const char *addresses[2]; /* NULL: the usual ones */
	enum content content;
	bool eight; /* of the first recipient */
	size_t nrcpts;
	struct want want[2];
	const char *got; /* content that the server has then, or part of it */
};

static const struct row rows[] = {
    {"DSN passed on",
	{HELLO("> 250 DSN"), "< MAIL FROM:<from@client.test> RET=HDRS ENVID=Q+2B1", "> 250 ok",
	    "< RCPT TO:<r0@peer.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@peer.test", "> 250 ok",
	    "< RCPT TO:<r1@peer.test> NOTIFY=NEVER", "> 250 ok", TAKEN},
	{.ret = ENVELOPE_RET_HDRS, .envid = "Q+2B1"},
	{{ENVELOPE_NOTIFY_SUCCESS | ENVELOPE_NOTIFY_DELAY, "rfc822;x+2By@peer.test"}, {ENVELOPE_NOTIFY_NEVER, ""}},
	{0}, SEVEN, false, 2, {{PROBLEM_NONE, "", "taken", false}, {PROBLEM_NONE, "", "taken", false}}, NULL},
    {"RET=FULL and FAILURE",
	{HELLO("> 250 DSN"), "< MAIL FROM:<from@client.test> RET=FULL", "> 250 ok",
	    "< RCPT TO:<r0@peer.test> NOTIFY=FAILURE", "> 250 ok", TAKEN},
	{.ret = ENVELOPE_RET_FULL}, {{ENVELOPE_NOTIFY_FAILURE, NULL}}, {0}, SEVEN, false, 1,
	{{PROBLEM_NONE, "", "taken", false}}, NULL},
    {"no DSN there: nothing said, and told so",
	{HELLO("> 250 SIZE"), "< MAIL FROM:<from@client.test> SIZE=17", "> 250 ok", "< RCPT TO:<r0@peer.test>",
	    "> 250 ok", TAKEN},
	{.ret = ENVELOPE_RET_HDRS, .envid = "Q1"}, {{ENVELOPE_NOTIFY_SUCCESS, "rfc822;x@y"}}, {0}, SEVEN, false, 1,
	{{PROBLEM_NONE, "", "taken", true}}, NULL},
    {"values that would end the command are left out",
	{HELLO("> 250 DSN"), "< MAIL FROM:<from@client.test>", "> 250 ok", "< RCPT TO:<r0@peer.test>", "> 250 ok",
	    TAKEN},
	{.envid = "a b"}, {{0, "rfc822;a\r\nDATA"}}, {0}, SEVEN, false, 1, {{PROBLEM_NONE, "", "taken", false}},
	NULL},

    {"SMTPUTF8 address, offered",
	{HELLO("> 250-8BITMIME"), "> 250 SMTPUTF8", "< MAIL FROM:<from@client.test> SMTPUTF8", "> 250 ok",
	    "< RCPT TO:<gr\xc3\xbc\xc3\x9f"
	    "e@peer.test>",
	    "> 250 ok", TAKEN},
	{.utf8 = true}, {{0}},
	{"gr\xc3\xbc\xc3\x9f"
	 "e@peer.test"},
	SEVEN, false, 1, {{PROBLEM_NONE, "", "taken", true}}, NULL},
    {"SMTPUTF8 address, not offered: that recipient alone",
	{HELLO("> 250 8BITMIME"), "< MAIL FROM:<from@client.test>", "> 250 ok", "< RCPT TO:<r1@peer.test>",
	    "> 250 ok", TAKEN},
	{.utf8 = true}, {{0}}, {"\xc3\xbc@peer.test", "r1@peer.test"}, SEVEN, false, 2,
	{{PROBLEM_PERM, "5.6.7", "does not offer SMTPUTF8", false}, {PROBLEM_NONE, "", "taken", true}}, NULL},
    {"SMTPUTF8 content, not offered", {HELLO("> 250 8BITMIME"), "w"}, {.utf8 = true, .body8 = true}, {{0}}, {0},
	EIGHT, false, 1, {{PROBLEM_PERM, "5.6.7", "SMTPUTF8", false}}, NULL},
    {"SMTPUTF8 content, neither it nor 8BITMIME offered: no conversion mends it", {HELLO("> 250 SIZE"), "w"},
	{.utf8 = true, .body8 = true}, {{0}}, {0}, EIGHT, false, 1, {{PROBLEM_PERM, "5.6.7", "SMTPUTF8", false}},
	NULL},
    {"SMTPUTF8 said, but all is ASCII: not needed",
	{HELLO("> 250 8BITMIME"), "< MAIL FROM:<from@client.test>", "> 250 ok", "< RCPT", "> 250 ok", TAKEN},
	{.utf8 = true}, {{0}}, {0}, SEVEN, false, 1, {{PROBLEM_NONE, "", "taken", true}}, NULL},

    {"8-bit as it is",
	{HELLO("> 250 8BITMIME"), "< MAIL FROM:<from@client.test> BODY=8BITMIME", "> 250 ok", "< RCPT", "> 250 ok",
	    TAKEN},
	{.body8 = true}, {{0}}, {0}, EIGHT, false, 1, {{PROBLEM_NONE, "", "taken", true}}, "Gr\xc3\xbc"},
    {"no 8BITMIME: said so, for whoever can convert it", {HELLO("> 250 SIZE"), "w"}, {.body8 = true}, {{0}}, {0},
	EIGHT, true, 1, {{PROBLEM_PERM, "5.6.3", "8BITMIME", false}}, NULL},

    {"BDAT",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b",
	    "> 250 2.0.0 taken", "w"},
	{0}, {{0}}, {0}, SEVEN, false, 1, {{PROBLEM_NONE, "", "taken", true}}, "Subject: s\r\n\r\nx\r\n"},
    {"BDAT: bare CR and LF, lone dot",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b",
	    "> 250 taken", "w"},
	{0}, {{0}}, {0}, BARE, false, 1, {{PROBLEM_NONE, "", "taken", true}},
	"a\r\nb\r\nc\r\n\r\n.\r\nd\r\n\r\n\r\n\r\n"},
    {"BDAT: the last line is ended",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b",
	    "> 250 taken", "w"},
	{0}, {{0}}, {0}, NO_END, false, 1, {{PROBLEM_NONE, "", "taken", true}}, "no end\r\n"},
    {"BDAT: one recipient refused",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", "< RCPT",
	    ">>250 ok\r\n550 5.1.1 no\r\n250 ok\r\n", "b", "> 250 taken", "w"},
	{0}, {{0}}, {0}, SEVEN, false, 2, {{PROBLEM_PERM, "5.1.1", "no", false}, {PROBLEM_NONE, "", "taken", true}},
	NULL},
    {"BDAT: all refused, nothing sent",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n450 4.2.1 later\r\n", "w"},
	{0}, {{0}}, {0}, SEVEN, false, 1, {{PROBLEM_TEMP, "4.2.1", "later", false}}, NULL},
    {"BDAT: content refused",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b",
	    "> 554 5.7.1 spam", "w"},
	{0}, {{0}}, {0}, SEVEN, false, 1, {{PROBLEM_PERM, "5.7.1", "spam", false}}, NULL},
    {"BDAT: lost after the last chunk",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b", "x"}, {0},
	{{0}}, {0}, SEVEN, false, 1, {{PROBLEM_TEMP, "4.4.2", "duplicate", false}}, NULL},
    {"BDAT: in chunks",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b", "> 250 a",
	    "b", "b", "> 250 b", "b", "> 250 c", "> 250 taken", "w"},
	{0}, {{0}}, {0}, LONG, false, 1, {{PROBLEM_NONE, "", "taken", true}}, NULL},
    {"BDAT: a chunk refused",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b", "> 250 a",
	    "b", "> 552 5.3.4 too much", "w"},
	{0}, {{0}}, {0}, LONG, false, 1, {{PROBLEM_PERM, "5.3.4", "too much", false}}, NULL},
    {"BDAT: 354 is no answer",
	{HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b", "> 354 go",
	    "w"},
	{0}, {{0}}, {0}, LONG, false, 1, {{PROBLEM_TEMP, "", "intermediate", false}}, NULL},
    {"CHUNKING without PIPELINING: DATA",
	{HELLO("> 250 CHUNKING"), "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", TAKEN}, {0}, {{0}}, {0}, SEVEN, false,
	1, {{PROBLEM_NONE, "", "taken", true}}, NULL},

    {"REQUIRETLS to a host without: not even connected to", {"x"}, {.requiretls = true}, {{0}}, {0}, SEVEN, false, 1,
	{{PROBLEM_PERM, "5.7.30", "REQUIRETLS", false}}, NULL},
};

/* One of its CRLF stands across the end of the first 16 KiB, which is what is read at once. */
static char *long_content(void)
{
	size_t n = 145 * 1400;
	char *p = malloc(n + 1);

	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < n; i++)
		p[i] = i % 145 == 143 ? '\r' : i % 145 == 144 ? '\n' : (char)('a' + i % 26);
	p[n] = 0;
	return p;
}

static void judge(const struct row *r, const struct fixture_mail *m)
{
	for (size_t i = 0; i < r->nrcpts; i++) {
		const struct smtpc_rcpt *to = &m->rcpts[i];
		const struct want *w = &r->want[i];

		ck_assert_msg(to->ok == (w->cls == PROBLEM_NONE) && (to->ok || to->pr.cls == w->cls), "%s, %zu: %s",
		    r->name, i, to->pr.text);
		ck_assert_msg(to->dsn_lost == w->dsn_lost, "%s, %zu: dsn_lost", r->name, i);
		if (to->ok) {
			ck_assert_ptr_nonnull(strstr(to->reply, w->text));
			continue;
		}
		ck_assert_msg(
		    !w->enh[0] || strcmp(to->pr.enh, w->enh) == 0, "%s: %s %s", r->name, to->pr.enh, to->pr.text);
		ck_assert_msg(strstr(to->pr.text, w->text), "%s: %s", r->name, to->pr.text);
	}
}

START_TEST(row)
{
	const struct row *r = &rows[_i];
	char *big = long_content();
	struct peer *p = peer_new();
	struct fixture f;
	struct fixture_mail m;

	p->scripts[0] = r->steps;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &p->addr);
	f.set.attempts = 1;
	fixture_pool(&f);
	fixture_mail(&m, r->nrcpts, r->content == LONG ? big : contents[r->content]);
	m.m.env = r->env;
	for (size_t i = 0; i < r->nrcpts; i++) {
		m.rcpts[i].env = r->to[i];
		if (r->addresses[i])
			m.rcpts[i].address = r->addresses[i];
	}
	fixture_send(&f, &m);
	judge(r, &m);
	ck_assert_msg(m.rcpts[0].eight == r->eight, "%s", r->name);
	if (r->env.requiretls) {
		ck_assert_int_eq(atomic_load(&p->accepted), 0);
		ck_assert_int_eq(smtpc_pool_backoff(f.pool, "peer.test", NULL), 0);
	}
	fixture_end(&f);
	if (r->got)
		ck_assert_msg(strstr(p->content, r->got), "%s: %s", r->name, p->content);
	if (r->content == LONG && m.rcpts[0].ok)
		ck_assert_str_eq(p->content, big);
	peer_end(p);
	free(big);
}
END_TEST

/* ---- content behind RCPT, over a connection where a mail was taken (the peer says nothing before it has it) ---- */

#define FIRST                                                                                                        \
	HELLO("> 250-PIPELINING"), "> 250 CHUNKING", "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b", "> 250 taken"
#define EARLY(replies) FIRST, "< MAIL", "< RCPT", "b", replies

static const struct {
	const char *steps[24];
	struct want want;
} early_rows[] = {
    {{EARLY(">>250 ok\r\n250 ok\r\n250 second taken\r\n"), "w"}, {PROBLEM_NONE, "", "second taken", true}},
    {{EARLY(">>250 ok\r\n"), "> 250 ok", "> 250 second taken", "w"}, {PROBLEM_NONE, "", "second taken", true}},
    {{EARLY(">>250 ok\r\n550 5.1.1 no\r\n503 5.5.1 nobody\r\n"), "w"}, {PROBLEM_PERM, "5.1.1", "no", false}},
    {{EARLY(">>250 ok\r\n450 4.2.1 later\r\n250 taken for nobody\r\n"), "w"},
	{PROBLEM_TEMP, "4.2.1", "later", false}},
    {{EARLY(">>550 5.7.1 not you\r\n503 no\r\n503 no\r\n"), "w"}, {PROBLEM_PERM, "5.7.1", "not you", false}},
    {{EARLY(">>250 ok\r\n250 ok\r\n554 5.7.1 spam\r\n"), "w"}, {PROBLEM_PERM, "5.7.1", "spam", false}},
    {{EARLY(">>250 ok\r\n250 ok\r\n"), "x"}, {PROBLEM_TEMP, "4.4.2", "duplicate", false}},
    {{EARLY(">>250 ok\r\n250 ok\r\n354 go\r\n"), "w"}, {PROBLEM_TEMP, "", "intermediate", false}},
    {{EARLY(">>250 ok\r\n250 ok\r\n250 taken it\r\n250 one too many\r\n"), "w"},
	{PROBLEM_NONE, "", "taken it", true}},
};

/* A peer with this script, and a pool that has one connection to it. */
static struct peer *one_line(struct fixture *f, const char *const *steps)
{
	struct peer *p = peer_new();

	p->scripts[0] = steps;
	p->nscripts = 1;
	peer_start(p);
	fixture_init(f);
	fixture_host(f, "mx.peer.test", &p->addr);
	f->set.attempts = 1;
	f->set.connections = 1;
	fixture_pool(f);
	return p;
}

START_TEST(early)
{
	struct fixture f;
	struct peer *p = one_line(&f, early_rows[_i].steps);
	struct fixture_mail a, b;
	struct row r = {.name = "early", .nrcpts = 1, .want = {early_rows[_i].want}};

	fixture_mail(&a, 1, "Subject: s\r\n\r\nx\r\n");
	fixture_send(&f, &a);
	ck_assert_msg(a.rcpts[0].ok, "%s", a.rcpts[0].pr.text);
	fixture_mail(&b, 1, "Subject: second\r\n\r\ny\r\n");
	b.m.early = true;
	fixture_send(&f, &b);
	judge(&r, &b);
	fixture_end(&f);
	ck_assert_ptr_nonnull(strstr(p->content, "second"));
	peer_end(p);
}
END_TEST

static int unreadable(struct reader *r, uint64_t off, void *p, size_t n, size_t *got, struct problem *pr)
{
	(void)r;
	(void)off;
	(void)p;
	(void)n;
	*got = 0;
	return problem_temp(pr, "the disk does not give it");
}

/* Content that cannot be read is not early: RCPT is answered first, and then the connection ends without a chunk. */
START_TEST(early_unreadable)
{
	static const char *const steps[] = {FIRST, "< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "w", NULL};
	struct fixture f;
	struct peer *p = one_line(&f, steps);
	struct fixture_mail a, b;
	struct reader bad;

	fixture_mail(&a, 1, "x\r\n");
	fixture_send(&f, &a);
	fixture_mail(&b, 1, "x\r\n");
	bad = *b.m.content;
	bad.read_at = unreadable;
	b.m.content = &bad;
	b.m.early = true;
	fixture_send(&f, &b);
	ck_assert(!b.rcpts[0].ok);
	ck_assert_int_eq(b.rcpts[0].pr.cls, PROBLEM_TEMP);
	ck_assert_ptr_nonnull(strstr(b.rcpts[0].pr.text, "does not give it"));
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* What a chunk has room for goes early; not content that grows beyond it, line ends being mended: then RCPT is
 * answered first, and nobody being there, nothing of it is sent. */
START_TEST(early_size)
{
	static const char *const fits[] = {EARLY(">>250 ok\r\n250 ok\r\n250 second taken\r\n"), "w", NULL};
	static const char *const grows[] = {FIRST, "< MAIL", "< RCPT", ">>250 ok\r\n550 5.1.1 no\r\n", "w", NULL};
	static char big[60 * 1024 + 1];
	struct fixture f;
	struct peer *p = one_line(&f, _i ? grows : fits);
	struct fixture_mail a, b;

	for (size_t i = 0; i < sizeof big - 1; i += 8)
		memcpy(big + i, _i ? "abcdef\n\n" : "abcdef\r\n", 8);
	fixture_mail(&a, 1, "x\r\n");
	fixture_send(&f, &a);
	fixture_mail(&b, 1, big);
	b.m.early = true;
	fixture_send(&f, &b);
	ck_assert_msg(b.rcpts[0].ok == (_i == 0), "%s", b.rcpts[0].pr.text);
	fixture_end(&f);
	ck_assert_str_eq(p->error, "");
	if (_i == 0)
		ck_assert_str_eq(p->content + strlen("x\r\n"), big);
	else
		ck_assert_str_eq(p->content, "x\r\n");
	peer_end(p);
}
END_TEST

/* ---- line ends, wherever they stand: much is taken in one piece where all are whole ---- */

enum { ENDS = 200 };

/* Lines of eleven octets and CRLF, one of which stands across octet 64; one octet is another. */
static void with_one(char text[ENDS + 1], size_t at, char octet)
{
	for (size_t i = 0; i < ENDS; i++)
		text[i] = i % 13 == 11 ? '\r' : i % 13 == 12 ? '\n' : 'x';
	text[at] = octet;
	text[ENDS] = 0;
}

/* Octet by octet: what CR and LF alone become, and the end of the last line. */
static void mended(const char *from, char to[2 * ENDS + 3])
{
	size_t n = 0;

	for (; *from; from++) {
		bool cr = n && to[n - 1] == '\r';

		if ((*from == '\n') != cr)
			to[n++] = cr ? '\n' : '\r';
		to[n++] = *from;
	}
	if (to[n - 1] == '\r')
		to[n++] = '\n';
	to[n] = 0;
	if (to[n - 1] != '\n')
		snprintf(to + n, 3, "\r\n");
}

START_TEST(line_ends)
{
	static const char octets[] = {'\r', '\n', 'y'};
	static const char *const hello[] = {HELLO("> 250-PIPELINING"), "> 250 CHUNKING"};
	static const char *const each[] = {"< MAIL", "< RCPT", ">>250 ok\r\n250 ok\r\n", "b", "> 250 taken"};
	const char *steps[5 + 5 * ENDS + 2];
	char text[ENDS + 1], want[2 * ENDS + 3];
	size_t n = 0;

	for (size_t i = 0; i < sizeof hello / sizeof hello[0]; i++)
		steps[n++] = hello[i];
	for (size_t i = 0; i < 5 * ENDS; i++)
		steps[n++] = each[i % 5];
	steps[n++] = "w";
	steps[n] = NULL;

	struct fixture f;
	struct peer *p = one_line(&f, steps);

	f.set.messages = ENDS;
	for (size_t at = 0; at < ENDS; at++) {
		struct fixture_mail m;
		size_t before = p->content_len;

		with_one(text, at, octets[_i]);
		mended(text, want);
		fixture_mail(&m, 1, text);
		fixture_send(&f, &m);
		ck_assert_msg(m.rcpts[0].ok, "%zu: %s", at, m.rcpts[0].pr.text);
		ck_assert_str_eq(p->content + before, want);
	}
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* Who has it is not sent to again. */
START_TEST(results_stay)
{
	static const char *const steps[] = {
	    HELLO("> 250 SIZE"), "< MAIL", "> 250 ok", "< RCPT TO:<r1@peer.test>", "> 250 ok", TAKEN, NULL};
	struct fixture f;
	struct peer *p = one_line(&f, steps);
	struct fixture_mail m;

	fixture_mail(&m, 3, "x\r\n");
	m.rcpts[0].ok = m.rcpts[0].dsn_lost = true;
	problem_set(&m.rcpts[2].pr, PROBLEM_PERM, 550, "5.1.1", NULL, "nobody of that name");
	fixture_send(&f, &m);
	ck_assert(m.rcpts[0].ok && m.rcpts[0].dsn_lost && m.rcpts[1].ok && !m.rcpts[2].ok);
	ck_assert_str_eq(m.rcpts[2].pr.text, "nobody of that name");
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* After a transaction of nobody the next one begins with RSET. */
START_TEST(early_reset)
{
	static const char *const steps[] = {EARLY(">>250 ok\r\n550 5.1.1 no\r\n503 5.5.1 nobody\r\n"), "< RSET",
	    "< MAIL", "< RCPT", "b", ">>250 ok\r\n250 ok\r\n250 ok\r\n250 third taken\r\n", "w", NULL};
	struct fixture f;
	struct peer *p = one_line(&f, steps);
	struct fixture_mail m[3];

	for (int i = 0; i < 3; i++) {
		fixture_mail(&m[i], 1, "Subject: s\r\n\r\nx\r\n");
		m[i].m.early = true;
		fixture_send(&f, &m[i]);
		ck_assert_msg(m[i].rcpts[0].ok == (i != 1), "%d: %s", i, m[i].rcpts[0].pr.text);
	}
	fixture_end(&f);
	peer_end(p);
}
END_TEST

/* ---- REQUIRETLS over TLS ---- */

static const char *const offers[] = {"> 220 hi", "< EHLO", "> 250-peer.test", "> 250 STARTTLS", "< STARTTLS",
    "> 220 go", "t", "< EHLO", "> 250-peer.test", "> 250 REQUIRETLS", "< MAIL FROM:<from@client.test> REQUIRETLS",
    "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", ".", "> 250 taken", "w", NULL};
static const char *const lacks[] = {"> 220 hi", "< EHLO", "> 250-peer.test", "> 250 STARTTLS", "< STARTTLS",
    "> 220 go", "t", "< EHLO", "> 250 peer.test", "< QUIT", "> 221 bye", "w", NULL};

/* 0: offered; 1: not offered; 2: not by the first host, but by the second; 3: a name that anybody may have forged. */
START_TEST(requiretls)
{
	struct peer *a = peer_new(), *b = peer_new();
	SSL_CTX *ca = peer_tls_setup(a, "mx.peer.test", 1, true), *cb = peer_tls_setup(b, "mx2.peer.test", 1, true);
	bool ok = _i == 0 || _i == 2;
	struct fixture f;
	struct fixture_mail m;

	a->scripts[0] = _i == 0 ? offers : lacks;
	b->scripts[0] = offers;
	a->nscripts = b->nscripts = 1;
	peer_start(a);
	peer_start(b);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &a->addr);
	if (_i == 2)
		fixture_host(&f, "mx2.peer.test", &b->addr);
	for (size_t i = 0; i < f.dest.nhosts; i++) {
		f.hosts[i].own_tls = true;
		f.hosts[i].tls = SMTPC_TLS_VERIFY;
		f.hosts[i].ctx = i ? cb : ca;
		f.hosts[i].name_sure = _i != 3;
	}
	fixture_pool(&f);
	fixture_mail(&m, 1, "x\r\n");
	m.m.env.requiretls = true;
	fixture_send(&f, &m);
	ck_assert_msg(m.rcpts[0].ok == ok, "%s", m.rcpts[0].pr.text);
	if (!ok) {
		ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_PERM);
		ck_assert_str_eq(m.rcpts[0].pr.enh, "5.7.30");
		ck_assert_int_eq(smtpc_pool_backoff(f.pool, "peer.test", NULL), 0);
	}
	ck_assert_int_eq(atomic_load(&a->accepted), _i != 3);
	fixture_end(&f);
	SSL_CTX_free(ca);
	SSL_CTX_free(cb);
	peer_end(a);
	peer_end(b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpc_send");
	TCase *t = tcase_create("smtpc_send");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, row, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_loop_test(t, early, 0, (int)(sizeof early_rows / sizeof early_rows[0]));
	tcase_add_test(t, early_unreadable);
	tcase_add_loop_test(t, early_size, 0, 2);
	tcase_add_loop_test(t, line_ends, 0, 3);
	tcase_add_test(t, results_stay);
	tcase_add_test(t, early_reset);
	tcase_add_loop_test(t, requiretls, 0, 4);
	suite_add_tcase(s, t);
	return suite_run(s);
}
