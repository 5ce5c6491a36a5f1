/* What the two sides of XSMG in the relay share: relay_xsmg_client.c (beside mail to partners) and
 * relay_xsmg_server.c (sessions from outside). Loop thread. */
#ifndef POSTERN_PROC_RELAY_XSMG_H
#define POSTERN_PROC_RELAY_XSMG_H

#include "gateway/pipeline/job_proto.h"
#include "gateway/proc/relay.h"

struct relay_xsmg;
struct relay_xsmg_dues;
struct relay_xsmg_given;

struct relay_xsmg *relay_xsmg_new(struct relay *r);
/* Behind all mails and sessions. */
void relay_xsmg_free(struct relay_xsmg *x);
/* Mail that is encrypted or signed came with this sender's domain. */
void relay_xsmg_met(struct relay *r, const char *domain);
/* A mail that is delivered names its domain's statement, or in a way that is ignored; opened: it was encrypted. */
void relay_xsmg_named(struct relay *r, const char *id, const struct job_result *res, bool opened);
/* Mail that came is not what its domain promised: said, and told to the judge. Nothing when it is. */
void relay_xsmg_broken(struct relay *r, const char *id, const struct job_result *res, const char *client);
struct relay_xsmg_dues *relay_xsmg_dues_of(struct relay_xsmg *x);
struct relay_xsmg_given *relay_xsmg_given_of(struct relay_xsmg *x);

#endif
