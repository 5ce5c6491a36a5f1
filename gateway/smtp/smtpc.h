/*
 * The SMTP client: one connection (chat, protocol), and a pool that finds a host that answers, reuses connections and
 * bounds how many go to one destination. smtpc_chat.c one command, one reply, transcript; smtpc.c the states;
 * smtpc_pool.c which host next and reuse; smtpc_trouble.c the one place that turns a failure into site / message /
 * recipient and retry / permanent. Role relay; never blocks (content is read from the spool, page cache).
 */
#ifndef POSTERN_SMTP_SMTPC_H
#define POSTERN_SMTP_SMTPC_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"
#include "gateway/base/stream.h"
#include "gateway/mail/envelope.h"

struct smtpc_settings; /* section "smtp-client": smtpc_settings.h: time-outs of RFC 5321 4.5.3.2, reply limits,
			  connections per destination, idle time of a kept connection */

/* DANE: as the TLSA records in the host's dane say (RFC 7672); below it in the order of how much is demanded. */
enum smtpc_tls { SMTPC_TLS_NONE, SMTPC_TLS_MAY, SMTPC_TLS_ENCRYPT, SMTPC_TLS_VERIFY, SMTPC_TLS_DANE };

struct smtpc_dane; /* smtpc_dane.h */
struct smtpc_host {
	char name[256];			  /* MX or configured host, for SNI, verification, logs */
	struct sockaddr_storage addrs[8]; /* with port */
	size_t naddrs;
	bool own_tls; /* this host has a demand of its own, in tls, ctx and dane; else the destination's is meant */
	enum smtpc_tls tls;
	SSL_CTX *ctx;		 /* DANE: one that smtpc_dane_context prepared */
	struct smtpc_dane *dane; /* DANE; the pool takes a reference of its own */
	bool name_sure; /* the name is nobody's forgery (configured, DNSSEC, MTA-STS): REQUIRETLS (RFC 8689 4.2.1) */
};
/*
 * Where to: hosts in the order to try. Hosts may differ in what they demand; where TLS with one of them that demands
 * it fails, those that demand less are left out for that mail: an attacker who breaks one must gain nothing.
 */
struct smtpc_dest {
	const char *key; /* destination key: limits and reuse are per key */
	const struct smtpc_host *hosts;
	size_t nhosts;
	enum smtpc_tls tls; /* not DANE: that is a host's own */
	SSL_CTX *ctx;	    /* client context; verification set up by the caller for VERIFY */
	bool unsure;	    /* the caller's own: what DNS or MTA-STS demand of the hosts is not all known */
};
struct smtpc_rcpt {
	const char *address; /* in, already quoted as needed */
	struct envelope_rcpt env;
	/* out */
	bool ok;
	struct problem pr; /* when !ok: TEMP = try again, PERM = give up */
	bool said;	   /* pr (of a probe also ok) is the server's own answer to RCPT */
	char reply[256];   /* the peer's words, sanitised */
	bool eight;	   /* pr says only that the host has no 8BITMIME */
	bool dsn_lost; /* ok, but the host knows no DSN: env was not passed on (RFC 3461 5.2.2: who asked for SUCCESS
			  is told "relayed" by the caller) */
};
/*
 * XSMG (docs/XSMG.md) beside a mail: smtp knows the place, the order and the limits of its commands, their words are
 * the application's. Only inside TLS; nothing of it delays or fails the mail: what goes wrong with it ends the
 * connection at most, and the mail is sent again without it.
 */
struct smtpc;
struct smtpc_mail;
struct smtpc_reply;
/* Sent between two mails, with the first to have nothing behind it. */
struct smtpc_put {
	const char *command; /* "XSMG PUT ..." without CRLF */
	const void *lines;   /* what follows 354, with CRLF and the final dot */
	size_t n;
	/* Last call, exactly once; from the loop or from inside smtpc_free and smtpc_quit. r: the last reply; NULL:
	 * there is none, why says so. */
	void (*over)(struct smtpc_put *p, const struct smtpc *c, const struct smtpc_reply *r, const char *why);
};
struct smtpc_xsmg {
	const char *get; /* "XSMG GET ...", in front of MAIL where the host offers XSMG; NULL: nothing is asked */
	/* The mail begins: does the host offer it (inside TLS)? Comes again for each
	 * connection and each transaction. */
	void (*seen)(struct smtpc_xsmg *x, const struct smtpc *c, bool offered);
	/* The reply to get, whatever its code; or NULL with why, when the connection was lost over it. At most once.
	 * Returns what is to be sent behind the mail (the connection's from then on), or NULL. */
	struct smtpc_put *(*got)(
	    struct smtpc_xsmg *x, const struct smtpc *c, const struct smtpc_reply *r, const char *why);
	bool asked; /* out: got was called */
	bool broke; /* out: over it the connection was lost */
};
struct smtpc_mail {
	const char *sender; /* "" = null path */
	struct envelope env;
	struct smtpc_rcpt *rcpts;
	size_t nrcpts;
	const char *front; /* header fields sent before the content (trace), may be "" */
	struct reader *content;
	bool
	    body8;  /* content has 8-bit octets: BODY=8BITMIME where offered; for a host without it (and no
		       assume-8bit)     PERM 5.6.3 with eight of the recipient: who can, converts it and sends again */
	bool early; /* the content may go out behind RCPT before that is answered (smtpc_bdat.h): it is not a
		       stranger's */
	bool probe; /* smtpc_probe.h: RSET in place of DATA, content NULL; ok says that RCPT was accepted */
	struct smtpc_xsmg *xsmg; /* NULL: none */
	const char *id;		 /* queue id for logs */
	/* done: every rcpts[i] has its result; remote = "host[addr]:port", tls words. Called once from the loop. */
	void (*done)(void *ctx, struct smtpc_mail *m, const char *remote, const char *tls);
	void *ctx;
};
/* ---- one connection; the pool uses it ---- */
struct smtpc_trouble;
struct smtpc_tls_store;
struct smtpc_way {
	const char *host; /* name for SNI, verification, logs */
	const struct sockaddr_storage *addr;
	enum smtpc_tls tls;
	SSL_CTX *ctx;			  /* stays until the connection is gone */
	const struct smtpc_dane *dane;	  /* DANE; stays as well */
	bool name_sure;			  /* as in smtpc_host */
	struct smtpc_tls_store *sessions; /* kept TLS sessions */
};
struct smtpc_ops {
	/* May be given a mail: after EHLO, and again when every recipient of the last mail has its result. */
	void (*ready)(void *ctx, struct smtpc *c);
	/* The connection is over (last call; c is freed after it). t NULL: nothing went wrong (idle time over, peer
	 * hung up between mails). Recipients of a mail under way that have no result yet (!ok, pr.cls NONE) may be
	 * tried elsewhere. */
	void (*gone)(void *ctx, struct smtpc *c, const struct smtpc_trouble *t);
};
/* Begins to connect. NULL with t_r when that fails at once. ops are only called from the loop. */
struct smtpc *smtpc_new(struct loop *l, const struct smtpc_settings *set, const char *helo,
    const struct smtpc_way *way, const struct smtpc_ops *ops, void *ctx, struct smtpc_trouble *t_r);
/* Ends at once; ops are not called. */
void smtpc_free(struct smtpc *c);
/* When ready only: QUIT, then ends by itself; ops are not called, c is not to be used any more. */
void smtpc_quit(struct smtpc *c);
/* When ready only. Sends to the recipients that have no result. */
void smtpc_mail(struct smtpc *c, struct smtpc_mail *m);
const char *smtpc_remote(const struct smtpc *c);			   /* "mx.lab.example[192.0.2.1]:25" */
const char *smtpc_tls_words(const struct smtpc *c, char *out, size_t cap); /* "" = in the clear */

/* The host's name is nobody's forgery, and TLS proved it. */
bool smtpc_verified(const struct smtpc *c);
/* When ready: is there anything to PUT, and may it be sent now? */
bool smtpc_put_waits(const struct smtpc *c);
/* When ready, and it waits: sends it; not ready until it is answered, then ops->ready again. */
void smtpc_put(struct smtpc *c);
/* Has neither a mail nor a command under way. */
bool smtpc_idle(const struct smtpc *c);

/* ---- the pool ---- */
struct smtpc_pool;
/* helo is copied; set stays. */
struct smtpc_pool *smtpc_pool_new(struct loop *l, const struct smtpc_settings *set, const char *helo);
/* Ends all connections; mails under way get TEMP results first (done is called from inside). Not from inside done. */
void smtpc_pool_free(struct smtpc_pool *p);
/* Sends now or when a connection to the destination is free, to the recipients that have no result yet. The mail, its
 * content and dest->key stay valid until done (dest hosts are copied). */
void smtpc_pool_send(struct smtpc_pool *p, const struct smtpc_dest *d, struct smtpc_mail *m);
/* Is the destination backed off (site failures)? Returns unix ms until when, 0 when not. Fills pr with the last site
 * problem. */
int64_t smtpc_pool_backoff(struct smtpc_pool *p, const char *key, struct problem *pr);
/* Ends the back-off of a destination: the next mail is tried at once. */
void smtpc_pool_wake(struct smtpc_pool *p, const char *key);
/* Mails under way or waiting for this key / in all (key NULL); those whose done has not been called. */
size_t smtpc_pool_busy(const struct smtpc_pool *p, const char *key);
/* Open connections, idle ones included, to this key / in all (key NULL). */
size_t smtpc_pool_connections(const struct smtpc_pool *p, const char *key);

#endif
