/* The provider's RSA decryption (OSSL_OP_ASYM_CIPHER). See provider.h. */
#ifndef POSTERN_KEYS_PROVIDER_CIPHER_H
#define POSTERN_KEYS_PROVIDER_CIPHER_H

#include <openssl/core.h>

extern const OSSL_DISPATCH provider_cipher[];

#endif
