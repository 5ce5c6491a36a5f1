/* The kit's two SMTP servers: the inside server of the gateway, and the MX of all partner domains. Everything that
 * came is kept in memory until the end (to 64 MiB each, 1 GiB in all; 452 then), a thread a connection. */
#ifndef INTEROP_SINK_H
#define INTEROP_SINK_H

#include "interop/kit/kit.h"
#include "interop/kit/world.h"

enum side { OUTSIDE, INSIDE };

/* A message that came. Never changed once it is in the list; lives as long as the sink. */
struct mail {
	struct mail *next; /* in the order in which they came */
	enum side side;
	unsigned number; /* from 1, over both sides */
	int64_t came_ms;
	bool tls;
	char *helo, *from, *parameters; /* of MAIL, without the address */
	char **to;
	size_t n_to;
	struct buf data;       /* after dot-stuffing was taken off */
	struct buf transcript; /* the session up to here */
};

struct sink *sink_open(const struct kit *k, struct world *w, struct buf *why); /* listens; NULL with why */
void sink_close(struct sink *s);
/* The first message for the recipient that came at this side, has number > after, and fits test (NULL: any); waits up
 * to wait_ms. NULL: none came. */
const struct mail *sink_wait(struct sink *s, enum side side, const char *to, unsigned after, int64_t wait_ms,
    bool (*test)(const struct mail *, void *), void *arg);
/* XSMG at the outside sink: what is answered for a domain (DER; NULL: none, 550); what was PUT for a domain is kept
 * as *got. */
void sink_statement(struct sink *s, const char *domain, const struct buf *der);
int sink_put(struct sink *s, const char *domain, int64_t wait_ms, struct buf *der); /* 0, or -1: none came */

#endif
