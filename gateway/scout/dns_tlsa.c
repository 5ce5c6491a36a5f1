/* RFC 7672 2.1, 2.2; RFC 7671 7; RFC 6698. Role scout. No I/O of its own. */
#include "gateway/scout/dns_tlsa.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/mem.h"

void dns_tlsa_name(const struct dns_lookup *k, char *out, size_t cap)
{
	const struct dns_question *q = k->q;

	snprintf(out, cap, "_%u._tcp.%s", q->tlsa_port,
	    k->expanded ? q->notes[k->host].expanded : q->out.hosts[k->host].name);
}

static bool is_alias(const struct dns_question *q, size_t i)
{
	const char *e = q->notes[i].expanded;

	return e[0] && strcmp(e, q->out.hosts[i].name) != 0;
}

/* All answers of a step are there. Nothing at an expanded name: the initial one may still have records. */
static void settled(struct dns_question *q)
{
	if (q->busy > 0)
		return;
	q->nlookups = 0;
	for (size_t i = 0; i < q->out.nhosts; i++) {
		if (q->notes[i].retry) {
			q->notes[i].retry = false;
			dns_state_look_up(q, i, DNS_TYPE_TLSA, false);
		}
	}
	if (q->nlookups == 0)
		dns_state_finish(q, SCOUT_OK);
	else if (q->busy == 0)
		dns_state_next(q, settled);
}

/* RFC 7672 2.2.2: validated to the end of the aliases: that name first, then the initial one. Validated only at its
 * beginning: the initial name alone. */
static void look_up_tlsa(struct dns_question *q)
{
	if (q->busy > 0)
		return; /* a cached answer was first; the last one comes here again */
	q->nlookups = 0;
	for (size_t i = 0; i < q->out.nhosts; i++) {
		struct dns_host_note *n = &q->notes[i];
		bool whole = !n->insecure, alias = is_alias(q, i);

		if (q->out.hosts[i].tlsa_state == SCOUT_TLSA_TEMP || (!whole && !n->alias_secure))
			continue;
		dns_state_look_up(q, i, DNS_TYPE_TLSA, whole && alias);
	}
	if (q->busy == 0)
		dns_state_next(q, settled);
}

/* The hosts that left the secure tree on the way through aliases: was the first step still in it? */
static void look_up_aliases(struct dns_question *q)
{
	q->nlookups = 0;
	for (size_t i = 0; i < q->out.nhosts; i++) {
		if (q->notes[i].insecure && is_alias(q, i))
			dns_state_look_up(q, i, DNS_TYPE_CNAME, false);
	}
	if (q->busy == 0)
		dns_state_next(q, look_up_tlsa);
}

void dns_tlsa_begin(struct dns_question *q)
{
	/* RFC 7672 2.2.1: hosts named by an MX answer that anybody may have forged need no check */
	if (q->tlsa_port == 0 || (q->kind == SCOUT_KIND_MX && !q->out.secure)) {
		dns_state_finish(q, SCOUT_OK);
		return;
	}
	q->tlsa = true;
	for (size_t i = 0; i < q->out.nhosts; i++)
		q->notes[i].pending = !q->notes[i].insecure || is_alias(q, i);
	dns_state_next(q, look_up_aliases);
}

static void alias_came(struct dns_lookup *k, const struct dns_packet *p, bool secure)
{
	struct dns_question *q = k->q;
	struct scout_host *h = &q->out.hosts[k->host];

	if (!p)
		h->tlsa_state = SCOUT_TLSA_TEMP;
	else
		q->notes[k->host].alias_secure = secure && dns_answer_is_alias(p, h->name);
	q->notes[k->host].pending = q->notes[k->host].alias_secure;
	if (q->busy == 0)
		dns_state_next(q, look_up_tlsa);
}

/* Sets the host's state from one answer; what was put into octets for a broken one is only room lost. */
static void take_tlsa(struct dns_lookup *k, const struct dns_packet *p, bool secure)
{
	struct dns_question *q = k->q;
	struct scout_host *h = &q->out.hosts[k->host];
	char owner[DNS_NAME_MAX + 16];

	/* RFC 7672 2.1.1: an insecure answer is as good as none */
	if (p && (!secure || p->rcode != DNS_RCODE_NOERROR))
		return;
	dns_tlsa_name(k, owner, sizeof owner);
	if (!p || dns_answer_tlsa(p, owner, &q->out, h) < 0) {
		h->tlsa_state = SCOUT_TLSA_TEMP;
		h->ntlsa = 0;
	}
	if (h->tlsa_state == SCOUT_TLSA_SOME &&
	    mem_copy_str(h->tlsa_base, sizeof h->tlsa_base, k->expanded ? q->notes[k->host].expanded : h->name) < 0)
		h->tlsa_state = SCOUT_TLSA_TEMP;
}

void dns_tlsa_came(struct dns_lookup *k, const struct dns_packet *p, bool secure)
{
	struct dns_question *q = k->q;
	struct scout_host *h = &q->out.hosts[k->host];

	if (k->type == DNS_TYPE_CNAME) {
		alias_came(k, p, secure);
		return;
	}
	take_tlsa(k, p, secure);
	q->notes[k->host].retry = k->expanded && h->tlsa_state == SCOUT_TLSA_NONE;
	q->notes[k->host].pending = q->notes[k->host].retry;
	if (q->busy == 0)
		dns_state_next(q, settled);
}

void dns_tlsa_late(struct dns_question *q)
{
	for (size_t i = 0; q->tlsa && i < q->out.nhosts; i++) {
		if (q->notes[i].pending)
			q->out.hosts[i].tlsa_state = SCOUT_TLSA_TEMP;
	}
}
