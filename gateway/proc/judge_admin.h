/*
 * The admin's verbs that concern trust, answered by the judge over JSON: our identities, partners, certificates,
 * anchors, rules, explain, audit log, snapshot. Role judge; blocks on the disk and, for domain.*, on the keeper.
 *
 * Request {"verb": "partner.add", "args": {...}}; reply {"ok": true, "data": {...}} or {"ok": false, "error":
 * {"text": one sentence, "code": word}}; codes are listed in judge_call.h. Unknown verbs and arguments are errors.
 * Times are "2026-11-22T02:05:19Z", files and keys base64 without blanks.
 *
 * A PKCS#12 file never comes here: whoever asks (the CLI, as the admin and outside the daemon) opens it with its
 * password and sends the key as PKCS#8 and the certificates apart, over the local socket. The judge hands the key on
 * to the keeper and wipes what it had; it keeps none.
 */
#ifndef POSTERN_PROC_JUDGE_ADMIN_H
#define POSTERN_PROC_JUDGE_ADMIN_H

#include "certstore/source.h"
#include "certstore/store.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_world.h"

struct judge_scout;
struct judge_admin {
	struct store *store;
	const struct judge_world *world; /* with its cache */
	struct keys_client
	    *keys; /* NULL: the keeper cannot be asked. Its time-out must allow for making an RSA-4096 key (60 s) */
	const struct judge_scout *scout;   /* for status; NULL: the network is not asked */
	const char *directory;		   /* may be written to: snapshots are made there and removed at once */
	int64_t (*now)(void);		   /* unix s; NULL: the clock */
	struct judge_mass *mass;	   /* NULL: many certificates cannot be imported */
	int two_person;			   /* enum trust_two_person */
	int64_t two_person_expiry;	   /* s; 0: a week */
	int64_t session_idle, session_max; /* s: when sessions of the web UI end; 0: half an hour, twelve hours */
	char *processes; /* JSON of the parent: what runs since when, as CONTROL_STATUS has it; NULL: not told yet */
	char concerns[256]; /* out: whose signatures or keys the last request may have changed, as JUDGE_CHANGED
			       says it */
};

/* run: what may be asked of the network, NULL nothing; while run->pending is not 0 afterwards, the answer is none
 * yet, and the request is to be made again: a verb that asks the network changes nothing before it has every answer.
 * Never NULL; free() it. who stands in the audit log. *fd_r: a descriptor that goes with the reply (store.snapshot),
 * the caller's, or -1. The caller wipes request_json when it may have held a key. */
char *judge_admin(
    struct judge_admin *ja, struct source_run *run, const char *request_json, const char *who, int *fd_r);

/* One verb of the table by its name, as judge_admin() runs it, for c->args and c->who: what a second person
 * confirmed. -1 with the problem set. */
struct judge_call;
int judge_admin_confirmed(struct judge_call *c, const char *verb);

#endif
