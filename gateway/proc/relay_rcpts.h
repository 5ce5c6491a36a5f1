/*
 * Which recipients of our own domains exist: as the domain's setting `recipients` says, by a map, by LDAP (the scout
 * asks) or by call-ahead (the relay asks the inside server over SMTP, gateway/smtp/smtpc_probe.h); postmaster always
 * does (RFC 5321 4.5.1). Answers are remembered (relay_rcpts_cache.h), and however many clients wait for one address,
 * its source is asked once, and about a few addresses at a time (relay_rcpts_turn.h). Loop thread; never blocks.
 *
 * No answer from the source: what it said before counts, also when that is old, if it was "exists". An old "does
 * not exist" is no ground to refuse for good. Else the domain's `recipient-unsure` decides: 451, so that the sender's
 * own server keeps the mail, or acceptance.
 */
#ifndef POSTERN_PROC_RELAY_RCPTS_H
#define POSTERN_PROC_RELAY_RCPTS_H

#include "gateway/mail/address.h"
#include "gateway/proc/relay.h"

struct ipc_in;
struct relay_rcpts;
struct relay_rcpts_wait;

enum relay_rcpts_state {
	RELAY_RCPTS_KNOWN,
	RELAY_RCPTS_UNKNOWN,
	RELAY_RCPTS_UNSURE,
	RELAY_RCPTS_UNABLE, /* the inside server cannot be given such an address (RFC 6531) */
};
struct relay_rcpts_answer {
	enum relay_rcpts_state state;
	bool accepted;
	struct problem pr;  /* unless accepted: 550 5.1.1, 553 5.6.7 or 451, for the client */
	const char *source; /* "postmaster" or a word of the setting `recipients` */
	char said[640];	    /* the source's words */
	int64_t age;	    /* ms since the source said so; 0: it was asked just now */
};
typedef void relay_rcpts_fn(void *ctx, const struct relay_rcpts_answer *a);

/* r->hops must be there. */
struct relay_rcpts *relay_rcpts_new(struct relay *r);
/* After r->hops and before the loop; who still waits is not told. */
void relay_rcpts_free(struct relay_rcpts *rc);
/* The map of the domain at this place in the configuration, and of all that name the same file; takes fd. What it
 * holds was checked by the parent. */
void relay_rcpts_map_came(struct relay_rcpts *rc, unsigned domain, int fd);

/* Does a recipient of one of our domains exist? client: as smtpd_client() writes it, to be counted for
 * waiting-per-client; NULL: nobody is; stays as *slot does. fn is called exactly once, from the loop or from inside
 * when the answer is known. *slot is set while it is waited for and NULL otherwise; it must stay until fn was called
 * or the question was cancelled. */
void relay_rcpts_ask(struct relay_rcpts *rc, const struct address *a, const char *client, relay_rcpts_fn *fn,
    void *ctx, struct relay_rcpts_wait **slot);
/* The same, past the memory of earlier answers. */
void relay_rcpts_ask_anew(
    struct relay_rcpts *rc, const struct address *a, relay_rcpts_fn *fn, void *ctx, struct relay_rcpts_wait **slot);
/* fn will not be called. What the source was asked already goes on, and its answer is remembered; else the question
 * is dropped with the last one who waits for it. NULL is allowed. */
void relay_rcpts_cancel(struct relay_rcpts_wait *w);

/* The inside server refused mail for it after all: what was remembered of it, and of the address without its tag, is
 * forgotten, so that the next mail is refused before it is accepted. */
void relay_rcpts_forget(struct relay_rcpts *rc, const char *address);

/* From the channel to the scout: an answer of gateway/scout/ldap_proto.h; the scout is gone or was replaced. */
void relay_rcpts_ldap_came(struct relay_rcpts *rc, struct ipc_in *in);
void relay_rcpts_scout_gone(struct relay_rcpts *rc);

#endif
