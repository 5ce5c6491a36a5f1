/* The table of section "find". Role judge and whoever reads the configuration. Pure. */
#include "certstore/find_settings.h"

#include <stdio.h>
#include <string.h>

#include "certstore/http_search.h"
#include "certstore/srv_record.h"

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

static const char *const orders[] = {[FIND_OWN] = "own", [FIND_DIRECT] = "direct", NULL};
static const char *const srv_orders[] = {[SRV_WEIGHT_FIRST] = "weight-first", [SRV_RFC2782] = "rfc2782", NULL};
static const char *const addresses[] = {
    [FIND_ADDRESS_LISTED] = "listed", [FIND_ADDRESS_ALWAYS] = "always", [FIND_ADDRESS_NEVER] = "never", NULL};

static int check_tier(const char *v, struct problem *pr)
{
	uint8_t bits;

	if (!strchr(v, ',') && find_options_tiers(v, &bits, NULL) == 0)
		return 0;
	return problem_perm(pr, "store, smimea, smg, cert, ldap or http");
}

static int check_directory(const char *v, struct problem *pr)
{
	if (*v && strlen(v) < sizeof((struct find_options *)0)->directories[0] && !strpbrk(v, " \t"))
		return 0;
	return problem_perm(pr, "the title of a section certificate-directory, without blanks");
}

static int check_store(const char *v, struct problem *pr)
{
	if (http_search_base(v) == 0 && strlen(v) < sizeof((struct find_options *)0)->http_stores[0])
		return 0;
	return problem_perm(pr, "a URL such as https://certs.lab.example/search, without a query");
}

static const struct setting rows[] = {
    {.name = "timeout",
	MS(timeout, "8s", 100, 15 * S,
	    "How long a client waits at RCPT for what has to be looked up in the network; what has not come then "
	    "counts "
	    "as uncertain. The look-ups go on, and their answers are remembered.")},
    {.name = "admin-timeout",
	MS(admin_timeout, "20s", 100, 50 * S, "The same for \"postern explain\" and \"postern lookup\".")},
    {.name = "found-least",
	MS(found_least, "1m", S, DAY,
	    "What was found is remembered for as long as its source says (TTL), but at least this long ...")},
    {.name = "found-most", MS(found_most, "1d", S, 30 * DAY, "... and at most this long.")},
    {.name = "none-least",
	MS(none_least, "1m", S, DAY,
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
	NUMBER(waiting_max, "4000", 4, 100000,
	    "Recipients and signers that wait at once for an answer of the network; with more, mail is put off "
	    "(451).")},
    {.name = "waiting-octets", OCTETS(waiting_octets, "64M", MIB, 1024 * MIB, "Octets of memory for them.")},
    {.name = "order",
	.type = SETTING_ENUM,
	.offset = offsetof(struct find_settings, order),
	.dflt = "own",
	.words = orders,
	.help =
	    "How the places are weighed against each other: own asks all of them at once and uses the strongest one "
	    "that has a usable certificate, once every stronger one surely has none; direct asks DNS CERT and then "
	    "LDAP, the address before the domain, and stops at the first that has any certificate, usable or not."},
    {.name = "tiers",
	.type = SETTING_LIST,
	.offset = offsetof(struct find_settings, tiers),
	.dflt = "store, smimea, smg, cert, ldap",
	.max = 16,
	.help =
	    "Where partners' certificates are looked for: store (imported or harvested ones), smimea (SMIMEA "
	    "records, "
	    "in signed zones alone), smg (the statement that the TXT record _smg leads to), cert (CERT records), "
	    "ldap (directories "
	    "below, and those that SRV _ldap._tcp of the domain names), http (certificate stores below, and those "
	    "that SRV _certificates._tcp names). Their strength is in this order, however they are listed.",
	.check = check_tier},
    {.name = "srv-order",
	.type = SETTING_ENUM,
	.offset = offsetof(struct find_settings, srv_order),
	.dflt = "weight-first",
	.words = srv_orders,
	.help = "Among servers of one priority in DNS: the highest weight first, or drawn by weight (RFC 2782)."},
    {.name = "by-address",
	.type = SETTING_ENUM,
	.offset = offsetof(struct find_settings, by_address),
	.dflt = "listed",
	.words = addresses,
	.help =
	    "Whether DNS is asked for the certificate of one address, which tells it who writes to whom: for listed "
	    "partners, always, or never (then directories are asked for the domain alone, too)."},
    {.name = "directories",
	.type = SETTING_LIST,
	.offset = offsetof(struct find_settings, directories),
	.dflt = "",
	.max = 127,
	.help = "Sections certificate-directory that are asked for every partner, by their titles; at most 4.",
	.check = check_directory},
    {.name = "http-stores",
	.type = SETTING_LIST,
	.offset = offsetof(struct find_settings, http_stores),
	.dflt = "",
	.max = 255,
	.help = "Certificate stores (RFC 4387) that are asked for every partner, by their URLs; at most 4.",
	.check = check_store},
    {.name = "place-timeout",
	.type = SETTING_DURATION,
	.offset = offsetof(struct find_settings, place_timeout),
	.dflt = "5s",
	.min = 100,
	.max = 60000,
	.help = "How long one server may take to answer one question; shorter than timeout, so that a server's "
		"silence is "
		"known when the client is answered."},
    {.name = "answer-max",
	.type = SETTING_SIZE,
	.offset = offsetof(struct find_settings, answer_max),
	.dflt = "256k",
	.min = 4096,
	.max = 4 << 20,
	.help = "Largest answer to one question, in octets; more of it is not read."},
    {.name = "certificates-max",
	.type = SETTING_INT,
	.offset = offsetof(struct find_settings, certificates_max),
	.dflt = "32",
	.min = 1,
	.max = 256,
	.help = "Certificates out of the network that are looked at for one recipient."},
    {.name = "harvest",
	.type = SETTING_BOOL,
	.offset = offsetof(struct find_settings, harvest),
	.dflt = "yes",
	.help =
	    "Keep the certificate that the signer of signed, believed mail wants mail encrypted to (RFC 8551 2.5.3), "
	    "or its own when that may be encrypted to."},
    {.name = "harvest-max",
	.type = SETTING_INT,
	.offset = offsetof(struct find_settings, harvest_max),
	.dflt = "100000",
	.min = 1,
	.max = 100000000,
	.help = "Partners and people of whom harvested certificates are kept, four of each; of more none is kept."},
    {.name = "traces-max",
	NUMBER(traces_max, "256", 0, 1000000,
	    "Questions for a recipient's certificate whose steps are kept for \"postern trace\", the last ones: "
	    "those "
	    "that were refused, put off or uncertain, and those that asked the network. 0: none.")},
    {.name = "traces-octets", OCTETS(traces_octets, "8M", 65536, 1024 * MIB, "Octets of memory for them.")},
};

const struct settings_section find_settings_section = {
    .name = "find",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct find_settings),
};

int find_settings_options(const struct find_settings *s, struct find_options *o_r, struct problem *pr)
{
	*o_r = (struct find_options){
	    .order = (uint8_t)s->order, .srv = (uint8_t)s->srv_order, .by_address = (uint8_t)s->by_address};
	for (size_t i = 0; i < s->tiers.n; i++) {
		uint8_t bits = 0;

		if (find_options_tiers(s->tiers.v[i], &bits, pr) < 0)
			return -1;
		o_r->tiers = (uint8_t)(o_r->tiers | bits);
	}
	if (!o_r->tiers)
		return problem_perm(pr, "find: tiers names no place to look: at least store");
	if (o_r->order == FIND_DIRECT &&
	    !(o_r->tiers & (FIND_TIER(FIND_STORE) | FIND_TIER(FIND_CERT) | FIND_TIER(FIND_LDAP))))
		return problem_perm(
		    pr, "find: order = direct asks store, cert and ldap alone, and tiers names none of them");
	if (s->directories.n > FIND_PLACES_MAX || s->http_stores.n > FIND_PLACES_MAX)
		return problem_perm(pr, "find: at most %d directories and %d http-stores are asked", FIND_PLACES_MAX,
		    FIND_PLACES_MAX);
	for (size_t i = 0; i < s->directories.n; i++)
		(void)snprintf(
		    o_r->directories[o_r->ndirectories++], sizeof o_r->directories[0], "%s", s->directories.v[i]);
	for (size_t i = 0; i < s->http_stores.n; i++)
		(void)snprintf(
		    o_r->http_stores[o_r->nhttp_stores++], sizeof o_r->http_stores[0], "%s", s->http_stores.v[i]);
	return 0;
}
