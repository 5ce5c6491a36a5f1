/* The table of section "partner-statements". Pure. */
#include "gateway/proc/partner_statement_settings.h"

#include "gateway/xsmg/xsmg_trust.h"

#define HOUR (3600 * 1000LL)

static const char *const firsts[] = {[XSMG_ASK] = "ask", [XSMG_ACCEPT] = "accept", [XSMG_DECLINE] = "refuse", NULL};

static const struct setting rows[] = {
    {.name = "first-contact",
	.type = SETTING_ENUM,
	.offset = offsetof(struct partner_statement_settings, first_contact),
	.dflt = "ask",
	.words = firsts,
	.help = "A domain's first statement when nothing speaks for its key, neither an anchor for the domain nor a "
		"signed zone nor its own web server: ask leaves it to the admin (postern pending), and mail to the "
		"domain waits meanwhile (451); accept takes it; refuse passes it over."},
    {.name = "strict-expiry",
	.type = SETTING_BOOL,
	.offset = offsetof(struct partner_statement_settings, strict_expiry),
	.dflt = "no",
	.help = "A partner whose statement ran out and brought no newer one: no is still to encrypt to its "
		"certificates that are in their time; yes is to put mail to it off (451)."},
    {.name = "ask-after",
	.type = SETTING_DURATION,
	.offset = offsetof(struct partner_statement_settings, ask_after),
	.dflt = "24h",
	.min = 60 * 1000LL,
	.max = 7 * 24 * HOUR,
	.help = "A partner's statement is asked for again at a delivery to it when the copy is older."},
    {.name = "stale-after",
	.type = SETTING_DURATION,
	.offset = offsetof(struct partner_statement_settings, stale_after),
	.dflt = "72h",
	.min = HOUR,
	.max = 30 * 24 * HOUR,
	.help = "A statement issued longer ago than this is fetched by its URL, whatever the partner's hosts say of "
		"it, and the partner is shown as stale."},
    {.name = "weigh-after",
	.type = SETTING_DURATION,
	.offset = offsetof(struct partner_statement_settings, weigh_after),
	.dflt = "24h",
	.min = 60 * 1000LL,
	.max = 7 * 24 * HOUR,
	.help =
	    "What a trusted statement rests on is looked at again so often: whether its statement certificate, or "
	    "that of a key before it through which it is believed, was revoked, and at level anchored whether "
	    "its path still ends at an anchor for the domain. When it rests on nothing any more it waits for the "
	    "admin (postern pending), and mail to the domain waits."},
    {.name = "fetch-timeout",
	.type = SETTING_DURATION,
	.offset = offsetof(struct partner_statement_settings, fetch_timeout),
	.dflt = "8s",
	.min = 500,
	.max = 50 * 1000LL,
	.help = "How long fetching one statement by its URL, outside of a client's waiting at RCPT, may take."},
    {.name = "mail-delay",
	.type = SETTING_DURATION,
	.offset = offsetof(struct partner_statement_settings, mail_delay),
	.dflt = "10m",
	.min = 0,
	.max = 24 * HOUR,
	.help =
	    "A statement that encrypted mail names in its field XSMG-Statement is fetched at a random moment within "
	    "this time, so that nobody outside sees when a message was opened; 0 is at once."},
    {.name = "partners-max",
	.type = SETTING_INT,
	.offset = offsetof(struct partner_statement_settings, partners_max),
	.dflt = "100000",
	.min = 10,
	.max = 10000000,
	.help = "Domains of which a statement, or that they offer some, is kept; of more none is, but of those that "
		"are listed."},
    {.name = "hosts-max",
	.type = SETTING_INT,
	.offset = offsetof(struct partner_statement_settings, hosts_max),
	.dflt = "32",
	.min = 1,
	.max = 1000,
	.help = "Hosts of one partner of which it is kept, across restarts, that they offered XSMG: one of them that "
		"does not any more is a downgrade, another one is a backup. Of more it is not known."},
    {.name = "hosts-keep",
	.type = SETTING_DURATION,
	.offset = offsetof(struct partner_statement_settings, hosts_keep),
	.dflt = "90d",
	.min = 24 * HOUR,
	.max = 3650 * 24 * HOUR,
	.help = "A partner's host that offered XSMG and was not seen to for so long is forgotten."},
};
const struct settings_section partner_statement_settings_section = {
    "partner-statements", rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct partner_statement_settings), false};

const struct partner_statement_settings *partner_statement_settings_default(void)
{
	static const struct partner_statement_settings s = {.first_contact = XSMG_ASK,
	    .ask_after = 24 * HOUR,
	    .stale_after = 72 * HOUR,
	    .weigh_after = 24 * HOUR,
	    .fetch_timeout = 8000,
	    .mail_delay = HOUR / 6,
	    .partners_max = 100000,
	    .hosts_max = 32,
	    .hosts_keep = 90 * 24 * HOUR};

	return &s;
}
