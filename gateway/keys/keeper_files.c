/*
 * The master file and the sealed key files; their layout is in the header. Role keeper. The octets come from our own
 * directory, but whoever can write there must gain nothing: lengths are checked before use, scrypt's cost is bounded,
 * and nothing is believed before its tag.
 */
#include "gateway/keys/keeper_files.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keeper_proto.h"

static const char master_magic[] = "PSTNMAS1";
static const char key_magic[] = "PSTNKEY1";

enum {
	MAGIC = 8,
	SALT = 32,
	CHECK = 16,
	COST = 3,				   /* log2 N, r, p */
	MASTER_HEAD = MAGIC + COST + SALT + CHECK, /* bound to the sealed part */
	LOG_N = 15,
	LOG_N_LEAST = 14,
	LOG_N_MOST = 20,      /* 1 GiB */
	KEY_HEAD = MAGIC + 3, /* and the name */
};

/* What scrypt (RFC 7914) makes of a passphrase. */
struct stretched {
	uint8_t key[KEEPER_SEAL_KEY];
	uint8_t check[CHECK];
};

static int stretch(
    const void *passphrase, size_t n, const uint8_t *cost, const uint8_t *salt, struct stretched *out_r)
{
	uint64_t big_n = UINT64_C(1) << cost[0];
	uint64_t most = 128 * cost[1] * (big_n + cost[2] + 4) + (1 << 20); /* V, B and something for the rest */

	return EVP_PBE_scrypt(
		   passphrase, n, salt, SALT, big_n, cost[1], cost[2], most, (uint8_t *)out_r, sizeof(*out_r))
		   ? 0
		   : -1;
}

static struct keeper_secrets *secrets_new(void)
{
	struct keeper_secrets *s = OPENSSL_secure_zalloc(sizeof(*s));

	if (!s)
		log_fatal("no secure memory for the master key");
	return s;
}

void keeper_files_secrets_free(struct keeper_secrets *s)
{
	OPENSSL_secure_clear_free(s, sizeof(*s));
}

static int master_write(const void *passphrase, size_t n, struct keeper_secrets *s, struct buf *file_r)
{
	static const uint8_t cost[COST] = {LOG_N, 8, 1};
	uint8_t head[MASTER_HEAD];
	struct stretched st;
	int r = -1;

	memcpy(head, master_magic, MAGIC);
	memcpy(head + MAGIC, cost, COST);
	if (RAND_bytes(head + MAGIC + COST, SALT) == 1 && RAND_priv_bytes((uint8_t *)s, sizeof(*s)) == 1 &&
	    stretch(passphrase, n, cost, head + MAGIC + COST, &st) == 0) {
		memcpy(head + MAGIC + COST + SALT, st.check, CHECK);
		if (buf_add(file_r, head, sizeof(head)) == 0 &&
		    keeper_seal_lock(st.key, head, sizeof(head), s, sizeof(*s), file_r) == 0)
			r = 0;
	}
	mem_wipe(&st, sizeof(st));
	return r;
}

int keeper_files_master_make(const void *passphrase, size_t n, struct buf *file_r, struct problem *pr)
{
	struct keeper_secrets *s;
	int r;

	if (n == 0)
		return problem_perm(pr, "The keeper's passphrase is empty; it must have at least one octet");
	s = secrets_new();
	r = master_write(passphrase, n, s, file_r);
	keeper_files_secrets_free(s);
	if (r == 0)
		return 0;
	ERR_clear_error();
	return problem_temp(pr, "The keeper's master file could not be made: out of memory (scrypt needs 32 MiB), or "
				"no room for the file");
}

/* Before anything is computed: the right size, our version, a cost that neither weakens the passphrase nor exhausts
 * the machine. */
static int master_look(const uint8_t *f, size_t n, struct problem *pr)
{
	const uint8_t *cost = f + MAGIC;

	if (n != KEEPER_FILES_MASTER || memcmp(f, master_magic, MAGIC) != 0)
		return problem_perm(pr,
		    "The keeper's master file is not one of this version, or is damaged (%zu octets instead of %d); "
		    "restore it from the backup",
		    n, KEEPER_FILES_MASTER);
	if (cost[0] < LOG_N_LEAST || cost[0] > LOG_N_MOST || cost[1] != 8 || cost[2] != 1)
		return problem_perm(pr,
		    "The keeper's master file is damaged (scrypt 2^%u, %u, %u); restore it from the backup", cost[0],
		    cost[1], cost[2]);
	return 0;
}

struct keeper_secrets *keeper_files_master_open(
    const void *passphrase, size_t n, const void *file, size_t file_n, struct problem *pr)
{
	const uint8_t *f = file, *salt;
	struct keeper_secrets *s;
	struct stretched st;

	if (master_look(f, file_n, pr) < 0)
		return NULL;
	salt = f + MAGIC + COST;
	s = secrets_new();
	if (stretch(passphrase, n, f + MAGIC, salt, &st) < 0)
		problem_temp(pr, "The passphrase could not be checked: out of memory (scrypt needs %lu MiB)",
		    1UL << (f[MAGIC] - 10));
	else if (CRYPTO_memcmp(st.check, salt + SALT, CHECK) != 0)
		problem_perm(pr, "The passphrase is not the one under which the keeper's master file was made");
	else if (keeper_seal_open(st.key, f, MASTER_HEAD, f + MASTER_HEAD, file_n - MASTER_HEAD, (uint8_t *)s) < 0)
		problem_perm(pr,
		    "The passphrase is right, but the keeper's master file is damaged; restore it from the backup");
	else
		goto done;
	ERR_clear_error();
	keeper_files_secrets_free(s);
	s = NULL;
done:
	mem_wipe(&st, sizeof(st));
	return s;
}

/* PKCS #8 DER in memory that OPENSSL_clear_free gives back; its length or -1. */
static int to_pkcs8(EVP_PKEY *pkey, unsigned char **der_r)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	int n = -1;

	*der_r = NULL;
	if (info)
		n = i2d_PKCS8_PRIV_KEY_INFO(info, der_r);
	PKCS8_PRIV_KEY_INFO_free(info);
	return n;
}

int keeper_files_seal(
    const struct keeper_secrets *s, const struct keeper_key *key, struct buf *file_r, struct problem *pr)
{
	size_t id_n = strlen(key->id);
	uint8_t head[KEY_HEAD + KEYS_ID_MAX];
	unsigned char *der;
	int r = -1, n = to_pkcs8(key->pkey, &der);

	memcpy(head, key_magic, MAGIC);
	head[MAGIC] = (uint8_t)key->use;
	head[MAGIC + 1] = (uint8_t)key->algo;
	head[MAGIC + 2] = (uint8_t)id_n;
	memcpy(head + KEY_HEAD, key->id, id_n);
	if (n > 0 && buf_add(file_r, head, KEY_HEAD + id_n) == 0 &&
	    keeper_seal_lock(s->master, head, KEY_HEAD + id_n, der, (size_t)n, file_r) == 0)
		r = 0;
	if (n > 0)
		OPENSSL_clear_free(der, (size_t)n);
	if (r == 0)
		return 0;
	ERR_clear_error();
	return problem_temp(pr, "Key %s could not be sealed: the keeper is out of memory for keys", key->id);
}

EVP_PKEY *keeper_files_pkcs8(const void *der, size_t n, const char *id, struct problem *pr)
{
	const unsigned char *p = der;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)n);
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	enum keys_algo algo;

	if (info && p == (const unsigned char *)der + n)
		pkey = EVP_PKCS82PKEY(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	if (!pkey) {
		problem_perm(pr, "Private key %s is not an unencrypted PKCS #8 PrivateKeyInfo in DER", id);
		goto fail;
	}
	/* the type first: the check of numbers takes as long as the stranger's numbers make it */
	if (keeper_keys_algo(pkey, id, &algo, pr) < 0)
		goto fail;
	ctx = EVP_PKEY_CTX_new(pkey, NULL);
	if (!ctx || EVP_PKEY_check(ctx) != 1) {
		problem_perm(pr, "Private key %s is not sound: its numbers do not fit each other", id);
		goto fail;
	}
	EVP_PKEY_CTX_free(ctx);
	return pkey;
fail:
	ERR_clear_error();
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return NULL;
}

/* The parts of a key file, all inside its octets. */
struct key_file {
	char id[KEYS_ID_MAX + 1];
	uint8_t use, algo;
	size_t head;
};

static int key_look(const char *name, const uint8_t *p, size_t n, struct key_file *f_r, struct problem *pr)
{
	size_t id_n;

	if (n < KEY_HEAD || n > KEEPER_FILES_KEY_MAX || memcmp(p, key_magic, MAGIC) != 0)
		return problem_perm(pr, "%.80s is not a sealed key file of this version", name);
	id_n = p[MAGIC + 2];
	if (id_n > KEYS_ID_MAX || n < KEY_HEAD + id_n + KEEPER_SEAL_MORE)
		return problem_perm(pr, "%.80s is damaged: cut short", name);
	f_r->use = p[MAGIC];
	f_r->algo = p[MAGIC + 1];
	f_r->head = KEY_HEAD + id_n;
	memcpy(f_r->id, p + KEY_HEAD, id_n);
	f_r->id[id_n] = 0;
	if (strlen(f_r->id) != id_n || !keeper_proto_id_ok(f_r->id) || f_r->use < KEYS_USE_SIGN ||
	    f_r->use > KEYS_USE_STATEMENT || f_r->algo > KEYS_EC_P521)
		return problem_perm(pr, "%.80s is damaged: its first octets make no sense", name);
	if (strncmp(name, f_r->id, id_n) != 0 || strcmp(name + id_n, ".key") != 0)
		return problem_perm(
		    pr, "%.80s holds the key %s; a key file keeps its name (%s.key)", name, f_r->id, f_r->id);
	return 0;
}

static EVP_PKEY *key_unseal(const struct keeper_secrets *s, const char *name, const uint8_t *p, size_t n,
    const struct key_file *f, struct problem *pr)
{
	size_t plain_n = n - f->head - KEEPER_SEAL_MORE;
	uint8_t *plain = mem_new(plain_n + 1);
	const unsigned char *q = plain;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	EVP_PKEY *pkey = NULL;

	if (keeper_seal_open(s->master, p, f->head, p + f->head, n - f->head, plain) < 0) {
		problem_perm(
		    pr, "%.80s is damaged, or was sealed by another keeper; restore it from the backup", name);
	} else {
		/* sealed by us: it was checked before, and is not checked at length again at every start */
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &q, (long)plain_n);
		pkey = info && q == plain + plain_n ? EVP_PKCS82PKEY(info) : NULL;
		if (!pkey)
			problem_temp(
			    pr, "%.80s holds no readable private key, or the keeper is out of memory for keys", name);
	}
	PKCS8_PRIV_KEY_INFO_free(info);
	mem_free_secret(plain, plain_n + 1);
	return pkey;
}

struct keeper_key *keeper_files_open(
    const struct keeper_secrets *s, const char *name, const void *p, size_t n, struct problem *pr)
{
	struct keeper_key *key = NULL;
	struct key_file f = {0};
	EVP_PKEY *pkey = NULL;

	if (key_look(name, p, n, &f, pr) == 0)
		pkey = key_unseal(s, name, p, n, &f, pr);
	if (pkey)
		key = keeper_keys_new(f.id, f.use, pkey, pr);
	if (key && key->algo != f.algo) {
		problem_perm(pr, "%.80s is damaged: it says %s and holds %s", name, keys_algo_word(f.algo),
		    keys_algo_word(key->algo));
		keeper_keys_unref(key);
		key = NULL;
	}
	ERR_clear_error();
	return key;
}
