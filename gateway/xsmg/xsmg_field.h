/*
 * The header field XSMG-Statement (docs/XSMG.md 9.3): where the newest statement of the domain that signed a mail is
 * found. Sealer reads and writes it; judge fills it. Pure, no memory of its own. Whether it is believed is not
 * decided here.
 */
#ifndef POSTERN_XSMG_XSMG_FIELD_H
#define POSTERN_XSMG_XSMG_FIELD_H

#include <stddef.h>

#include "gateway/xsmg/statement.h"

#define XSMG_FIELD_NAME "XSMG-Statement"
/* Value and its NUL; a field whose value is longer is none. */
enum { XSMG_FIELD_MAX = STATEMENT_ID + STATEMENT_URL_MAX + 16 };

struct xsmg_field {
	char id[STATEMENT_ID + 1];
	char url[STATEMENT_URL_MAX + 1];
};
/* A field's value, folding kept as it came. 0, or -1 with why (a clause, static). */
int xsmg_field_read(const char *p, size_t n, struct xsmg_field *f_r, const char **why_r)
    __attribute__((warn_unused_result));
/* "id=...; url=...", without name and line end. 0, or -1: the id or URL is none, or the URL has a semicolon. */
int xsmg_field_write(const char *id, const char *url, char out[XSMG_FIELD_MAX]) __attribute__((warn_unused_result));

#endif
