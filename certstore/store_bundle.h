/* The trust bundles that anchors come from: where, for whom, how often, what came of it. Part of store.h, which says
 * who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_BUNDLE_H
#define POSTERN_CERTSTORE_STORE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certstore/store_anchor.h"

struct store_bundle {
	int64_t id;
	char *url;
	char *scope, *local; /* of its anchors */
	enum store_direction dir;
	uint8_t *signer; /* DER of the certificate that must have signed it, NULL none */
	size_t signer_len;
	int64_t every;		     /* s */
	int64_t added, tried, taken; /* unix s; taken: the edition in use, 0 none yet */
	char *sha256;		     /* of that edition's octets, "" */
	char *trouble;		     /* why the last try brought nothing, "" */
	int64_t since;		     /* unix s: since when there is trouble, 0 none */
	char *difference;	     /* of the last change, in words */
};
int store_bundles(struct store *s, struct store_bundle **list_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
void store_bundles_free(struct store_bundle *l, size_t n);
/* The same URL again changes signer and every alone; -1 when scope, direction or local differ. */
int store_bundle_put(struct store *s, const struct store_bundle *b, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* Its anchors go with it. */
int store_bundle_remove(struct store *s, const char *url, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* What the last try came to: of b the id, tried, taken, sha256, trouble, difference; since follows from it. audited:
 * the change of anchors stands in the audit log as well. */
int store_bundle_tried(struct store *s, const struct store_bundle *b, bool audited, const char *who,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
