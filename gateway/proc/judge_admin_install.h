/* domain.install: a CA's answer. Handler of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_INSTALL_H
#define POSTERN_PROC_JUDGE_ADMIN_INSTALL_H

#include "gateway/proc/judge_call.h"

/* content (certificates and their chain), domain (when only that one's keys are meant), force -> installed: [row],
 * warnings */
int judge_admin_install(struct judge_call *c);

#endif
