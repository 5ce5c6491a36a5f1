/* The provider's key objects (OSSL_OP_KEYMGMT). See provider.h. */
#ifndef POSTERN_KEYS_PROVIDER_KEYMGMT_H
#define POSTERN_KEYS_PROVIDER_KEYMGMT_H

#include <openssl/core.h>

extern const OSSL_DISPATCH provider_keymgmt_rsa[], provider_keymgmt_rsa_pss[];
extern const OSSL_DISPATCH provider_keymgmt_ec[];

#endif
