/*
 * The directories that the scout may ask, and the way of one question: the servers' host names through dns.h, then
 * ldap/ldap_find.h. Role scout. Never blocks after scout_ldap_add.
 */
#ifndef POSTERN_SCOUT_SCOUT_LDAP_H
#define POSTERN_SCOUT_SCOUT_LDAP_H

#include "gateway/scout/dns.h"
#include "gateway/scout/ldap_proto.h"
#include "ldap/ldap_settings.h"

struct scout_ldap;
struct scout_ldap *scout_ldap_new(struct loop *l, struct dns *d);
/* Before the sandbox: reads files. name and set stay. One whose files cannot be read answers WRONG from then on. */
void scout_ldap_add(struct scout_ldap *s, const char *name, const struct ldap_settings *set);
/* The password for its bind-dn. */
void scout_ldap_password(struct scout_ldap *s, const char *name, const void *p, size_t n);

typedef void scout_ldap_fn(void *ctx, const struct ldap_proto_answer *a);
/* fn is called once, from the loop or from inside. */
void scout_ldap_ask(struct scout_ldap *s, const struct ldap_proto_ask *m, scout_ldap_fn *fn, void *ctx);

#endif
