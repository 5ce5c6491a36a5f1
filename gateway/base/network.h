/* Networks as the configuration has them (192.0.2.0/24, 2001:db8::/32, single addresses). Pure. */
#ifndef POSTERN_BASE_NETWORK_H
#define POSTERN_BASE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

/* Can it be read: an address, or one with a prefix that is not longer than it. */
bool network_ok(const char *net);
/* Is an address within one of a list of networks?
 * addr: numeric text as inet_ntop gives it; an IPv4-mapped IPv6 address counts as IPv4. What cannot be read is in no
 * network. */
bool network_contains(char *const *list, size_t n, const char *addr);

#endif
