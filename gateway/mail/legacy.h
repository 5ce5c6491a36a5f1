/*
 * The legacy display of RFC 9788 (5.2.2, 5.2.3, 4.5.3): hidden header fields repeated at the beginning of a text, for
 * mail programs that know nothing of protected fields. Made, found again, in text/plain and text/html. Pure; works on
 * the beginning of a text held in memory; bounded.
 */
#ifndef POSTERN_MAIL_LEGACY_H
#define POSTERN_MAIL_LEGACY_H

#include "gateway/mail/mime.h"

#define LEGACY_RAW_MAX 32768 /* of a text: octets at its beginning in which a display is put or looked for */
#define LEGACY_PARAM "hp-legacy-display"

enum legacy_kind { LEGACY_PLAIN, LEGACY_HTML };

/* The beginning of a text, its transfer encoding undone: octet i stood at raw octet at[i] (in base64: where its group
 * of four begins); at[n] is where the next one would. */
struct legacy_text {
	uint8_t *p;
	uint32_t *at;
	size_t n;
};
/* n: at most LEGACY_RAW_MAX. 0, or -1 past the arena, or an encoding that is none of RFC 2045's. */
int legacy_decode(struct arena *a, const uint8_t *raw, size_t n, enum mime_cte cte, struct legacy_text *t_r)
    __attribute__((warn_unused_result));

/* Appends the display of the hidden fields of h. utf8: the text may hold UTF-8; else encoded words stay as they are.
 * Leaves out empty when nothing is hidden. 0 / -1 past out's maximum. */
int legacy_make(struct buf *out, enum legacy_kind kind, const struct header *h, bool utf8)
    __attribute__((warn_unused_result));
/* Where a display belongs: at the beginning, or behind <body ...>. */
size_t legacy_place(enum legacy_kind kind, const struct legacy_text *t);
/* Finds a display: only lines that name fields of h and say what those say. */
bool legacy_find(
    enum legacy_kind kind, const struct legacy_text *t, const struct header *h, size_t *from_r, size_t *to_r);

/* What must stand in a text, at decoded octet `place`, so that a display stands there: raw octets [*from_r, *to_r)
 * are replaced by what is appended to out. 0, or -1: past out's maximum, or the text has no such place. */
int legacy_insert(struct buf *out, const struct legacy_text *t, enum mime_cte cte, size_t place,
    const struct buf *display, uint32_t *from_r, uint32_t *to_r) __attribute__((warn_unused_result));
/* The raw octets that hold decoded octets [from, to). false: base64 groups are cut apart there. */
bool legacy_cut(const struct legacy_text *t, const uint8_t *raw, enum mime_cte cte, size_t from, size_t to,
    uint32_t *from_r, uint32_t *to_r);

#endif
