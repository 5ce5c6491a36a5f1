/* What DATA and BDAT share: the content of a message on its way to the application, its limits, its end. Private to
 * smtpd*.c. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_CONTENT_H
#define POSTERN_SMTP_SMTPD_CONTENT_H

#include "gateway/smtp/smtpd_session.h"

enum { SMTPD_PIECE_MAX = 64 * 1024 };

void smtpd_content_begin(struct smtpd *s);
/* The next octets of it, CRLF lines without stuffing. The first thing wrong with them is remembered; what follows is
 * not passed on. */
void smtpd_content_take(struct smtpd *s, const uint8_t *p, size_t n);
/* Has it been found wrong so far? Then says so (counting a bare CR or LF as the client's error), ends the transaction
 * and returns true. */
bool smtpd_content_refused(struct smtpd *s);
/* That was all: refuses, or hands the message over. */
void smtpd_content_end(struct smtpd *s);
/* A client that goes on long after its message became too large is not read for ever. */
bool smtpd_content_far_too_large(const struct smtpd *s, uint64_t more);
void smtpd_content_bye_far_too_large(struct smtpd *s);
int64_t smtpd_content_deadline(const struct smtpd *s);

#endif
