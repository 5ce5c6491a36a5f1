/*
 * One mail over a connection that is ready. Role relay. RFC 5321 3.3, 4.1.1.2-4; RFC 1870 (SIZE), RFC 2920
 * (PIPELINING), RFC 6152 (8BITMIME). Never blocks but for the page cache.
 *
 * Transactions of at most `recipients-per-message` recipients follow each other until every recipient has a result. A
 * result is written once, here or in smtpc_state_end; a recipient is ok only after 2yz to the final dot.
 *
 * The final dot goes out only if the content was read to its end: a message cut short must not look complete, so when
 * it cannot be read the connection is dropped.
 */
#include "gateway/smtp/smtpc_send.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/smtp/smtpc_bdat.h"
#include "gateway/smtp/smtpc_params.h"
#include "gateway/smtp/smtpc_xsmg.h"

enum { CHUNK = 16 * 1024 };

static size_t data_step(const struct smtpc *c)
{
	return SMTPC_STEP_RCPT + c->nbatch;
}

enum smtpc_stage smtpc_send_stage(const struct smtpc *c)
{
	if (smtpc_xsmg_awaited(c))
		return SMTPC_STAGE_XSMG;
	if (c->got < SMTPC_STEP_RCPT)
		return SMTPC_STAGE_MAIL;
	return c->got < data_step(c) ? SMTPC_STAGE_RCPT : SMTPC_STAGE_DATA;
}

static bool undecided(const struct smtpc_rcpt *r)
{
	return !r->ok && r->pr.cls == PROBLEM_NONE;
}

static void decide(struct smtpc_rcpt *r, const struct smtpc_trouble *t)
{
	if (!undecided(r))
		return;
	r->pr = t->pr;
	snprintf(r->reply, sizeof r->reply, "%s", t->reply);
}

static void decide_all(struct smtpc *c, const struct smtpc_trouble *t)
{
	for (size_t i = 0; i < c->mail->nrcpts; i++)
		decide(&c->mail->rcpts[i], t);
}

static void decide_accepted(struct smtpc *c, const struct smtpc_trouble *t)
{
	for (size_t i = 0; i < c->nbatch; i++) {
		if (c->accepted[i])
			decide(&c->mail->rcpts[c->batch[i]], t);
	}
}

void smtpc_send_failed(struct smtpc *c, const struct smtpc_trouble *t)
{
	if (c->refused.pr.cls != PROBLEM_NONE)
		decide_all(c, &c->refused);
	if (t->scope == SMTPC_MESSAGE)
		decide_accepted(c, t);
}

/* ---- what can be said without asking the server ---- */

static uint64_t mail_size(const struct smtpc *c)
{
	const struct smtpc_mail *m = c->mail;

	return strlen(m->front) + (m->content ? m->content->size : 0);
}

/* RFC 6152 3: a host without 8BITMIME gets 7 bits or nothing. The recipients say that it was only this. */
static int fit_to_seven(struct smtpc *c, struct problem *pr)
{
	if (!smtpc_params_eight(c->mail) || c->ehlo.eightbit || c->set->assume_8bit)
		return 0;
	for (size_t i = 0; i < c->mail->nrcpts; i++)
		c->mail->rcpts[i].eight = undecided(&c->mail->rcpts[i]);
	return problem_set(pr, PROBLEM_PERM, 554, "5.6.3", "RFC 6152 3",
	    "the message has 8-bit content and %s does not offer 8BITMIME; send it with 7-bit transfer encodings, or "
	    "set "
	    "assume-8bit if that host takes 8-bit content all the same",
	    c->remote);
}

/* Is there anything in the mail as a whole that this server cannot be given? What no conversion mends comes first. */
static int check_mail(struct smtpc *c, struct problem *pr)
{
	return smtpc_params_mail(c, mail_size(c), pr) < 0 ? -1 : fit_to_seven(c, pr);
}

/* The next recipients without a result; those that cannot be sent at all get theirs. */
static void choose_batch(struct smtpc *c)
{
	struct problem pr;

	c->nbatch = 0;
	for (size_t i = 0; i < c->mail->nrcpts && c->nbatch < (size_t)c->set->recipients; i++) {
		struct smtpc_rcpt *r = &c->mail->rcpts[i];

		if (!undecided(r))
			continue;
		if (smtpc_params_path(c, r->address, "recipient", &pr) < 0) {
			r->pr = pr;
			continue;
		}
		c->accepted[c->nbatch] = false;
		c->batch[c->nbatch++] = i;
	}
}

/* ---- commands ---- */

static void say_step(struct smtpc *c, size_t step)
{
	char line[SMTPC_PARAMS_LINE];

	if (step == SMTPC_STEP_RSET)
		smtpc_state_command(c, "RSET");
	else if (step == SMTPC_STEP_XSMG)
		smtpc_state_command(c, c->mail->xsmg->get);
	else if (step == SMTPC_STEP_MAIL)
		smtpc_state_command(c, smtpc_params_mail_line(c, mail_size(c), line));
	else if (step == data_step(c))
		smtpc_state_command(c, c->mail->probe ? "RSET" : "DATA");
	else
		smtpc_state_command(
		    c, smtpc_params_rcpt_line(c, &c->mail->rcpts[c->batch[step - SMTPC_STEP_RCPT]], line));
}

static int64_t step_timeout(const struct smtpc *c)
{
	switch (smtpc_send_stage(c)) {
	case SMTPC_STAGE_XSMG:
		return c->set->xsmg_timeout;
	case SMTPC_STAGE_MAIL:
		return c->set->mail_timeout;
	case SMTPC_STAGE_RCPT:
		return c->set->rcpt_timeout;
	default:
		return c->set->data_timeout;
	}
}

static size_t step_after(const struct smtpc *c, size_t step)
{
	return step == SMTPC_STEP_RSET && !c->asking ? SMTPC_STEP_MAIL : step + 1;
}

/* RFC 2920 3.1: all up to DATA in one go, where the server can; else one by one. */
static void say_next(struct smtpc *c)
{
	/* BDAT is no step: it goes out when it is known that somebody is there to have it */
	size_t steps = data_step(c) + (c->bdat.on ? 0 : 1);

	bool all = c->sent == steps;

	while (c->sent < steps && (c->ehlo.pipelining || c->sent == c->got)) {
		say_step(c, c->sent);
		c->sent = step_after(c, c->sent);
	}
	if (!all && smtpc_bdat_may_early(c, mail_size(c)))
		smtpc_bdat_early(c);
	if (!c->dead)
		conn_timeout(c->conn, step_timeout(c));
}

/* The next transaction of the mail, or its end. From the loop only when there is none left: hence the turn. */
static void next_batch(struct smtpc *c)
{
	choose_batch(c);
	c->state = SMTPC_READY;
	if (c->nbatch == 0) {
		conn_timeout(c->conn, 0);
		loop_timer_set(c->turn, 0);
		return;
	}
	c->naccepted = 0;
	c->mail_ok = false;
	c->off = 0;
	c->bdat.early = false;
	c->bdat.on = !c->mail->probe && smtpc_bdat_fit(c);
	c->asking = smtpc_xsmg_begin(c);
	c->sent = c->got = c->need_rset ? SMTPC_STEP_RSET : c->asking ? SMTPC_STEP_XSMG : SMTPC_STEP_MAIL;
	c->state = SMTPC_ENVELOPE;
	say_next(c);
}

void smtpc_send_begin(struct smtpc *c)
{
	struct smtpc_trouble t;
	struct problem pr;

	c->refused.pr.cls = PROBLEM_NONE;
	c->unfit.pr.cls = PROBLEM_NONE;
	c->bdat.on = false;
	if (smtpc_params_requiretls(c, &pr) < 0) {
		/* from the loop, and not from inside the owner's call */
		smtpc_trouble_unfit(&c->unfit, &pr);
		loop_timer_set(c->turn, 0);
		return;
	}
	if (check_mail(c, &pr) < 0) {
		smtpc_trouble_ours(&t, SMTPC_STAGE_MAIL, &pr);
		decide_all(c, &t);
	}
	next_batch(c);
}

/* ---- replies to the envelope ---- */

static void rset_came(struct smtpc *c, const struct smtpc_reply *r)
{
	if (r->code / 100 != 2)
		smtpc_state_malformed(c, "RSET refused");
	else
		c->need_rset = false;
}

static void mail_came(struct smtpc *c, const struct smtpc_reply *r)
{
	if (r->code / 100 == 2)
		c->mail_ok = c->need_rset = true;
	else
		smtpc_trouble_reply(&c->refused, SMTPC_STAGE_MAIL, c->remote, r);
}

/* RFC 5321 4.5.3.1.10: "too many recipients" after some were taken: these go into the next transaction. */
static bool too_many(const struct smtpc *c, const struct smtpc_trouble *t)
{
	return c->naccepted > 0 && (strncmp(t->reply, "452", 3) == 0 || strncmp(t->reply, "552", 3) == 0) &&
	       (strcmp(t->pr.enh, "4.5.3") == 0 || strcmp(t->pr.enh, "4.1.0") == 0);
}

/* Of a probe: RCPT was the question. */
static void taken(struct smtpc_rcpt *to, const struct smtpc_reply *r)
{
	to->ok = to->said = true;
	smtpc_chat_words(r, to->reply);
}

static void rcpt_came(struct smtpc *c, const struct smtpc_reply *r, size_t i)
{
	struct smtpc_trouble t;

	if (!c->mail_ok)
		return; /* only an echo of MAIL's refusal */
	if (r->code / 100 == 2) {
		c->accepted[i] = true;
		c->naccepted++;
		if (c->mail->probe)
			taken(&c->mail->rcpts[c->batch[i]], r);
		return;
	}
	smtpc_trouble_reply(&t, SMTPC_STAGE_RCPT, c->remote, r);
	if (too_many(c, &t))
		return;
	c->mail->rcpts[c->batch[i]].said = true;
	decide(&c->mail->rcpts[c->batch[i]], &t);
}

static void transaction_over(struct smtpc *c)
{
	if (c->refused.pr.cls != PROBLEM_NONE)
		decide_all(c, &c->refused);
	next_batch(c);
}

static void data_came(struct smtpc *c, const struct smtpc_reply *r)
{
	struct smtpc_trouble t;
	int k = r->code / 100;

	if (k == 2) {
		smtpc_state_malformed(c, "a final reply (2yz) where 354 belongs");
	} else if (k == 3 && c->naccepted > 0) {
		c->state = SMTPC_CONTENT;
		dot_out_init(&c->dots);
		conn_timeout(c->conn, c->set->block_timeout);
		smtpc_send_content(c);
	} else if (k == 3) {
		/* RFC 2920 3.1: 354 although no recipient was taken: a lone dot, whose reply decides nothing */
		smtpc_state_command(c, ".");
		c->state = SMTPC_END;
		conn_timeout(c->conn, c->set->end_timeout);
	} else {
		smtpc_trouble_reply(&t, SMTPC_STAGE_DATA, c->remote, r);
		decide_accepted(c, &t);
		transaction_over(c);
	}
}

/* The RSET that ends a probe. */
static void probe_over(struct smtpc *c, const struct smtpc_reply *r)
{
	rset_came(c, r);
	if (!c->dead)
		transaction_over(c);
}

/* RFC 5321 3.8: the server is going away, whatever was asked. */
static bool closing(struct smtpc *c, const struct smtpc_reply *r)
{
	struct smtpc_trouble t;

	if (r->code != 421)
		return false;
	smtpc_trouble_reply(&t, smtpc_state_stage(c), c->remote, r);
	smtpc_state_end(c, &t);
	return true;
}

/* Without pipelining: no use in asking on. */
static bool pointless(const struct smtpc *c)
{
	if (c->ehlo.pipelining)
		return false;
	return c->refused.pr.cls != PROBLEM_NONE || (c->got == data_step(c) && c->naccepted == 0);
}

void smtpc_send_envelope_reply(struct smtpc *c, const struct smtpc_reply *r)
{
	size_t step = c->got;

	if (closing(c, r))
		return;
	if (step != data_step(c) && r->code / 100 == 3) {
		smtpc_state_malformed(c, "an intermediate reply (3yz) to a command that has none");
		return;
	}
	c->got = step_after(c, step);
	if (step == data_step(c)) {
		if (c->mail->probe)
			probe_over(c, r);
		else
			data_came(c, r);
		return;
	}
	if (step == SMTPC_STEP_RSET)
		rset_came(c, r);
	else if (step == SMTPC_STEP_XSMG)
		smtpc_xsmg_reply(c, r);
	else if (step == SMTPC_STEP_MAIL)
		mail_came(c, r);
	else
		rcpt_came(c, r, step - SMTPC_STEP_RCPT);
	if (c->dead)
		return;
	if (c->bdat.early && c->got == data_step(c)) {
		c->state = SMTPC_END; /* its reply decides nothing when nobody was accepted */
		conn_timeout(c->conn, c->set->end_timeout);
	} else if (pointless(c) || (c->bdat.on && c->got == data_step(c) && c->naccepted == 0))
		transaction_over(c);
	else if (c->bdat.on && c->got == data_step(c))
		smtpc_bdat_begin(c);
	else
		say_next(c);
}

/* ---- content ---- */

int smtpc_send_read(struct smtpc *c, uint8_t *p, size_t cap, size_t *n_r, struct problem *pr)
{
	size_t front = strlen(c->mail->front);

	*n_r = 0;
	if (c->off < front) {
		*n_r = front - (size_t)c->off < cap ? front - (size_t)c->off : cap;
		memcpy(p, c->mail->front + c->off, *n_r);
	} else if (stream_read_at(c->mail->content, c->off - front, p, cap, n_r, pr) < 0) {
		return -1;
	}
	c->off += *n_r;
	return *n_r > 0;
}

void smtpc_send_unreadable(struct smtpc *c, const struct problem *pr)
{
	struct smtpc_trouble t;

	smtpc_trouble_ours(&t, SMTPC_STAGE_CONTENT, pr);
	smtpc_state_end(c, &t);
}

static void say_end(struct smtpc *c, struct buf *out)
{
	dot_out_end(&c->dots, out);
	c->state = SMTPC_END;
	conn_timeout(c->conn, c->set->end_timeout);
	smtpc_chat_log_command(smtpc_state_id(c), c->remote, ".");
	(void)conn_write(c->conn, out->p, out->len);
}

/* Until conn has enough; it calls on_drained for more. A failed write is told by on_closed. */
void smtpc_send_content(struct smtpc *c)
{
	uint8_t chunk[CHUNK];
	struct buf out;
	struct problem pr;
	size_t n;
	int more;

	if (c->bdat.on) {
		smtpc_bdat_send(c);
		return;
	}
	buf_init(&out, 2 * CHUNK + 16);
	while ((more = smtpc_send_read(c, chunk, CHUNK, &n, &pr)) == 1) {
		buf_reset(&out);
		dot_out_feed(&c->dots, chunk, n, &out);
		if (conn_write(c->conn, out.p, out.len) != 0)
			break;
	}
	if (more == 1)
		conn_timeout(c->conn, c->set->block_timeout);
	buf_reset(&out);
	if (more == 0)
		say_end(c, &out);
	mem_wipe(chunk, sizeof chunk);
	buf_clear(&out);
	if (more < 0)
		smtpc_send_unreadable(c, &pr);
}

void smtpc_send_content_reply(struct smtpc *c, const struct smtpc_reply *r)
{
	struct smtpc_trouble t;

	if (smtpc_bdat_between(c)) {
		smtpc_bdat_reply(c, r);
		return;
	}
	if (r->code < 400) {
		smtpc_state_malformed(c, "a positive reply before the message was complete");
		return;
	}
	smtpc_trouble_reply(&t, SMTPC_STAGE_CONTENT, c->remote, r);
	smtpc_state_end(c, &t);
}

static void accepted(struct smtpc *c, const struct smtpc_reply *r)
{
	for (size_t i = 0; i < c->nbatch; i++) {
		struct smtpc_rcpt *to = &c->mail->rcpts[c->batch[i]];

		if (!c->accepted[i])
			continue;
		to->ok = true;
		to->dsn_lost = !c->ehlo.dsn;
		smtpc_chat_words(r, to->reply);
	}
}

void smtpc_send_end_reply(struct smtpc *c, const struct smtpc_reply *r)
{
	struct smtpc_trouble t = {.over = false};
	int k = r->code / 100;

	if (smtpc_bdat_between(c)) {
		smtpc_bdat_reply(c, r);
		return;
	}
	/* Said before the dot has left us: it is not about the whole message. */
	if (conn_waiting(c->conn) > 0) {
		if (c->bdat.on && k < 4) {
			smtpc_state_malformed(c, "a positive reply before the message was complete");
			return;
		}
		c->state = SMTPC_CONTENT;
		smtpc_send_content_reply(c, r);
		return;
	}
	if (k == 3) {
		smtpc_state_malformed(c, "an intermediate reply (3yz)");
		return;
	}
	c->taken = c->taken || k == 2;
	if (k == 2)
		accepted(c, r);
	else
		smtpc_trouble_reply(&t, SMTPC_STAGE_END, c->remote, r);
	if (k != 2)
		decide_accepted(c, &t);
	/* RFC 3030 2: what a refused chunk leaves behind is not known */
	c->need_rset = c->bdat.on && k != 2;
	if (c->bdat.early && c->naccepted == 0)
		c->need_rset = true;
	if (t.over)
		smtpc_state_end(c, &t);
	else
		transaction_over(c);
}
