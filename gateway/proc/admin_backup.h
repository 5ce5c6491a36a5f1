/* The verb "backup.take": a copy of the store and the key files. Role admin. */
#ifndef POSTERN_PROC_ADMIN_BACKUP_H
#define POSTERN_PROC_ADMIN_BACKUP_H

struct admin;
struct admin_job;
struct admin_request;

/* -> keys: [{name, content}] (base64; sealed as they are on the disk, "master" among them), snapshot: what the judge
 * said; with it one descriptor: store.db */
void admin_backup(struct admin *a, struct admin_job *j, const struct admin_request *rq);

#endif
