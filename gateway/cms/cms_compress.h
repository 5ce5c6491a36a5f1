/*
 * Reading CompressedData (RFC 3274, RFC 8551 2.4.5) in constant memory. Sealer and tests; blocks in the reader and
 * the writer. Nothing is written by us in this form.
 */
#ifndef POSTERN_CMS_CMS_COMPRESS_H
#define POSTERN_CMS_CMS_COMPRESS_H

#include "gateway/base/stream.h"
#include "gateway/cms/cms_outline.h"

/* A small message that unpacks into a huge one is an attack: from CMS_COMPRESS_FREE octets on, at most
 * CMS_COMPRESS_RATIO octets come out of each that went in. Mail packs 3 to 20 times; what zlib can at most is 1032.
 */
enum { CMS_COMPRESS_RATIO = 200, CMS_COMPRESS_FREE = 1 << 20 };

/*
 * Unpacks the content of a CompressedData to out, at most `max` octets. Everything written is worthless unless 0 is
 * returned: the check sum comes last. -1: PERM 5.6.0 malformed, cut off, octets behind the end of the packed content,
 * another compression than zlib; PERM 5.3.4 larger than max, or beyond the ratio; or what reader and writer said.
 */
int cms_uncompress(struct cms_outline *o, uint64_t max, struct writer *out, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
