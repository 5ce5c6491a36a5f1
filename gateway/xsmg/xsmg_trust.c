/*
 * Whether a statement is trusted: the rules of XSMG section 5 in their order. Pure.
 *
 * What proves nothing may cause nothing: an older one, or another one of the trusted one's serial, is an alarm only
 * when it is signed by a key that this domain has had, because anybody can make a statement with a key of his own.
 * Revoked comes before everything else, so that a thief with a key that was taken back can neither be believed nor
 * freeze the domain.
 */
#include "gateway/xsmg/xsmg_trust.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const level_words[] = {[XSMG_NEVER] = "nothing",
    [XSMG_FIRST_CONTACT] = "first-contact",
    [XSMG_WEBPKI] = "webpki",
    [XSMG_DNSSEC] = "dnssec",
    [XSMG_ANCHORED] = "anchored",
    [XSMG_PINNED] = "pinned"};
static const char *const action_words[] = {[XSMG_DO_TRUST] = "trusted",
    [XSMG_DO_PENDING] = "pending",
    [XSMG_DO_CONFIRM] = "hint",
    [XSMG_DO_CURRENT] = "current",
    [XSMG_DO_OLD] = "old",
    [XSMG_DO_FREEZE] = "frozen",
    [XSMG_DO_REFUSE] = "refused",
    [XSMG_DO_LATER] = "later"};

const char *xsmg_trust_level_word(enum xsmg_level l)
{
	return (unsigned)l < sizeof level_words / sizeof *level_words ? level_words[l] : "nothing";
}

const char *xsmg_trust_action_word(enum xsmg_action a)
{
	return (unsigned)a < sizeof action_words / sizeof *action_words ? action_words[a] : "refused";
}

int xsmg_trust_first_parse(const char *word, enum xsmg_first *f_r)
{
	static const char *const words[] = {[XSMG_ASK] = "ask", [XSMG_ACCEPT] = "accept", [XSMG_DECLINE] = "refuse"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0) {
			*f_r = (enum xsmg_first)i;
			return 0;
		}
	return -1;
}

static bool decide(struct xsmg_decision *d, enum xsmg_action a, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool decide(struct xsmg_decision *d, enum xsmg_action a, const char *fmt, ...)
{
	va_list ap;

	d->action = a;
	va_start(ap, fmt);
	(void)vsnprintf(d->why, sizeof d->why, fmt, ap);
	va_end(ap);
	return true;
}

static bool trust(struct xsmg_decision *d, enum xsmg_level level, const char *rule, const char *why)
{
	d->level = level;
	d->rule = rule;
	return decide(d, XSMG_DO_TRUST, "%s", why);
}

/* ---- what speaks for the key by itself ---- */

static enum xsmg_level spoken(const struct xsmg_facts *f, const char **why_r)
{
	if (f->pinned && f->fits_pin) {
		*why_r = "the admin pinned its statement key or certificate";
		return XSMG_PINNED;
	}
	if (f->anchored == XSMG_YES && !f->certs_bad) {
		*why_r = "its path ends at an anchor for this domain";
		return XSMG_ANCHORED;
	}
	if (f->dns == XSMG_YES) {
		*why_r = "the _smg record of a signed zone names its statement key";
		return XSMG_DNSSEC;
	}
	/* a signed zone that names other keys says that this one is not the domain's */
	if (f->webpki && !f->dns_other) {
		*why_r = "it came from the smg host of the domain by https with a valid certificate";
		return XSMG_WEBPKI;
	}
	*why_r = "";
	return XSMG_NEVER;
}

/* A level that would count, above the one that is reached, and that cannot be asked now: what it would say comes
 * before anything weaker is believed. */
static bool cannot_tell(const struct xsmg_facts *f, enum xsmg_level reached)
{
	if (f->anchored == XSMG_UNSURE && reached < XSMG_ANCHORED && f->established <= XSMG_ANCHORED)
		return true;
	return f->dns == XSMG_UNSURE && reached < XSMG_DNSSEC && f->established <= XSMG_DNSSEC;
}

/* ---- what ends it before anything speaks for it ---- */

static bool against(const struct xsmg_facts *f, struct xsmg_decision *d)
{
	if (f->revoked == XSMG_YES)
		return decide(d, XSMG_DO_REFUSE, "its statement certificate, or one above it, was revoked");
	if (f->bad_key || (f->same_key && f->trusted_bad))
		return decide(d, XSMG_DO_REFUSE, "its statement key is marked as compromised");
	if (f->refused_key)
		return decide(d, XSMG_DO_REFUSE, "the admin refused its statement key");
	if (f->revoked == XSMG_UNSURE)
		return decide(d, XSMG_DO_LATER, "whether its statement certificate was revoked cannot be told now");
	return false;
}

/* Older ones, others of the same serial, keys that were left behind. */
static bool out_of_order(const struct xsmg_facts *f, enum xsmg_level s, struct xsmg_decision *d)
{
	bool theirs = f->same_key || f->retired_key || (s != XSMG_NEVER && s >= f->established);

	if (f->order == XSMG_OLDER) {
		d->alarm = theirs && f->now - f->issued > XSMG_OLD_ALARM_S;
		return decide(d, XSMG_DO_OLD, "it is older than the one that is trusted%s",
		    d->alarm ? ", by more than 48 hours: an old copy is handed out" : "");
	}
	if (f->order == XSMG_OTHER_OF_SERIAL && theirs) {
		d->alarm = true;
		return decide(d, XSMG_DO_FREEZE,
		    "it has the serial of the one that is trusted and says something else: two who hold the key, or "
		    "two gateways that do not know of each other, speak for this domain");
	}
	if (f->order == XSMG_OTHER_OF_SERIAL)
		return decide(d, XSMG_DO_REFUSE,
		    "it has the serial of the one that is trusted, says something else, and nothing speaks for its "
		    "key");
	if (f->retired_key && f->established != XSMG_NEVER) {
		d->alarm = true;
		return decide(d, XSMG_DO_FREEZE,
		    "it is signed by a statement key whose place another one took: an old key in a thief's hands, or "
		    "an old state brought back");
	}
	return false;
}

/* ---- continuity ---- */

static bool may_follow(const struct xsmg_facts *f)
{
	if (f->established == XSMG_PINNED)
		return f->follow && f->trusted_by_pin;
	return (f->established == XSMG_WEBPKI || f->established == XSMG_FIRST_CONTACT) && !f->dns_other;
}

static bool by_continuity(const struct xsmg_facts *f, struct xsmg_decision *d)
{
	if (!may_follow(f))
		return false;
	if (f->same_key)
		return trust(d, f->established, "same-key", "it is signed by the statement key that is trusted");
	if (!f->trusted_signed_too || f->trusted_bad || f->announced == 0 || f->now - f->announced < XSMG_ANNOUNCED_S)
		return false;
	d->by_continuity = true;
	return trust(d, f->established, "continuity",
	    "the statement key that is trusted signed it too, and announced the new one at least 7 days ago");
}

/* What spoke for and against it, for whoever has to compare. */
static void say_pending(const struct xsmg_facts *f, const char *speaks, struct xsmg_decision *d)
{
	size_t at;

	if (f->established == XSMG_NEVER)
		(void)decide(d, XSMG_DO_PENDING, "nothing speaks for its statement key");
	else
		(void)decide(d, XSMG_DO_PENDING, "%s, and this domain is trusted by %s: less does not replace it",
		    speaks[0] ? speaks : "nothing speaks for its statement key", level_words[f->established]);
	at = strlen(d->why);
	if (f->trusted_signed_too && f->trusted_bad)
		(void)snprintf(d->why + at, sizeof d->why - at,
		    "; the trusted key signed it too, but that key was revoked or compromised");
	else if (f->trusted_signed_too && !may_follow(f))
		(void)snprintf(d->why + at, sizeof d->why - at,
		    "; the trusted key signed it too, which does not count at this level");
	else if (f->trusted_signed_too)
		(void)snprintf(d->why + at, sizeof d->why - at,
		    "; the trusted key signed it too, but the new one was %s",
		    f->announced ? "announced less than 7 days ago" : "never announced");
	else if (f->same_key)
		(void)snprintf(d->why + at, sizeof d->why - at, "; it is signed by the same key as before");
	at = strlen(d->why);
	(void)snprintf(d->why + at, sizeof d->why - at, "; anchors for this domain: %s; signed _smg record: %s",
	    f->anchored == XSMG_YES ? f->certs_bad ? "its path is good, a certificate for mail in it is not" : "good"
	    : f->anchored == XSMG_UNSURE ? "cannot be told"
					 : "no path",
	    f->dns == XSMG_YES	    ? "names its key"
	    : f->dns == XSMG_UNSURE ? "cannot be told"
	    : f->dns_other	    ? "names other keys"
				    : "does not name its key");
}

static void first_contact(const struct xsmg_facts *f, struct xsmg_decision *d)
{
	if (f->first == XSMG_ACCEPT && !f->dns_other) {
		(void)trust(d, XSMG_FIRST_CONTACT, "first-contact",
		    "nothing speaks for its statement key, and the setting first-contact = accept takes it");
		return;
	}
	if (f->first == XSMG_DECLINE) {
		(void)decide(d, XSMG_DO_REFUSE,
		    "nothing speaks for its statement key, and the setting first-contact = refuse");
		return;
	}
	say_pending(f, "", d);
}

/* It ends the protection of the mail to this domain: the key that is trusted says so, or what no web server and no
 * authority of the web can forge. */
static bool may_withdraw(const struct xsmg_facts *f, const struct xsmg_decision *d)
{
	return f->same_key || d->by_continuity || d->level >= XSMG_DNSSEC;
}

static void weigh(const struct xsmg_facts *f, enum xsmg_level s, const char *speaks, struct xsmg_decision *d)
{
	bool enough =
	    s != XSMG_NEVER && s >= f->established ? trust(d, s, level_words[s], speaks) : by_continuity(f, d);

	if (enough && !cannot_tell(f, d->level) && (!f->withdrawn || may_withdraw(f, d)))
		return;
	if (enough && !cannot_tell(f, d->level))
		(void)decide(d, XSMG_DO_PENDING,
		    "%s; it withdraws, and a withdrawal must be signed by the key that is trusted, or be spoken for "
		    "by "
		    "dnssec or better",
		    speaks);
	else if (cannot_tell(f, enough ? d->level : s))
		(void)decide(d, XSMG_DO_LATER, "%s cannot be told now",
		    f->anchored == XSMG_UNSURE ? "whether its path ends at an anchor for this domain"
					       : "what the _smg record of its zone names");
	else if (f->established == XSMG_NEVER)
		first_contact(f, d);
	else
		say_pending(f, speaks, d);
	if (d->action == XSMG_DO_TRUST)
		return;
	d->level = s;
	d->rule = "";
	d->by_continuity = false;
}

/* Whoever sends a hint proves nothing by it, and holds up nothing. */
static void to_confirm(struct xsmg_decision *d)
{
	d->alarm = false;
	(void)decide(d, XSMG_DO_CONFIRM, "it was handed to us: it is asked for before anything is concluded");
}

static void newer(const struct xsmg_facts *f, struct xsmg_decision *d)
{
	const char *speaks;
	enum xsmg_level s = spoken(f, &speaks);

	if (out_of_order(f, s, d)) {
		if (d->action == XSMG_DO_FREEZE && !f->by_get)
			to_confirm(d);
		return;
	}
	if (!f->by_get)
		to_confirm(d);
	else if (f->frozen)
		(void)decide(
		    d, XSMG_DO_FREEZE, "this domain is frozen, and nothing of it is taken before the admin decides");
	else if (f->withdrawn && f->established == XSMG_NEVER)
		(void)decide(d, XSMG_DO_REFUSE, "it withdraws, and no statement of this domain was ever trusted");
	else
		weigh(f, s, speaks, d);
}

/* The one that is trusted, met again: it may be spoken for better than before. */
static void same(const struct xsmg_facts *f, struct xsmg_decision *d)
{
	const char *speaks;
	enum xsmg_level s = spoken(f, &speaks);

	if (!f->frozen && f->by_get && s > f->established && !cannot_tell(f, s))
		(void)trust(d, s, level_words[s], speaks);
	else
		(void)decide(d, XSMG_DO_CURRENT, "it is the one that is trusted");
}

void xsmg_trust(const struct xsmg_facts *f, struct xsmg_decision *d_r)
{
	memset(d_r, 0, sizeof *d_r);
	d_r->rule = "";
	if (against(f, d_r))
		return;
	if (f->order == XSMG_SAME)
		same(f, d_r);
	else
		newer(f, d_r);
}
