/* Who was believed last. Role judge; reads and writes the store. */
#include "gateway/proc/judge_believed.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"

static int look(struct store *s, const char *owner, enum cert_purpose use, struct store_believed *b,
    struct trust_known *k, struct problem *pr)
{
	if (store_believed(s, owner, (int)use, b, pr) < 0)
		return -1;
	memcpy(k->sha256, b->sha256, sizeof k->sha256);
	k->reason = (enum trust_reason)b->reason;
	return 0;
}

int judge_believed_ask(struct store *s, const char *owner, enum cert_purpose use, const char *sha256,
    enum trust_reason reason, bool listed, enum trust_change *change_r, char *why, size_t cap, struct problem *pr)
{
	struct store_believed b;
	struct trust_known k;

	if (look(s, owner, use, &b, &k, pr) < 0)
		return -1;
	*change_r = trust_change(&k, sha256, reason, listed);
	if (*change_r == TRUST_CHANGE_WAITS)
		(void)snprintf(why, cap,
		    "it would take the place of %.16s..., believed by %s, and stands on %s alone: it waits for the "
		    "admin "
		    "(postern cert accept %s %.16s)",
		    k.sha256, trust_change_words(k.reason), trust_change_words(reason), owner, sha256);
	return 0;
}

int judge_believed_used(struct store *s, const char *owner, enum cert_purpose use, const char *sha256,
    enum trust_reason reason, int64_t now, struct problem *pr)
{
	struct store_believed b;
	struct trust_known k;
	char detail[400];
	bool first, weaker;

	if (look(s, owner, use, &b, &k, pr) < 0)
		return -1;
	if (strcmp(k.sha256, sha256) == 0 && k.reason == reason)
		return 0;
	first = !k.sha256[0] || strcmp(k.sha256, sha256) == 0;
	weaker = !first && reason < k.reason;
	(void)snprintf(detail, sizeof detail, "%.64s, by %s, takes the place of %.64s, by %s", sha256,
	    trust_change_words(reason), k.sha256, trust_change_words(k.reason));
	if (weaker)
		log_error(NULL, "judge", "alarm=weaker-certificate owner=%s why=\"%s\"", owner, detail);
	memset(&b, 0, sizeof b);
	(void)snprintf(b.sha256, sizeof b.sha256, "%s", sha256);
	b.reason = (int)reason;
	b.at = now;
	return store_believed_put(s, owner, (int)use, &b, "judge", first ? NULL : "cert.replaced", detail, pr);
}

int judge_believed_waits(struct store *s, const char *owner, enum cert_purpose use, const char *sha256,
    enum trust_reason reason, int64_t now, struct problem *pr)
{
	struct store_believed b;
	struct trust_known k;
	char detail[400];

	if (look(s, owner, use, &b, &k, pr) < 0)
		return -1;
	if (strcmp(b.waiting, sha256) == 0)
		return 0;
	(void)snprintf(detail, sizeof detail, "%.64s, by %s, would take the place of %.64s, by %s", sha256,
	    trust_change_words(reason), k.sha256, trust_change_words(k.reason));
	log_error(NULL, "judge", "alarm=certificate-waits owner=%s why=\"%s: postern cert accept %s %.16s\"", owner,
	    detail, owner, sha256);
	(void)snprintf(b.waiting, sizeof b.waiting, "%s", sha256);
	b.waiting_reason = (int)reason;
	b.waiting_at = now;
	return store_believed_put(s, owner, (int)use, &b, "judge", "cert.waits", detail, pr);
}

int judge_believed_accept(struct store *s, const char *owner, enum cert_purpose use, const char *sha256, int64_t now,
    const char *who, struct problem *pr)
{
	struct store_believed b;
	struct trust_known k;
	char detail[300];

	if (look(s, owner, use, &b, &k, pr) < 0)
		return -1;
	if (!b.waiting[0] || strncmp(b.waiting, sha256, strlen(sha256)) != 0)
		return problem_set(pr, PROBLEM_PERM, 0, "", "",
		    "no certificate of %s whose fingerprint begins with %s waits for you", owner, sha256);
	(void)snprintf(detail, sizeof detail, "%s takes the place of %s", b.waiting, b.sha256);
	memcpy(b.sha256, b.waiting, sizeof b.sha256);
	b.reason = b.waiting_reason;
	b.at = now;
	b.waiting[0] = 0;
	return store_believed_put(s, owner, (int)use, &b, who, "cert.accept", detail, pr);
}
