/*
 * One admin request on its way through the judge: reading its arguments, building its reply. Role judge; used by
 * judge_admin*.c; pure. Every argument is looked at here before a handler sees it; what is wrong is one sentence that
 * names the argument and what is allowed.
 */
#ifndef POSTERN_PROC_JUDGE_CALL_H
#define POSTERN_PROC_JUDGE_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "certstore/cert.h"
#include "certstore/source.h"
#include "certstore/store.h"
#include "gateway/mail/address.h"
#include "gateway/policy/policy.h"

struct judge_admin;
struct judge_call {
	struct judge_admin *ja;
	struct store *store;
	struct source_run *run; /* what may be asked of the network, NULL nothing */
	const char *who;
	json_t *args; /* borrowed */
	json_t *data; /* the reply's object, filled by the handler */
	struct problem *pr;
	const char *code; /* of the error, NULL: by the problem's class */
	int fd;		  /* a descriptor that goes with the reply, -1 none */
	int64_t now;
	bool trial; /* what is written is taken back: nothing else may change either */
};

/* Sets the problem and the error's code word. Returns -1. Codes: "usage" (an argument is missing or malformed),
 * "not-found", "exists", "refused" (looked at and not taken), "unavailable" (store or keeper: try later). */
int judge_call_fail(struct judge_call *c, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- arguments. 0 / -1 with the problem set. ---- */
enum judge_need { JUDGE_MUST, JUDGE_MAY /* then NULL, "" or the default */ };
int judge_call_str(struct judge_call *c, const char *name, enum judge_need need, size_t max, const char **v_r);
int judge_call_int(struct judge_call *c, const char *name, int64_t min, int64_t max, int64_t dflt, int64_t *v_r);
int judge_call_bool(struct judge_call *c, const char *name, bool dflt, bool *v_r);
/* Base64; *p_r NULL when it may be missing and is. mem_free_secret(p, n). */
int judge_call_octets(
    struct judge_call *c, const char *name, enum judge_need need, size_t max, uint8_t **p_r, size_t *n_r);
int judge_call_domain(struct judge_call *c, const char *name, enum judge_need need, char out[ADDRESS_DOMAIN_MAX + 1]);
/* A domain or one person's address, in lower case; who_r (may be NULL) gets it as an address, local "" for a domain.
 */
int judge_call_owner(
    struct judge_call *c, const char *name, enum judge_need need, char out[ADDRESS_TEXT_MAX], struct address *who_r);
/* The name of a group of partners: letters in lower case, digits, "-", at most 40; "" when it is not there. */
#define JUDGE_GROUP_MAX 40
int judge_call_group(struct judge_call *c, const char *name, enum judge_need need, char out[JUDGE_GROUP_MAX + 1]);
/* What anchors are scoped to: a partner's domain, "@GROUP", or "*"; "" when it is not there. */
int judge_call_scope(struct judge_call *c, const char *name, enum judge_need need, char out[ADDRESS_DOMAIN_MAX + 1]);
/* One of our domains, "" when it is not there. */
int judge_call_local(struct judge_call *c, const char *name, char out[ADDRESS_DOMAIN_MAX + 1]);
int judge_call_direction(struct judge_call *c, enum store_direction *dir_r);
int judge_call_treatment(struct judge_call *c, const char *dflt, const char **word_r);
int judge_call_strength(struct judge_call *c, const char *dflt, const char **word_r);
/* Hex digits of a fingerprint, blanks and colons between them allowed, at least 8; out gets them in lower case. */
int judge_call_fingerprint(struct judge_call *c, const char *text, char out[CERT_HASH_TEXT]);
/* The same of one that somebody compared to decide by it, at least 16: whoever wants to be taken for another can make
 * certificates until 8 digits are alike. */
int judge_call_compared(struct judge_call *c, const char *text, char out[CERT_HASH_TEXT]);

/* What somebody looked at before he changes it: a hash of its JSON, whatever the order of its members, without those
 * that time alone changes (days_left, state, fetching). */
void judge_call_revision(const json_t *v, char out[33]);
/* Argument "if_match", when it is there, is the revision of now (borrowed): 0; else -1, code "changed", what names
 * it. */
int judge_call_unchanged(struct judge_call *c, const json_t *now, const char *what);

/* ---- reply ---- */
/* A JSON string; octets that are no UTF-8 become '?'. Never NULL. */
json_t *judge_call_text(const char *s);
json_t *judge_call_time(int64_t unix_s); /* "2026-11-22T02:05:19Z", null for 0 */
/* Steals v. */
void judge_call_set(json_t *object, const char *name, json_t *v);
void judge_call_add(json_t *array, json_t *v);
json_t *judge_call_object(void);
json_t *judge_call_array(void);
/* All facts of a certificate for people and programs; state: "valid", "expired", "not yet valid", "weak". */
json_t *judge_call_facts(X509 *x, int64_t now);
/* PEM of a DER certificate or request. */
json_t *judge_call_pem(const char *label, const void *der, size_t n);

#endif
