/*
 * Which servers failed lately, and why: they are left alone for a while. Bounded: the oldest are forgotten. The
 * caller's lock. Scout. Pure.
 */
#ifndef POSTERN_LDAP_LDAP_DEAD_H
#define POSTERN_LDAP_LDAP_DEAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LDAP_DEAD_MAX 256

struct ldap_dead {
	struct {
		char key[400];
		int64_t until, since; /* loop ms; unix s */
		char why[300];
	} all[LDAP_DEAD_MAX];
	size_t next;
};
/* uri "": nobody takes connections at that address, whatever name leads there. Otherwise it fails for this URI, and
 * may well serve another: a stranger's name must not make a healthy server count as dead. */
void ldap_dead_mark(
    struct ldap_dead *d, const char *uri, const struct sockaddr_storage *addr, int64_t ms, const char *why);
/* The words for one that is marked, with uri or without. */
bool ldap_dead_is(
    const struct ldap_dead *d, const char *uri, const struct sockaddr_storage *addr, char *words, size_t cap);

#endif
