/* Algorithms by the names that cases use. */
#ifndef INTEROP_CMS_NAMES_H
#define INTEROP_CMS_NAMES_H

#include <openssl/evp.h>

#include "interop/kit/util.h"

/* Of a content encryption (RFC 8551 2.7, RFC 3370, RFC 5084): "aes256-cbc" ... "rc2", or the dotted OID. Static or as
 * given. */
const char *cms_names_of_cipher(const char *oid);
/* Is it an AEAD cipher? */
bool cms_names_aead(const char *oid);
/* OpenSSL's; NULL: not known. The legacy provider is loaded when (and only when) rc2 is asked for. */
const EVP_CIPHER *cms_names_cipher(const char *name);
/* For what comes encrypted with rc2: loads the legacy provider. Safe for threads. */
void cms_names_legacy(void);
/* "sha256" ... or the dotted OID as given. */
const char *cms_names_of_digest(const char *oid);

#endif
