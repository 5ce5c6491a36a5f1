/* Pictures: their geometry; templates draw them. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_CHART_H
#define POSTERN_PAGE_PAGE_CHART_H

#include <jansson.h>
#include <stdint.h>

/* Certificates' lives as bars under each other on one axis of time: each of the array gets "bar" {x, width, class,
 * words} from not_before and not_after (objects of page_time.h) and "sha256"-like facts of its own stay. Returns the
 * axis for them all: {now_x, years [{x, label}]}; NULL when there is none. Widths are of 1000. */
json_t *page_chart_lives(json_t *certificates, int64_t now);

/* The last hours as stacked columns: {columns [{x, middle, width, hour, marked, parts [{class, y, height}], total}],
 * lines [{y, label}], keys [{class, label, total}], total}. hours: of message.counts, "at" read already; prefix: of
 * the names of the counts in an hour, "by.in." or "by.out.". NULL: there are none. */
json_t *page_chart_hours(const json_t *hours, const char *prefix);

/* What runs out within some days, on one axis: {marks [{x, y, class, owner, days}], weeks [{x, label}], height}. rows
 * have "days_left". NULL: none of them does. */
json_t *page_chart_expiring(const json_t *rows, int days);

#endif
