/* trace: role judge; reads what is kept in memory. */
#include "gateway/proc/judge_admin_trace.h"

#include <ctype.h>
#include <string.h>

#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_traces.h"

enum { LISTED = 1000 }; /* the reply to an admin has a maximum */

static void tell(json_t *o, const struct judge_trace_kept *k)
{
	judge_call_set(o, "trace", judge_call_text(k->id));
	judge_call_set(o, "at", judge_call_time(k->at));
	judge_call_set(o, "sender", judge_call_text(k->sender));
	judge_call_set(o, "recipient", judge_call_text(k->recipient));
	judge_call_set(o, "certificates", judge_call_text(k->result));
	judge_call_set(o, "why", judge_call_text(k->why));
}

static int tell_all(struct judge_call *c)
{
	const struct judge_traces *t = c->ja->world->traces;
	const struct judge_trace_kept *k;
	json_t *rows = judge_call_array();

	judge_call_set(c->data, "traces", rows);
	for (size_t i = 0; i < LISTED && (k = judge_traces_at(t, i)); i++) {
		json_t *o = judge_call_object();

		tell(o, k);
		judge_call_add(rows, o);
	}
	return 0;
}

int judge_admin_trace(struct judge_call *c)
{
	const struct judge_trace_kept *k;
	char id[JUDGE_TRACE_ID + 1];
	const char *text;
	json_t *steps;

	if (judge_call_str(c, "id", JUDGE_MAY, 100, &text) < 0)
		return -1;
	if (!text)
		return tell_all(c);
	if (strlen(text) != JUDGE_TRACE_ID || strspn(text, "0123456789abcdefABCDEF") != JUDGE_TRACE_ID)
		return judge_call_fail(
		    c, "usage", "\"%.80s\" is no trace: 8 hex digits, as a refusal or the log has them", text);
	for (size_t i = 0; i <= JUDGE_TRACE_ID; i++)
		id[i] = (char)tolower((unsigned char)text[i]);
	k = judge_traces_find(c->ja->world->traces, id);
	if (!k)
		return judge_call_fail(c, "not-found",
		    "no trace %s is kept: only the last ones are (find, traces-max), and none over a restart; its "
		    "lines "
		    "may still be in the log, and \"postern explain\" asks again",
		    id);
	steps = json_loads(k->steps, 0, NULL);
	tell(c->data, k);
	judge_call_set(c->data, "steps", steps ? steps : judge_call_array());
	return 0;
}
