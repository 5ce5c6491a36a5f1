/* Sessions of the web UI. Role judge; reads and writes the store. */
#include "gateway/proc/judge_admin_session.h"

#include <stdlib.h>

#include "certstore/store_session.h"
#include "gateway/proc/judge_web.h"

/* ends: when it would, if nobody used it any more. */
static json_t *row(const struct judge_call *c, const struct store_session *n, int64_t began, int64_t used)
{
	int64_t longest = n->began + (c->now - began), idle = n->used + (c->now - used);
	json_t *o = judge_call_object();

	judge_call_set(o, "id", judge_call_text(n->id));
	judge_call_set(o, "user", judge_call_text(n->user));
	judge_call_set(o, "role", judge_call_text(store_user_role_word(n->role)));
	judge_call_set(o, "began", judge_call_time(n->began));
	judge_call_set(o, "used", judge_call_time(n->used));
	judge_call_set(o, "ends", judge_call_time(idle < longest ? idle : longest));
	judge_call_set(o, "address", judge_call_text(n->address));
	return o;
}

int judge_admin_session_list(struct judge_call *c)
{
	struct store_session *list = NULL;
	struct store_user u = {.role = STORE_USER_ADMIN};
	json_t *rows = judge_call_array();
	const char *name;
	int64_t began, used;
	size_t n;

	judge_call_set(c->data, "sessions", rows);
	if (judge_call_str(c, "name", JUDGE_MAY, STORE_USER_NAME_MAX, &name) < 0 ||
	    (name && store_user_get(c->store, name, &u, c->pr) < 0))
		return -1;
	if (u.role == STORE_USER_NOBODY)
		return judge_call_fail(c, "not-found", "there is no user %s", name);
	judge_web_over(c->ja, &began, &used);
	if (store_sessions(c->store, name, began, used, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		judge_call_add(rows, row(c, &list[i], began, used));
	free(list);
	return 0;
}

int judge_admin_session_end(struct judge_call *c)
{
	const char *id;
	int rc;

	if (judge_call_str(c, "id", JUDGE_MUST, 40, &id) < 0)
		return -1;
	rc = store_session_end_id(c->store, id, c->who, c->pr);
	if (rc == 0)
		return judge_call_fail(
		    c, "not-found", "there is no session %s: it may be over (postern user sessions)", id);
	return rc < 0 ? -1 : 0;
}
