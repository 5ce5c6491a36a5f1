/* The table of section "find". Role judge and whoever reads the configuration. Pure. */
#include "certstore/find_settings.h"

#define S 1000LL
#define HOUR (3600 * S)
#define DAY (24 * HOUR)
#define MIB (1024LL * 1024)

#define ROW(kind, field, text, min_, max_, words_)                                                                   \
	.type = kind, .offset = offsetof(struct find_settings, field), .dflt = text, .min = min_, .max = max_,       \
	.help = words_
#define MS(field, text, min_, max_, words_) ROW(SETTING_DURATION, field, text, min_, max_, words_)
#define NUMBER(field, text, min_, max_, words_) ROW(SETTING_INT, field, text, min_, max_, words_)
#define OCTETS(field, text, min_, max_, words_) ROW(SETTING_SIZE, field, text, min_, max_, words_)

static const struct setting rows[] = {
    {.name = "timeout",
	MS(timeout, "8s", 100, 15 * S,
	    "How long a client waits at RCPT for what has to be looked up in the network; what has not come then "
	    "counts "
	    "as uncertain. The look-ups go on, and their answers are remembered.")},
    {.name = "admin-timeout",
	MS(admin_timeout, "20s", 100, 50 * S, "The same for \"postern explain\" and \"postern lookup\".")},
    {.name = "found-least",
	MS(found_least, "1m", 0, DAY,
	    "What was found is remembered for as long as its source says (TTL), but at least this long ...")},
    {.name = "found-most", MS(found_most, "1d", S, 30 * DAY, "... and at most this long.")},
    {.name = "none-least",
	MS(none_least, "1m", 0, DAY,
	    "That there is nothing is remembered for as long as its source says, but at "
	    "least this long ...")},
    {.name = "none-most",
	MS(none_most, "1h", S, 30 * DAY,
	    "... and at most this long: a partner's new certificate is found after this at the latest.")},
    {.name = "unsure-for",
	MS(unsure_for, "30s", S, HOUR,
	    "How long a place that gave no answer, or none that can be believed, is not asked again.")},
    {.name = "kept-max",
	NUMBER(kept_max, "20000", 100, 10000000,
	    "Answers of the network that are remembered; those not used for longest go first.")},
    {.name = "kept-octets", OCTETS(kept_octets, "64M", MIB, 16 * 1024 * MIB, "Octets of memory for them.")},
    {.name = "asking-max",
	NUMBER(asking_max, "1024", 4, 65536,
	    "Questions to the network under way at once; with more, mail is put off (451). A quarter of them is kept "
	    "for places that the configuration names.")},
    {.name = "asking-site",
	NUMBER(asking_site, "64", 1, 65536,
	    "Of them, those for one site: a host that is asked by LDAP or HTTP, a domain in the DNS with all below "
	    "it.")},
    {.name = "asks-max",
	NUMBER(asks_max, "200", 10, 10000,
	    "Look-ups for one recipient, or for the signers of one message; what would need more is put off (451).")},
    {.name = "waiting-max",
	NUMBER(waiting_max, "4000", 1, 1000000,
	    "Recipients and signers that wait at once for an answer of the network; with more, mail is put off "
	    "(451).")},
    {.name = "waiting-octets", OCTETS(waiting_octets, "64M", MIB, 1024 * MIB, "Octets of memory for them.")},
};

const struct settings_section find_settings_section = {
    .name = "find",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct find_settings),
};
