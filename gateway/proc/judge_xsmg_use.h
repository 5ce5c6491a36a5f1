/*
 * What a partner's trusted statement does (XSMG section 6): its certificates, how mail is written, what it demands.
 * Role judge; pure over what the store has of the domain.
 */
#ifndef POSTERN_PROC_JUDGE_XSMG_USE_H
#define POSTERN_PROC_JUDGE_XSMG_USE_H

#include "certstore/find.h"
#include "certstore/format.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_world.h"
#include "gateway/xsmg/xsmg_trust.h"

/* Does the statement by itself vouch for this certificate now? Its level; NEVER: it does not give it, or not now, or
 * it is frozen, or it is anchored (then the certificate must have its own path). */
enum xsmg_level judge_xsmg_use_vouches(
    const struct judge_owner *o, const char *sha256, enum cert_purpose use, int64_t now);
/* What that weighs against other reasons to believe a certificate. */
enum trust_reason judge_xsmg_use_reason(enum xsmg_level l);
/* "certificate ...: given by its statement, which is trusted by webpki". */
void judge_xsmg_use_words(const struct judge_owner *o, const struct cert_facts *f, char *why, size_t cap);
/* Its certificates to encrypt to, in their time, and those of authorities beside them; octets are the owner's.
 * certs_r has FIND_CERTS_MAX places, issuers_r FIND_ISSUERS_MAX. */
void judge_xsmg_use_certs(const struct judge_owner *o, int64_t now, struct find_octets *certs_r, size_t *n_r,
    struct find_octets *issuers_r, size_t *nissuers_r);
/* Mail to this domain is to wait, whatever else is known of it (frozen; ran out under strict-expiry). why says so. */
bool judge_xsmg_use_holds(
    const struct judge_world *w, const struct judge_owner *o, int64_t now, char *why, size_t cap);
/* As long as nothing else gives a certificate, it is to wait: a statement waits for the admin, or one that was
 * trusted is not any more, or gives none in its time: it never falls to clear by itself. */
bool judge_xsmg_use_waits(const struct judge_owner *o, char *why, size_t cap);
/* In which form does it read what is signed? As it says last, also while it is frozen; ALONE where nothing is known.
 */
enum judge_xsmg_signed { JUDGE_XSMG_SIGNED_ALONE, JUDGE_XSMG_SIGNED_SEALED, JUDGE_XSMG_SIGNED_NOT };
enum judge_xsmg_signed judge_xsmg_use_signed(const struct judge_owner *o);
/* Does it demand protection? JUDGE_XSMG_LOST: trust in it was lost. least: what it refuses to take less than. What
 * was demanded last stays so while the statement is frozen and when it ran out: until a newer one, or its withdrawal,
 * says otherwise. Trust that was lost demands encryption. */
enum judge_xsmg_demand { JUDGE_XSMG_NO_DEMAND, JUDGE_XSMG_DEMANDS, JUDGE_XSMG_LOST };
enum judge_xsmg_demand judge_xsmg_use_demands(const struct judge_owner *o, enum policy_treatment *least_r);
/* The domain withdrew its statement a moment ago (10 minutes): mail that was weighed before, and is protected, does
 * not bind it again. What cannot be told is false. */
bool judge_xsmg_use_left(struct store *s, const char *domain, int64_t now);
/* What it promises of its own mail now: bits of enum judge_promise. It holds as long as the statement is believed,
 * also when that ran out or is frozen, and no longer than the promise itself says. */
uint8_t judge_xsmg_use_promises(const struct judge_owner *o, int64_t now);
/* What it reads, above the floor, goes into f; the bits of the options that it decides (FORMAT_GIVEN). */
unsigned judge_xsmg_use_format(const struct judge_owner *o, unsigned bits_min, struct format *f);
/* The forms that it reads: 0; or -1 with a clause when it reads nothing encrypted. *octets_r: the largest message, 0
 * not said. */
int judge_xsmg_use_reads(const struct judge_owner *o, uint64_t *octets_r, char *why, size_t cap)
    __attribute__((warn_unused_result));

#endif
