/*
 * lookup asks one place, whatever the settings say of it, and stops nowhere; cert.show asks where mail to the address
 * would. Both weigh what they find as for mail.
 */
#include "gateway/proc/judge_admin_lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_fingerprint.h"
#include "gateway/proc/judge_certs.h"
#include "gateway/proc/judge_find.h"
#include "gateway/proc/judge_steps.h"

enum { MEMORY = 4 << 20 };

static json_t *found(struct judge_call *c, const struct judge_certs *certs, size_t i)
{
	const struct judge_candidate *k = &certs->seen[i];
	struct judge_cert *x = k->der.p ? judge_cache_cert(c->ja->world->cache, k->der.p, k->der.n, NULL) : NULL;
	json_t *o = x ? judge_call_facts(x->x, c->now) : judge_call_object();

	judge_call_set(o, "sha256", judge_call_text(k->sha256));
	judge_call_set(o, "owner", judge_call_text(k->owner));
	judge_call_set(o, "place", judge_call_text(k->place));
	judge_call_set(o, "usable", json_boolean(k->usable));
	judge_call_set(o, "pinned", json_boolean(k->pinned));
	judge_call_set(o, "chosen", json_boolean(certs->state == POLICY_CERTS_USABLE && i == certs->chosen));
	judge_call_set(o, "why", judge_call_text(k->why));
	if (k->der.p)
		judge_call_set(o, "pem", judge_call_pem("CERTIFICATE", k->der.p, k->der.n));
	judge_cert_drop(x);
	return o;
}

static void tell(struct judge_call *c, const struct judge_certs *certs)
{
	static const char *const states[] = {[POLICY_CERTS_NONE] = "none",
	    [POLICY_CERTS_USABLE] = "usable",
	    [POLICY_CERTS_UNCERTAIN] = "uncertain",
	    [POLICY_CERTS_UNUSABLE] = "unusable"};
	json_t *a = judge_call_array();

	for (size_t i = 0; i < certs->nseen; i++)
		judge_call_add(a, found(c, certs, i));
	judge_call_set(c->data, "certificates", a);
	judge_call_set(c->data, "state", judge_call_text(states[certs->state]));
	judge_call_set(c->data, "why", judge_call_text(certs->why));
	judge_call_set(c->data, "steps", judge_steps(c->run ? c->run->trace : NULL));
}

/* Listed and seen: who asks as the admin is told of everything that is uncertain. */
static int look(struct judge_call *c, const struct address *who, const struct find_options *o)
{
	struct judge_certs_question q = {.w = c->ja->world,
	    .store = c->store,
	    .run = c->run,
	    .rcpt = who,
	    .local = c->ja->world->ndomains > 0 ? c->ja->world->domains[0] : NULL,
	    .options = o,
	    .listed = true,
	    .strict = true,
	    .all = true,
	    .now = c->now};
	struct arena *a = arena_new(MEMORY);
	struct judge_certs *certs = mem_new(sizeof *certs);
	int rc = judge_certs_find(&q, a, certs, c->pr);

	if (rc == 0)
		tell(c, certs);
	free(certs);
	arena_free(a);
	return rc;
}

static int read_owner(struct judge_call *c, const char *name, struct address *who)
{
	char owner[ADDRESS_TEXT_MAX];

	if (judge_call_owner(c, name, JUDGE_MUST, owner, who) < 0)
		return -1;
	judge_call_set(c->data, "owner", judge_call_text(owner));
	if (judge_world_domain(c->ja->world, who->domain) < 0)
		return 0;
	return judge_call_fail(c, "refused",
	    "%s is a domain of ours: its certificates are listed by \"postern domain list\"", who->domain);
}

int judge_admin_lookup(struct judge_call *c)
{
	struct judge_find f;
	struct address who;
	const char *source;

	if (read_owner(c, "address", &who) < 0 || judge_call_str(c, "source", JUDGE_MUST, 20, &source) < 0 ||
	    judge_find(c->ja->world, c->store, &who, &f, c->pr) < 0)
		return -1;
	f.o.order = FIND_OWN;
	f.o.by_address = FIND_ADDRESS_ALWAYS;
	if (strchr(source, ',') || find_options_tiers(source, &f.o.tiers, NULL) < 0)
		return judge_call_fail(c, "usage",
		    "there is no source \"%.20s\"; there are: dns (CERT records), smimea, smg, ldap, http, store",
		    source);
	judge_call_set(c->data, "source", judge_call_text(source));
	return look(c, &who, &f.o);
}

int judge_admin_cert_show(struct judge_call *c)
{
	char sha256[CERT_HASH_TEXT];
	struct judge_find f;
	struct address who;
	const char *text;

	if (judge_call_str(c, "sha256", JUDGE_MAY, 200, &text) < 0)
		return -1;
	if (text)
		return judge_call_fingerprint(c, text, sha256) < 0 ? -1 : judge_admin_fingerprint(c, sha256);
	if (read_owner(c, "owner", &who) < 0 || judge_find(c->ja->world, c->store, &who, &f, c->pr) < 0)
		return -1;
	return look(c, &who, &f.o);
}
