/* Changes by the admin. Role relay, loop thread. Of many messages a bounded number is under way at a time: the writer
 * commits those together that come together. */
#include "gateway/proc/relay_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_held.h"
#include "gateway/queue/history.h"

/* PATIENCE_MS: for the writer to begin with a change; less than it waits for a lock. */
enum { PATIENCE_MS = 4000, AT_ONCE = 64, REASON_MAX = 400 /* octets; it is kept with each recipient */ };

static const struct change_verb {
	const char *name, *word;
	enum queue_verb verb;
	enum history_verb history;
	const char *nothing; /* why nothing of a message could be changed */
} verbs[] = {
    {"queue.hold", "hold", QUEUE_VERB_HOLD, HISTORY_VERB_HOLD, "nothing of it waits or is held any more"},
    {"queue.release", "release", QUEUE_VERB_RELEASE, HISTORY_VERB_RELEASE, "nothing of it is held any more"},
    {"queue.retry", "retry", QUEUE_VERB_RETRY, HISTORY_VERB_RETRY,
	"nothing of it waits: it is done, or held until somebody releases it"},
    {"queue.delete", "delete", QUEUE_VERB_DELETE, HISTORY_VERB_DELETE, "nothing of it waits or is held any more"},
};

static const struct change_verb *find(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

bool relay_change_is(const char *verb)
{
	return find(verb) != NULL;
}

/* ---- a request ---- */

struct request {
	struct relay *r;
	const struct change_verb *verb;
	char *address, *who, *reason;
	json_t *ids; /* NULL: of one message */
	size_t next, running, messages;
	json_int_t changed;
	json_t *failed;
	bool looping;
	relay_change_done *done;
	void *ctx;
};

static void request_free(struct request *q)
{
	json_decref(q->ids);
	json_decref(q->failed);
	free(q->address);
	free(q->who);
	free(q->reason);
	free(q);
}

static void answer(struct request *q, json_t *data, const char *code, const char *text)
{
	if (data == NULL && code == NULL)
		log_fatal("out of memory: JSON");
	q->done(q->ctx, data, code, text);
	request_free(q);
}

/* ---- one message ---- */

struct change {
	struct request *of;
	char *msg;
};

static void note_change(const struct request *q, const char *msg)
{
	char text[400];

	snprintf(text, sizeof(text), "by %.120s%s%.250s", q->who, q->reason[0] ? ": " : "", q->reason);
	history_admin(q->r->history, q->verb->history, msg, q->address, text);
}

/* The admin wants it tried now: back-offs of its next hops end. */
static void wake(struct relay *r, const char *id)
{
	char *text = queue_show_json(r->queue, id, NULL);
	json_t *o = text == NULL ? NULL : json_loads(text, 0, NULL), *rc;
	size_t i;

	json_array_foreach(json_object_get(o, "recipients"), i, rc)
	{
		const char *hop = json_string_value(json_object_get(rc, "nexthop"));

		if (hop != NULL)
			relay_deliver_wake(r->deliver, hop);
	}
	json_decref(o);
	free(text);
}

static void follow_up(struct request *q, const char *msg, long n)
{
	struct relay *r = q->r;

	log_info(
	    msg, "relay", "admin=%s recipients=%ld by=\"%s\" reason=\"%s\"", q->verb->word, n, q->who, q->reason);
	if (n > 0)
		note_change(q, msg);
	if (r->stopping) /* told while the queue is closed: it must not be used */
		return;
	if (q->verb->verb == QUEUE_VERB_RETRY || q->verb->verb == QUEUE_VERB_RELEASE)
		wake(r, msg);
	relay_deliver_kick(r->deliver);
	relay_held_kick(r->held);
}

static void go_on(struct request *q);

/* Of many, one where nothing could be changed is told of as one that failed. */
static void note_one(struct request *q, const char *msg, long n, const char *why)
{
	if (n > 0) {
		q->messages++;
		q->changed += n;
	} else if (json_array_append_new(
		       q->failed, json_pack("{s:s, s:o}", "id", msg, "why", admin_json_text(why))) != 0) {
		log_fatal("out of memory: JSON");
	}
}

static void changed(void *ctx, long n, const struct problem *pr)
{
	struct change *k = ctx;
	struct request *q = k->of;

	if (n >= 0)
		follow_up(q, k->msg, n);
	if (q->ids != NULL) {
		note_one(q, k->msg, n, n < 0 ? pr->text : q->verb->nothing);
		q->running--;
		go_on(q);
	} else if (n < 0) {
		answer(q, NULL, "refused", pr->text);
	} else {
		answer(q, json_pack("{s:I}", "changed", (json_int_t)n), NULL, NULL);
	}
	free(k->msg);
	free(k);
}

static void begin(struct request *q, const char *msg)
{
	struct change *k = mem_new(sizeof(*k));

	*k = (struct change){.of = q, .msg = mem_str(msg)};
	queue_admin_begin(
	    q->r->queue, q->verb->verb, msg, q->address, q->reason[0] ? q->reason : q->who, PATIENCE_MS, changed, k);
}

/* ---- many ---- */

/* Answers may come within begin: then this is under way already. */
static void go_on(struct request *q)
{
	size_t n = json_array_size(q->ids);

	if (q->looping)
		return;
	q->looping = true;
	while (q->next < n && q->running < AT_ONCE) {
		const char *id = json_string_value(json_array_get(q->ids, q->next++));

		if (q->r->stopping) {
			note_one(q, id, 0, "the gateway stops: nothing was changed");
			continue;
		}
		q->running++;
		begin(q, id);
	}
	q->looping = false;
	if (q->running == 0 && q->next == n)
		answer(q,
		    json_pack("{s:I, s:I, s:O}", "messages", (json_int_t)q->messages, "changed", q->changed, "failed",
			q->failed),
		    NULL, NULL);
}

static const char *check_ids(const json_t *ids)
{
	const json_t *v;
	size_t i;

	if (!json_is_array(ids) || json_array_size(ids) == 0)
		return "\"ids\" is a list of queue ids: nothing is chosen";
	if (json_array_size(ids) > RELAY_CHANGE_MAX)
		return "at most 1000 messages can be chosen at a time";
	json_array_foreach(ids, i, v)
	{
		if (!json_is_string(v) || json_string_length(v) > 40)
			return "\"ids\" holds something that is no queue id";
	}
	return NULL;
}

static const char *text_arg(const json_t *args, const char *name)
{
	const char *s = json_string_value(json_object_get(args, name));

	return s == NULL ? "" : s;
}

void relay_change_begin(
    struct relay *r, const char *verb, const json_t *args, const char *who, relay_change_done *done, void *ctx)
{
	json_t *ids = json_object_get(args, "ids");
	const char *wrong = ids != NULL		      ? check_ids(ids)
			    : text_arg(args, "id")[0] ? NULL
						      : "which message? give its queue id";
	struct request *q;

	if (wrong == NULL && strlen(text_arg(args, "reason")) > REASON_MAX)
		wrong = "a reason has at most 400 octets";
	if (wrong != NULL) {
		done(ctx, NULL, "usage", wrong);
		return;
	}
	q = mem_new(sizeof(*q));
	*q = (struct request){.r = r, .verb = find(verb), .done = done, .ctx = ctx};
	REQUIRE(q->verb != NULL);
	q->address = mem_str(text_arg(args, "address"));
	q->reason = mem_str(text_arg(args, "reason"));
	q->who = mem_str(who);
	if (ids == NULL) {
		begin(q, text_arg(args, "id"));
		return;
	}
	q->ids = json_deep_copy(ids);
	q->failed = json_array();
	if (q->ids == NULL || q->failed == NULL)
		log_fatal("out of memory: JSON");
	go_on(q);
}
