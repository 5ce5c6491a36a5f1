/* Settings of section "smtp-client": time-outs (RFC 5321 4.5.3.2), how hard one destination is used, limits on
 * replies. Role relay. */
#ifndef POSTERN_SMTP_SMTPC_SETTINGS_H
#define POSTERN_SMTP_SMTPC_SETTINGS_H

#include "gateway/base/settings.h"

struct smtpc_settings {
	/* ms */
	int64_t connect_timeout, greeting_timeout, ehlo_timeout, tls_timeout, mail_timeout, rcpt_timeout,
	    data_timeout, block_timeout, end_timeout, quit_timeout, xsmg_timeout;
	int64_t idle_time;			/* ms that a connection is kept without mail */
	int64_t backoff_min, backoff_max;	/* ms */
	int64_t connections, first_connections; /* to one destination: at most, and to begin with */
	int64_t connections_total;
	int64_t messages;		 /* over one connection */
	int64_t recipients;		 /* in one transaction (RFC 5321 4.5.3.1.8: a server takes at least 100) */
	int64_t attempts;		 /* addresses tried for one mail before it waits for its next turn */
	int64_t reply_line, reply_lines; /* octets of a reply line, lines of a reply */
	bool chunking;			 /* BDAT where offered */
	bool convert_8bit;   /* 8-bit content to 7 bits for hosts without 8BITMIME (the owner of the pool does it) */
	int64_t convert_max; /* octets of such a mail */
	bool assume_8bit;    /* send 8-bit content also to hosts that do not offer 8BITMIME */
};
extern const struct settings_section smtpc_settings_section;

#endif
