/*
 * Call-ahead: asks a server whether it would take mail for one address: MAIL FROM:<>, RCPT, RSET, never DATA (RFC
 * 5321 3.3, 4.1.1.5). Over the pool, so hosts, TLS, reuse of connections and back-off are those of mail. Role relay;
 * never blocks.
 */
#ifndef POSTERN_SMTP_SMTPC_PROBE_H
#define POSTERN_SMTP_SMTPC_PROBE_H

#include "gateway/smtp/smtpc.h"

enum smtpc_probe_answer {
	SMTPC_PROBE_TAKEN,   /* 2yz to RCPT */
	SMTPC_PROBE_UNKNOWN, /* the server says of this address that there is no such recipient */
	SMTPC_PROBE_TEMP,    /* no answer, or one for now: away, 4yz, mailbox full */
	SMTPC_PROBE_UNABLE,  /* the address has characters outside ASCII, and the server takes none (RFC 6531) */
	SMTPC_PROBE_REFUSED, /* it refuses us and not the address (5yz to MAIL, 5.7.x, "authentication required"):
				somebody must look */
};
struct smtpc_probe {
	char address[400]; /* in, quoted as needed; must stay until done */
	/* out. words: one sentence, who said what */
	enum smtpc_probe_answer answer;
	char words[640];
	void (*done)(void *ctx, struct smtpc_probe *p); /* once, from the loop */
	void *ctx;
	struct smtpc_mail mail; /* the pool's */
	struct smtpc_rcpt rcpt;
};

/* A pool for probes: as set, but with shorter time-outs, with at most `connections` to a destination, each kept for
 * idle_ms, and a server that is away asked again after at most backoff_ms. *own_r is its copy of the settings, to be
 * freed after the pool. */
struct smtpc_pool *smtpc_probe_pool(struct loop *l, const struct smtpc_settings *set, const char *helo,
    int64_t connections, int64_t idle_ms, int64_t backoff_ms, struct smtpc_settings **own_r);
/* p and d->key stay until done. */
void smtpc_probe_ask(struct smtpc_pool *pool, const struct smtpc_dest *d, struct smtpc_probe *p);

#endif
