/* Is an address within a list of networks (192.0.2.0/24, 2001:db8::/32, single addresses)? Pure. */
#ifndef POSTERN_PROC_NETWORK_H
#define POSTERN_PROC_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

/* addr: numeric text as inet_ntop gives it; an IPv4-mapped IPv6 address counts as IPv4. What cannot be read is in no
 * network. */
bool network_contains(char *const *list, size_t n, const char *addr);

#endif
