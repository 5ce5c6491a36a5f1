/* Local clients of the control socket. Role admin; does not block. */
#ifndef POSTERN_PROC_ADMIN_CLIENT_H
#define POSTERN_PROC_ADMIN_CLIENT_H

#include <stdint.h>

struct admin;
struct admin_reply;

/* Accepts clients on a->listener from now on. */
void admin_client_accept(struct admin *a);
/* Closes all of them and the listener. */
void admin_client_close_all(struct admin *a);

/* One request of a client under way. Exactly one of the two ends it; the client may be gone by then. */
struct admin_job;
/* Copies what it sends: r stays the caller's. */
void admin_client_reply(struct admin_job *j, const struct admin_reply *r);
void admin_client_error(struct admin_job *j, const char *code, const char *text);

#endif
