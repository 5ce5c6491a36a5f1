#include "gateway/proc/relay_tx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/policy/policy.h"
#include "gateway/proc/relay_end.h"
#include "gateway/proc/relay_hop_sure.h"
#include "gateway/proc/relay_jobs.h"
#include "gateway/proc/relay_rcpts.h"

enum { MEMORY_MAX = 2 * 1024 * 1024, VERDICT_OCTETS_MAX = 24 * 1024 };

struct relay_tx *relay_tx_new(struct relay *r, struct smtpd *s, const struct smtpd_mail *m)
{
	struct relay_tx *t = mem_new(sizeof(*t));
	const char *first;

	t->r = r;
	t->session = s;
	t->a = arena_new(MEMORY_MAX);
	queue_id(r->queue, t->id);
	t->sender = m->sender;
	t->env = m->env;
	t->size = m->size;
	t->env.envid = arena_str(t->a, m->env.envid ? m->env.envid : "");
	REQUIRE(t->env.envid != NULL);
	t->asked = relay_ask_changes(r->ask);
	if (address_is_null(&m->sender)) {
		conf_domain(r->conf, 0, &first);
		snprintf(t->identity_text, sizeof(t->identity_text), "postmaster@%.255s", first);
	} else {
		address_text(&m->sender, t->sender_text);
		memcpy(t->identity_text, t->sender_text, sizeof(t->identity_text));
	}
	return t;
}

void relay_tx_free(struct relay_tx *t)
{
	if (t == NULL)
		return;
	relay_ask_cancel(t->r->ask, t);
	relay_rcpts_cancel(t->rcpt_wait);
	relay_hop_sure_cancel(t->hop_wait);
	relay_verdict_free(t->pending_verdict);
	relay_jobs_cancel(t->r->jobs, t);
	relay_end_forget(t);
	relay_tx_forget_verdicts(t);
	spool_free(t->content);
	free(t->rcpts);
	free(t->env_rcpts);
	arena_free(t->a);
	free(t);
}

void relay_tx_forget_verdicts(struct relay_tx *t)
{
	for (size_t i = 0; i < t->nverdicts; i++)
		relay_verdict_free(t->verdicts[i]);
	t->nverdicts = 0;
}

static int again(struct problem *pr, const char *why)
{
	return problem_set(
	    pr, PROBLEM_TEMP, 452, "4.5.3", "RFC 5321 4.5.3.1.10", "%s: send this recipient again by itself", why);
}

/* What is demanded for a recipient, and whether it can be sealed at all. */
static bool same_class(const struct judge_verdict *a, const struct judge_verdict *b)
{
	return a->treatment == b->treatment && a->strength == b->strength && a->exempt == b->exempt &&
	       a->any_exempt == b->any_exempt && a->own_domain == b->own_domain &&
	       (a->certs == POLICY_CERTS_USABLE) == (b->certs == POLICY_CERTS_USABLE);
}

static int verdict_index(struct relay_tx *t, struct relay_verdict *v, uint8_t *i_r, struct problem *pr)
{
	size_t octets = v->octets;

	for (size_t i = 0; i < t->nverdicts; i++) {
		if (t->verdicts[i] == v) {
			*i_r = (uint8_t)i;
			return 0;
		}
		octets += t->verdicts[i]->octets;
	}
	if (t->nverdicts > 0 && !t->r->top->mixed_policies && !same_class(&t->verdicts[0]->v, &v->v))
		return again(pr, "one policy a transaction, and this recipient has another than the first");
	if (t->nverdicts == JOB_VERDICTS_MAX || (t->nverdicts > 0 && octets > VERDICT_OCTETS_MAX))
		return again(pr, "too many recipients with different policies in one transaction");
	t->verdicts[t->nverdicts] = relay_verdict_ref(v);
	*i_r = (uint8_t)t->nverdicts++;
	return 0;
}

static int again_full(struct problem *pr)
{
	return again(pr, "too many recipients in one transaction");
}

static void grow(struct relay_tx *t)
{
	t->cap = t->cap * 2 + 4;
	t->rcpts = mem_resize(t->rcpts, t->cap * sizeof(*t->rcpts));
	if (t->env_rcpts != NULL)
		t->env_rcpts = mem_resize(t->env_rcpts, t->cap * sizeof(*t->env_rcpts));
}

/* What the client said with the recipient that becomes number nrcpts; nothing is kept while none said anything. */
static int add_env(struct relay_tx *t)
{
	const char *orcpt = arena_str(t->a, t->pending_orcpt);

	if (orcpt == NULL)
		return -1;
	if (t->env_rcpts == NULL && t->pending_notify == 0 && orcpt[0] == '\0')
		return 0;
	if (t->env_rcpts == NULL)
		t->env_rcpts = mem_new(t->cap * sizeof(*t->env_rcpts));
	t->env_rcpts[t->nrcpts] = (struct envelope_rcpt){.notify = t->pending_notify, .orcpt = orcpt};
	return 0;
}

int relay_tx_add(struct relay_tx *t, const char *address, struct relay_verdict *v, struct problem *pr)
{
	size_t n = strlen(address);
	uint8_t index = 0;

	if (t->nrcpts == JOB_RCPTS_MAX || t->rcpt_octets + n > JOB_RCPT_OCTETS)
		return again_full(pr);
	if (v != NULL && verdict_index(t, v, &index, pr) != 0)
		return -1;
	if (t->nrcpts == t->cap)
		grow(t);
	t->rcpts[t->nrcpts].address = arena_str(t->a, address);
	if (t->rcpts[t->nrcpts].address == NULL || add_env(t) != 0)
		return again_full(pr);
	t->rcpts[t->nrcpts].tls_verified = t->rcpts[t->nrcpts].tls_asked = false;
	t->rcpts[t->nrcpts++].verdict = index;
	t->rcpt_octets += n + 8;
	return 0;
}

/* Nothing said is a wish, too: for FAILURE, and DELAY (RFC 3461 4.1). NEVER gives way to any other wish. */
static unsigned both(unsigned a, unsigned b)
{
	unsigned silent = ENVELOPE_NOTIFY_FAILURE | ENVELOPE_NOTIFY_DELAY, all;

	if (a == b)
		return a;
	all = (a ? a : silent) | (b ? b : silent);
	return all & ~(unsigned)ENVELOPE_NOTIFY_NEVER;
}

bool relay_tx_known(struct relay_tx *t, const char *address)
{
	size_t i = 0;

	while (i < t->nrcpts && strcmp(t->rcpts[i].address, address) != 0)
		i++;
	if (i == t->nrcpts)
		return false;
	if (t->env_rcpts == NULL && t->pending_notify == 0 && t->pending_orcpt[0] == '\0')
		return true;
	if (t->env_rcpts == NULL)
		t->env_rcpts = mem_new(t->cap * sizeof(*t->env_rcpts));
	t->env_rcpts[i].notify = both(t->env_rcpts[i].notify, t->pending_notify);
	return true;
}

int relay_tx_verdict(struct relay_tx *t, size_t i, struct relay_verdict *v, struct problem *pr)
{
	return verdict_index(t, v, &t->rcpts[i].verdict, pr);
}

bool relay_tx_asks_tls(const struct relay_verdict *v)
{
	return v->v.treatment == POLICY_TLS || v->v.any_treatment == POLICY_TLS;
}

/* RFC 3848, RFC 6531 4.3. */
static const char *protocol(const struct relay_tx *t, bool secure)
{
	if (t->env.utf8)
		return secure ? "UTF8SMTPS" : "UTF8SMTP";
	if (!smtpd_esmtp(t->session))
		return "SMTP";
	return secure ? "ESMTPS" : "ESMTP";
}

const char *relay_tx_trace(struct relay_tx *t)
{
	char tls[SMTPD_TLS_WORDS] = "", date[32];
	bool secure = smtpd_tls(t->session, tls, sizeof(tls));
	const char *client = smtpd_client(t->session);
	char *text;

	encode_date(time(NULL), date);
	text = arena_printf(t->a, "Received: from %s ([%s])%s%s%s\r\n\tby %s (Postern) with %s id %s;\r\n\t%s\r\n",
	    smtpd_helo(t->session), client, secure ? "\r\n\t(using " : "", tls, secure ? ")" : "",
	    t->r->top->hostname, protocol(t, secure), t->id, date);
	return text == NULL ? "" : text;
}
