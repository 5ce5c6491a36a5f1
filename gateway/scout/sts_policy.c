/* RFC 8461 3.1, 3.2, 4.1. Role scout. Octets are a stranger's: everything has a limit, nothing is guessed. */
#include "gateway/scout/sts_policy.h"

#include <stdio.h>
#include <string.h>

#include "gateway/mail/address.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* [p, end) without blanks around it. */
static void trim(const char **p, const char **end)
{
	while (*p < *end && blank(**p))
		(*p)++;
	while (*p < *end && blank((*end)[-1]))
		(*end)--;
}

static bool is(const char *p, const char *end, const char *word)
{
	return (size_t)(end - p) == strlen(word) && memcmp(p, word, strlen(word)) == 0;
}

/* One field of the TXT record: 0, or -1 when it is none. */
static int txt_field(const char *p, const char *end, size_t at, char *id, bool *id_seen)
{
	if (at == 0)
		return is(p, end, "v=STSv1") ? 0 : -1;
	if (end - p < 3 || memcmp(p, "id=", 3) != 0)
		return memchr(p, '=', (size_t)(end - p)) ? 0 : -1; /* an extension */
	p += 3;
	if (*id_seen)
		return -1;
	*id_seen = true;
	if (p == end || end - p > STS_POLICY_ID_MAX)
		return -1;
	for (size_t i = 0; p < end; p++) {
		if (!alnum(*p))
			return -1;
		id[i++] = *p;
		id[i] = 0;
	}
	return 0;
}

int sts_policy_txt(const char *text, char id_r[STS_POLICY_ID_MAX + 1])
{
	const char *p = text;
	bool id_seen = false;
	size_t at = 0;

	id_r[0] = 0;
	for (;;) {
		const char *end = strchr(p, ';'), *next = end ? end + 1 : NULL;

		if (!end)
			end = p + strlen(p);
		trim(&p, &end);
		if (p == end && !next)
			break; /* behind the last semicolon */
		if (txt_field(p, end, at++, id_r, &id_seen) < 0)
			return -1;
		if (!next)
			break;
		p = next;
	}
	return id_seen ? 0 : -1;
}

struct reading {
	struct sts_policy *out;
	bool version, mode, age;
};

static const char *read_version(struct reading *r, const char *p, const char *end)
{
	r->version = true;
	return is(p, end, "STSv1") ? NULL : "its version is not STSv1";
}

static const char *read_mode(struct reading *r, const char *p, const char *end)
{
	r->mode = true;
	if (is(p, end, "enforce"))
		r->out->mode = SCOUT_STS_ENFORCE;
	else if (is(p, end, "testing"))
		r->out->mode = SCOUT_STS_TESTING;
	else if (is(p, end, "none"))
		r->out->mode = SCOUT_STS_NONE;
	else
		return "its mode is none of enforce, testing, none";
	return NULL;
}

static const char *read_age(struct reading *r, const char *p, const char *end)
{
	uint64_t v = 0;

	r->age = true;
	if (p == end || end - p > 10)
		return "its max_age is no number of at most 10 digits";
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return "its max_age is no number of at most 10 digits";
		v = v * 10 + (uint64_t)(*p - '0');
	}
	r->out->max_age = v > STS_POLICY_AGE_MAX ? STS_POLICY_AGE_MAX : (uint32_t)v;
	return NULL;
}

/* RFC 8461 3.2: a domain name, or "*." and one. */
static const char *read_mx(struct reading *r, const char *p, const char *end)
{
	char name[ADDRESS_DOMAIN_MAX + 1];
	bool star = end - p > 2 && p[0] == '*' && p[1] == '.';

	if (star)
		p += 2;
	if (r->out->nmx == STS_POLICY_MX_MAX)
		return "it lists more mx than 64";
	if (address_domain(p, (size_t)(end - p), name, NULL) < 0 ||
	    snprintf(r->out->mx[r->out->nmx], sizeof r->out->mx[0], "%s%s", star ? "*." : "", name) > 255)
		return "an mx in it is neither a host name nor *.domain";
	r->out->nmx++;
	return NULL;
}

static const char *read_pair(struct reading *r, const char *key, const char *key_end, const char *p, const char *end)
{
	/* RFC 8461 3.2: of a repeated key (but mx) the first one counts */
	if (is(key, key_end, "version"))
		return r->version ? NULL : read_version(r, p, end);
	if (is(key, key_end, "mode"))
		return r->mode ? NULL : read_mode(r, p, end);
	if (is(key, key_end, "max_age"))
		return r->age ? NULL : read_age(r, p, end);
	if (is(key, key_end, "mx"))
		return read_mx(r, p, end);
	return NULL; /* an extension */
}

static const char *read_line(struct reading *r, const char *p, const char *end)
{
	const char *colon, *value;

	trim(&p, &end);
	if (p == end)
		return NULL;
	for (const char *c = p; c < end; c++) {
		if ((unsigned char)*c < 0x20 && *c != '\t')
			return "it has control characters";
	}
	colon = memchr(p, ':', (size_t)(end - p));
	if (!colon)
		return "a line of it is not \"key: value\"";

	const char *key_end = colon;

	value = colon + 1;
	trim(&p, &key_end);
	trim(&value, &end);
	return read_pair(r, p, key_end, value, end);
}

int sts_policy_parse(const void *text, size_t n, struct sts_policy *policy_r, const char **why_r)
{
	struct reading r = {.out = policy_r};
	const char *p = text, *end = p + n;

	policy_r->mode = SCOUT_STS_NONE;
	policy_r->max_age = 0;
	policy_r->nmx = 0;
	*why_r = n > STS_POLICY_OCTETS ? "it is longer than 64 KiB" : NULL;
	while (p < end && !*why_r) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;

		/* LF alone is allowed too (RFC 8461 3.2: sts-policy-term) */
		if (stop > p && stop[-1] == '\r')
			stop--;
		*why_r = read_line(&r, p, stop);
		p = nl ? nl + 1 : end;
	}
	if (!*why_r && (!r.version || !r.mode || !r.age))
		*why_r = "version, mode or max_age is missing";
	if (!*why_r && policy_r->mode != SCOUT_STS_NONE && policy_r->nmx == 0)
		*why_r = "it lists no mx";
	return *why_r ? -1 : 0;
}

bool sts_policy_match(const struct sts_policy *p, const char *host)
{
	const char *dot = strchr(host, '.');

	for (size_t i = 0; i < p->nmx; i++) {
		const char *mx = p->mx[i];

		if (strcmp(mx, host) == 0)
			return true;
		/* RFC 8461 4.1: the star is exactly one label, the leftmost */
		if (mx[0] == '*' && dot && dot > host && strcmp(mx + 1, dot) == 0)
			return true;
	}
	return false;
}

int sts_policy_put(const struct sts_policy *p, struct buf *out)
{
	static const char *const modes[] = {"none", "testing", "enforce"};

	if (buf_addf(out, "version: STSv1\nmode: %s\nmax_age: %u\n", modes[p->mode], p->max_age) < 0)
		return -1;
	for (size_t i = 0; i < p->nmx; i++) {
		if (buf_addf(out, "mx: %s\n", p->mx[i]) < 0)
			return -1;
	}
	return 0;
}
