/* Whom we exchange mail with, how, and who was ever seen protected (P9). Part of store.h, which says who calls, what
 * blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_PARTNER_H
#define POSTERN_CERTSTORE_STORE_PARTNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

struct store_partner {
	char *domain;	 /* A-labels, lower case, or "user@domain" for one person */
	char *treatment; /* words of policy.h */
	char *strength;
	char *note;
	char *format;		       /* options set by the admin, as format_print writes them; "" none */
	char *find;		       /* where its certificate is looked for, as find_options_print writes it */
	char *group;		       /* one name, for anchors with the scope "@NAME"; "" none */
	int64_t added, seen_protected; /* unix s; 0 never */
};
/* 0 and *p_r NULL when there is none; free with store_partners_free(p, 1). */
int store_partner_get(struct store *s, const char *domain, struct store_partner **p_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* By domain, the first max behind `after` ("" or NULL: from the start). */
int store_partners(struct store *s, const char *after, size_t max, struct store_partner **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
void store_partners_free(struct store_partner *l, size_t n);
/* Adds or changes. */
int store_partner_put(struct store *s, const struct store_partner *p, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* Also its certificates and anchors go; that it was seen protected stays. */
int store_partner_remove(struct store *s, const char *domain, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* P9: remembers that the domain was seen protected (also for unlisted domains). Cheap when already known. */
int store_seen_protected(struct store *s, const char *domain, int64_t now, struct problem *pr)
    __attribute__((warn_unused_result));
/* Unix s, 0 never, -1 cannot tell. */
int64_t store_was_protected(struct store *s, const char *domain);
/* -1 when it was never seen protected. */
int store_release(struct store *s, const char *domain, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
