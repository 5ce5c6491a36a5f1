/*
 * TLS contexts: what all have in common, and the client side with or without verification. TLS 1.2 and 1.3. The
 * server side is in relay_tls_server.c. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_TLS_H
#define POSTERN_PROC_RELAY_TLS_H

#include "gateway/proc/relay.h"

/* What server and client have in common: versions, ciphers, memory. */
void relay_tls_common(SSL_CTX *c);
/* Client contexts; verify: CA file read now (before the sandbox). NULL with pr. */
SSL_CTX *relay_tls_client(const char *ca_file, struct problem *pr); /* ca_file NULL: any certificate, and DANE */
/* With the CA certificates of `verify`, for hosts that MTA-STS vouches for: a name counts in subjectAltName alone,
 * never as the common name of the subject (RFC 8461 4.2). */
SSL_CTX *relay_tls_client_sts(SSL_CTX *verify);

#endif
