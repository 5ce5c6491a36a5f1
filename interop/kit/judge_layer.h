/* One layer for the first judge: sealed ones in judge_sealed.c, signed ones in judge_signed.c. */
#ifndef INTEROP_JUDGE_LAYER_H
#define INTEROP_JUDGE_LAYER_H

#include "interop/kit/der.h"
#include "interop/kit/judge.h"

struct judge_keys {
	const struct credential *const *all;
	size_t n;
};

/* EnvelopedData and AuthEnvelopedData: fills the layer; content when a key opens it (layer->opened). 0, or -1 with
 * why: broken. */
int judge_sealed(const struct buf *der, const struct cms_parts *parts, const struct judge_keys *keys,
    struct layer *out, struct buf *content, struct buf *why);
/* SignedData; detached: what is signed, or NULL. Content is what was signed. 0 or -1 with why: broken. A signature
 * that is not valid is no error. */
int judge_signed(const struct buf *der, const struct buf *detached, const struct judge_keys *keys, struct layer *out,
    struct buf *content, struct buf *why);
/* What OpenSSL said last, and forgets it. */
int judge_openssl(struct buf *why, const char *what);

#endif
