/*
 * What every child does the same way: read START, lower itself to its user, read the configuration, take peers and
 * other presents until GO, then hand over to its role. Runs in each child before its sandbox; afterwards child_loop
 * keeps the control channel.
 */
#ifndef POSTERN_PROC_CHILD_H
#define POSTERN_PROC_CHILD_H

#include "gateway/base/ipc_chan.h"
#include "gateway/base/loop.h"
#include "gateway/base/sandbox.h"
#include "gateway/proc/conf.h"
#include "gateway/proc/control_proto.h"

struct child {
	struct control_start start;
	struct conf *conf;
	int control; /* descriptor 3; the role's loop owns it after child_control */
};
/* A role: what it is given before GO, and what it does then. */
struct child_role {
	/* A message between START and GO, and later ones when the role uses child_control. Returns 0, -1 when it does
	 * not know the type. */
	int (*message)(struct child *c, struct ipc_in *in);
	/* Set up, enter the sandbox (child_sandbox), say READY (child_ready), run. Returns the exit status. */
	int (*run)(struct child *c);
};
/* Called by main in a re-executed process: never returns. */
void child_main(const struct child_role *role, enum control_role r) __attribute__((noreturn));
/* Applies the sandbox or ends the process: a role never runs without it. With log-level = debug it then tries what
 * must not work and logs what did (nothing). */
void child_sandbox(const struct child *c, const struct sandbox *s);
void child_ready(struct child *c);
/* Watches the control channel on a loop: messages go to `message` of the role; a closed channel (the parent died)
 * ends the process. */
void child_control(struct child *c, struct loop *l, const struct child_role *role);
/* Sends to the parent; consumes o. */
void child_tell(struct child *c, struct ipc_out *o);

#endif
