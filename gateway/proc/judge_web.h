/*
 * What the role web may ask of the judge, and on whose word. Role judge. The web process speaks to strangers, so it
 * is believed nothing: a request carries the token or the session that it got, and that is looked at here, for each
 * request, with the role that the verb needs. Verbs that are not in the table do not exist for it.
 */
#ifndef POSTERN_PROC_JUDGE_WEB_H
#define POSTERN_PROC_JUDGE_WEB_H

#include "gateway/proc/judge_admin.h"

struct loop;
struct judge_web;

enum { JUDGE_WEB_WHO = 128 }; /* as in admin_proto.h */

struct judge_web_ops {
	/* Runs a request that was let through; takes text (mem_free_secret). The answer follows by judge_web_reply.
	 */
	void (*run)(uint32_t id, char *text, const char *who);
	/* The web process is gone: nobody waits for what is being run. */
	void (*gone)(void);
};

/* fd: a channel that was given before, or -1. ja, l, ops stay. */
struct judge_web *judge_web_new(struct loop *l, struct judge_admin *ja, const struct judge_web_ops *ops, int fd);
/* A channel to the (new) web process (taken over); replaces an older one. */
void judge_web_channel(struct judge_web *w, int fd);
/* text stays the caller's. Without a channel nothing happens. */
void judge_web_reply(struct judge_web *w, uint32_t id, char *text);

/* request_json: {"verb", "args"} and "token" or "session"; from: where the client is. The reply that refuses it, or
 * that is given here (signing in and out), to be freed; or NULL: then *text_r (mem_free_secret) is for judge_admin,
 * with who_r for the audit log. Codes beside judge_admin's: "unauthorized" (no token or session, or none that
 * counts), "forbidden" (it may not do this), "throttled". */
char *judge_web_look(
    struct judge_admin *ja, const char *request_json, const char *from, char who_r[JUDGE_WEB_WHO], char **text_r);
/* The same, with the verb's reply, for verbs that do not ask the network. Never NULL; free() it. */
char *judge_web_answer(struct judge_admin *ja, const char *request_json, const char *from);

/* The least role (enum store_user_role) for a verb of the judge's, or of the relay's; -1: it does not exist for the
 * web. */
int judge_web_least(const char *verb, bool relay);
/* Sessions that began or were last used before these times are over. */
void judge_web_over(const struct judge_admin *ja, int64_t *began_r, int64_t *used_r);

#endif
