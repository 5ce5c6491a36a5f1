/* partner.*: role judge; reads and writes the store. */
#include "gateway/proc/judge_admin_partner.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_anchor.h"
#include "gateway/proc/judge_admin_cert.h"
#include "gateway/proc/judge_admin_pending.h"
#include "gateway/proc/judge_admin_statement.h"
#include "gateway/proc/judge_find.h"
#include "gateway/proc/judge_format.h"

json_t *judge_admin_partner_entry(const struct store_partner *p)
{
	json_t *o = judge_call_object();

	judge_call_set(o, "domain", judge_call_text(p->domain));
	judge_call_set(o, "treatment", judge_call_text(p->treatment));
	judge_call_set(o, "strength", judge_call_text(p->strength));
	judge_call_set(o, "note", judge_call_text(p->note ? p->note : ""));
	judge_call_set(o, "format", judge_call_text(p->format ? p->format : ""));
	judge_call_set(o, "find", judge_call_text(p->find ? p->find : ""));
	judge_call_set(o, "group", judge_call_text(p->group ? p->group : ""));
	judge_call_set(o, "added", judge_call_time(p->added));
	judge_call_set(o, "seen_protected", judge_call_time(p->seen_protected));
	return o;
}

/* What partner.set can change. */
static json_t *guarded(const struct store_partner *p)
{
	json_t *o = p ? judge_admin_partner_entry(p) : judge_call_object();

	(void)json_object_del(o, "seen_protected");
	return o;
}

static void revision(const struct store_partner *p, char out[33])
{
	json_t *o = guarded(p);

	judge_call_revision(o, out);
	json_decref(o);
}

/* Somebody else changed it since it was looked at. */
static int check_match(struct judge_call *c, const char *domain, const struct store_partner *old)
{
	json_t *o = guarded(old);
	char what[300];
	int rc;

	(void)snprintf(what, sizeof what, "%.255s was", domain);
	rc = judge_call_unchanged(c, o, what);
	json_decref(o);
	return rc;
}

/* Mail to our own domains never leaves: an entry for one would never count. */
static int not_ours(struct judge_call *c, const struct address *a)
{
	if (judge_world_domain(c->ja->world, a->domain) < 0)
		return 0;
	return judge_call_fail(c, "refused", "%s is a domain of ours, not a partner", a->domain);
}

/* In the one form in which it is kept; what is below the floor would only ever be refused later. */
static int read_format(
    struct judge_call *c, const char *domain, const struct store_partner *old, char text[FORMAT_TEXT_MAX])
{
	struct format f = c->ja->world->format;
	const char *given;
	unsigned which;

	if (judge_call_str(c, "format", JUDGE_MAY, 400, &given) < 0)
		return -1;
	(void)snprintf(text, FORMAT_TEXT_MAX, "%s", old ? old->format : "");
	if (!given)
		return 0;
	if (format_read(given, &f, &which, c->pr) < 0 || format_fits(&f, which, c->pr) < 0 ||
	    (which & FORMAT_GIVEN(FORMAT_CIPHER) && judge_format_floor(c->ja->world, &f, domain, c->pr) < 0)) {
		c->code = "usage";
		return -1;
	}
	format_print(&f, which, text);
	return 0;
}

static bool has_directory(const struct judge_world *w, const char *title)
{
	for (size_t i = 0; i < w->ndirectories; i++)
		if (strcmp(w->directories[i], title) == 0)
			return true;
	return false;
}

/* In the one form in which it is kept. */
static int read_find(struct judge_call *c, const struct store_partner *old, char text[FIND_TEXT_MAX])
{
	struct find_options f = c->ja->world->find;
	const char *given;
	unsigned which;

	if (judge_call_str(c, "find", JUDGE_MAY, FIND_TEXT_MAX - 1, &given) < 0)
		return -1;
	(void)snprintf(text, FIND_TEXT_MAX, "%s", old ? old->find : "");
	if (!given)
		return 0;
	if (find_options_read(given, &f, &which, c->pr) < 0) {
		c->code = "usage";
		return -1;
	}
	for (size_t i = 0; (which & FIND_GIVEN(FIND_OPT_DIRECTORY)) && i < f.ndirectories; i++)
		if (!has_directory(c->ja->world, f.directories[i]))
			return judge_call_fail(c, "usage",
			    "there is no section certificate-directory \"%s\" in postern.conf", f.directories[i]);
	find_options_print(&f, which, text);
	return 0;
}

static int read_entry(struct judge_call *c, const struct store_partner *old, struct judge_admin_entry *e)
{
	struct store_partner *p = &e->p;
	const char *treatment, *strength, *note;

	if (judge_call_treatment(c, old ? old->treatment : "seal", &treatment) < 0 ||
	    judge_call_strength(c, old ? old->strength : "require", &strength) < 0 ||
	    judge_call_str(c, "note", JUDGE_MAY, 400, &note) < 0 || read_format(c, e->domain, old, e->format) < 0 ||
	    read_find(c, old, e->find) < 0 || judge_call_group(c, "group", JUDGE_MAY, e->group) < 0)
		return -1;
	if (!note)
		note = old ? old->note : "";
	p->domain = e->domain;
	p->treatment = (char *)(uintptr_t)treatment;
	p->strength = (char *)(uintptr_t)strength;
	p->note = (char *)(uintptr_t)note;
	p->format = e->format;
	p->find = e->find;
	p->group = json_object_get(c->args, "group") || !old ? e->group : old->group;
	p->seen_protected = old ? old->seen_protected : 0;
	p->added = old ? old->added : c->now;
	return 0;
}

int judge_admin_partner_read(struct judge_call *c, struct judge_admin_entry *e_r, struct store_partner **old_r)
{
	struct address a;

	*old_r = NULL;
	memset(e_r, 0, sizeof *e_r);
	if (judge_call_owner(c, "domain", JUDGE_MUST, e_r->domain, &a) < 0 || not_ours(c, &a) < 0 ||
	    store_partner_get(c->store, e_r->domain, old_r, c->pr) < 0)
		return -1;
	return read_entry(c, *old_r, e_r);
}

static bool says_something(const struct judge_call *c)
{
	static const char *const names[] = {"treatment", "strength", "format", "find", "group", "note"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_object_get(c->args, names[i]))
			return true;
	return false;
}

/* What is listed and what is said of it, before its words are looked at. */
static int may_change(struct judge_call *c, const char *domain, const struct store_partner *old, bool listed)
{
	if (listed && !says_something(c))
		return judge_call_fail(c, "usage",
		    "nothing is said that could be changed: treatment, strength, format, find, group or note");
	if (listed && !old)
		return judge_call_fail(c, "not-found", "%s is not a listed partner: postern partner add", domain);
	return check_match(c, domain, old);
}

static int put(struct judge_call *c, const struct judge_admin_entry *e, const struct store_partner *old)
{
	if (store_partner_put(c->store, &e->p, c->who, c->pr) < 0)
		return -1;
	judge_call_set(c->data, "partner", judge_admin_partner_entry(&e->p));
	judge_call_set(c->data, "changed", json_boolean(old != NULL));
	return 0;
}

static int add_or_set(struct judge_call *c, bool listed)
{
	struct store_partner *old;
	struct judge_admin_entry e;
	int rc = judge_admin_partner_read(c, &e, &old);

	if (rc == 0)
		rc = may_change(c, e.domain, old, listed);
	if (rc == 0)
		rc = put(c, &e, old);
	if (old)
		store_partners_free(old, 1);
	return rc;
}

int judge_admin_partner_add(struct judge_call *c)
{
	return add_or_set(c, false);
}

int judge_admin_partner_set(struct judge_call *c)
{
	return add_or_set(c, true);
}

static const char *who_decided(const struct judge_format *f, unsigned bit)
{
	return f->from_admin & bit	 ? "entry"
	       : f->from_statement & bit ? "statement"
	       : f->from_caps & bit	 ? "capabilities"
					 : "default";
}

/* How mail to it is written now, option by option with who decided it. */
static json_t *format_row(const struct judge_format *f)
{
	json_t *o = judge_call_object();
	char text[FORMAT_TEXT_MAX];

	format_print(&f->f, FORMAT_ALL, text);
	judge_call_set(o, "text", judge_call_text(text));
	for (unsigned i = 0; i < FORMAT_OPTIONS; i++) {
		format_print(&f->f, FORMAT_GIVEN(i), text);
		text[strcspn(text, "=")] = '\0';
		judge_call_set(o, text, judge_call_text(who_decided(f, FORMAT_GIVEN(i))));
	}
	return o;
}

static json_t *caps_row(const struct store_caps *sc, unsigned bits_min)
{
	struct format f = format_default();
	struct cms_caps caps;
	char text[FORMAT_TEXT_MAX] = "";
	json_t *o = judge_call_object();

	if (cms_caps_read(sc->caps, sc->ncaps, &caps) == 0)
		format_print(&f, judge_format_apply(&caps, bits_min, &f), text);
	judge_call_set(o, "signer", judge_call_text(sc->signer));
	judge_call_set(o, "sha256", judge_call_text(sc->sha256));
	judge_call_set(o, "said", judge_call_time(sc->signing_time));
	judge_call_set(o, "seen", judge_call_time(sc->seen));
	judge_call_set(o, "reads", judge_call_text(text));
	return o;
}

/* Where its certificate is looked for now. */
static int tell_find(struct judge_call *c, const struct address *a)
{
	unsigned which = FIND_ALL;
	struct judge_find f;
	char text[FIND_TEXT_MAX];

	if (judge_find(c->ja->world, c->store, a, &f, c->pr) < 0)
		return -1;
	if (!f.o.ndirectories)
		which &= ~FIND_GIVEN(FIND_OPT_DIRECTORY);
	if (!f.o.nhttp_stores)
		which &= ~FIND_GIVEN(FIND_OPT_HTTP);
	find_options_print(&f.o, which, text);
	judge_call_set(c->data, "find", judge_call_text(text));
	return 0;
}

/* What is kept under exactly this name. */
static int tell_format(struct judge_call *c, const char *name, const struct address *a)
{
	const struct judge_world *w = c->ja->world;
	const struct judge_owner *owner;
	struct judge_format f;
	struct problem pr = {0};
	json_t *said = judge_call_array();

	judge_call_set(c->data, "capabilities", said);
	if (judge_cache_owner(w->cache, c->store, name, &owner, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < owner->ncaps; i++)
		judge_call_add(said, caps_row(&owner->caps[i], w->cipher_bits_min));
	if (judge_format(w, c->store, a, a->local[0] != '\0', &f, &pr) == 0) {
		judge_call_set(c->data, "format", format_row(&f));
		return 0;
	}
	if (pr.cls != PROBLEM_POLICY) {
		*c->pr = pr;
		return -1;
	}
	judge_call_set(c->data, "format_refused", judge_call_text(pr.text));
	return 0;
}

int judge_admin_partner_show(struct judge_call *c)
{
	char domain[ADDRESS_TEXT_MAX];
	struct store_partner *p = NULL;
	json_t *certs, *anchors, *statement;
	struct address a;
	char tag[33];
	int64_t seen;

	if (judge_call_owner(c, "domain", JUDGE_MUST, domain, &a) < 0 ||
	    store_partner_get(c->store, domain, &p, c->pr) < 0)
		return -1;
	revision(p, tag);
	judge_call_set(c->data, "revision", judge_call_text(tag));
	seen = store_was_protected(c->store, a.domain);
	judge_call_set(c->data, "listed", json_boolean(p != NULL));
	judge_call_set(c->data, "partner", p ? judge_admin_partner_entry(p) : json_null());
	judge_call_set(c->data, "seen_protected", judge_call_time(seen > 0 ? seen : 0));
	if (p)
		store_partners_free(p, 1);
	if (judge_admin_cert_rows(c, domain, &certs) < 0)
		return -1;
	judge_call_set(c->data, "certificates", certs);
	if (judge_admin_anchor_rows(c, a.domain, &anchors) < 0)
		return -1;
	judge_call_set(c->data, "anchors", anchors);
	if (judge_admin_statement_row(c, a.domain, &statement) < 0)
		return -1;
	judge_call_set(c->data, "statement", statement);
	return tell_find(c, &a) < 0 ? -1 : tell_format(c, domain, &a);
}

int judge_admin_partner_remove(struct judge_call *c)
{
	char domain[ADDRESS_TEXT_MAX];
	struct store_partner *old = NULL;
	struct address a;
	int rc;

	if (judge_call_owner(c, "domain", JUDGE_MUST, domain, &a) < 0 ||
	    store_partner_get(c->store, domain, &old, c->pr) < 0)
		return -1;
	rc = check_match(c, domain, old);
	if (old)
		store_partners_free(old, 1);
	if (rc < 0)
		return -1;
	if (store_partner_remove(c->store, domain, c->who, c->pr) < 0) {
		c->code = c->pr->cls == PROBLEM_PERM ? "not-found" : NULL;
		return -1;
	}
	judge_call_set(c->data, "domain", judge_call_text(domain));
	judge_call_set(c->data, "still_protected", json_boolean(store_was_protected(c->store, a.domain) != 0));
	return 0;
}

int judge_admin_partner_release(struct judge_call *c)
{
	char domain[ADDRESS_DOMAIN_MAX + 1];
	int released;

	if (judge_call_domain(c, "domain", JUDGE_MUST, domain) < 0)
		return -1;
	released = judge_admin_pending_release(c, domain);
	if (released < 0)
		return -1;
	if (store_release(c->store, domain, c->who, c->pr) < 0) {
		if (c->pr->cls != PROBLEM_PERM)
			return -1;
		if (!released) {
			c->code = "not-found";
			return -1;
		}
		*c->pr = (struct problem){.cls = PROBLEM_NONE}; /* its statement was what mail waited for */
	}
	judge_call_set(c->data, "domain", judge_call_text(domain));
	return 0;
}
