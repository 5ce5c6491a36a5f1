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

struct keeper_serve {
	struct keeper_keys *keys;
	struct keeper_secrets *_Atomic secrets; /* NULL while sealed; set once */
	int (*persist)(void *ctx, const char *name, const void *p, size_t n, struct problem *pr);
	void *ctx;
	pthread_mutex_t
	    storing; /* looking whether a name is free, storing and adding are one step; so is forgetting */
};

/* Answers rq of such a client. data: emptied by the caller, must outlive rp_r. The caller wipes both. */
void keeper_serve(struct keeper_serve *s, enum keeper_client who, const struct keeper_request *rq, struct buf *data,
    struct keeper_reply *rp_r);
/* For log lines: "relay". */
const char *keeper_serve_client(enum keeper_client who);

#endif
