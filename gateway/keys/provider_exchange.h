/* The provider's ECDH with key derivation (OSSL_OP_KEYEXCH). See provider.h. */
#ifndef POSTERN_KEYS_PROVIDER_EXCHANGE_H
#define POSTERN_KEYS_PROVIDER_EXCHANGE_H

#include <openssl/core.h>

extern const OSSL_DISPATCH provider_exchange[];

#endif
