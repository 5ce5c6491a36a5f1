/* Partners' statements by their URLs, unasked by any mail: what a hint announced, what grew old. Role judge; on the
 * loop. XSMG sections 2, 6, 7. */
#ifndef POSTERN_PROC_JUDGE_XSMG_FETCH_H
#define POSTERN_PROC_JUDGE_XSMG_FETCH_H

#include "certstore/store.h"
#include "gateway/base/loop.h"
#include "gateway/proc/judge_park.h"
#include "gateway/proc/judge_world.h"
#include "gateway/proc/judge_xsmg.h"

struct judge_xsmg_fetch;
/* All stay. before, after: around each change of the store (after: it may have changed whom we believe). Never NULL;
 * looks after old copies by itself. */
struct judge_xsmg_fetch *judge_xsmg_fetch_new(struct loop *l, const struct judge_world *w, struct store *s,
    struct judge_park *park, void (*before)(void), void (*after)(void));
void judge_xsmg_fetch_free(struct judge_xsmg_fetch *f);
/* Fetches by the URL of the _smg record, else by what the trusted statement says, else by the well-known one, and
 * takes it. Once at a time for a domain, and bounded; returns at once. f NULL: nothing. */
void judge_xsmg_fetch_start(struct judge_xsmg_fetch *f, const char *domain);
/* The same for somebody who waits for what comes of it. 1 with *t_r and where it came from; 0 with why none could be
 * fetched; -1 an answer is awaited: to be called again in the next run. */
int judge_xsmg_fetch_now(struct judge_xsmg_fetch *f, const char *domain, struct source_run *run,
    struct judge_xsmg_result *t_r, char where[600], char why[600]) __attribute__((warn_unused_result));
/* Mail came from a domain of which no statement is known: the URL of its _smg record is fetched, as at RCPT for mail
 * to it, where tier smg is among those for whom nothing else is said. Once a day for a domain, a quarter of the
 * fetches at most; that it happens says nothing of what was in the mail (P10). */
void judge_xsmg_fetch_met(struct judge_xsmg_fetch *f, const char *domain, int64_t now);
/* Mail whose signature is believed named this URL: fetched alone. inside: the mail was encrypted; then it is fetched
 * at a moment of its own within the setting mail-delay, so that it does not show when, or that just this mail, was
 * opened. Never more than a quarter of the fetches. */
void judge_xsmg_fetch_named(struct judge_xsmg_fetch *f, const char *domain, const char *url, bool inside);
/* Looks for old copies among the next 500 domains, as it does every minute. Returns how many fetches it started. */
int judge_xsmg_fetch_look(struct judge_xsmg_fetch *f, int64_t now);

#endif
