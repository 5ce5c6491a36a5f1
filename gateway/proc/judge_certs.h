/* A partner's certificate to encrypt to: looked for in the places that count for it (certstore/find.h), each
 * certificate weighed. Role judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_CERTS_H
#define POSTERN_PROC_JUDGE_CERTS_H

#include "gateway/base/arena.h"
#include "certstore/find_options.h"
#include "certstore/judge_proto.h"
#include "certstore/source.h"
#include "gateway/policy/policy.h"
#include "gateway/proc/judge_world.h"
#include "gateway/proc/judge_cache.h"

/* One that was looked at, for explain. */
struct judge_candidate {
	char owner[ADDRESS_TEXT_MAX], place[64];
	char sha256[CERT_HASH_TEXT];
	bool usable, for_encrypting, pinned;
	char why[600];
	int64_t not_before;
	struct judge_octets der; /* in the arena, when q->all; p NULL otherwise */
};
#define JUDGE_CANDIDATES_MAX 32
struct judge_certs {
	enum policy_certs state;
	bool held; /* its statement says that mail to this domain waits, however it would be sent */
	char why[400];
	struct judge_octets best; /* in the arena */
	bool personal;		  /* one person's: bound to the address, or kept under it */
	struct judge_candidate seen[JUDGE_CANDIDATES_MAX];
	size_t nseen;
	size_t chosen; /* index into seen, when USABLE */
};
struct judge_certs_question {
	const struct judge_world *w; /* with its cache */
	struct store *store;
	struct source_run *run; /* what may be asked of the network, NULL nothing */
	const struct address *rcpt;
	const char *local; /* our domain that writes, NULL none */
	const struct find_options *options;
	bool listed, strict, all; /* as in find.h */
	bool remember;		  /* what is chosen is used: it is the known one from now on */
	int64_t now;
};
/* 0 / -1 with pr (the store cannot be read: nothing is known). While run->pending is not 0 afterwards it is no answer
 * yet. */
int judge_certs_find(const struct judge_certs_question *q, struct arena *a, struct judge_certs *r_r,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
