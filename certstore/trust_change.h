/*
 * A certificate takes the place of one that was believed before: may it, by what it stands on? Pure.
 *
 * Whoever can make a weak reason (an anchor for all partners, a record of DNS) for his own certificate must not
 * quietly take over mail for a partner who was believed by a strong one (the admin's pin, an anchor for that
 * partner).
 */
#ifndef POSTERN_CERTSTORE_TRUST_CHANGE_H
#define POSTERN_CERTSTORE_TRUST_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "certstore/trust.h"

struct trust_known {
	char sha256[CERT_HASH_TEXT]; /* "": nothing was believed before */
	enum trust_reason reason;
};
enum trust_change {
	TRUST_CHANGE_NONE,  /* the same certificate, or the first */
	TRUST_CHANGE_FINE,  /* another by as good a reason: it is the known one from now on */
	TRUST_CHANGE_ALARM, /* another by a weaker reason, of a partner who is not listed: taken, with an alarm */
	TRUST_CHANGE_WAITS, /* the same of a listed partner: not used before the admin says so */
};
enum trust_change trust_change(
    const struct trust_known *known, const char *sha256, enum trust_reason reason, bool listed);
/* Of two reasons the better has the higher one. */
int trust_change_rank(enum trust_reason r);
/* "an anchor for this partner" and so on. */
const char *trust_change_words(enum trust_reason r);

#endif
