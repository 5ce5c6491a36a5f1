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

/* Whom the audit log names: who it was given or used for, else who it names itself. */
static void subject_of(struct judge_revoked *j, X509 *cert, const char *sha256, char *out, size_t cap)
{
	struct problem pr = {0};
	struct cert_facts f;
	const char *name;

	if (store_revoked_owner(j->store, sha256, out, cap, &pr) > 0 && out[0])
		return;
	(void)snprintf(out, cap, "%s", sha256);
	if (!cert)
		return;
	cert_facts(cert, &f);
	name = strchr(f.names, ':');
	if (name && name[1])
		(void)snprintf(out, cap, "%.*s", (int)strcspn(name + 1, " "), name + 1);
	else
		(void)snprintf(out, cap, "%s", f.subject);
}

static void revoked(void *ctx, X509 *cert, const char *sha256, const char *words)
{
	struct judge_revoked *j = ctx;
	struct cert_facts facts;
	char name[300], whose[ADDRESS_TEXT_MAX];
	struct store_revoked r = {.words = (char *)(uintptr_t)words, .at = j->now};
	struct problem pr = {0};

	if (find(j, sha256))
		return;
	(void)snprintf(r.sha256, sizeof r.sha256, "%s", sha256);
	cert_facts(cert, &facts);
	subject_of(j, cert, sha256, whose, sizeof whose);
	log_error(NULL, "judge", "alarm=revoked owner=\"%s\" certificate=\"%s\" sha256=%s why=\"%s\"", whose,
	    cert_words(&facts, name, sizeof name), sha256, words);
	if (store_revoked_add(j->store, &r, whose, "judge", &pr) < 0)
		log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
	judge_cache_revoked_changed(j->cache);
}

static bool good(void *ctx, const char *sha256, int64_t as_of, char *words, size_t cap)
{
	struct judge_revoked *j = ctx;
	const struct store_revoked *r = find(j, sha256);
	struct problem pr = {0};
	char whose[ADDRESS_TEXT_MAX];

	if (!r)
		return true;
	if (as_of <= r->at) {
		(void)snprintf(words, cap, "%s", r->words);
		return false;
	}
	subject_of(j, NULL, sha256, whose, sizeof whose);
	log_warn(NULL, "judge", "unrevoked owner=\"%s\" sha256=%s", whose, sha256);
	if (store_revoked_remove(
		j->store, sha256, "a later list or answer says that it is good", whose, "judge", &pr) < 0)
		log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
	judge_cache_revoked_changed(j->cache);
	return true;
}

void judge_revoked_init(struct judge_revoked *j, struct judge_cache *c, struct store *s, int64_t now)
{
	*j = (struct judge_revoked){.cache = c, .store = s, .now = now};
	j->memory = (struct revoke_memory){.ctx = j, .known = known, .revoked = revoked, .good = good};
}
