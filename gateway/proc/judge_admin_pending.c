/* What waits for the admin about partners' statements. Role judge. */
#include "gateway/proc/judge_admin_pending.h"

#include <stdio.h>
#include <string.h>

#include "gateway/proc/judge_admin.h"
#include "gateway/xsmg/xsmg_trust.h"

enum { ROWS = 50 };

static bool is_lost(const struct store_statement *st)
{
	return !st->trusted.der && st->established != XSMG_NEVER;
}

void judge_admin_pending_next(const struct store_statement *st, char *out, size_t cap)
{
	out[0] = 0;
	if (st->frozen)
		(void)snprintf(out, cap,
		    "ask the partner by phone which statement is its own, then: postern approve %.253s ... takes the "
		    "one "
		    "that waits, postern refuse %.253s ... keeps the one that is trusted",
		    st->domain, st->domain);
	else if (st->waiting.der)
		(void)snprintf(out, cap,
		    "compare the key's fingerprint with the partner by phone or letter, then: postern approve %.253s "
		    "--channel HOW --reason TEXT, or postern refuse %.253s ...",
		    st->domain, st->domain);
	else if (is_lost(st))
		(void)snprintf(out, cap,
		    "mail to it waits until a statement comes that can be trusted: postern partner fetch %.253s "
		    "looks for "
		    "one; without a statement: postern partner release %.253s",
		    st->domain, st->domain);
}

static json_t *row(const struct store_statement *st)
{
	json_t *o = judge_call_object();
	char next[900];

	judge_admin_pending_next(st, next, sizeof next);
	judge_call_set(o, "domain", judge_call_text(st->domain));
	judge_call_set(o, "state",
	    judge_call_text(st->frozen	      ? "frozen"
			    : st->waiting.der ? "pending"
					      : "not trusted any more"));
	judge_call_set(o, "why",
	    judge_call_text(st->frozen	      ? st->frozen_why
			    : st->waiting.der ? st->waiting.why
			    : st->decision[0] ? st->decision
					      : "see postern audit list"));
	judge_call_set(o, "next", judge_call_text(next));
	return o;
}

int judge_admin_pending_status(struct judge_call *c)
{
	struct store_statement *list;
	json_t *rows = judge_call_array();
	size_t n;

	judge_call_set(c->data, "statements", rows);
	if (store_statements(c->store, NULL, true, ROWS, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		judge_call_add(rows, row(&list[i]));
	store_statements_free(list, n);
	return 0;
}

static int release(struct judge_call *c, struct store_statement *st)
{
	int64_t serial = st->trusted.serial, issued = st->trusted.issued;

	store_statement_body_clear(&st->trusted);
	st->trusted.serial = serial; /* an old one is not new because of it */
	st->trusted.issued = issued;
	st->established = XSMG_NEVER;
	st->through[0] = 0;
	if (store_statement_certs_put(c->store, st->domain, NULL, 0, c->pr) < 0)
		return -1;
	return store_statement_save(
	    c->store, st, c->who, "statement.release", "the next one is met as the first", c->pr);
}

int judge_admin_pending_release(struct judge_call *c, const char *domain)
{
	struct store_statement *st = NULL;
	bool may = false;
	int rc;

	if (store_begin(c->store, c->pr) < 0)
		return -1;
	rc = store_statement_get(c->store, domain, &st, c->pr);
	if (rc == 0 && st)
		may = is_lost(st) || st->trusted.withdrawn;
	if (may)
		rc = release(c, st);
	rc = store_end(c->store, rc, c->pr);
	store_statements_free(st, st ? 1 : 0);
	return rc < 0 ? -1 : may;
}
