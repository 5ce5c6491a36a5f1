/* anchor.*: role judge; reads and writes the store. An anchor may be an intermediate or the partner's own certificate
 * as well as a root. */
#include "gateway/proc/judge_admin_anchor.h"

#include <stdio.h>
#include <string.h>

#include "gateway/proc/judge_upload.h"

struct adding {
	const char *scope, *local;
	enum store_direction dir;
	bool force;
};

json_t *judge_admin_anchor_row(X509 *x, const struct store_anchor *a, int64_t now)
{
	json_t *o = x ? judge_call_facts(x, now) : judge_call_object();

	judge_call_set(o, "scope", judge_call_text(a->scope));
	judge_call_set(o, "direction", judge_call_text(store_direction_word(a->dir)));
	judge_call_set(o, "local", judge_call_text(a->local ? a->local : ""));
	judge_call_set(o, "bundle", a->bundle ? json_integer(a->bundle) : json_null());
	judge_call_set(o, "added", judge_call_time(a->added));
	return o;
}

/* A weak key or a past date makes every path end there fail: such an anchor believes nothing. Its own signature does
 * not count: nobody checks it. */
static int check_one(struct judge_call *c, X509 *x, bool force, json_t *warnings)
{
	struct cert_facts f;
	char words[300], day[11], text[640] = "";

	cert_facts(x, &f);
	(void)cert_words(&f, words, sizeof words);
	if (c->now >= f.not_after)
		(void)snprintf(text, sizeof text, "certificate %s ran out on %s: nothing would be believed by it",
		    words, cert_day(f.not_after, day));
	else if (f.weak && strstr(f.weak_why, " key "))
		(void)snprintf(text, sizeof text, "certificate %s is too weak: %s", words, f.weak_why);
	if (text[0] && !force)
		return judge_call_fail(c, "refused", "%.560s (it is taken all the same with --force)", text);
	if (text[0])
		judge_call_add(warnings, judge_call_text(text));
	if (!f.ca) {
		(void)snprintf(text, sizeof text,
		    "certificate %s belongs to no certification authority: it vouches for itself alone", words);
		judge_call_add(warnings, judge_call_text(text));
	}
	return 0;
}

static int store_one(struct judge_call *c, X509 *x, const struct adding *ad, json_t *added)
{
	struct store_anchor a = {.scope = (char *)(uintptr_t)ad->scope,
	    .local = (char *)(uintptr_t)ad->local,
	    .dir = ad->dir,
	    .added = c->now};
	struct cert_facts f;
	int rc;

	cert_facts(x, &f);
	memcpy(a.sha256, f.sha256, sizeof a.sha256);
	a.der = judge_upload_der(x, &a.der_len);
	rc = store_anchor_add(c->store, &a, c->who, c->pr);
	OPENSSL_free(a.der);
	judge_call_add(added, judge_admin_anchor_row(x, &a, c->now));
	return rc;
}

static int add_chosen(struct judge_call *c, const struct judge_upload *u, const struct adding *ad)
{
	json_t *warnings = judge_call_array(), *added = judge_call_array();
	int rc = 0;

	judge_call_set(c->data, "warnings", warnings);
	judge_call_set(c->data, "added", added);
	for (size_t i = 0; rc == 0 && i < u->n; i++)
		if (u->chosen[i])
			rc = check_one(c, u->list[i], ad->force, warnings);
	if (rc < 0 || store_begin(c->store, c->pr) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < u->n; i++) {
		if (!u->chosen[i])
			continue;
		rc = store_one(c, u->list[i], ad, added);
	}
	return store_end(c->store, rc, c->pr);
}

/* All of them together say what one does. */
static int check_match(struct judge_call *c)
{
	json_t *a = NULL;
	int rc;

	if (!json_object_get(c->args, "if_match"))
		return 0;
	rc = judge_admin_anchor_rows(c, NULL, &a);
	if (rc == 0)
		rc = judge_call_unchanged(c, a, "the anchors were");
	json_decref(a);
	return rc;
}

int judge_admin_anchor_add(struct judge_call *c)
{
	char scope[ADDRESS_DOMAIN_MAX + 1], local[ADDRESS_DOMAIN_MAX + 1];
	struct adding ad = {.scope = scope, .local = local};
	struct judge_upload u = {.n = 0};
	int rc;

	if (judge_call_scope(c, "scope", JUDGE_MUST, scope) < 0 || judge_call_local(c, "local", local) < 0 ||
	    judge_call_direction(c, &ad.dir) < 0 || judge_call_bool(c, "force", false, &ad.force) < 0)
		return -1;
	if (check_match(c) < 0)
		return -1;
	rc = judge_upload_read(c, "content", &u);
	if (rc == 0)
		rc = judge_upload_choose(c, JUDGE_MAY, &u);
	if (rc == 0)
		rc = add_chosen(c, &u, &ad);
	judge_upload_clear(&u);
	return rc;
}

int judge_admin_anchor_rows(struct judge_call *c, const char *scope, json_t **array_r)
{
	struct store_anchor *list;
	size_t n;

	if (store_anchors(c->store, scope, &list, &n, c->pr) < 0)
		return -1;
	*array_r = judge_call_array();
	for (size_t i = 0; i < n; i++) {
		X509 *x = cert_parse(list[i].der, list[i].der_len, NULL);

		judge_call_add(*array_r, judge_admin_anchor_row(x, &list[i], c->now));
		X509_free(x);
	}
	store_anchors_free(list, n);
	return 0;
}

int judge_admin_anchor_list(struct judge_call *c)
{
	char scope[ADDRESS_DOMAIN_MAX + 1];
	char revision[33];
	json_t *a;

	if (judge_call_scope(c, "scope", JUDGE_MAY, scope) < 0 ||
	    judge_admin_anchor_rows(c, scope[0] ? scope : NULL, &a) < 0)
		return -1;
	if (!scope[0]) { /* that of some would not say whether the others changed */
		judge_call_revision(a, revision);
		judge_call_set(c->data, "revision", judge_call_text(revision));
	}
	judge_call_set(c->data, "anchors", a);
	return 0;
}

static int complete(struct judge_call *c, const char *scope, const char *local, char sha256[CERT_HASH_TEXT])
{
	struct store_anchor *list;
	char whole[CERT_HASH_TEXT] = "";
	char elsewhere[ADDRESS_DOMAIN_MAX + 1] = "*";
	size_t n, found = 0, bundled = 0;

	if (store_anchors(c->store, scope, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].scope, scope) == 0 && strcmp(list[i].local, local) == 0 &&
		    strncmp(list[i].sha256, sha256, strlen(sha256)) == 0) {
			found += list[i].bundle == 0;
			bundled += list[i].bundle != 0;
			memcpy(whole, list[i].sha256, sizeof whole);
		} else if (strcmp(list[i].scope, scope) == 0 && !list[i].bundle &&
			   strncmp(list[i].sha256, sha256, strlen(sha256)) == 0) {
			(void)snprintf(elsewhere, sizeof elsewhere, "%s", list[i].local);
		}
	store_anchors_free(list, n);
	if (found == 0 && bundled > 0)
		return judge_call_fail(c, "refused",
		    "the anchor %.16s... for %s came with a bundle and goes with it: postern bundle list", whole,
		    scope);
	if (found == 0 && elsewhere[0] == '\0')
		return judge_call_fail(c, "not-found",
		    "the anchor %s for %s counts for the mail of all our domains: leave --local out", sha256, scope);
	if (found == 0 && strcmp(elsewhere, "*") != 0)
		return judge_call_fail(c, "not-found",
		    "the anchor %s for %s counts for the mail of %s alone: give --local %s", sha256, scope, elsewhere,
		    elsewhere);
	if (found != 1)
		return judge_call_fail(c, "not-found", "there is %s anchor for %s whose fingerprint begins with %s",
		    found ? "more than one" : "no", scope, sha256);
	memcpy(sha256, whole, sizeof whole);
	return 0;
}

int judge_admin_anchor_remove(struct judge_call *c)
{
	char scope[ADDRESS_DOMAIN_MAX + 1], local[ADDRESS_DOMAIN_MAX + 1], sha256[CERT_HASH_TEXT];
	const char *text;

	if (judge_call_scope(c, "scope", JUDGE_MUST, scope) < 0 ||
	    judge_call_str(c, "sha256", JUDGE_MUST, 200, &text) < 0 || judge_call_local(c, "local", local) < 0 ||
	    judge_call_fingerprint(c, text, sha256) < 0 || check_match(c) < 0 ||
	    complete(c, scope, local, sha256) < 0 ||
	    store_anchor_remove(c->store, scope, local, sha256, c->who, c->pr) < 0)
		return -1;
	judge_call_set(c->data, "scope", judge_call_text(scope));
	judge_call_set(c->data, "sha256", judge_call_text(sha256));
	return 0;
}
