/* message.audit: role judge; writes an audit row. */
#include "gateway/proc/judge_admin_message.h"

#include "gateway/base/mem.h"

enum { VERB_MAX = 40, SEARCH_MAX = 16384, ROW_MAX = 2000 };

int judge_admin_message_audit(struct judge_call *c)
{
	const char *what, *search;
	char row[ROW_MAX + 1];

	if (judge_call_str(c, "what", JUDGE_MUST, VERB_MAX, &what) < 0 ||
	    judge_call_str(c, "search", JUDGE_MUST, SEARCH_MAX, &search) < 0)
		return -1;
	if (mem_copy_str(row, sizeof row, search) != 0)
		return judge_call_fail(c, "usage", "the search is longer than the audit log takes");
	return store_audit_add(c->store, c->who, what, "", row, c->pr) < 0 ? -1 : 0;
}
