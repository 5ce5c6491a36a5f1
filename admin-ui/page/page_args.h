/* Arguments of questions and actions, made from a request as the tables of page.h say. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_ARGS_H
#define POSTERN_PAGE_PAGE_ARGS_H

#include <stdbool.h>

#include "admin-ui/page/page.h"
#include "gateway/base/buf.h"
#include "gateway/base/problem.h"

/* Is the question asked for this request? */
bool page_args_asked(const struct page_question *q, const struct page_request *rq);
/* The arguments; json_decref. NULL: pr says which field is wrong. */
json_t *page_args(const struct page_question *q, const struct page_request *rq, struct problem *pr);
/* Where an action leads, what stands for the holes percent-encoded. -1: longer than out takes. */
int page_args_then(const struct page_action *a, const struct page_request *rq, struct buf *out)
    __attribute__((warn_unused_result));
/* A field's text; of several the last. "" when it is not there. */
const char *page_args_field(const struct page_request *rq, const char *name);

#endif
