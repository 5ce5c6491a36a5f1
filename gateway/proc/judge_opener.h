/*
 * PKCS#12 files from the web UI: each is opened by a process of its own, the role opener, which the parent starts for
 * it. What comes of it, a private key and certificates, is kept here for some minutes under a number that only who
 * sent it may use, until it goes to the keeper as "domain.add" says, or is wiped. Role judge; on the loop.
 */
#ifndef POSTERN_PROC_JUDGE_OPENER_H
#define POSTERN_PROC_JUDGE_OPENER_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/proc/judge_world.h"

/* WAITING: files that wait for their opener. KEPT: opened ones, KEPT_S: for how long. PATIENCE_MS: for an opener. */
enum { JUDGE_OPENER_WAITING = 4, JUDGE_OPENER_KEPT = 4, JUDGE_OPENER_KEPT_S = 600, JUDGE_OPENER_PATIENCE_MS = 25000 };

struct judge_opener_ops {
	void (*ask)(void);					 /* the parent is to start one */
	void (*reply)(uint32_t id, char *text);			 /* text stays the caller's */
	void (*go_on)(uint32_t id, char *text, const char *who); /* a request that was completed; takes text */
};

struct judge_opener;
struct judge_opener *judge_opener_new(struct loop *l, const struct judge_opener_ops *ops);
/* The opener that the parent started (fd taken over). */
void judge_opener_channel(struct judge_opener *j, int fd);
/* A request of the web that has been let through. Is it of this module's? Then text is taken: "pkcs12.open" (content,
 * password) is answered later with number and certificates; a request with argument "opened" goes on with key and
 * certificates in its place, or is refused. */
bool judge_opener_take(struct judge_opener *j, uint32_t id, char *text, const char *who);
/* The web process is gone: nothing that waits is of anybody. */
void judge_opener_drop(struct judge_opener *j);

#endif
