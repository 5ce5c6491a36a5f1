/* A page's HTML from its answers. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_RENDER_H
#define POSTERN_PAGE_PAGE_RENDER_H

#include "admin-ui/page/page.h"
#include "gateway/base/buf.h"
#include "gateway/base/problem.h"

/* answers: by the keys of its questions; they are changed. What every template has beside them: title, now, csrf, q
 * (the query), error, done (what an action did, in words), me (name, role), can (operator, trust, admin), menu.
 * -1: a template is wrong, or more than out takes; out then has a part of it. */
int page_render(const struct page *p, const struct page_request *rq, json_t *answers, struct buf *out,
    struct problem *pr) __attribute__((warn_unused_result));
/* The page that says what went wrong; status is HTTP's. */
int page_render_error(const struct page_request *rq, unsigned status, const char *text, struct buf *out,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
