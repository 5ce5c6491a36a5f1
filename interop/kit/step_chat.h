/* chat: a conversation with a listener of the gateway, line by line. What they find goes into the scene. */
#ifndef INTEROP_STEP_CHAT_H
#define INTEROP_STEP_CHAT_H

#include "interop/kit/play.h"

void step_chat(struct play *p, const struct stmt *st);

#endif
