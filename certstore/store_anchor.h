/* The certificates that paths may end at, each for a partner or for all, and for a direction. Part of store.h, which
 * says who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_ANCHOR_H
#define POSTERN_CERTSTORE_STORE_ANCHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

enum store_direction { STORE_BOTH, STORE_OUT /* whom we encrypt to */, STORE_IN /* whose signatures we believe */ };
const char *store_direction_word(enum store_direction d);
int store_direction_parse(const char *w, enum store_direction *d_r);

struct store_anchor {
	int64_t id;
	char *scope;	/* partner domain, "@GROUP" of partners, or "*" */
	char *local;	/* one of our domains: only for its mail; "": for all of ours */
	int64_t bundle; /* came with that bundle, 0: the admin added it */
	enum store_direction dir;
	uint8_t *der;
	size_t der_len;
	char sha256[65];
	int64_t added;
};
/* scope NULL: all; else that scope, the group of the partner of that name, and "*". */
int store_anchors(struct store *s, const char *scope, struct store_anchor **list_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
void store_anchors_free(struct store_anchor *l, size_t n);
/* The same certificate again for the same scope, local domain and bundle changes the direction. */
int store_anchor_add(struct store *s, const struct store_anchor *a, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* One that the admin added: those of a bundle go with it. */
int store_anchor_remove(struct store *s, const char *scope, const char *local, const char *sha256, const char *who,
    struct problem *pr) __attribute__((warn_unused_result));
/* One of a bundle. */
int store_anchor_remove_bundled(struct store *s, const struct store_anchor *a, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
