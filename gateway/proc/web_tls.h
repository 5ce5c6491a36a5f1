/* The certificate of the web UI's TLS: asked of the judge, and again as time goes by. Role web; on the loop. */
#ifndef POSTERN_PROC_WEB_TLS_H
#define POSTERN_PROC_WEB_TLS_H

#include "gateway/base/loop.h"
#include "gateway/proc/admin_peer.h"

/* Lives as long as the process. A new certificate is used from the next handshake on; while there is none, handshakes
 * fail, and the log says how to make one. Both stay. */
void web_tls_new(struct loop *l, struct admin_peer *judge);

#endif
