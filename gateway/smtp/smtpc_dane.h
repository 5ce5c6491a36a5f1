/*
 * DANE for SMTP: the TLSA records of a host, and OpenSSL told to match them. Role relay. RFC 7672, RFC 7671, RFC
 * 6698. The records come validated (scout); what is done with them is here.
 */
#ifndef POSTERN_SMTP_SMTPC_DANE_H
#define POSTERN_SMTP_SMTPC_DANE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/smtp/smtpc_tls.h"

struct smtpc_dane;

/* Usable for mail: usage 2 or 3, a known selector and matching type, data of the right length or that is a
 * certificate or key (RFC 7672 3.1, RFC 7671 5). */
bool smtpc_dane_usable(uint8_t usage, uint8_t selector, uint8_t matching, const uint8_t *data, size_t n);

/* base: the TLSA base domain, sent as SNI and looked for in certificates under usage 2. One reference for the caller.
 */
struct smtpc_dane *smtpc_dane_new(const char *base);
/* One more record, which must be usable / one more name that a certificate under usage 2 may bear (RFC 7672 3.2.3).
 */
void smtpc_dane_record(
    struct smtpc_dane *d, uint8_t usage, uint8_t selector, uint8_t matching, const uint8_t *data, size_t n);
void smtpc_dane_name(struct smtpc_dane *d, const char *name);
struct smtpc_dane *smtpc_dane_ref(struct smtpc_dane *d); /* NULL gives NULL */
void smtpc_dane_free(struct smtpc_dane *d);
/* Same records and names? Both may be NULL. */
bool smtpc_dane_same(const struct smtpc_dane *a, const struct smtpc_dane *b);
/* A short text that differs where the records or names differ. */
const char *smtpc_dane_mark(const struct smtpc_dane *d);

/* Makes a client context fit for DANE, once. 0, or -1 (OpenSSL refuses). */
int smtpc_dane_context(SSL_CTX *ctx) __attribute__((warn_unused_result));
/* Before the handshake: SNI, records, names, verification on. 0, or -1: it cannot be used (nothing is verified). */
int smtpc_dane_use(const struct smtpc_dane *d, SSL *ssl) __attribute__((warn_unused_result));
/* After the handshake: does a record vouch for the peer? 0, or -1 with why (words about the certificate in n). */
int smtpc_dane_verified(SSL *ssl, struct smtpc_tls_note *n, const char **why_r) __attribute__((warn_unused_result));

#endif
