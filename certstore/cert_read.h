/* Certificates out of whatever file an admin or a partner has. Judge, CLI, tests; pure over octets, OpenSSL; no I/O.
 */
#ifndef POSTERN_CERTSTORE_CERT_READ_H
#define POSTERN_CERTSTORE_CERT_READ_H

#include <openssl/x509.h>
#include <stddef.h>

#include "gateway/base/problem.h"

#define CERT_FILE_MAX (4u * 1024 * 1024)

/* Any of PEM (several), DER, PKCS#7 (DER or PEM): all certificates in file order, at most max. Returns how many (at
 * least 1), -1 with pr; then nothing is in list. Each X509_free. */
int cert_read_any(const void *p, size_t n, X509 **list, size_t max, struct problem *pr)
    __attribute__((warn_unused_result));
/* Certificates one behind the other in DER, as chains are stored and sent. As above; 0 for no octets. */
int cert_read_chain(const void *p, size_t n, X509 **list, size_t max, struct problem *pr)
    __attribute__((warn_unused_result));
/* Is it a PKCS#12 file, with or without a key? It is not opened. -1 with a sentence that says what to do, 0 no. */
int cert_read_no_pkcs12(const void *p, size_t n, struct problem *pr) __attribute__((warn_unused_result));
void cert_list_free(X509 **list, size_t n);

#endif
