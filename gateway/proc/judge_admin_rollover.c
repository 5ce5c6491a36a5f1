/* domain.show, domain.rollover, see the header. Role judge. */
#include "gateway/proc/judge_admin_rollover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_own.h"
#include "gateway/proc/judge_xsmg_own.h"
#include "gateway/proc/judge_xsmg_rollover.h"

static const char *keys_word(enum store_rollover_kind k)
{
	return k == STORE_ROLLOVER_MAIL ? "mail" : "statement";
}

static int our_domain(struct judge_call *c, char domain[ADDRESS_DOMAIN_MAX + 1])
{
	if (judge_call_domain(c, "domain", JUDGE_MUST, domain) < 0)
		return -1;
	if (judge_world_domain(c->ja->world, domain) < 0)
		return judge_call_fail(c, "not-found", "%s is not one of our domains", domain);
	if (!c->ja->world->own)
		return judge_call_fail(
		    c, "refused", "statements are switched off: say \"xsmg = yes\" in the configuration and reload");
	return 0;
}

/* ---- domain.show ---- */

static json_t *base64(const uint8_t *p, size_t n)
{
	char *text = mem_raw(4 * ((n + 2) / 3) + 1);
	json_t *o;

	encode_b64(p, n, text);
	o = judge_call_text(text);
	free(text);
	return o;
}

static int show_statement(struct judge_call *c, const char *domain, int64_t *serial_r)
{
	struct judge_xsmg_statement s;
	json_t *o;
	int rc = judge_xsmg_own_current(c->ja->world->own, domain, c->now, &s, c->pr);

	*serial_r = rc > 0 ? s.serial : INT64_MAX;
	if (rc < 0)
		return -1;
	if (rc == 0) {
		judge_call_set(c->data, "statement", json_null());
		return 0;
	}
	o = judge_call_object();
	judge_call_set(o, "id", judge_call_text(s.id));
	judge_call_set(o, "serial", json_integer(s.serial));
	judge_call_set(o, "issued", judge_call_time(s.issued));
	judge_call_set(o, "expires", judge_call_time(s.expires));
	judge_call_set(o, "der", base64(s.der, s.n));
	judge_call_set(c->data, "statement", o);
	return 0;
}

static json_t *rows_of(struct judge_call *c, const struct store_rollover *o, const struct store_identity *list,
    size_t n, bool (*belongs)(const struct store_rollover *, const struct store_identity *))
{
	json_t *a = judge_call_array();

	for (size_t i = 0; i < n; i++)
		if (belongs(o, &list[i]))
			judge_call_add(a, judge_own_row(c, &list[i]));
	return a;
}

/* The oldest announcement that is under way, in *serial_r. */
static int show_rollovers(struct judge_call *c, const char *domain, int64_t *serial_r)
{
	struct store_identity *list;
	json_t *a = judge_call_array();
	size_t n;
	int rc = 0;

	judge_call_set(c->data, "rollovers", a);
	if (store_identities(c->store, domain, &list, &n, c->pr) < 0)
		return -1;
	for (int k = STORE_ROLLOVER_MAIL; rc == 0 && k <= STORE_ROLLOVER_STATEMENT; k++) {
		struct store_rollover o;
		json_t *row;

		rc = store_rollover_get(c->store, domain, (enum store_rollover_kind)k, &o, c->pr);
		if (rc < 0 || o.step == STORE_ROLLOVER_NONE)
			continue;
		row = judge_call_object();
		judge_call_set(row, "keys", judge_call_text(keys_word(o.kind)));
		judge_call_set(row, "step", judge_call_text(store_rollover_word(o.step)));
		judge_call_set(row, "started", judge_call_time(o.started));
		judge_call_set(row, "switch_at", judge_call_time(o.switch_at));
		judge_call_set(row, "finish_at", judge_call_time(o.finish_at));
		judge_call_set(row, "early", json_boolean(o.early));
		judge_call_set(row, "new", rows_of(c, &o, list, n, judge_xsmg_rollover_new));
		judge_call_set(row, "old", rows_of(c, &o, list, n, judge_xsmg_rollover_old));
		judge_call_add(a, row);
		if ((o.step == STORE_ROLLOVER_ANNOUNCED || o.step == STORE_ROLLOVER_OVERLAP) && o.serial < *serial_r)
			*serial_r = o.serial;
	}
	store_identities_free(list, n);
	return rc;
}

static int show_partners(struct judge_call *c, const char *domain, int64_t present, int64_t announced)
{
	struct store_own_statement_holder *list;
	json_t *a = judge_call_array();
	size_t n;

	judge_call_set(c->data, "partners", a);
	if (store_own_statement_holder_list(c->store, domain, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		json_t *row = judge_call_object();

		judge_call_set(row, "domain", judge_call_text(list[i].partner));
		judge_call_set(row, "at", judge_call_time(list[i].at));
		judge_call_set(row, "holds",
		    judge_call_text(list[i].serial >= present	  ? "present"
				    : list[i].serial >= announced ? "announcement"
								  : "older"));
		judge_call_add(a, row);
	}
	free(list);
	return 0;
}

int judge_admin_domain_show(struct judge_call *c)
{
	char domain[ADDRESS_DOMAIN_MAX + 1];
	int64_t present, announced = INT64_MAX;

	if (our_domain(c, domain) < 0)
		return -1;
	judge_call_set(c->data, "domain", judge_call_text(domain));
	if (show_statement(c, domain, &present) < 0 || show_rollovers(c, domain, &announced) < 0)
		return -1;
	return show_partners(c, domain, present, announced);
}

/* ---- domain.rollover ---- */

static int add_request(struct judge_call *c, json_t *a, const struct store_identity *i)
{
	char office[ADDRESS_TEXT_MAX];
	struct keys_cert_request rq = {
	    .kind = KEYS_CERT_CSR, .common_name = i->domain, .dns_name = i->domain, .rfc822_name = office};
	struct buf der;
	json_t *row;
	int rc;

	(void)snprintf(office, sizeof office, "%s@%s",
	    i->use == STORE_DECRYPT ? "domain-confidentiality-authority" : "domain-signing-authority", i->domain);
	buf_init(&der, CERT_DER_MAX);
	rc = keys_certify(c->ja->keys, i->key_id, &rq, &der, c->pr);
	if (rc == 0) {
		row = judge_call_object();
		judge_call_set(row, "domain", judge_call_text(i->domain));
		judge_call_set(row, "use", judge_call_text(store_use_word(i->use)));
		judge_call_set(row, "key_id", judge_call_text(i->key_id));
		judge_call_set(row, "csr", judge_call_pem("CERTIFICATE REQUEST", der.p, der.len));
		judge_call_add(a, row);
	}
	buf_clear(&der);
	return rc;
}

/* The requests of all new keys that wait. */
static int add_requests(struct judge_call *c, const char *domain, enum store_rollover_kind kind)
{
	struct store_rollover o;
	struct store_identity *list = NULL;
	json_t *a = judge_call_array();
	size_t n = 0;
	int rc;

	judge_call_set(c->data, "requests", a);
	rc = store_rollover_get(c->store, domain, kind, &o, c->pr);
	if (rc == 0)
		rc = store_identities(c->store, domain, &list, &n, c->pr);
	judge_call_set(c->data, "step", judge_call_text(store_rollover_word(o.step)));
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (o.step == STORE_ROLLOVER_WAITS && judge_xsmg_rollover_new(&o, &list[i]) && !list[i].cert)
			rc = add_request(c, a, &list[i]);
	store_identities_free(list, n);
	return rc;
}

static int waits(struct judge_call *c, const char *domain, enum store_rollover_kind kind)
{
	struct store_rollover o;

	if (store_rollover_get(c->store, domain, kind, &o, c->pr) < 0)
		return -1;
	return o.step == STORE_ROLLOVER_WAITS;
}

int judge_admin_domain_rollover(struct judge_call *c)
{
	char domain[ADDRESS_DOMAIN_MAX + 1];
	enum store_rollover_kind kind;
	const char *keys;
	bool csr, cancel, due;
	struct judge_xsmg_rollover r;
	int rc = 0;

	if (our_domain(c, domain) < 0 || judge_call_str(c, "keys", JUDGE_MAY, 20, &keys) < 0 ||
	    judge_call_bool(c, "csr", false, &csr) < 0 || judge_call_bool(c, "cancel", false, &cancel) < 0 ||
	    judge_call_bool(c, "due", false, &due) < 0)
		return -1;
	if (keys && strcmp(keys, "mail") != 0 && strcmp(keys, "statement") != 0)
		return judge_call_fail(c, "usage", "argument \"keys\" must be \"mail\" or \"statement\"");
	if (judge_own_unchanged(c) < 0)
		return -1;
	kind = keys && strcmp(keys, "statement") == 0 ? STORE_ROLLOVER_STATEMENT : STORE_ROLLOVER_MAIL;
	if (!c->ja->keys)
		return judge_call_fail(c, "unavailable", "the keeper cannot be reached now; try again");
	r = judge_xsmg_own_rollover(c->ja->world->own, c->who, c->now);
	if (cancel)
		rc = judge_xsmg_rollover_cancel(&r, domain, kind, c->pr);
	else if (!due && (!csr || (rc = waits(c, domain, kind)) == 0))
		rc = judge_xsmg_rollover_start(&r, domain, kind, csr, c->pr);
	if (rc < 0)
		return -1;
	judge_call_set(c->data, "domain", judge_call_text(domain));
	judge_call_set(c->data, "keys", judge_call_text(keys_word(kind)));
	return add_requests(c, domain, kind);
}
