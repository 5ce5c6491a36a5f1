/*
 * The content of a statement as JSON (I-JSON, RFC 7493), strictly read; statement_json_write.c writes it. Judge,
 * tests, fuzz. Pure. Whoever reads seeds jansson (json_object_seed) before its sandbox, because it opens a file for
 * that.
 *
 * Refused: a nesting above STATEMENT_JSON_DEPTH (counted before the parser sees the octets), two members of one name,
 * octets that are no UTF-8, NUL, surrogates and noncharacters, numbers that are no integers within 2^53 - 1, arrays
 * and objects above STATEMENT_JSON_ITEMS, times of any other form, a critical member that is not known. Members that
 * are not known and words that are not known are passed over.
 */
#ifndef POSTERN_XSMG_STATEMENT_JSON_H
#define POSTERN_XSMG_STATEMENT_JSON_H

#include "gateway/base/arena.h"
#include "gateway/base/problem.h"
#include "gateway/xsmg/statement.h"

enum { STATEMENT_JSON_DEPTH = 8, STATEMENT_JSON_ITEMS = 64 };

/* 0 with all of *s_r but id and the good and why of the certificates; -1 with a sentence (PERM). */
int statement_json_read(const void *json, size_t n, struct arena *a, struct statement *s_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
