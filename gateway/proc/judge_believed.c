/* Who was believed last. Role judge; reads and writes the store. */
#include "gateway/proc/judge_believed.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"

static int look(struct store *s, const struct store_believed_key *key, struct store_believed *b,
    struct trust_known *k, struct problem *pr)
{
	if (store_believed(s, key, b, pr) < 0)
		return -1;
	memcpy(k->sha256, b->sha256, sizeof k->sha256);
	k->reason = (enum trust_reason)b->reason;
	return 0;
}

int judge_believed_ask(struct store *s, const struct store_believed_key *key, const char *sha256,
    enum trust_reason reason, bool listed, enum trust_change *change_r, char *why, size_t cap, struct problem *pr)
{
	struct store_believed b;
	struct trust_known k;

	if (look(s, key, &b, &k, pr) < 0)
		return -1;
	*change_r = trust_change(&k, sha256, reason, listed);
	if (*change_r == TRUST_CHANGE_WAITS)
		(void)snprintf(why, cap,
		    "it would take the place of %.16s..., believed by %s, and stands on %s alone: it waits for the "
		    "admin "
		    "(postern cert accept %s %.16s)",
		    k.sha256, trust_change_words(k.reason), trust_change_words(reason), key->owner, sha256);
	return 0;
}

int judge_believed_used(struct store *s, const struct store_believed_key *key, const char *sha256,
    enum trust_reason reason, int64_t now, struct problem *pr)
{
	struct store_believed b;
	struct trust_known k;
	char detail[400];
	bool same, first, weaker;

	if (look(s, key, &b, &k, pr) < 0)
		return -1;
	same = strcmp(k.sha256, sha256) == 0;
	if (same && trust_change_rank(k.reason) >= trust_change_rank(reason))
		return 0;
	first = !k.sha256[0] || same;
	weaker = !first && trust_change_rank(reason) < trust_change_rank(k.reason);
	(void)snprintf(detail, sizeof detail, "%.64s, by %s, takes the place of %.64s, by %s%s%s", sha256,
	    trust_change_words(reason), k.sha256, trust_change_words(k.reason), key->local[0] ? ", for mail of " : "",
	    key->local);
	if (weaker)
		log_error(NULL, "judge", "alarm=weaker-certificate owner=%s why=\"%s\"", key->owner, detail);
	memset(&b, 0, sizeof b);
	(void)snprintf(b.sha256, sizeof b.sha256, "%s", sha256);
	b.reason = (int)reason;
	b.at = now;
	return store_believed_put(s, key, &b, "judge", first ? NULL : "cert.replaced", detail, pr);
}

int judge_believed_waits(struct store *s, const struct store_believed_key *key, const char *sha256,
    enum trust_reason reason, int64_t now, struct problem *pr)
{
	struct store_believed b;
	struct trust_known k;
	char detail[400];

	if (look(s, key, &b, &k, pr) < 0)
		return -1;
	if (strcmp(b.waiting, sha256) == 0)
		return 0;
	(void)snprintf(detail, sizeof detail, "%.64s, by %s, would take the place of %.64s, by %s%s%s", sha256,
	    trust_change_words(reason), k.sha256, trust_change_words(k.reason), key->local[0] ? ", for mail of " : "",
	    key->local);
	log_error(NULL, "judge", "alarm=certificate-waits owner=%s why=\"%s: postern cert accept %s %.16s\"",
	    key->owner, detail, key->owner, sha256);
	(void)snprintf(b.waiting, sizeof b.waiting, "%s", sha256);
	b.waiting_reason = (int)reason;
	b.waiting_at = now;
	return store_believed_put(s, key, &b, "judge", "cert.waits", detail, pr);
}

static bool is_meant(const struct store_waiting *w, const char *local, const char *sha256)
{
	return strncmp(w->b.waiting, sha256, strlen(sha256)) == 0 &&
	       (!local || !local[0] || strcmp(w->local, local) == 0);
}

/* Which certificate it is: of two that begin alike none. */
static int which(const struct store_waiting *list, size_t n, const char *owner, const char *local, const char *sha256,
    char whole[CERT_HASH_TEXT], struct problem *pr)
{
	whole[0] = 0;
	for (size_t i = 0; i < n; i++) {
		if (!is_meant(&list[i], local, sha256))
			continue;
		if (whole[0] && strcmp(whole, list[i].b.waiting) != 0)
			return problem_set(pr, PROBLEM_PERM, 0, "", "",
			    "more than one certificate of %s whose fingerprint begins with %s waits for you: give "
			    "more "
			    "digits",
			    owner, sha256);
		memcpy(whole, list[i].b.waiting, sizeof list[i].b.waiting);
	}
	return whole[0] ? 0
			: problem_set(pr, PROBLEM_PERM, 0, "", "",
			      "no certificate of %s whose fingerprint begins with %s waits for you%s%s", owner,
			      sha256, local && local[0] ? " for mail of " : "", local ? local : "");
}

static int accept_one(
    struct store *s, const struct store_waiting *w, int64_t now, const char *who, struct problem *pr)
{
	const struct store_believed_key key = {w->owner, w->use, w->local};
	struct store_believed b = w->b;
	char detail[500];

	(void)snprintf(detail, sizeof detail, "%s takes the place of %s%s%s", w->b.waiting, w->b.sha256,
	    w->local[0] ? ", for mail of " : "", w->local);
	memcpy(b.sha256, w->b.waiting, sizeof b.sha256);
	b.reason = w->b.waiting_reason;
	b.at = now;
	b.waiting[0] = 0;
	return store_believed_put(s, &key, &b, who, "cert.accept", detail, pr);
}

int judge_believed_accept(struct store *s, const char *owner, const char *local, const char *sha256, int64_t now,
    const char *who, char whole_r[CERT_HASH_TEXT], struct problem *pr)
{
	struct store_waiting *list;
	size_t n;
	int rc;

	if (store_believed_waiting(s, owner, &list, &n, pr) < 0)
		return -1;
	rc = which(list, n, owner, local, sha256, whole_r, pr);
	if (rc == 0)
		rc = store_begin(s, pr);
	if (rc == 0) {
		for (size_t i = 0; rc == 0 && i < n; i++)
			if (is_meant(&list[i], local, sha256))
				rc = accept_one(s, &list[i], now, who, pr);
		rc = store_end(s, rc, pr);
	}
	store_waiting_free(list, n);
	return rc;
}
