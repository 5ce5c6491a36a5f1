/* What the sinks have taken: the list of mails, and the statements that are answered and were handed over. Everything
 * here is safe for threads. */
#ifndef INTEROP_SINK_STORE_H
#define INTEROP_SINK_STORE_H

#include "interop/kit/sink.h"

struct sink_store;

struct sink_store *sink_store_new(void);
void sink_store_free(struct sink_store *s);
/* Takes it, and numbers it; false: there is no room for it in 1 GiB, and it was freed. */
bool sink_store_add(struct sink_store *s, struct mail *m);
const struct mail *sink_store_wait(struct sink_store *s, enum side side, const char *to, unsigned after,
    int64_t wait_ms, bool (*test)(const struct mail *, void *), void *arg);
void sink_store_statement(struct sink_store *s, const char *domain, const struct buf *der);
int sink_store_answer(struct sink_store *s, const char *domain, struct buf *der); /* -1: none */
void sink_store_got(struct sink_store *s, const char *domain, const struct buf *der);
int sink_store_wait_got(struct sink_store *s, const char *domain, int64_t wait_ms, struct buf *der);
void mail_free(struct mail *m);

#endif
