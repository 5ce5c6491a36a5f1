#include "gateway/proc/relay_inbound.h"

#include <stdio.h>
#include <string.h>

#include "certstore/store.h"
#include "gateway/policy/policy.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/queue/queue_settings.h"
#include "gateway/smtp/smtpd_settings.h"

void relay_inbound_common(const struct relay *r, struct job_request *rq)
{
	const struct smtpd_settings *set = conf_section(r->conf, "smtp-server");

	rq->hostname = r->top->hostname;
	rq->authserv_id = relay_authserv(r);
	rq->header_max = (uint32_t)r->top->header_max;
	rq->nesting_max = (uint32_t)r->top->nesting_max;
	rq->message_max = (uint64_t)set->message_max;
}

void relay_inbound_request(const struct relay *r, enum job_kind kind, const char *id, const char *sender,
    const char *trace, struct job_rcpt *rcpts, size_t n, struct job_request *rq)
{
	const char *at = n == 0 ? NULL : strrchr(rcpts[0].address, '@');
	const struct conf_domain *d;

	memset(rq, 0, sizeof(*rq));
	rq->kind = (uint8_t)kind;
	rq->id = id;
	rq->sender = sender;
	rq->trace = trace;
	rq->rcpts = rcpts;
	rq->nrcpts = n;
	relay_inbound_common(r, rq);
	snprintf(rq->our_domain, sizeof(rq->our_domain), "%s", at == NULL ? "" : at + 1);
	d = conf_domain_find(r->conf, rq->our_domain);
	if (d != NULL) {
		rq->in_rules[0] = (uint8_t)d->unsigned_clear;
		rq->in_rules[1] = (uint8_t)d->untrusted;
		rq->in_rules[2] = (uint8_t)d->broken;
		rq->in_rules[3] = (uint8_t)d->sealed_unsigned;
	} else {
		memset(
		    rq->in_rules, 2, sizeof(rq->in_rules)); /* no longer in the configuration: hold whatever it is */
	}
	rq->foreign_deliver = r->top->foreign_encrypted == 1;
	rq->subject_mark = r->top->subject_mark;
	rq->dsn_unmatched = (uint8_t)r->top->dsn_unmatched;
	rq->encrypted_part = (uint8_t)r->top->encrypted_part;
	rq->broken_promise = (uint8_t)r->top->broken_promise;
	if (queue_settings_of(r->queue)->dsn_match_days == 0) /* then there is nothing they could match */
		rq->dsn_unmatched = POLICY_CHOICE_DELIVER;
}

int relay_inbound_identities(const struct relay *r, struct arena *a, struct job_request *rq, struct problem *pr)
{
	const struct judge_identity *v;
	size_t n;

	if (rq->nids > 0)
		return 0;
	if (!relay_ask_identities(r->ask, &v, &n))
		return problem_temp(pr, "our own certificates are not known yet; try again");
	for (int ours = 1; ours >= 0; ours--)
		for (size_t i = 0; i < n && rq->nids < JOB_IDENTITIES_MAX; i++)
			if (v[i].use == STORE_DECRYPT && (strcmp(v[i].domain, rq->our_domain) == 0) == ours &&
			    v[i].cert.n > 0) {
				struct judge_identity *d = &rq->ids[rq->nids];

				*d = v[i];
				d->chain.n = 0; /* not needed to open */
				d->cert.p = (const uint8_t *)arena_dup(a, v[i].cert.p, v[i].cert.n);
				if (d->cert.p == NULL)
					return problem_temp(pr, "the message needs more memory than a job may have");
				rq->nids++;
			}
	return 0;
}
