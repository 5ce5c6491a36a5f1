/* The private keys in the keeper's memory, by name. Role keeper. Any thread may find keys while others work with
 * them. No I/O. */
#ifndef POSTERN_KEYS_KEEPER_KEYS_H
#define POSTERN_KEYS_KEEPER_KEYS_H

#include <openssl/evp.h>
#include <stdint.h>

#include "gateway/base/problem.h"
#include "gateway/keys/keys.h"

#define KEEPER_REJECT_KEY 32

struct keeper_key {
	_Atomic int refs;
	char id[KEYS_ID_MAX + 1];
	enum keys_use use;
	enum keys_algo algo;
	EVP_PKEY *pkey;	 /* used by several threads at once, each with a context of its own */
	uint8_t *reject; /* RSA: KEEPER_REJECT_KEY octets from which implicit rejection makes its keys, see
			    keeper_ops.c; else NULL */
};

/* The algorithm of a private key. 0, or -1 with pr (naming id) when it is none of ours. */
int keeper_keys_algo(EVP_PKEY *pkey, const char *id, enum keys_algo *algo_r, struct problem *pr)
    __attribute__((warn_unused_result));
/*
 * A key object that takes pkey over (also on failure). Tries the private operation once, which both shows that it
 * works and makes what libcrypto else makes at the first use. NULL with pr.
 */
struct keeper_key *keeper_keys_new(const char *id, enum keys_use use, EVP_PKEY *pkey, struct problem *pr);
/* NULL allowed; the last one wipes. */
void keeper_keys_unref(struct keeper_key *key);

struct keeper_keys; /* the set */
struct keeper_keys *keeper_keys_set_new(void);
void keeper_keys_set_free(struct keeper_keys *set);
/* A reference to the key, or NULL. */
struct keeper_key *keeper_keys_find(struct keeper_keys *set, const char *id);
/* Takes the reference over and returns 0; -1 when there is one of this name (the reference stays with the caller). */
int keeper_keys_add(struct keeper_keys *set, struct keeper_key *key) __attribute__((warn_unused_result));
/* Takes it out of the set; whoever works with it at the moment keeps it until he is done. 1, or 0: it was not there.
 */
int keeper_keys_remove(struct keeper_keys *set, const char *id);
unsigned keeper_keys_count(struct keeper_keys *set);

#endif
