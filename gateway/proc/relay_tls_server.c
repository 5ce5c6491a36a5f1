#include "gateway/proc/relay_tls_server.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "certstore/store.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_tls.h"

enum { NAMES_MAX = 256 }; /* TLS identities of one listener */

/* What a context knows of the other identities; freed with it. */
struct others {
	SSL_CTX *v[NAMES_MAX];
	size_t n;
};

static void others_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct others *o = ptr;

	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	for (size_t i = 0; o != NULL && i < o->n; i++)
		SSL_CTX_free(o->v[i]);
	free(o);
}

static int others_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, others_free);
	REQUIRE(index >= 0);
	return index;
}

static int add_chain(SSL_CTX *c, const struct judge_octets *chain)
{
	const uint8_t *p = chain->p, *end = chain->p + chain->n;

	while (p != NULL && p < end) {
		X509 *x = d2i_X509(NULL, &p, end - p);

		if (x == NULL)
			return -1;
		if (SSL_CTX_add0_chain_cert(c, x) != 1) {
			X509_free(x);
			return -1;
		}
	}
	return 0;
}

/* ---- client certificates ---- */

/* Asked for and taken down, not judged: whatever it is, the handshake goes on. */
static int any_certificate(int good, X509_STORE_CTX *x)
{
	(void)good;
	(void)x;
	return 1;
}

/* The names of the CAs, by which a client finds the right certificate. */
static void say_names(SSL_CTX *c, X509_STORE *cas)
{
	STACK_OF(X509) *all = X509_STORE_get1_all_certs(cas);

	for (int i = 0; i < sk_X509_num(all); i++)
		SSL_CTX_add_client_CA(c, sk_X509_value(all, i));
	sk_X509_pop_free(all, X509_free);
}

static void client_certificates(SSL_CTX *c, const struct conf_listener *l, X509_STORE *cas)
{
	if (l->side != 0 || l->client_certificates == CONF_CLIENT_CERTS_NONE)
		return;
	if (l->client_certificates == CONF_CLIENT_CERTS_ASK) {
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER, any_certificate);
		return;
	}
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (cas == NULL)
		return;
	SSL_CTX_set1_cert_store(c, cas);
	say_names(c, cas);
}

X509_STORE *relay_tls_server_cas(const char *file, struct problem *pr)
{
	X509_STORE *s = X509_STORE_new();

	if (s != NULL && X509_STORE_load_file(s, file) == 1)
		return s;
	X509_STORE_free(s);
	ERR_clear_error();
	problem_perm(pr, "client-ca-file %s cannot be read as PEM certificates", file);
	return NULL;
}

/* ---- contexts ---- */

static SSL_CTX *of_identity(const struct relay *r, const struct judge_identity *id, const struct conf_listener *l,
    X509_STORE *cas, struct problem *pr)
{
	SSL_CTX *c = NULL;
	X509 *x = NULL;
	EVP_PKEY *key = NULL;
	bool good = false;

	x = cert_parse(id->cert.p, id->cert.n, pr);
	if (x == NULL)
		goto out;
	key = keys_pkey(r->keys, id->key_id, X509_get0_pubkey(x), pr);
	if (key == NULL)
		goto out;
	c = SSL_CTX_new(TLS_server_method());
	if (c == NULL)
		goto out;
	relay_tls_common(c);
	SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_id_context(c, (const unsigned char *)"postern", 7);
	client_certificates(c, l, cas);
	good = SSL_CTX_use_certificate(c, x) == 1 && SSL_CTX_use_PrivateKey(c, key) == 1 &&
	       add_chain(c, &id->chain) == 0;
out:
	if (!good) {
		if (pr->cls == PROBLEM_NONE)
			problem_temp(pr, "the TLS certificate of %s cannot be used: %s", id->domain,
			    ERR_reason_error_string(ERR_peek_last_error()));
		SSL_CTX_free(c);
		c = NULL;
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(x);
	return c;
}

static bool has_name(const SSL_CTX *c, const char *name)
{
	return X509_check_host(SSL_CTX_get0_certificate(c), name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/* RFC 6066 3. A name that none of our certificates has gets the first one: what the client thinks of it is its own
 * business, and one that does not verify still has its encryption. */
static int on_name(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_CTX *mine = arg;
	const struct others *o = SSL_CTX_get_ex_data(mine, others_index());

	(void)alert;
	if (name == NULL || o == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	if (has_name(mine, name))
		return SSL_TLSEXT_ERR_OK;
	for (size_t i = 0; i < o->n; i++)
		if (has_name(o->v[i], name))
			return SSL_set_SSL_CTX(ssl, o->v[i]) != NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_NOACK;
}

static const struct judge_identity *first_of(const struct relay *r, const struct judge_identity *v, size_t n)
{
	const struct judge_identity *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (v[i].use != STORE_TLS || v[i].cert.n == 0)
			continue;
		if (strcmp(v[i].domain, r->top->hostname) == 0)
			return &v[i];
		if (first == NULL)
			first = &v[i];
	}
	return first;
}

SSL_CTX *relay_tls_server(const struct relay *r, const struct conf_listener *l, X509_STORE *cas, struct problem *pr)
{
	const struct judge_identity *v, *first;
	struct others *o;
	SSL_CTX *c;
	size_t n;

	if (!relay_ask_identities(r->ask, &v, &n) || (first = first_of(r, v, n)) == NULL)
		return NULL;
	c = of_identity(r, first, l, cas, pr);
	if (c == NULL)
		return NULL;
	o = mem_new(sizeof(*o));
	SSL_CTX_set_ex_data(c, others_index(), o);
	for (size_t i = 0; i < n && o->n < NAMES_MAX; i++) {
		struct problem other = {0};

		if (&v[i] == first || v[i].use != STORE_TLS || v[i].cert.n == 0)
			continue;
		o->v[o->n] = of_identity(r, &v[i], l, cas, &other);
		if (o->v[o->n] != NULL)
			o->n++;
		else
			log_error(NULL, "relay", "alarm=tls why=\"%s\"", other.text);
	}
	SSL_CTX_set_tlsext_servername_callback(c, on_name);
	SSL_CTX_set_tlsext_servername_arg(c, c);
	return c;
}
