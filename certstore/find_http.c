/* RFC 4387: "?email=" the address, "?uri=" the domain. Of the servers that DNS names the first that answers speaks
 * for all of them. */
#include "certstore/find_http.h"

#include <stdio.h>
#include <string.h>

#include "certstore/find_dns.h"
#include "certstore/http_search.h"

static void ask_for(struct find_work *w, const char *base, enum source_chosen chosen, bool address)
{
	struct find_step *s = find_work_step(w, FIND_HTTP, address, "http");
	const struct source_answer *r;
	struct source_ask a;

	find_work_fill(w, &a, SOURCE_HTTP, chosen);
	if (http_search_url(base, address ? "email" : "uri", s->owner, a.name, sizeof a.name) < 0) {
		find_work_passed(w, s, "%.200s cannot be asked: its URL would be too long", base);
		return;
	}
	r = find_work_ask(w, s, &a, true);
	if (r && r->status == SOURCE_FOUND && r->n == 1)
		find_work_take(w, s, r->items[0].p, r->items[0].n, NULL);
}

static bool ask_store(struct find_work *w, const char *base, enum source_chosen chosen)
{
	size_t first = w->nsteps;

	if (find_work_may_tell(w, false, "http", base))
		ask_for(w, base, chosen, true);
	ask_for(w, base, chosen, false);
	for (size_t i = first; i < w->nsteps; i++)
		if (w->steps[i]->answer == FIND_STEP_TEMP)
			return false;
	return true;
}

static void forget(struct find_work *w, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (w->steps[i]->answer == FIND_STEP_TEMP)
			w->steps[i]->answer = FIND_STEP_NONE;
}

static void by_srv(struct find_work *w)
{
	struct find_step *s = find_work_step(w, FIND_HTTP, false, "dns SRV");
	struct srv_record v[FIND_SERVERS_MAX];
	size_t n = find_dns_servers(w, s, "_certificates._tcp", v), first = w->nsteps;

	for (size_t i = 0; i < n; i++) {
		char base[ADDRESS_DOMAIN_MAX + 32];
		size_t mine = w->nsteps;

		if (v[i].port == 443)
			(void)snprintf(base, sizeof base, "https://%s", v[i].host);
		else
			(void)snprintf(base, sizeof base, "http://%s:%u", v[i].host, v[i].port);
		if (ask_store(w, base, SOURCE_BY_STRANGER)) {
			forget(w, first, mine);
			return;
		}
	}
}

void find_http(struct find_work *w)
{
	for (size_t i = 0; i < w->q->options->nhttp_stores; i++)
		(void)ask_store(w, w->q->options->http_stores[i], SOURCE_BY_ADMIN);
	by_srv(w);
}
