/*
 * The application behind an SMTP session: whom we take mail from and for, spooling, sealing or checking by a sealer,
 * and the commit before the 250. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_SESSION_H
#define POSTERN_PROC_RELAY_SESSION_H

#include "gateway/proc/relay.h"
#include "gateway/smtp/smtpd.h"

/* app of the listeners that use it is the struct relay. */
extern const struct smtpd_ops relay_session_ops;

#endif
