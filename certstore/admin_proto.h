/*
 * Requests of the command `postern` (and later the web pages): one JSON object a request, one a reply. The same two
 * messages travel from the local client to the admin process and from there to judge and relay. A client's bad packet
 * is an error reply, never the end of a process.
 */
#ifndef POSTERN_CERTSTORE_ADMIN_PROTO_H
#define POSTERN_CERTSTORE_ADMIN_PROTO_H

#include <stdbool.h>

#include "gateway/base/ipc.h"

enum { ADMIN_PROTO_REQUEST = 300, ADMIN_PROTO_REPLY = 301 };
#define ADMIN_PROTO_TEXT_MAX (16 * 1024 * 1024)
#define ADMIN_PROTO_FILES_MAX 8

struct admin_request {
	char who[128]; /* "uid 0 (root)": put by the admin process from the socket's credentials; a client's own word
			  is overwritten */
	char *text;    /* JSON {"verb": "...", "args": {...}}; malloc'd by get */
};
struct admin_reply {
	char *text; /* JSON {"ok": true, "data": ...} or {"ok": false, "error": {"code", "text"}}; malloc'd by get */
	int fds[ADMIN_PROTO_FILES_MAX]; /* files that go with it (backup), owned by whoever got them */
	int nfds;
};
/* Long text travels in a sealed memory file: put makes it and gives its descriptor (else -1) in *made_r, to be closed
 * when o was sent. 0, or -1 when it could not be made. */
int admin_request_put(struct ipc_out *o, const struct admin_request *m, int *made_r)
    __attribute__((warn_unused_result));
int admin_request_get(struct ipc_in *in, struct admin_request *m_r) __attribute__((warn_unused_result));
int admin_reply_put(struct ipc_out *o, const struct admin_reply *m, int *made_r) __attribute__((warn_unused_result));
int admin_reply_get(struct ipc_in *in, struct admin_reply *m_r) __attribute__((warn_unused_result));

#endif
