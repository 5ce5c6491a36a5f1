/* What is remembered of revoked certificates. Role judge; reads and writes the store. A write that fails is an alarm
 * and no more: the question at hand knows what it knows. */
#include "gateway/proc/judge_revoked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "gateway/base/log.h"

static int compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct store_revoked *)row)->sha256);
}

static const struct store_revoked *find(struct judge_revoked *j, const char *sha256)
{
	const struct store_revoked *list;
	struct problem pr = {0};
	size_t n;

	if (judge_cache_revoked(j->cache, j->store, &list, &n, &pr) < 0) {
		log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
		return NULL;
	}
	return n > 0 ? bsearch(sha256, list, n, sizeof *list, compare) : NULL;
}

static bool known(void *ctx, const char *sha256, char *words, size_t cap)
{
	const struct store_revoked *r = find(ctx, sha256);

	if (r)
		(void)snprintf(words, cap, "%s", r->words);
	return r != NULL;
}

static void revoked(void *ctx, X509 *cert, const char *sha256, const char *words)
{
	struct judge_revoked *j = ctx;
	struct cert_facts facts;
	char name[300];
	struct store_revoked r = {.words = (char *)(uintptr_t)words, .at = j->now};
	struct problem pr = {0};

	if (find(j, sha256))
		return;
	(void)snprintf(r.sha256, sizeof r.sha256, "%s", sha256);
	cert_facts(cert, &facts);
	log_error(NULL, "judge", "alarm=revoked certificate=\"%s\" sha256=%s why=\"%s\"",
	    cert_words(&facts, name, sizeof name), sha256, words);
	if (store_revoked_add(j->store, &r, "judge", &pr) < 0)
		log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
	judge_cache_revoked_changed(j->cache);
}

static void good(void *ctx, const char *sha256)
{
	struct judge_revoked *j = ctx;
	struct problem pr = {0};

	if (!find(j, sha256))
		return;
	log_warn(NULL, "judge", "unrevoked sha256=%s", sha256);
	if (store_revoked_remove(j->store, sha256, "a current list or answer says that it is good", "judge", &pr) < 0)
		log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
	judge_cache_revoked_changed(j->cache);
}

void judge_revoked_init(struct judge_revoked *j, struct judge_cache *c, struct store *s, int64_t now)
{
	*j = (struct judge_revoked){.cache = c, .store = s, .now = now};
	j->memory = (struct revoke_memory){.ctx = j, .known = known, .revoked = revoked, .good = good};
}
