/* Looks, every minute, whether something wants the admin, and hands it to the relay, which decides what of it is told
 * and sends it. Role admin. */
#ifndef POSTERN_PROC_ADMIN_ALERT_H
#define POSTERN_PROC_ADMIN_ALERT_H

struct admin;
struct alert_settings;

/* Nothing when nobody is to be told. a and set stay. */
void admin_alert_start(struct admin *a, const struct alert_settings *set);

#endif
