/* Settings of section "mta-sts" (RFC 8461). Roles scout (fetching), relay (whether to ask). */
#ifndef POSTERN_SCOUT_STS_SETTINGS_H
#define POSTERN_SCOUT_STS_SETTINGS_H

#include "gateway/base/settings.h"

struct sts_settings {
	bool enabled;
	int64_t timeout;      /* ms, for fetching one policy */
	int64_t max_age;      /* ms, a longer max_age of a policy is cut to it */
	int64_t retry;	      /* ms between two tries to fetch a policy */
	int64_t policies_max; /* that are remembered */
	int64_t port;	      /* 443 */
	bool local_addresses; /* a policy host may have private and loopback addresses */
};
extern const struct settings_section sts_settings_section;

#endif
