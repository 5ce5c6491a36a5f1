/* Steps as JSON. Role judge; pure. */
#include "gateway/proc/judge_steps.h"

#include <stdio.h>

#include "gateway/proc/judge_call.h"

enum { STEPS_SHOWN = 200 }; /* the reply to an admin has a maximum */

static json_t *step(const struct trace_step *s)
{
	json_t *o = judge_call_object();

	judge_call_set(o, "place", judge_call_text(s->place));
	judge_call_set(o, "query", judge_call_text(s->query));
	judge_call_set(o, "answer", judge_call_text(s->answer));
	judge_call_set(o, "dnssec", judge_call_text(s->dnssec));
	judge_call_set(o, "sha256", judge_call_text(s->sha256));
	judge_call_set(o, "age_s", json_integer(s->age_s));
	judge_call_set(o, "ttl_s", json_integer(s->ttl_s));
	judge_call_set(o, "took_ms", json_integer(s->took_ms));
	judge_call_set(o, "pending", json_boolean(s->pending));
	return o;
}

json_t *judge_steps(const struct trace *t)
{
	json_t *a = judge_call_array();

	for (size_t i = 0; t && i < t->n && i < STEPS_SHOWN; i++)
		judge_call_add(a, step(&t->v[i]));
	return a;
}

const char *judge_steps_line(const struct trace_step *s, char *out, size_t cap)
{
	(void)snprintf(out, cap, "place=\"%s\" query=\"%.200s\" answer=\"%.500s\"%s%s age=%lld ms=%u", s->place,
	    s->query, s->pending ? "no answer yet" : s->answer, s->dnssec[0] ? " dnssec=" : "", s->dnssec,
	    (long long)s->age_s, s->took_ms);
	return out;
}
