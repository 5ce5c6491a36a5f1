/*
 * The end of DATA: the job for the sealer, what it asks back, the commit, and only then the 250 (promise P2). Loop
 * thread.
 */
#ifndef POSTERN_PROC_RELAY_END_H
#define POSTERN_PROC_RELAY_END_H

#include "gateway/proc/relay_tx.h"

/* Content is complete; answers by smtpd_end_done, once. */
void relay_end(struct relay_tx *t);
/* The client is gone: a commit that has not begun is cancelled (no needless duplicates, RFC 1047). */
void relay_end_forget(struct relay_tx *t);
/* The time for an answer is over. true: nothing of the message is stored or will be; false: it is being stored at
 * this moment, and the answer comes. */
bool relay_end_late(struct relay_tx *t);

#endif
