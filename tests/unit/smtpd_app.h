/*
 * The application behind an SMTP server session under test: decides by the local part of an address, answers at once,
 * soon or later, and checks that the session keeps the contract of smtpd.h (one answer awaited at a time, one reset
 * for each mail, nothing after closed). For tests only. sender:    begun@ the message is never answered and cannot be
 * given up any more,    refuse@ 550, wait@ is never answered, endtemp@ the
 * message is answered 451, endnever@ it is never answered, nodata@ DATA is answered 451, full@ the content is refused
 *   recipient: no@ 550, later@ 451, wait@ is never answered
 */
#ifndef POSTERN_TESTS_SMTPD_APP_H
#define POSTERN_TESTS_SMTPD_APP_H

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/smtp/smtpd.h"

enum app_when { APP_AT_ONCE, APP_SOON, APP_LATER, APP_WHENS };
enum app_ask { APP_NOTHING, APP_MAIL, APP_RCPT, APP_DATA, APP_END };

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
	struct buf content; /* of the message under way, then of the last one */
};

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

static inline void app_closed(void *app, struct smtpd *s)
{
	struct app *a = app;

	REQUIRE(!a->in_mail && a->asked == APP_NOTHING && a->closes == 0 && s == a->s);
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
    .closed = app_closed,
};

static inline void app_init(struct app *a, struct loop *l, enum app_when when)
{
	*a = (struct app){.when = when};
	a->timer = loop_timer_new(l, app_answer, a);
	buf_init(&a->content, 256u * 1024 * 1024);
}

static inline void app_clear(struct app *a)
{
	REQUIRE(a->mails == a->resets && a->connects == a->closes);
	loop_timer_free(a->timer);
	buf_clear(&a->content);
}

#endif
