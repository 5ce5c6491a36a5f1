/*
 * Role scout. The file is one line with the SHA-256 of the rest, then for each domain a line "domain id seconds
 * octets" and the policy as text, least recently used first. It is written in place, through a descriptor that was
 * opened before the sandbox: a write cut short does not match its sum, and costs the memory of the policies, nothing
 * else.
 */
#include "gateway/scout/sts_cache.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/address.h"

enum {
	HASH = 4096,
	SHARE = 8, /* of the room: a part of so many */
	SUM_LINE = 2 * SHA256_DIGEST_LENGTH + 1,
	HEAD_MAX = 400,
	POLICY_TEXT_MAX = 20 * 1024,
	FILE_OCTETS_MAX = 1500 * 1000 * 1000
};

struct entry {
	struct entry *chain;	     /* same hash */
	struct entry *newer, *older; /* by use, of the same kind */
	char *domain, *text;
	size_t n;
	char id[STS_POLICY_ID_MAX + 1];
	int64_t fetched, ends;
	bool enforce;
};
struct kind {
	struct entry *newest, *oldest;
};
/* What the names below one organisational domain have, of mode enforce. Those that fall together by their hash have
 * one between them: there are far more than fill the room. */
struct share {
	size_t n, octets;
};
struct sts_cache {
	struct entry *chains[HASH];
	struct kind kinds[2]; /* by enforce */
	struct share shares[HASH];
	size_t n, max, octets;
	int64_t max_age;
	int64_t next_end; /* no policy with mode enforce ends before it */
	uint64_t seed;
};

struct sts_cache *sts_cache_new(size_t max, int64_t max_age)
{
	struct sts_cache *c = mem_new(sizeof *c);

	c->max = max;
	c->max_age = max_age;
	c->next_end = INT64_MAX;
	arc4random_buf(&c->seed, sizeof c->seed);
	return c;
}

static size_t hash(const struct sts_cache *c, const char *name)
{
	uint64_t h = c->seed ^ 0xcbf29ce484222325u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3u;
	return (h ^ h >> 32) % HASH;
}

static struct entry **chain_of(struct sts_cache *c, const char *domain)
{
	return &c->chains[hash(c, domain)];
}

/* By the last two labels. Where names are registered below three, all of them have one share. */
static struct share *share_of(struct sts_cache *c, const char *domain)
{
	const char *from = domain, *dot = domain;

	while ((dot = strchr(dot, '.')) != NULL) {
		dot++;
		if (!strchr(dot, '.'))
			break;
		from = dot;
	}
	return &c->shares[hash(c, from)];
}

static void share_add(struct sts_cache *c, const struct entry *e)
{
	struct share *s = share_of(c, e->domain);

	if (!e->enforce)
		return;
	s->n++;
	s->octets += e->n;
}

static void share_take(struct sts_cache *c, const struct entry *e)
{
	struct share *s = share_of(c, e->domain);

	if (!e->enforce)
		return;
	s->n--;
	s->octets -= e->n;
}

static void unlink_use(struct sts_cache *c, struct entry *e)
{
	struct kind *k = &c->kinds[e->enforce];

	*(e->newer ? &e->newer->older : &k->newest) = e->older;
	*(e->older ? &e->older->newer : &k->oldest) = e->newer;
}

static void link_newest(struct sts_cache *c, struct entry *e)
{
	struct kind *k = &c->kinds[e->enforce];

	e->newer = NULL;
	e->older = k->newest;
	*(e->older ? &e->older->newer : &k->oldest) = e;
	k->newest = e;
}

static struct entry *find(struct sts_cache *c, const char *domain)
{
	for (struct entry *e = *chain_of(c, domain); e; e = e->chain) {
		if (strcmp(e->domain, domain) == 0)
			return e;
	}
	return NULL;
}

static void drop(struct sts_cache *c, struct entry *e)
{
	struct entry **at = chain_of(c, e->domain);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_use(c, e);
	share_take(c, e);
	c->n--;
	c->octets -= e->n;
	free(e->domain);
	free(e->text);
	free(e);
}

static void drop_all(struct sts_cache *c)
{
	for (int i = 0; i < 2; i++) {
		for (struct entry *e = c->kinds[i].newest, *next; e; e = next) {
			next = e->older;
			drop(c, e);
		}
	}
}

/* Of those with mode enforce. False: none has ended. */
static bool drop_ended(struct sts_cache *c, int64_t now)
{
	bool any = false;

	if (now < c->next_end)
		return false;
	c->next_end = INT64_MAX;
	for (struct entry *e = c->kinds[true].newest, *next; e; e = next) {
		next = e->older;
		if (e->ends <= now) {
			drop(c, e);
			any = true;
		} else if (e->ends < c->next_end) {
			c->next_end = e->ends;
		}
	}
	return any;
}

/* Would n octets more of mode enforce be more than the names below that organisational domain may have? One policy is
 * never too many. e: what is known of the domain. */
static bool share_full(struct sts_cache *c, const char *domain, const struct entry *e, size_t n)
{
	struct share s = *share_of(c, domain);

	if (e && e->enforce) {
		s.n--;
		s.octets -= e->n;
	}
	return s.n > 0 && (s.n > c->max / SHARE || s.octets + n > c->max * STS_CACHE_OCTETS / SHARE);
}

/* For n octets of this domain, which take the place of what is known of it. */
static bool make_room(struct sts_cache *c, const char *domain, bool enforce, size_t n, int64_t now)
{
	for (;;) {
		const struct entry *e = find(c, domain);

		if (enforce && share_full(c, domain, e, n)) {
			if (!drop_ended(c, now))
				return false;
			continue;
		}
		if (c->n - (e ? 1 : 0) < c->max && c->octets - (e ? e->n : 0) + n <= c->max * STS_CACHE_OCTETS)
			return true;
		if (c->kinds[false].oldest)
			drop(c, c->kinds[false].oldest);
		else if (!drop_ended(c, now))
			return false;
	}
}

/* The text of k->policy. */
static bool put_text(
    struct sts_cache *c, const char *domain, const struct sts_known *k, const void *text, size_t n, int64_t now)
{
	struct entry *e, **at = chain_of(c, domain);

	if (!make_room(c, domain, k->policy.mode == SCOUT_STS_ENFORCE, n, now))
		return false;
	e = find(c, domain);
	if (e)
		drop(c, e);
	e = mem_new(sizeof *e);
	e->domain = mem_str(domain);
	e->text = mem_new(n + 1);
	memcpy(e->text, text, n);
	e->n = n;
	e->fetched = k->fetched;
	e->ends = k->fetched + (k->policy.max_age < c->max_age ? k->policy.max_age : c->max_age);
	e->enforce = k->policy.mode == SCOUT_STS_ENFORCE;
	if (e->enforce && e->ends < c->next_end)
		c->next_end = e->ends;
	memcpy(e->id, k->id, sizeof e->id);
	e->chain = *at;
	*at = e;
	link_newest(c, e);
	share_add(c, e);
	c->n++;
	c->octets += n;
	return true;
}

bool sts_cache_put(struct sts_cache *c, const char *domain, const struct sts_known *k, int64_t now)
{
	struct buf b;
	bool kept;

	buf_init(&b, POLICY_TEXT_MAX);
	/* 64 names of 255 octets fit */
	REQUIRE(sts_policy_put(&k->policy, &b) == 0);
	kept = put_text(c, domain, k, b.p, b.len, now);
	buf_clear(&b);
	return kept;
}

bool sts_cache_get(struct sts_cache *c, const char *domain, struct sts_known *k_r)
{
	struct entry *e = find(c, domain);
	const char *why;

	if (!e)
		return false;
	REQUIRE(sts_policy_parse(e->text, e->n, &k_r->policy, &why) == 0);
	memcpy(k_r->id, e->id, sizeof k_r->id);
	k_r->fetched = e->fetched;
	unlink_use(c, e);
	link_newest(c, e);
	return true;
}

size_t sts_cache_count(const struct sts_cache *c)
{
	return c->n;
}

void sts_cache_free(struct sts_cache *c)
{
	if (!c)
		return;
	drop_all(c);
	free(c);
}

/* ---- the file ---- */

static void sum_line(const void *p, size_t n, char out[SUM_LINE + 1])
{
	uint8_t sum[SHA256_DIGEST_LENGTH];

	SHA256(p, n, sum);
	for (size_t i = 0; i < sizeof sum; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
	memcpy(out + SUM_LINE - 1, "\n", 2);
}

static int write_all(int fd, const void *p, size_t n, off_t off)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t r = pwrite(fd, at, n, off);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return -1;
		at += r;
		off += r;
		n -= (size_t)r;
	}
	return 0;
}

static int put_all(const struct sts_cache *c, struct buf *b)
{
	for (int i = 0; i < 2; i++) {
		for (const struct entry *e = c->kinds[i].oldest; e; e = e->newer) {
			if (buf_addf(b, "%s %s %" PRId64 " %zu\n", e->domain, e->id, e->fetched, e->n) < 0 ||
			    buf_add(b, e->text, e->n) < 0)
				return -1;
		}
	}
	return 0;
}

static size_t file_max(const struct sts_cache *c)
{
	return c->max * (STS_CACHE_OCTETS + (size_t)HEAD_MAX);
}

int sts_cache_write(const struct sts_cache *c, int fd, struct problem *pr)
{
	char sum[SUM_LINE + 1];
	struct buf b;
	int r;

	buf_init(&b, file_max(c));
	REQUIRE(put_all(c, &b) == 0);
	sum_line(b.len ? b.p : (const uint8_t *)"", b.len, sum);
	r = write_all(fd, sum, SUM_LINE, 0) == 0 && (!b.len || write_all(fd, b.p, b.len, SUM_LINE) == 0) &&
		    ftruncate(fd, (off_t)(SUM_LINE + b.len)) == 0 && fdatasync(fd) == 0
		? 0
		: problem_temp(pr, "the MTA-STS policies cannot be kept: %s", strerror(errno));
	buf_clear(&b);
	return r;
}

struct head {
	char domain[ADDRESS_DOMAIN_MAX + 1], id[STS_POLICY_ID_MAX + 1];
	int64_t fetched;
	size_t len;
};

/* A word up to the next blank; the place behind it, or NULL. */
static char *word(char *p, char *out, size_t cap)
{
	char *blank = strchr(p, ' ');

	if (!blank || blank == p)
		return NULL;
	*blank = 0;
	return mem_copy_str(out, cap, p) == 0 ? blank + 1 : NULL;
}

static int read_head(char *line, struct head *h_r)
{
	char norm[ADDRESS_DOMAIN_MAX + 1], *p, *end;

	p = word(line, h_r->domain, sizeof h_r->domain);
	p = p ? word(p, h_r->id, sizeof h_r->id) : NULL;
	if (!p)
		return -1;
	h_r->fetched = strtoll(p, &end, 10);
	if (end == p || *end != ' ')
		return -1;
	p = end + 1;
	h_r->len = strtoull(p, &end, 10);
	if (end == p || *end || address_domain(h_r->domain, strlen(h_r->domain), norm, NULL) < 0)
		return -1;
	return strcmp(h_r->domain, norm) == 0 ? 0 : -1;
}

/* One entry at p: its octets, or 0: broken. */
static size_t take_entry(struct sts_cache *c, const char *p, size_t n, int64_t now)
{
	char line[HEAD_MAX];
	const char *nl = memchr(p, '\n', n), *why;
	struct sts_known *k;
	struct head h;
	size_t head = nl ? (size_t)(nl - p) : HEAD_MAX;

	if (head >= sizeof line)
		return 0;
	memcpy(line, p, head);
	line[head++] = 0;
	if (read_head(line, &h) < 0 || h.len > n - head)
		return 0;
	k = mem_new(sizeof *k);
	k->fetched = h.fetched;
	memcpy(k->id, h.id, sizeof k->id);
	if (sts_policy_parse(p + head, h.len, &k->policy, &why) == 0)
		(void)put_text(c, h.domain, k, p + head, h.len, now); /* policies-max may be less than it was */
	else
		head = 0;
	free(k);
	return head ? head + h.len : 0;
}

static int read_all(int fd, struct buf *b)
{
	uint8_t part[16 * 1024];
	off_t off = 0;
	ssize_t r;

	while ((r = pread(fd, part, sizeof part, off)) > 0) {
		if (buf_add(b, part, (size_t)r) < 0)
			return -1;
		off += r;
	}
	return r < 0 ? -1 : 0;
}

static int take_all(struct sts_cache *c, const struct buf *b, int64_t now)
{
	const char *p = buf_str(b);
	char sum[SUM_LINE + 1];

	if (b->len == 0)
		return 0;
	if (b->len < SUM_LINE)
		return -1;
	sum_line(p + SUM_LINE, b->len - SUM_LINE, sum);
	if (memcmp(sum, p, SUM_LINE) != 0)
		return -1;
	for (size_t at = SUM_LINE, one; at < b->len; at += one) {
		one = take_entry(c, p + at, b->len - at, now);
		if (one == 0)
			return -1;
	}
	return 0;
}

int sts_cache_read(struct sts_cache *c, int fd, int64_t now, struct problem *pr)
{
	struct buf b;
	int r;

	buf_init(&b, FILE_OCTETS_MAX);
	r = read_all(fd, &b) < 0 || take_all(c, &b, now) < 0
		? problem_temp(
		      pr, "the kept MTA-STS policies cannot be read (the file is not whole): they are fetched again")
		: 0;
	buf_clear(&b);
	if (r < 0)
		drop_all(c);
	return r;
}
