/* RFC 2782. A target is a host name: what is none is no server. */
#include "certstore/srv_record.h"

#include <string.h>

enum { HEAD = 6 };

/* The uncompressed name at p as text; -1 unless it fills exactly n octets and is a host name. */
static int read_name(const uint8_t *p, size_t n, char out[ADDRESS_DOMAIN_MAX + 1])
{
	char text[ADDRESS_DOMAIN_MAX + 1];
	size_t at = 0, len = 0;

	while (at < n && p[at] != 0) {
		size_t k = p[at];

		if (k > 63 || at + 1 + k >= n || len + k + 1 > ADDRESS_DOMAIN_MAX)
			return -1;
		if (len > 0)
			text[len++] = '.';
		memcpy(text + len, p + at + 1, k);
		if (memchr(text + len, '.', k))
			return -1;
		len += k;
		at += 1 + k;
	}
	if (at + 1 != n)
		return -1;
	out[0] = '\0';
	return len == 0 ? 0 : address_domain(text, len, out, NULL);
}

int srv_record_read(const uint8_t *p, size_t n, struct srv_record *r_r, const char **why_r)
{
	memset(r_r, 0, sizeof *r_r);
	*why_r = "an SRV record of less than seven octets";
	if (n <= HEAD)
		return -1;
	r_r->priority = (uint16_t)(p[0] << 8 | p[1]);
	r_r->weight = (uint16_t)(p[2] << 8 | p[3]);
	r_r->port = (uint16_t)(p[4] << 8 | p[5]);
	*why_r = "an SRV record whose target is not a host name";
	if (read_name(p + HEAD, n - HEAD, r_r->host) < 0)
		return -1;
	*why_r = "an SRV record with port 0";
	if (r_r->host[0] && r_r->port == 0)
		return -1;
	*why_r = "";
	return 0;
}

static int before(const struct srv_record *a, const struct srv_record *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->weight != b->weight)
		return a->weight > b->weight;
	if (strcmp(a->host, b->host) != 0)
		return strcmp(a->host, b->host) < 0;
	return a->port < b->port;
}

static uint64_t next(uint64_t *seed)
{
	/* splitmix64: spreads load, hides nothing */
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Those of one priority: one after the other is drawn, those of weight 0 with a small chance. */
static void draw(struct srv_record *v, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i + 1 < n; i++) {
		uint64_t sum = 0, at;
		size_t k = i;
		struct srv_record chosen;

		for (size_t j = i; j < n; j++)
			sum += v[j].weight;
		at = next(seed) % (sum + 1);
		/* weight 0 stands last here, first in the RFC: the draw of 0 is theirs */
		for (size_t j = n; at == 0 && j-- > i;)
			if (v[j].weight == 0 || j == i) {
				k = j;
				break;
			}
		for (uint64_t run = 0; at > 0 && k < n; k++) {
			run += v[k].weight;
			if (run >= at)
				break;
		}
		chosen = v[k];
		memmove(&v[i + 1], &v[i], (k - i) * sizeof *v);
		v[i] = chosen;
	}
}

void srv_record_sort(struct srv_record *v, size_t n, enum srv_record_order order, uint64_t seed)
{
	for (size_t i = 1; i < n; i++) {
		struct srv_record x = v[i];
		size_t j = i;

		for (; j > 0 && before(&x, &v[j - 1]); j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
	if (order == SRV_WEIGHT_FIRST)
		return;
	for (size_t i = 0; i < n;) {
		size_t end = i + 1;

		while (end < n && v[end].priority == v[i].priority)
			end++;
		draw(v + i, end - i, &seed);
		i = end;
	}
}
