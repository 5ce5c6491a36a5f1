/* Our own keys and the certificates that belong to them: names, checks, chains. Role judge; used by
 * judge_admin_domain.c and judge_admin_install.c. */
#ifndef POSTERN_PROC_JUDGE_OWN_H
#define POSTERN_PROC_JUDGE_OWN_H

#include "gateway/base/buf.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_call.h"
#include "gateway/proc/judge_upload.h"

/* A new key's id: "hospital.example-sign-20261122-1a2b". */
void judge_own_key_id(const char *domain, enum store_use use, int64_t now, char out[KEYS_ID_MAX + 1]);
/* 0 when the certificate may serve this use of ours; else the exact sentence. What an admin may have a reason for is
 * only a warning with force. */
int judge_own_check(
    struct judge_call *c, X509 *x, enum store_use use, const char *domain, bool force, json_t *warnings);
/* Appends what leads from x towards its root, as DER one behind the other, roots left out. */
void judge_own_chain(X509 *x, const struct judge_upload *u, struct buf *chain);
/* One identity for the admin: domain, use, key_id, active, added, state, certificate (facts or null). */
json_t *judge_own_row(struct judge_call *c, const struct store_identity *i);
/* What says whether our keys changed: all of them, and how far their changes are. 0 with *state_r the caller's, -1.
 */
int judge_own_state(struct judge_call *c, json_t **state_r) __attribute__((warn_unused_result));
/* Argument "if_match" against that: 0, or -1 with code "changed". */
int judge_own_unchanged(struct judge_call *c) __attribute__((warn_unused_result));
/* The SubjectPublicKeyInfo of a key; OPENSSL_free. NULL only without memory, which is fatal. */
uint8_t *judge_own_spki(EVP_PKEY *pub, size_t *n_r);

#endif
