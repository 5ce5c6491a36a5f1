/* The provider's signatures, RSA and ECDSA (OSSL_OP_SIGNATURE). See provider.h. */
#ifndef POSTERN_KEYS_PROVIDER_SIGN_H
#define POSTERN_KEYS_PROVIDER_SIGN_H

#include <openssl/core.h>

extern const OSSL_DISPATCH provider_sign[];

#endif
