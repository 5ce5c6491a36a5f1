/*
 * Which addresses a stranger may have us connect to: public unicast ones. Whoever writes a DNS record or a URL
 * chooses the address, and must not reach our own hosts through us. Role scout. Pure.
 */
#ifndef POSTERN_SCOUT_GUARD_H
#define POSTERN_SCOUT_GUARD_H

#include <netinet/in.h>
#include <stdbool.h>

/* False for private, loopback, link-local, shared, documentation, multicast and reserved addresses (RFC 6890), also
 * when they are dressed as IPv6 (mapped, 6to4, NAT64). */
bool guard_public(const struct sockaddr_storage *ss);

#endif
