/* Which verb is answered by whom. Role admin. */
#ifndef POSTERN_PROC_ADMIN_ROUTE_H
#define POSTERN_PROC_ADMIN_ROUTE_H

struct admin;
struct admin_job;
struct admin_request;

/* Sees to it that j is answered. rq stays the caller's. */
void admin_route(struct admin *a, struct admin_job *j, const struct admin_request *rq);

#endif
