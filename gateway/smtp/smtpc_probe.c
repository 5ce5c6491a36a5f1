/*
 * What a refusal at RCPT means. Only "there is no such recipient" may become a permanent refusal of ours: a server
 * that refuses the gateway itself (its address, the null sender, no authentication) would otherwise have every mail
 * of the domain bounced. RFC 3463: X.1.x is about the address; X.2.x about a mailbox that exists, X.3-X.5 and X.7
 * about the server, the way and policy. Without an enhanced code, the reply code has to do.
 */
#include "gateway/smtp/smtpc_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/smtp/smtpc_settings.h"

/* Somebody waits at RCPT: a server that takes minutes counts as away. */
enum { CONNECT_MS = 10000, REPLY_MS = 60000, BACKOFF_MS = 1000, PROBES_EACH = 1000 };

static enum smtpc_probe_answer judge(const struct smtpc_rcpt *r)
{
	if (r->ok)
		return SMTPC_PROBE_TAKEN;
	if (r->pr.cls == PROBLEM_TEMP)
		return SMTPC_PROBE_TEMP;
	if (strcmp(r->pr.enh, "5.6.7") == 0)
		return SMTPC_PROBE_UNABLE;
	if (!r->said) /* never got as far as RCPT; or an address that cannot be written in a command */
		return r->reply[0] == '\0' && r->pr.code == 553 ? SMTPC_PROBE_UNKNOWN : SMTPC_PROBE_REFUSED;
	if (r->pr.code == 530 || r->pr.code == 535 || (r->pr.code == 554 && strcmp(r->pr.enh, "5.1.0") == 0))
		return SMTPC_PROBE_REFUSED;
	switch (r->pr.enh[2]) {
	case '1':
		return strcmp(r->pr.enh, "5.1.7") == 0 || strcmp(r->pr.enh, "5.1.8") == 0 ? SMTPC_PROBE_REFUSED
											  : SMTPC_PROBE_UNKNOWN;
	case '2': /* full, or disabled: 5.2.1 says that it takes no mail */
		return strcmp(r->pr.enh, "5.2.1") == 0 ? SMTPC_PROBE_UNKNOWN : SMTPC_PROBE_TEMP;
	case '0':
		return SMTPC_PROBE_UNKNOWN;
	default:
		return SMTPC_PROBE_REFUSED;
	}
}

static void over(void *ctx, struct smtpc_mail *m, const char *remote, const char *tls)
{
	struct smtpc_probe *p = ctx;
	const struct smtpc_rcpt *r = &p->rcpt;

	(void)m;
	(void)tls;
	p->answer = judge(r);
	if (r->ok)
		snprintf(p->words, sizeof(p->words), "%s said to RCPT: %s", remote, r->reply);
	else
		snprintf(p->words, sizeof(p->words), "%s", r->pr.text);
	p->done(p->ctx, p);
}

static int64_t at_most(int64_t ms, int64_t most)
{
	return ms < most ? ms : most;
}

struct smtpc_pool *smtpc_probe_pool(struct loop *l, const struct smtpc_settings *set, const char *helo,
    int64_t connections, int64_t idle_ms, int64_t backoff_ms, struct smtpc_settings **own_r)
{
	struct smtpc_settings *own = mem_new(sizeof(*own));

	*own = *set;
	own->connections = connections;
	own->messages = PROBES_EACH;
	own->connect_timeout = at_most(set->connect_timeout, CONNECT_MS);
	own->greeting_timeout = at_most(set->greeting_timeout, REPLY_MS);
	own->ehlo_timeout = at_most(set->ehlo_timeout, REPLY_MS);
	own->mail_timeout = at_most(set->mail_timeout, REPLY_MS);
	own->rcpt_timeout = at_most(set->rcpt_timeout, REPLY_MS);
	own->data_timeout = at_most(set->data_timeout, REPLY_MS);
	own->idle_time = idle_ms;
	own->backoff_max = backoff_ms;
	own->backoff_min = at_most(BACKOFF_MS, backoff_ms);
	*own_r = own;
	return smtpc_pool_new(l, own, helo);
}

void smtpc_probe_ask(struct smtpc_pool *pool, const struct smtpc_dest *d, struct smtpc_probe *p)
{
	p->rcpt = (struct smtpc_rcpt){.address = p->address};
	p->mail = (struct smtpc_mail){
	    .sender = "", .rcpts = &p->rcpt, .nrcpts = 1, .front = "", .probe = true, .done = over, .ctx = p};
	smtpc_pool_send(pool, d, &p->mail);
}
