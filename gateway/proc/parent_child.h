/* Starting, connecting and stopping children. Parent. */
#ifndef POSTERN_PROC_PARENT_CHILD_H
#define POSTERN_PROC_PARENT_CHILD_H

#include "gateway/proc/parent.h"

/* Executes ourselves again for this place, gives it all it needs, connects it with those that run, and says GO. 0 /
 * -1 with pr. */
int parent_child_start(struct parent_proc *c, struct problem *pr);
/* Asks it to finish; kills it when it does not within `patience` ms. */
void parent_child_stop(struct parent_proc *c, int64_t patience);
/* It is gone (waitpid said so). */
void parent_child_gone(struct parent_proc *c, int status);
/* Unix s: since when it runs; 0: it does not. */
int64_t parent_child_since(const struct parent_proc *c);
/* How long to wait before starting it again: 0, or longer when it died often lately (ms). */
int64_t parent_child_pause(const struct parent_proc *c);
/* Gives the keeper the passphrase; whether there was one. */
bool parent_child_passphrase(struct parent_proc *keeper);
/* From the channels, to parent.c. */
void parent_on_message(struct parent_proc *c, struct ipc_in *in);

#endif
