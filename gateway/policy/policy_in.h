/* Incoming mail's half of policy.h: the table of what an opened and verified message is worth, and what is done with
 * it. */
#ifndef POSTERN_POLICY_POLICY_IN_H
#define POSTERN_POLICY_POLICY_IN_H

#include "gateway/policy/policy.h"

/* The word of an action as it stands in the configuration: "deliver", "mark", "hold". */
const char *policy_in_action_word(enum policy_in_action a);

#endif
