/* Whether a JSON object has the members that it must have, each of its type, and no other. For files that strangers
 * hand over: results.json, manifest.json, plan.json. */
#ifndef INTEROP_RESULT_CHECK_H
#define INTEROP_RESULT_CHECK_H

#include <jansson.h>

#include "interop/kit/util.h"

enum member_kind {
	M_TEXT,	  /* to 64 KiB */
	M_ID,	  /* letters, digits and "._-", not "." first; 1 to 120 */
	M_RUN,	  /* 32 hexadecimal digits, small letters */
	M_SHA256, /* 64 of them */
	M_PLAN,	  /* 64 of them, or null */
	M_TIME,	  /* 2026-01-31T12:00:00Z */
	M_NUMBER, /* not negative, finite */
	M_LINE,	  /* integer from 0 to 1,000,000,000 */
	M_IDS,	  /* list of M_ID, to 10,000 */
	M_TEXTS,  /* list of texts, to 10,000 */
	M_MAP,	  /* texts by names */
	M_OBJECT,
	M_LIST /* to 100,000; what is in it is checked by the caller */
};

struct member {
	const char *name;
	enum member_kind kind;
};

/* 0, or -1 with why, which begins with where. */
int result_check(const json_t *o, const struct member *m, size_t n, const char *where, struct buf *why);
bool is_hex(const char *s, size_t digits);
/* Reads a JSON file of at most max octets; no member twice. NULL with why. */
json_t *json_file(const char *path, size_t max, struct buf *why);

#endif
