/*
 * The LDAP source: certificates in directories (certstore/source.h, SOURCE_LDAP), by libldap in threads
 * (ldap/ldap_cert.h). Role scout; octets in, octets out. RFC 4511, RFC 4523, RFC 2798 (userSMIMECertificate).
 *
 * ask.directory: a section certificate-directory of the configuration. Otherwise ask.name, the URI of a server found
 * in DNS: anonymous, below every namingContexts, (mail=...), at public addresses alone. Answers: FOUND with one item
 * a value; NONE when a server said that it has no entry, or an entry without a certificate; else TEMP.
 */
#ifndef POSTERN_SCOUT_SOURCE_LDAP_H
#define POSTERN_SCOUT_SOURCE_LDAP_H

#include "gateway/scout/dns.h"
#include "gateway/scout/source_done.h"
#include "gateway/scout/source_settings.h"
#include "ldap/ldap_cert_settings.h"

#define SOURCE_LDAP_WAITING_MAX 4000 /* questions under way; each pool has its own, lower bound */

struct source_ldap;
/* Reads the file of CAs for ldaps:// (PEM): call it before the sandbox, which must allow threads. d and set stay.
 * When the file cannot be read, there is an alarm and no server of strangers is asked. */
struct source_ldap *source_ldap_new(
    struct loop *l, struct dns *d, const struct source_settings *set, const char *ca_file);
/* After dns_free, before loop_free, and the loop must not run any more. Waits for the threads. NULL is allowed. */
void source_ldap_free(struct source_ldap *s);
/* A section certificate-directory, before the sandbox: reads its ca-file. title and set stay. One whose file cannot
 * be read answers TEMP from then on. */
void source_ldap_add(struct source_ldap *s, const char *title, const struct ldap_cert_settings *set);
/* The password for its bind-dn; before the first question. Copied. */
void source_ldap_password(struct source_ldap *s, const char *title, const void *p, size_t n);
void source_ldap_ask(struct source_ldap *s, const struct source_ask *ask, source_done *done, void *ctx);

#endif
