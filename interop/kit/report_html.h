/* report.html of a run: for an auditor, complete in one file, without scripts and without anything from elsewhere;
 * HTML that is well-formed XML. Made of results.json and the evidence alone: the same octets each time. */
#ifndef INTEROP_REPORT_HTML_H
#define INTEROP_REPORT_HTML_H

#include <jansson.h>

#include "interop/kit/util.h"

/* results: as result_read gives them. files: as manifest_files gives them, for the evidence. Texts in both may hold
 * anything. */
void report_html(const json_t *results, const json_t *files, struct buf *out);

#endif
