/*
 * How partners' certificates are looked for: the options with their words, for the configuration and for a partner's
 * entry. Judge; pure.
 */
#ifndef POSTERN_CERTSTORE_FIND_OPTIONS_H
#define POSTERN_CERTSTORE_FIND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "certstore/source.h"
#include "gateway/base/problem.h"

enum find_order {
	FIND_OWN, /* tiers by strength, a weaker one's answer only when the stronger ones surely have nothing usable
		   */
	FIND_DIRECT, /* DNS CERT, then LDAP; the first that has any certificate decides (Direct) */
};
/* In order of strength. */
enum find_tier { FIND_STORE, FIND_SMIMEA, FIND_SMG, FIND_CERT, FIND_LDAP, FIND_HTTP, FIND_TIERS };
#define FIND_TIER(t) (1u << (t))
enum find_by_address {
	FIND_ADDRESS_LISTED, /* DNS is told the address only of partners that are listed */
	FIND_ADDRESS_ALWAYS,
	FIND_ADDRESS_NEVER, /* directories are not told it either */
};
enum { FIND_PLACES_MAX = 4, FIND_TEXT_MAX = 1600 };
struct find_options {
	uint8_t order;	    /* enum find_order */
	uint8_t tiers;	    /* bits */
	uint8_t srv;	    /* enum srv_record_order */
	uint8_t by_address; /* enum find_by_address */
	/* Asked beside what DNS names, in this order; configured directories by title, certificate stores by URL. */
	char directories[FIND_PLACES_MAX][sizeof((struct source_ask *)0)->directory];
	char http_stores[FIND_PLACES_MAX][256];
	uint8_t ndirectories, nhttp_stores;
};

/* "order=direct tiers=store,cert,ldap srv-order=weight-first by-address=always directory=NAME http-store=URL", each
 * at most once (directory and http-store up to FIND_PLACES_MAX times), between blanks. */
enum find_option {
	FIND_OPT_ORDER,
	FIND_OPT_TIERS,
	FIND_OPT_SRV,
	FIND_OPT_ADDRESS,
	FIND_OPT_DIRECTORY,
	FIND_OPT_HTTP,
	FIND_OPTIONS
};
#define FIND_GIVEN(option) (1u << (option))
#define FIND_ALL ((1u << FIND_OPTIONS) - 1)

/* Sets in *f what the text names and leaves the rest; *given_r has the bit of each option named. 0; -1 with a
 * sentence that lists what is allowed (PERM), *f unchanged. "" names nothing. "directory=" alone names none. */
int find_options_read(const char *text, struct find_options *f, unsigned *given_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* The options whose bits are in `which`, in the order above. */
void find_options_print(const struct find_options *f, unsigned which, char out[FIND_TEXT_MAX]);
/* Of a fresh installation. */
struct find_options find_options_default(void);
const char *find_options_tier_word(enum find_tier t);
/* Words between commas. 0; -1 with a sentence. */
int find_options_tiers(const char *text, uint8_t *bits_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
