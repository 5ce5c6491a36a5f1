/*
 * The application behind an SMTP server session under test: decides by the local part of an address, answers at once,
 * soon or later, and checks that the session keeps the contract of smtpd.h (one answer awaited at a time, one reset
 * for each mail, nothing after closed). For tests only. sender:    begun@ the message is never answered and cannot be
 * given up any more,    refuse@ 550, wait@ is never answered, endtemp@ the
 * message is answered 451, endnever@ it is never answered, nodata@ DATA is answered 451, full@ the content is refused
 *   recipient: no@ 550, later@ 451, wait@ is never answered
 *   XSMG: "GET no" 550, "GET later" 451, "GET wait" is never answered, "GET long" is answered with 100 KiB, "PUT
 * no" 552, "PUT late" is never answered at its end; a line "bad" makes the end 501, "stop" ends the session
 */
#ifndef POSTERN_TESTS_SMTPD_APP_H
#define POSTERN_TESTS_SMTPD_APP_H

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/smtp/smtpd.h"

enum app_when { APP_AT_ONCE, APP_SOON, APP_LATER, APP_WHENS };
enum app_ask { APP_NOTHING, APP_MAIL, APP_RCPT, APP_DATA, APP_END, APP_XSMG, APP_XSMG_END };

struct app {
	enum app_when when;
	bool refuse_connection;
	bool behind_balancer;
	struct smtpd_client *client; /* whose rates count */
	struct loop_timer *timer;
	struct smtpd *s;
	enum app_ask asked;
	bool in_mail, in_data, ended;
	struct problem answer;	/* cls NONE: yes */
	struct smtpd_mail mail; /* env.envid points into envid */
	char envid[ENVELOPE_ENVID_MAX + 1];
	struct address rcpt; /* the last recipient */
	unsigned notify;
	char orcpt[ENVELOPE_ORCPT_MAX + 1];
	int connects, mails, rcpts, rcpts_ok, datas, ends, lates, resets, closes, accepted;
	bool in_xsmg, in_lines, line_bad;
	char xsmg_arg[200];
	int xsmgs, xsmg_overs, xsmg_odd;
	struct buf lines;   /* of XSMG PUT, with LF */
	struct buf content; /* of the message under way, then of the last one */
};

static inline void app_xsmg_answer(struct app *a, const struct problem *pr)
{
	static const char good[] = "250 2.0.0 current x\r\n", line[] = "250-2.0.0 AAAA\r\n";
	struct buf b;

	if (pr || strcmp(a->xsmg_arg, "GET long") != 0) {
		smtpd_xsmg_done(a->s, pr, good, sizeof good - 1);
		return;
	}
	buf_init(&b, 200000);
	while (b.len < 100000)
		REQUIRE(buf_adds(&b, line) == 0);
	REQUIRE(buf_adds(&b, good) == 0);
	smtpd_xsmg_done(a->s, NULL, b.p, b.len);
	buf_clear(&b);
}

static inline void app_answer(void *ctx)
{
	struct app *a = ctx;
	enum app_ask asked = a->asked;
	const struct problem *pr = a->answer.cls == PROBLEM_NONE ? NULL : &a->answer;

	a->asked = APP_NOTHING;
	REQUIRE(asked != APP_NOTHING);
	if (asked == APP_MAIL)
		smtpd_mail_done(a->s, pr);
	if (asked == APP_RCPT) {
		a->rcpts_ok += !pr;
		smtpd_rcpt_done(a->s, pr);
	}
	if (asked == APP_DATA) {
		a->in_data = !pr;
		smtpd_data_done(a->s, pr);
	}
	if (asked == APP_XSMG && !pr && strncasecmp(a->xsmg_arg, "PUT", 3) == 0) {
		a->in_lines = true;
		smtpd_xsmg_send(a->s, "354 send statement\r\n", 20);
	} else if (asked == APP_XSMG || asked == APP_XSMG_END) {
		a->in_lines = false;
		app_xsmg_answer(a, pr);
	}
	if (asked == APP_END) {
		a->ended = true;
		a->accepted += !pr;
		smtpd_end_done(a->s, pr, "queued");
	}
}

static inline void app_ask(struct app *a, struct smtpd *s, enum app_ask asked, bool never)
{
	REQUIRE(a->asked == APP_NOTHING && a->closes == 0 && s == a->s && !a->ended);
	a->asked = asked;
	if (never)
		return;
	if (a->when == APP_AT_ONCE)
		app_answer(a);
	else
		loop_timer_set(a->timer, a->when == APP_SOON ? 0 : 1);
}

static inline bool app_proxied(void *app, struct smtpd *s)
{
	const struct app *a = app;

	REQUIRE(a->connects == 0 && strcmp(smtpd_client(s), "unix") == 0);
	return a->behind_balancer;
}

static inline int app_connected(void *app, struct smtpd *s, struct problem *pr)
{
	struct app *a = app;

	smtpd_set_client(s, a->client);

	a->s = s;
	a->connects++;
	return a->refuse_connection ? problem_policy(pr, "No sessions for you.") : 0;
}

static inline void app_mail(void *app, struct smtpd *s, const struct smtpd_mail *m)
{
	struct app *a = app;

	REQUIRE(!a->in_mail && a->mails == a->resets);
	a->mails++;
	a->in_mail = true;
	a->ended = false;
	a->mail = *m;
	snprintf(a->envid, sizeof a->envid, "%s", m->env.envid ? m->env.envid : "");
	a->mail.env.envid = a->envid;
	a->answer.cls = PROBLEM_NONE;
	if (strcmp(m->sender.local, "refuse") == 0)
		problem_policy(&a->answer, "The sender is not wanted.");
	app_ask(a, s, APP_MAIL, strcmp(m->sender.local, "wait") == 0);
}

static inline void app_rcpt(void *app, struct smtpd *s, const struct address *r, const struct envelope_rcpt *env)
{
	struct app *a = app;

	a->rcpt = *r;
	a->notify = env->notify;
	snprintf(a->orcpt, sizeof a->orcpt, "%s", env->orcpt ? env->orcpt : "");

	REQUIRE(a->in_mail && !a->in_data);
	a->rcpts++;
	a->answer.cls = PROBLEM_NONE;
	if (strcmp(r->local, "no") == 0)
		problem_set(&a->answer, PROBLEM_PERM, 550, "5.1.1", "", "No such recipient.");
	if (strcmp(r->local, "later") == 0)
		problem_set(&a->answer, PROBLEM_TEMP, 451, "4.7.1", "", "Try again.");
	app_ask(a, s, APP_RCPT, strcmp(r->local, "wait") == 0);
}

static inline void app_data(void *app, struct smtpd *s)
{
	struct app *a = app;

	REQUIRE(a->in_mail && !a->in_data && a->rcpts_ok > 0);
	a->datas++;
	buf_reset(&a->content);
	a->answer.cls = PROBLEM_NONE;
	if (strcmp(a->mail.sender.local, "nodata") == 0)
		problem_temp(&a->answer, "Not now.");
	app_ask(a, s, APP_DATA, false);
}

static inline int app_content(void *app, struct smtpd *s, const void *p, size_t n, struct problem *pr)
{
	struct app *a = app;

	REQUIRE(a->in_data && s == a->s && n > 0 && a->asked == APP_NOTHING);
	if (strcmp(a->mail.sender.local, "full") == 0) {
		a->in_data = false; /* nothing more may come */
		return problem_set(pr, PROBLEM_TEMP, 452, "4.3.1", "", "The disk is full.");
	}
	REQUIRE(buf_add(&a->content, p, n) == 0);
	return 0;
}

/* Whole lines and no bare CR or LF, however it came. */
static inline void app_check_lines(const struct buf *b)
{
	REQUIRE(b->len == 0 || b->p[b->len - 1] == '\n');
	for (size_t i = 0; i < b->len; i++) {
		REQUIRE(b->p[i] != '\n' || (i > 0 && b->p[i - 1] == '\r'));
		REQUIRE(b->p[i] != '\r' || (i + 1 < b->len && b->p[i + 1] == '\n'));
	}
}

static inline void app_end(void *app, struct smtpd *s)
{
	struct app *a = app;

	REQUIRE(a->in_data);
	app_check_lines(&a->content);
	a->ends++;
	a->answer.cls = PROBLEM_NONE;
	if (strcmp(a->mail.sender.local, "endtemp") == 0)
		problem_temp(&a->answer, "Not this time.");
	app_ask(a, s, APP_END,
	    strcmp(a->mail.sender.local, "endnever") == 0 || strcmp(a->mail.sender.local, "begun") == 0);
}

static inline bool app_late(void *app, struct smtpd *s)
{
	struct app *a = app;

	REQUIRE(s == a->s && a->asked == APP_END);
	a->lates++;
	return strcmp(a->mail.sender.local, "begun") != 0;
}

static inline void app_reset(void *app, struct smtpd *s)
{
	struct app *a = app;

	REQUIRE(a->in_mail && s == a->s);
	a->resets++;
	a->asked = APP_NOTHING;
	a->in_mail = a->in_data = a->ended = false;
	a->rcpts_ok = 0;
	loop_timer_off(a->timer);
}

static inline void app_xsmg(void *app, struct smtpd *s, const char *arg, size_t n)
{
	struct app *a = app;

	REQUIRE(!a->in_mail && !a->in_xsmg && a->xsmgs == a->xsmg_overs);
	a->xsmgs++;
	a->in_xsmg = true;
	a->line_bad = false;
	buf_reset(&a->lines);
	snprintf(a->xsmg_arg, sizeof a->xsmg_arg, "%.*s", (int)n, arg);
	a->answer.cls = PROBLEM_NONE;
	if (strcmp(a->xsmg_arg, "GET no") == 0)
		problem_set(&a->answer, PROBLEM_PERM, 550, "5.1.2", "", "Not ours.");
	if (strcmp(a->xsmg_arg, "GET later") == 0)
		problem_set(&a->answer, PROBLEM_TEMP, 451, "4.3.0", "", "Not now.");
	if (strcasecmp(a->xsmg_arg, "PUT no") == 0)
		problem_set(&a->answer, PROBLEM_PERM, 552, "5.3.4", "", "Too large.");
	app_ask(a, s, APP_XSMG, strcmp(a->xsmg_arg, "GET wait") == 0);
}

static inline int app_xsmg_line(void *app, struct smtpd *s, const char *p, size_t n, struct problem *pr)
{
	struct app *a = app;

	REQUIRE(a->in_xsmg && a->in_lines && s == a->s && a->asked == APP_NOTHING);
	if (!p) {
		REQUIRE(n == 0);
		a->xsmg_odd++;
		a->line_bad = true;
		return 0;
	}
	REQUIRE(!memchr(p, '\r', n) && !memchr(p, '\n', n) && n <= 1000 && (n == 0 || p[n - 1] != ' '));
	if (n == 1 && *p == '.')
		return 1;
	a->line_bad |= n == 3 && memcmp(p, "bad", 3) == 0;
	if (n == 4 && memcmp(p, "stop", 4) == 0)
		return problem_set(pr, PROBLEM_PERM, 552, "5.3.4", "", "Stopped.");
	REQUIRE(buf_add(&a->lines, p, n) == 0 && buf_addc(&a->lines, '\n') == 0);
	return 0;
}

static inline void app_xsmg_end(void *app, struct smtpd *s)
{
	struct app *a = app;

	REQUIRE(a->in_lines);
	a->answer.cls = PROBLEM_NONE;
	if (a->line_bad)
		problem_set(&a->answer, PROBLEM_PERM, 501, "5.5.2", "", "Not base64.");
	app_ask(a, s, APP_XSMG_END, strcmp(a->xsmg_arg, "PUT late") == 0);
}

static inline void app_xsmg_over(void *app, struct smtpd *s)
{
	struct app *a = app;

	REQUIRE(a->in_xsmg && s == a->s);
	a->xsmg_overs++;
	a->in_xsmg = a->in_lines = false;
	a->asked = APP_NOTHING;
	loop_timer_off(a->timer);
}

static inline void app_closed(void *app, struct smtpd *s)
{
	struct app *a = app;

	REQUIRE(!a->in_mail && !a->in_xsmg && a->asked == APP_NOTHING && a->closes == 0 && s == a->s);
	a->closes++;
	a->s = NULL;
}

static const struct smtpd_ops app_ops = {
    .proxied = app_proxied,
    .connected = app_connected,
    .mail = app_mail,
    .rcpt = app_rcpt,
    .data = app_data,
    .content = app_content,
    .end = app_end,
    .late = app_late,
    .reset = app_reset,
    .xsmg = app_xsmg,
    .xsmg_line = app_xsmg_line,
    .xsmg_end = app_xsmg_end,
    .xsmg_over = app_xsmg_over,
    .closed = app_closed,
};

static inline void app_init(struct app *a, struct loop *l, enum app_when when)
{
	*a = (struct app){.when = when};
	a->timer = loop_timer_new(l, app_answer, a);
	buf_init(&a->lines, 128u * 1024);
	buf_init(&a->content, 256u * 1024 * 1024);
}

static inline void app_clear(struct app *a)
{
	REQUIRE(a->mails == a->resets && a->connects == a->closes && a->xsmgs == a->xsmg_overs);
	loop_timer_free(a->timer);
	buf_clear(&a->lines);
	buf_clear(&a->content);
}

#endif
