/*
 * The text of a statement: its members in a fixed order in one line, so that one value has one text. Judge, tests.
 * Pure.
 */
#ifndef POSTERN_XSMG_STATEMENT_JSON_WRITE_H
#define POSTERN_XSMG_STATEMENT_JSON_WRITE_H

#include "gateway/base/buf.h"
#include "gateway/xsmg/statement.h"

/* Appends the JSON. What is set must be allowed (domain, times, URLs; a bug otherwise): statement_json_read takes
 * what is written here. Nothing is said of what is not set, and asserts, notices, demand, urls are left out when
 * empty. -1: the buffer is full. */
int statement_json_write(const struct statement *s, struct buf *json) __attribute__((warn_unused_result));

#endif
