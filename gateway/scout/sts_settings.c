/* The table of section "mta-sts". Roles scout, relay and whoever reads the configuration. Pure. */
#include "gateway/scout/sts_settings.h"

#define S 1000LL
#define DAY (24 * 3600 * S)

static const struct setting rows[] = {
    {.name = "enabled",
	.type = SETTING_BOOL,
	.offset = offsetof(struct sts_settings, enabled),
	.dflt = "yes",
	.help = "Keep to the MTA-STS policies of the domains that mail goes to by MX (not with relay-tls none or "
		"dane-only)."},
    {.name = "timeout",
	.type = SETTING_DURATION,
	.offset = offsetof(struct sts_settings, timeout),
	.dflt = "15s",
	.min = 100,
	.max = 25 * S,
	.help = "How long fetching a policy may take; mail to that domain waits for the first one."},
    {.name = "max-age",
	.type = SETTING_DURATION,
	.offset = offsetof(struct sts_settings, max_age),
	.dflt = "365d",
	.min = S,
	.max = 366 * DAY,
	.help = "Longest time that a policy is believed without being fetched again."},
    {.name = "retry",
	.type = SETTING_DURATION,
	.offset = offsetof(struct sts_settings, retry),
	.dflt = "5m",
	.min = S,
	.max = DAY,
	.help = "How long after a failure a policy is not fetched again."},
    {.name = "policies-max",
	.type = SETTING_INT,
	.offset = offsetof(struct sts_settings, policies_max),
	.dflt = "20000",
	.min = 10,
	.max = 1000000,
	.help =
	    "Policies that are remembered. When there are more, those with mode testing or none go first; one with "
	    "mode "
	    "enforce stays until it ends, and a new one then holds for the mail that asked for it alone (alarm). The "
	    "names "
	    "below one domain (its last two labels) have at most an eighth of the room."},
    {.name = "port",
	.type = SETTING_INT,
	.offset = offsetof(struct sts_settings, port),
	.dflt = "443",
	.min = 1,
	.max = 65535,
	.help = "Port of the HTTPS servers with the policies (other than 443 only for tests)."},
    {.name = "local-addresses",
	.type = SETTING_BOOL,
	.offset = offsetof(struct sts_settings, local_addresses),
	.dflt = "no",
	.help = "Fetch policies from loopback and private addresses too; for tests and demonstrations."},
};

const struct settings_section sts_settings_section = {
    .name = "mta-sts",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct sts_settings),
};
