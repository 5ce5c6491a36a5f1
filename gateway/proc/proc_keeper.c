/*
 * Role keeper.
 * holds:   the private keys, the queue's key-encryption key
 * may:     answer relay, sealers and judge on its socketpairs; hand sealed key files to the parent
 * accepts: requests of gateway/keys/keeper_proto.h; from the parent key files, the master file, the passphrase, new
 * peers never:   network, files, message content, exec, ptrace
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keeper.h"
#include "gateway/keys/keeper_proto.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/proc.h"
#include "gateway/proc/public_settings.h"
#include "gateway/proc/web_settings.h"

struct file {
	struct file *next;
	char name[128];
	size_t n;
	uint8_t p[];
};
/* A key file a worker wants to be made durable, or removed (p NULL): the main thread asks the parent, the worker
 * waits. */
struct put {
	struct put *next;
	uint32_t id;
	const char *name;
	const void *p;
	size_t n;
	bool sent, answered, ok;
	char text[640];
};
static struct {
	struct child *child;
	struct loop *loop;
	struct keeper *keeper;
	struct file *files, *master;
	bool unsealed, making_master;
	struct buf new_master, passphrase;
	unsigned keys;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct put *puts;
	uint32_t next_id;
	pthread_t server;
	int probe_fd;
	struct ipc_chan *probe; /* a client of our own service: the parent asks through it whether it answers */
} me = {.lock = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};

/* At least two threads: making an RSA key takes one for a minute or two, and the others must be answered. */
enum { MASTER_ID = 0, SERVER_THREADS_MIN = 2, SERVER_THREADS_MAX = 64 };

/* ---- to the parent ---- */

static void tell_state(void)
{
	struct control_state st = {me.unsealed ? KEYS_READY : KEYS_SEALED, me.keys};
	struct ipc_out o;

	ipc_out_init(&o, CONTROL_STATE, 0);
	control_state_put(&o, &st);
	child_tell(me.child, &o);
}

static void tell_file(uint32_t id, const char *name, const void *p, size_t n)
{
	struct control_file f = {.p = p, .n = n};
	struct ipc_out o;

	if (mem_copy_str(f.name, sizeof(f.name), name) != 0)
		log_panic("key file name too long");
	ipc_out_init(&o, p != NULL ? CONTROL_KEYFILE_PUT : CONTROL_KEYFILE_DROP, id);
	control_file_put(&o, &f);
	child_tell(me.child, &o);
}

static void send_puts(void *ctx)
{
	(void)ctx;
	pthread_mutex_lock(&me.lock);
	for (struct put *w = me.puts; w != NULL; w = w->next)
		if (!w->sent) {
			tell_file(w->id, w->name, w->p, w->n);
			w->sent = true;
		}
	pthread_mutex_unlock(&me.lock);
}

static void tell_state_soon(void *ctx)
{
	(void)ctx;
	tell_state();
}

/* In a worker's thread. */
static int persist(void *ctx, const char *name, const void *p, size_t n, struct problem *pr)
{
	struct put w = {.name = name, .p = p, .n = n};

	(void)ctx;
	pthread_mutex_lock(&me.lock);
	w.id = ++me.next_id;
	w.next = me.puts;
	me.puts = &w;
	loop_post(me.loop, send_puts, NULL);
	while (!w.answered)
		pthread_cond_wait(&me.answered, &me.lock);
	for (struct put **q = &me.puts; *q != NULL; q = &(*q)->next)
		if (*q == &w) {
			*q = w.next;
			break;
		}
	/* a new one is added only when its file is durable; one that goes has gone already */
	me.keys = keeper_count(me.keeper) + (p != NULL && w.ok);
	pthread_mutex_unlock(&me.lock);
	loop_post(me.loop, tell_state_soon, NULL);
	return w.ok ? 0
		    : problem_temp(pr, "the key file could not be %s: %s", p != NULL ? "written" : "removed", w.text);
}

/* ---- unsealing ---- */

/* Once: their octets are not kept, or a key that is forgotten later could be had from them. */
static void load_all(void)
{
	struct problem pr = {0};

	for (struct file *f; (f = me.files) != NULL; free(f)) {
		me.files = f->next;
		problem_clear(&pr);
		if (keeper_load(me.keeper, f->name, f->p, f->n, &pr) == 0)
			me.keys++;
		else
			log_error(NULL, "keeper", "alarm=key-file name=%s why=\"%s\"", f->name, pr.text);
	}
}

static void unseal(const void *master, size_t n)
{
	struct problem pr = {0};

	if (keeper_unseal(me.keeper, me.passphrase.p, me.passphrase.len, master, n, &pr) != 0) {
		log_error(NULL, "keeper", "alarm=unseal why=\"%s\"", pr.text);
	} else {
		me.unsealed = true;
		load_all();
	}
	buf_clear(&me.passphrase);
	tell_state();
}

static void got_passphrase(const struct control_file *f)
{
	struct problem pr = {0};

	if (me.unsealed || me.making_master)
		return;
	buf_init(&me.passphrase, 4096);
	if (buf_add(&me.passphrase, f->p, f->n) != 0)
		return;
	if (me.master != NULL) {
		unseal(me.master->p, me.master->n);
		return;
	}
	buf_init(&me.new_master, CONTROL_FILE_MAX);
	if (keeper_master_new(me.passphrase.p, me.passphrase.len, &me.new_master, &pr) != 0) {
		log_error(NULL, "keeper", "alarm=master why=\"%s\"", pr.text);
		tell_state();
		return;
	}
	me.making_master =
	    true; /* unsealed only when it is durable: else keys would be sealed with what may be lost */
	tell_file(MASTER_ID, "master", me.new_master.p, me.new_master.len);
}

static void got_ack(uint32_t id, const struct control_ack *a)
{
	if (id == MASTER_ID) {
		me.making_master = false;
		if (a->ok)
			unseal(me.new_master.p, me.new_master.len);
		else {
			log_error(NULL, "keeper", "alarm=master why=\"%s\"", a->text);
			tell_state();
		}
		buf_clear(&me.new_master);
		return;
	}
	pthread_mutex_lock(&me.lock);
	for (struct put *w = me.puts; w != NULL; w = w->next)
		if (w->id == id) {
			w->ok = a->ok;
			memcpy(w->text, a->text, sizeof(w->text));
			w->answered = true;
		}
	pthread_cond_broadcast(&me.answered);
	pthread_mutex_unlock(&me.lock);
}

/* ---- from the parent ---- */

static struct file *keep(const struct control_file *f)
{
	struct file *k = mem_new(sizeof(*k) + f->n);

	memcpy(k->name, f->name, sizeof(k->name));
	memcpy(k->p, f->p, f->n);
	k->n = f->n;
	return k;
}

static void attach(const struct control_peer *p)
{
	if (p->role == ROLE_RELAY)
		keeper_attach(me.keeper, p->fd, KEEPER_FOR_RELAY);
	else if (p->role == ROLE_SEALER)
		keeper_attach(me.keeper, p->fd, KEEPER_FOR_SEALER);
	else if (p->role == ROLE_JUDGE)
		keeper_attach(me.keeper, p->fd, KEEPER_FOR_JUDGE);
	else if (p->role == ROLE_PUBLIC)
		keeper_attach(me.keeper, p->fd, KEEPER_FOR_PUBLIC);
	else if (p->role == ROLE_WEB)
		keeper_attach(me.keeper, p->fd, KEEPER_FOR_WEB);
	else
		log_fatal("the parent connected a role that has no business here");
}

static void setup_once(struct child *c)
{
	if (me.keeper != NULL)
		return;
	me.child = c;
	me.keeper = keeper_new(persist, NULL);
	keeper_https_host(me.keeper, KEEPER_FOR_PUBLIC, public_settings_host(c->conf));
	keeper_https_host(me.keeper, KEEPER_FOR_WEB, web_settings_host(c->conf));

	int fds[2];

	if (ipc_pair(fds) != 0)
		log_fatal("no socketpair");
	keeper_attach(me.keeper, fds[1], KEEPER_FOR_RELAY);
	me.probe_fd = fds[0];
}

/* ---- does the service answer? ---- */

static void ping(uint32_t id)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_STATUS, .seq = id};
	struct ipc_out o;

	if (me.probe == NULL)
		return;
	if (keeper_proto_put_request(&o, &rq) != 0)
		log_panic("a status request does not fit");
	if (ipc_chan_send(me.probe, &o) != 0)
		log_error(NULL, "keeper", "alarm=probe why=\"our own service cannot be asked\"");
}

static void probe_answered(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct keeper_reply rp;
	struct ipc_out o;

	(void)ctx;
	(void)c;
	if (keeper_proto_get_reply(in, &rp) != 0)
		return;
	ipc_out_init(&o, CONTROL_PONG, rp.seq);
	child_tell(me.child, &o);
}

static void probe_closed(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)ctx;
	(void)why;
	ipc_chan_free(c);
	me.probe = NULL;
}

static const struct ipc_chan_ops probe_ops = {probe_answered, probe_closed};

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;
	struct control_file f;
	struct control_ack a;
	uint32_t id = in->id;

	setup_once(c);
	switch (in->type) {
	case CONTROL_PEER:
		if (control_peer_get(in, &p) != 0)
			return -1;
		attach(&p);
		return 0;
	case CONTROL_KEYFILE_ACK:
		if (control_ack_get(in, &a) != 0)
			return -1;
		got_ack(id, &a);
		return 0;
	case CONTROL_STOP:
		loop_stop(me.loop);
		return 0;
	case CONTROL_PING:
		ping(id);
		return 0;
	default:
		break;
	}
	if (in->type != CONTROL_KEYFILE && in->type != CONTROL_MASTER && in->type != CONTROL_PASSPHRASE)
		return -1;
	if (control_file_get(in, &f) != 0)
		return -1;
	if (in->type == CONTROL_PASSPHRASE) {
		got_passphrase(&f);
	} else if (in->type == CONTROL_MASTER) {
		me.master = keep(&f);
	} else {
		struct file *k = keep(&f);

		k->next = me.files;
		me.files = k;
	}
	return 0;
}

static void *serve(void *ctx)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	(void)ctx;
	keeper_run(me.keeper, cores < SERVER_THREADS_MIN   ? SERVER_THREADS_MIN
			      : cores > SERVER_THREADS_MAX ? SERVER_THREADS_MAX
							   : (int)cores);
	return NULL;
}

static int run(struct child *c)
{
	const struct sandbox s = {.net = SANDBOX_NET_NONE, .threads = true};

	setup_once(c);
	me.loop = loop_new();
	child_control(c, me.loop, &proc_keeper_role);
	me.probe = ipc_chan_new(me.loop, me.probe_fd, &probe_ops, NULL);
	child_sandbox(c, &s);
	if (pthread_create(&me.server, NULL, serve, NULL) != 0)
		log_fatal("no thread");
	tell_state();
	child_ready(c);
	loop_run(me.loop);
	ipc_chan_free(me.probe);
	keeper_stop(me.keeper);
	pthread_join(me.server, NULL);
	keeper_free(me.keeper);
	return 0;
}

const struct child_role proc_keeper_role = {message, run};
