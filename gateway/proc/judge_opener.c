/* Opened PKCS#12 files, see the header. One opener at a time. */
#include "gateway/proc/judge_opener.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certstore/admin_proto.h"
#include "certstore/cert_read.h"
#include "gateway/base/encode.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/judge_call.h"

enum { PERSON = 64, NUMBER = 33, CHAIN_MAX = 16 };

struct waiting {
	struct waiting *next;
	uint32_t id;
	char *request; /* JSON for the opener: a secret */
	char person[PERSON];
};
struct opened {
	char number[NUMBER], person[PERSON]; /* number "": free */
	char *key, *certs;		     /* base64; a secret */
	int64_t until;			     /* ms */
};
struct judge_opener {
	struct loop *loop;
	const struct judge_opener_ops *ops;
	struct loop_timer *timer, *tidy;
	struct waiting *first; /* the one that is being opened, and those after it */
	size_t n;
	bool gone; /* nobody waits for the first one any more */
	struct ipc_chan *chan;
	struct opened kept[JUDGE_OPENER_KEPT];
};

/* "anna (session) from ..." */
static void person(const char *who, char out[PERSON])
{
	const char *end = strstr(who, " (");

	(void)snprintf(out, PERSON, "%.*s", end ? (int)(end - who) : (int)strlen(who), who);
}

/* ---- what is kept ---- */

static void forget(struct opened *o)
{
	if (o->key)
		mem_free_secret(o->key, strlen(o->key));
	free(o->certs);
	*o = (struct opened){.until = 0};
}

static void tidy(void *ctx)
{
	struct judge_opener *j = ctx;
	int64_t now = loop_now_ms();
	bool any = false;

	for (size_t i = 0; i < JUDGE_OPENER_KEPT; i++) {
		if (j->kept[i].number[0] && j->kept[i].until <= now)
			forget(&j->kept[i]);
		any = any || j->kept[i].number[0];
	}
	if (any)
		loop_timer_set(j->tidy, 1000);
}

/* A place for one more: the oldest gives way. */
static struct opened *place(struct judge_opener *j)
{
	struct opened *old = &j->kept[0];

	for (size_t i = 0; i < JUDGE_OPENER_KEPT; i++)
		if (j->kept[i].until < old->until)
			old = &j->kept[i];
	forget(old);
	return old;
}

static char *copy(const json_t *o, const char *name)
{
	return mem_str(json_string_value(json_object_get(o, name)));
}

static json_t *facts(const char *certs_b64)
{
	json_t *a = judge_call_array();
	size_t room = strlen(certs_b64);
	uint8_t *pem = mem_new(room + 1);
	long n = encode_unb64(certs_b64, room, pem, room);
	X509 *list[CHAIN_MAX];
	struct problem pr = {0};
	int k = n > 0 ? cert_read_any(pem, (size_t)n, list, CHAIN_MAX, &pr) : 0;

	for (int i = 0; i < k; i++)
		judge_call_add(a, judge_call_facts(list[i], (int64_t)time(NULL)));
	cert_list_free(list, k > 0 ? (size_t)k : 0);
	free(pem);
	return a;
}

/* The opener's answer: kept, and told without the key. */
static char *keep(struct judge_opener *j, const struct waiting *w, const json_t *data)
{
	struct opened *o = place(j);
	json_t *said = json_object();
	uint8_t random[16];

	if (RAND_bytes(random, sizeof random) != 1)
		log_fatal("no random octets");
	encode_hex(random, sizeof random, o->number);
	memcpy(o->person, w->person, sizeof o->person);
	o->key = copy(data, "key");
	o->certs = copy(data, "certs");
	o->until = loop_now_ms() + JUDGE_OPENER_KEPT_S * 1000LL;
	loop_timer_set(j->tidy, 1000);
	admin_json_set(said, "opened", admin_json_text(o->number));
	admin_json_set(said, "certificates", facts(o->certs));
	return admin_json_ok(said);
}

/* ---- the opener ---- */

static void begin(struct judge_opener *j)
{
	if (!j->first)
		return;
	loop_timer_set(j->timer, JUDGE_OPENER_PATIENCE_MS);
	j->ops->ask();
}

/* The first one is answered; the next one may come. */
static void next(struct judge_opener *j, char *reply)
{
	struct waiting *w = j->first;

	ipc_chan_free(j->chan);
	j->chan = NULL;
	loop_timer_off(j->timer);
	if (w) {
		if (!j->gone)
			j->ops->reply(w->id, reply);
		j->first = w->next;
		j->n--;
		mem_free_secret(w->request, strlen(w->request));
		free(w);
	}
	j->gone = false;
	mem_free_secret(reply, strlen(reply));
	begin(j);
}

static void too_long(void *ctx)
{
	next(ctx, admin_json_error("refused",
		      "the PKCS#12 file could not be opened in time: export it anew (openssl pkcs12 -export), or use "
		      "\"postern domain add --pkcs12\""));
}

static void from_opener(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct judge_opener *j = ctx;
	struct admin_reply r = {.text = NULL};
	char why[640], text[700], *reply;
	json_t *data;

	(void)c;
	if (in->type != ADMIN_PROTO_REPLY || admin_reply_get(in, &r) != 0) {
		next(j, admin_json_error("unavailable", "the opener's answer cannot be read"));
		return;
	}
	for (int i = 0; i < r.nfds; i++)
		(void)close(r.fds[i]);
	data = admin_json_data(r.text, why);
	if (data && json_is_string(json_object_get(data, "key")) && json_is_string(json_object_get(data, "certs")) &&
	    !j->gone) {
		reply = keep(j, j->first, data);
	} else {
		(void)snprintf(text, sizeof text, "the PKCS#12 file: %.600s", data ? "it holds no key" : why);
		reply = admin_json_error("refused", text);
	}
	json_decref(data);
	mem_free_secret(r.text, strlen(r.text));
	next(j, reply);
}

static void opener_gone(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)c;
	(void)why;
	next(ctx, admin_json_error("refused",
		      "the PKCS#12 file: the process that opened it ended over it; export it anew (openssl pkcs12 "
		      "-export)"));
}

void judge_opener_channel(struct judge_opener *j, int fd)
{
	static const struct ipc_chan_ops ops = {from_opener, opener_gone};
	struct admin_request rq;
	struct ipc_out o;
	int made = -1;

	if (!j->first || j->chan) { /* nobody waits for it any more */
		(void)close(fd);
		return;
	}
	j->chan = ipc_chan_new(j->loop, fd, &ops, j);
	rq = (struct admin_request){.text = j->first->request};
	ipc_out_init(&o, ADMIN_PROTO_REQUEST, 1);
	if (admin_request_put(&o, &rq, &made) != 0 || ipc_chan_send(j->chan, &o) != 0)
		next(j, admin_json_error("unavailable", "the opener cannot be asked"));
	if (made >= 0)
		(void)close(made);
}

/* ---- requests ---- */

static void refuse(struct judge_opener *j, uint32_t id, const char *code, const char *text)
{
	char *reply = admin_json_error(code, text);

	j->ops->reply(id, reply);
	free(reply);
}

static void open_one(struct judge_opener *j, uint32_t id, const json_t *args, const char *who)
{
	const char *content = json_string_value(json_object_get(args, "content"));
	const char *password = json_string_value(json_object_get(args, "password"));
	struct waiting *w, **q = &j->first;
	json_t *o;

	if (!content || !content[0]) {
		refuse(j, id, "usage", "argument \"content\" is missing: the file in base64");
		return;
	}
	if (j->n >= JUDGE_OPENER_WAITING) {
		refuse(j, id, "unavailable", "other PKCS#12 files are being opened: try again in some seconds");
		return;
	}
	w = mem_new(sizeof *w);
	w->id = id;
	person(who, w->person);
	o = json_object();
	admin_json_set(o, "content", admin_json_text(content));
	admin_json_set(o, "password", admin_json_text(password ? password : ""));
	w->request = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!w->request)
		log_fatal("out of memory: JSON");
	while (*q)
		q = &(*q)->next;
	*q = w;
	if (j->n++ == 0)
		begin(j);
}

static struct opened *find(struct judge_opener *j, const char *number, const char *who)
{
	char me[PERSON];

	person(who, me);
	for (size_t i = 0; i < JUDGE_OPENER_KEPT; i++)
		if (j->kept[i].number[0] && strcmp(j->kept[i].number, number) == 0 &&
		    strcmp(j->kept[i].person, me) == 0 && j->kept[i].until > loop_now_ms())
			return &j->kept[i];
	return NULL;
}

static void go_on(struct judge_opener *j, uint32_t id, json_t *request, const char *number, const char *who)
{
	json_t *args = json_object_get(request, "args");
	struct opened *o = find(j, number, who);
	char *text;

	if (!o) {
		refuse(j, id, "not-found",
		    "the opened PKCS#12 file is no longer there: ten minutes have gone by, or it was used; send it "
		    "again");
		return;
	}
	admin_json_set(args, "mode", admin_json_text("import"));
	admin_json_set(args, "key", admin_json_text(o->key));
	admin_json_set(args, "certs", admin_json_text(o->certs));
	(void)json_object_del(args, "opened");
	forget(o);
	text = json_dumps(request, JSON_COMPACT);
	if (!text)
		log_fatal("out of memory: JSON");
	j->ops->go_on(id, text, who);
}

bool judge_opener_take(struct judge_opener *j, uint32_t id, char *text, const char *who)
{
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *args = json_object_get(o, "args");
	const char *verb = json_string_value(json_object_get(o, "verb"));
	const char *number = json_string_value(json_object_get(args, "opened"));
	bool open = verb && strcmp(verb, "pkcs12.open") == 0, mine = open || (verb && number && args);

	if (open)
		open_one(j, id, args, who);
	else if (mine)
		go_on(j, id, o, number, who);
	json_decref(o);
	if (mine)
		mem_free_secret(text, strlen(text));
	return mine;
}

void judge_opener_drop(struct judge_opener *j)
{
	struct waiting *w;

	j->gone = j->first != NULL;
	while (j->first && (w = j->first->next)) {
		j->first->next = w->next;
		j->n--;
		mem_free_secret(w->request, strlen(w->request));
		free(w);
	}
}

struct judge_opener *judge_opener_new(struct loop *l, const struct judge_opener_ops *ops)
{
	struct judge_opener *j = mem_new(sizeof *j);

	*j = (struct judge_opener){.loop = l, .ops = ops};
	j->timer = loop_timer_new(l, too_long, j);
	j->tidy = loop_timer_new(l, tidy, j);
	return j;
}
