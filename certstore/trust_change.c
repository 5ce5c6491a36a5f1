/* A certificate takes the place of another. Pure. */
#include "certstore/trust_change.h"

#include <string.h>

int trust_change_rank(enum trust_reason r)
{
	static const int ranks[] = {[TRUST_BY_NOTHING] = 0,
	    [TRUST_BY_FIRST_CONTACT] = 1,
	    [TRUST_BY_WEBPKI] = 2,
	    [TRUST_BY_DANE] = 3,
	    [TRUST_BY_ANCHOR] = 4,
	    [TRUST_BY_GROUP] = 5,
	    [TRUST_BY_PARTNER] = 6,
	    [TRUST_BY_PIN] = 7};

	return (size_t)r < sizeof ranks / sizeof *ranks ? ranks[r] : 0;
}

enum trust_change trust_change(
    const struct trust_known *known, const char *sha256, enum trust_reason reason, bool listed)
{
	if (!known->sha256[0] || strcmp(known->sha256, sha256) == 0)
		return TRUST_CHANGE_NONE;
	if (trust_change_rank(reason) >= trust_change_rank(known->reason))
		return TRUST_CHANGE_FINE;
	return listed ? TRUST_CHANGE_WAITS : TRUST_CHANGE_ALARM;
}

const char *trust_change_words(enum trust_reason r)
{
	static const char *const words[] = {[TRUST_BY_NOTHING] = "nothing",
	    [TRUST_BY_DANE] = "a record of a signed zone",
	    [TRUST_BY_ANCHOR] = "an anchor for all partners",
	    [TRUST_BY_GROUP] = "an anchor for its group",
	    [TRUST_BY_PARTNER] = "an anchor for this partner",
	    [TRUST_BY_PIN] = "the admin's pin",
	    [TRUST_BY_FIRST_CONTACT] = "a statement met first",
	    [TRUST_BY_WEBPKI] = "a statement from its web server"};

	return (size_t)r < sizeof words / sizeof *words ? words[r] : words[0];
}
