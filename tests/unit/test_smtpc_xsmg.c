/*
 * XSMG beside the mails of the client: scripted servers over loopback and TLS. Whatever a server makes of the
 * question, the mail arrives, once.
 */
#include "gateway/smtp/smtpc_xsmg.h"

#include "gateway/smtp/smtpc_pool.h"
#include "tests/unit/smtpc_fixture.h"
#include "tests/unit/suite.h"

#define ASK "XSMG GET lab.example"
#define HELLO_TLS "> 220 hi", "< EHLO", ">>250-x\r\n250 STARTTLS\r\n", "< STARTTLS", "> 220 go", "t", "< EHLO"
#define OFFERS_PIPE HELLO_TLS, ">>250-x\r\n250-PIPELINING\r\n250 XSMG 1\r\n"
#define OFFERS_SLOW HELLO_TLS, ">>250-x\r\n250 XSMG 1\r\n"
#define ASKS "< XSMG GET lab.example"
/* What pipelines comes in one go, whatever is answered. */
#define GROUP ASKS, "< MAIL", "< RCPT", "< DATA"
#define MAIL_OK "> 250 x", "> 250 x", "> 354 x", ".", "> 250 2.0.0 in"
#define PLAIN_MAIL "< MAIL", "> 250 x", "< RCPT", "> 250 x", "< DATA", "> 354 x", ".", "> 250 2.0.0 in"

struct asked {
	struct smtpc_xsmg x;
	struct smtpc_put put;
	const char *lines; /* NULL: nothing to PUT */
	int seen, offered, got, over;
	int code, put_code; /* 0: no reply */
	size_t reply_lines, reply_octets;
};

static void on_seen(struct smtpc_xsmg *x, const struct smtpc *c, bool offered)
{
	struct asked *a = (struct asked *)x;

	ck_assert_ptr_nonnull(strstr(smtpc_remote(c), "mx.peer.test"));
	a->seen++;
	a->offered += offered;
}

static void on_over(struct smtpc_put *p, const struct smtpc *c, const struct smtpc_reply *r, const char *why)
{
	struct asked *a = (struct asked *)((char *)p - offsetof(struct asked, put));

	(void)c;
	ck_assert((r != NULL) != (why != NULL));
	a->over++;
	a->put_code = r ? r->code : 0;
}

static struct smtpc_put *on_got(
    struct smtpc_xsmg *x, const struct smtpc *c, const struct smtpc_reply *r, const char *why)
{
	struct asked *a = (struct asked *)x;

	(void)c;
	ck_assert((r != NULL) != (why != NULL));
	a->got++;
	a->code = r ? r->code : 0;
	a->reply_lines = r ? r->lines : 0;
	a->reply_octets = r ? r->text.len : 0;
	if (!a->lines || !r)
		return NULL;
	a->put = (struct smtpc_put){
	    .command = "XSMG PUT client.test 3", .lines = a->lines, .n = strlen(a->lines), .over = on_over};
	return &a->put;
}

static void ask(struct fixture_mail *m, struct asked *a, const char *lines)
{
	*a = (struct asked){.x = {.get = ASK, .seen = on_seen, .got = on_got}, .lines = lines};
	m->m.xsmg = &a->x;
}

static struct peer *start(const char *const *first, const char *const *second)
{
	struct peer *p = peer_new();

	p->scripts[p->nscripts++] = first;
	if (second)
		p->scripts[p->nscripts++] = second;
	p->parallel = true;
	return p;
}

struct xsmg_case {
	const char *name;
	const char *const *first, *const *second; /* scripts of two connections; second NULL: there is none */
	int seen, offered, got, code;
	bool broke;
	int64_t timeout;
};

static const char *const in_group[] = {OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, "w", NULL};
static const char *const one_by_one[] = {OFFERS_SLOW, ASKS, "> 250 2.0.0 current x", PLAIN_MAIL, "w", NULL};
static const char *const refused[] = {OFFERS_PIPE, GROUP, ">>550 5.1.2 not ours\r\n", MAIL_OK, "w", NULL};
static const char *const unknown[] = {
    OFFERS_PIPE, GROUP, ">>500-5.5.2 what\r\n500 5.5.2 now\r\n", MAIL_OK, "w", NULL};
static const char *const not_offered[] = {
    HELLO_TLS, ">>250-x\r\n250 PIPELINING\r\n", "< MAIL", "< RCPT", "< DATA", MAIL_OK, "w", NULL};
static const char *const other_version[] = {
    HELLO_TLS, ">>250-x\r\n250-PIPELINING\r\n250 XSMG 2 11\r\n", "< MAIL", "< RCPT", "< DATA", MAIL_OK, "w", NULL};
static const char *const in_clear[] = {"> 220 hi", "< EHLO", ">>250-x\r\n250-PIPELINING\r\n250 XSMG 1\r\n", "< MAIL",
    "< RCPT", "< DATA", MAIL_OK, "w", NULL};
static const char *const plain[] = {OFFERS_PIPE, "< MAIL", "< RCPT", "< DATA", MAIL_OK, "w", NULL};
static const char *const no_reply[] = {OFFERS_PIPE, GROUP, ">>hello\r\n", "w", NULL};
static const char *const closes[] = {OFFERS_PIPE, GROUP, "x", NULL};
static const char *const resets[] = {OFFERS_PIPE, GROUP, "r", NULL};
static const char *const going_away[] = {OFFERS_PIPE, GROUP, "> 421 4.3.2 bye", "x", NULL};
static const char *const endless_line[] = {OFFERS_PIPE, GROUP, ">>250-2.0.0 ", "s 10000", "w", NULL};
static const char *const other_codes[] = {OFFERS_PIPE, GROUP, ">>250-2.0.0 a\r\n550 5.0.0 b\r\n", "w", NULL};
static const char *const intermediate[] = {OFFERS_PIPE, GROUP, "> 354 go on", "w", NULL};
static const char *const silent[] = {OFFERS_PIPE, GROUP, "w", NULL};
static const char *const two_for_one[] = {OFFERS_SLOW, ASKS, ">>250 2.0.0 current x\r\n250 too early\r\n", "w", NULL};
static const char *const with_versions[] = {HELLO_TLS, ">>250-x\r\n250-PIPELINING\r\n250 XSMG 3 1\r\n", GROUP,
    ">>250 2.0.0 current x\r\n", MAIL_OK, "w", NULL};

static const struct xsmg_case cases[] = {
    {"in the group", in_group, NULL, 1, 1, 1, 250, false, 0},
    {"one by one", one_by_one, NULL, 1, 1, 1, 250, false, 0},
    {"among versions", with_versions, NULL, 1, 1, 1, 250, false, 0},
    {"refused", refused, NULL, 1, 1, 1, 550, false, 0},
    {"unknown command", unknown, NULL, 1, 1, 1, 500, false, 0},
    {"not offered", not_offered, NULL, 1, 0, 0, 0, false, 0},
    {"other versions", other_version, NULL, 1, 0, 0, 0, false, 0},
    {"in the clear", in_clear, NULL, 1, 0, 0, 0, false, 0},
    {"no reply code", no_reply, plain, 2, 2, 1, 0, true, 0},
    {"closes", closes, plain, 2, 2, 1, 0, true, 0},
    {"resets", resets, plain, 2, 2, 1, 0, true, 0},
    {"421", going_away, plain, 2, 2, 1, 0, true, 0},
    {"endless line", endless_line, plain, 2, 2, 1, 0, true, 0},
    {"different codes", other_codes, plain, 2, 2, 1, 0, true, 0},
    {"3yz", intermediate, plain, 2, 2, 1, 0, true, 0},
    {"silence", silent, plain, 2, 2, 1, 0, true, 300},
    /* the reply itself was good; what stands behind it is an answer before its question */
    {"two replies", two_for_one, NULL, 1, 1, 1, 250, false, 0},
};

START_TEST(mail_arrives)
{
	const struct xsmg_case *k = &cases[_i];
	bool lost = k->first == two_for_one;
	struct fixture f;
	struct fixture_mail m;
	struct asked a;
	struct peer *p = start(k->first, k->second);

	fixture_init(&f);
	f.dest.ctx = peer_tls_setup(p, "mx.peer.test", 30, false);
	f.dest.tls = SMTPC_TLS_MAY;
	if (k->timeout)
		f.set.xsmg_timeout = k->timeout;
	peer_start(p);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "hello\r\n");
	ask(&m, &a, NULL);
	fixture_send(&f, &m);
	ck_assert_msg(m.rcpts[0].ok == !lost, "%s: %s", k->name, m.rcpts[0].pr.text);
	ck_assert_str_eq(p->content, lost ? "" : "hello\r\n");
	ck_assert_int_eq(a.seen, k->seen);
	ck_assert_int_eq(a.offered, k->offered);
	ck_assert_int_eq(a.got, k->got);
	ck_assert_int_eq(a.code, k->code);
	ck_assert_int_eq(a.x.broke, k->broke);
	ck_assert_int_eq(a.x.asked, k->got > 0);
	ck_assert_int_eq(atomic_load(&p->accepted), k->second ? 2 : 1);
	ck_assert_int_eq(smtpc_pool_backoff(f.pool, "peer.test", NULL), 0);
	fixture_end(&f);
	SSL_CTX_free(f.dest.ctx);
	peer_end(p);
}
END_TEST

/* A statement of 64 KiB in lines of 64 characters, and what is more than that. */
START_TEST(long_replies)
{
	static const size_t lines[] = {1368, 1151, 2100, 101};
	static const size_t width[] = {64, 76, 4, 1300};
	bool fits = _i < 2;
	char *text = calloc(1, 300000), *at = text + 2;
	const char *good[20] = {OFFERS_PIPE, GROUP, text, MAIL_OK, "w", NULL};
	const char *bad[20] = {OFFERS_PIPE, GROUP, text, "w", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct asked a;
	struct peer *p = start(fits ? good : bad, fits ? NULL : plain);

	memcpy(text, ">>", 2);
	at += sprintf(at, "250-2.0.0 statement x 65536\r\n");
	for (size_t i = 0; i < lines[_i]; i++) {
		at += sprintf(at, "250-2.0.0 ");
		memset(at, 'A', width[_i]);
		at += width[_i];
		at += sprintf(at, "\r\n");
	}
	sprintf(at, "250 2.0.0 end\r\n");
	fixture_init(&f);
	f.dest.ctx = peer_tls_setup(p, "mx.peer.test", 30, false);
	f.dest.tls = SMTPC_TLS_MAY;
	f.set.reply_line = 2048;
	peer_start(p);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "hello\r\n");
	ask(&m, &a, NULL);
	fixture_send(&f, &m);
	ck_assert_msg(m.rcpts[0].ok, "%s", m.rcpts[0].pr.text);
	ck_assert_str_eq(p->content, "hello\r\n");
	ck_assert_int_eq(a.code, fits ? 250 : 0);
	ck_assert_uint_eq(a.reply_lines, fits ? lines[_i] + 2 : 0);
	ck_assert_int_eq(a.x.broke, !fits);
	fixture_end(&f);
	SSL_CTX_free(f.dest.ctx);
	peer_end(p);
	free(text);
}
END_TEST

/* Another reply may not be long, on the same connection. */
START_TEST(only_its_own_reply_is_long)
{
	static const char twelve[] = ">>250-x\r\n250-x\r\n250-x\r\n250-x\r\n250-x\r\n250-x\r\n250-x\r\n250-x\r\n"
				     "250-x\r\n250-x\r\n250-x\r\n250 x\r\n";
	static const char *const script[] = {OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", twelve, "w", NULL};
	struct fixture f;
	struct fixture_mail m;
	struct asked a;
	struct peer *p = start(script, NULL);

	fixture_init(&f);
	f.dest.ctx = peer_tls_setup(p, "mx.peer.test", 30, false);
	f.dest.tls = SMTPC_TLS_MAY;
	f.set.reply_lines = 10;
	peer_start(p);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "hello\r\n");
	ask(&m, &a, NULL);
	fixture_send(&f, &m);
	ck_assert(!m.rcpts[0].ok);
	ck_assert_int_eq(m.rcpts[0].pr.cls, PROBLEM_TEMP);
	ck_assert_int_eq(a.code, 250);
	ck_assert(!a.x.broke);
	fixture_end(&f);
	SSL_CTX_free(f.dest.ctx);
	peer_end(p);
}
END_TEST

/* ---- on a kept connection, and behind a refused mail ---- */

#define NEXT_GROUP ASKS, "< MAIL", "< RCPT", "< DATA"
static const char *const kept_closes[] = {OFFERS_PIPE, "< MAIL", "< RCPT", "< DATA", MAIL_OK, NEXT_GROUP, "x", NULL};
static const char *const rset_first[] = {OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", "> 250 x", "> 550 5.1.1 no",
    "> 554 5.5.1 none", "< RSET", NEXT_GROUP, "> 250 x", ">>250 2.0.0 current x\r\n", MAIL_OK, "w", NULL};

/* The other side may close a kept connection at any time: it says nothing about XSMG, which is asked on the next. */
START_TEST(stale_connection)
{
	struct fixture f;
	struct fixture_mail m, n;
	struct asked a;
	struct peer *p = start(kept_closes, in_group);

	fixture_init(&f);
	f.dest.ctx = peer_tls_setup(p, "mx.peer.test", 30, false);
	f.dest.tls = SMTPC_TLS_MAY;
	peer_start(p);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "1\r\n");
	fixture_send(&f, &m);
	fixture_mail(&n, 1, "2\r\n");
	ask(&n, &a, NULL);
	fixture_send(&f, &n);
	ck_assert_msg(n.rcpts[0].ok, "%s", n.rcpts[0].pr.text);
	ck_assert_str_eq(p->content, "1\r\n2\r\n");
	ck_assert_int_eq(a.code, 250);
	ck_assert_int_eq(a.got, 1);
	ck_assert(!a.x.broke);
	fixture_end(&f);
	SSL_CTX_free(f.dest.ctx);
	peer_end(p);
}
END_TEST

START_TEST(behind_rset)
{
	struct fixture f;
	struct fixture_mail m, n;
	struct asked a, b;
	struct peer *p = start(rset_first, NULL);

	fixture_init(&f);
	f.dest.ctx = peer_tls_setup(p, "mx.peer.test", 30, false);
	f.dest.tls = SMTPC_TLS_MAY;
	peer_start(p);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "1\r\n");
	ask(&m, &a, NULL);
	fixture_send(&f, &m);
	ck_assert_str_eq(m.rcpts[0].pr.enh, "5.1.1");
	fixture_mail(&n, 1, "2\r\n");
	ask(&n, &b, NULL);
	fixture_send(&f, &n);
	ck_assert_msg(n.rcpts[0].ok, "%s", n.rcpts[0].pr.text);
	ck_assert_str_eq(p->content, "2\r\n");
	ck_assert_int_eq(b.code, 250);
	fixture_end(&f);
	SSL_CTX_free(f.dest.ctx);
	peer_end(p);
}
END_TEST

/* ---- PUT ---- */

#define PUT "< XSMG PUT client.test 3"
static const char *const put_good[] = {OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, PUT, "> 354 send",
    ".", "> 250 2.0.0 received", "w", NULL};
static const char *const put_refused[] = {
    OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, PUT, "> 450 4.7.1 slow down", "< QUIT", "w", NULL};
static const char *const put_judged[] = {OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, PUT, "> 354 send",
    ".", "> 501 5.5.2 no base64", "< QUIT", "w", NULL};
static const char *const put_closes[] = {OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, PUT, "x", NULL};
static const char *const put_250[] = {
    OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, PUT, "> 250 2.0.0 fine", "w", NULL};
static const char *const put_421[] = {
    OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, PUT, "> 421 4.3.2 bye", "w", NULL};
static const char *const put_silent[] = {OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, PUT, "w", NULL};

static const char *const put_unread[] = {OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, "w", NULL};

static const struct {
	const char *const *script;
	int code;
	bool taken;	    /* its lines */
	size_t connections; /* left */
} puts_[] = {{put_good, 250, true, 1}, {put_refused, 450, false, 1}, {put_judged, 501, true, 1},
    {put_closes, 0, false, 0}, {put_250, 0, false, 0}, {put_421, 421, false, 0}, {put_silent, 0, false, 0}};

START_TEST(put_behind_mail)
{
	struct fixture f;
	struct fixture_mail m;
	struct asked a;
	struct peer *p = start(puts_[_i].script, NULL);

	fixture_init(&f);
	f.dest.ctx = peer_tls_setup(p, "mx.peer.test", 30, false);
	f.dest.tls = SMTPC_TLS_MAY;
	f.set.xsmg_timeout = puts_[_i].script == put_silent ? 300 : 10000;
	peer_start(p);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "hello\r\n");
	ask(&m, &a, "MAMA\r\n.\r\n");
	fixture_send(&f, &m);
	ck_assert_msg(m.rcpts[0].ok, "%s", m.rcpts[0].pr.text);
	for (int64_t end = loop_now_ms() + 10000; !a.over && loop_now_ms() < end;)
		loop_once(f.loop, 50);
	ck_assert_int_eq(a.over, 1);
	ck_assert_int_eq(a.put_code, puts_[_i].code);
	ck_assert_str_eq(p->content, puts_[_i].taken ? "hello\r\nMAMA\r\n" : "hello\r\n");
	for (int64_t end = loop_now_ms() + 10000;
	     smtpc_pool_connections(f.pool, NULL) != puts_[_i].connections && loop_now_ms() < end;)
		loop_once(f.loop, 50);
	ck_assert_uint_eq(smtpc_pool_connections(f.pool, NULL), puts_[_i].connections);
	ck_assert_int_eq(smtpc_pool_backoff(f.pool, "peer.test", NULL), 0);
	fixture_end(&f);
	SSL_CTX_free(f.dest.ctx);
	peer_end(p);
}
END_TEST

static const char *const two_then_put[] = {OFFERS_PIPE, GROUP, ">>250 2.0.0 current x\r\n", MAIL_OK, "< MAIL",
    "< RCPT", "< DATA", MAIL_OK, PUT, "> 354 send", ".", "> 250 2.0.0 received", "< QUIT", "w", NULL};

/* A mail that waits goes first; and what was to be handed over goes before QUIT. */
START_TEST(mail_before_put)
{
	struct fixture f;
	struct fixture_mail m, n;
	struct asked a;
	struct peer *p = start(two_then_put, NULL);

	fixture_init(&f);
	f.dest.ctx = peer_tls_setup(p, "mx.peer.test", 30, false);
	f.dest.tls = SMTPC_TLS_MAY;
	f.set.connections = f.set.first_connections = 1;
	f.set.messages = 2;
	peer_start(p);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "1\r\n");
	ask(&m, &a, "MAMA\r\n.\r\n");
	fixture_mail(&n, 1, "2\r\n");
	smtpc_pool_send(f.pool, &f.dest, &m.m);
	fixture_send(&f, &n);
	ck_assert(m.rcpts[0].ok && n.rcpts[0].ok);
	for (int64_t end = loop_now_ms() + 10000; smtpc_pool_connections(f.pool, NULL) > 0 && loop_now_ms() < end;)
		loop_once(f.loop, 50);
	ck_assert_uint_eq(smtpc_pool_connections(f.pool, NULL), 0);
	ck_assert_int_eq(a.put_code, 250);
	ck_assert_str_eq(p->content, "1\r\n2\r\nMAMA\r\n");
	fixture_end(&f);
	SSL_CTX_free(f.dest.ctx);
	peer_end(p);
}
END_TEST

/* The pool ends while it waits for its answer. */
START_TEST(end_during_put)
{
	struct fixture f;
	struct fixture_mail m;
	struct asked a;
	struct peer *p = start(put_unread, NULL);

	fixture_init(&f);
	f.dest.ctx = peer_tls_setup(p, "mx.peer.test", 30, false);
	f.dest.tls = SMTPC_TLS_MAY;
	peer_start(p);
	fixture_host(&f, "mx.peer.test", &p->addr);
	fixture_pool(&f);
	fixture_mail(&m, 1, "hello\r\n");
	ask(&m, &a, "MAMA\r\n.\r\n");
	fixture_send(&f, &m);
	fixture_end(&f);
	ck_assert_int_eq(a.over, 1);
	ck_assert_int_eq(a.put_code, 0);
	SSL_CTX_free(f.dest.ctx);
	peer_end(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpc_xsmg");
	TCase *t = tcase_create("smtpc_xsmg");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, mail_arrives, 0, sizeof cases / sizeof cases[0]);
	tcase_add_loop_test(t, long_replies, 0, 4);
	tcase_add_test(t, only_its_own_reply_is_long);
	tcase_add_test(t, stale_connection);
	tcase_add_test(t, behind_rset);
	tcase_add_loop_test(t, put_behind_mail, 0, sizeof puts_ / sizeof puts_[0]);
	tcase_add_test(t, mail_before_put);
	tcase_add_test(t, end_during_put);
	suite_add_tcase(s, t);
	return suite_run(s);
}
