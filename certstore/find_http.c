/* RFC 4387: "?email=" the address, "?uri=" the domain. Of the servers that DNS names the first that answers speaks
 * for all of them. */
#include "certstore/find_http.h"

#include <stdio.h>
#include <string.h>

#include "certstore/cert_parts.h"
#include "certstore/find_dns.h"
#include "certstore/http_search.h"
#include "gateway/base/encode.h"

/* What stands in lines and blanks goes. */
static void take_base64(struct find_work *w, struct find_step *s, const struct cert_part *part)
{
	char *text = arena_alloc(w->mem, part->n + 1);
	uint8_t *der = arena_alloc(w->mem, part->n + 1);
	size_t k = 0;
	long n;

	for (size_t i = 0; text && i < part->n; i++)
		if (!strchr(" \t\r\n", part->p[i]) || part->p[i] == 0)
			text[k++] = (char)part->p[i];
	n = text && der ? encode_unb64(text, k, der, part->n) : -1;
	if (n > 0)
		find_work_take(w, s, der, (size_t)n, NULL);
	else
		find_work_passed(w, s, "a part of the answer that is not base64, as it says");
}

/* One certificate or bag, or several as multipart/mixed. */
static void take_body(struct find_work *w, struct find_step *s, const struct source_item *body)
{
	struct cert_part v[CERT_PARTS_MAX];
	size_t n = cert_parts(body->p, body->n, v);

	if (n == 0)
		find_work_take(w, s, body->p, body->n, NULL);
	for (size_t i = 0; i < n; i++)
		if (v[i].base64)
			take_base64(w, s, &v[i]);
		else
			find_work_take(w, s, v[i].p, v[i].n, NULL);
}

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
		take_body(w, s, &r->items[0]);
}

static bool ask_store(struct find_work *w, const char *base, enum source_chosen chosen)
{
	size_t first = w->nsteps;

	if (find_work_may_tell(w, false, "http", base))
		ask_for(w, base, chosen, true);
	ask_for(w, base, chosen, false);
	return find_work_answered(w, first);
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
			find_work_forget(w, first, mine);
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
