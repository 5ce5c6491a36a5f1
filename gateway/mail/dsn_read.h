/*
 * Delivery status notifications of other servers: the fields of message/delivery-status (RFC 3464 2) and of
 * message/global-delivery-status (RFC 6533 4), and the Message-ID in what came back of the message. Sealer; the
 * address of an ORCPT in the relay as well. Pure and total: any octets give facts or nothing; every text that comes
 * out is printable ASCII (addresses: what address.h lets through) of a bounded length. Decides nothing.
 */
#ifndef POSTERN_MAIL_DSN_READ_H
#define POSTERN_MAIL_DSN_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/mail/address.h"
#include "gateway/mail/dsn.h"
#include "gateway/mail/envelope.h"

#define DSN_READ_RCPTS 32	    /* of one notification; further ones are passed over */
#define DSN_READ_TEXT_MAX 400	    /* with the NUL, as the next three; longer texts are cut */
#define DSN_READ_MTA_MAX 256	    /* a host's name */
#define DSN_READ_STATUS_MAX 12	    /* "5.123.456" */
#define DSN_READ_MESSAGE_ID_MAX 998 /* longer ones are none */

struct dsn_read_rcpt {
	enum dsn_action action;
	/* as address_text writes them; "": not given, of another type than a mail address, or not one */
	char final[ADDRESS_TEXT_MAX];
	char original[ADDRESS_TEXT_MAX];
	char status[DSN_READ_STATUS_MAX]; /* "" when it is none (RFC 3463 2) */
	char diagnostic[DSN_READ_TEXT_MAX];
};
struct dsn_read {
	char envid[ENVELOPE_ENVID_MAX + 1]; /* as it stands there; a longer one is none */
	char mta[DSN_READ_MTA_MAX];	    /* Reporting-MTA without its type */
	struct dsn_read_rcpt rcpts[DSN_READ_RCPTS];
	size_t nrcpts;
};
/* The n octets of a delivery-status body, decoded, lines in CRLF or LF. 0; -1: no group of fields with a recipient
 * and an action of RFC 3464 2.3.3 (d_r is empty then). */
int dsn_read_status(const char *p, size_t n, struct dsn_read *d_r) __attribute__((warn_unused_result));
/* The first Message-ID field among the header lines at p, brackets included; the header may be cut or faulty. 0 / -1.
 */
int dsn_read_message_id(const char *p, size_t n, char id_r[DSN_READ_MESSAGE_ID_MAX])
    __attribute__((warn_unused_result));
/* "type;address" of a report, or of an ORCPT (RFC 3461 4.2) once its xtext is decoded: the address as address_text
 * writes it. 0 / -1 ("" then). */
int dsn_read_address(const char *typed, char address_r[ADDRESS_TEXT_MAX]) __attribute__((warn_unused_result));
/* Decodes quoted-printable (RFC 2045 6.7) in place, faults as they stand. Octets left. */
size_t dsn_read_unquote(char *p, size_t n);

#endif
