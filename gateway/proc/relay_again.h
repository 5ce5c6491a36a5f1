/*
 * Verdicts grow old while a message comes in: RCPT may lie minutes before the end of DATA. When the judge said in
 * between that the store changed (a rule, a certificate, a release), every recipient's verdict is asked for again
 * before anything is decided by it. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_AGAIN_H
#define POSTERN_PROC_RELAY_AGAIN_H

#include "gateway/proc/relay_tx.h"

/* done: once, from the loop or from inside; pr NULL: all verdicts of t are of now. Not called when t is freed first.
 */
void relay_again(struct relay_tx *t, void (*done)(struct relay_tx *t, const struct problem *pr));

#endif
