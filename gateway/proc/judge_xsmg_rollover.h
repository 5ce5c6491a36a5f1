/*
 * The change of a domain's keys without anyone's work (docs/XSMG.md, "Rollover"). Role judge; reads and writes the
 * store, asks the keeper. Blocks on both. Each step is one transaction with its audit row, and what is next follows
 * from the store and the clock alone: a restart, or another gateway at the same store, goes on where it stands.
 *
 *   none --start--> waits --all certificates are there--> announced --switch_at--> overlap --finish_at--> done
 *
 *   waits      new keys are made (and certified, when the old ones were self-signed); nothing shows outside
 *   announced  the statement lists the new certificates with `from` = switch_at; the old ones are used
 *   overlap    the new ones are used. An old signing certificate is still listed, because mail that it signed is
 * under way; an old statement key still signs, because partners follow the new one by it done       the old ones are
 * retired. Old keys that open mail go on opening it for ever.
 *
 * switch_at comes nearer when all partners that were handed our statement hold one that announces the new
 * certificates; not for a statement key, which partners follow only when they knew it for a week.
 */
#ifndef POSTERN_PROC_JUDGE_XSMG_ROLLOVER_H
#define POSTERN_PROC_JUDGE_XSMG_ROLLOVER_H

#include "certstore/store.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_world.h"
#include "gateway/proc/statement_settings.h"

struct judge_xsmg_rollover {
	const struct judge_world *w;
	struct store *s;
	const struct statement_settings *set;
	struct keys_client *keys;
	const char *who; /* for the audit log */
	int64_t now;	 /* unix s */
};

/* Makes the new keys. csr: their certificates come from a certification authority, by domain.install; else they are
 * self-signed, with the names and the life of the old ones. -1 with pr: PERM when one is under way already or there
 * is nothing to take the place of. */
int judge_xsmg_rollover_start(const struct judge_xsmg_rollover *r, const char *domain, enum store_rollover_kind kind,
    bool csr, struct problem *pr) __attribute__((warn_unused_result));
/* Gives up one that is not yet past `announced`; its keys are retired. */
int judge_xsmg_rollover_cancel(const struct judge_xsmg_rollover *r, const char *domain, enum store_rollover_kind kind,
    struct problem *pr) __attribute__((warn_unused_result));
/* Takes every one of our domains as far as it can go now, and starts what runs out. Returns how many steps were made;
 * -1 with pr (the others were done). */
int judge_xsmg_rollover_tick(const struct judge_xsmg_rollover *r, struct problem *pr)
    __attribute__((warn_unused_result));

/* Does this identity belong to the new ones of it? To the old ones? */
bool judge_xsmg_rollover_new(const struct store_rollover *o, const struct store_identity *i);
bool judge_xsmg_rollover_old(const struct store_rollover *o, const struct store_identity *i);

#endif
