/* The log of looking for certificates. Role judge. */
#include "gateway/proc/judge_log.h"

#include <stdio.h>

#include "certstore/trace.h"
#include "gateway/base/log.h"
#include "gateway/pipeline/outbound.h"
#include "gateway/policy/policy.h"
#include "gateway/proc/judge_steps.h"
#include "gateway/proc/judge_traces.h"

enum { STEPS_LOGGED = 40 };

/* Refused or put off, as far as it can be told without the content. With `tls` the relay looks further, and no
 * certificate counts. */
static bool fails(const struct judge_world *w, const struct judge_resolve *rq, const struct judge_verdict *v)
{
	struct policy_out f;
	struct policy_decision d;

	if (v->temp)
		return true;
	if (v->treatment == POLICY_TLS)
		return false;
	outbound_facts(v, w->tls_verified, JOB_UNASKED, &f);
	policy_outbound(rq->sender, rq->recipient, &f, &d);
	return d.action != POLICY_PASS;
}

static bool uncertain(const struct judge_verdict *v)
{
	return v->certs == POLICY_CERTS_UNCERTAIN || v->certs == POLICY_CERTS_UNUSABLE;
}

void judge_log_certs(const struct judge_world *w, const struct source_run *run, const struct judge_resolve *rq,
    struct judge_verdict *v)
{
	static const char *const states[] = {[POLICY_CERTS_NONE] = "none",
	    [POLICY_CERTS_USABLE] = "usable",
	    [POLICY_CERTS_UNCERTAIN] = "uncertain",
	    [POLICY_CERTS_UNUSABLE] = "unusable"};
	const char *state = v->temp ? "no answer" : states[v->certs], *why = v->temp ? v->pr.text : v->cert_why, *id;
	const struct judge_trace_kept *same;
	char line[1200];
	bool failed, bad;

	if (!run || run->pending || v->own_domain)
		return;
	failed = fails(w, rq, v);
	bad = failed || (v->treatment == POLICY_SEAL && uncertain(v));
	if (!bad && !run->waited)
		return;
	same = judge_traces_same(w->traces, rq, state, why, run->now);
	id = same ? same->id : judge_traces_keep(w->traces, rq, state, why, run->trace, run->now);
	if (failed && id)
		(void)snprintf(v->trace, sizeof v->trace, "%s", id);
	log_info(NULL, "judge", "looked trace=%s from=<%s> to=<%s> certificates=\"%s\" why=\"%s\"", id ? id : "-",
	    rq->sender, rq->recipient, state, why);
	for (size_t i = 0; bad && !same && run->trace && i < run->trace->n && i < STEPS_LOGGED; i++)
		log_info(NULL, "judge", "looked-in trace=%s step=%zu %s", id ? id : "-", i + 1,
		    judge_steps_line(&run->trace->v[i], line, sizeof line));
}
