/*
 * One HTTP request at the web process: what came with it, asking judge and relay for it, its answer. Role web, loop
 * thread. It lives until libmicrohttpd has done with it, and that waits until it was answered.
 */
#ifndef POSTERN_PROC_WEB_JOB_H
#define POSTERN_PROC_WEB_JOB_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/loop.h"
#include "gateway/proc/admin_peer.h"
#include "gateway/proc/web_settings.h"

enum { WEB_JOB_TOKEN_MAX = 200, WEB_JOB_CSRF = 65, WEB_JOB_FIELDS_MAX = 4000 };

struct web_hash;
/* What jobs share. */
struct web_world {
	struct MHD_Daemon *daemon;
	struct loop *loop;
	struct loop_timer *timer;
	const struct web_settings *set;
	struct admin_peer *judge, *relay;
	struct web_hash *hash;
	bool tls;
	bool again;    /* a connection was let go on: it is to be served now */
	size_t bodies; /* octets that large bodies under way may come to */
};

struct web_job {
	struct web_job *next;
	struct web_world *w;
	struct MHD_Connection *c;
	const char *method;
	char *path;	  /* percent-decoded */
	bool changes;	  /* neither GET nor HEAD */
	bool told;	  /* the call with the header fields came again */
	bool api;	  /* takes no forms */
	bool background;  /* a page that is open asks by itself, nobody did anything */
	bool host_cookie; /* the session came by the cookie for TLS */
	enum { WEB_JOB_HEAD, WEB_JOB_WHO, WEB_JOB_BODY, WEB_JOB_ASKING, WEB_JOB_DONE } state;
	char token[WEB_JOB_TOKEN_MAX + 1];   /* of Authorization, "" none */
	char session[WEB_JOB_TOKEN_MAX + 1]; /* of the cookie, "" none */
	char csrf[WEB_JOB_CSRF];	     /* of the session, "" none */
	char from[60];
	char user[64], role[20]; /* as the judge said; "" nobody */
	json_t *query;		 /* texts, or arrays of texts */

	/* the body */
	struct MHD_PostProcessor *post; /* of a form */
	json_t *form;			/* as query; files in base64 */
	struct buf body, value;		/* of anything else; of the field that is being read */
	char *field;			/* its name */
	bool file;
	size_t fields, taken;
	int64_t most; /* octets of the body */
	size_t room;  /* what of the world's bodies is this one's */
	bool other;   /* it is of a type that is not taken here; read over */

	/* the question that is out, and the answer */
	void (*said)(struct web_job *j, json_t *data, const char *code, const char *text);
	void (*then)(struct web_job *j, const char *code, const char *text);
	const char *relay_verb; /* asked when the judge has let it through */
	json_t *relay_args;
	void *own; /* of whoever answers it, freed by own_free */
	void (*own_free)(void *own);
	unsigned status;
	const char *type;
	char *reply;
	size_t reply_n;
	char location[2000], cookie[400], etag[40], allow[60];
	bool page; /* HTML: with the policy of pages */
};

enum web_whom { WEB_ASK_JUDGE, WEB_ASK_RELAY };
/* The request's headers: session, token, query. */
struct web_job *web_job_new(struct web_world *w, struct MHD_Connection *c, const char *url, const char *method);
void web_job_free(struct web_job *j);
/* Before a large body is read: there is room for n octets beside those of others. */
bool web_job_has_room(struct web_job *j, size_t n);
/* Octets of the body. 0; -1: more than is allowed, or a form that cannot be read. */
int web_job_take(struct web_job *j, const char *p, size_t n) __attribute__((warn_unused_result));
/* The body is there. 0; -1 as above. */
int web_job_taken(struct web_job *j) __attribute__((warn_unused_result));

/* Asks as the request's user; takes args. said, once, later or at once: data (borrowed), or NULL with code and text.
 * What the relay is asked goes to the judge first: the relay has no users. */
void web_job_ask(struct web_job *j, enum web_whom whom, const char *verb, json_t *args,
    void (*said)(struct web_job *j, json_t *data, const char *code, const char *text));
/* Who asks: fills user and role, then said(). An error of "unauthorized" is none here: nobody. */
void web_job_who(struct web_job *j, void (*then)(struct web_job *j, const char *code, const char *text));
/* The browser says that another site sent it (Origin, Sec-Fetch-Site). */
bool web_job_is_foreign(const struct web_job *j);
/* It is part of a page of another site, not what somebody went to: a picture, a frame, a script's question. Browsers
 * send cookies with it when that site is another port of the same machine. */
bool web_job_is_embedded(const struct web_job *j);
/* A change by a session has its token, and no other site sent it. */
bool web_job_is_ours(const struct web_job *j, const char *csrf);

/* The answer, once. type is static. */
void web_job_finish(struct web_job *j, unsigned status, const char *type, const void *p, size_t n);
/* Lets a connection go on that was put aside. */
void web_job_go_on(struct web_job *j);
void web_job_redirect(struct web_job *j, const char *where);
/* A session begins ("" ends it), with the answer. */
void web_job_cookie(struct web_job *j, const char *value);
enum MHD_Result web_job_send(struct web_job *j);
/* Answers with 503 what is being asked. */
void web_job_give_up(struct web_job *j);

#endif
