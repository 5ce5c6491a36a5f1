/*
 * The index of the admin's verbs: verb, handler, its arguments. Role judge. To add a verb: a row here and a handler
 * in the judge_admin_<entity>.c it belongs to.
 */
#include "gateway/proc/judge_admin.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certstore/judge_proto.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin_anchor.h"
#include "gateway/proc/judge_admin_bundle.h"
#include "gateway/proc/judge_admin_cert.h"
#include "gateway/proc/judge_admin_domain.h"
#include "gateway/proc/judge_admin_explain.h"
#include "gateway/proc/judge_admin_glance.h"
#include "gateway/proc/judge_admin_install.h"
#include "gateway/proc/judge_admin_lookup.h"
#include "gateway/proc/judge_admin_message.h"
#include "gateway/proc/judge_admin_partner.h"
#include "gateway/proc/judge_admin_proposal.h"
#include "gateway/proc/judge_admin_records.h"
#include "gateway/proc/judge_admin_retire.h"
#include "gateway/proc/judge_admin_rollover.h"
#include "gateway/proc/judge_admin_rule.h"
#include "gateway/proc/judge_admin_session.h"
#include "gateway/proc/judge_admin_settings.h"
#include "gateway/proc/judge_admin_statement.h"
#include "gateway/proc/judge_admin_status.h"
#include "gateway/proc/judge_admin_store.h"
#include "gateway/proc/judge_admin_trace.h"
#include "gateway/proc/judge_admin_user.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_call.h"
#include "gateway/proc/judge_mass.h"
#include "gateway/proc/judge_sign_in.h"

#define DOMAIN_ARGS " domain algo mode days organisation address key certs use force "

static const struct verb {
	const char *name;
	int (*fn)(struct judge_call *c);
	const char *args;     /* each between blanks */
	const char *concerns; /* the argument that names whose trust or keys it changes; NULL: nobody's */
} verbs[] = {
    {"domain.add", judge_admin_domain_add, DOMAIN_ARGS, "domain"},
    {"domain.tls", judge_admin_domain_tls, DOMAIN_ARGS, "domain"},
    {"domain.install", judge_admin_install, " domain content force ", "domain"},
    {"domain.retire", judge_admin_retire, " key force if_match ", NULL},
    {"domain.list", judge_admin_domain_list, " domain ", NULL},
    {"domain.show", judge_admin_domain_show, " domain ", NULL},
    {"domain.records", judge_admin_domain_records, " domain ", NULL},
    {"domain.rollover", judge_admin_domain_rollover, " domain keys csr cancel due if_match ", "domain"},
    {"partner.add", judge_admin_partner_add, " domain treatment strength note format find group ", "domain"},
    {"partner.set", judge_admin_partner_set, " domain treatment strength note format find group if_match ", "domain"},
    {"partner.list", judge_admin_partner_list, " match state sort after offset max counts ", NULL},
    {"partner.show", judge_admin_partner_show, " domain ", NULL},
    {"partner.remove", judge_admin_partner_remove, " domain if_match ", "domain"},
    {"partner.release", judge_admin_partner_release, " domain ", "domain"},
    {"statement.pending", judge_admin_statement_pending, " after max ", NULL},
    {"statement.approve", judge_admin_statement_approve,
	" domain channel reason fingerprint seen statement pin follow ", "domain"},
    {"statement.refuse", judge_admin_statement_refuse, " domain channel reason fingerprint seen ", "domain"},
    {"statement.compromised", judge_admin_statement_compromised, " domain channel reason fingerprint seen ",
	"domain"},
    {"statement.set", judge_admin_statement_set, " domain local_parts pin follow ", "domain"},
    {"statement.fetch", judge_admin_statement_fetch, " domain ", "domain"},
    {"proposal.list", judge_admin_proposal_list, " ", NULL},
    {"proposal.confirm", judge_admin_proposal_confirm, " id ", NULL},
    {"proposal.drop", judge_admin_proposal_drop, " id reason ", NULL},
    {"cert.preview", judge_admin_cert_preview, " content owner ", NULL},
    {"cert.import", judge_admin_cert_import, " owner content sha256 pinned force ", "owner"},
    {"import.begin", judge_mass_begin, " content pinned ", NULL},
    {"import.list", judge_mass_list, " ", NULL},
    {"import.show", judge_mass_show, " id only after max ", NULL},
    {"import.confirm", judge_mass_confirm, " id force ", NULL},
    {"import.cancel", judge_mass_cancel, " id ", NULL},
    {"cert.list", judge_admin_cert_list, " owner after max ", NULL},
    {"cert.accept", judge_admin_cert_accept, " owner local sha256 ", "owner"},
    {"cert.show", judge_admin_cert_show, " owner sha256 ", NULL},
    {"lookup", judge_admin_lookup, " address source ", NULL},
    {"cert.remove", judge_admin_cert_remove, " owner sha256 ", "owner"},
    {"anchor.add", judge_admin_anchor_add, " scope direction local content sha256 force if_match ", "scope"},
    {"anchor.list", judge_admin_anchor_list, " scope ", NULL},
    {"anchor.remove", judge_admin_anchor_remove, " scope local sha256 if_match ", "scope"},
    {"bundle.add", judge_admin_bundle_add, " url scope direction local signer every if_match ", NULL},
    {"bundle.list", judge_admin_bundle_list, " ", NULL},
    {"bundle.show", judge_admin_bundle_show, " url ", NULL},
    {"bundle.refresh", judge_admin_bundle_refresh, " url force wait ", "scope"}, /* it has none: anybody */
    {"bundle.remove", judge_admin_bundle_remove, " url if_match ", "scope"},
    {"rule.add", judge_admin_rule_add, " name sender recipient treatment strength exempt position if_match ", NULL},
    {"rule.set", judge_admin_rule_set, " name sender recipient treatment strength exempt position if_match ", NULL},
    {"rule.list", judge_admin_rule_list, " ", NULL},
    {"rule.remove", judge_admin_rule_remove, " id name if_match ", NULL},
    {"user.add", judge_admin_user_add, " name role if_match ", NULL},
    {"user.list", judge_admin_user_list, " ", NULL},
    {"user.remove", judge_admin_user_remove, " name if_match ", NULL},
    {"user.token", judge_admin_user_token, " name label role days ", NULL},
    {"user.revoke", judge_admin_user_revoke, " id ", NULL},
    {"user.password", judge_admin_user_password, " name salt key memory passes ", NULL},
    {"user.totp", judge_admin_user_totp, " name off ", NULL},
    {"user.sign-out", judge_admin_user_sign_out, " name ", NULL},
    {"user.sessions", judge_admin_session_list, " name ", NULL},
    {"user.session-end", judge_admin_session_end, " id ", NULL},
    {"explain", judge_admin_explain,
	" sender recipient reply_to_sealed with_rule without_rule with_partner without_partner ", NULL},
    {"trace", judge_admin_trace, " id ", NULL},
    {"message.audit", judge_admin_message_audit, " what search ", NULL},
    {"audit.list", judge_admin_audit_list, " before max of ", NULL},
    {"audit.verify", judge_admin_audit_verify, " head ", NULL},
    {"settings.show", judge_admin_settings_show, " match changed ", NULL},
    {"store.snapshot", judge_admin_snapshot, " ", NULL},
    {"status", judge_admin_status, " ", NULL},
};

/* A request may hold a private key: jansson's copies of it are wiped when freed. Works beside memory that plain
 * malloc gave. */
static void wiping_free(void *p)
{
	if (p)
		mem_wipe(p, malloc_usable_size(p));
	free(p);
}

static const struct verb *find_verb(struct judge_call *c, const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	judge_call_fail(c, "usage", "there is no verb \"%.60s\"", name);
	return NULL;
}

static int check_args(struct judge_call *c, const struct verb *v)
{
	const char *name;
	json_t *value;

	if (!json_is_object(c->args))
		return judge_call_fail(c, "usage", "\"args\" must be an object");
	json_object_foreach(c->args, name, value)
	{
		char word[64];

		if (strlen(name) < sizeof word - 2 && !strchr(name, ' ')) {
			(void)snprintf(word, sizeof word, " %s ", name);
			if (strstr(v->args, word))
				continue;
		}
		return judge_call_fail(c, "usage", "%s has no argument \"%.60s\"; it has:%s", v->name, name, v->args);
	}
	return 0;
}

/* A person's concerns all of the domain; without the argument, or with "*", it is anybody's. */
static void note_concerns(struct judge_call *c, const struct verb *v)
{
	const char *who = v->concerns ? json_string_value(json_object_get(c->args, v->concerns)) : NULL;
	const char *at = who ? strrchr(who, '@') : NULL;
	char domain[ADDRESS_DOMAIN_MAX + 1] = "";

	if (at)
		who = at + 1;
	if (who && address_domain(who, strlen(who), domain, NULL) != 0)
		domain[0] = '\0';
	snprintf(c->ja->concerns, sizeof c->ja->concerns, "%s", v->concerns ? domain : JUDGE_NOBODY);
}

int judge_admin_confirmed(struct judge_call *c, const char *verb)
{
	const struct verb *v = find_verb(c, verb);

	if (!v)
		return -1;
	judge_cache_begin(c->ja->world->cache, c->store);
	note_concerns(c, v);
	return check_args(c, v) < 0 ? -1 : v->fn(c);
}

/* Tried, taken back, and written down for a second person. */
static int propose(struct judge_call *c, const struct verb *v)
{
	int rc;

	if (store_begin(c->store, c->pr) < 0)
		return -1;
	c->trial = true;
	rc = v->fn(c);
	c->trial = false;
	if (store_end(c->store, -1, c->pr) == 0)
		log_fatal("a change that waits for a second person was made");
	judge_cache_forget(c->ja->world->cache);
	snprintf(c->ja->concerns, sizeof c->ja->concerns, "%s", JUDGE_NOBODY);
	if (rc < 0 || (c->run && c->run->pending))
		return rc;
	json_object_clear(c->data);
	return judge_admin_proposal_add(c, v->name);
}

static int run(struct judge_call *c, json_t *request)
{
	json_t *name = json_object_get(request, "verb"), *args = json_object_get(request, "args");
	const struct verb *v;

	if (!json_is_string(name))
		return judge_call_fail(c, "usage", "the request has no \"verb\"");
	v = find_verb(c, json_string_value(name));
	if (!v)
		return -1;
	json_t *none = args ? NULL : judge_call_object();

	c->args = args ? args : none;
	judge_cache_begin(c->ja->world->cache, c->store);

	note_concerns(c, v);

	int rc = check_args(c, v) < 0 ? -1 : judge_admin_proposal_needed(c->ja, v->name) ? propose(c, v) : v->fn(c);

	json_decref(none);
	return rc;
}

static json_t *failure(const struct judge_call *c)
{
	json_t *o = judge_call_object(), *e = judge_call_object();
	const char *code = c->code;

	if (!code)
		code = c->pr->cls == PROBLEM_TEMP ? "unavailable" : "refused";
	judge_call_set(e, "text", judge_call_text(c->pr->text));
	judge_call_set(e, "code", judge_call_text(code));
	judge_call_set(o, "ok", json_false());
	judge_call_set(o, "error", e);
	return o;
}

static json_t *answer(struct judge_call *c, const char *request_json)
{
	json_error_t error;
	json_t *request = json_loads(request_json, JSON_REJECT_DUPLICATES, &error);
	json_t *o;
	int rc;

	if (!request)
		rc = judge_call_fail(c, "usage", "the request is not JSON: %s (line %d)", error.text, error.line);
	else
		rc = run(c, request);
	json_decref(request);
	if (rc < 0)
		return failure(c);
	o = judge_call_object();
	judge_call_set(o, "ok", json_true());
	judge_call_set(o, "data", json_incref(c->data));
	return o;
}

char *judge_admin(
    struct judge_admin *ja, struct source_run *run, const char *request_json, const char *who, int *fd_r)
{
	struct problem pr = {0};
	struct judge_call c = {.ja = ja, .store = ja->store, .run = run, .who = who, .pr = &pr, .fd = -1};
	json_t *o;
	char *text;

	json_set_alloc_funcs(malloc, wiping_free);
	REQUIRE(ja->world && ja->world->cache);
	c.now = ja->now ? ja->now() : (int64_t)time(NULL);
	c.data = judge_call_object();
	o = answer(&c, request_json);
	if (json_is_false(json_object_get(o, "ok")) && c.fd >= 0) {
		(void)close(c.fd);
		c.fd = -1;
	}
	text = json_dumps(o, JSON_COMPACT);
	if (!text)
		log_fatal("out of memory: JSON");
	json_decref(o);
	json_decref(c.data);
	*fd_r = c.fd;
	return text;
}
