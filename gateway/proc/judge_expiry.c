/* What runs out. Role judge; reads the store, and writes down which warnings were given. */
#include "gateway/proc/judge_expiry.h"

#include "gateway/base/log.h"

enum { DAY = 86400, PARTNERS_MAX = 1000 };

struct telling {
	int64_t now;
	void (*tell)(void *ctx, const struct judge_expiry *e);
	void *ctx;
};

static void look(const struct telling *t, const void *der, size_t n, const char *owner, const char *kind)
{
	X509 *x = cert_parse(der, n, NULL);
	struct judge_expiry e = {.owner = owner, .kind = kind};
	struct cert_facts f;

	if (!x)
		return;
	cert_facts(x, &f);
	X509_free(x);
	if (f.not_after >= t->now + (int64_t)JUDGE_EXPIRY_DAYS * DAY)
		return;
	e.f = &f;
	e.days_left = f.not_after < t->now ? -1 : (f.not_after - t->now) / DAY;
	t->tell(t->ctx, &e);
}

int judge_expiry_all(struct judge_cache *c, struct store *s, int64_t now,
    void (*tell)(void *ctx, const struct judge_expiry *e), void *ctx, struct problem *pr)
{
	struct telling t = {now, tell, ctx};
	const struct store_identity *own;
	const struct store_anchor *anchors;
	struct store_cert *list;
	size_t n;

	if (judge_cache_identities(c, s, &own, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (own[i].active && own[i].cert)
			look(&t, own[i].cert, own[i].cert_len, own[i].domain, store_use_word(own[i].use));
	if (judge_cache_anchors(c, s, &anchors, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		look(&t, anchors[i].der, anchors[i].der_len, anchors[i].scope,
		    anchors[i].bundle ? "bundle" : "anchor");
	if (store_certs_expiring(s, now + (int64_t)JUDGE_EXPIRY_DAYS * DAY, PARTNERS_MAX, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		look(&t, list[i].der, list[i].der_len, list[i].owner, "partner");
	store_certs_free(list, n);
	return 0;
}

/* ---- warnings ---- */

struct warning {
	struct store *store;
	int n;
	bool failed;
	struct problem *pr;
};

/* The step that this many days have reached. */
static int64_t step_of(int64_t days_left)
{
	static const int steps[] = {-1, 1, 7, 14, 30, 60};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (days_left <= steps[i])
			return steps[i];
	return INT64_MAX;
}

static void warn(void *ctx, const struct judge_expiry *e)
{
	struct warning *w = ctx;
	int64_t step = step_of(e->days_left), told;
	char words[300];

	if (w->failed)
		return;
	w->failed = store_warned(w->store, e->f->sha256, e->kind, e->owner, &told, w->pr) < 0;
	if (w->failed || told <= step)
		return;
	w->failed = store_warned_put(w->store, e->f->sha256, e->kind, e->owner, step, w->pr) < 0;
	if (w->failed)
		return;
	w->n++;
	(void)cert_words(e->f, words, sizeof words);
	if (e->days_left < 0)
		log_error(NULL, "judge", "alarm=expired kind=%s owner=%s why=\"certificate %s has run out\"", e->kind,
		    e->owner, words);
	else
		log_warn(NULL, "judge", "expires kind=%s owner=%s days=%lld why=\"certificate %s runs out\"", e->kind,
		    e->owner, (long long)e->days_left, words);
}

int judge_expiry_warn(struct judge_cache *c, struct store *s, int64_t now, struct problem *pr)
{
	struct warning w = {.store = s, .pr = pr};

	judge_cache_begin(c, s);
	if (judge_expiry_all(c, s, now, warn, &w, pr) < 0 || w.failed)
		return -1;
	return w.n;
}
