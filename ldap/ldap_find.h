/*
 * Asks a directory whether an address is in it, through libldap. libldap waits (in TLS handshakes always), so each
 * directory has a few threads of its own, started when they are first needed; the caller's side never blocks. Servers
 * are tried in their order; one that cannot be reached, or refuses TLS or bind, is left alone for dead-time. One that
 * answers a search with an error is asked the next question all the same. Scout.
 *
 * No names are resolved here and no files are read after ldap_find_new: the sandbox allows neither. No referrals are
 * followed.
 */
#ifndef POSTERN_LDAP_LDAP_FIND_H
#define POSTERN_LDAP_LDAP_FIND_H

#include <netinet/in.h>

#include "gateway/base/loop.h"
#include "ldap/ldap_settings.h"

#define LDAP_FIND_SERVERS_MAX 8
#define LDAP_FIND_ADDRS_MAX 8
#define LDAP_FIND_WAITING_MAX 2000

struct ldap_find;
enum ldap_find_status {
	LDAP_FIND_FOUND,
	LDAP_FIND_NOTHING, /* a server answered: no entry */
	LDAP_FIND_TEMP,	   /* no server answered, or one said: not now */
	LDAP_FIND_WRONG,   /* one answered with an error that somebody must mend */
};
/* Where the servers of the setting are, in its order; port 0: put in here. Copied. */
struct ldap_find_where {
	struct {
		struct sockaddr_storage addrs[LDAP_FIND_ADDRS_MAX];
		size_t naddrs;
	} servers[LDAP_FIND_SERVERS_MAX];
};
/* said: who said it, and what; valid during the call. */
typedef void ldap_find_fn(void *ctx, enum ldap_find_status s, const char *said);

/* set stays. Reads ca-file: call it before the sandbox; may look up this machine's name. NULL with pr. */
struct ldap_find *ldap_find_new(struct loop *l, const struct ldap_settings *set, struct problem *pr);
/* Waits for the threads; questions under way end without an answer, and the loop must not run any more. NULL is
 * allowed. */
void ldap_find_free(struct ldap_find *f);
/* Before the first question. Copied. */
void ldap_find_password(struct ldap_find *f, const void *p, size_t n);
/* fn is called once, from the loop, never from inside. */
void ldap_find_ask(struct ldap_find *f, const char *local, const char *domain, const struct ldap_find_where *w,
    ldap_find_fn *fn, void *ctx);

#endif
