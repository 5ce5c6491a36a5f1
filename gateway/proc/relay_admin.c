#include "gateway/proc/relay_admin.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certstore/admin_proto.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/permit.h"
#include "gateway/proc/relay_accept.h"
#include "gateway/proc/relay_alert.h"
#include "gateway/proc/relay_change.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_jobs.h"
#include "gateway/proc/relay_rcpts.h"
#include "gateway/queue/history.h"
#include "gateway/queue/history_store.h"

/* The channels to those who ask. life: answers to an older one are thrown away. */
static struct asker {
	const char *name;
	struct relay *r;
	struct ipc_chan *channel;
	unsigned life;
} askers[RELAY_ASKERS] = {{.name = "admin"}, {.name = "web"}};
/* Who asked, to be answered later. */
struct asked {
	struct asker *by;
	uint32_t id;
	unsigned life;
};
static int64_t since; /* unix s: this process serves */

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

/* {in: {sealed: n ...}, out}: recipients since this process began, as the history counts them. */
static json_t *totals(void)
{
	json_t *o = json_pack("{s:{}, s:{}}", "in", "out");
	const char *word;
	uint64_t n;

	for (size_t i = 0; (word = history_store_total(i, &n)) != NULL; i++) {
		bool in = strncmp(word, "in.", 3) == 0;

		if (json_object_set_new(
			json_object_get(o, in ? "in" : "out"), strchr(word, '.') + 1, json_integer((json_int_t)n)))
			log_fatal("out of memory: JSON");
	}
	return o;
}

/* The nodes that are known: each knows itself alone, they have nothing between them but a store. */
static json_t *nodes(const struct relay *r)
{
	return json_pack("[{s:s, s:b, s:s, s:I}]", "name", r->top->hostname, "this", 1, "state",
	    r->stopping ? "stopping" : "up", "since", (json_int_t)since);
}

static json_t *do_status(struct relay *r, const json_t *args, const char *who)
{
	struct queue_counts c = {0};
	struct problem pr = {0};

	(void)args;
	(void)who;
	if (queue_counts(r->queue, &c) != 0)
		return failure("unavailable", "the queue cannot be read");
	return success(json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:s}, s:I, s:I, s:I, s:{s:I, s:I}, s:o, s:o*}",
	    "queue", "queued", (json_int_t)c.queued, "active", (json_int_t)c.active, "held", (json_int_t)c.held,
	    "done", (json_int_t)c.done, "oldest_queued", (json_int_t)c.oldest_queued, "trouble",
	    queue_trouble(r->queue, &pr) ? pr.text : "", "sessions", (json_int_t)relay_accept_sessions(r->accept),
	    "deliveries", (json_int_t)relay_deliver_active(r->deliver), "opening", (json_int_t)r->opening, "jobs",
	    "running", (json_int_t)relay_jobs_running(r->jobs), "waiting", (json_int_t)relay_jobs_waiting(r->jobs),
	    "nodes", nodes(r), "totals", r->history != NULL ? totals() : NULL));
}

static json_t *do_alive(struct relay *r, const json_t *args, const char *who)
{
	(void)r;
	(void)args;
	(void)who;
	return success(json_object());
}

static const struct {
	const char *verb;
	json_t *(*run)(struct relay *r, const json_t *args, const char *who);
} verbs[] = {
    {"alive", do_alive},
    {"queue.list", do_list},
    {"queue.show", do_show},
    {"status", do_status},
};

static json_t *read_verb(struct relay *r, const char *verb, const json_t *args, const char *who)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].verb, verb) == 0)
			return verbs[i].run(r, args, who);
	return NULL;
}

/* Takes j. Whoever asked may be gone. */
static void reply(const struct asked *k, json_t *j)
{
	struct admin_reply rp = {.text = json_dumps(j, JSON_COMPACT)};
	struct ipc_out o;
	int made = -1;

	REQUIRE(rp.text != NULL);
	json_decref(j);
	if (k->by->channel != NULL && k->by->life == k->life) {
		ipc_out_init(&o, ADMIN_PROTO_REPLY, k->id);
		if (admin_reply_put(&o, &rp, &made) != 0) {
			ipc_out_clear(&o);
			log_warn(NULL, "relay", "cannot-answer to=%s", k->by->name);
		} else if (ipc_chan_send(k->by->channel, &o) != 0) {
			log_warn(NULL, "relay", "cannot-answer to=%s", k->by->name);
		}
		if (made >= 0)
			close(made);
	}
	free(rp.text);
}

/* A verb whose answer comes later. */
struct check {
	struct asked asked;
	struct relay_rcpts_wait *wait;
};

static void checked(void *ctx, const struct relay_rcpts_answer *a)
{
	static const char *const words[] = {"known", "unknown", "unsure", "unable"};
	struct check *k = ctx;

	reply(&k->asked, success(json_pack("{s:s, s:s, s:s, s:I, s:b, s:i, s:s, s:s}", "state", words[a->state],
			     "source", a->source, "said", a->said, "age_s", (json_int_t)(a->age / 1000), "accepted",
			     a->accepted, "code", a->accepted ? 250 : a->pr.code, "status",
			     a->accepted ? "2.1.5" : a->pr.enh, "text", a->accepted ? "" : a->pr.text)));
	free(k);
}

/* The answer to recipient.check, or NULL: it comes later. */
static json_t *check(struct relay *r, const struct asked *asked, const json_t *args)
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
	k->asked = *asked;
	if (json_is_true(json_object_get(args, "fresh")))
		relay_rcpts_ask_anew(r->rcpts, &a, checked, k, &k->wait);
	else
		relay_rcpts_ask(r->rcpts, &a, NULL, checked, k, &k->wait);
	return NULL;
}

/* ---- the history: its own thread answers ---- */

static const struct {
	const char *verb;
	enum history_question q;
} questions[] = {{"message.find", HISTORY_FIND}, {"message.show", HISTORY_SHOW}, {"message.counts", HISTORY_COUNTS}};

static void found(void *ctx, json_t *data, const struct problem *pr)
{
	struct asked *k = ctx;

	reply(
	    k, data != NULL ? success(data) : failure(pr->cls == PROBLEM_TEMP ? "unavailable" : "refused", pr->text));
	free(k);
}

/* False: it is no such verb. */
static bool ask_history(struct relay *r, const struct asked *asked, const char *verb, json_t *args)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (strcmp(questions[i].verb, verb) == 0) {
			struct asked *k = mem_new(sizeof(*k));

			*k = *asked;
			history_ask(r->history, questions[i].q, args, found, k);
			return true;
		}
	return false;
}

/* ---- changing the queue ---- */

static void changed(void *ctx, json_t *data, const char *code, const char *text)
{
	struct asked *k = ctx;

	reply(k, data != NULL ? success(data) : failure(code, text));
	free(k);
}

/* False: it is no such verb. */
static bool ask_change(
    struct relay *r, const struct asked *asked, const char *verb, const json_t *args, const char *who)
{
	struct asked *k;

	if (!relay_change_is(verb))
		return false;
	k = mem_new(sizeof(*k));
	*k = *asked;
	relay_change_begin(r, verb, args, who, changed, k);
	return true;
}

static json_t *tell_alerts(struct relay *r, const json_t *args)
{
	struct problem pr = {0};
	long n = relay_alert_tell(r, json_object_get(args, "alerts"), &pr);

	return n < 0 ? failure("unavailable", pr.text) : success(json_pack("{s:I}", "told", (json_int_t)n));
}

/* What viewers may ask: figures. */
static bool is_figures(const char *verb)
{
	return strcmp(verb, "status") == 0 || strcmp(verb, "message.counts") == 0;
}

/* The web process asks with the judge's permit; only whether the relay answers may be asked without. */
static json_t *without_permit(const struct admin_request *rq, const json_t *o)
{
	const char *why, *verb = text_arg(o, "verb");

	if (strcmp(verb, "alive") == 0 ||
	    permit_use(text_arg(o, "permit"), is_figures(verb) ? PERMIT_OFTEN : PERMIT_ONCE, verb,
		json_object_get(o, "args"), rq->who, time(NULL), &why) == 0)
		return NULL;
	return failure("forbidden", why);
}

/* NULL: the answer comes later. */
static json_t *run_verb(struct relay *r, const struct asked *asked, const struct admin_request *rq)
{
	json_t *o = json_loads(rq->text, JSON_REJECT_DUPLICATES, NULL), *res = NULL;
	const char *verb = text_arg(o, "verb");

	if (asked->by == &askers[RELAY_WEB] && (res = without_permit(rq, o)) != NULL) {
		json_decref(o);
		return res;
	}
	if (strcmp(verb, "recipient.check") == 0) {
		res = check(r, asked, json_object_get(o, "args"));
		json_decref(o);
		return res;
	}
	if (ask_history(r, asked, verb, json_object_get(o, "args"))) {
		json_decref(o);
		return NULL;
	}
	if (strcmp(verb, "alert.tell") == 0) {
		res = tell_alerts(r, json_object_get(o, "args"));
		json_decref(o);
		return res;
	}
	if (ask_change(r, asked, verb, json_object_get(o, "args"), rq->who)) {
		json_decref(o);
		return NULL;
	}
	res = read_verb(r, verb, json_object_get(o, "args"), rq->who);
	json_decref(o);
	return res != NULL ? res : failure("unknown", "the relay does not know this verb");
}

/* Answers that wait for the web process before it is given up. */
enum { WEB_UNREAD_MAX = 16 * 1024 * 1024 };

static void on_msg(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct asker *by = ctx;
	struct asked asked = {by, in->id, by->life};
	struct admin_request rq;
	json_t *j;

	if (by == &askers[RELAY_WEB] && ipc_chan_waiting(c) > WEB_UNREAD_MAX) {
		log_error(NULL, "relay", "alarm=web why=\"the web process asks and does not read the answers\"");
		ipc_chan_free(c);
		by->channel = NULL;
		return;
	}
	if (in->type != ADMIN_PROTO_REQUEST || admin_request_get(in, &rq) != 0) {
		if (by == &askers[RELAY_ADMIN])
			log_fatal("the admin process sent a request that cannot be read");
		/* it speaks to strangers: its end, not ours */
		log_error(NULL, "relay", "alarm=web why=\"the web process sent a request that cannot be read\"");
		ipc_chan_free(by->channel);
		by->channel = NULL;
		return;
	}
	j = run_verb(by->r, &asked, &rq);
	if (j != NULL)
		reply(&asked, j);
	free(rq.text);
}

static void on_close(void *ctx, struct ipc_chan *c, const char *why)
{
	struct asker *by = ctx;

	(void)why;
	ipc_chan_free(c);
	by->channel = NULL;
}

void relay_admin_channel(struct relay *r, enum relay_asker who, int fd)
{
	static const struct ipc_chan_ops ops = {on_msg, on_close};
	struct asker *by = &askers[who];

	ipc_chan_free(by->channel);
	by->life++;
	if (since == 0)
		since = time(NULL);
	by->r = r;
	by->channel = ipc_chan_new(r->loop, fd, &ops, by);
}

void relay_admin_free(struct relay *r)
{
	(void)r;
	for (int i = 0; i < RELAY_ASKERS; i++) {
		ipc_chan_free(askers[i].channel);
		askers[i].channel = NULL;
	}
}
