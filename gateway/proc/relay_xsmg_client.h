/*
 * XSMG beside a mail to a partner (docs/XSMG.md): what is due is asked of the judge, or remembered; the partner's
 * host is asked for its statement, handed ours, and the judge hears what came of it. Relay, loop thread. Mail waits
 * for the judge RELAY_XSMG_WAIT_MS at most, once in a while, and for nothing else.
 */
#ifndef POSTERN_PROC_RELAY_XSMG_CLIENT_H
#define POSTERN_PROC_RELAY_XSMG_CLIENT_H

#include "gateway/proc/relay.h"

enum { RELAY_XSMG_WAIT_MS = 50 };

struct relay_xsmg_mail;
/* For mail of this sender to hosts that the MX records of the partner's domain name. NULL: XSMG is switched off, or
 * the domain is none that has statements. */
struct relay_xsmg_mail *relay_xsmg_mail_new(struct relay *r, const char *sender, const char *partner);
/* After this it is not called back any more. */
void relay_xsmg_mail_free(struct relay_xsmg_mail *m);
/* Calls fn once, soon or from inside, when what is due is known or was waited for long enough. */
void relay_xsmg_mail_ready(struct relay_xsmg_mail *m, void (*fn)(void *ctx), void *ctx);
/* For smtpc_mail.xsmg; m stays until the mail is done. */
struct smtpc_xsmg *relay_xsmg_mail_of(struct relay_xsmg_mail *m);

#endif
