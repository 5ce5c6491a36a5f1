/* settings.show: what the configuration comes to. Handler of judge_admin.c; role judge; reads memory only. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_SETTINGS_H
#define POSTERN_PROC_JUDGE_ADMIN_SETTINGS_H

#include "gateway/proc/judge_call.h"

/* match (part of a section, title, name or value), changed (only what is not the default): {"settings": [{"section",
 * "title", "name", "value", "default" (null: it must be given), "changed", "hidden", "help"}], "more"}. Secrets have
 * no value. */
int judge_admin_settings_show(struct judge_call *c);

#endif
