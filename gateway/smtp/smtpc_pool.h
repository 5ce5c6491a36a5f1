/*
 * Inside of the pool: destinations, the mails that wait for them, and the lines (connections) that carry them. Shared
 * by smtpc_pool.c (who waits, results, the public functions of smtpc.h) and smtpc_dest.c (connections of one
 * destination). Role relay.
 */
#ifndef POSTERN_SMTP_SMTPC_POOL_H
#define POSTERN_SMTP_SMTPC_POOL_H

#include "gateway/smtp/smtpc.h"
#include "gateway/smtp/smtpc_settings.h"
#include "gateway/smtp/smtpc_tls.h"
#include "gateway/smtp/smtpc_trouble.h"

/* Hosts and demands of a destination as one mail brought them; shared by all that brought the same. */
struct smtpc_route {
	size_t refs;
	enum smtpc_tls tls;
	SSL_CTX *ctx;
	size_t nhosts;
	struct smtpc_host hosts[];
};
struct smtpc_job {
	struct smtpc_job *next;
	struct smtpc_site *site;
	struct smtpc_route *route;
	struct smtpc_mail *mail;
	unsigned broken; /* connections that broke in the middle of it */
	bool plain;	 /* a question of XSMG broke its connection: goes once more to the same host */
	bool stale;	 /* was once given to a kept connection that turned out to be dead */
	char remote[384], tls[128];
};
/* A connection and the mail it carries. */
struct smtpc_line {
	struct smtpc_line *next, **prev;
	struct smtpc_site *site;
	struct smtpc_route *route;
	struct smtpc_job *job; /* NULL: idle */
	struct smtpc *c;       /* NULL only while it is being opened or ended */
	size_t host, addr;     /* where it is, or tries to be */
	int64_t tries;
	unsigned mails;	     /* carried */
	bool clear;	     /* TLS failed here and is not demanded: without STARTTLS */
	bool greeted;	     /* was ready once on this connection */
	bool unfit;	     /* a host was left out for this mail alone: says nothing about the destination */
	bool guarded;	     /* TLS that a host demands failed: hosts that demand none are left out */
	struct problem last; /* mildest failure so far: TEMP before PERM */
};
/* What is known of one destination key. */
struct smtpc_site {
	struct smtpc_site *next; /* of the same hash */
	struct smtpc_pool *pool;
	char *key;
	struct smtpc_route *route; /* the last one brought */
	struct smtpc_line *lines;
	size_t nlines, njobs;		 /* njobs: waiting and under way */
	struct smtpc_job *first, **last; /* waiting */
	size_t limit;			 /* connections now allowed */
	unsigned failures;		 /* in a row */
	int64_t until;			 /* monotonic ms; backed off until then */
	struct problem problem;
};

enum { SMTPC_POOL_HASH = 1024 };
struct smtpc_pool {
	struct loop *loop;
	const struct smtpc_settings *set;
	char *helo;
	uint64_t seed;
	struct smtpc_site *sites[SMTPC_POOL_HASH];
	size_t nsites, nlines, njobs;
	struct smtpc_tls_store *sessions;
	struct smtpc_job *done, **done_last; /* have their results; told from the loop */
	struct loop_timer *tell, *sweep;
	size_t turn; /* where in sites the last one that waited for room was found */
	bool ending;
};

/* ---- smtpc_pool.c ---- */
/* The job has all its results: takes it off the site and tells the owner from the loop. */
void smtpc_pool_finish(struct smtpc_job *j);
/* Recipients of the job that have no result get this one. */
void smtpc_pool_give(struct smtpc_job *j, const struct problem *pr);
bool smtpc_pool_undecided(const struct smtpc_job *j);
void smtpc_pool_drop_route(struct smtpc_route *r);
/* There is room again under connections-total. */
void smtpc_pool_room(struct smtpc_pool *p);
/* Closes one idle connection of any destination. False when there is none. */
bool smtpc_pool_close_idle(struct smtpc_pool *p);

#endif
