/* Passwords, see the header. Role web: the loop's thread asks, another works. */
#include "gateway/proc/web_hash.h"

#include <argon2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

struct work {
	struct work *next;
	struct web_hash *h;
	char *password;
	uint8_t salt[WEB_HASH_SALT], key[WEB_HASH_KEY];
	uint32_t memory, passes;
	int rc;
	void (*done)(void *ctx, const uint8_t *key);
	void *ctx;
};
struct web_hash {
	struct loop *loop;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct work *first, **last;
	unsigned waiting;
};

/* Loop thread. */
static void tell(void *ctx)
{
	struct work *w = ctx;

	w->done(w->ctx, w->rc == ARGON2_OK ? w->key : NULL);
	mem_wipe(w->key, sizeof w->key);
	free(w);
}

static struct work *take(struct web_hash *h)
{
	struct work *w;

	(void)pthread_mutex_lock(&h->lock);
	while (!h->first)
		(void)pthread_cond_wait(&h->more, &h->lock);
	w = h->first;
	h->first = w->next;
	if (!h->first)
		h->last = &h->first;
	h->waiting--;
	(void)pthread_mutex_unlock(&h->lock);
	return w;
}

static void *work(void *ctx)
{
	struct web_hash *h = ctx;

	for (;;) {
		struct work *w = take(h);

		w->rc = argon2id_hash_raw(w->passes, w->memory, 1, w->password, strlen(w->password), w->salt,
		    sizeof w->salt, w->key, sizeof w->key);
		mem_free_secret(w->password, strlen(w->password));
		loop_post(h->loop, tell, w);
	}
	return NULL;
}

struct web_hash *web_hash_new(struct loop *l)
{
	struct web_hash *h = mem_new(sizeof *h);
	pthread_t t;

	*h = (struct web_hash){.loop = l, .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};
	h->last = &h->first;
	if (pthread_create(&t, NULL, work, h) != 0)
		log_fatal("no thread for passwords");
	(void)pthread_detach(t);
	return h;
}

int web_hash_ask(struct web_hash *h, const char *password, const uint8_t salt[WEB_HASH_SALT], uint32_t memory,
    uint32_t passes, void (*done)(void *ctx, const uint8_t *key), void *ctx)
{
	struct work *w;

	(void)pthread_mutex_lock(&h->lock);
	if (h->waiting >= WEB_HASH_WAITING) {
		(void)pthread_mutex_unlock(&h->lock);
		return -1;
	}
	w = mem_new(sizeof *w);
	*w = (struct work){
	    .h = h, .password = mem_str(password), .memory = memory, .passes = passes, .done = done, .ctx = ctx};
	memcpy(w->salt, salt, sizeof w->salt);
	*h->last = w;
	h->last = &w->next;
	h->waiting++;
	(void)pthread_cond_signal(&h->more);
	(void)pthread_mutex_unlock(&h->lock);
	return 0;
}
