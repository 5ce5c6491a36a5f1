/* cert.*: role judge; reads and writes the store. */
#include "gateway/proc/judge_admin_cert.h"

#include <stdio.h>
#include <string.h>

#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_import.h"
#include "gateway/proc/judge_upload.h"
#include "gateway/proc/judge_believed.h"
#include "gateway/proc/judge_weigh.h"

static const char *const grades[] = {
    [JUDGE_IMPORT_GOOD] = "good", [JUDGE_IMPORT_FORCE] = "force", [JUDGE_IMPORT_NEVER] = "never"};

static json_t *preview(struct judge_call *c, X509 *x, const struct address *who)
{
	json_t *o = judge_call_facts(x, c->now);
	struct judge_import im;
	struct cert_facts f;
	char owner[ADDRESS_TEXT_MAX];

	cert_facts(x, &f);
	judge_import_owner(&f, owner);
	judge_import_check(x, who, true, c->now, &im);
	judge_call_set(o, "grade", judge_call_text(grades[im.grade]));
	judge_call_set(o, "reason", judge_call_text(im.reason));
	judge_call_set(o, "warnings", im.warnings);
	judge_call_set(o, "owner", judge_call_text(owner));
	return o;
}

int judge_admin_cert_preview(struct judge_call *c)
{
	char owner[ADDRESS_TEXT_MAX];
	struct judge_upload u = {.n = 0};
	struct address who;
	json_t *a;

	if (judge_call_owner(c, "owner", JUDGE_MAY, owner, &who) < 0 || judge_upload_read(c, "content", &u) < 0)
		return -1;
	a = judge_call_array();
	for (size_t i = 0; i < u.n; i++)
		judge_call_add(a, preview(c, u.list[i], &who));
	judge_call_set(c->data, "certificates", a);
	judge_upload_clear(&u);
	return 0;
}

struct import {
	const char *owner;
	struct address who;
	bool pinned, force;
};

static int check_one(struct judge_call *c, X509 *x, const struct import *im, json_t *warnings)
{
	struct judge_import r;
	int rc = 0;

	judge_import_check(x, &im->who, im->pinned, c->now, &r);
	if (r.grade == JUDGE_IMPORT_NEVER)
		rc = judge_call_fail(c, "refused", "%s", r.reason);
	else if (r.grade == JUDGE_IMPORT_FORCE && !im->force)
		rc = judge_call_fail(c, "refused", "%.560s (it is taken all the same with --force)", r.reason);
	else if (r.grade == JUDGE_IMPORT_FORCE)
		judge_call_add(warnings, judge_call_text(r.reason));
	if (rc == 0 && json_array_extend(warnings, r.warnings) != 0)
		rc = -1;
	json_decref(r.warnings);
	return rc;
}

static int store_one(struct judge_call *c, X509 *x, const struct import *im)
{
	struct store_cert sc = {.owner = (char *)(uintptr_t)im->owner, .pinned = im->pinned, .added = c->now};
	struct cert_facts f;
	int rc;

	cert_facts(x, &f);
	memcpy(sc.sha256, f.sha256, sizeof sc.sha256);
	sc.not_after = f.not_after;
	sc.source = (char *)(uintptr_t)(im->pinned ? "pinned" : "admin");
	sc.der = judge_upload_der(x, &sc.der_len);
	rc = store_cert_add(c->store, &sc, c->who, c->pr);
	OPENSSL_free(sc.der);
	return rc;
}

/* All or none: one that is refused stops the import before anything is stored. */
static int import_chosen(struct judge_call *c, const struct judge_upload *u, const struct import *im)
{
	json_t *warnings = judge_call_array(), *imported = judge_call_array();
	int rc = 0;

	judge_call_set(c->data, "warnings", warnings);
	judge_call_set(c->data, "imported", imported);
	for (size_t i = 0; rc == 0 && i < u->n; i++)
		if (u->chosen[i])
			rc = check_one(c, u->list[i], im, warnings);
	if (rc < 0 || store_begin(c->store, c->pr) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < u->n; i++) {
		if (!u->chosen[i])
			continue;
		rc = store_one(c, u->list[i], im);
		judge_call_add(imported, judge_call_facts(u->list[i], c->now));
	}
	return store_end(c->store, rc, c->pr);
}

int judge_admin_cert_import(struct judge_call *c)
{
	char owner[ADDRESS_TEXT_MAX];
	struct import im = {.owner = owner};
	struct judge_upload u = {.n = 0};
	struct store_partner *p = NULL;
	int rc;

	if (judge_call_owner(c, "owner", JUDGE_MUST, owner, &im.who) < 0 ||
	    judge_call_bool(c, "pinned", true, &im.pinned) < 0 || judge_call_bool(c, "force", false, &im.force) < 0)
		return -1;
	if (judge_world_domain(c->ja->world, im.who.domain) >= 0)
		return judge_call_fail(c, "refused",
		    "%s is a domain of ours: its certificates come with \"postern domain\"", im.who.domain);
	rc = judge_upload_read(c, "content", &u);
	if (rc == 0)
		rc = judge_upload_choose(c, JUDGE_MUST, &u);
	if (rc == 0)
		rc = import_chosen(c, &u, &im);
	judge_upload_clear(&u);
	if (rc < 0 || store_partner_get(c->store, owner, &p, c->pr) < 0)
		return -1;
	judge_call_set(c->data, "owner", judge_call_text(owner));
	judge_call_set(c->data, "listed", json_boolean(p != NULL));
	if (p)
		store_partners_free(p, 1);
	return 0;
}

/* What the certificate is good for at present, in one direction. */
static json_t *standing(
    struct judge_call *c, const struct judge_cert *k, const struct store_cert *sc, enum cert_purpose use)
{
	struct address who = {.local = ""};
	struct judge_weighing q = {.run = c->run,
	    .who = &who,
	    .use = use,
	    .dir = use == CERT_TO_ENCRYPT ? STORE_OUT : STORE_IN,
	    .pinned = sc->pinned,
	    .now = c->now};
	enum trust_result result = TRUST_BAD;
	const char *at = strchr(sc->owner, '@');
	char why[600];
	json_t *o = judge_call_object();

	if (!at)
		(void)snprintf(who.domain, sizeof who.domain, "%.255s", sc->owner);
	else if (address_parse(sc->owner, strlen(sc->owner), &who, NULL) < 0)
		who = (struct address){.local = ""};
	if (judge_weigh(c->ja->world->cache, c->store, k, &q, &result, why, sizeof why, c->pr) < 0)
		(void)snprintf(why, sizeof why, "%.599s", c->pr->text);
	judge_call_set(o, "usable", json_boolean(result == TRUST_GOOD));
	judge_call_set(o, "why", judge_call_text(why));
	return o;
}

json_t *judge_admin_cert_row(struct judge_call *c, const struct store_cert *sc)
{
	struct judge_cert *k = judge_cache_cert(c->ja->world->cache, sc->der, sc->der_len, NULL);
	json_t *o = k ? judge_call_facts(k->x, c->now) : judge_call_object();

	if (!k)
		judge_call_set(o, "sha256", judge_call_text(sc->sha256));
	judge_call_set(o, "owner", judge_call_text(sc->owner));
	judge_call_set(o, "pinned", json_boolean(sc->pinned));
	judge_call_set(o, "source", judge_call_text(sc->source));
	judge_call_set(o, "added", judge_call_time(sc->added));
	if (k) {
		judge_call_set(o, "encrypt", standing(c, k, sc, CERT_TO_ENCRYPT));
		judge_call_set(o, "sign", standing(c, k, sc, CERT_TO_SIGN));
	}
	judge_cert_drop(k);
	return o;
}

int judge_admin_cert_rows(struct judge_call *c, const char *owner, json_t **array_r)
{
	struct store_cert *list;
	size_t n;

	if (store_certs(c->store, owner, &list, &n, c->pr) < 0)
		return -1;
	*array_r = judge_call_array();
	for (size_t i = 0; i < n; i++)
		judge_call_add(*array_r, judge_admin_cert_row(c, &list[i]));
	store_certs_free(list, n);
	return 0;
}

/* Everybody's, a page at a time: the reply to an admin has a maximum. */
static int list_page(struct judge_call *c)
{
	struct store_cert *list;
	int64_t after, max;
	json_t *a;
	size_t n, most;

	if (judge_call_int(c, "after", 0, INT64_MAX, 0, &after) < 0 ||
	    judge_call_int(c, "max", 1, 5000, 2000, &max) < 0)
		return -1;
	most = (size_t)max;
	if (store_certs_page(c->store, after, most + 1, &list, &n, c->pr) < 0)
		return -1;
	a = judge_call_array();
	for (size_t i = 0; i < n && i < most; i++)
		judge_call_add(a, judge_admin_cert_row(c, &list[i]));
	judge_call_set(c->data, "certificates", a);
	judge_call_set(c->data, "more", json_boolean(n > most));
	judge_call_set(c->data, "next", json_integer(n > most ? list[most - 1].id : 0));
	store_certs_free(list, n);
	return 0;
}

/* Certificates that wait for the admin; of everybody with the first page. */
static int list_waiting(struct judge_call *c, const char *owner)
{
	struct store_waiting *list;
	json_t *a;
	size_t n;

	if (store_believed_waiting(c->store, owner, &list, &n, c->pr) < 0)
		return -1;
	a = judge_call_array();
	for (size_t i = 0; i < n; i++) {
		const struct store_believed *b = &list[i].b;
		json_t *o = judge_call_object();

		judge_call_set(o, "owner", judge_call_text(list[i].owner));
		judge_call_set(o, "local", judge_call_text(list[i].local));
		judge_call_set(o, "sha256", judge_call_text(b->waiting));
		judge_call_set(o, "by", judge_call_text(trust_change_words((enum trust_reason)b->waiting_reason)));
		judge_call_set(o, "since", judge_call_time(b->waiting_at));
		judge_call_set(o, "known", judge_call_text(b->sha256));
		judge_call_set(o, "known_by", judge_call_text(trust_change_words((enum trust_reason)b->reason)));
		judge_call_add(a, o);
	}
	judge_call_set(c->data, "waiting", a);
	store_waiting_free(list, n);
	return 0;
}

int judge_admin_cert_list(struct judge_call *c)
{
	char owner[ADDRESS_TEXT_MAX];
	int64_t after;
	json_t *a;

	if (judge_call_owner(c, "owner", JUDGE_MAY, owner, NULL) < 0 ||
	    judge_call_int(c, "after", 0, INT64_MAX, 0, &after) < 0)
		return -1;
	if (after == 0 && list_waiting(c, owner[0] ? owner : NULL) < 0)
		return -1;
	if (!owner[0])
		return list_page(c);
	if (judge_admin_cert_rows(c, owner, &a) < 0)
		return -1;
	judge_call_set(c->data, "certificates", a);
	judge_call_set(c->data, "more", json_false());
	return 0;
}

/* The owner's one certificate whose fingerprint begins so. */
static int complete(struct judge_call *c, const char *owner, char sha256[CERT_HASH_TEXT])
{
	struct store_cert *list;
	char whole[CERT_HASH_TEXT] = "";
	size_t n, found = 0;

	if (store_certs(c->store, owner, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strncmp(list[i].sha256, sha256, strlen(sha256)) == 0) {
			found++;
			memcpy(whole, list[i].sha256, sizeof whole);
		}
	store_certs_free(list, n);
	if (found != 1)
		return judge_call_fail(c, "not-found", "%s has %s certificate whose fingerprint begins with %s",
		    owner, found ? "more than one" : "no", sha256);
	memcpy(sha256, whole, sizeof whole);
	return 0;
}

int judge_admin_cert_remove(struct judge_call *c)
{
	char owner[ADDRESS_TEXT_MAX], sha256[CERT_HASH_TEXT];
	const char *text;

	if (judge_call_owner(c, "owner", JUDGE_MUST, owner, NULL) < 0 ||
	    judge_call_str(c, "sha256", JUDGE_MUST, 200, &text) < 0 || judge_call_fingerprint(c, text, sha256) < 0 ||
	    complete(c, owner, sha256) < 0 || store_cert_remove(c->store, owner, sha256, c->who, c->pr) < 0)
		return -1;
	judge_call_set(c->data, "owner", judge_call_text(owner));
	judge_call_set(c->data, "sha256", judge_call_text(sha256));
	return 0;
}

int judge_admin_cert_accept(struct judge_call *c)
{
	char owner[ADDRESS_TEXT_MAX], local[ADDRESS_DOMAIN_MAX + 1], sha256[CERT_HASH_TEXT], whole[CERT_HASH_TEXT];
	const char *text;

	if (judge_call_owner(c, "owner", JUDGE_MUST, owner, NULL) < 0 || judge_call_local(c, "local", local) < 0 ||
	    judge_call_str(c, "sha256", JUDGE_MUST, 200, &text) < 0 || judge_call_compared(c, text, sha256) < 0)
		return -1;
	if (judge_believed_accept(c->store, owner, local, sha256, c->now, c->who, whole, c->pr) < 0) {
		c->code = c->pr->cls == PROBLEM_PERM ? "not-found" : NULL;
		return -1;
	}
	judge_call_set(c->data, "owner", judge_call_text(owner));
	judge_call_set(c->data, "sha256", judge_call_text(whole));
	return 0;
}
