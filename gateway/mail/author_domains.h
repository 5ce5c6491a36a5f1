/*
 * Every domain that a message names as its author's when no one author can be read: several From fields or mailboxes,
 * or what is no mailbox at all. A reader's program shows one of them, and nobody knows which. Pure; sealer. Finds
 * rather too many than too few: names in comments, encoded words and names beside an address count as well. For a
 * From that is in order header_author is asked.
 */
#ifndef POSTERN_MAIL_AUTHOR_DOMAINS_H
#define POSTERN_MAIL_AUTHOR_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/arena.h"
#include "gateway/mail/address.h"
#include "gateway/mail/header.h"

enum { AUTHOR_DOMAINS_MAX = 16 };
struct author_domains {
	size_t n;
	bool more;					    /* there were more of them */
	char v[AUTHOR_DOMAINS_MAX][ADDRESS_DOMAIN_MAX + 1]; /* A-labels, lower case, each once */
};
/* What is no domain is passed over. */
void author_domains_add(struct author_domains *d, const char *p, size_t n);
/* Adds those of all From fields of h. -1 past the arena. */
int author_domains_find(struct arena *a, const struct header *h, struct author_domains *d)
    __attribute__((warn_unused_result));

#endif
