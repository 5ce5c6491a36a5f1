/* Settings of section "partner-statements": what is made of partners' statements (XSMG). Judge; and whoever reads the
 * configuration. */
#ifndef POSTERN_PROC_PARTNER_STATEMENT_SETTINGS_H
#define POSTERN_PROC_PARTNER_STATEMENT_SETTINGS_H

#include "gateway/base/settings.h"

struct partner_statement_settings {
	int first_contact;     /* enum xsmg_first */
	bool strict_expiry;    /* a statement that ran out serves no certificates */
	int64_t ask_after;     /* ms: a copy this old is asked for again */
	int64_t stale_after;   /* ms: one issued so long ago is fetched by URL and shown as stale */
	int64_t weigh_after;   /* ms: what a trusted one rests on is looked at again */
	int64_t fetch_timeout; /* ms */
	int64_t mail_delay;    /* ms: what encrypted mail named is fetched within */
	int64_t partners_max;  /* domains of which something is kept */
	int64_t hosts_max;     /* of one domain, that offered XSMG */
	int64_t hosts_keep;    /* ms */
};
extern const struct settings_section partner_statement_settings_section;
/* As of a fresh installation. */
const struct partner_statement_settings *partner_statement_settings_default(void);

#endif
