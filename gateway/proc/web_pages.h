/* Pages, forms, static files, signing in and out: what browsers ask. Role web, loop thread; does not block. */
#ifndef POSTERN_PROC_WEB_PAGES_H
#define POSTERN_PROC_WEB_PAGES_H

#include "gateway/proc/web_job.h"

/* Answers, now or later; who asks is known (web_job_who). */
void web_pages_begin(struct web_job *j);
/* A page that says what went wrong. */
void web_pages_fail(struct web_job *j, unsigned status, const char *text);

#endif
