#include "gateway/pipeline/named.h"

#include <stdio.h>
#include <string.h>

#include "certstore/cert_bind.h"
#include "gateway/pipeline/work.h"

void named_look(struct work *w)
{
	struct named *m = &w->named;
	const struct header_field *f = header_find(&w->ent.header, XSMG_FIELD_NAME, 0);

	if (f == NULL || m->found || w->verdict.nlayers == 0)
		return;
	m->found = true;
	m->layer = w->verdict.nlayers - 1;
	m->why = NULL;
	if (header_find(&w->ent.header, XSMG_FIELD_NAME, 1) != NULL)
		m->why = "it stands there more than once";
	else
		(void)!xsmg_field_read(f->value, f->value_len, &m->f, &m->why);
}

/* A certificate of one person speaks for no domain. */
static bool speaks_for_domain(struct work *w, size_t i)
{
	X509 *x =
	    i < w->nsigners && w->signers[i].cert.n > 0 ? cache_cert(w->cache, &w->signers[i].cert, NULL) : NULL;
	struct address domain = w->from;

	domain.local[0] = 0;
	return x != NULL && cert_bound(x, &domain, CERT_TO_SIGN) != CERT_BOUND_NOT;
}

static bool is_trusted(struct work *w)
{
	const struct verdict *v = &w->verdict;

	for (size_t i = 0; i < v->nsigners && !v->failed; i++)
		if (v->signers[i].layer == w->named.layer && v->signers[i].result == VERDICT_PASS &&
		    speaks_for_domain(w, i))
			return true;
	return false;
}

void named_tell(struct work *w)
{
	const struct named *m = &w->named;
	struct job_result *res = w->res;

	if (!m->found || !w->have_from || w->verdict.nsigners == 0)
		return;
	snprintf(res->named_domain, sizeof(res->named_domain), "%s", w->from.domain);
	if (m->why != NULL) {
		snprintf(res->named_why, sizeof(res->named_why), "%s", m->why);
		return;
	}
	memcpy(res->named_id, m->f.id, sizeof(res->named_id));
	memcpy(res->named_url, m->f.url, sizeof(res->named_url));
	res->named_trusted = is_trusted(w);
}
