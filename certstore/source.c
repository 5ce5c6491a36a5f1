/*
 * Questions to the network and their answers as IPC fields, and asking in a run. Roles judge, scout. RFC 1035
 * (names).
 *
 * The decoder of answers re-checks what the struct promises: scout parses what strangers send and may have been taken
 * over. Octets that do not fit a packet come as a memory file: it is believed only when it is sealed, because its
 * maker could change or cut it while it is read.
 */
#include "certstore/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certstore/trace.h"
#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum {
	INLINE_MAX = 64 * 1024, /* octets of all items */
	TIMEOUT_MAX = 600 * 1000,
	DNS_LABEL_MAX = 63,
	DNS_TEXT_MAX = 253,
};

/* ---- questions ---- */

static int refuse(char *why, size_t cap, const char *text)
{
	(void)snprintf(why, cap, "%s", text);
	return -1;
}

/* Labels of 1 to 63 octets. */
static int check_dns(const struct source_ask *a, char *why, size_t cap)
{
	size_t n = strlen(a->name), label = 0;

	if (n == 0 || n > DNS_TEXT_MAX)
		return refuse(why, cap, "a DNS name has 1 to 253 octets");
	for (size_t i = 0; i <= n; i++) {
		if (i < n && a->name[i] != '.') {
			label++;
			continue;
		}
		if (label == 0 || label > DNS_LABEL_MAX)
			return refuse(why, cap, "a label of a DNS name has 1 to 63 octets");
		label = 0;
	}
	return a->type != 0 ? 0 : refuse(why, cap, "the DNS type is missing");
}

static bool begins(const char *s, const char *with)
{
	return strncasecmp(s, with, strlen(with)) == 0 && s[strlen(with)] != '\0';
}

static bool printable(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

static int check_ldap(const struct source_ask *a, char *why, size_t cap)
{
	if (a->mail[0] == '\0')
		return refuse(why, cap, "the address to find in the directory is missing");
	if (a->directory[0] != '\0')
		return 0;
	if (!printable(a->name) || (!begins(a->name, "ldap://") && !begins(a->name, "ldaps://")))
		return refuse(why, cap, "the directory is neither one of the configuration nor an ldap or ldaps URL");
	return 0;
}

static int check_http(const struct source_ask *a, char *why, size_t cap)
{
	if (!printable(a->name) || (!begins(a->name, "http://") && !begins(a->name, "https://")))
		return refuse(why, cap, "the URL is not an http or https one of printable octets");
	if (a->nbody > SOURCE_BODY_MAX)
		return refuse(why, cap, "what would be posted is too long");
	return 0;
}

int source_ask_check(const struct source_ask *a, char *why, size_t cap)
{
	if (a->chosen != SOURCE_BY_ADMIN && a->chosen != SOURCE_BY_STRANGER)
		return refuse(why, cap, "it is not said who chose the place");
	if (a->max == 0 || a->max > SOURCE_OCTETS_MAX)
		return refuse(why, cap, "the most octets wanted are missing or too many");
	if (a->timeout_ms == 0 || a->timeout_ms > TIMEOUT_MAX)
		return refuse(why, cap, "the time limit is missing or too long");
	switch (a->kind) {
	case SOURCE_DNS:
		return check_dns(a, why, cap);
	case SOURCE_LDAP:
		return check_ldap(a, why, cap);
	case SOURCE_HTTP:
		return check_http(a, why, cap);
	}
	return refuse(why, cap, "it is of no known kind");
}

static void dns_words(const struct source_ask *a, char *out, size_t cap)
{
	static const struct {
		uint16_t type;
		const char *word;
	} types[] = {{1, "A"}, {16, "TXT"}, {28, "AAAA"}, {33, "SRV"}, {37, "CERT"}, {53, "SMIMEA"}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == a->type) {
			(void)snprintf(out, cap, "%s %s", a->name, types[i].word);
			return;
		}
	(void)snprintf(out, cap, "%s TYPE%u", a->name, a->type);
}

void source_ask_words(const struct source_ask *a, char *out, size_t cap)
{
	if (a->kind == SOURCE_DNS)
		dns_words(a, out, cap);
	else if (a->kind == SOURCE_LDAP && a->directory[0] != '\0')
		(void)snprintf(out, cap, "directory \"%s\" (mail=%s)", a->directory, a->mail);
	else if (a->kind == SOURCE_LDAP)
		(void)snprintf(out, cap, "%s (mail=%s)", a->name, a->mail);
	else if (a->nbody > 0)
		(void)snprintf(out, cap, "POST %s (%zu octets)", a->name, a->nbody);
	else
		(void)snprintf(out, cap, "GET %s", a->name);
}

void source_ask_put(struct ipc_out *o, uint32_t id, const struct source_ask *a)
{
	bool dns = a->kind == SOURCE_DNS, ldap = a->kind == SOURCE_LDAP, http = a->kind == SOURCE_HTTP;

	ipc_out_init(o, SOURCE_PROTO_ASK, id);
	ipc_put_u8(o, (uint8_t)a->kind);
	ipc_put_u8(o, (uint8_t)a->chosen);
	ipc_put_str(o, ldap && a->directory[0] != '\0' ? "" : a->name);
	ipc_put_u16(o, dns ? a->type : 0);
	ipc_put_str(o, ldap ? a->mail : "");
	ipc_put_str(o, ldap ? a->directory : "");
	ipc_put_bytes(o, a->body, http ? a->nbody : 0);
	ipc_put_str(o, http && a->nbody > 0 ? a->type_sent : "");
	ipc_put_str(o, http ? a->type_wanted : "");
	ipc_put_u32(o, a->max);
	ipc_put_u32(o, a->timeout_ms);
}

static bool has_foreign(const struct source_ask *a)
{
	if (a->kind != SOURCE_DNS && a->type != 0)
		return true;
	if (a->kind != SOURCE_LDAP && (a->mail[0] != '\0' || a->directory[0] != '\0'))
		return true;
	if (a->kind == SOURCE_LDAP && a->directory[0] != '\0' && a->name[0] != '\0')
		return true;
	if (a->nbody == 0 && a->type_sent[0] != '\0')
		return true;
	return a->kind != SOURCE_HTTP && (a->nbody > 0 || a->type_wanted[0] != '\0');
}

int source_ask_get(struct ipc_in *in, struct source_ask *a_r)
{
	const uint8_t *p;
	char why[200];

	memset(a_r, 0, sizeof(*a_r));
	a_r->kind = (enum source_kind)ipc_get_u8(in);
	a_r->chosen = (enum source_chosen)ipc_get_u8(in);
	ipc_get_str(in, a_r->name, sizeof(a_r->name));
	a_r->type = ipc_get_u16(in);
	ipc_get_str(in, a_r->mail, sizeof(a_r->mail));
	ipc_get_str(in, a_r->directory, sizeof(a_r->directory));
	p = ipc_get_bytes(in, &a_r->nbody);
	if (a_r->nbody > SOURCE_BODY_MAX)
		in->bad = true;
	else
		memcpy(a_r->body, p, a_r->nbody);
	ipc_get_str(in, a_r->type_sent, sizeof(a_r->type_sent));
	ipc_get_str(in, a_r->type_wanted, sizeof(a_r->type_wanted));
	a_r->max = ipc_get_u32(in);
	a_r->timeout_ms = ipc_get_u32(in);
	if (ipc_end(in) != 0 || in->type != SOURCE_PROTO_ASK || has_foreign(a_r))
		return -1;
	return source_ask_check(a_r, why, sizeof(why));
}

/* ---- answers ---- */

void source_answer_set(struct source_answer *r, enum source_status s, const char *fmt, ...)
{
	va_list ap;

	memset(r, 0, sizeof(*r));
	r->status = s;
	va_start(ap, fmt);
	(void)vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

static size_t octets_of(const struct source_answer *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->items[i].n;
	return n;
}

/* One run of octets: the items behind each other. -1 errno. */
static int as_file(const struct source_answer *r, size_t n)
{
	struct buf b;
	int fd, saved;

	buf_init(&b, n);
	for (size_t i = 0; i < r->n; i++)
		REQUIRE(buf_add(&b, r->items[i].p, r->items[i].n) == 0);
	fd = file_memfd("postern-answer", b.p, b.len);
	saved = errno;
	buf_clear_public(&b);
	errno = saved;
	return fd;
}

int source_answer_put(struct ipc_out *o, uint32_t id, const struct source_answer *r, int *fd_r)
{
	size_t n = octets_of(r);

	REQUIRE(r->n <= SOURCE_ITEMS_MAX && n <= SOURCE_OCTETS_MAX);
	*fd_r = -1;
	ipc_out_init(o, SOURCE_PROTO_ANSWER, id);
	ipc_put_u8(o, (uint8_t)r->status);
	ipc_put_u8(o, (uint8_t)r->dnssec);
	ipc_put_u32(o, r->ttl);
	ipc_put_u32(o, r->took_ms);
	ipc_put_u16(o, r->code);
	ipc_put_str(o, r->where);
	ipc_put_str(o, r->media);
	ipc_put_str(o, r->why);
	ipc_put_u8(o, r->more);
	ipc_put_u16(o, (uint16_t)r->n);
	for (size_t i = 0; i < r->n; i++) {
		ipc_put_u32(o, (uint32_t)r->items[i].n);
		ipc_put_str(o, r->items[i].attribute);
	}
	ipc_put_u8(o, n > INLINE_MAX);
	if (n <= INLINE_MAX) {
		for (size_t i = 0; i < r->n; i++)
			ipc_put_bytes(o, r->items[i].p, r->items[i].n);
		return 0;
	}
	*fd_r = as_file(r, n);
	if (*fd_r < 0) {
		ipc_out_clear(o);
		return -1;
	}
	ipc_put_fd(o, *fd_r);
	return 0;
}

/* For people: it comes from strangers' servers. */
static void get_text(struct ipc_in *in, char *dst, size_t cap)
{
	ipc_get_str(in, dst, cap);
	for (; *dst != '\0'; dst++)
		if ((unsigned char)*dst < ' ' || *dst == 0x7f)
			*dst = '?';
}

static void get_items(struct ipc_in *in, struct source_answer *r)
{
	size_t all = 0;

	r->n = ipc_get_u16(in);
	if (r->n > SOURCE_ITEMS_MAX) {
		r->n = 0;
		in->bad = true;
	}
	for (size_t i = 0; i < r->n; i++) {
		r->items[i].n = ipc_get_u32(in);
		get_text(in, r->items[i].attribute, sizeof(r->items[i].attribute));
		if (r->items[i].n > SOURCE_OCTETS_MAX - all) {
			r->items[i].n = 0;
			in->bad = true;
		}
		all += r->items[i].n;
	}
}

static int read_whole(int fd, uint8_t *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = pread(fd, p + at, n - at, (off_t)at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		at += (size_t)k;
	}
	return 0;
}

static const uint8_t *from_file(int fd, struct arena *a, size_t n)
{
	const int must = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;
	uint8_t *p;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)n ||
	    (fcntl(fd, F_GET_SEALS) & must) != must)
		return NULL;
	p = arena_alloc(a, n);
	return p != NULL && read_whole(fd, p, n) == 0 ? p : NULL;
}

static void get_file(struct ipc_in *in, struct arena *a, struct source_answer *r)
{
	int fd = ipc_get_fd(in);
	const uint8_t *p = from_file(fd, a, octets_of(r));

	if (fd >= 0)
		close(fd);
	if (p == NULL)
		in->bad = true;
	for (size_t i = 0; p != NULL && i < r->n; i++) {
		r->items[i].p = p;
		p += r->items[i].n;
	}
}

static void get_inline(struct ipc_in *in, struct arena *a, struct source_answer *r)
{
	for (size_t i = 0; i < r->n; i++) {
		size_t n;
		const uint8_t *p = ipc_get_bytes(in, &n);

		if (!in->bad && n == r->items[i].n)
			r->items[i].p = (const uint8_t *)arena_dup(a, p, n);
		if (r->items[i].p == NULL)
			in->bad = true;
	}
}

static bool fits_together(const struct source_answer *r)
{
	switch (r->status) {
	case SOURCE_FOUND:
		return r->n > 0 && r->dnssec <= SOURCE_SECURE;
	case SOURCE_NONE:
		return r->n == 0 && !r->more && r->dnssec <= SOURCE_SECURE;
	case SOURCE_TEMP:
		return r->n == 0 && !r->more && r->dnssec <= SOURCE_UNKNOWN;
	}
	return false;
}

int source_answer_get(struct ipc_in *in, struct arena *a, struct source_answer *r_r)
{
	unsigned more, file;

	memset(r_r, 0, sizeof(*r_r));
	r_r->status = (enum source_status)ipc_get_u8(in);
	r_r->dnssec = (enum source_dnssec)ipc_get_u8(in);
	r_r->ttl = ipc_get_u32(in);
	r_r->took_ms = ipc_get_u32(in);
	r_r->code = ipc_get_u16(in);
	get_text(in, r_r->where, sizeof(r_r->where));
	get_text(in, r_r->media, sizeof(r_r->media));
	get_text(in, r_r->why, sizeof(r_r->why));
	more = ipc_get_u8(in);
	r_r->more = more == 1;
	get_items(in, r_r);
	file = ipc_get_u8(in);
	if (file == 1 && !in->bad)
		get_file(in, a, r_r);
	else if (file == 0)
		get_inline(in, a, r_r);
	if (ipc_end(in) != 0 || in->type != SOURCE_PROTO_ANSWER || more > 1 || file > 1)
		return -1;
	return fits_together(r_r) ? 0 : -1;
}

/* ---- in a run ---- */

/* What is known before anybody is asked. One answer of each suffices, as runs do not overlap. */
enum refused { NOBODY, TOO_MANY, TOO_LATE, ODD, REFUSALS };

static const struct source_answer *refused(enum refused what, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static const struct source_answer *refused(enum refused what, const char *fmt, ...)
{
	static struct source_answer all[REFUSALS];
	char text[sizeof(all[0].why)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	source_answer_set(&all[what], SOURCE_TEMP, "%s", text);
	all[what].dnssec = SOURCE_UNKNOWN;
	return &all[what];
}

static const char *dnssec_word(const struct source_ask *a, const struct source_answer *r)
{
	static const char *const words[] = {[SOURCE_SECURE] = "secure",
	    [SOURCE_BOGUS] = "bogus",
	    [SOURCE_SIGNED_SILENT] = "signed",
	    [SOURCE_UNKNOWN] = ""};

	if (r->dnssec == SOURCE_UNSIGNED)
		return a->kind == SOURCE_DNS && r->status != SOURCE_TEMP ? "unsigned" : "";
	return words[r->dnssec];
}

static void write_down(
    struct source_run *r, const char *place, const struct source_ask *a, const struct source_answer *w)
{
	char query[600];
	struct trace_step *s;

	if (r->trace == NULL)
		return;
	source_ask_words(a, query, sizeof(query));
	s = trace_add(r->trace, place, "%s", query);
	if (s == NULL)
		return;
	s->pending = w == NULL;
	if (w == NULL) {
		(void)snprintf(s->answer, sizeof(s->answer), "asked; no answer yet");
		return;
	}
	if (w->status == SOURCE_FOUND)
		(void)snprintf(s->answer, sizeof(s->answer), "%zu found, %zu octets%s%s%s", w->n, octets_of(w),
		    w->more ? ", and more that are left out" : "", w->where[0] != '\0' ? ", from " : "", w->where);
	else
		(void)snprintf(s->answer, sizeof(s->answer), "%s%s%s",
		    w->status == SOURCE_NONE ? "none" : "no answer that counts", w->why[0] != '\0' ? ": " : "",
		    w->why);
	(void)snprintf(s->dnssec, sizeof(s->dnssec), "%s", dnssec_word(a, w));
	s->took_ms = w->took_ms;
	if (w->at != 0) {
		s->age_s = r->now > w->at ? r->now - w->at : 0;
		s->ttl_s = s->age_s < w->ttl ? w->ttl - s->age_s : 0;
	}
}

/* NULL: pending. */
static const struct source_answer *answer_of(struct source_run *r, const struct source_ask *a)
{
	const struct source_answer *w;
	char why[200];

	if (source_ask_check(a, why, sizeof(why)) != 0)
		return refused(ODD, "this cannot be asked: %s", why);
	if (r->asked >= r->max)
		return refused(TOO_MANY, "this one question has led to %u others, and no more are asked", r->max);
	r->asked++;
	w = r->get(r, a);
	if (w == NULL && r->over)
		return refused(TOO_LATE, "no answer in time");
	if (w == NULL)
		r->pending++;
	return w;
}

const struct source_answer *source_get(struct source_run *r, const char *place, const struct source_ask *a)
{
	const struct source_answer *w;

	if (r == NULL)
		return refused(NOBODY, "the network is not asked for this");
	w = answer_of(r, a);
	write_down(r, place, a, w);
	return w;
}
