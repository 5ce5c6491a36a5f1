/* Finished transactions on their way from the writer's thread to the loop, in commit order. Outlives the queue while
 * the loop still has a call to make. relay. */
#ifndef POSTERN_QUEUE_QUEUE_BOX_H
#define POSTERN_QUEUE_QUEUE_BOX_H

#include "gateway/base/loop.h"
#include "gateway/queue/queue_item.h"

struct queue_box;
struct queue_box *queue_box_new(struct loop *loop);
/* Takes a chain of finished items (linked by next); the loop calls each one's done and frees it. Any thread. */
void queue_box_put(struct queue_box *box, struct queue_item *first);
/* On the loop's thread: calls what is left and gives the box up. */
void queue_box_close(struct queue_box *box);

#endif
