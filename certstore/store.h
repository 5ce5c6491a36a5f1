/*
 * The store: our identities, partners, certificates, anchors, rules, audit log. One interface, put together here from
 * a header per entity; the backend is SQLite (store_sqlite.h). Judge (and `postern restore` off line); blocks on the
 * disk; belongs to one thread. Every change of trust is written together with its audit row in one transaction
 * (promise P8).
 */
#ifndef POSTERN_CERTSTORE_STORE_H
#define POSTERN_CERTSTORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;
/* Opens or makes dir/store.db; migrates forward; refuses a newer schema with a sentence. NULL with pr. */
struct store *store_open(const char *dir, struct problem *pr);
void store_close(struct store *s);
/* Changes whenever anything was written, here or by another process (PRAGMA data_version + own counter). */
uint64_t store_version(struct store *s);
/* Was another process among those that changed it between these two versions? */
bool store_version_others(uint64_t before, uint64_t now);
/* A consistent copy (VACUUM INTO) at path, which must not exist; on disk when it returns. */
int store_snapshot(struct store *s, const char *path, struct problem *pr) __attribute__((warn_unused_result));
/* Several changes as one: begin, the changes, end. Nests; what was changed counts only when the outermost end got rc
 * 0 and committed. end returns rc, or -1 when an inner step had failed or the commit did. */
int store_begin(struct store *s, struct problem *pr) __attribute__((warn_unused_result));
int store_end(struct store *s, int rc, struct problem *pr) __attribute__((warn_unused_result));

struct store_counts {
	int64_t partners, certs, anchors, rules, identities, seen, audit;
};
int store_count(struct store *s, struct store_counts *c_r, struct problem *pr) __attribute__((warn_unused_result));

/* Lists are arrays to be freed by store_*_free(list, n); rows own their strings. Functions return 0, or -1 with pr.
 */
#include "certstore/store_anchor.h"
#include "certstore/store_audit.h"
#include "certstore/store_believed.h"
#include "certstore/store_bundle.h"
#include "certstore/store_caps.h"
#include "certstore/store_cert.h"
#include "certstore/store_glance.h"
#include "certstore/store_identity.h"
#include "certstore/store_in_use.h"
#include "certstore/store_own_statement.h"
#include "certstore/store_partner.h"
#include "certstore/store_revoked.h"
#include "certstore/store_rollover.h"
#include "certstore/store_rule.h"
#include "certstore/store_statement.h"
#include "certstore/store_user.h"
#include "certstore/store_statement_key.h"
#include "certstore/store_statement_end.h"
#include "certstore/store_warned.h"

#endif
