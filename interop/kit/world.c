#include "interop/kit/world.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/pki.h"

struct kept {
	struct kept *next;
	char *path;
	struct credential c;
};

struct name {
	char *id, *name, *domain;
};

enum { BRIEF_S = 5 }; /* how long a brief answer on revocation is good */

struct world {
	const struct kit *kit;
	char *dir;
	pthread_mutex_t lock;
	struct kept *kept;
	struct name *names;
	size_t n_names;
	struct buf revoked; /* of this run: "authority serial" a line */
};

static int read_names(struct world *w, struct buf *why)
{
	char *path = text_make("%s/names", w->dir);
	struct buf text = {0};
	int rc = file_read(path, &text, why);

	for (char *p = text.p, *next; rc == 0 && p && *p; p = next) {
		char *end = strchr(p, '\n'), *a = strchr(p, ' '), *b = a ? strchr(a + 1, ' ') : NULL;

		if (!end || !b || b > end) {
			rc = fail(why, "%s: a line is not case, name and domain", path);
			break;
		}
		next = end + 1;
		w->names = need_more(w->names, (w->n_names + 1) * sizeof(*w->names));
		w->names[w->n_names++] = (struct name){text_cut(p, (size_t)(a - p)),
		    text_cut(a + 1, (size_t)(b - a - 1)), text_cut(b + 1, (size_t)(end - b - 1))};
	}
	buf_free(&text);
	free(path);
	return rc;
}

struct world *world_open(const struct kit *k, struct buf *why)
{
	struct world *w = need(sizeof(*w));

	w->kit = k;
	w->dir = text_make("%s/world", k->dir);
	pthread_mutex_init(&w->lock, NULL);
	if (read_names(w, why) < 0) {
		world_close(w);
		return NULL;
	}
	return w;
}

void world_close(struct world *w)
{
	if (!w)
		return;
	while (w->kept) {
		struct kept *next = w->kept->next;

		free(w->kept->path);
		X509_free(w->kept->c.cert);
		EVP_PKEY_free(w->kept->c.key);
		sk_X509_pop_free(w->kept->c.chain, X509_free);
		free(w->kept);
		w->kept = next;
	}
	for (size_t i = 0; i < w->n_names; i++) {
		free(w->names[i].id);
		free(w->names[i].name);
		free(w->names[i].domain);
	}
	free(w->names);
	buf_free(&w->revoked);
	free(w->dir);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

const char *world_domain(struct world *w, const struct case_file *c, const char *name)
{
	for (size_t i = 0; i < w->n_names; i++)
		if (!strcmp(w->names[i].id, c ? c->id : "countersign") && !strcmp(w->names[i].name, name))
			return w->names[i].domain;
	return NULL;
}

/* The certificate's file without ".pem". */
static char *path_of(struct world *w, const struct case_file *c, const char *name, char use)
{
	const char *file;

	if (!strcmp(name, "gateway")) {
		file = use == 's' ? w->kit->gateway_sign : w->kit->gateway_encrypt;
		return text_cut(file, strlen(file) > 4 ? strlen(file) - 4 : strlen(file));
	}
	if (text_is_word_in(name, "good,sub,evil,tls"))
		return text_make("%s/ca/%s", w->dir, name);
	if (!strcmp(name, "countersign"))
		return text_make("%s/kit/countersign/enc", w->dir);
	return c ? text_make("%s/%s/%s/%s", w->dir, c->profile, c->id, name) : NULL;
}

static struct kept *load(const char *path)
{
	char *cert = text_make("%s.pem", path), *key = text_make("%s.key", path),
	     *chain = text_make("%s.chain.pem", path);
	struct kept *k = need(sizeof(*k));

	k->path = text_copy(path);
	k->c.cert = pki_read_cert(cert);
	k->c.key = pki_read_key(key);
	k->c.chain = pki_read_certs(chain);
	free(cert);
	free(key);
	free(chain);
	return k;
}

/* Of the gateway's certificates to encrypt to, in one file: the first on an elliptic curve (use 'a'), or the first
 * that is on none; others have one. */
static void choose(struct kept *k, const char *file, bool ec)
{
	STACK_OF(X509) *all = pki_read_certs(file);

	for (int i = 0; i < sk_X509_num(all); i++) {
		X509 *cert = sk_X509_value(all, i);

		if ((EVP_PKEY_get_base_id(X509_get0_pubkey(cert)) == EVP_PKEY_EC) == ec) {
			X509_free(k->c.cert);
			X509_up_ref(cert);
			k->c.cert = cert;
			break;
		}
		if (ec) {
			X509_free(k->c.cert);
			k->c.cert = NULL;
		}
	}
	sk_X509_pop_free(all, X509_free);
}

const struct credential *world_credential(struct world *w, const struct case_file *c, const char *name, char use)
{
	char *path = path_of(w, c, name, use), *key;
	bool gateway = !strcmp(name, "gateway") && use != 's';
	struct kept *k;

	if (!path)
		return NULL;
	key = text_make("%s%s", path, gateway && use == 'a' ? " on a curve" : "");
	pthread_mutex_lock(&w->lock);
	for (k = w->kept; k && strcmp(k->path, key) != 0; k = k->next)
		;
	if (!k) {
		k = load(path);
		free(k->path);
		k->path = text_copy(key);
		if (gateway)
			choose(k, w->kit->gateway_encrypt, use == 'a');
		k->next = w->kept;
		w->kept = k;
	}
	pthread_mutex_unlock(&w->lock);
	free(path);
	free(key);
	return k->c.cert ? &k->c : NULL;
}

/* Certificate and key of an authority as URLs name it: good, or case.name. */
static const struct credential *authority_of(struct world *w, const char *authority)
{
	const char *dot = strchr(authority, '.');
	struct case_file c = {0};
	const struct credential *found = NULL;
	struct dirent *e;
	DIR *d;

	if (!dot)
		return text_is_word_in(authority, "good,sub,evil") ? world_credential(w, NULL, authority, 0) : NULL;
	if (strchr(authority, '/'))
		return NULL;
	c.id = text_cut(authority, (size_t)(dot - authority));
	d = opendir(w->dir); /* the case's profile is a directory of the world */
	while (d && !found && (e = readdir(d))) {
		char *path = text_make("%s/%s/%s/%s.pem", w->dir, e->d_name, c.id, dot + 1);

		c.profile = e->d_name;
		if (e->d_name[0] != '.' && file_there(path))
			found = world_credential(w, &c, dot + 1, 0);
		free(path);
	}
	if (d)
		closedir(d);
	free(c.id);
	return found;
}

/* Serial numbers, one a line: those that init knew, and those of this run. */
static void revoked_of(struct world *w, const char *authority, struct buf *out)
{
	char *path = text_make("%s/revoked/%s", w->dir, authority);
	size_t n = strlen(authority);

	pthread_mutex_lock(&w->lock);
	if (file_there(path))
		file_read(path, out, NULL);
	for (const char *p = w->revoked.p; p && *p; p = strchr(p, '\n') + 1)
		if (!strncmp(p, authority, n) && p[n] == ' ')
			buf_add(out, p + n + 1, strcspn(p + n + 1, "\n") + 1);
	pthread_mutex_unlock(&w->lock);
	buf_add(out, "", 0);
	free(path);
}

int world_crl(struct world *w, const char *authority, const char *kind, struct buf *out)
{
	const struct credential *a = authority_of(w, authority), *evil = world_credential(w, NULL, "evil", 0);
	bool stale = !strcmp(kind, "stale"), forged = !strcmp(kind, "forged"), brief = !strcmp(kind, "brief");
	time_t now = time(NULL);
	struct buf revoked = {0};
	int rc = -1;

	if (a && a->key && evil && (stale || forged || brief || !strcmp(kind, "good"))) {
		revoked_of(w, authority, &revoked);
		rc = pki_crl(a->cert, forged ? evil->key : a->key, forged ? "" : revoked.p,
		    stale ? now - 20 * 86400 : now - 60, stale ? now - 10 * 86400 : now + (brief ? BRIEF_S : 86400),
		    out);
	}
	buf_free(&revoked);
	return rc;
}

int world_ocsp(
    struct world *w, const char *authority, const void *request, size_t n, const char *kind, struct buf *out)
{
	bool forged = !strcmp(kind, "forged"), brief = !strcmp(kind, "brief");
	const struct credential *a = authority_of(w, authority), *evil = world_credential(w, NULL, "evil", 0);
	struct buf revoked = {0};
	int rc = -1;

	if (a && a->key && evil && (forged || brief || !strcmp(kind, "good"))) {
		revoked_of(w, authority, &revoked);
		rc = pki_ocsp(request, n, forged ? evil->cert : a->cert, forged ? evil->key : a->key,
		    forged ? "" : revoked.p, brief ? BRIEF_S : 3600, out);
	}
	buf_free(&revoked);
	return rc;
}

/* The authority that issued a certificate of the case, as URLs name it. */
static char *issuer_of(const struct case_file *c, const char *name)
{
	for (size_t i = 0; i < c->n_stmts; i++)
		if (!strcmp(c->stmts[i].verb, "cert") && !strcmp(stmt_word(&c->stmts[i], 0, ""), name)) {
			const char *issuer = stmt_attribute(&c->stmts[i], "issuer", "good");

			return text_is_word_in(issuer, "good,sub,evil") ? text_copy(issuer)
									: text_make("%s.%s", c->id, issuer);
		}
	return NULL;
}

int world_revoke(struct world *w, const struct case_file *c, const char *name, struct buf *why)
{
	const struct credential *cred = world_credential(w, c, name, 0);
	char *issuer = cred ? issuer_of(c, name) : NULL;

	if (!issuer)
		return fail(why, "no certificate %s in this case", name);
	pthread_mutex_lock(&w->lock);
	buf_addf(&w->revoked, "%s ", issuer);
	pki_serial_hex(cred->cert, &w->revoked);
	buf_adds(&w->revoked, "\n");
	pthread_mutex_unlock(&w->lock);
	free(issuer);
	return 0;
}
