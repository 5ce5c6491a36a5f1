/*
 * Fetches certificates from directories through libldap, which waits: so a pool of threads, started when they are
 * first needed; the caller's side never blocks. Connections are kept for a while and used again; a server that cannot
 * be reached, or refuses TLS or bind, is left alone for dead-time, and questions for it alone are answered at once.
 * Scout. RFC 4511, RFC 4523.
 *
 * One pool serves one configured directory, or all servers that strangers name: then those can neither fill the queue
 * nor hold every thread with one address. No names are resolved here and no files are read; referrals are not
 * followed; of an answer no more is kept than was asked for.
 */
#ifndef POSTERN_LDAP_LDAP_CERT_H
#define POSTERN_LDAP_LDAP_CERT_H

#include <netinet/in.h>

#include "certstore/source.h"
#include "gateway/base/loop.h"
#include "ldap/ldap_link.h"

#define LDAP_CERT_SERVERS_MAX 8
#define LDAP_CERT_ADDRS_MAX 8

struct ldap_cert_set {
	const struct ldap_settings *ldap; /* servers and filter are not used; base "": every namingContexts */
	const struct ldap_link_tls *tls;
	int64_t connections, per_server; /* questions at once: in all, to one address */
	int64_t waiting, waiting_per_server;
	int64_t idle;	 /* ms that a connection is kept unused */
	int64_t entries; /* of one search */
	bool own;	 /* the servers were chosen by the admin */
};
struct ldap_cert_server {
	char uri[300];
	struct sockaddr_storage addrs[LDAP_CERT_ADDRS_MAX]; /* the port is put in */
	size_t naddrs;
};
struct ldap_cert_ask {
	const char *filter;					/* whole, RFC 4515 */
	const char *who;					/* that is looked for, for words */
	uint32_t max;						/* octets of all values */
	uint32_t timeout_ms;					/* from began on */
	int64_t began;						/* loop ms; 0: now */
	struct ldap_cert_server servers[LDAP_CERT_SERVERS_MAX]; /* in the order to try */
	size_t nservers;
};
/* a: SOURCE_FOUND, NONE or TEMP; valid during the call. */
typedef void ldap_cert_fn(void *ctx, const struct source_answer *a);

struct ldap_cert;
/* set is copied; what it points at stays. */
struct ldap_cert *ldap_cert_new(struct loop *l, const struct ldap_cert_set *set);
/* Waits for the threads; questions under way end without an answer, and the loop must not run any more. NULL is
 * allowed. */
void ldap_cert_free(struct ldap_cert *c);
/* Before the first question. Copied. */
void ldap_cert_password(struct ldap_cert *c, const void *p, size_t n);
/* fn is called once, from the loop, never from inside; ask is copied. */
void ldap_cert_ask(struct ldap_cert *c, const struct ldap_cert_ask *ask, ldap_cert_fn *fn, void *ctx);

#endif
