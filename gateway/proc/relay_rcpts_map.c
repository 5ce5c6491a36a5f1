/*
 * The map in memory: all entries in one run of octets, and a table of where each begins (open addressing, at most
 * half full). An entry's key is "local@domain", or "local@" where the file names no domain; "*" at the end of a local
 * part makes it a wildcard, which is looked for by cutting the wanted local part shorter and shorter.
 */
#include "gateway/proc/relay_rcpts_map.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/address.h"
#include "gateway/proc/relay_rcpts_hash.h"

enum { KEY_MAX = ADDRESS_LOCAL_MAX + 1 + ADDRESS_DOMAIN_MAX + 1, FIRST_SLOTS = 64, SHOWN = 80 };

/* In the run: the line's number, '!' or ' ', the key, NUL. */
enum { HEAD = 5 };
struct relay_rcpts_map {
	struct buf run;
	uint32_t *slots; /* offset in run + 1; 0 = free */
	size_t nslots, n;
	bool wild; /* there are wildcards */
};

static const char *key_at(const struct relay_rcpts_map *m, uint32_t slot)
{
	return (const char *)m->run.p + slot - 1 + HEAD;
}

static bool refused_at(const struct relay_rcpts_map *m, uint32_t slot)
{
	return m->run.p[slot - 1 + 4] == '!';
}

static unsigned line_at(const struct relay_rcpts_map *m, uint32_t slot)
{
	uint32_t line;

	memcpy(&line, m->run.p + slot - 1, sizeof(line));
	return line;
}

/* The slot that holds the key, or the free one where it would be. */
static uint32_t *slot_of(const struct relay_rcpts_map *m, const char *key)
{
	size_t i = relay_rcpts_hash(key, strlen(key)) & (m->nslots - 1);

	while (m->slots[i] != 0 && strcmp(key_at(m, m->slots[i]), key) != 0)
		i = (i + 1) & (m->nslots - 1);
	return &m->slots[i];
}

static void grow(struct relay_rcpts_map *m)
{
	uint32_t *old = m->slots;
	size_t n = m->nslots;

	m->nslots = n == 0 ? FIRST_SLOTS : 2 * n;
	m->slots = mem_new(m->nslots * sizeof(*m->slots));
	for (size_t i = 0; i < n; i++)
		if (old[i] != 0)
			*slot_of(m, key_at(m, old[i])) = old[i];
	free(old);
}

static int add(struct relay_rcpts_map *m, const char *key, bool refused, uint32_t line)
{
	char head[HEAD];
	size_t at = m->run.len;

	if (2 * (m->n + 1) > m->nslots)
		grow(m);
	memcpy(head, &line, sizeof(line));
	head[4] = refused ? '!' : ' ';
	if (at >= UINT32_MAX - KEY_MAX - HEAD || buf_add(&m->run, head, HEAD) != 0 ||
	    buf_add(&m->run, key, strlen(key) + 1) != 0)
		return -1;
	*slot_of(m, key) = (uint32_t)at + 1;
	m->wild = m->wild || strstr(key, "*@") != NULL;
	m->n++;
	return 0;
}

static void lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

/* The key of one entry. 0 / -1 with pr: what is allowed. */
static int read_key(const char *p, size_t n, char key[KEY_MAX], struct problem *pr)
{
	char text[ADDRESS_TEXT_MAX], domain[ADDRESS_DOMAIN_MAX + 1];
	struct address a;
	bool whole = memchr(p, '@', n) != NULL;

	if (n >= sizeof(text) - 3)
		return problem_perm(pr, "it is too long for an address");
	if (n > 0 && p[0] == '@') {
		if (address_domain(p + 1, n - 1, domain, NULL) != 0)
			return problem_perm(pr, "a domain name must stand behind @");
		snprintf(key, KEY_MAX, "*@%s", domain);
		return 0;
	}
	snprintf(text, sizeof(text), "%.*s%s", (int)n, p, whole ? "" : "@x");
	if (address_parse_utf8(text, strlen(text), &a, NULL) != 0)
		return problem_perm(pr,
		    "it is neither an address, nor a local part, nor @domain, nor begins with characters of a local "
		    "part and ends with *");
	lower(a.local);
	snprintf(key, KEY_MAX, "%s@%s", a.local, whole ? a.domain : "");
	return 0;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int read_line(struct relay_rcpts_map *m, const char *p, size_t n, uint32_t line, struct problem *pr)
{
	char key[KEY_MAX];
	bool refused;
	uint32_t slot;

	for (; n > 0 && blank(p[0]); p++, n--)
		;
	for (; n > 0 && blank(p[n - 1]); n--)
		;
	if (n == 0 || p[0] == '#')
		return 0;
	refused = p[0] == '!';
	for (p += refused, n -= refused; n > 0 && blank(p[0]); p++, n--)
		;
	if (read_key(p, n, key, pr) != 0)
		return -1;
	slot = m->nslots == 0 ? 0 : *slot_of(m, key);
	if (slot == 0)
		return add(m, key, refused, line) == 0 ? 0 : problem_perm(pr, "the map is too large");
	if (refused_at(m, slot) != refused)
		return problem_perm(pr, "line %u says the opposite of the same recipient", line_at(m, slot));
	return 0;
}

int relay_rcpts_map_parse(
    const char *file, const char *text, size_t n, struct relay_rcpts_map **m_r, struct problem *pr)
{
	struct relay_rcpts_map *m = mem_new(sizeof(*m));
	const char *end = text + n;
	uint32_t line = 0;

	buf_init(&m->run, UINT32_MAX);
	grow(m);
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = nl == NULL ? (size_t)(end - text) : (size_t)(nl - text);
		struct problem why = {0};

		line++;
		if (read_line(m, text, len, line, &why) != 0) {
			relay_rcpts_map_free(m);
			return problem_perm(
			    pr, "%s:%u: \"%.*s\": %s", file, line, len < SHOWN ? (int)len : SHOWN, text, why.text);
		}
		text += len + 1;
	}
	*m_r = m;
	return 0;
}

void relay_rcpts_map_free(struct relay_rcpts_map *m)
{
	if (m == NULL)
		return;
	buf_clear(&m->run);
	free(m->slots);
	free(m);
}

/* The entry for "local@domain", else for "local@". */
static uint32_t entry(
    const struct relay_rcpts_map *m, const char *local, size_t n, const char *star, const char *domain)
{
	char key[KEY_MAX + 1];
	uint32_t slot;

	snprintf(key, sizeof(key), "%.*s%s@%s", (int)n, local, star, domain);
	slot = *slot_of(m, key);
	if (slot != 0)
		return slot;
	*(strrchr(key, '@') + 1) = '\0';
	return *slot_of(m, key);
}

bool relay_rcpts_map_find(
    const struct relay_rcpts_map *m, const char *local, const char *base, const char *domain, unsigned *line_r)
{
	size_t n = strlen(local);
	uint32_t slot;

	*line_r = 0;
	REQUIRE(n <= ADDRESS_LOCAL_MAX && strlen(domain) <= ADDRESS_DOMAIN_MAX);
	slot = entry(m, local, n, "", domain);
	if (slot == 0 && base != NULL)
		slot = entry(m, base, strlen(base), "", domain);
	for (size_t i = n + 1; m->wild && slot == 0 && i-- > 0;)
		slot = entry(m, local, i, "*", domain);
	if (slot == 0)
		return false;
	*line_r = line_at(m, slot);
	return !refused_at(m, slot);
}

size_t relay_rcpts_map_entries(const struct relay_rcpts_map *m)
{
	return m->n;
}
