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
    {.name = "fetch-timeout",
	.type = SETTING_DURATION,
	.offset = offsetof(struct partner_statement_settings, fetch_timeout),
	.dflt = "8s",
	.min = 500,
	.max = 50 * 1000LL,
	.help = "How long fetching one statement by its URL, outside of a client's waiting at RCPT, may take."},
    {.name = "partners-max",
	.type = SETTING_INT,
	.offset = offsetof(struct partner_statement_settings, partners_max),
	.dflt = "100000",
	.min = 10,
	.max = 10000000,
	.help = "Domains of which a statement, or that they offer some, is kept; of more none is, but of those that "
		"are listed."},
};
const struct settings_section partner_statement_settings_section = {
    "partner-statements", rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct partner_statement_settings), false};

const struct partner_statement_settings *partner_statement_settings_default(void)
{
	static const struct partner_statement_settings s = {.first_contact = XSMG_ASK,
	    .ask_after = 24 * HOUR,
	    .stale_after = 72 * HOUR,
	    .fetch_timeout = 8000,
	    .partners_max = 100000};

	return &s;
}
