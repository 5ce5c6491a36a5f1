/* What the public listener serves: told to it whole, when it comes and whenever it changed. Role judge; on the loop;
 * reads the store. */
#ifndef POSTERN_PROC_JUDGE_PUBLIC_H
#define POSTERN_PROC_JUDGE_PUBLIC_H

#include "gateway/base/loop.h"
#include "certstore/store.h"
#include "gateway/base/buf.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_world.h"

struct judge_public;
/* host: whose TLS key it uses. fd: its channel, taken over, -1 when it is not there (yet). All else stays. */
struct judge_public *judge_public_new(
    struct loop *l, const struct judge_world *w, struct store *s, const char *host, int fd);
/* A new channel in place of an older one. */
void judge_public_channel(struct judge_public *p, int fd);
/* The key's id, its certificate and chain (DER one behind the other) added to certs, of the newest TLS key of a host:
 * 1; 0 when there is none; -1 with pr. */
int judge_public_tls(const struct judge_world *w, struct store *s, const char *host, int64_t now,
    char key_id[KEYS_ID_MAX + 1], struct buf *certs, struct problem *pr);
/* After each change of the store: tells it when something that it serves is another. */
void judge_public_look(struct judge_public *p, int64_t now);

#endif
