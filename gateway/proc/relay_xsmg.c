#include "gateway/proc/relay_xsmg.h"

#include <stdlib.h>
#include <string.h>

#include "certstore/judge_xsmg_proto.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/address.h"
#include "gateway/proc/relay.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_xsmg_due.h"
#include "gateway/proc/relay_xsmg_server.h"

struct relay_xsmg {
	struct relay_xsmg_dues *dues;
	struct relay_xsmg_given *given;
};

struct relay_xsmg *relay_xsmg_new(struct relay *r)
{
	struct relay_xsmg *x = mem_new(sizeof(*x));

	x->dues = relay_xsmg_dues_new();
	x->given = relay_xsmg_given_new(r);
	return x;
}

void relay_xsmg_free(struct relay_xsmg *x)
{
	if (x == NULL)
		return;
	relay_xsmg_dues_free(x->dues);
	relay_xsmg_given_free(x->given);
	free(x);
}

void relay_xsmg_met(struct relay *r, const char *domain)
{
	struct judge_xsmg_note n = {.seen = JUDGE_XSMG_MET};
	struct ipc_out o;

	if (!r->top->xsmg || address_domain(domain, strlen(domain), n.partner, NULL) != 0)
		return;
	ipc_out_init(&o, JUDGE_XSMG_NOTE, 0);
	judge_xsmg_note_put(&o, &n);
	(void)relay_ask_tell(r->ask, &o);
}

void relay_xsmg_named(struct relay *r, const char *id, const struct job_result *res, bool opened)
{
	struct judge_xsmg_note n = {.seen = opened ? JUDGE_XSMG_NAMED_INSIDE : JUDGE_XSMG_NAMED};
	struct ipc_out o;

	if (!r->top->xsmg || res->named_domain[0] == '\0')
		return;
	if (res->named_url[0] == '\0') {
		log_info(id, "relay", "xsmg-named partner=%s ignored why=\"its field XSMG-Statement: %s\"",
		    res->named_domain, res->named_why);
		return;
	}
	if (address_domain(res->named_domain, strlen(res->named_domain), n.partner, NULL) != 0)
		return;
	memcpy(n.id, res->named_id, sizeof(n.id));
	memcpy(n.words, res->named_url, sizeof(n.words));
	n.verified = res->named_trusted;
	ipc_out_init(&o, JUDGE_XSMG_NOTE, 0);
	judge_xsmg_note_put(&o, &n);
	(void)relay_ask_tell(r->ask, &o);
}

void relay_xsmg_broken(struct relay *r, const char *id, const struct job_result *res, const char *client)
{
	struct judge_xsmg_note n = {.seen = JUDGE_XSMG_BROKEN, .verified = !(res->broken & JUDGE_PROMISE_TEST)};
	bool both = (res->broken & JUDGE_PROMISE_SIGNS) && (res->broken & JUDGE_PROMISE_ENCRYPTS);
	struct ipc_out o;

	if (res->broken == 0 || address_domain(res->broken_domain, strlen(res->broken_domain), n.partner, NULL) != 0)
		return;
	snprintf(n.words, sizeof(n.words), "not %s",
	    both				? "signed, nor encrypted"
	    : res->broken & JUDGE_PROMISE_SIGNS ? "signed"
						: "encrypted");
	snprintf(n.remote, sizeof(n.remote), "%.399s", client);
	log_warn(id, "relay", "broken-promise partner=%s client=%s test=%d why=\"%s\"", n.partner, client,
	    !n.verified, n.words);
	ipc_out_init(&o, JUDGE_XSMG_NOTE, 0);
	judge_xsmg_note_put(&o, &n);
	(void)relay_ask_tell(r->ask, &o);
}

struct relay_xsmg_dues *relay_xsmg_dues_of(struct relay_xsmg *x)
{
	return x->dues;
}

struct relay_xsmg_given *relay_xsmg_given_of(struct relay_xsmg *x)
{
	return x->given;
}
