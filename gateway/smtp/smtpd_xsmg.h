/* The verb XSMG (docs/XSMG.md): where it may stand, how it is answered, the lines that follow it. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_XSMG_H
#define POSTERN_SMTP_SMTPD_XSMG_H

#include <stdbool.h>
#include <stddef.h>

struct smtpd;

/* Is it offered to this client, as the session stands now? */
bool smtpd_xsmg_offered(const struct smtpd *s);
void smtpd_xsmg(struct smtpd *s, const char *arg, size_t n);
/* Takes a line of what follows XSMG PUT; whether there may be another one. */
bool smtpd_xsmg_content(struct smtpd *s);
/* The answer, or what was announced, did not come in time. */
void smtpd_xsmg_time_out(struct smtpd *s);

#endif
