/*
 * One identity at a time. A handshake that is under way may hold the one before, so identities are never freed: they
 * change with a certificate, a few times in a process's life. The keeper is asked with the lock held: it answers
 * within milliseconds, or the handshake fails after KEEPER_MS.
 */
#include "gateway/proc/https_tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keys.h"

enum { CHAIN_MAX = 8, SIGNATURE_MAX = 1024, KEEPER_MS = 2000 };

struct identity {
	gnutls_pcert_st certs[CHAIN_MAX];
	unsigned ncerts;
	gnutls_privkey_t key;
	gnutls_pk_algorithm_t pk;
	int bits;
	EVP_PKEY *keeper;
	uint8_t of[32]; /* SHA-256 of the key's name and the certificates */
};
static struct {
	pthread_mutex_t lock;
	struct keys_client *keys;
	struct identity *now;
	const char *who;
} me = {.lock = PTHREAD_MUTEX_INITIALIZER, .who = "https"};

void https_tls_begin(const char *who)
{
	me.who = who;
	if (gnutls_global_init() < 0)
		log_fatal("GnuTLS does not start");
}

void https_tls_keeper(int fd)
{
	pthread_mutex_lock(&me.lock);
	if (me.keys) {
		keys_client_replace(me.keys, fd);
	} else {
		me.keys = keys_client_new(fd);
		keys_client_timeout(me.keys, KEEPER_MS);
	}
	pthread_mutex_unlock(&me.lock);
}

/* ---- what GnuTLS asks of the key ---- */

static const EVP_MD *md_of(gnutls_sign_algorithm_t algo)
{
	switch (gnutls_sign_get_hash_algorithm(algo)) {
	case GNUTLS_DIG_SHA256:
		return EVP_sha256();
	case GNUTLS_DIG_SHA384:
		return EVP_sha384();
	case GNUTLS_DIG_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static bool is_pss(gnutls_sign_algorithm_t algo)
{
	return algo == GNUTLS_SIGN_RSA_PSS_RSAE_SHA256 || algo == GNUTLS_SIGN_RSA_PSS_RSAE_SHA384 ||
	       algo == GNUTLS_SIGN_RSA_PSS_RSAE_SHA512;
}

static bool is_for(const struct identity *i, gnutls_sign_algorithm_t algo)
{
	gnutls_pk_algorithm_t pk = gnutls_sign_get_pk_algorithm(algo);

	if (!md_of(algo))
		return false;
	return i->pk == GNUTLS_PK_RSA ? pk == GNUTLS_PK_RSA || is_pss(algo) : pk == GNUTLS_PK_ECDSA;
}

static int info(gnutls_privkey_t key, unsigned flags, void *userdata)
{
	const struct identity *i = userdata;

	(void)key;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)i->pk;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return i->bits;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return is_for(i, (gnutls_sign_algorithm_t)GNUTLS_FLAGS_TO_SIGN_ALGO(flags));
	return -1;
}

/* GnuTLS has hashed already. */
static int sign_locked(
    const struct identity *i, gnutls_sign_algorithm_t algo, const gnutls_datum_t *hash, uint8_t *sig, size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(i->keeper, NULL);
	int ok;

	keys_client_begin(me.keys);
	ok = ctx && EVP_PKEY_sign_init(ctx) > 0 && EVP_PKEY_CTX_set_signature_md(ctx, md_of(algo)) > 0;
	if (ok && is_pss(algo))
		ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
	ok = ok && EVP_PKEY_sign(ctx, sig, n, hash->data, hash->size) > 0;
	if (!ok && keys_client_problem(me.keys))
		log_error(NULL, me.who, "alarm=tls why=\"%s\"", keys_client_problem(me.keys)->text);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : -1;
}

static int sign_hash(gnutls_privkey_t key, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
    const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	const struct identity *i = userdata;
	uint8_t sig[SIGNATURE_MAX];
	size_t n = sizeof sig;
	int rc = -1;

	(void)key;
	(void)flags;
	if (!is_for(i, algo))
		return GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM;
	pthread_mutex_lock(&me.lock);
	if (me.keys)
		rc = sign_locked(i, algo, hash, sig, &n);
	pthread_mutex_unlock(&me.lock);
	if (rc < 0)
		return GNUTLS_E_PK_SIGN_FAILED;
	signature->data = gnutls_malloc(n);
	if (!signature->data)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(signature->data, sig, n);
	signature->size = (unsigned)n;
	return 0;
}

static int sign_data(gnutls_privkey_t key, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
    const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	gnutls_datum_t hash = {digest, 0};

	if (!md_of(algo) || EVP_Digest(data->data, data->size, digest, &hash.size, md_of(algo), NULL) != 1)
		return GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM;
	return sign_hash(key, algo, userdata, flags, &hash, signature);
}

/* ---- the identity ---- */

static int add_cert(struct identity *i, const uint8_t *p, size_t n)
{
	gnutls_datum_t der = {(unsigned char *)(uintptr_t)p, (unsigned)n};

	if (i->ncerts == CHAIN_MAX ||
	    gnutls_pcert_import_x509_raw(&i->certs[i->ncerts], &der, GNUTLS_X509_FMT_DER, 0) < 0)
		return -1;
	i->ncerts++;
	return 0;
}

/* 0 with the public key of the first one. */
static int add_certs(struct identity *i, const uint8_t *certs, size_t n, EVP_PKEY **pub_r)
{
	const unsigned char *p = certs, *end = certs + n;

	*pub_r = NULL;
	while (p < end) {
		const unsigned char *start = p;
		X509 *x = d2i_X509(NULL, &p, end - p);

		if (!x)
			return -1;
		if (start == certs)
			*pub_r = X509_get_pubkey(x);
		X509_free(x);
		if (add_cert(i, start, (size_t)(p - start)) < 0)
			return -1;
	}
	return *pub_r ? 0 : -1;
}

static int make_key(struct identity *i, const char *key_id, EVP_PKEY *pub, struct problem *pr)
{
	i->pk = EVP_PKEY_is_a(pub, "EC") ? GNUTLS_PK_ECDSA : GNUTLS_PK_RSA;
	i->bits = EVP_PKEY_get_bits(pub);
	i->keeper = keys_pkey(me.keys, key_id, pub, pr);
	if (!i->keeper)
		return -1;
	if (gnutls_privkey_init(&i->key) < 0 ||
	    gnutls_privkey_import_ext4(i->key, i, sign_data, sign_hash, NULL, NULL, info, 0) < 0)
		return problem_temp(pr, "GnuTLS does not take the key %s", key_id);
	return 0;
}

static void identity_free(struct identity *i)
{
	for (unsigned k = 0; k < i->ncerts; k++)
		gnutls_pcert_deinit(&i->certs[k]);
	if (i->key)
		gnutls_privkey_deinit(i->key);
	EVP_PKEY_free(i->keeper);
	free(i);
}

static void hash_of(const char *key_id, const uint8_t *certs, size_t n, uint8_t out[32])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (!md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(md, key_id, strlen(key_id) + 1) != 1 || EVP_DigestUpdate(md, certs, n) != 1 ||
	    EVP_DigestFinal_ex(md, out, NULL) != 1)
		log_fatal("no SHA-256");
	EVP_MD_CTX_free(md);
}

void https_tls_certificate(const char *key_id, const uint8_t *certs, size_t n)
{
	struct identity *i = mem_new(sizeof *i);
	struct problem pr = {0};
	EVP_PKEY *pub = NULL;
	int rc;

	hash_of(key_id, certs, n, i->of);
	pthread_mutex_lock(&me.lock);
	if (me.now && memcmp(me.now->of, i->of, sizeof i->of) == 0) {
		pthread_mutex_unlock(&me.lock);
		free(i);
		return; /* it is said again at each change of anything that is served */
	}
	if (!me.keys)
		rc = problem_temp(&pr, "the keeper is not there");
	else if (add_certs(i, certs, n, &pub) < 0)
		rc = problem_perm(&pr, "the certificate of key %s, or its chain, cannot be read", key_id);
	else
		rc = make_key(i, key_id, pub, &pr);
	if (rc == 0)
		me.now = i;
	pthread_mutex_unlock(&me.lock);
	EVP_PKEY_free(pub);
	if (rc == 0)
		return;
	identity_free(i);
	log_error(NULL, me.who, "alarm=tls why=\"%s\"", pr.text);
}

int https_tls_retrieve(gnutls_session_t session, const gnutls_datum_t *req_ca_dn, int nreqs,
    const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length, gnutls_pcert_st **pcert, unsigned int *pcert_length,
    gnutls_privkey_t *privkey)
{
	struct identity *i;

	(void)session;
	(void)req_ca_dn;
	(void)nreqs;
	(void)pk_algos;
	(void)pk_algos_length;
	pthread_mutex_lock(&me.lock);
	i = me.now;
	pthread_mutex_unlock(&me.lock);
	if (!i)
		return -1;
	*pcert = i->certs;
	*pcert_length = i->ncerts;
	*privkey = i->key;
	return 0;
}
