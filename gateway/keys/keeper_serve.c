/*
 * The keeper's requests and who may send them. Role keeper, any of its threads. Not here: channels and threads
 * (keeper.c), the private operations themselves (keeper_ops.c).
 *
 * A role that was taken over can ask for whatever its row allows, and no more: relay can be made to sign TLS
 * handshakes but not a mail, public handshakes of its own host name, sealer a mail but not a statement, judge a
 * statement but nothing that a mail or a handshake could carry, and none of them gets a key.
 */
#include "gateway/keys/keeper_serve.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keeper_certify.h"
#include "gateway/keys/keeper_ops.h"
#include "gateway/keys/keeper_wrap.h"

enum { FORGOTTEN_MAX = 10000 };

struct job {
	struct keeper_serve *s;
	uint64_t turn; /* of forgetting, when it began */
	const struct keeper_request *rq;
	const struct keeper_key *key; /* when the rule says so */
	const struct keeper_secrets *secrets;
	struct buf *data;
	struct keeper_reply *rp;
};

/* ---- handlers: 0 with the reply, -1 with pr. What they put into data becomes the reply's data. ---- */

static int status(struct job *j, struct problem *pr)
{
	(void)pr;
	j->rp->status.state = j->secrets ? KEYS_READY : KEYS_SEALED;
	j->rp->status.nkeys = keeper_keys_count(j->s->keys);
	return 0;
}

static int sign(struct job *j, struct problem *pr)
{
	return keeper_ops_sign(j->key, &j->rq->sign, j->data, pr);
}

static int decrypt(struct job *j, struct problem *pr)
{
	return keeper_ops_decrypt(j->key, &j->rq->decrypt, &j->rp->cek, pr);
}

static int agree(struct job *j, struct problem *pr)
{
	return keeper_ops_agree(j->key, &j->rq->agree, j->data, pr);
}

static int wrap(struct job *j, struct problem *pr)
{
	return keeper_wrap(j->secrets->queue, j->rq->key.p, j->data, pr);
}

static int unwrap(struct job *j, struct problem *pr)
{
	uint8_t *key = buf_room(j->data, KEYS_DATA_KEY);

	REQUIRE(key);
	if (keeper_wrap_open(j->secrets->queue, j->rq->key.p, j->rq->key.n, key, pr) < 0)
		return -1;
	buf_added(j->data, KEYS_DATA_KEY);
	return 0;
}

static int answer_public(struct job *j, EVP_PKEY *pkey, struct problem *pr)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(pkey, &der);
	int r = n > 0 ? buf_add(j->data, der, (size_t)n) : -1;

	OPENSSL_free(der);
	return r == 0 ? 0 : problem_temp(pr, "The public key of key %s could not be written", j->rq->id);
}

static int name_free(struct job *j, struct problem *pr)
{
	struct keeper_key *key = keeper_keys_find(j->s->keys, j->rq->id);

	keeper_keys_unref(key);
	return key ? problem_perm(pr, "There is already a key called %s; keys are never overwritten", j->rq->id) : 0;
}

static struct keeper_forgotten *forgotten_find(const struct keeper_serve *s, const char *id)
{
	struct keeper_forgotten *f = s->forgotten;

	while (f && strcmp(f->id, id) != 0)
		f = f->next;
	return f;
}

/* Was it forgotten after this turn? Under storing. */
static int not_forgotten(const struct keeper_serve *s, const char *id, uint64_t turn, struct problem *pr)
{
	const struct keeper_forgotten *f = forgotten_find(s, id);

	return f && f->turn > turn
		   ? problem_perm(pr, "Key %s was forgotten while it was being read or made; it stays forgotten", id)
		   : 0;
}

static int forgotten_note(struct keeper_serve *s, const char *id, struct problem *pr)
{
	struct keeper_forgotten *f = forgotten_find(s, id);

	if (!f && s->nforgotten == FORGOTTEN_MAX)
		return problem_temp(pr,
		    "%d keys were forgotten since the keeper started; restart Postern, then try again",
		    FORGOTTEN_MAX);
	if (!f) {
		f = mem_new(sizeof(*f));
		REQUIRE(mem_copy_str(f->id, sizeof(f->id), id) == 0);
		f->next = s->forgotten;
		s->forgotten = f;
		s->nforgotten++;
	}
	f->turn = ++s->turn;
	return 0;
}

void keeper_serve_clear(struct keeper_serve *s)
{
	while (s->forgotten) {
		struct keeper_forgotten *f = s->forgotten;

		s->forgotten = f->next;
		free(f);
	}
}

int keeper_serve_add(struct keeper_serve *s, struct keeper_key *key, struct problem *pr)
{
	int r;

	pthread_mutex_lock(&s->storing);
	r = not_forgotten(s, key->id, 0, pr);
	if (r == 0 && keeper_keys_add(s->keys, key) < 0)
		r = problem_perm(pr, "%.80s.key was loaded already", key->id);
	pthread_mutex_unlock(&s->storing);
	return r;
}

/* The file first, then the memory: no key is used, and none is answered, that would be lost with this process. */
static int store(struct job *j, struct keeper_key *key, const struct buf *file, struct problem *pr)
{
	char name[KEYS_ID_MAX + 5];

	if (name_free(j, pr) < 0 || not_forgotten(j->s, key->id, j->turn, pr) < 0)
		return -1;
	snprintf(name, sizeof(name), "%s.key", key->id);
	if (j->s->persist(j->s->ctx, name, file->p, file->len, pr) < 0)
		return -1;
	REQUIRE(keeper_keys_add(j->s->keys, key) == 0);
	return 0;
}

/* Makes pkey (taken over) a key of the keeper. */
static int keep(struct job *j, EVP_PKEY *pkey, struct problem *pr)
{
	struct keeper_key *key = keeper_keys_new(j->rq->id, j->rq->make.use, pkey, pr);
	struct buf file;
	int r;

	if (!key)
		return -1;
	buf_init(&file, KEEPER_FILES_KEY_MAX);
	r = answer_public(j, pkey, pr);
	if (r == 0)
		r = keeper_files_seal(j->secrets, key, &file, pr);
	if (r == 0) {
		pthread_mutex_lock(&j->s->storing);
		r = store(j, key, &file, pr);
		pthread_mutex_unlock(&j->s->storing);
	}
	if (r == 0)
		log_info(NULL, "keeper", "new-key key=%s use=%s algo=%s", key->id, keys_use_word(key->use),
		    keys_algo_word(key->algo));
	else
		keeper_keys_unref(key);
	buf_clear(&file);
	return r;
}

static int id_ok(struct job *j, struct problem *pr)
{
	if (!keeper_proto_id_ok(j->rq->id))
		return problem_perm(pr,
		    "\"%.80s\" cannot be the name of a key: 1 to %d of a-z, 0-9, '.', '-', not beginning with '.'",
		    j->rq->id, KEYS_ID_MAX);
	return name_free(j, pr);
}

static EVP_PKEY *fresh(enum keys_algo algo)
{
	switch (algo) {
	case KEYS_RSA_2048:
		return EVP_RSA_gen(2048);
	case KEYS_RSA_3072:
		return EVP_RSA_gen(3072);
	case KEYS_RSA_4096:
		return EVP_RSA_gen(4096);
	case KEYS_EC_P256:
		return EVP_EC_gen("P-256");
	case KEYS_EC_P384:
		return EVP_EC_gen("P-384");
	case KEYS_EC_P521:
		return EVP_EC_gen("P-521");
	}
	return NULL;
}

static int generate(struct job *j, struct problem *pr)
{
	EVP_PKEY *pkey;

	if (id_ok(j, pr) < 0)
		return -1;
	pkey = fresh(j->rq->make.algo);
	return pkey ? keep(j, pkey, pr)
		    : problem_temp(
			  pr, "Key %s could not be generated: the keeper is out of memory for keys", j->rq->id);
}

static int import(struct job *j, struct problem *pr)
{
	EVP_PKEY *pkey;

	if (id_ok(j, pr) < 0)
		return -1;
	pkey = keeper_files_pkcs8(j->rq->make.pkcs8.p, j->rq->make.pkcs8.n, j->rq->id, pr);
	return pkey ? keep(j, pkey, pr) : -1;
}

/*
 * The memory first, then the file: from here on the key does nothing, also when the file cannot be removed. A death
 * between leaves the file, and the key is back at the next start; the judge, whose store was told before, asks again
 * until both are gone. So there is nothing to be forgotten of a key that is not there.
 */
static int forget(struct job *j, struct problem *pr)
{
	char name[KEYS_ID_MAX + 5];
	int there = 0, r;

	if (!keeper_proto_id_ok(j->rq->id))
		return problem_perm(pr, "\"%.80s\" cannot be the name of a key", j->rq->id);
	snprintf(name, sizeof(name), "%s.key", j->rq->id);
	pthread_mutex_lock(&j->s->storing);
	r = forgotten_note(j->s, j->rq->id, pr);
	if (r == 0) {
		there = keeper_keys_remove(j->s->keys, j->rq->id);
		r = j->s->persist(j->s->ctx, name, NULL, 0, pr);
	}
	pthread_mutex_unlock(&j->s->storing);
	if (there || r < 0)
		log_info(NULL, "keeper", "forgot-key key=%s file=%s", j->rq->id, r < 0 ? "still-there" : "removed");
	return r;
}

static int certify(struct job *j, struct problem *pr)
{
	return keeper_certify(j->key, &j->rq->certify, time(NULL), j->data, pr);
}

static int statement(struct job *j, struct problem *pr)
{
	return keeper_ops_statement(j->key, &j->rq->attrs, j->data, pr);
}

/* ---- who may ---- */

enum {
	NEVER = 0, /* 1 to 4: with a key of this enum keys_use */
	MAY = 255, /* whatever the key is for, or without a key */
};
enum { ALSO_SEALED = 1, WITH_KEY = 2 };

static const struct rule {
	int (*handle)(struct job *j, struct problem *pr);
	uint8_t flags;
	uint8_t may[KEEPER_FOR_WEB + 1];
} rules[KEEPER_MSG_END] = {
    /*                                                relay         sealer         judge  public        web */
    [KEEPER_MSG_STATUS] = {status, ALSO_SEALED, {MAY, MAY, MAY, MAY, MAY}},
    [KEEPER_MSG_SIGN] = {sign, WITH_KEY, {KEYS_USE_TLS, KEYS_USE_SIGN, NEVER, KEYS_USE_TLS, KEYS_USE_TLS}},
    [KEEPER_MSG_DECRYPT] = {decrypt, WITH_KEY, {NEVER, KEYS_USE_DECRYPT, NEVER}},
    [KEEPER_MSG_AGREE] = {agree, WITH_KEY, {NEVER, KEYS_USE_DECRYPT, NEVER}},
    [KEEPER_MSG_WRAP] = {wrap, 0, {MAY, NEVER, NEVER}},
    [KEEPER_MSG_UNWRAP] = {unwrap, 0, {MAY, NEVER, NEVER}},
    [KEEPER_MSG_GENERATE] = {generate, 0, {NEVER, NEVER, MAY}},
    [KEEPER_MSG_IMPORT] = {import, 0, {NEVER, NEVER, MAY}},
    [KEEPER_MSG_CERTIFY] = {certify, WITH_KEY, {NEVER, NEVER, MAY}},
    [KEEPER_MSG_STATEMENT] = {statement, WITH_KEY, {NEVER, NEVER, KEYS_USE_STATEMENT}},
    [KEEPER_MSG_FORGET] = {forget, 0, {NEVER, NEVER, MAY}},
};

const char *keeper_serve_client(enum keeper_client who)
{
	static const char *const words[] = {[KEEPER_FOR_RELAY] = "relay",
	    [KEEPER_FOR_SEALER] = "sealer",
	    [KEEPER_FOR_JUDGE] = "judge",
	    [KEEPER_FOR_PUBLIC] = "public",
	    [KEEPER_FOR_WEB] = "web"};

	return words[who];
}

/*
 * A refusal is an error of our own house (a wrong name in the configuration, or a role that was taken over), never of
 * the mail: it is temporary for the mail that waits for it.
 */
static int refuse(const struct job *j, enum keeper_client who, const char *key_use, struct problem *pr)
{
	const char *word = keeper_proto_word(j->rq->msg);

	log_error(NULL, "keeper", "refused client=%s request=%s key=%s key-use=%s", keeper_serve_client(who), word,
	    j->rq->id[0] ? j->rq->id : "-", key_use);
	if (key_use[0] == '-')
		return problem_temp(pr, "The keeper refuses %s requests of the %s", word, keeper_serve_client(who));
	return problem_temp(pr,
	    "The keeper refuses the request %s of the %s with key %s, which may be used for %s only; check which key "
	    "is "
	    "configured where",
	    word, keeper_serve_client(who), j->rq->id, key_use);
}

/* The listeners of HTTPS are spoken to by anybody: taken over, they must not be the mail server to others. */
static bool is_its_own(const struct job *j, enum keeper_client who)
{
	return (who != KEEPER_FOR_PUBLIC && who != KEEPER_FOR_WEB) || keys_tls_of(j->rq->id, j->s->hosts[who]);
}

static int not_its_own(const struct job *j, enum keeper_client who, struct problem *pr)
{
	const char *client = keeper_serve_client(who), *host = j->s->hosts[who];

	log_error(NULL, "keeper", "refused client=%s request=%s key=%s why=\"it may use the TLS keys of %s alone\"",
	    client, keeper_proto_word(j->rq->msg), j->rq->id, host[0] ? host : "no host");
	return problem_temp(pr,
	    "The keeper refuses the request %s of the %s listener with key %s: it may use the TLS keys of its own "
	    "host name alone, which is \"%.200s\" (%s, hostname)",
	    keeper_proto_word(j->rq->msg), client, j->rq->id, host, client);
}

static int with_key(struct job *j, const struct rule *rule, enum keeper_client who, struct problem *pr)
{
	struct keeper_key *key = keeper_keys_find(j->s->keys, j->rq->id);
	int r;

	if (!key) {
		log_error(NULL, "keeper", "no-such-key client=%s request=%s key=%s", keeper_serve_client(who),
		    keeper_proto_word(j->rq->msg), j->rq->id);
		return problem_temp(pr,
		    "The keeper has no key called \"%s\": its file is missing from the keys directory, or was "
		    "damaged at the start",
		    j->rq->id);
	}
	j->key = key;
	if (rule->may[who] != MAY && rule->may[who] != key->use)
		r = refuse(j, who, keys_use_word(key->use), pr);
	else if (!is_its_own(j, who))
		r = not_its_own(j, who, pr);
	else
		r = rule->handle(j, pr);
	j->key = NULL;
	keeper_keys_unref(key);
	return r;
}

static int decide(struct job *j, enum keeper_client who, struct problem *pr)
{
	const struct rule *rule = &rules[j->rq->msg];

	if (rule->may[who] == NEVER)
		return refuse(j, who, "-", pr);
	if (!j->secrets && !(rule->flags & ALSO_SEALED))
		return problem_temp(pr, "The keeper of the private keys is sealed: it waits for its passphrase");
	return rule->flags & WITH_KEY ? with_key(j, rule, who, pr) : rule->handle(j, pr);
}

void keeper_serve(struct keeper_serve *s, enum keeper_client who, const struct keeper_request *rq, struct buf *data,
    struct keeper_reply *rp_r)
{
	struct job j = {.s = s, .rq = rq, .secrets = s->secrets, .data = data, .rp = rp_r};

	j.turn = s->turn;
	memset(rp_r, 0, sizeof(*rp_r));
	rp_r->msg = rq->msg;
	rp_r->seq = rq->seq;
	rp_r->ok = decide(&j, who, &rp_r->problem) == 0;
	if (!rp_r->ok)
		log_info(NULL, "keeper", "failed client=%s request=%s key=%s why=\"%s\"", keeper_serve_client(who),
		    keeper_proto_word(rq->msg), rq->id[0] ? rq->id : "-", rp_r->problem.text);
	else if (data->len)
		rp_r->data = (struct keeper_octets){data->p, data->len};
	ERR_clear_error();
}
