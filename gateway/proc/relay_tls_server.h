/*
 * The server's TLS contexts: our TLS identities by the name the client asks for (SNI), keys in the keeper; client
 * certificates as a listener wants them. TLS 1.2 and 1.3. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_TLS_SERVER_H
#define POSTERN_PROC_RELAY_TLS_SERVER_H

#include "gateway/proc/relay.h"

/* The CAs of a listener's client certificates, read now (before the sandbox). NULL with pr. */
X509_STORE *relay_tls_server_cas(const char *file, struct problem *pr);
/* The context of a listener: the TLS identity of our host name (else the first one), and the others for clients that
 * ask for a name one of their certificates has. cas (NULL: none) for client-certificates = require; without them
 * every handshake fails then. NULL without pr set: there is no TLS identity. NULL with pr: it cannot be used. */
SSL_CTX *relay_tls_server(const struct relay *r, const struct conf_listener *l, X509_STORE *cas, struct problem *pr);

#endif
