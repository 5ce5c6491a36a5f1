/* Certificates out of DNS: CERT (RFC 4398), SMIMEA (RFC 8162), and the URL in the TXT record `_smg`. For find.c. */
#ifndef POSTERN_CERTSTORE_FIND_DNS_H
#define POSTERN_CERTSTORE_FIND_DNS_H

#include "certstore/find_work.h"
#include "certstore/srv_record.h"

void find_dns_smimea(struct find_work *w);
void find_dns_smg(struct find_work *w);
void find_dns_cert(struct find_work *w);

#define FIND_SERVERS_MAX 8
/* The servers of a service ("_ldap._tcp") of the recipient's domain in the order in which they are asked, at most
 * FIND_SERVERS_MAX; 0 when there are none, or it is not known: the step says which. */
size_t find_dns_servers(
    struct find_work *w, struct find_step *s, const char *service, struct srv_record v[FIND_SERVERS_MAX]);

#endif
