/*
 * XSMG beside mail, as the relay does it: what is due is asked and remembered, one mail asks, the judge hears what
 * came of it, and no mail waits long. The test is the judge; the host is words.
 */
#include "gateway/proc/relay_xsmg_client.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certstore/judge_xsmg_proto.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_xsmg.h"
#include "gateway/smtp/smtpc_state.h"
#include "gateway/xsmg/xsmg_verb.h"
#include "tests/unit/suite.h"

#define THEIRS "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE"
#define NEWER "bbcdefghijklmnopqrstuvwxyz0123456789-_ABCDE"
#define OURS "cbcdefghijklmnopqrstuvwxyz0123456789-_ABCDE"

static const char conf_text[] =
    "hostname = \"gw.hospital.example\"\n"
    "listener \"in\" { address = \"127.0.0.1:2525\" side = inside networks = {\"127.0.0.1\"} }\n"
    "domain \"hospital.example\" { inside-server = \"127.0.0.1:26\" }\n";

static struct relay r;
static struct conf *conf;
static struct smtpc host;
static int judge; /* our end */
static struct buf store;
static struct arena *memory;
static uint8_t der[500];

static void on_identities(void *ctx)
{
	(void)ctx;
}

static void attach(void)
{
	int fds[2];

	ck_assert_int_eq(ipc_pair(fds), 0);
	judge = fds[1];
	relay_ask_channel(r.ask, fds[0]);
}

/* The next packet but the questions after identities; false: there is none. */
static bool packet(struct ipc_in *in)
{
	do {
		if (ipc_recv(judge, &store, in, 0) != 1)
			return false;
	} while (in->type == JUDGE_IDENTITIES);
	return true;
}

static void setup(void)
{
	struct problem pr;

	log_init("test", LOG_LEVEL_ERROR);
	ck_assert_msg(conf_parse("test", conf_text, strlen(conf_text), &conf, &pr) == 0, "%s", pr.text);
	buf_init(&store, IPC_PACKET_MAX);
	memory = arena_new(1 << 20);
	memset(&r, 0, sizeof r);
	r.loop = loop_new();
	r.conf = conf;
	r.top = conf_top(conf);
	r.ask = relay_ask_new(r.loop, on_identities, NULL);
	r.xsmg = relay_xsmg_new(&r);
	memset(&host, 0, sizeof host);
	snprintf(host.remote, sizeof host.remote, "mx.lab.example[192.0.2.1]:25");
	for (size_t i = 0; i < sizeof der; i++)
		der[i] = (uint8_t)(i * 5);
	attach();
}

static void teardown(void)
{
	relay_ask_free(r.ask);
	relay_xsmg_free(r.xsmg);
	if (judge >= 0)
		close(judge);
	buf_clear(&store);
	arena_free(memory);
	loop_free(r.loop);
	conf_free(conf);
}

static void on_ready(void *ctx)
{
	(*(int *)ctx)++;
}

/* Answers the question that must be there. */
static void answer(const char *ours, const struct judge_xsmg_duty *d)
{
	struct judge_xsmg_question q;
	struct ipc_in in;
	struct ipc_out o;

	ck_assert(packet(&in));
	ck_assert_int_eq(in.type, JUDGE_XSMG_DUE);
	ck_assert_int_eq(judge_xsmg_question_get(&in, &q), 0);
	ck_assert_str_eq(q.ours, ours);
	ck_assert_str_eq(q.partner, "lab.example");
	ipc_out_init(&o, JUDGE_XSMG_DUTY, in.id);
	judge_xsmg_duty_put(&o, d);
	ck_assert_int_eq(ipc_send(judge, &o, 1000), 0);
	ipc_out_clear(&o);
	loop_once(r.loop, 1000);
}

static const struct judge_xsmg_duty nothing = {.keep_s = 300};
static const struct judge_xsmg_duty get = {.expected = true, .get = true, .held = THEIRS, .keep_s = 300};
static const struct judge_xsmg_duty both = {
    .expected = true, .get = true, .put = true, .own = OURS, .der = {der, sizeof der}, .keep_s = 300};

/* A mail, with this duty asked for (NULL: it must be known). */
static struct relay_xsmg_mail *mail(const struct judge_xsmg_duty *d)
{
	struct relay_xsmg_mail *m = relay_xsmg_mail_new(&r, "a@hospital.example", "lab.example");
	int ready = 0;

	ck_assert_ptr_nonnull(m);
	relay_xsmg_mail_ready(m, on_ready, &ready);
	if (d) {
		ck_assert_int_eq(ready, 0);
		answer("hospital.example", d);
	}
	ck_assert_int_eq(ready, 1);
	return m;
}

static struct smtpc_put *reply(struct relay_xsmg_mail *m, int code, const char *text)
{
	struct smtpc_xsmg *x = relay_xsmg_mail_of(m);
	struct smtpc_reply p = {.code = code};
	struct smtpc_put *put;

	buf_init(&p.text, 200000);
	ck_assert_int_eq(buf_adds(&p.text, text), 0);
	put = x->got(x, &host, &p, NULL);
	buf_clear(&p.text);
	return put;
}

static void check_note(enum judge_xsmg_seen seen, const char *ours, const char *id)
{
	struct judge_xsmg_note n;
	struct ipc_in in;

	ck_assert(packet(&in));
	ck_assert_int_eq(in.type, JUDGE_XSMG_NOTE);
	ck_assert_int_eq(judge_xsmg_note_get(&in, &n), 0);
	ck_assert_int_eq(n.seen, seen);
	ck_assert_str_eq(n.ours, ours);
	ck_assert_str_eq(n.partner, "lab.example");
	ck_assert_str_eq(n.id, id);
	ck_assert_str_eq(n.remote, host.remote);
	ck_assert(!n.verified);
}

static void silence(void)
{
	struct ipc_in in;

	ck_assert(!packet(&in));
}

START_TEST(unchanged)
{
	struct relay_xsmg_mail *m = mail(&get);

	ck_assert_str_eq(relay_xsmg_mail_of(m)->get, "XSMG GET lab.example " THEIRS);
	ck_assert_ptr_null(reply(m, 250, "2.0.0 current " THEIRS));
	check_note(JUDGE_XSMG_CURRENT, "", THEIRS);
	relay_xsmg_mail_free(m);
	/* what comes next is the judge's to say, but within a minute nobody asks the partner again */
	m = mail(&get);
	ck_assert_ptr_null(relay_xsmg_mail_of(m)->get);
	relay_xsmg_mail_free(m);
	silence();
}
END_TEST

START_TEST(changed)
{
	struct relay_xsmg_mail *m = mail(&get);
	struct judge_statement_came c;
	struct buf lines, text;
	struct ipc_in in;

	buf_init(&lines, XSMG_VERB_REPLY_MAX);
	buf_init(&text, XSMG_VERB_REPLY_MAX);
	ck_assert_int_eq(xsmg_verb_statement(NEWER, der, sizeof der, &lines), 0);
	for (const char *p = buf_str(&lines), *end; (end = strstr(p, "\r\n")) != NULL; p = end + 2) {
		ck_assert_int_eq(buf_add(&text, p + 4, (size_t)(end - p) - 4), 0);
		if (end[2])
			ck_assert_int_eq(buf_addc(&text, '\n'), 0);
	}
	ck_assert_ptr_null(reply(m, 250, buf_str(&text)));
	ck_assert(packet(&in));
	ck_assert_int_eq(in.type, JUDGE_STATEMENT_CAME);
	ck_assert_int_eq(judge_statement_came_get(&in, memory, &c), 0);
	ck_assert_str_eq(c.domain, "lab.example");
	ck_assert_int_eq(c.how, JUDGE_STATEMENT_ANSWER);
	ck_assert(c.der.n == sizeof der && memcmp(c.der.p, der, sizeof der) == 0);
	relay_xsmg_mail_free(m);
	buf_clear(&lines);
	buf_clear(&text);
	silence();
}
END_TEST

/* _i: refused, later, nonsense, what nobody asked about, and no reply: the partner is left alone for a while. */
START_TEST(failed)
{
	static const int code[] = {550, 451, 250, 250, 0};
	static const char *const text[] = {
	    "5.1.2 none of ours", "4.3.0 later", "fine", ("2.0.0 current " NEWER), NULL};
	struct relay_xsmg_mail *m = mail(&both), *n;

	ck_assert_str_eq(relay_xsmg_mail_of(m)->get, "XSMG GET lab.example");
	if (code[_i])
		ck_assert_ptr_null(reply(m, code[_i], text[_i]));
	else
		ck_assert_ptr_null(relay_xsmg_mail_of(m)->got(relay_xsmg_mail_of(m), &host, NULL, "it hung up"));
	check_note(JUDGE_XSMG_FAILED, "", "");
	relay_xsmg_mail_free(m);
	n = mail(&both);
	ck_assert_ptr_null(relay_xsmg_mail_of(n)->get);
	relay_xsmg_mail_free(n);
	silence();
}
END_TEST

/* _i: taken, refused, never sent. */
START_TEST(handed_over)
{
	static const int code[] = {250, 552, 0};
	struct relay_xsmg_mail *m = mail(&both);
	struct smtpc_put *put;
	struct smtpc_reply p = {.code = code[_i]};
	struct xsmg_verb_body body;
	struct problem pr;
	struct buf got;

	buf_init(&p.text, 100);
	ck_assert_int_eq(buf_adds(&p.text, "x"), 0);
	ck_assert_str_eq(relay_xsmg_mail_of(m)->get, "XSMG GET lab.example");
	put = reply(m, 451, "4.3.0 later");
	ck_assert_ptr_null(put); /* only behind an answer */
	check_note(JUDGE_XSMG_FAILED, "", "");
	put = reply(m, 250, "2.0.0 statement " THEIRS " 3\n2.0.0 MAAB\n2.0.0 end");
	ck_assert_ptr_nonnull(put);
	relay_xsmg_mail_free(m); /* it outlives the mail */
	ck_assert_str_eq(put->command, "XSMG PUT hospital.example 500");
	xsmg_verb_body_init(&body, sizeof der);
	buf_init(&got, STATEMENT_MAX);
	for (const char *q = put->lines, *end;
	     (end = memmem(q, (size_t)((const char *)put->lines + put->n - q), "\r\n", 2)) != NULL; q = end + 2)
		if (xsmg_verb_body_line(&body, q, (size_t)(end - q), &pr) == 1)
			ck_assert_uint_eq((size_t)(end + 2 - (const char *)put->lines), put->n);
	ck_assert_int_eq(xsmg_verb_body_end(&body, &got, &pr), 0);
	ck_assert(got.len == sizeof der && memcmp(got.p, der, sizeof der) == 0);
	put->over(put, &host, code[_i] ? &p : NULL, code[_i] ? NULL : "it hung up");
	{
		struct ipc_in in;

		ck_assert(packet(&in));
		ck_assert_int_eq(in.type, JUDGE_STATEMENT_CAME);
	}
	check_note(code[_i] == 250 ? JUDGE_XSMG_TAKEN : JUDGE_XSMG_UNTAKEN, "hospital.example", OURS);
	xsmg_verb_body_clear(&body);
	buf_clear(&got);
	buf_clear(&p.text);
	silence();
}
END_TEST

/* One mail at a time asks; one that came to nothing leaves it to the next. */
START_TEST(one_asks)
{
	struct relay_xsmg_mail *a = mail(&get), *b = mail(NULL), *c;

	ck_assert_ptr_nonnull(relay_xsmg_mail_of(a)->get);
	ck_assert_ptr_null(relay_xsmg_mail_of(b)->get);
	relay_xsmg_mail_free(b);
	relay_xsmg_mail_free(a);
	c = mail(NULL);
	ck_assert_ptr_nonnull(relay_xsmg_mail_of(c)->get);
	relay_xsmg_mail_free(c);
	silence();
}
END_TEST

/* The judge is told once of what it does not expect, and of nothing else. */
START_TEST(seen)
{
	struct relay_xsmg_mail *m = mail(&nothing);
	struct smtpc_xsmg *x = relay_xsmg_mail_of(m);

	x->seen(x, &host, false);
	silence();
	x->seen(x, &host, true);
	check_note(JUDGE_XSMG_OFFERED, "", "");
	x->seen(x, &host, true);
	silence();
	relay_xsmg_mail_free(m);
	m = mail(NULL);
	x = relay_xsmg_mail_of(m);
	x->seen(x, &host, true);
	silence();
	relay_xsmg_mail_free(m);
}
END_TEST

START_TEST(downgrade)
{
	struct relay_xsmg_mail *m = mail(&get);
	struct smtpc_xsmg *x = relay_xsmg_mail_of(m);

	x->seen(x, &host, true);
	check_note(JUDGE_XSMG_OFFERED, "", "");
	x->seen(x, &host, true);
	silence();
	x->seen(x, &host, false);
	check_note(JUDGE_XSMG_MISSING, "", "");
	x->seen(x, &host, false);
	silence();
	relay_xsmg_mail_free(m);
}
END_TEST

/* A judge that is away, and one that is slow: mail goes on, and a late answer serves the next. */
START_TEST(slow_judge)
{
	struct relay_xsmg_mail *m = relay_xsmg_mail_new(&r, "a@hospital.example", "lab.example"), *n;
	int ready = 0;
	int64_t began = loop_now_ms();

	relay_xsmg_mail_ready(m, on_ready, &ready);
	while (!ready && loop_now_ms() - began < 10000)
		loop_once(r.loop, 10);
	ck_assert_int_eq(ready, 1);
	ck_assert_int_ge(loop_now_ms() - began, RELAY_XSMG_WAIT_MS - 1);
	ck_assert_ptr_null(relay_xsmg_mail_of(m)->get);
	answer("hospital.example", &get);
	ck_assert_int_eq(ready, 1);
	ck_assert_ptr_null(relay_xsmg_mail_of(m)->get);
	n = mail(NULL);
	ck_assert_ptr_nonnull(relay_xsmg_mail_of(n)->get);
	relay_xsmg_mail_free(n);
	relay_xsmg_mail_free(m);
}
END_TEST

START_TEST(no_judge)
{
	struct relay_xsmg_mail *m = relay_xsmg_mail_new(&r, "a@hospital.example", "lab.example");
	int ready = 0;

	close(judge);
	judge = -1;
	loop_once(r.loop, 1000);
	relay_xsmg_mail_ready(m, on_ready, &ready);
	ck_assert_int_eq(ready, 1);
	ck_assert_ptr_null(relay_xsmg_mail_of(m)->get);
	relay_xsmg_mail_free(m);
}
END_TEST

/* A change of the store: what is due is asked again. */
START_TEST(change)
{
	struct relay_xsmg_mail *m = mail(&nothing);
	struct ipc_out o;

	relay_xsmg_mail_free(m);
	relay_xsmg_mail_free(mail(NULL));
	ipc_out_init(&o, JUDGE_CHANGED, 0);
	judge_changed_put(&o, JUDGE_NOBODY);
	ck_assert_int_eq(ipc_send(judge, &o, 1000), 0);
	ipc_out_clear(&o);
	loop_once(r.loop, 1000);
	m = mail(&get);
	ck_assert_ptr_nonnull(relay_xsmg_mail_of(m)->get);
	relay_xsmg_mail_free(m);
}
END_TEST

/* Senders that are none of ours, and what is no domain. */
START_TEST(who)
{
	static const char *const senders[] = {"", "a@elsewhere.example"};
	int ready = 0;

	for (size_t i = 0; i < 2; i++) {
		struct relay_xsmg_mail *m = relay_xsmg_mail_new(&r, senders[i], "lab.example");

		relay_xsmg_mail_ready(m, on_ready, &ready);
		if (i == 0)
			answer("", &nothing);
		ck_assert_int_eq(ready, (int)i + 1);
		relay_xsmg_mail_free(m);
	}
	ck_assert_ptr_null(relay_xsmg_mail_new(&r, "a@hospital.example", "[192.0.2.1]"));
	ck_assert_ptr_null(relay_xsmg_mail_new(&r, "a@hospital.example", ""));
	silence();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_xsmg_client");
	TCase *t = tcase_create("relay_xsmg_client");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, unchanged);
	tcase_add_test(t, changed);
	tcase_add_loop_test(t, failed, 0, 5);
	tcase_add_loop_test(t, handed_over, 0, 3);
	tcase_add_test(t, one_asks);
	tcase_add_test(t, seen);
	tcase_add_test(t, downgrade);
	tcase_add_test(t, slow_judge);
	tcase_add_test(t, no_judge);
	tcase_add_test(t, change);
	tcase_add_test(t, who);
	suite_add_tcase(s, t);
	return suite_run(s);
}
