/* The log of looking for certificates. Role judge. */
#include "gateway/proc/judge_log.h"

#include "certstore/trace.h"
#include "gateway/base/log.h"
#include "gateway/policy/policy.h"
#include "gateway/proc/judge_steps.h"

enum { STEPS_LOGGED = 40 };

static bool matters(const struct judge_verdict *v)
{
	return v->certs == POLICY_CERTS_UNCERTAIN || v->certs == POLICY_CERTS_UNUSABLE ||
	       v->strength == POLICY_REQUIRE || v->any_strength == POLICY_REQUIRE || v->seen_protected;
}

void judge_log_certs(const struct source_run *run, const struct judge_resolve *rq, const struct judge_verdict *v)
{
	static const char *const states[] = {[POLICY_CERTS_NONE] = "none",
	    [POLICY_CERTS_USABLE] = "usable",
	    [POLICY_CERTS_UNCERTAIN] = "uncertain",
	    [POLICY_CERTS_UNUSABLE] = "unusable"};
	static unsigned count;
	unsigned id;
	char line[1200];

	if (!run || run->pending || !run->trace || run->trace->n == 0 || v->temp || v->own_domain ||
	    v->certs == POLICY_CERTS_USABLE || v->treatment != POLICY_SEAL)
		return;
	id = (unsigned)run->now << 16 | (++count & 0xffff);
	log_info(NULL, "judge", "looked trace=%08x from=<%s> to=<%s> certificates=%s why=\"%s\"", id, rq->sender,
	    rq->recipient, states[v->certs], v->cert_why);
	for (size_t i = 0; matters(v) && i < run->trace->n && i < STEPS_LOGGED; i++)
		log_info(NULL, "judge", "looked-in trace=%08x step=%zu %s", id, i + 1,
		    judge_steps_line(&run->trace->v[i], line, sizeof line));
}
