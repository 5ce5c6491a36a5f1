/* The table of section "trust". Pure. */
#include "gateway/proc/trust_settings.h"

#include "certstore/source.h"

static const char *const two_words[] = {"none", "decisions", "all", NULL};

static const struct setting rows[] = {
    {.name = "revocation-keep",
	.type = SETTING_DURATION,
	.offset = offsetof(struct trust_settings, revocation_keep),
	.dflt = "4h",
	.min = 60 * 1000LL,
	.max = 7 * 24 * 3600 * 1000LL,
	.help = "How long a revocation list or an OCSP answer is used before it is asked for again, at most until "
		"its own "
		"end, or as long as the server that gave it says."},
    {.name = "revocation-again",
	.type = SETTING_DURATION,
	.offset = offsetof(struct trust_settings, revocation_again),
	.dflt = "1m",
	.min = 10 * 1000LL,
	.max = 3600 * 1000LL,
	.help =
	    "The shortest time between two questions to an OCSP responder about one certificate, when its answers "
	    "end sooner or are no use. An answer is never used more than 5 minutes (what clocks may differ) behind "
	    "its own end."},
    {.name = "revocation-timeout",
	.type = SETTING_DURATION,
	.offset = offsetof(struct trust_settings, timeout),
	.dflt = "10s",
	.min = 500,
	.max = 60 * 1000LL,
	.help = "How long one list or answer may take to come."},
    {.name = "revocation-list-max",
	.type = SETTING_SIZE,
	.offset = offsetof(struct trust_settings, list_max),
	.dflt = "12M",
	.min = 64 * 1024,
	.max = SOURCE_OCTETS_MAX,
	.help = "Largest revocation list that is read. While one of 10 MiB is read it takes about ten times that in "
		"memory."},
    {.name = "revocation-list-max-zone",
	.type = SETTING_SIZE,
	.offset = offsetof(struct trust_settings, zone_list_max),
	.dflt = "1M",
	.min = 16 * 1024,
	.max = SOURCE_OCTETS_MAX,
	.help = "The same for the lists of an authority that only an SMIMEA record of its own zone vouches for."},
    {.name = "fetch-issuers",
	.type = SETTING_BOOL,
	.offset = offsetof(struct trust_settings, fetch_issuers),
	.dflt = "yes",
	.help = "Fetch missing issuers of the certificates of listed partners, and of those looked for by find = "
		"direct, from where the certificate says (caIssuers), at most 4 for one question."},
    {.name = "issuer-wait",
	.type = SETTING_DURATION,
	.offset = offsetof(struct trust_settings, issuer_wait),
	.dflt = "30m",
	.min = 0,
	.max = 12 * 3600 * 1000LL,
	.help =
	    "How long mail that came in waits when the place of a missing issuer gives no answer; then its signer "
	    "counts as untrusted. Outgoing mail gets 451 as long as it lasts."},
    {.name = "bundle-drop-max",
	.type = SETTING_INT,
	.offset = offsetof(struct trust_settings, bundle_drop_max),
	.dflt = "50",
	.min = 0,
	.max = 100,
	.help = "A new edition of a trust bundle that leaves out more than this part of its anchors, in per cent, is "
		"refused, and the old one stays, until the admin says postern bundle refresh URL --force."},
    {.name = "import-max",
	.type = SETTING_INT,
	.offset = offsetof(struct trust_settings, import_max),
	.dflt = "5000",
	.min = 1,
	.max = 50000,
	.help = "Certificates of one file that is imported for many partners at once."},
    {.name = "two-person",
	.type = SETTING_ENUM,
	.offset = offsetof(struct trust_settings, two_person),
	.dflt = "none",
	.words = two_words,
	.help = "What one person proposes and another one confirms: none; decisions (a statement or certificate that "
		"waits is taken); all (also partners, their certificates, anchors, bundles and rules). What takes "
		"trust away is one person's."},
    {.name = "two-person-expiry",
	.type = SETTING_DURATION,
	.offset = offsetof(struct trust_settings, two_person_expiry),
	.dflt = "7d",
	.min = 60 * 1000LL,
	.max = 90 * 24 * 3600 * 1000LL,
	.help = "What nobody confirms within that time is forgotten."},
};
const struct settings_section trust_settings_section = {
    "trust", rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct trust_settings), false};
