/*
 * XSMG beside the mails of a connection. Role relay. docs/XSMG.md.
 *
 * The question goes in front of MAIL in the same group (RFC 2920), so that an unchanged statement costs nothing. Its
 * reply is bounded in lines, octets and time. A reply of any kind leaves the mail alone; one that never comes, or is
 * none, ends the connection before anything of the content was sent, and the pool sends the mail again without the
 * question. What is handed over goes between two mails, when no mail waits for this connection.
 */
#include "gateway/smtp/smtpc_xsmg.h"

#include <stdio.h>

#include "gateway/base/log.h"

bool smtpc_xsmg_begin(struct smtpc *c)
{
	struct smtpc_xsmg *x = c->mail->xsmg;
	bool offered = c->ehlo.xsmg && conn_is_tls(c->conn);

	if (!x)
		return false;
	x->seen(x, c, offered);
	return offered && x->get && !x->asked;
}

bool smtpc_xsmg_awaited(const struct smtpc *c)
{
	return c->state == SMTPC_ENVELOPE && c->asking && c->got == SMTPC_STEP_XSMG;
}

static void drop_put(struct smtpc *c, const struct smtpc_reply *r, const char *why)
{
	struct smtpc_put *p = c->put;

	c->put = NULL;
	if (p)
		p->over(p, c, r, why);
}

static void answered(struct smtpc *c, const struct smtpc_reply *r, const char *why)
{
	struct smtpc_xsmg *x = c->mail->xsmg;
	struct smtpc_put *p;

	x->asked = true;
	p = x->got(x, c, r, why);
	if (!p)
		return;
	drop_put(c, NULL, "a newer one takes its place");
	c->put = p;
}

void smtpc_xsmg_reply(struct smtpc *c, const struct smtpc_reply *r)
{
	answered(c, r, NULL);
}

/* On a connection kept from an earlier mail it is the other side's right to close: asked again on the next one. */
void smtpc_xsmg_lost(struct smtpc *c, const struct smtpc_trouble *t)
{
	if (!t || !c->mail || !smtpc_xsmg_awaited(c) || (c->taken && (c->hung_up || t->reply[0])))
		return;
	c->mail->xsmg->broke = true;
	log_info(smtpc_state_id(c), "smtpc", "xsmg-broke remote=%s why=\"%s\"", c->remote, t->pr.text);
	answered(c, NULL, t->pr.text);
}

void smtpc_xsmg_end(struct smtpc *c)
{
	drop_put(c, NULL, "the connection ended before it could be sent");
}

/* ---- PUT ---- */

bool smtpc_put_waits(const struct smtpc *c)
{
	return c->put && c->state == SMTPC_READY && !c->mail && !c->need_rset;
}

void smtpc_put(struct smtpc *c)
{
	REQUIRE(!c->dead && smtpc_put_waits(c));
	loop_timer_off(c->turn);
	c->state = SMTPC_PUT;
	smtpc_state_command(c, c->put->command);
	conn_timeout(c->conn, c->set->xsmg_timeout);
}

static void over(struct smtpc *c, const struct smtpc_reply *r)
{
	struct smtpc_trouble t;

	if (r->code == 421) { /* RFC 5321 3.8 */
		smtpc_trouble_reply(&t, SMTPC_STAGE_XSMG, c->remote, r);
		drop_put(c, r, NULL);
		smtpc_state_end(c, &t);
		return;
	}
	drop_put(c, r, NULL);
	smtpc_state_ready(c);
}

void smtpc_xsmg_put_reply(struct smtpc *c, const struct smtpc_reply *r)
{
	if (r->code / 100 == 2) {
		smtpc_state_malformed(c, "a final reply (2yz) where 354 belongs");
	} else if (r->code / 100 == 3) {
		c->state = SMTPC_PUT_LINES;
		conn_timeout(c->conn, c->set->xsmg_timeout);
		(void)conn_write(c->conn, c->put->lines, c->put->n); /* a failed write is told by on_closed */
	} else {
		over(c, r);
	}
}

void smtpc_xsmg_lines_reply(struct smtpc *c, const struct smtpc_reply *r)
{
	struct smtpc_trouble t;

	if (r->code / 100 == 3) {
		smtpc_state_malformed(c, "an intermediate reply (3yz)");
	} else if (conn_waiting(c->conn) > 0) { /* said before all lines left us: what follows them is not known */
		smtpc_trouble_reply(&t, SMTPC_STAGE_XSMG, c->remote, r);
		drop_put(c, r, NULL);
		smtpc_state_end(c, &t);
	} else {
		over(c, r);
	}
}
