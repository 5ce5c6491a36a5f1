/* The verbs "message.*": searches of the history, in the audit log first. Role admin. */
#ifndef POSTERN_PROC_ADMIN_MESSAGE_H
#define POSTERN_PROC_ADMIN_MESSAGE_H

struct admin;
struct admin_job;
struct admin_request;

/* message.find, message.show: the judge writes down who searches for what, then the relay answers; without that row
 * there is no answer. message.counts names nobody and is answered at once. */
void admin_message(struct admin *a, struct admin_job *j, const struct admin_request *rq);

#endif
