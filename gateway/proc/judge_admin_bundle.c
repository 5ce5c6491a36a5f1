/* bundle.*: role judge; reads and writes the store, asks the network to refresh. */
#include "gateway/proc/judge_admin_bundle.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "certstore/source.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_anchor.h"
#include "gateway/proc/judge_bundle.h"
#include "gateway/proc/judge_chores.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_upload.h"

enum { EVERY_MIN = 300, EVERY_MAX = 30 * 86400, EVERY = 86400 };

static json_t *row(const struct store_bundle *b, int64_t now)
{
	json_t *o = judge_call_object();
	X509 *x = b->signer ? cert_parse(b->signer, b->signer_len, NULL) : NULL;

	judge_call_set(o, "url", judge_call_text(b->url));
	judge_call_set(o, "scope", judge_call_text(b->scope));
	judge_call_set(o, "direction", judge_call_text(store_direction_word(b->dir)));
	judge_call_set(o, "local", judge_call_text(b->local));
	judge_call_set(o, "every_s", json_integer(b->every));
	judge_call_set(o, "signer", x ? judge_call_facts(x, now) : json_null());
	judge_call_set(o, "added", judge_call_time(b->added));
	judge_call_set(o, "tried", judge_call_time(b->tried));
	judge_call_set(o, "taken", judge_call_time(b->taken));
	judge_call_set(o, "trouble", judge_call_text(b->trouble ? b->trouble : ""));
	judge_call_set(o, "since", judge_call_time(b->since));
	judge_call_set(o, "fetching", judge_call_time(judge_bundle_fetching(b->id)));
	judge_call_set(o, "difference", judge_call_text(b->difference ? b->difference : ""));
	X509_free(x);
	return o;
}

static int url_arg(struct judge_call *c, const char **url_r)
{
	struct source_ask ask = {
	    .kind = SOURCE_HTTP, .chosen = SOURCE_BY_ADMIN, .max = CERT_FILE_MAX, .timeout_ms = 1000};
	char why[200];

	if (judge_call_str(c, "url", JUDGE_MUST, SOURCE_NAME_MAX, url_r) < 0)
		return -1;
	(void)snprintf(ask.name, sizeof ask.name, "%s", *url_r);
	if ((strncasecmp(*url_r, "http://", 7) == 0 || strncasecmp(*url_r, "https://", 8) == 0) &&
	    source_ask_check(&ask, why, sizeof why) == 0)
		return 0;
	return judge_call_fail(c, "usage", "argument \"url\" must be an http or https URL");
}

/* The one with this URL, taken out of the list. 0 / -1. */
static int find(struct judge_call *c, const char *url, struct store_bundle **list_r, size_t *n_r, size_t *at_r)
{
	if (store_bundles(c->store, list_r, n_r, c->pr) < 0)
		return -1;
	for (*at_r = 0; *at_r < *n_r; (*at_r)++)
		if (strcmp((*list_r)[*at_r].url, url) == 0)
			return 0;
	store_bundles_free(*list_r, *n_r);
	return judge_call_fail(c, "not-found", "there is no bundle %.300s: postern bundle list", url);
}

static int put(struct judge_call *c, struct store_bundle *b, struct judge_upload *u)
{
	int rc;

	if (u->n > 1)
		return judge_call_fail(c, "usage", "argument \"signer\" must be one certificate, not %zu", u->n);
	if (u->n == 1)
		b->signer = judge_upload_der(u->list[0], &b->signer_len);
	rc = store_bundle_put(c->store, b, c->who, c->pr);
	if (rc == 0)
		judge_call_set(c->data, "bundle", row(b, c->now));
	OPENSSL_free(b->signer);
	return rc;
}

static json_t *rows(struct judge_call *c)
{
	struct store_bundle *list;
	json_t *a;
	size_t n;

	if (store_bundles(c->store, &list, &n, c->pr) < 0)
		return NULL;
	a = judge_call_array();
	for (size_t i = 0; i < n; i++)
		judge_call_add(a, row(&list[i], c->now));
	store_bundles_free(list, n);
	return a;
}

static int check_match(struct judge_call *c)
{
	json_t *a = json_object_get(c->args, "if_match") ? rows(c) : NULL;
	int rc = a ? judge_call_unchanged(c, a, "the bundles were") : json_object_get(c->args, "if_match") ? -1 : 0;

	json_decref(a);
	return rc;
}

int judge_admin_bundle_add(struct judge_call *c)
{
	char scope[ADDRESS_DOMAIN_MAX + 1], local[ADDRESS_DOMAIN_MAX + 1];
	struct store_bundle b = {.scope = scope, .local = local, .added = c->now};
	struct judge_upload u = {.n = 0};
	json_t *signer = json_object_get(c->args, "signer");
	const char *url;
	int rc = 0;

	if (url_arg(c, &url) < 0 || judge_call_scope(c, "scope", JUDGE_MUST, scope) < 0 ||
	    judge_call_local(c, "local", local) < 0 || judge_call_direction(c, &b.dir) < 0 ||
	    judge_call_int(c, "every", EVERY_MIN, EVERY_MAX, EVERY, &b.every) < 0)
		return -1;
	if (check_match(c) < 0)
		return -1;
	b.url = (char *)(uintptr_t)url;
	if (signer && !json_is_null(signer))
		rc = judge_upload_read(c, "signer", &u);
	if (rc == 0)
		rc = put(c, &b, &u);
	if (rc == 0)
		judge_chores_now();
	judge_upload_clear(&u);
	return rc;
}

int judge_admin_bundle_list(struct judge_call *c)
{
	json_t *a = rows(c);
	char revision[33];

	if (!a)
		return -1;
	judge_call_revision(a, revision);
	judge_call_set(c->data, "bundles", a);
	judge_call_set(c->data, "revision", judge_call_text(revision));
	return 0;
}

static int tell_anchors(struct judge_call *c, int64_t id)
{
	json_t *all, *own = judge_call_array(), *o;
	size_t i;

	judge_call_set(c->data, "anchors", own);
	if (judge_admin_anchor_rows(c, NULL, &all) < 0)
		return -1;
	json_array_foreach(all, i, o) if (json_integer_value(json_object_get(o, "bundle")) == id)
	    judge_call_add(own, json_incref(o));
	json_decref(all);
	return 0;
}

int judge_admin_bundle_show(struct judge_call *c)
{
	struct store_bundle *list;
	const char *url;
	size_t n, at;
	int rc;

	if (url_arg(c, &url) < 0 || find(c, url, &list, &n, &at) < 0)
		return -1;
	judge_call_set(c->data, "bundle", row(&list[at], c->now));
	rc = tell_anchors(c, list[at].id);
	store_bundles_free(list, n);
	return rc;
}

int judge_admin_bundle_refresh(struct judge_call *c)
{
	unsigned drop_max = judge_cache_believing(c->ja->world->cache)->bundle_drop_max;
	struct store_bundle *list;
	const char *url;
	size_t n, at;
	bool force, wait;
	int rc;

	if (url_arg(c, &url) < 0 || judge_call_bool(c, "force", false, &force) < 0 ||
	    judge_call_bool(c, "wait", true, &wait) < 0 || find(c, url, &list, &n, &at) < 0)
		return -1;
	if (!wait) {
		rc = judge_bundle_ask(list[at].id, force, c->now, c->who);
		judge_chores_now();
		if (rc < 0)
			rc = judge_call_fail(c, "unavailable", "%d bundles are being fetched: try again in a minute",
			    JUDGE_BUNDLE_ASKED);
	} else
		rc = judge_bundle_refresh(c->store, c->run, &list[at], drop_max, force, c->now, c->who, c->pr);
	judge_call_set(c->data, "bundle", row(&list[at], c->now));
	store_bundles_free(list, n);
	return rc;
}

int judge_admin_bundle_remove(struct judge_call *c)
{
	const char *url;

	if (url_arg(c, &url) < 0 || check_match(c) < 0)
		return -1;
	if (store_bundle_remove(c->store, url, c->who, c->pr) < 0) {
		c->code = c->pr->cls == PROBLEM_PERM ? "not-found" : NULL;
		return -1;
	}
	judge_call_set(c->data, "url", judge_call_text(url));
	return 0;
}
