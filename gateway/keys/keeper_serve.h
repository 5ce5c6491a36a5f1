/*
 * One request, one answer: who may ask for what with which key, and the handlers. Role keeper, any of its threads.
 * The table in keeper_serve.c is the whole of what a client can reach.
 */
#ifndef POSTERN_KEYS_KEEPER_SERVE_H
#define POSTERN_KEYS_KEEPER_SERVE_H

#include <pthread.h>

#include "gateway/base/buf.h"
#include "gateway/keys/keeper.h"
#include "gateway/keys/keeper_files.h"
#include "gateway/keys/keeper_keys.h"
#include "gateway/keys/keeper_proto.h"

struct keeper_forgotten {
	struct keeper_forgotten *next;
	char id[KEYS_ID_MAX + 1];
	uint64_t turn; /* of forgetting, from 1 on */
};
struct keeper_serve {
	struct keeper_keys *keys;
	struct keeper_secrets *_Atomic secrets; /* NULL while sealed; set once */
	int (*persist)(void *ctx, const char *name, const void *p, size_t n, struct problem *pr);
	void *ctx;
	char hosts[KEEPER_FOR_WEB + 1][256]; /* whose TLS keys the listeners of HTTPS use; "" none */
	pthread_mutex_t
	    storing; /* looking whether a name is free, storing and adding are one step; so is forgetting */
	/* under storing: what was forgotten since the start, so that none comes back that was being read or made */
	struct keeper_forgotten *forgotten;
	size_t nforgotten;
	_Atomic uint64_t turn;
};
void keeper_serve_clear(struct keeper_serve *s);
/* Adds a key that was read from its file (taken over when 0). -1 with pr: it is there already, or was forgotten since
 * the start. */
int keeper_serve_add(struct keeper_serve *s, struct keeper_key *key, struct problem *pr)
    __attribute__((warn_unused_result));

/* Answers rq of such a client. data: emptied by the caller, must outlive rp_r. The caller wipes both. */
void keeper_serve(struct keeper_serve *s, enum keeper_client who, const struct keeper_request *rq, struct buf *data,
    struct keeper_reply *rp_r);
/* For log lines: "relay". */
const char *keeper_serve_client(enum keeper_client who);

#endif
