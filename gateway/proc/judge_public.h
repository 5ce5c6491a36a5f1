/* What the public listener serves: told to it whole, when it comes and whenever it changed. Role judge; on the loop;
 * reads the store. */
#ifndef POSTERN_PROC_JUDGE_PUBLIC_H
#define POSTERN_PROC_JUDGE_PUBLIC_H

#include "gateway/base/loop.h"
#include "certstore/store.h"
#include "gateway/proc/judge_world.h"

struct judge_public;
/* host: whose TLS key it uses. fd: its channel, taken over, -1 when it is not there (yet). All else stays. */
struct judge_public *judge_public_new(
    struct loop *l, const struct judge_world *w, struct store *s, const char *host, int fd);
/* A new channel in place of an older one. */
void judge_public_channel(struct judge_public *p, int fd);
/* After each change of the store: tells it when something that it serves is another. */
void judge_public_look(struct judge_public *p, int64_t now);

#endif
