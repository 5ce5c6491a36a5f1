/* Does a certificate speak for a domain or an address? Judge, CLI, tests; pure. */
#ifndef POSTERN_CERTSTORE_CERT_BIND_H
#define POSTERN_CERTSTORE_CERT_BIND_H

#include <openssl/x509.h>

#include "gateway/mail/address.h"

enum cert_binding {
	CERT_BOUND_NOT,
	CERT_BOUND_ADDRESS,   /* rfc822Name = address */
	CERT_BOUND_DOMAIN,    /* dNSName = domain */
	CERT_BOUND_AUTHORITY, /* rfc822Name domain-*-authority@ for this use */
};
enum cert_purpose { CERT_TO_SIGN, CERT_TO_ENCRYPT };
/* The first of these in the order above (but for NOT). who->local "" asks for the domain alone. Ignores case and
 * blanks around; no wildcards; a certificate with a NUL inside a name is bound to nothing. */
enum cert_binding cert_bound(X509 *x, const struct address *who, enum cert_purpose use);

#endif
