#include "ldap/ldap_search.h"

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/loop.h"
#include "gateway/base/mem.h"
#include "ldap/ldap_values.h"

enum { WORDS = 400, BASE_MAX = 500 };

static int take_value(void *ctx, const char *attribute, const void *p, size_t n)
{
	struct ldap_search *s = ctx;
	struct source_answer *a = &s->answer;
	struct source_item *i = &a->items[a->n];

	if (n == 0)
		return 0;
	if (a->n == SOURCE_ITEMS_MAX || n > s->max - s->octets.len || buf_add(&s->octets, p, n) != 0)
		return -1;
	s->at[a->n++] = s->octets.len - n;
	i->n = n;
	snprintf(i->attribute, sizeof(i->attribute), "%s", attribute);
	for (char *c = i->attribute; *c != '\0'; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	return 0;
}

static int64_t step_time(const struct ldap_search *s)
{
	int64_t left = s->end - loop_now_ms(), most = s->set->timeout;

	return left < 1 ? 1 : left < most ? left : most;
}

/* In one base and below. FOUND: an entry. */
static enum ldap_link_result search(struct ldap_search *s, struct ldap_link *k, const char *base, char words[WORDS])
{
	struct ldap_values v = {.base = base,
	    .filter = s->filter,
	    .attributes = &s->set->attributes,
	    .timeout = step_time(s),
	    .entries = s->entries,
	    .fn = take_value,
	    .ctx = s};
	enum ldap_link_result r = ldap_values_search(k, &v, words);

	s->answer.code = (uint16_t)(v.code < 0 ? 0 : v.code);
	s->nentries += v.entries_n;
	if (s->elsewhere == 0 && v.elsewhere > 0)
		memcpy(s->first_elsewhere, v.first_elsewhere, sizeof(s->first_elsewhere));
	s->elsewhere += v.elsewhere;
	s->no_base |= v.code == LDAP_NO_SUCH_OBJECT;
	s->answer.more |= v.more;
	if (v.values_n > 0)
		return LDAP_LINK_FOUND;
	/* of a base that the server named itself it says no more than that there is nothing */
	if (v.code == LDAP_NO_SUCH_OBJECT && s->set->base[0] == '\0')
		return LDAP_LINK_NOTHING;
	return r;
}

struct bases {
	char v[LDAP_SEARCH_BASES_MAX][BASE_MAX + 1];
	size_t n;
	bool left_out; /* there were more, or longer ones */
	int64_t until; /* loop ms */
};

static int take_base(void *ctx, const char *attribute, const void *p, size_t n)
{
	struct bases *b = ctx;

	(void)attribute;
	if (b->n == LDAP_SEARCH_BASES_MAX) {
		b->left_out = true;
		return -1;
	}
	if (n <= BASE_MAX && memchr(p, '\0', n) == NULL)
		memcpy(b->v[b->n++], p, n);
	else
		b->left_out = true;
	return 0;
}

static enum ldap_link_result get_bases(struct ldap_search *s, struct ldap_link *k, struct bases *b, char words[WORDS])
{
	static char name[] = "namingContexts", *names[] = {name};
	static const struct settings_list attributes = {names, 1};
	struct ldap_values v = {
	    .base = "", .attributes = &attributes, .timeout = step_time(s), .entries = 1, .fn = take_base, .ctx = b};
	enum ldap_link_result r = ldap_values_search(k, &v, words);

	s->answer.code = (uint16_t)(v.code < 0 ? 0 : v.code);
	b->left_out |= v.more;
	if (b->n > 0)
		return LDAP_LINK_FOUND;
	if (r == LDAP_LINK_FOUND || r == LDAP_LINK_NOTHING) {
		snprintf(words, WORDS, "it names no namingContexts where to search");
		return LDAP_LINK_WRONG;
	}
	return r;
}

/* Those that are known over this connection, or asked for. The list stays the link's; NULL: the result says why. */
static const struct bases *known_bases(
    struct ldap_search *s, struct ldap_link *k, enum ldap_link_result *r_r, char words[WORDS])
{
	struct bases **known = (struct bases **)ldap_link_notes(k);

	*r_r = LDAP_LINK_FOUND;
	if (*known != NULL && (*known)->until > loop_now_ms())
		return *known;
	free(*known);
	*known = mem_new(sizeof(**known));
	*r_r = get_bases(s, k, *known, words);
	if (*r_r == LDAP_LINK_FOUND) {
		(*known)->until = loop_now_ms() + LDAP_SEARCH_BASES_KEEP_MS;
		return *known;
	}
	free(*known);
	*known = NULL;
	return NULL;
}

/* The worst of several answers decides when nothing was found: uncertain is not "nothing". */
static enum ldap_link_result search_known(
    struct ldap_search *s, struct ldap_link *k, const struct bases *b, char words[WORDS])
{
	enum ldap_link_result r, worst = LDAP_LINK_NOTHING;
	char said[WORDS];

	for (size_t i = 0; i < b->n && worst != LDAP_LINK_DOWN && !s->answer.more; i++) {
		r = search(s, k, b->v[i], said);
		if (r == LDAP_LINK_FOUND || r == LDAP_LINK_NOTHING)
			continue;
		worst = r;
		snprintf(words, WORDS, "%.200s below %.180s", said, b->v[i]);
	}
	if (worst == LDAP_LINK_NOTHING && b->left_out && s->answer.n == 0) {
		snprintf(words, WORDS,
		    "nothing is found below those of its namingContexts that are searched; it has more than %d, or "
		    "one longer "
		    "than %d octets",
		    LDAP_SEARCH_BASES_MAX, BASE_MAX);
		worst = LDAP_LINK_WRONG;
	}
	if (s->answer.n > 0 || (worst == LDAP_LINK_NOTHING && s->nentries > 0))
		return LDAP_LINK_FOUND;
	return worst;
}

static enum ldap_link_result search_bases(struct ldap_search *s, struct ldap_link *k, char words[WORDS])
{
	bool old = *ldap_link_notes(k) != NULL;
	enum ldap_link_result r;
	const struct bases *b = known_bases(s, k, &r, words);

	if (b == NULL)
		return r;
	s->no_base = false;
	r = search_known(s, k, b, words);
	if (r != LDAP_LINK_NOTHING || !old || !s->no_base)
		return r;
	/* one that was known is not there any more: what is there now? */
	free(*ldap_link_notes(k));
	*ldap_link_notes(k) = NULL;
	b = known_bases(s, k, &r, words);
	return b == NULL ? r : search_known(s, k, b, words);
}

/* It has nothing itself, and says that others have something: that is not "nothing" (P1). */
static enum ldap_link_result doubt(const struct ldap_search *s, char words[WORDS])
{
	snprintf(words, WORDS,
	    "it has no entry itself and names other servers, which are not asked (%.120s): whether there is one "
	    "cannot be told",
	    s->first_elsewhere);
	return LDAP_LINK_LATER;
}

enum ldap_link_result ldap_search_all(struct ldap_search *s, struct ldap_link *k, char words[WORDS])
{
	const char *base = s->set->base;
	enum ldap_link_result r;

	s->nentries = s->elsewhere = 0;
	s->answer.n = 0;
	s->answer.more = false;
	buf_reset(&s->octets);
	ldap_link_bound(k, s->max + (size_t)LDAP_LINK_MESSAGE_MAX);
	r = base[0] != '\0' ? search(s, k, base, words) : search_bases(s, k, words);
	if (r == LDAP_LINK_WRONG && s->set->bind_dn[0] == '\0' &&
	    (s->answer.code == LDAP_STRONG_AUTH_REQUIRED || s->answer.code == LDAP_INAPPROPRIATE_AUTH ||
		s->answer.code == LDAP_INSUFFICIENT_ACCESS || s->answer.code == LDAP_OPERATIONS_ERROR ||
		s->answer.code == LDAP_INVALID_CREDENTIALS || s->answer.code == LDAP_UNWILLING_TO_PERFORM)) {
		char said[WORDS];

		memcpy(said, words, sizeof(said));
		snprintf(words, WORDS, "it refuses anonymous questions: %.340s", said);
	}
	return r == LDAP_LINK_NOTHING && !s->own && s->elsewhere > 0 ? doubt(s, words) : r;
}

void ldap_search_settle(struct ldap_search *s, const char *uri, enum ldap_link_result r)
{
	struct source_answer *a = &s->answer;

	snprintf(a->where, sizeof(a->where), "%s", uri);
	if (a->n > 0) {
		a->status = SOURCE_FOUND;
		a->why[0] = '\0';
		for (size_t i = 0; i < a->n; i++)
			a->items[i].p = s->octets.p + s->at[i];
		return;
	}
	a->status = a->more ? SOURCE_TEMP : SOURCE_NONE;
	a->more = false;
	snprintf(a->why, sizeof(a->why),
	    r == LDAP_LINK_FOUND ? "%.90s has an entry for %.100s without a certificate%s"
				 : "%.90s has no entry for %.100s%s",
	    uri, s->who, s->elsewhere > 0 ? ", and names other servers, which are not asked" : "");
}

void ldap_search_init(struct ldap_search *s, const struct ldap_settings *set, const char *filter, const char *who)
{
	memset(s, 0, sizeof(*s));
	s->set = set;
	s->filter = mem_str(filter);
	s->who = mem_str(who);
	buf_init(&s->octets, SOURCE_OCTETS_MAX);
}

void ldap_search_clear(struct ldap_search *s)
{
	buf_clear_public(&s->octets);
	free(s->filter);
	free(s->who);
}
