/*
 * libunbound as we want it: a validating iterator on our event base. Role scout, before its sandbox. RFC 4033-4035.
 *
 * The default trust anchor is the root's two keys (IANA, key tags 20326 and 38696), so that a machine without any
 * anchor file still validates: "no anchor" would mean "no validation" without a word.
 */
#include "gateway/scout/dns_resolver.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound-event.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { ANCHORS_MAX = 256 * 1024, ANCHOR_LINE = 4096 };

static const char *const root_anchors[] = {
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

static int refused(int r, const char *what, const char *value, struct problem *pr)
{
	if (r == 0)
		return 0;
	return problem_temp(pr, "dns: the resolver refuses %s \"%s\": %s", what, value, ub_strerror(r));
}

static int set_option(struct ub_ctx *u, const char *name, const char *value, struct problem *pr)
{
	return refused(ub_ctx_set_option(u, name, value), name, value, pr);
}

/* One line of the file without its comment; 1 when there is a record in it, -1 when too long. */
static int anchor_line(const char *p, size_t n, char out[ANCHOR_LINE])
{
	const char *comment = memchr(p, ';', n);

	if (comment)
		n = (size_t)(comment - p);
	while (n > 0 && strchr(" \t\r", p[n - 1]))
		n--;
	if (n >= ANCHOR_LINE)
		return -1;
	memcpy(out, p, n);
	out[n] = 0;
	return strspn(out, " \t") < n;
}

void dns_resolver_anchors_free(struct dns_resolver_anchors *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
	*a = (struct dns_resolver_anchors){0};
}

static int add_anchor(struct ub_ctx *u, const char *line, struct dns_resolver_anchors *a, struct problem *pr)
{
	const char *name = line + strspn(line, " \t");
	size_t n = strcspn(name, " \t");
	char *kept;

	if (refused(ub_ctx_add_ta(u, line), "the trust anchor", line, pr) < 0)
		return -1;
	if (n > 0 && name[n - 1] == '.')
		n--;
	kept = mem_dup(name, n);
	for (size_t i = 0; i < n; i++)
		kept[i] = (char)tolower((unsigned char)kept[i]);
	a->v = mem_resize(a->v, (a->n + 1) * sizeof *a->v);
	a->v[a->n++] = kept;
	return 0;
}

static int add_anchor_lines(
    struct ub_ctx *u, const char *file, const struct buf *b, struct dns_resolver_anchors *a, struct problem *pr)
{
	char line[ANCHOR_LINE];
	size_t count = 0;
	const char *p = buf_str(b), *end = p + b->len;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);
		int r = memchr(p, 0, n) ? -1 : anchor_line(p, n, line);

		if (r < 0)
			return problem_temp(
			    pr, "dns: trust-anchor-file %s is not a list of DS or DNSKEY records", file);
		if (r && add_anchor(u, line, a, pr) < 0)
			return -1;
		count += (size_t)r;
		p += n + (nl ? 1 : 0);
	}
	if (count == 0)
		return problem_temp(pr,
		    "dns: trust-anchor-file %s holds no DS or DNSKEY record; leave the setting out for the root's "
		    "keys, "
		    "or write \"none\" to go without validation",
		    file);
	return 0;
}

static int add_anchors(
    struct ub_ctx *u, const struct dns_settings *set, struct dns_resolver_anchors *a, struct problem *pr)
{
	const char *file = set->trust_anchor_file ? set->trust_anchor_file : "";
	struct buf b;

	for (size_t i = 0; !*file && i < sizeof root_anchors / sizeof root_anchors[0]; i++) {
		if (add_anchor(u, root_anchors[i], a, pr) < 0)
			return -1;
	}
	if (!*file)
		return 0;
	buf_init(&b, ANCHORS_MAX);

	int r = file_read(file, &b, pr);

	r = r < 0 ? problem_prefix(pr, "dns: trust-anchor-file: ") : add_anchor_lines(u, file, &b, a, pr);
	buf_clear(&b);
	return r;
}

/* With the module left out an anchor would be ignored in silence; so the module is ours to set, never libunbound's.
 */
static int set_validation(
    struct ub_ctx *u, const struct dns_settings *set, struct dns_resolver_anchors *a, struct problem *pr)
{
	if (set->trust_anchor_file && strcmp(set->trust_anchor_file, "none") == 0) {
		log_warn(NULL, "dns", "no-validation setting=trust-anchor-file");
		return set_option(u, "module-config:", "iterator", pr);
	}
	if (set_option(u, "module-config:", "validator iterator", pr) < 0)
		return -1;
	return add_anchors(u, set, a, pr);
}

static int set_servers(struct ub_ctx *u, const struct dns_settings *set, int *loopback_r, struct problem *pr)
{
	for (size_t i = 0; i < set->forwards.n; i++) {
		const char *s = set->forwards.v[i];
		int local = dns_settings_server(s, pr);

		if (local < 0 || refused(ub_ctx_set_fwd(u, s), "the forward", s, pr) < 0)
			return -1;
		*loopback_r |= local;
	}
	for (size_t i = 0; i < set->stubs.n; i++) {
		const char *s = set->stubs.v[i], *server;
		char zone[256];

		if (dns_settings_stub(s, zone, &server, pr) < 0 ||
		    refused(ub_ctx_set_stub(u, zone, server, 0), "the stub", s, pr) < 0)
			return -1;
		*loopback_r |= dns_settings_server(server, pr);
	}
	return 0;
}

static void nothing(void *ctx, int rcode, void *packet, int n, int sec, char *why, int limited)
{
	(void)ctx, (void)rcode, (void)packet, (void)n, (void)sec, (void)why, (void)limited;
}

/*
 * libunbound reads anchors and root hints, seeds its randomness and makes its worker with the first question: that
 * one is asked here, while files may still be opened. "localhost." is answered from built-in data, without the
 * network. Zones that it answers NXDOMAIN by itself (RFC 6761) are let through where the admin names servers of his
 * own.
 */
static int warm_up(struct ub_ctx *u, const struct dns_settings *set, struct problem *pr)
{
	int r = 0;

	if (set->forwards.n + set->stubs.n > 0)
		r = ub_ctx_zone_remove(u, "test.");
	if (r == 0)
		r = ub_resolve_event(u, "localhost.", 1, 1, NULL, nothing, NULL);
	if (r)
		return problem_temp(pr,
		    "dns: the resolver does not start: %s; check trust-anchor-file (DS or DNSKEY records, one a "
		    "line)",
		    ub_strerror(r));
	return 0;
}

/* libunbound's own defaults are those of a program with one question at a time. */
static int set_number(struct ub_ctx *u, const char *name, int64_t n, struct problem *pr)
{
	char text[24];

	if (n == 0)
		return 0;
	(void)snprintf(text, sizeof text, "%lld", (long long)n);
	return set_option(u, name, text, pr);
}

static int configure(
    struct ub_ctx *u, const struct dns_settings *set, struct dns_resolver_anchors *a, struct problem *pr)
{
	int loopback = 0;

	/* Its own lines would not have the form of our log; what matters comes back with the answers. */
	(void)ub_ctx_debugout(u, NULL);
	if (set_validation(u, set, a, pr) < 0 || set_servers(u, set, &loopback, pr) < 0)
		return -1;
	if (loopback && set_option(u, "do-not-query-localhost:", "no", pr) < 0)
		return -1;
	if (set_number(u, "outgoing-range:", set->sockets, pr) < 0 ||
	    set_number(u, "outgoing-num-tcp:", set->tcp_connections, pr) < 0)
		return -1;
	return warm_up(u, set, pr);
}

struct ub_ctx *dns_resolver_new(
    struct loop *l, const struct dns_settings *set, struct dns_resolver_anchors *anchors_r, struct problem *pr)
{
	struct ub_ctx *u = ub_ctx_create_event(loop_base(l));

	*anchors_r = (struct dns_resolver_anchors){0};

	if (!u)
		log_fatal("dns: libunbound gives no context");
	if (configure(u, set, anchors_r, pr) < 0) {
		dns_resolver_anchors_free(anchors_r);
		ub_ctx_delete(u);
		return NULL;
	}
	return u;
}
