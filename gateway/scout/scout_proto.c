/*
 * Questions and answers between relay and scout as IPC fields. Roles relay, scout. Pure.
 *
 * The decoder re-checks what the structs promise (counts, states that belong together): the other side parses what
 * strangers' name servers send and may have been taken over.
 */
#include "gateway/scout/scout_proto.h"

#include <string.h>

#include "gateway/base/ipc_field.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

void scout_proto_put_ask(struct ipc_out *o, uint32_t id, const struct scout_ask *a)
{
	ipc_out_init(o, SCOUT_PROTO_ASK, id);
	ipc_put_u8(o, (uint8_t)a->kind);
	ipc_put_str(o, a->name);
	ipc_put_u16(o, (uint16_t)a->tlsa_port);
	ipc_put_u8(o, a->sts);
}

int scout_proto_get_ask(struct ipc_in *in, struct scout_ask *a_r)
{
	*a_r = (struct scout_ask){0};

	unsigned kind = ipc_get_u8(in);

	ipc_get_str(in, a_r->name, sizeof a_r->name);
	a_r->tlsa_port = ipc_get_u16(in);

	unsigned sts = ipc_get_u8(in);

	if (ipc_end(in) < 0 || in->type != SCOUT_PROTO_ASK || kind > SCOUT_KIND_HOST || !a_r->name[0] || sts > 1)
		return -1;
	a_r->kind = (enum scout_kind)kind;
	a_r->sts = sts;
	return 0;
}

/* Set anew with problem_set, so that control octets cannot come in this way. */
static int get_problem(struct ipc_in *in, struct problem *p_r)
{
	struct problem raw;

	ipc_field_problem(in, &raw);
	*p_r = (struct problem){0};
	if (in->bad)
		return -1;
	problem_set(p_r, raw.cls, raw.code, raw.enh, raw.rfc, "%s", raw.text);
	return 0;
}

static void put_addr(struct ipc_out *o, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	if (ss->ss_family == AF_INET) {
		ipc_put_bytes(o, &in4->sin_addr, sizeof in4->sin_addr);
		return;
	}
	REQUIRE(ss->ss_family == AF_INET6);
	ipc_put_bytes(o, &in6->sin6_addr, sizeof in6->sin6_addr);
}

static int get_addr(struct ipc_in *in, struct sockaddr_storage *ss_r)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss_r;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss_r;
	size_t n;
	const uint8_t *p = ipc_get_bytes(in, &n);

	if (in->bad)
		return -1;
	if (n == sizeof in4->sin_addr) {
		in4->sin_family = AF_INET;
		memcpy(&in4->sin_addr, p, n);
		return 0;
	}
	if (n != sizeof in6->sin6_addr)
		return -1;
	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, p, n);
	return 0;
}

static void put_tlsa(struct ipc_out *o, const struct scout_hosts *all, const struct scout_host *h)
{
	REQUIRE(h->ntlsa <= SCOUT_TLSA_MAX);
	ipc_put_u8(o, (uint8_t)h->tlsa_state);
	ipc_put_str(o, h->tlsa_base);
	ipc_put_u8(o, (uint8_t)h->ntlsa);
	for (size_t i = 0; i < h->ntlsa; i++) {
		const struct scout_tlsa *t = &h->tlsa[i];

		REQUIRE((size_t)t->at + t->len <= all->noctets);
		ipc_put_u8(o, t->usage);
		ipc_put_u8(o, t->selector);
		ipc_put_u8(o, t->matching);
		ipc_put_bytes(o, all->octets + t->at, t->len);
	}
}

static int get_tlsa(struct ipc_in *in, struct scout_hosts *all, struct scout_tlsa *t_r)
{
	size_t n;
	const uint8_t *p;

	t_r->usage = ipc_get_u8(in);
	t_r->selector = ipc_get_u8(in);
	t_r->matching = ipc_get_u8(in);
	p = ipc_get_bytes(in, &n);
	if (in->bad || n > SCOUT_OCTETS_MAX - all->noctets)
		return -1;
	t_r->at = (uint16_t)all->noctets;
	t_r->len = (uint16_t)n;
	if (n)
		memcpy(all->octets + all->noctets, p, n);
	all->noctets += n;
	return 0;
}

static int get_tlsas(struct ipc_in *in, struct scout_hosts *all, struct scout_host *h_r)
{
	unsigned state = ipc_get_u8(in);

	ipc_get_str(in, h_r->tlsa_base, sizeof h_r->tlsa_base);
	h_r->ntlsa = ipc_get_u8(in);
	if (in->bad || state > SCOUT_TLSA_TEMP || h_r->ntlsa > SCOUT_TLSA_MAX)
		return -1;
	h_r->tlsa_state = (enum scout_tlsa_state)state;
	if ((state == SCOUT_TLSA_SOME) != (h_r->tlsa_base[0] != 0) || (state != SCOUT_TLSA_SOME && h_r->ntlsa > 0))
		return -1;
	for (size_t i = 0; i < h_r->ntlsa; i++) {
		if (get_tlsa(in, all, &h_r->tlsa[i]) < 0)
			return -1;
	}
	return 0;
}

static void put_host(struct ipc_out *o, const struct scout_hosts *all, const struct scout_host *h)
{
	REQUIRE(h->naddrs <= SCOUT_ADDRS_MAX);
	ipc_put_str(o, h->name);
	ipc_put_u16(o, (uint16_t)h->pref);
	ipc_put_u8(o, (uint8_t)h->naddrs);
	for (size_t i = 0; i < h->naddrs; i++)
		put_addr(o, &h->addrs[i]);
	put_tlsa(o, all, h);
	ipc_put_u8(o, h->sts_match);
}

static int get_host(struct ipc_in *in, struct scout_hosts *all, struct scout_host *h_r)
{
	ipc_get_str(in, h_r->name, sizeof h_r->name);
	h_r->pref = ipc_get_u16(in);
	h_r->naddrs = ipc_get_u8(in);
	if (in->bad || !h_r->name[0] || h_r->naddrs == 0 || h_r->naddrs > SCOUT_ADDRS_MAX)
		return -1;
	for (size_t i = 0; i < h_r->naddrs; i++) {
		if (get_addr(in, &h_r->addrs[i]) < 0)
			return -1;
	}
	if (get_tlsas(in, all, h_r) < 0)
		return -1;

	unsigned match = ipc_get_u8(in);

	h_r->sts_match = match;
	return match > 1 ? -1 : 0;
}

void scout_proto_put_hosts(struct ipc_out *o, uint32_t id, const struct scout_hosts *h)
{
	REQUIRE(h->nhosts <= SCOUT_HOSTS_MAX);
	ipc_out_init(o, SCOUT_PROTO_HOSTS, id);
	ipc_put_u8(o, (uint8_t)h->status);
	ipc_field_problem_put(o, &h->problem);
	ipc_put_u8(o, h->secure);
	ipc_put_str(o, h->domain);
	ipc_put_u8(o, (uint8_t)h->sts);
	ipc_put_u8(o, (uint8_t)h->nhosts);
	for (size_t i = 0; i < h->nhosts; i++)
		put_host(o, h, &h->hosts[i]);
}

/* OK goes with hosts and no problem; a failure goes without hosts and with a problem of its own class. */
static int consistent(const struct scout_hosts *h)
{
	enum problem_class c = h->problem.cls;

	if (h->status == SCOUT_OK)
		return h->nhosts > 0 && c == PROBLEM_NONE;
	if (h->nhosts > 0)
		return 0;
	return c == (h->status == SCOUT_TEMP ? PROBLEM_TEMP : PROBLEM_PERM);
}

static int get_fields(struct ipc_in *in, struct scout_hosts *h_r)
{
	unsigned status = ipc_get_u8(in);

	if (get_problem(in, &h_r->problem) < 0)
		return -1;

	unsigned secure = ipc_get_u8(in);

	ipc_get_str(in, h_r->domain, sizeof h_r->domain);

	unsigned sts = ipc_get_u8(in);

	h_r->nhosts = ipc_get_u8(in);
	if (in->bad || status > SCOUT_TEMP || secure > 1 || sts > SCOUT_STS_UNKNOWN || h_r->nhosts > SCOUT_HOSTS_MAX)
		return -1;
	h_r->sts = (enum scout_sts)sts;
	h_r->status = (enum scout_status)status;
	h_r->secure = secure;
	for (size_t i = 0; i < h_r->nhosts; i++) {
		if (get_host(in, h_r, &h_r->hosts[i]) < 0)
			return -1;
	}
	return consistent(h_r) ? 0 : -1;
}

int scout_proto_get_hosts(struct ipc_in *in, struct scout_hosts *h_r)
{
	*h_r = (struct scout_hosts){0};

	int r = in->type == SCOUT_PROTO_HOSTS ? get_fields(in, h_r) : -1;

	/* Always: it closes descriptors that nobody asked for. */
	if (ipc_end(in) < 0)
		r = -1;
	return r;
}
