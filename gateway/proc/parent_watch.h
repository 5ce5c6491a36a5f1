/*
 * Is the keeper alive? Every few seconds the parent asks it something that its service has to answer; one that
 * answers nothing for keeper-timeout is killed, and started again like any that died. Without that, TLS, sealing and
 * the queue would wait for as long as it hangs. Parent.
 */
#ifndef POSTERN_PROC_PARENT_WATCH_H
#define POSTERN_PROC_PARENT_WATCH_H

#include "gateway/proc/parent.h"

void parent_watch_begin(struct parent *p);
/* The keeper answered this question. */
void parent_watch_answered(struct parent *p, uint32_t id);

#endif
