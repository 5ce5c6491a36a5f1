/*
 * The keeper: its life, its channels and its threads. Role keeper, or a thread of a test. Not here: what a request
 * may do (keeper_serve.c), the parent's side (key files from and to disk).
 *
 * Threads: one epoll for all channels, each armed for one event: the thread that gets it reads one packet, answers it
 * whole and arms the channel again. So a channel is with one thread at a time, a client cannot occupy two, and no
 * lock is held while a key works. A client that sends something malformed is broken or taken over: its channel is
 * closed and logged, nobody else notices. One that does not take its answer within a second loses its channel as
 * well, or a few such clients would hold all threads.
 */
#include "gateway/keys/keeper.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gateway/base/ipc.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keeper_serve.h"

enum {
	ANSWER_MS = 1000,
	ARENA = 4 << 20, /* octets of locked memory for private numbers: some 1,500 RSA-4096 keys */
	ARENA_LEAST = 32,
	THREADS_MAX = 256,
};

struct channel {
	struct keeper *k;
	struct channel *prev, *next;
	int fd;
	enum keeper_client who;
};

struct keeper {
	struct keeper_serve serve;
	int epoll;
	int stop;	      /* eventfd: readable from keeper_stop on */
	pthread_mutex_t lock; /* the list of channels */
	struct channel *channels;
};

/* What one thread works with. */
struct worker {
	struct keeper *k;
	struct buf store; /* the request */
	struct buf data;  /* the reply's octets */
};

/*
 * libcrypto puts the numbers of private keys into this arena: locked, not dumped, between guard pages, wiped. It
 * exists once in a process. The random generator and the configuration are touched here so that nothing is opened
 * after the sandbox is closed.
 */
static void warm_up(void)
{
	uint8_t some[16];

	if (!CRYPTO_secure_malloc_initialized() && CRYPTO_secure_malloc_init(ARENA, ARENA_LEAST) != 1)
		log_warn(NULL, "keeper",
		    "memory-not-locked why=\"private keys could get into swap: raise the limit of locked memory to "
		    "%d KiB\"",
		    ARENA / 1024 + 64);
	if (RAND_bytes(some, sizeof(some)) != 1 || RAND_priv_bytes(some, sizeof(some)) != 1)
		log_fatal("no random numbers");
}

struct keeper *keeper_new(
    int (*persist)(void *ctx, const char *name, const void *p, size_t n, struct problem *pr), void *ctx)
{
	struct keeper *k = mem_new(sizeof(*k));
	struct epoll_event ev = {.events = EPOLLIN};

	warm_up();
	k->serve.keys = keeper_keys_set_new();
	k->serve.persist = persist;
	k->serve.ctx = ctx;
	REQUIRE(pthread_mutex_init(&k->serve.storing, NULL) == 0);
	REQUIRE(pthread_mutex_init(&k->lock, NULL) == 0);
	k->epoll = epoll_create1(EPOLL_CLOEXEC);
	k->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->epoll < 0 || k->stop < 0 || epoll_ctl(k->epoll, EPOLL_CTL_ADD, k->stop, &ev) < 0)
		log_fatal("keeper: epoll: %s", strerror(errno));
	return k;
}

static void channel_close(struct channel *c)
{
	struct keeper *k = c->k;

	pthread_mutex_lock(&k->lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		k->channels = c->next;
	if (c->next)
		c->next->prev = c->prev;
	pthread_mutex_unlock(&k->lock);
	close(c->fd); /* also leaves the epoll */
	free(c);
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	for (struct channel *c = k->channels, *next; c; c = next) {
		next = c->next;
		channel_close(c);
	}
	close(k->epoll);
	close(k->stop);
	keeper_keys_set_free(k->serve.keys);
	keeper_serve_clear(&k->serve);
	keeper_files_secrets_free(k->serve.secrets);
	pthread_mutex_destroy(&k->serve.storing);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

int keeper_master_new(const void *passphrase, size_t n, struct buf *file_r, struct problem *pr)
{
	return keeper_files_master_make(passphrase, n, file_r, pr);
}

int keeper_unseal(
    struct keeper *k, const void *passphrase, size_t n, const void *master_file, size_t master_n, struct problem *pr)
{
	struct keeper_secrets *s, *none = NULL;

	s = keeper_files_master_open(passphrase, n, master_file, master_n, pr);
	if (!s)
		return -1;
	if (atomic_compare_exchange_strong(&k->serve.secrets, &none, s))
		return 0;
	keeper_files_secrets_free(s);
	return problem_perm(pr, "The keeper is unsealed already");
}

int keeper_load(struct keeper *k, const char *name, const void *p, size_t n, struct problem *pr)
{
	struct keeper_key *key;

	if (!k->serve.secrets)
		return problem_temp(pr, "%.80s cannot be opened: the keeper is sealed", name);
	key = keeper_files_open(k->serve.secrets, name, p, n, pr);
	if (!key)
		return -1;
	if (keeper_serve_add(&k->serve, key, pr) == 0)
		return 0;
	keeper_keys_unref(key);
	return -1;
}

unsigned keeper_count(const struct keeper *k)
{
	return keeper_keys_count(k->serve.keys);
}

void keeper_https_host(struct keeper *k, enum keeper_client who, const char *host)
{
	if (mem_copy_str(k->serve.hosts[who], sizeof(k->serve.hosts[who]), host) < 0)
		k->serve.hosts[who][0] = '\0';
}

void keeper_attach(struct keeper *k, int fd, enum keeper_client who)
{
	struct channel *c = mem_new(sizeof(*c));
	struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = c};

	*c = (struct channel){.k = k, .fd = fd, .who = who};
	pthread_mutex_lock(&k->lock);
	c->next = k->channels;
	if (c->next)
		c->next->prev = c;
	k->channels = c;
	pthread_mutex_unlock(&k->lock);
	if (epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		log_error(
		    NULL, "keeper", "attach-failed client=%s why=\"%s\"", keeper_serve_client(who), strerror(errno));
		channel_close(c);
	}
}

/* 0, or why the channel must be closed. */
static const char *answer(struct worker *w, struct channel *c, struct ipc_in *in)
{
	struct keeper_request rq;
	struct keeper_reply rp;
	struct ipc_out o;
	const char *why = NULL;

	if (keeper_proto_get_request(in, &rq) < 0)
		return "malformed request";
	keeper_serve(&w->k->serve, c->who, &rq, &w->data, &rp);
	if (keeper_proto_put_reply(&o, &rp) < 0)
		why = "the answer is out of limits";
	else if (ipc_send(c->fd, &o, ANSWER_MS) < 0)
		why = "the client does not take its answer";
	ipc_out_clear(&o);
	buf_reset(&w->data);
	mem_wipe(&rp, sizeof(rp));
	return why;
}

/* One packet of a channel that is readable. */
static void serve_one(struct worker *w, struct channel *c)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = c};
	const char *why = NULL;
	struct ipc_in in;
	int r = ipc_recv(c->fd, &w->store, &in, 0);

	if (r == 0) {
		log_debug(NULL, "keeper", "client-gone client=%s", keeper_serve_client(c->who));
		channel_close(c);
		return;
	}
	if (r > 0)
		why = answer(w, c, &in);
	else if (errno != ETIMEDOUT)
		why = errno == EBADMSG ? "malformed packet" : strerror(errno);
	buf_reset(&w->store);
	/* once armed, another thread may already serve or even free c */
	if (!why && epoll_ctl(w->k->epoll, EPOLL_CTL_MOD, c->fd, &ev) == 0)
		return;
	log_error(NULL, "keeper", "channel-closed client=%s why=\"%s\"", keeper_serve_client(c->who),
	    why ? why : strerror(errno));
	channel_close(c);
}

static void *work(void *arg)
{
	struct worker w = {.k = arg};
	struct epoll_event ev;

	buf_init(&w.store, IPC_PACKET_MAX);
	buf_init(&w.data, KEEPER_REPLY_MAX);
	for (;;) {
		int n = epoll_wait(w.k->epoll, &ev, 1, -1);

		if (n < 0 && errno != EINTR)
			log_fatal("keeper: epoll: %s", strerror(errno));
		if (n == 1 && !ev.data.ptr) /* keeper_stop: stays readable, so that every thread sees it */
			break;
		if (n == 1)
			serve_one(&w, ev.data.ptr);
	}
	buf_clear(&w.store);
	buf_clear(&w.data);
	return NULL;
}

void keeper_run(struct keeper *k, int nthreads)
{
	pthread_t threads[THREADS_MAX];
	eventfd_t drained;
	int n = 0;

	while (n < nthreads - 1 && n < THREADS_MAX) {
		int err = pthread_create(&threads[n], NULL, work, k);

		if (err)
			log_fatal("keeper: thread: %s", strerror(err));
		n++;
	}
	work(k);
	while (n > 0)
		pthread_join(threads[--n], NULL);
	if (eventfd_read(k->stop, &drained) < 0 && errno != EAGAIN) /* ready for another keeper_run */
		log_error(NULL, "keeper", "stop why=\"%s\"", strerror(errno));
}

void keeper_stop(struct keeper *k)
{
	if (eventfd_write(k->stop, 1) < 0 && errno != EAGAIN)
		log_fatal("keeper: stop: %s", strerror(errno));
}
