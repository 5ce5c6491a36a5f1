/* Statements, certificates for mail, and the certificate of the listener itself. Role judge. */
#include "gateway/proc/judge_public.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certstore/public_proto.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_xsmg_draft.h"
#include "gateway/proc/judge_xsmg_own.h"

enum { CERTS_MAX = 4 * 65536 };

struct judge_public {
	struct loop *loop;
	const struct judge_world *w;
	struct store *s;
	const char *host;
	struct ipc_chan *chan;
	bool told; /* what it was told last has this hash */
	uint8_t hash[32];
};

/* Everything is walked through twice: to see whether it is another, and then to say it. */
struct walk {
	struct judge_public *p;
	EVP_MD_CTX *md; /* NULL: say it */
	bool failed;
};

static void give(struct walk *k, const struct public_item *i)
{
	struct ipc_out o;

	public_proto_put(&o, i);
	if (!k->md) {
		k->failed = ipc_chan_send(k->p->chan, &o) != 0 || k->failed;
		return;
	}
	if (o.bad || EVP_DigestUpdate(k->md, o.b.p, o.b.len) != 1)
		k->failed = true;
	ipc_out_clear(&o);
}

static void give_bare(struct walk *k, uint16_t msg)
{
	struct public_item i = {.msg = msg};

	give(k, &i);
}

static void give_cert(struct walk *k, const struct store_identity *i)
{
	struct public_item item = {.msg = PUBLIC_CERT, .body = {i->cert, i->cert_len}};

	(void)snprintf(item.domain, sizeof item.domain, "%s", i->domain);
	give(k, &item);
}

static void walk_domain(struct walk *k, const char *domain, const struct store_identity *list, size_t n, int64_t now)
{
	static const enum store_use uses[] = {STORE_DECRYPT, STORE_SIGN};
	const struct judge_world *w = k->p->w;
	struct public_item item = {.msg = PUBLIC_STATEMENT};
	struct judge_xsmg_statement st;
	struct problem pr = {0};

	if (w->own && judge_xsmg_own_current(w->own, domain, now, &st, &pr) > 0) {
		(void)snprintf(item.domain, sizeof item.domain, "%s", domain);
		(void)snprintf(item.name, sizeof item.name, "%s", st.id);
		item.expires = st.expires;
		item.body = (struct public_octets){st.der, st.n};
		give(k, &item);
	}
	for (size_t u = 0; u < sizeof uses / sizeof *uses; u++) {
		const struct store_identity *i = judge_xsmg_draft_present(w->cache, list, n, domain, uses[u], now);

		if (i)
			give_cert(k, i);
	}
}

int judge_public_tls(const struct judge_world *w, struct store *s, const char *host, int64_t now,
    char key_id[KEYS_ID_MAX + 1], struct buf *certs, struct problem *pr)
{
	const struct store_identity *list, *i;
	size_t n;

	if (judge_cache_identities(w->cache, s, &list, &n, pr) < 0)
		return -1;
	i = judge_xsmg_draft_present(w->cache, list, n, host, STORE_TLS, now);
	if (!i || buf_add(certs, i->cert, i->cert_len) < 0 ||
	    (i->chain && buf_add(certs, i->chain, i->chain_len) < 0))
		return 0;
	(void)snprintf(key_id, KEYS_ID_MAX + 1, "%s", i->key_id);
	return 1;
}

/* The newest one of our own name. */
static void walk_tls(struct walk *k, int64_t now)
{
	struct public_item item = {.msg = PUBLIC_TLS};
	struct problem pr = {0};
	char key_id[KEYS_ID_MAX + 1];
	struct buf all;

	buf_init(&all, CERTS_MAX);
	if (judge_public_tls(k->p->w, k->p->s, k->p->host, now, key_id, &all, &pr) > 0) {
		(void)snprintf(item.domain, sizeof item.domain, "%s", k->p->host);
		(void)snprintf(item.name, sizeof item.name, "%s", key_id);
		item.body = (struct public_octets){all.p, all.len};
		give(k, &item);
	}
	buf_clear(&all);
}

static int walk(struct walk *k, int64_t now)
{
	const struct judge_world *w = k->p->w;
	const struct store_identity *list;
	struct problem pr = {0};
	size_t n;

	if (judge_cache_identities(w->cache, k->p->s, &list, &n, &pr) < 0) {
		log_warn(NULL, "judge", "cannot-tell to=public why=\"%s\"", pr.text);
		return -1;
	}
	give_bare(k, PUBLIC_BEGIN);
	for (size_t i = 0; i < w->ndomains; i++)
		walk_domain(k, w->domains[i], list, n, now);
	walk_tls(k, now);
	give_bare(k, PUBLIC_END);
	return k->failed ? -1 : 0;
}

void judge_public_look(struct judge_public *p, int64_t now)
{
	struct walk k = {.p = p};
	uint8_t hash[32];
	int rc;

	if (!p->chan)
		return;
	judge_cache_begin(p->w->cache, p->s);
	k.md = EVP_MD_CTX_new();
	if (!k.md || EVP_DigestInit_ex(k.md, judge_cache_sha256(p->w->cache), NULL) != 1)
		log_fatal("no SHA-256");
	rc = walk(&k, now);
	if (EVP_DigestFinal_ex(k.md, hash, NULL) != 1)
		log_fatal("no SHA-256");
	EVP_MD_CTX_free(k.md);
	if (rc < 0 || (p->told && memcmp(hash, p->hash, sizeof hash) == 0))
		return;
	k.md = NULL;
	p->told = walk(&k, now) == 0;
	memcpy(p->hash, hash, sizeof hash);
}

static void from_public(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	(void)ctx;
	(void)c;
	(void)in;
	log_fatal("the public listener has nothing to say");
}

static void gone(void *ctx, struct ipc_chan *c, const char *why)
{
	struct judge_public *p = ctx;

	(void)why;
	ipc_chan_free(c);
	p->chan = NULL;
}

void judge_public_channel(struct judge_public *p, int fd)
{
	static const struct ipc_chan_ops ops = {from_public, gone};

	ipc_chan_free(p->chan);
	p->chan = ipc_chan_new(p->loop, fd, &ops, p);
	p->told = false;
	judge_public_look(p, time(NULL));
}

struct judge_public *judge_public_new(
    struct loop *l, const struct judge_world *w, struct store *s, const char *host, int fd)
{
	struct judge_public *p = mem_new(sizeof *p);

	*p = (struct judge_public){.loop = l, .w = w, .s = s, .host = host};
	if (fd >= 0)
		judge_public_channel(p, fd);
	return p;
}
