/*
 * Role scout.
 * holds:   the DNS resolver, HTTP clients, the MTA-STS policies, the connections to directories, the passwords of
 *          ours
 * may:     ask DNS, fetch MTA-STS policies and what a URL of DNS or a certificate has, ask directories by LDAP; write
 *          its one open file of policies; answer relay and judge
 * accepts: gateway/scout/scout_proto.h and ldap_proto.h from relay, certstore/source.h from judge, answers from the
 *          network
 * never:   message content, keys, the store, opinions, exec, ptrace
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/proc.h"
#include "gateway/proc/scout_judge.h"
#include "gateway/scout/dns.h"
#include "gateway/scout/scout_ldap.h"
#include "gateway/scout/sts.h"

static struct {
	struct loop *loop;
	struct dns *dns;
	struct sts *sts; /* NULL: not wanted */
	struct scout_ldap *ldap;
	struct scout_judge sources; /* what the judge asks for */
	struct ipc_chan *relay;
	int relay_fd, judge_fd; /* given before the loop stands */
	uint64_t generation;	/* of the channel: answers to an older one are thrown away */
} me = {.relay_fd = -1, .judge_fd = -1};

static struct password {
	struct password *next;
	bool certificates; /* of a section certificate-directory; else ldap */
	char name[128];
	char *text;
	size_t n;
} * passwords;

struct question {
	uint32_t id;
	uint64_t generation;
	struct scout_ask ask;
	struct scout_hosts *hosts; /* have come, and wait for the policy */
	bool policy_came, policy_unknown;
	struct sts_policy *policy;
};

static void tell_relay(const struct question *q, const struct scout_hosts *h)
{
	struct ipc_out o;

	if (me.relay == NULL || q->generation != me.generation)
		return;
	scout_proto_put_hosts(&o, q->id, h);
	if (ipc_chan_send(me.relay, &o) != 0)
		log_warn(NULL, "scout", "cannot-answer to=relay");
}

/* Both halves are there. */
static void finish(struct question *q)
{
	struct scout_hosts *h = q->hosts;

	if (h->status == SCOUT_OK && q->policy != NULL) {
		h->sts = q->policy->mode;
		for (size_t i = 0; i < h->nhosts; i++)
			h->hosts[i].sts_match = sts_policy_match(q->policy, h->hosts[i].name);
	} else if (h->status == SCOUT_OK && q->policy_unknown) {
		h->sts = SCOUT_STS_UNKNOWN;
	}
	tell_relay(q, h);
	free(q->policy);
	free(q->hosts);
	free(q);
}

static void hosts_came(void *ctx, const struct scout_hosts *h)
{
	struct question *q = ctx;

	q->hosts = mem_new(sizeof(*h));
	*q->hosts = *h;
	if (q->policy_came)
		finish(q);
}

static void policy_came(void *ctx, const struct sts_policy *p, bool unknown)
{
	struct question *q = ctx;

	q->policy_came = true;
	q->policy_unknown = unknown;
	if (p != NULL) {
		q->policy = mem_new(sizeof(*p));
		*q->policy = *p;
	}
	if (q->hosts != NULL)
		finish(q);
}

static void ldap_answer(void *ctx, const struct ldap_proto_answer *a)
{
	struct question *q = ctx;
	struct ipc_out o;

	if (me.relay != NULL && q->generation == me.generation) {
		ldap_proto_put_answer(&o, q->id, a);
		if (ipc_chan_send(me.relay, &o) != 0)
			log_warn(NULL, "scout", "cannot-answer to=relay");
	}
	free(q);
}

static void ask_ldap(struct ipc_in *in, struct question *q)
{
	struct ldap_proto_ask m;

	if (ldap_proto_get_ask(in, &m) != 0)
		log_fatal("the relay's question to a directory cannot be read");
	scout_ldap_ask(me.ldap, &m, ldap_answer, q);
}

static void from_relay(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct question *q = mem_new(sizeof(*q));

	(void)ctx;
	(void)c;
	q->id = in->id;
	q->generation = me.generation;
	if (in->type == LDAP_PROTO_ASK) {
		ask_ldap(in, q);
		return;
	}
	if (scout_proto_get_ask(in, &q->ask) != 0)
		log_fatal("the relay's question cannot be read");
	q->policy_came = me.sts == NULL || !q->ask.sts || q->ask.kind != SCOUT_KIND_MX;
	dns_ask(me.dns, &q->ask, hosts_came, q);
	if (!q->policy_came)
		sts_ask(me.sts, q->ask.name, policy_came, q);
}

static void relay_gone(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)ctx;
	(void)why;
	ipc_chan_free(c);
	me.relay = NULL;
}

static const struct ipc_chan_ops ops = {from_relay, relay_gone};

/* Before there is a loop: kept until the directories stand. */
static int take_password(struct ipc_in *in)
{
	struct control_file m;
	struct password *p;

	if (control_file_get(in, &m) != 0)
		return -1;
	p = mem_new(sizeof(*p));
	p->certificates = in->type == CONTROL_CERT_LDAP_PASSWORD;
	memcpy(p->name, m.name, sizeof(p->name));
	p->text = mem_dup(m.p, m.n);
	p->n = m.n;
	p->next = passwords;
	passwords = p;
	return 0;
}

static void make_directories(const struct conf *c)
{
	const char *name;

	me.ldap = scout_ldap_new(me.loop, me.dns);
	for (size_t i = 0; i < conf_directories(c); i++) {
		const struct ldap_settings *set = conf_directory(c, i, &name);

		scout_ldap_add(me.ldap, name, set);
	}
	me.sources.ldap = source_ldap_new(me.loop, me.dns, conf_section(c, "sources"), conf_top(c)->tls_ca_file);
	for (size_t i = 0; i < conf_cert_directories(c); i++) {
		const struct ldap_cert_settings *set = conf_cert_directory(c, i, &name);

		source_ldap_add(me.sources.ldap, name, set);
	}
	while (passwords != NULL) {
		struct password *p = passwords;

		passwords = p->next;
		if (p->certificates)
			source_ldap_password(me.sources.ldap, p->name, p->text, p->n);
		else
			scout_ldap_password(me.ldap, p->name, p->text, p->n);
		mem_free_secret(p->text, p->n);
		free(p);
	}
}

static void peer(const struct control_peer *p)
{
	if (me.loop == NULL) {
		*(p->role == ROLE_RELAY ? &me.relay_fd : &me.judge_fd) = p->fd;
	} else if (p->role == ROLE_JUDGE) {
		scout_judge_channel(me.loop, &me.sources, p->fd);
	} else {
		ipc_chan_free(me.relay);
		me.generation++;
		me.relay = ipc_chan_new(me.loop, p->fd, &ops, NULL);
	}
}

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;

	(void)c;
	if (in->type == CONTROL_STOP) {
		loop_stop(me.loop);
		return 0;
	}
	if ((in->type == CONTROL_LDAP_PASSWORD || in->type == CONTROL_CERT_LDAP_PASSWORD) && me.loop == NULL)
		return take_password(in);
	if (in->type != CONTROL_PEER || control_peer_get(in, &p) != 0)
		return -1;
	if (p.role != ROLE_RELAY && p.role != ROLE_JUDGE)
		log_fatal("the parent connected a role that has no business here");
	peer(&p);
	return 0;
}

/* Opened while files can be; later there is only this descriptor. */
static int policies_file(const struct conf_top *top)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/scout/mta-sts", top->data_directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		log_warn(NULL, "scout", "mta-sts why=\"%s: %s; policies are not kept over a restart\"", path,
		    strerror(errno));
	return fd;
}

static void make_sts(struct child *c)
{
	const struct sts_settings *set = conf_section(c->conf, "mta-sts");
	const struct conf_top *top = conf_top(c->conf);

	if (set->enabled)
		me.sts = sts_new(me.loop, me.dns, set, top->tls_ca_file, policies_file(top));
}

static int run(struct child *c)
{
	struct problem pr = {0};
	/* threads: libldap waits (ldap/ldap_find.h, ldap/ldap_cert.h) */
	const struct sandbox s = {.net = SANDBOX_NET_CLIENT, .threads = true};

	me.loop = loop_new();
	me.dns = dns_new(me.loop, conf_section(c->conf, "dns"), &pr);
	if (me.dns == NULL)
		log_fatal("%s", pr.text);
	make_sts(c);
	make_directories(c->conf);
	me.sources.dns = source_dns_new(me.loop, me.dns);
	me.sources.http =
	    source_http_new(me.loop, me.dns, conf_section(c->conf, "sources"), conf_top(c->conf)->tls_ca_file);
	child_control(c, me.loop, &proc_scout_role);
	child_sandbox(c, &s);
	if (me.relay_fd >= 0)
		me.relay = ipc_chan_new(me.loop, me.relay_fd, &ops, NULL);
	if (me.judge_fd >= 0)
		scout_judge_channel(me.loop, &me.sources, me.judge_fd);
	child_ready(c);
	loop_run(me.loop);
	return 0;
}

const struct child_role proc_scout_role = {message, run};
