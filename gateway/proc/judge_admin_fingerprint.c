/* cert.show FINGERPRINT: role judge; reads the store. */
#include "gateway/proc/judge_admin_fingerprint.h"

#include <string.h>

#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_anchor.h"
#include "gateway/proc/judge_admin_cert.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_own.h"

enum { SHOWN = 50 };

static bool begins(const char *whole, const char *sha256)
{
	return strncmp(whole, sha256, strlen(sha256)) == 0;
}

static void add(struct judge_call *c, json_t *rows, json_t *row, const char *place, const void *der, size_t n)
{
	const char *sha256 = json_string_value(json_object_get(row, "sha256"));
	const struct store_revoked *list;
	struct problem pr = {0};
	size_t nlist;

	judge_call_set(row, "place", judge_call_text(place));
	judge_call_set(row, "pem", judge_call_pem("CERTIFICATE", der, n));
	if (sha256 && judge_cache_revoked(c->ja->world->cache, c->store, &list, &nlist, &pr) == 0)
		for (size_t i = 0; i < nlist; i++)
			if (strcmp(list[i].sha256, sha256) == 0)
				judge_call_set(row, "revoked", judge_call_text(list[i].words));
	if (json_array_size(rows) < SHOWN)
		judge_call_add(rows, row);
	else
		json_decref(row);
}

static int partners(struct judge_call *c, const char *sha256, json_t *rows)
{
	struct store_cert *list;
	size_t n;

	if (store_certs_named(c->store, sha256, SHOWN, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		add(c, rows, judge_admin_cert_row(c, &list[i]), "partner", list[i].der, list[i].der_len);
	store_certs_free(list, n);
	return 0;
}

static int anchors(struct judge_call *c, const char *sha256, json_t *rows)
{
	struct store_anchor *list;
	size_t n;

	if (store_anchors(c->store, NULL, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		X509 *x;

		if (!begins(list[i].sha256, sha256))
			continue;
		x = cert_parse(list[i].der, list[i].der_len, NULL);
		add(c, rows, judge_admin_anchor_row(x, &list[i], c->now), list[i].bundle ? "bundle" : "anchor",
		    list[i].der, list[i].der_len);
		X509_free(x);
	}
	store_anchors_free(list, n);
	return 0;
}

/* Their facts stand a level deeper in domain.list. */
static json_t *own_row(struct judge_call *c, const struct store_identity *i)
{
	json_t *o = judge_own_row(c, i), *facts = json_object_get(o, "certificate");

	if (json_is_object(facts) && json_object_update_missing(o, facts) == 0)
		(void)json_object_del(o, "certificate");
	return o;
}

static int ours(struct judge_call *c, const char *sha256, json_t *rows)
{
	struct store_identity *list;
	size_t n;

	if (store_identities(c->store, NULL, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct judge_cert *k =
		    list[i].cert ? judge_cache_cert(c->ja->world->cache, list[i].cert, list[i].cert_len, NULL) : NULL;

		if (k && begins(k->f.sha256, sha256))
			add(c, rows, own_row(c, &list[i]), "ours", list[i].cert, list[i].cert_len);
		judge_cert_drop(k);
	}
	store_identities_free(list, n);
	return 0;
}

int judge_admin_fingerprint(struct judge_call *c, const char *sha256)
{
	json_t *rows = judge_call_array();

	judge_call_set(c->data, "certificates", rows);
	judge_call_set(c->data, "fingerprint", judge_call_text(sha256));
	if (partners(c, sha256, rows) < 0 || anchors(c, sha256, rows) < 0 || ours(c, sha256, rows) < 0)
		return -1;
	if (json_array_size(rows) > 0)
		return 0;
	return judge_call_fail(c, "not-found",
	    "no certificate in the store has a fingerprint that begins with %s; what the network has for a partner "
	    "shows: postern cert show DOMAIN or ADDRESS",
	    sha256);
}
