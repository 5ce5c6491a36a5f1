/* /api/v1, /metrics, /healthz, /readyz: the table of web_route.c, answered in JSON, errors as RFC 9457 says. Role
 * web, loop thread; does not block. */
#ifndef POSTERN_PROC_WEB_API_H
#define POSTERN_PROC_WEB_API_H

#include <stdbool.h>

#include "gateway/proc/web_job.h"

/* Is the path one of these? */
bool web_api_is(const char *path);
/* Answers, now or later. */
void web_api_begin(struct web_job *j);
/* application/problem+json */
void web_api_fail(struct web_job *j, unsigned status, const char *text);

#endif
