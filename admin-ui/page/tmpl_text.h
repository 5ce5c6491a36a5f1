/* Values as they stand in HTML and in URLs. Role web; pure. */
#ifndef POSTERN_PAGE_TMPL_TEXT_H
#define POSTERN_PAGE_TMPL_TEXT_H

#include "gateway/base/buf.h"

enum tmpl_text_lines { TMPL_TEXT_ONE_LINE, TMPL_TEXT_LINES };

/* For text and quoted attributes (what HTML calls character references); at most `most` octets of s are shown, with
 * how many there are behind them. LINES: line feeds and tabs stay, CR in front of LF goes. -1 past out's maximum. */
int tmpl_text_html(const char *s, size_t n, size_t most, enum tmpl_text_lines lines, struct buf *out)
    __attribute__((warn_unused_result));
/* Every octet but the unreserved ones of RFC 3986 2.3 as %XX. -1 past out's maximum. */
int tmpl_text_url(const char *s, size_t n, struct buf *out) __attribute__((warn_unused_result));

#endif
