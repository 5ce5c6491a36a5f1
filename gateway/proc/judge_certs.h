/* A partner's certificates to encrypt to: those of the address first, then those of its domain, each weighed. Role
 * judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_CERTS_H
#define POSTERN_PROC_JUDGE_CERTS_H

#include "gateway/base/arena.h"
#include "certstore/judge_proto.h"
#include "certstore/source.h"
#include "gateway/policy/policy.h"
#include "gateway/proc/judge_cache.h"

/* One that was looked at, for explain. */
struct judge_candidate {
	char owner[ADDRESS_TEXT_MAX];
	char sha256[CERT_HASH_TEXT];
	bool usable, for_encrypting, pinned;
	char why[600];
	int64_t not_before;
};
#define JUDGE_CANDIDATES_MAX 32
struct judge_certs {
	enum policy_certs state;
	char why[400];
	struct judge_octets best; /* in the arena */
	bool personal;		  /* one person's: bound to the address, or kept under it */
	struct judge_candidate seen[JUDGE_CANDIDATES_MAX];
	size_t nseen;
	size_t chosen; /* index into seen, when USABLE */
};
/* Certificates with shorter RSA keys than rsa_bits_min are not usable. 0 / -1 with pr (the store cannot be read:
 * nothing is known). run as for judge_resolve. */
int judge_certs_find(struct judge_cache *c, struct store *s, struct source_run *run, const struct address *rcpt,
    unsigned rsa_bits_min, int64_t now, struct arena *a, struct judge_certs *r_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
