/*
 * Who may have a thread now, when strangers name the servers. One stranger has many names and addresses: so servers
 * count as one when they are in one network or under one domain; and a part of the threads is for servers that have
 * answered before, so that any number of silent ones leaves those a way. Scout. Pure; the caller's lock.
 */
#ifndef POSTERN_LDAP_LDAP_TURN_H
#define POSTERN_LDAP_LDAP_TURN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldap/ldap_cert.h"

#define LDAP_TURN_MAX 512

struct ldap_turn {
	struct sockaddr_storage answered[LDAP_TURN_MAX]; /* family 0: none */
	size_t next;
};
/* Would both burden one server, or one owner's? By any of their servers and addresses: one network (IPv4 /24, IPv6
 * /48; on loopback the very address and port), or one domain. */
bool ldap_turn_same(const struct ldap_cert_ask *a, const struct ldap_cert_ask *b);
/* This address answered; it failed. Who fails has to wait among the unknown again. */
void ldap_turn_answered(struct ldap_turn *t, const struct sockaddr_storage *addr);
void ldap_turn_failed(struct ldap_turn *t, const struct sockaddr_storage *addr);
/* Has the first address of it answered? */
bool ldap_turn_is_known(const struct ldap_turn *t, const struct ldap_cert_ask *a);
/* How many of so many threads those may have who are not known: all but a quarter. */
int64_t ldap_turn_share(int64_t threads);

#endif
