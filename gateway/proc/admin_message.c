/* The verbs "message.*". Role admin. */
#include "gateway/proc/admin_message.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin.h"
#include "gateway/proc/admin_client.h"
#include "gateway/proc/admin_json.h"

struct search {
	struct admin *of;
	struct admin_job *job;
	struct admin_request rq; /* text is ours */
};

static void found(void *ctx, const struct admin_reply *r, const char *why)
{
	if (r != NULL)
		admin_client_reply(ctx, r);
	else
		admin_client_error(ctx, "unavailable", why);
}

static void ask_relay(struct admin *a, struct admin_job *j, const struct admin_request *rq)
{
	admin_peer_ask(&a->relay, rq, ADMIN_ASK_MS, found, j);
}

static void audited(void *ctx, const struct admin_reply *r, const char *why)
{
	struct search *s = ctx;
	char text[640], said[900];
	json_t *data = r != NULL ? admin_json_data(r->text, text) : NULL;

	if (data != NULL) {
		ask_relay(s->of, s->job, &s->rq);
	} else {
		(void)snprintf(said, sizeof said, "searches stand in the audit log, and that cannot be written: %s",
		    r != NULL ? text : why);
		admin_client_error(s->job, "unavailable", said);
	}
	json_decref(data);
	free(s->rq.text);
	free(s);
}

/* What the judge is asked to write down. malloc'd. */
static char *audit_text(const char *verb, const json_t *args)
{
	char *what = json_dumps(args != NULL ? args : json_null(), JSON_COMPACT | JSON_ENCODE_ANY);
	json_t *o = json_pack(
	    "{s:s, s:{s:s, s:s}}", "verb", "message.audit", "args", "what", verb, "search", what != NULL ? what : "");
	char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;

	if (text == NULL)
		log_fatal("out of memory: JSON");
	json_decref(o);
	free(what);
	return text;
}

void admin_message(struct admin *a, struct admin_job *j, const struct admin_request *rq)
{
	json_t *o = json_loads(rq->text, JSON_REJECT_DUPLICATES, NULL);
	const char *verb = json_string_value(json_object_get(o, "verb"));

	if (verb != NULL && strcmp(verb, "message.counts") == 0) {
		ask_relay(a, j, rq);
	} else if (verb != NULL && (strcmp(verb, "message.find") == 0 || strcmp(verb, "message.show") == 0)) {
		struct search *s = mem_new(sizeof *s);
		struct admin_request audit = *rq;

		*s = (struct search){.of = a, .job = j, .rq = *rq};
		s->rq.text = mem_str(rq->text);
		audit.text = audit_text(verb, json_object_get(o, "args"));
		admin_peer_ask(&a->judge, &audit, ADMIN_ASK_MS, audited, s);
		free(audit.text);
	} else {
		admin_client_error(j, "usage", "there is no such verb");
	}
	json_decref(o);
}
