/*
 * Times for people: in UTC with the zone written, and how long from now. Role web; pure.
 *
 * In a model a time is an object, drawn by {{#added}}{{>when.html}}{{/added}}: unix (s), iso, utc ("2026-11-22 02:05
 * UTC"), date, rel ("3 days ago", "in 2 hours").
 */
#ifndef POSTERN_PAGE_PAGE_TIME_H
#define POSTERN_PAGE_PAGE_TIME_H

#include <jansson.h>
#include <stdint.h>

#define PAGE_TIME_REL 40

json_t *page_time(int64_t unix_s, int64_t now);
/* All members with the names that judge and relay give to times ("added", "at", "not_after" ...), however deep, that
 * hold one: "2026-11-22T02:05:19Z", or a number of seconds or milliseconds. */
void page_time_all(json_t *model, int64_t now);
/* -1: s is not in the form of "2026-11-22T02:05:19Z". */
int64_t page_time_read(const char *s);
/* "in 2 days", "3 hours ago", "now". */
void page_time_rel(int64_t unix_s, int64_t now, char out[PAGE_TIME_REL]);

#endif
