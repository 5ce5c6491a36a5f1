/* What wants the admin now, out of what the parts say of themselves: one list for alerts by mail, for /metrics and
 * for the web. Pure. */
#ifndef POSTERN_PROC_ALERT_LIST_H
#define POSTERN_PROC_ALERT_LIST_H

#include <jansson.h>
#include <stdint.h>

enum { ALERT_LIST_MAX = 500 };

struct alert_source {
	const json_t *judge, *relay; /* "data" of their status; NULL: no answer */
	const char *judge_why;	     /* then why; NULL is "" */
	int64_t now_ms, queue_age_ms;
};
/* [{key, kind, urgent, once, text, next}], the urgent ones first, at most ALERT_LIST_MAX. key: the same alert has the
 * same one tomorrow; of something that runs out it has the step (60, 30, 7, 1 days, over) in it, and `once` says that
 * it is told once and never again. kind: "expiry", "pending", "downgrade", "revoked", "bundle", "queue", "held",
 * "keys", "database". What has another form than expected is left out. A new reference. */
json_t *alert_list(const struct alert_source *s);

#endif
