/*
 * TLS contexts: server side with our TLS identity whose key lives in the keeper, client side with or without
 * verification. TLS 1.2 and 1.3. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_TLS_H
#define POSTERN_PROC_RELAY_TLS_H

#include "gateway/proc/relay.h"

/* A server context from the TLS identity of our host name (else the first TLS identity). NULL without pr set: there
 * is none. NULL with pr: it cannot be used. */
SSL_CTX *relay_tls_server(const struct relay *r, struct problem *pr);
/* Client contexts; verify: CA file read now (before the sandbox). NULL with pr. */
SSL_CTX *relay_tls_client(const char *ca_file, struct problem *pr); /* ca_file NULL: any certificate, and DANE */

#endif
