/* What a server offers in its reply to EHLO (RFC 5321 4.1.1.1). Role relay. Pure. */
#ifndef POSTERN_SMTP_SMTPC_EHLO_H
#define POSTERN_SMTP_SMTPC_EHLO_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/smtp/smtpc_chat.h"

struct smtpc_ehlo {
	bool starttls, pipelining, eightbit, size, dsn, chunking, smtputf8, requiretls, xsmg /* version 1 */;
	uint64_t size_max; /* 0: offered without a limit */
};
/* Unknown keywords are ignored; the first line is the server's name. */
void smtpc_ehlo_read(struct smtpc_ehlo *e, const struct smtpc_reply *r);

#endif
