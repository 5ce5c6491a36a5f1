/*
 * Templates: text with tags, and a JSON model. Role web; pure.
 *
 *   {{a.b}}             the value, escaped for HTML text and quoted attributes; at most TMPL_SHOWN octets of it
 *   {{|a.b}}            the same of several lines (<pre>, <textarea>, hidden fields), line feeds kept, of any length
 *   {{%a.b}}            the value as a segment or argument of a URL (RFC 3986 2.1)
 *   {{#a.b}}...{{/a.b}} once for each element of an array; once for what is there: true, text, a number but 0, an
 *                       object with members
 *   {{^a.b}}...{{/a.b}} once for what is not
 *   {{>name}}           another template, with the same model
 *   {{! ... }}          nothing
 *
 * There is no tag that does not escape. Names are looked for in the element that is gone through, then in those
 * around it; "." is the element itself. Characters that are not seen, change the direction of text or control
 * something are shown as signs ("[U+202E]", "\u240D"), octets that are no UTF-8 as U+FFFD.
 */
#ifndef POSTERN_PAGE_TMPL_H
#define POSTERN_PAGE_TMPL_H

#include <jansson.h>

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"

#define TMPL_SHOWN 600 /* octets of one value that {{a.b}} shows */
#define TMPL_DEPTH 24  /* sections and templates within each other */

/* Gives the text of a template in *n_r octets, or NULL. */
typedef const char *tmpl_find(const char *name, size_t *n_r);

/* Adds the template to out. -1: a template that is wrong or missing, more than out takes, or too deep; out then has a
 * part of it. */
int tmpl_render(tmpl_find *find, const char *name, const json_t *model, struct buf *out, struct problem *pr)
    __attribute__((warn_unused_result));
/* The value in a model that has this name ("a.b"), or NULL. */
const json_t *tmpl_value(const json_t *model, const char *name);
/* Whether {{#name}} shows its content for this value; NULL is allowed. */
int tmpl_is(const json_t *v);

#endif
