/* Settings of section "alerts": mail to the admin when something wants him. */
#ifndef POSTERN_PROC_ALERT_SETTINGS_H
#define POSTERN_PROC_ALERT_SETTINGS_H

#include "gateway/base/settings.h"

struct alert_settings {
	struct settings_list mail; /* empty: none is sent */
	int64_t digest_hour;	   /* UTC */
	int64_t mails_per_day;
	int64_t queue_age; /* ms */
	int64_t interval;  /* ms */
};
extern const struct settings_section alert_settings_section;

#endif
