/* One SMTP session of a sink (RFC 5321), and the two verbs of XSMG at the outside one. */
#ifndef INTEROP_SINK_SESSION_H
#define INTEROP_SINK_SESSION_H

#include <openssl/ssl.h>

#include "interop/kit/sink_store.h"

struct session_of {
	struct sink_store *store;
	const struct kit *kit;
	SSL_CTX *tls; /* NULL: no STARTTLS */
	enum side side;
};

/* Serves the connection until it ends, and closes it. Reads at most 5 minutes for a line. */
void sink_session(const struct session_of *of, int fd);

#endif
