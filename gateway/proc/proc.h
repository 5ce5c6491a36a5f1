/* The roles a re-executed posternd can take: what main.c dispatches to, one short proc_<role>.c each. */
#ifndef POSTERN_PROC_PROC_H
#define POSTERN_PROC_PROC_H

#include "gateway/proc/child.h"

extern const struct child_role proc_keeper_role, proc_judge_role, proc_scout_role, proc_sealer_role, proc_relay_role,
    proc_admin_role, proc_public_role, proc_web_role, proc_opener_role;

#endif
