/* Call-ahead against a scripted server: what each reply means, at each stage; no DATA ever; the connection is kept.
 */
#include "gateway/smtp/smtpc_probe.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/unit/smtpc_fixture.h"
#include "tests/unit/suite.h"

#define HELLO "> 220 hi", "< EHLO", "> 250 x"
#define PIPE "> 220 hi", "< EHLO", ">>250-x\r\n250 PIPELINING\r\n"
#define TO_RCPT HELLO, "< MAIL FROM:<>", "> 250 m", "< RCPT TO:<anna@hospital.example>"

static const struct {
	const char *steps[24];
	enum smtpc_probe_answer answer;
	const char *words;
} rows[] = {
    {{TO_RCPT, "> 250 2.1.5 fine", "< RSET", "> 250 r", "w"}, SMTPC_PROBE_TAKEN, "250 2.1.5 fine"},
    {{TO_RCPT, "> 251 will forward", "< RSET", "> 250 r", "w"}, SMTPC_PROBE_TAKEN, "251"},
    {{TO_RCPT, "> 252 who knows", "< RSET", "> 250 r", "w"}, SMTPC_PROBE_TAKEN, "252"},
    {{PIPE, "< MAIL FROM:<>", "< RCPT", "< RSET", ">>250 m\r\n250 ok\r\n250 r\r\n", "w"}, SMTPC_PROBE_TAKEN,
	"250 ok"},
    {{PIPE, "< MAIL FROM:<>", "< RCPT", "< RSET", ">>250 m\r\n550 5.1.1 no\r\n250 r\r\n", "w"}, SMTPC_PROBE_UNKNOWN,
	"550 5.1.1 no"},
    {{TO_RCPT, "> 250 fine", "< RSET", "x"}, SMTPC_PROBE_TAKEN, "250 fine"},
    {{TO_RCPT, "> 550 5.1.1 no such user", "w"}, SMTPC_PROBE_UNKNOWN, "550 5.1.1 no such user"},
    {{TO_RCPT, "> 550 5.1.10 RESOLVER.ADR.RecipientNotFound", "w"}, SMTPC_PROBE_UNKNOWN, "5.1.10"},
    {{TO_RCPT, "> 550 no such user", "w"}, SMTPC_PROBE_UNKNOWN, "550 no such user"},
    {{TO_RCPT, "> 551 user not local", "w"}, SMTPC_PROBE_UNKNOWN, "551"},
    {{TO_RCPT, "> 553 no", "w"}, SMTPC_PROBE_UNKNOWN, "553"},
    {{TO_RCPT, "> 550 5.0.0 no", "w"}, SMTPC_PROBE_UNKNOWN, "5.0.0"},
    {{TO_RCPT, "> 550 5.2.1 closed", "w"}, SMTPC_PROBE_UNKNOWN, "5.2.1"},
    {{TO_RCPT, "> 552 5.2.2 full", "w"}, SMTPC_PROBE_TEMP, "5.2.2"},
    {{TO_RCPT, "> 450 4.2.0 greylisted", "w"}, SMTPC_PROBE_TEMP, "greylisted"},
    {{TO_RCPT, "> 550 5.7.1 not you", "w"}, SMTPC_PROBE_REFUSED, "5.7.1 not you"},
    {{TO_RCPT, "> 554 relay access denied", "w"}, SMTPC_PROBE_REFUSED, "relay access"},
    {{TO_RCPT, "> 530 5.7.0 authenticate", "w"}, SMTPC_PROBE_REFUSED, "authenticate"},
    {{TO_RCPT, "> 550 5.1.8 sender", "w"}, SMTPC_PROBE_REFUSED, "5.1.8"},
    {{TO_RCPT, "> 503 5.5.1 sequence", "w"}, SMTPC_PROBE_REFUSED, "5.5.1"},
    {{HELLO, "< MAIL FROM:<>", "> 550 5.1.1 no null sender", "w"}, SMTPC_PROBE_REFUSED, "to MAIL"},
    {{PIPE, "< MAIL FROM:<>", "< RCPT", "< RSET", ">>550 5.1.1 no null\r\n503 5.5.1 x\r\n250 r\r\n", "w"},
	SMTPC_PROBE_REFUSED, "to MAIL"},
    {{HELLO, "< MAIL FROM:<>", "> 451 later", "w"}, SMTPC_PROBE_TEMP, "451 later"},
    {{"> 554 5.3.2 no service"}, SMTPC_PROBE_TEMP, "greeting"},
    {{"> 521 never"}, SMTPC_PROBE_REFUSED, "521"},
    {{TO_RCPT, "> 421 4.3.2 going", "x"}, SMTPC_PROBE_TEMP, "421"},
    {{TO_RCPT, "x"}, SMTPC_PROBE_TEMP, "lost"},
    {{"x"}, SMTPC_PROBE_TEMP, ""},
};

static int done;

static void on_done(void *ctx, struct smtpc_probe *p)
{
	ck_assert_ptr_eq(ctx, p);
	done++;
}

static void ask(struct fixture *f, struct smtpc_pool *pool, struct smtpc_probe *p, const char *address)
{
	int want = done + 1;
	int64_t end = loop_now_ms() + 20000;

	*p = (struct smtpc_probe){.done = on_done, .ctx = p};
	snprintf(p->address, sizeof(p->address), "%s", address);
	smtpc_probe_ask(pool, &f->dest, p);
	while (done < want && loop_now_ms() < end)
		loop_once(f->loop, 100);
	ck_assert_int_eq(done, want);
}

START_TEST(stages)
{
	struct fixture f;
	struct smtpc_probe p;
	struct smtpc_settings *own;
	struct peer *peer = peer_new();

	peer->scripts[0] = rows[_i].steps;
	peer->nscripts = 1;
	peer_start(peer);
	fixture_init(&f);
	f.set.attempts = 1;
	fixture_host(&f, "mx.peer.test", &peer->addr);
	f.pool = smtpc_probe_pool(f.loop, &f.set, "client.test", 2, 5000, 100, &own);
	ask(&f, f.pool, &p, "anna@hospital.example");
	ck_assert_msg(p.answer == rows[_i].answer, "%d: %d: %s", _i, p.answer, p.words);
	ck_assert_msg(strstr(p.words, rows[_i].words) != NULL, "%s", p.words);
	fixture_end(&f);
	ck_assert_int_eq(atomic_load(&peer->mails), 0);
	peer_end(peer);
	free(own);
}
END_TEST

/* One connection for all; RSET also behind a refusal. */
START_TEST(kept)
{
	static const char *const steps[] = {TO_RCPT, "> 250 x", "< RSET", "> 250 r", "< MAIL FROM:<>", "> 250 m",
	    "< RCPT TO:<joe@hospital.example>", "> 550 5.1.1 no", "< RSET", "> 250 r", "< MAIL FROM:<>", "> 250 m",
	    "< RCPT TO:<anna@hospital.example>", "> 250 x", "< RSET", "> 250 r", "< QUIT", "w", NULL};
	struct fixture f;
	struct smtpc_probe p;
	struct smtpc_settings *own;
	struct peer *peer = peer_new();

	peer->scripts[0] = steps;
	peer->nscripts = 1;
	peer_start(peer);
	fixture_init(&f);
	fixture_host(&f, "mx.peer.test", &peer->addr);
	f.pool = smtpc_probe_pool(f.loop, &f.set, "client.test", 2, 5000, 100, &own);
	ask(&f, f.pool, &p, "anna@hospital.example");
	ck_assert_int_eq(p.answer, SMTPC_PROBE_TAKEN);
	ask(&f, f.pool, &p, "joe@hospital.example");
	ck_assert_int_eq(p.answer, SMTPC_PROBE_UNKNOWN);
	ask(&f, f.pool, &p, "anna@hospital.example");
	ck_assert_int_eq(p.answer, SMTPC_PROBE_TAKEN);
	/* never sent: it cannot be written */
	ask(&f, f.pool, &p, "joe@hospital.example> SIZE=1");
	ck_assert_int_eq(p.answer, SMTPC_PROBE_UNKNOWN);
	ck_assert_int_eq(atomic_load(&peer->accepted), 1);
	fixture_end(&f);
	peer_end(peer);
	free(own);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpc_probe");
	TCase *t = tcase_create("probe");

	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(t, 40);
	tcase_add_loop_test(t, stages, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, kept);
	suite_add_tcase(s, t);
	return suite_run(s);
}
