#include "gateway/pipeline/kind.h"

#include <string.h>

#include "gateway/mail/lex.h"
#include "gateway/pipeline/work.h"

/* RFC 3834 5: the field stands once, and says so; parameters may follow. */
static bool says_auto_reply(struct work *w)
{
	const struct header_field *f = header_find(&w->msg.header, "Auto-Submitted", 0);
	const char *v;

	if (f == NULL || header_find(&w->msg.header, "Auto-Submitted", 1) != NULL)
		return false;
	v = header_text(w->a, f);
	return v != NULL && lex_same(v, strcspn(v, " \t;("), "auto-replied");
}

int kind_find(struct work *w)
{
	struct mime_facts f;
	struct problem pr = {0};

	if (w->kind.known)
		return 0;
	if (mime_facts(w->a, spool_reader(w->in), 0, w->msg.len, &w->lim, &f, &pr) != 0) {
		if (pr.cls == PROBLEM_TEMP) {
			w->res->pr = pr;
			return -1;
		}
		memset(&f, 0, sizeof(f));
	}
	w->kind.known = true;
	w->kind.delicate = f.calendar_method || f.tnef;
	if (f.invitation)
		w->kind.exempt = POLICY_EXEMPT_CALENDAR;
	else if (f.mere_text && says_auto_reply(w))
		w->kind.exempt = POLICY_EXEMPT_AUTO_REPLY;
	return 0;
}
