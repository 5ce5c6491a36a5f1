/* The verb "status": what parent, judge and relay say, as one. Role admin. */
#ifndef POSTERN_PROC_ADMIN_STATUS_H
#define POSTERN_PROC_ADMIN_STATUS_H

struct admin;
struct admin_job;
struct admin_request;

/* -> parent, judge, relay: what each said, null when it said nothing; trouble: [sentences] */
void admin_status(struct admin *a, struct admin_job *j, const struct admin_request *rq);

#endif
