#include "gateway/proc/relay_admin.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certstore/admin_proto.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_accept.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_held.h"
#include "gateway/proc/relay_jobs.h"
#include "gateway/proc/relay_rcpts.h"

enum { PATIENCE_MS = 4000 }; /* for the writer to begin with a change; less than it waits for a lock */

static struct ipc_chan *channel;
static unsigned life; /* of the channel: answers to an older one are thrown away */

static json_t *failure(const char *code, const char *text)
{
	return json_pack("{s:b, s:{s:s, s:s}}", "ok", 0, "error", "code", code, "text", text);
}

/* Takes data. */
static json_t *success(json_t *data)
{
	return data == NULL ? failure("internal", "the answer could not be made")
			    : json_pack("{s:b, s:o}", "ok", 1, "data", data);
}

static const char *text_arg(const json_t *args, const char *name)
{
	const char *s = json_string_value(json_object_get(args, name));

	return s == NULL ? "" : s;
}

static json_t *parsed(char *text, const char *name, const struct problem *pr)
{
	json_t *j;

	if (text == NULL)
		return failure("refused", pr->text);
	j = json_loads(text, 0, NULL);
	free(text);
	return success(name == NULL ? j : json_pack("{s:o}", name, j));
}

static json_t *do_list(struct relay *r, const json_t *args, const char *who)
{
	struct problem pr = {0};
	json_int_t before = json_integer_value(json_object_get(args, "before")),
		   max = json_integer_value(json_object_get(args, "max"));
	const char *state = text_arg(args, "state"), *match = text_arg(args, "match");

	(void)who;
	if (max <= 0 || max > 1000)
		max = 100;
	return parsed(queue_list_json(r->queue, state[0] ? state : NULL, match[0] ? match : NULL,
			  before > 0 ? before : INT64_MAX, (size_t)max, &pr),
	    "messages", &pr);
}

static json_t *do_show(struct relay *r, const json_t *args, const char *who)
{
	struct problem pr = {0};

	(void)who;
	return parsed(queue_show_json(r->queue, text_arg(args, "id"), &pr), NULL, &pr);
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

static json_t *do_status(struct relay *r, const json_t *args, const char *who)
{
	struct queue_counts c = {0};
	struct problem pr = {0};

	(void)args;
	(void)who;
	if (queue_counts(r->queue, &c) != 0)
		return failure("unavailable", "the queue cannot be read");
	return success(json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:s}, s:I, s:I, s:I, s:{s:I, s:I}}", "queue", "queued",
	    (json_int_t)c.queued, "active", (json_int_t)c.active, "held", (json_int_t)c.held, "done",
	    (json_int_t)c.done, "oldest_queued", (json_int_t)c.oldest_queued, "trouble",
	    queue_trouble(r->queue, &pr) ? pr.text : "", "sessions", (json_int_t)relay_accept_sessions(r->accept),
	    "deliveries", (json_int_t)relay_deliver_active(r->deliver), "opening", (json_int_t)r->opening, "jobs",
	    "running", (json_int_t)relay_jobs_running(r->jobs), "waiting", (json_int_t)relay_jobs_waiting(r->jobs)));
}

static const struct {
	const char *verb;
	json_t *(*run)(struct relay *r, const json_t *args, const char *who);
} verbs[] = {
    {"queue.list", do_list},
    {"queue.show", do_show},
    {"status", do_status},
};

/* Takes j. */
static void reply(uint32_t id, json_t *j)
{
	struct admin_reply rp = {.text = json_dumps(j, JSON_COMPACT)};
	struct ipc_out o;
	int made = -1;

	REQUIRE(rp.text != NULL);
	ipc_out_init(&o, ADMIN_PROTO_REPLY, id);
	if (admin_reply_put(&o, &rp, &made) != 0 || ipc_chan_send(channel, &o) != 0)
		log_warn(NULL, "relay", "cannot-answer to=admin");
	if (made >= 0)
		close(made);
	free(rp.text);
	json_decref(j);
}

/* A verb whose answer comes later. */
struct check {
	uint32_t id;
	unsigned life;
	struct relay_rcpts_wait *wait;
};

static void checked(void *ctx, const struct relay_rcpts_answer *a)
{
	static const char *const words[] = {"known", "unknown", "unsure", "unable"};
	struct check *k = ctx;

	if (k->life == life && channel != NULL)
		reply(k->id, success(json_pack("{s:s, s:s, s:s, s:I, s:b, s:i, s:s, s:s}", "state", words[a->state],
				 "source", a->source, "said", a->said, "age_s", (json_int_t)(a->age / 1000),
				 "accepted", a->accepted, "code", a->accepted ? 250 : a->pr.code, "status",
				 a->accepted ? "2.1.5" : a->pr.enh, "text", a->accepted ? "" : a->pr.text)));
	free(k);
}

/* The answer to recipient.check, or NULL: it comes later. */
static json_t *check(struct relay *r, uint32_t id, const json_t *args)
{
	const char *text = text_arg(args, "address");
	struct problem pr = {0};
	struct address a;
	struct check *k;

	if (address_parse_utf8(text, strlen(text), &a, &pr) != 0)
		return failure("usage", pr.text);
	if (conf_domain_find(r->conf, a.domain) == NULL)
		return failure("refused", "the address is not of a domain served here");
	k = mem_new(sizeof(*k));
	k->id = id;
	k->life = life;
	if (json_is_true(json_object_get(args, "fresh")))
		relay_rcpts_ask_anew(r->rcpts, &a, checked, k, &k->wait);
	else
		relay_rcpts_ask(r->rcpts, &a, NULL, checked, k, &k->wait);
	return NULL;
}

/* ---- changing the queue: the writer's thread does it, and the loop does not wait ---- */

struct change {
	struct relay *r;
	uint32_t id;
	unsigned life;
	const struct change_verb *verb;
	char *msg, *who, *reason;
};
static const struct change_verb {
	const char *name, *word;
	enum queue_verb verb;
} changes[] = {
    {"queue.hold", "hold", QUEUE_VERB_HOLD},
    {"queue.release", "release", QUEUE_VERB_RELEASE},
    {"queue.retry", "retry", QUEUE_VERB_RETRY},
    {"queue.delete", "delete", QUEUE_VERB_DELETE},
};

static void changed(void *ctx, long n, const struct problem *pr)
{
	struct change *k = ctx;
	struct relay *r = k->r;

	if (n >= 0) {
		log_info(k->msg, "relay", "admin=%s recipients=%ld by=\"%s\" reason=\"%s\"", k->verb->word, n, k->who,
		    k->reason);
	}
	if (n >= 0 && !r->stopping) { /* told while the queue is closed: it must not be used */
		if (k->verb->verb == QUEUE_VERB_RETRY || k->verb->verb == QUEUE_VERB_RELEASE)
			wake(r, k->msg);
		relay_deliver_kick(r->deliver);
		relay_held_kick(r->held);
	}
	if (k->life == life && channel != NULL)
		reply(k->id,
		    n < 0 ? failure("refused", pr->text) : success(json_pack("{s:I}", "changed", (json_int_t)n)));
	free(k->msg);
	free(k->who);
	free(k->reason);
	free(k);
}

static json_t *change(
    struct relay *r, uint32_t id, const struct change_verb *verb, const json_t *args, const char *who)
{
	const char *msg = text_arg(args, "id"), *address = text_arg(args, "address"),
		   *reason = text_arg(args, "reason");
	struct change *k;

	if (msg[0] == '\0')
		return failure("usage", "which message? give its queue id");
	k = mem_new(sizeof(*k));
	*k = (struct change){.r = r, .id = id, .life = life, .verb = verb};
	k->msg = mem_str(msg);
	k->who = mem_str(who);
	k->reason = mem_str(reason);
	queue_admin_begin(r->queue, verb->verb, msg, address, reason[0] ? reason : who, PATIENCE_MS, changed, k);
	return NULL;
}

/* NULL: the answer comes later. */
static json_t *run_verb(struct relay *r, uint32_t id, const struct admin_request *rq)
{
	json_t *o = json_loads(rq->text, JSON_REJECT_DUPLICATES, NULL), *res = NULL;
	const char *verb = text_arg(o, "verb");

	if (strcmp(verb, "recipient.check") == 0) {
		res = check(r, id, json_object_get(o, "args"));
		json_decref(o);
		return res;
	}
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (strcmp(changes[i].name, verb) == 0) {
			res = change(r, id, &changes[i], json_object_get(o, "args"), rq->who);
			json_decref(o);
			return res;
		}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && res == NULL; i++)
		if (strcmp(verbs[i].verb, verb) == 0)
			res = verbs[i].run(r, json_object_get(o, "args"), rq->who);
	json_decref(o);
	return res != NULL ? res : failure("unknown", "the relay does not know this verb");
}

static void on_msg(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct admin_request rq;
	uint32_t id = in->id;
	json_t *j;

	(void)c;
	if (in->type != ADMIN_PROTO_REQUEST || admin_request_get(in, &rq) != 0)
		log_fatal("the admin process sent a request that cannot be read");
	j = run_verb(ctx, id, &rq);
	if (j != NULL)
		reply(id, j);
	free(rq.text);
}

static void on_close(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)ctx;
	(void)why;
	ipc_chan_free(c);
	channel = NULL;
}

static const struct ipc_chan_ops ops = {on_msg, on_close};

void relay_admin_channel(struct relay *r, int fd)
{
	ipc_chan_free(channel);
	life++;
	channel = ipc_chan_new(r->loop, fd, &ops, r);
}

void relay_admin_free(struct relay *r)
{
	(void)r;
	ipc_chan_free(channel);
	channel = NULL;
}
