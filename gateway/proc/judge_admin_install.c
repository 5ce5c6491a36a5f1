/* domain.install: role judge; writes the store. Each certificate in the file that belongs to a key of ours becomes
 * that key's; the others may be its chain. */
#include "gateway/proc/judge_admin_install.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/proc/judge_own.h"

enum { CHAIN_OCTETS_MAX = 4 * 16384 };

struct installing {
	char domain[ADDRESS_DOMAIN_MAX + 1];
	bool force;
	struct judge_upload u;
	struct store_identity *keys;
	size_t nkeys;
	json_t *rows, *warnings; /* borrowed from the reply */
};

static bool belongs(X509 *x, const struct store_identity *i)
{
	size_t n;
	uint8_t *spki = judge_own_spki(X509_get0_pubkey(x), &n);
	bool same = !i->retired && i->spki && n == i->spki_len && memcmp(spki, i->spki, n) == 0;

	OPENSSL_free(spki);
	return same;
}

static int install_one(struct judge_call *c, struct installing *in, X509 *x, struct store_identity *i)
{
	struct store_identity now_is = *i;
	struct buf chain;
	size_t n;
	uint8_t *der;
	int rc;

	if (judge_own_check(c, x, i->use, i->domain, in->force, in->warnings) < 0)
		return -1;
	buf_init(&chain, CHAIN_OCTETS_MAX);
	judge_own_chain(x, &in->u, &chain);
	der = judge_upload_der(x, &n);
	rc = store_identity_cert(c->store, i->key_id, der, n, chain.p, chain.len, c->who, c->pr);
	now_is.cert = der;
	now_is.cert_len = n;
	if (rc == 0)
		judge_call_add(in->rows, judge_own_row(c, &now_is));
	OPENSSL_free(der);
	buf_clear(&chain);
	return rc;
}

/* All or none. A certificate may serve two keys' worth of uses: an imported key stands there once per use. */
static int install_all(struct judge_call *c, struct installing *in)
{
	size_t done = 0;
	int rc = 0;

	if (store_begin(c->store, c->pr) < 0)
		return -1;
	for (size_t x = 0; rc == 0 && x < in->u.n; x++)
		for (size_t i = 0; rc == 0 && i < in->nkeys; i++)
			if (belongs(in->u.list[x], &in->keys[i])) {
				rc = install_one(c, in, in->u.list[x], &in->keys[i]);
				done++;
			}
	if (rc == 0 && done == 0) {
		struct cert_facts f;

		cert_facts(in->u.list[0], &f);
		rc = judge_call_fail(c, "refused",
		    "none of the %zu certificates in the file belongs to a key of ours (the first is %.200s): was "
		    "the request made here, with "
		    "\"postern domain add\"?",
		    in->u.n, f.subject);
	}
	return store_end(c->store, rc, c->pr);
}

int judge_admin_install(struct judge_call *c)
{
	struct installing in = {.nkeys = 0};
	int rc;

	if (judge_call_domain(c, "domain", JUDGE_MAY, in.domain) < 0 ||
	    judge_call_bool(c, "force", false, &in.force) < 0)
		return -1;
	in.rows = judge_call_array();
	judge_call_set(c->data, "installed", in.rows);
	in.warnings = judge_call_array();
	judge_call_set(c->data, "warnings", in.warnings);
	rc = judge_upload_read(c, "content", &in.u);
	if (rc == 0)
		rc = store_identities(c->store, in.domain[0] ? in.domain : NULL, &in.keys, &in.nkeys, c->pr);
	if (rc == 0)
		rc = install_all(c, &in);
	store_identities_free(in.keys, in.nkeys);
	judge_upload_clear(&in.u);
	return rc;
}
