/* Finished transactions on their way to the loop: one wake-up of the loop for a whole group. relay. */
#include "gateway/queue/queue_box.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "gateway/base/mem.h"

struct queue_box {
	pthread_mutex_t lock;
	struct loop *loop;
	struct queue_item *first, **end;
	bool posted; /* the loop has a call of ours to make, which still points here */
	bool closed;
};

struct queue_box *queue_box_new(struct loop *loop)
{
	struct queue_box *box = mem_new(sizeof *box);

	pthread_mutex_init(&box->lock, NULL);
	box->loop = loop;
	box->end = &box->first;
	return box;
}

static void finish(struct queue_item *it)
{
	if (it->done)
		it->done(it->ctx, it->err, it->err ? NULL : it->rows, it->err ? 0 : it->nrows, it->pr);
	queue_item_free(it);
}

static struct queue_item *take(struct queue_box *box)
{
	pthread_mutex_lock(&box->lock);

	struct queue_item *it = box->first;

	if (it && !(box->first = it->next))
		box->end = &box->first;
	pthread_mutex_unlock(&box->lock);
	return it;
}

static size_t count(struct queue_box *box)
{
	size_t n = 0;

	pthread_mutex_lock(&box->lock);
	for (struct queue_item *it = box->first; it; it = it->next)
		n++;
	pthread_mutex_unlock(&box->lock);
	return n;
}

static void destroy(struct queue_box *box)
{
	pthread_mutex_destroy(&box->lock);
	free(box);
}

/*
 * What is there now and no more, so that sessions get their turn; the rest in another call. One item at a time: a
 * done may close the queue, which then empties the box itself and leaves it to us, because `posted` is still set.
 */
static void deliver(void *ctx)
{
	struct queue_box *box = ctx;
	struct queue_item *it;

	for (size_t n = count(box); n && (it = take(box)); n--)
		finish(it);
	pthread_mutex_lock(&box->lock);

	bool more = box->first && !box->closed, closed = box->closed;

	box->posted = more;
	pthread_mutex_unlock(&box->lock);
	if (more)
		loop_post(box->loop, deliver, box);
	if (closed)
		destroy(box);
}

void queue_box_put(struct queue_box *box, struct queue_item *first)
{
	if (!first)
		return;
	pthread_mutex_lock(&box->lock);
	*box->end = first;
	while (first->next)
		first = first->next;
	box->end = &first->next;

	bool post = !box->posted;

	box->posted = true;
	pthread_mutex_unlock(&box->lock);
	if (post)
		loop_post(box->loop, deliver, box);
}

void queue_box_close(struct queue_box *box)
{
	struct queue_item *it;

	if (!box)
		return;
	while ((it = take(box)))
		finish(it);
	pthread_mutex_lock(&box->lock);
	box->closed = true;

	bool posted = box->posted;

	pthread_mutex_unlock(&box->lock);
	if (!posted)
		destroy(box);
}
