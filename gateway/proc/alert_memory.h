/*
 * What was told already, so that nothing is told twice and nobody is flooded: also across restarts. Pure: the file is
 * the caller's (relay_alert.c).
 *
 *  - An urgent alert that was not there a day ago is told at once, with all others that are due; GAP_S lie between
 * two mails.
 *  - Everything else, and what is urgent still, is told in one mail a day; the same alert at most once a day.
 *  - What says `once` is told once.
 *  - Not more mails in a day (UTC) than are allowed: what is left over is due later.
 */
#ifndef POSTERN_PROC_ALERT_MEMORY_H
#define POSTERN_PROC_ALERT_MEMORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { ALERT_MEMORY_GAP_S = 600, ALERT_MEMORY_MAX = 20000 /* alerts that are remembered */ };

struct alert_memory_limits {
	int64_t digest_hour, mails_per_day;
};
/* Those of list (alert_list.h) that are to be told now, a new array, empty for no mail. memory: an object, {} at
 * first; it is changed as if the mail was sent: keep it before the mail, and keep the old one when there is none.
 * *digest_r: it is the daily mail. now: unix s. */
json_t *alert_memory_due(
    json_t *memory, const json_t *list, const struct alert_memory_limits *lim, int64_t now, bool *digest_r);

#endif
