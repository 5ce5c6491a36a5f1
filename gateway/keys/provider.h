/*
 * The OpenSSL provider that makes a key in the keeper look like any EVP_PKEY: libcrypto and libssl do CMS and TLS as
 * always, and each private operation becomes one call to the keeper. In relay, sealer, judge. Blocks as long as the
 * client's time-out.
 *
 * How it sits in libcrypto (3.0 and later):
 *  - It is alone in a library context of its own; CMS, TLS and X.509 stay in the default one. There, libcrypto looks
 * for an algorithm in the default context first and tries to export the key to it; we refuse to export anything
 * private, whereupon it takes the algorithm of the key's own provider: ours.
 *  - All but the private operation is done by the default provider: a key object holds the public key there, and each
 * operation context holds a context of the opposite operation (verify, encrypt) or of a public key (derive), which
 * takes and gives all parameters and computes algorithm identifiers. The last call sends digest, ciphertext or point
 * to the keeper. Not here: verification and encryption with such a key. Use the certificate's public key.
 */
#ifndef POSTERN_KEYS_PROVIDER_H
#define POSTERN_KEYS_PROVIDER_H

#include <openssl/core.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "gateway/keys/keeper_proto.h"
#include "gateway/keys/keys.h"

/* A key object as the provider's functions see it. */
struct provider_key {
	_Atomic int refs;
	struct keys_client *client; /* NULL: only a public key, the peer of an agreement */
	char id[KEYS_ID_MAX + 1];
	EVP_PKEY *pub; /* of the default provider; NULL while empty; domain parameters alone in a peer key under
			  construction */
	bool has_public;
};

/* The parameter by which provider_pkey hands a struct provider_key to the import function: the octets of a pointer,
 * within this process. */
#define PROVIDER_PARAM_KEY "postern-key"

/* A private key of the keeper as EVP_PKEY; id is valid. EVP_PKEY_free it. NULL with pr. */
EVP_PKEY *provider_pkey(struct keys_client *k, const char *id, EVP_PKEY *pub, struct problem *pr);

struct provider_key *provider_key_new(void);
void provider_key_ref(struct provider_key *key);
void provider_key_unref(struct provider_key *key);

/* Puts a reason on libcrypto's error queue; returns 0, the provider functions' "failed". */
int provider_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The keeper's name of a hash; 0 when it has none. */
uint8_t provider_md(const char *name);
/* Asks the keeper for the private operation rq with this key (id is put in here). 0 / -1 with the reason on the error
 * queue. */
int provider_ask(const struct provider_key *key, struct keeper_request *rq, struct keeper_reply *rp_r)
    __attribute__((warn_unused_result));

#endif
