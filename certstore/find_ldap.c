/*
 * Each directory is asked for the address, then for the domain: (mail=...). Of the servers that DNS names the first
 * that answers speaks for all of them; the next is asked when one cannot be reached (RFC 2782). Attributes:
 * userCertificate;binary, else userCertificate; userSMIMECertificate has them in PKCS#7 (not in the order of Direct,
 * which does not know it).
 */
#include "certstore/find_ldap.h"

#include <stdio.h>
#include <string.h>

#include "certstore/find_dns.h"

static bool is_attribute(const struct source_item *it, const char *name)
{
	return strcmp(it->attribute, name) == 0;
}

static void take_attribute(struct find_work *w, struct find_step *s, const struct source_answer *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (is_attribute(&r->items[i], name))
			find_work_take(w, s, r->items[i].p, r->items[i].n, NULL);
}

static void take_values(struct find_work *w, struct find_step *s, const struct source_answer *r)
{
	take_attribute(w, s, r, "usercertificate;binary");
	if (s->n == 0)
		take_attribute(w, s, r, "usercertificate");
	if (w->q->options->order == FIND_DIRECT)
		return;
	take_attribute(w, s, r, "usersmimecertificate;binary");
	take_attribute(w, s, r, "usersmimecertificate");
}

static void ask_for(struct find_work *w, const struct source_ask *server, bool address)
{
	struct find_step *s = find_work_step(w, FIND_LDAP, address, "ldap");
	struct source_ask a = *server;
	const struct source_answer *r;

	(void)snprintf(a.mail, sizeof a.mail, "%s", s->owner);
	r = find_work_ask(w, s, &a, true);
	if (r && r->status == SOURCE_FOUND)
		take_values(w, s, r);
}

/* Both questions at once. True: it answered (or has not yet), false: it could not be asked. */
static bool ask_server(struct find_work *w, const struct source_ask *server, const char *shown)
{
	size_t first = w->nsteps;

	if (find_work_may_tell(w, false, "ldap", shown))
		ask_for(w, server, true);
	ask_for(w, server, false);
	return find_work_answered(w, first);
}

static void by_srv(struct find_work *w)
{
	struct find_step *s = find_work_step(w, FIND_LDAP, false, "dns SRV");
	struct srv_record v[FIND_SERVERS_MAX];
	size_t n = find_dns_servers(w, s, "_ldap._tcp", v), first = w->nsteps;

	for (size_t i = 0; i < n; i++) {
		struct source_ask a;
		size_t mine = w->nsteps;

		find_work_fill(w, &a, SOURCE_LDAP, SOURCE_BY_STRANGER);
		(void)snprintf(
		    a.name, sizeof a.name, "%s://%s:%u", v[i].port == 636 ? "ldaps" : "ldap", v[i].host, v[i].port);
		if (ask_server(w, &a, a.name)) {
			find_work_forget(w, first, mine);
			return;
		}
	}
}

void find_ldap(struct find_work *w)
{
	for (size_t i = 0; i < w->q->options->ndirectories; i++) {
		struct source_ask a;

		find_work_fill(w, &a, SOURCE_LDAP, SOURCE_BY_ADMIN);
		(void)snprintf(a.directory, sizeof a.directory, "%s", w->q->options->directories[i]);
		(void)ask_server(w, &a, a.directory);
	}
	by_srv(w);
}
