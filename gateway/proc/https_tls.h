/*
 * TLS of an HTTP listener: GnuTLS (libmicrohttpd knows no other), with a private key that stays in the keeper and is
 * asked for each handshake. Roles public and web. The loop sets certificate and keeper; the thread that serves uses
 * them.
 */
#ifndef POSTERN_PROC_HTTPS_TLS_H
#define POSTERN_PROC_HTTPS_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stddef.h>
#include <stdint.h>

/* TLS 1.2 and 1.3, no weak ciphers. */
#define HTTPS_TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA"

/* Before the sandbox, and before the others. who: the role, for the log; stays. */
void https_tls_begin(const char *who);
/* The keeper's channel (taken over); a new one takes the place of the old. */
void https_tls_keeper(int fd);
/* The key's id, its certificate and chain (DER one behind the other). What cannot be used is logged, and the one
 * before stays. */
void https_tls_certificate(const char *key_id, const uint8_t *certs, size_t n);
/* gnutls_certificate_retrieve_function2. Without a certificate the handshake fails. */
int https_tls_retrieve(gnutls_session_t session, const gnutls_datum_t *req_ca_dn, int nreqs,
    const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length, gnutls_pcert_st **pcert, unsigned int *pcert_length,
    gnutls_privkey_t *privkey);

#endif
