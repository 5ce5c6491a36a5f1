/*
 * domain.retire: role judge; writes the store, then asks the keeper.
 *
 * The store first: from its commit on nobody is offered the key, and the audit log has who ended it. Then the keeper
 * forgets the key and has its file removed. A death between leaves a key that nobody is told of, and a row that says
 * "retired": the rest is done a minute later, or by the same command again. The other way round a death would leave a
 * key that is offered to sealers and to partners and that nobody has: mail to it would wait for ever.
 */
#include "gateway/proc/judge_admin_retire.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_identities.h"
#include "gateway/proc/judge_own.h"
#include "gateway/proc/judge_xsmg_draft.h"
#include "gateway/proc/judge_xsmg_rollover.h"

static bool valid_now(struct judge_call *c, const struct store_identity *i)
{
	struct judge_cert *k = i->cert ? judge_cache_cert(c->ja->world->cache, i->cert, i->cert_len, NULL) : NULL;
	bool yes = k && k->f.not_before <= c->now && c->now < k->f.not_after;

	judge_cert_drop(k);
	return yes;
}

/* Neither only announced, nor past its end. */
static bool begun(struct judge_call *c, const struct store_identity *i)
{
	return i->active && !i->retired && i->from <= c->now && (i->until == 0 || i->until > c->now) &&
	       valid_now(c, i);
}

/* Another one that would do the same now. */
static const struct store_identity *other(
    struct judge_call *c, const struct store_identity *list, size_t n, const struct store_identity *than)
{
	for (size_t i = 0; i < n; i++)
		if (&list[i] != than && list[i].use == than->use && strcmp(list[i].domain, than->domain) == 0 &&
		    begun(c, &list[i]))
			return &list[i];
	return NULL;
}

/* Partners pin statement keys: none goes that signs now, be it as the one before, nor one of a change under way. 1,
 * 0, -1. */
static int is_statement_key(
    struct judge_call *c, const struct store_identity *list, size_t n, const struct store_identity *i)
{
	struct store_rollover o;

	if (store_rollover_get(c->store, i->domain, STORE_ROLLOVER_STATEMENT, &o, c->pr) < 0)
		return -1;
	if (o.step != STORE_ROLLOVER_NONE && o.step != STORE_ROLLOVER_DONE &&
	    (judge_xsmg_rollover_new(&o, i) || judge_xsmg_rollover_old(&o, i)))
		return 1;
	return begun(c, i) && (i->until != 0 || i == judge_xsmg_draft_present(
							 c->ja->world->cache, list, n, i->domain, i->use, c->now));
}

/* 1 it is the one that is used now, 0, -1. */
static int is_used(struct judge_call *c, const struct store_identity *list, size_t n, const struct store_identity *i,
    const struct store_identity *next)
{
	const struct store_identity *used;
	char why[400];

	if (i->use == STORE_STATEMENT)
		return is_statement_key(c, list, n, i);
	if (i->use != STORE_SIGN && i->use != STORE_DECRYPT)
		return !next && valid_now(c, i);
	if (judge_identities_find(
		c->ja->world->cache, c->store, i->domain, i->use, c->now, &used, why, sizeof why, c->pr) < 0)
		return -1;
	return used && strcmp(used->key_id, i->key_id) == 0;
}

static int refuse_used(struct judge_call *c, const struct store_identity *i, const struct store_identity *next)
{
	static const struct {
		const char *before, *does, *lost_before, *lost;
	} words[] = {[STORE_SIGN] = {"mail of ", " is signed with", "mail of ", " can be signed no more"},
	    [STORE_DECRYPT] = {"partners of ", " encrypt to", "mail encrypted to ", " can be opened no more"},
	    [STORE_TLS] = {"the listeners of ", " use for TLS", "", " has no certificate for TLS any more"},
	    [STORE_STATEMENT] = {"statements of ", " are signed with or will be", "",
		" gets another one, which partners that pinned it will not follow"}};
	char then[400];

	if (next)
		(void)snprintf(then, sizeof then, "%.63s takes its place", next->key_id);
	else
		(void)snprintf(
		    then, sizeof then, "%s%.255s%s", words[i->use].lost_before, i->domain, words[i->use].lost);
	return judge_call_fail(c, "refused",
	    "%s is the key that %s%s%s%s: make its successor first, with \"postern domain %s %s\" (with --force it "
	    "is "
	    "retired all the same, and %s)",
	    i->key_id, words[i->use].before, i->domain, words[i->use].does,
	    next || i->use == STORE_STATEMENT ? "" : ", and the only one",
	    i->use == STORE_TLS		? "tls"
	    : i->use == STORE_STATEMENT ? "rollover --statement-key"
					: "add",
	    i->domain, then);
}

/* Whoever still encrypts to it is refused from now on. */
static void warn_valid(struct judge_call *c, const struct store_identity *i, json_t *warnings)
{
	struct judge_cert *k = i->use == STORE_DECRYPT && valid_now(c, i)
				   ? judge_cache_cert(c->ja->world->cache, i->cert, i->cert_len, NULL)
				   : NULL;
	char text[640], day[11];

	if (!k)
		return;
	(void)snprintf(text, sizeof text,
	    "its certificate is valid to %s: mail of a partner who still encrypts to it is refused from now on",
	    cert_day(k->f.not_after, day));
	judge_call_add(warnings, judge_call_text(text));
	judge_cert_drop(k);
}

static int check(
    struct judge_call *c, const struct store_identity *list, size_t n, const struct store_identity *i, bool force)
{
	const struct store_identity *next = other(c, list, n, i);
	int used = force || i->retired ? 0 : is_used(c, list, n, i, next);

	return used > 0 ? refuse_used(c, i, next) : used;
}

/* The second half. Not done is no failure: the key is out of use already. */
static int forget(struct judge_call *c, const char *key_id, json_t *warnings)
{
	struct problem pr = {0};
	char text[640];
	bool done;

	if (!c->ja->keys)
		(void)problem_temp(&pr, "the keeper cannot be reached now");
	done = c->ja->keys && keys_forget(c->ja->keys, key_id, &pr) == 0;
	if (done && store_identity_forget(c->store, key_id, c->who, c->pr) < 0)
		return -1;
	judge_call_set(c->data, "forgotten", json_boolean(done));
	if (done)
		return 0;
	log_warn(NULL, "judge", "not-forgotten key=%s why=\"%s\"", key_id, pr.text);
	(void)snprintf(text, sizeof text,
	    "the key is used no more, but its file is still there (%.300s): it is removed as soon as the keeper can "
	    "be asked",
	    pr.text);
	judge_call_add(warnings, judge_call_text(text));
	return 0;
}

static int retire(struct judge_call *c, const struct store_identity *list, size_t n, const char *key_id, bool force)
{
	const struct store_identity *i = NULL;
	json_t *warnings = judge_call_array();

	judge_call_set(c->data, "warnings", warnings);
	for (size_t k = 0; k < n; k++)
		if (strcmp(list[k].key_id, key_id) == 0)
			i = &list[k];
	if (!i)
		return judge_call_fail(
		    c, "not-found", "no key of ours is called \"%.80s\": postern domain list shows them", key_id);
	if (check(c, list, n, i, force) < 0 || store_identity_retire(c->store, key_id, c->now, c->who, c->pr) < 0)
		return -1;
	judge_call_set(c->data, "key_id", judge_call_text(key_id));
	judge_call_set(c->data, "domain", judge_call_text(i->domain));
	judge_call_set(c->data, "use", judge_call_text(store_use_word(i->use)));
	warn_valid(c, i, warnings);
	return forget(c, key_id, warnings);
}

int judge_admin_retire(struct judge_call *c)
{
	struct store_identity *list;
	const char *key;
	size_t n;
	bool force;
	int rc;

	if (judge_call_str(c, "key", JUDGE_MUST, 200, &key) < 0 || judge_call_bool(c, "force", false, &force) < 0 ||
	    judge_own_unchanged(c) < 0 || store_identities(c->store, NULL, &list, &n, c->pr) < 0)
		return -1;
	rc = retire(c, list, n, key, force);
	store_identities_free(list, n);
	return rc;
}

void judge_admin_retire_rest(struct store *s, struct judge_cache *cache, struct keys_client *keys)
{
	const struct store_identity *list;
	struct problem pr = {0};
	static char last[KEYS_ID_MAX + 1];
	char key_id[KEYS_ID_MAX + 1] = "", first[KEYS_ID_MAX + 1] = "";
	size_t n;

	judge_cache_begin(cache, s);
	if (!keys || judge_cache_identities(cache, s, &list, &n, &pr) < 0)
		return;
	/* one a minute: the list does not outlive the change; each in its turn, so that one whose file cannot be
	 * removed keeps no other from going */
	for (size_t i = 0; i < n; i++) {
		if (!list[i].retired)
			continue;
		if (!first[0] || strcmp(list[i].key_id, first) < 0)
			(void)snprintf(first, sizeof first, "%s", list[i].key_id);
		if (strcmp(list[i].key_id, last) > 0 && (!key_id[0] || strcmp(list[i].key_id, key_id) < 0))
			(void)snprintf(key_id, sizeof key_id, "%s", list[i].key_id);
	}
	if (!key_id[0])
		memcpy(key_id, first, sizeof key_id);
	memcpy(last, key_id, sizeof last);
	if (!key_id[0])
		return;
	if (keys_forget(keys, key_id, &pr) < 0 || store_identity_forget(s, key_id, "judge", &pr) < 0)
		log_warn(NULL, "judge", "not-forgotten key=%s why=\"%s\"", key_id, pr.text);
	else
		log_info(NULL, "judge", "forgotten key=%s", key_id);
}
