/* What a queue is made of: for the files of this folder that implement queue.h, for nobody else. */
#ifndef POSTERN_QUEUE_QUEUE_PARTS_H
#define POSTERN_QUEUE_QUEUE_PARTS_H

#include "gateway/queue/queue.h"
#include "gateway/queue/queue_clock.h"
#include "gateway/queue/queue_due.h"
#include "gateway/queue/queue_held.h"
#include "gateway/queue/queue_number.h"
#include "gateway/queue/queue_reader.h"
#include "gateway/queue/queue_sent.h"
#include "gateway/queue/queue_settings.h"
#include "gateway/queue/queue_writer.h"

struct queue {
	struct loop *loop;
	struct queue_settings set;
	int lock_fd, spool_fd;
	struct queue_number numbers;
	struct queue_due due;
	struct queue_reader reader;
	struct queue_held held; /* statements of the reader */
	struct queue_box *box;
	struct queue_writer *writer;
	struct queue_sent sent;
	struct queue_clock clock;
	int64_t oldest, oldest_read; /* as read last, and when (monotonic ms) */
};

#endif
