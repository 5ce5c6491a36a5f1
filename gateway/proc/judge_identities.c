/* Our own identities. Role judge; reads the store. */
#include "gateway/proc/judge_identities.h"

#include <stdio.h>
#include <string.h>

#include "certstore/trust.h"

/* A packet holds 96 KiB; the next identity may bring a certificate and a chain. */
enum { LIST_OCTETS_MAX = 64 * 1024 };

static int copy(struct arena *a, const uint8_t *p, size_t n, struct judge_octets *o_r)
{
	*o_r = (struct judge_octets){NULL, 0};
	if (n == 0)
		return 0;
	o_r->p = (const uint8_t *)arena_dup(a, p, n);
	o_r->n = o_r->p ? n : 0;
	return o_r->p ? 0 : -1;
}

static int add_identity(struct arena *a, const struct store_identity *i, struct judge_identity_list *l)
{
	struct judge_identity *v = &l->v[l->n];

	memset(v, 0, sizeof *v);
	(void)snprintf(v->domain, sizeof v->domain, "%s", i->domain);
	(void)snprintf(v->key_id, sizeof v->key_id, "%s", i->key_id);
	v->use = (uint8_t)i->use;
	if (copy(a, i->cert, i->cert_len, &v->cert) < 0 || copy(a, i->chain, i->chain_len, &v->chain) < 0)
		return -1;
	l->n++;
	return 0;
}

static bool is_told(const struct store_identity *i)
{
	return i->cert && !i->retired && (i->use == STORE_DECRYPT || (i->use == STORE_TLS && i->active));
}

int judge_identities(struct judge_cache *c, struct store *s, size_t *at, struct arena *a,
    struct judge_identity_list *l_r, struct problem *pr)
{
	const struct store_identity *list;
	size_t n, octets = 0;

	l_r->more = false;
	l_r->n = 0;
	if (judge_cache_identities(c, s, &list, &n, pr) < 0)
		return -1;
	for (; *at < n; ++*at) {
		const struct store_identity *i = &list[*at];

		if (!is_told(i))
			continue;
		octets += i->cert_len + i->chain_len + 512;
		if (l_r->n == JUDGE_IDENTITIES_MAX || (l_r->n > 0 && octets > LIST_OCTETS_MAX)) {
			l_r->more = true;
			return 0;
		}
		if (add_identity(a, i, l_r) < 0)
			return problem_temp(pr, "our identities do not fit into memory");
	}
	return 0;
}

static void say(char *why, size_t cap, const char *words, const char *text)
{
	size_t at = strlen(why);

	if (at + 4 < cap)
		(void)snprintf(why + at, cap - at, "%s%s: %s", at ? "; " : "", words, text);
}

/* 0 when usable now; since when it is used, to find the newest. */
static int weigh_own(
    struct judge_cache *c, const struct store_identity *i, int64_t now, int64_t *not_before_r, char *why, size_t cap)
{
	struct problem pr = {0};
	struct judge_cert *k;
	char words[300], text[200];
	int rc;

	if (!i->cert) {
		say(why, cap, i->key_id, "its certificate is still to be installed with \"postern domain install\"");
		return -1;
	}
	k = judge_cache_cert(c, i->cert, i->cert_len, &pr);
	if (!k) {
		say(why, cap, i->key_id, pr.text);
		return -1;
	}
	rc = trust_fit(&k->f, i->use == STORE_SIGN ? CERT_TO_SIGN : CERT_TO_ENCRYPT, now, text, sizeof text);
	*not_before_r = i->from > k->f.not_before ? i->from : k->f.not_before;
	if (rc == 0 && i->from > now) {
		(void)snprintf(text, sizeof text, "it is announced and not used yet");
		rc = -1;
	}
	if (rc < 0)
		say(why, cap, cert_words(&k->f, words, sizeof words), text);
	judge_cert_drop(k);
	return rc;
}

int judge_identities_find(struct judge_cache *c, struct store *s, const char *domain, enum store_use use, int64_t now,
    const struct store_identity **i_r, char *why, size_t cap, struct problem *pr)
{
	const struct store_identity *list;
	int64_t best = INT64_MIN, from = 0;
	size_t n;

	*i_r = NULL;
	why[0] = 0;
	if (judge_cache_identities(c, s, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (list[i].use != use || !list[i].active || strcmp(list[i].domain, domain) != 0 ||
		    weigh_own(c, &list[i], now, &from, why, cap) < 0 || (*i_r && from <= best))
			continue;
		*i_r = &list[i];
		best = from;
	}
	if (*i_r)
		why[0] = 0;
	else if (!why[0])
		(void)snprintf(why, cap, "none was added");
	return 0;
}
