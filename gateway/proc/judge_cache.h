/*
 * What judge need not work out twice: parsed certificates by the hash of their DER, results of path checks for 60 s,
 * the short lists of the store. Role judge; one thread; bounded. What comes from the store is dropped when
 * store_version changes.
 */
#ifndef POSTERN_PROC_JUDGE_CACHE_H
#define POSTERN_PROC_JUDGE_CACHE_H

#include <openssl/evp.h>

#include "certstore/cert.h"
#include "certstore/revoke.h"
#include "certstore/store.h"
#include "certstore/trust.h"
#include "gateway/xsmg/statement.h"

struct judge_cache;
struct judge_cache *judge_cache_new(void);
void judge_cache_free(struct judge_cache *c);
/* Before each question: drops what the store no longer says. */
void judge_cache_begin(struct judge_cache *c, struct store *s);
/* Something was read that was never committed: the next judge_cache_begin looks anew. */
void judge_cache_forget(struct judge_cache *c);
/* What was written since the store had the version before changed nothing of what is kept here. */
void judge_cache_same(struct judge_cache *c, struct store *s, uint64_t before);

struct judge_cert {
	X509 *x;
	struct cert_facts f;
	unsigned refs;
};
/* The parsed certificate, or NULL with pr. judge_cert_drop it. */
struct judge_cert *judge_cache_cert(struct judge_cache *c, const void *der, size_t n, struct problem *pr);
void judge_cert_drop(struct judge_cert *k);

#define JUDGE_PATH_KEEP_S 60
/* A path's result under a key made by the caller. get: 1 known, 0 not (or too old). */
struct judge_path {
	uint8_t key[32];
	int64_t until; /* unix s */
	struct trust_found found;
	enum trust_reason reason;
};
int judge_cache_path(struct judge_cache *c, const uint8_t key[32], int64_t now, const struct judge_path **p_r);
void judge_cache_path_put(struct judge_cache *c, const struct judge_path *p);

/* An issuer's place (issuer_place) gave no answer again: since when (unix s) the present outage lasts, now when it
 * begins. It ends when the place answers, and when nothing failed for issuer_gap_s. */
int64_t judge_cache_away(struct judge_cache *c, uint64_t place, int64_t now);
/* The place answered, whatever it had. */
void judge_cache_back(struct judge_cache *c, uint64_t place);

/* SHA-256, fetched once: the fetch behind EVP_sha256() costs more than hashing a certificate. */
const EVP_MD *judge_cache_sha256(const struct judge_cache *c);

/* Of a trusted statement, what counts for mail. */
struct judge_said {
	struct statement_read read;
	struct statement_write write;
	bool demand_signed, demand_encrypted;
};
/* What the store has under one name, a domain or a person's address. Valid until the next
 * judge_cache_begin. -1 with pr. */
struct judge_owner {
	char name[ADDRESS_TEXT_MAX];
	struct store_partner *partner; /* NULL: not listed */
	struct store_cert *certs;
	size_t ncerts;
	struct store_caps *caps; /* what was said last first; judge_learn.c moves a time on */
	size_t ncaps;
	struct store_statement *statement;  /* NULL: nothing of a gateway there (a domain's alone) */
	struct store_statement_cert *given; /* certificates of its trusted statement, and their chain */
	size_t ngiven;
	struct judge_said *said;  /* what the trusted statement says; NULL: there is none */
	int64_t seen;		  /* seen protected since; 0 never */
	struct judge_owner *next; /* of those that lost their place */
};
int judge_cache_owner(struct judge_cache *c, struct store *s, const char *name, const struct judge_owner **o_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* The same for a person's address, in the form in which it is kept (lower case). */
int judge_cache_person(struct judge_cache *c, struct store *s, const struct address *a,
    const struct judge_owner **o_r, struct problem *pr) __attribute__((warn_unused_result));
/* Is exactly this certificate (the SHA-256 of its DER in hex) pinned under that name? */
bool judge_cache_has_pinned(const struct judge_owner *o, const char *sha256);

/* The store's short lists, valid until the next judge_cache_begin. 0 / -1 with pr. */
int judge_cache_rules(
    struct judge_cache *c, struct store *s, const struct store_rule **list_r, size_t *n_r, struct problem *pr);
int judge_cache_anchors(
    struct judge_cache *c, struct store *s, const struct store_anchor **list_r, size_t *n_r, struct problem *pr);
int judge_cache_identities(
    struct judge_cache *c, struct store *s, const struct store_identity **list_r, size_t *n_r, struct problem *pr);

/* For a question of what would be (explain): as if the store had other rules, and other words of one partner. All of
 * it is borrowed until it is set to NULL again, which is before the next question of anybody else. Meanwhile no path
 * is taken from the cache or put there, and what is chosen must not be remembered. */
struct judge_supposed {
	const struct store_rule *rules; /* in their order */
	size_t nrules;
	bool has_rules;			     /* else those of the store */
	const char *name;		     /* whose entry; "" nobody's */
	const struct store_partner *partner; /* NULL: it is not listed, and its certificates and anchors are gone */
};
void judge_cache_suppose(struct judge_cache *c, const struct judge_supposed *s);
/* NULL: nothing is only supposed. */
const struct judge_supposed *judge_cache_supposed(const struct judge_cache *c);

/* Certificates known to be revoked, by fingerprint; revoked_changed: they are to be read again. */
int judge_cache_revoked(
    struct judge_cache *c, struct store *s, const struct store_revoked **list_r, size_t *n_r, struct problem *pr);
void judge_cache_revoked_changed(struct judge_cache *c);
/* Changes whenever what is remembered of revoked ones did. */
uint64_t judge_cache_revocations(const struct judge_cache *c);
/* A statement made somebody believed otherwise: noted here by whoever wrote it, taken by whoever tells the relay.
 * take: false when nothing was noted; domain_r "" when it was of several domains. */
void judge_cache_changed(struct judge_cache *c, const char *domain);
bool judge_cache_changed_take(struct judge_cache *c, char domain_r[256]);
/* What octets out of the network are, kept across changes of the store. */
struct find_memo *judge_cache_memo(struct judge_cache *c);
/* Lists and answers on revocation, kept across changes of the store. */
struct revoke_cache *judge_cache_lists(struct judge_cache *c);

/* What the settings say of believing. Filled once; borrowed by the cache. */
struct judge_believing {
	struct revoke_settings revoke;
	const char *const *domains; /* ours */
	const int *modes;	    /* enum revoke_mode of each of them */
	size_t ndomains;
	bool fetch_issuers;
	int64_t issuer_wait_s; /* mail that came in waits so long for a missing issuer */
	int64_t issuer_gap_s;  /* failures further apart are two outages: longer than mail waits between two tries */
	unsigned bundle_drop_max; /* per cent */
};
void judge_cache_believing_set(struct judge_cache *c, const struct judge_believing *b);
/* Never NULL. */
const struct judge_believing *judge_cache_believing(const struct judge_cache *c);

#endif
