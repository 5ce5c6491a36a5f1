/*
 * What SMTP says about an envelope beyond the addresses: DSN (RFC 3461), SMTPUTF8 (RFC 6531), REQUIRETLS (RFC 8689).
 * Server, queue and client pass it on in these words. Every process.
 */
#ifndef POSTERN_MAIL_ENVELOPE_H
#define POSTERN_MAIL_ENVELOPE_H

#include <stdbool.h>

/* RFC 3461 4.1: a set; 0 when the client said nothing (then failure is told). NEVER stands alone. */
enum envelope_notify {
	ENVELOPE_NOTIFY_NEVER = 1,
	ENVELOPE_NOTIFY_SUCCESS = 2,
	ENVELOPE_NOTIFY_FAILURE = 4,
	ENVELOPE_NOTIFY_DELAY = 8,
};
enum envelope_ret { ENVELOPE_RET_NONE, ENVELOPE_RET_HDRS, ENVELOPE_RET_FULL }; /* RFC 3461 4.3 */

#define ENVELOPE_ENVID_MAX 100 /* octets as xtext (RFC 3461 5.4) */
#define ENVELOPE_ORCPT_MAX 500 /* octets of "type;xtext" */

struct envelope {
	bool body8;	 /* BODY=8BITMIME; on the way out: the content has 8-bit octets */
	bool utf8;	 /* SMTPUTF8 */
	bool requiretls; /* REQUIRETLS */
	bool tls_no;	 /* the header says "TLS-Required: No" (RFC 8689 5) */
	enum envelope_ret ret;
	const char *envid; /* xtext as it came; NULL or "" none */
};
struct envelope_rcpt {
	unsigned notify;   /* enum envelope_notify, a set */
	const char *orcpt; /* "rfc822;xtext" as it came; NULL or "" none */
};

#endif
