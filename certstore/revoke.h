/*
 * Was a certificate, or one of its issuers, taken back? By lists (CRL, RFC 5280 5 and 6.3) and by asking (OCSP, RFC
 * 6960), for every certificate of a path but its anchor. Judge; asks through the run, so only when a path to an
 * anchor was found does anything go out. What was read is kept with its times.
 */
#ifndef POSTERN_CERTSTORE_REVOKE_H
#define POSTERN_CERTSTORE_REVOKE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source_run;
struct revoke_cache; /* revoke_cache.h */

/* What is done when nothing can be learned: used all the same and said so; not used now, try later; or not even
 * asked. */
enum revoke_mode { REVOKE_SOFT, REVOKE_HARD, REVOKE_OFF };

/* What was once known to be revoked stays so while nobody can be asked, across restarts as well. NULL members: not
 * kept. sha256: hex. */
struct revoke_memory {
	void *ctx;
	bool (*known)(void *ctx, const char *sha256, char *words, size_t cap);
	void (*revoked)(void *ctx, X509 *cert, const char *sha256, const char *words);
	/* A list or an answer of as_of (unix s) says that it is not revoked. False: it was found to be revoked later
	 * than that, and stays so (words): who can only repeat old answers must not bring it back. */
	bool (*good)(void *ctx, const char *sha256, int64_t as_of, char *words, size_t cap);
};
struct revoke_settings {
	uint32_t octets_max;	  /* of one list */
	uint32_t zone_octets_max; /* of one list of an authority that only a record of a signed zone vouches for */
	int64_t
	    keep_s; /* a list or an answer is asked for again after this, or at its own end when that is earlier */
	uint32_t timeout_ms;
	int64_t again_s; /* an OCSP answer that ends sooner is asked for again after this; 0: a minute */
};
/* One question's world. */
struct revoke {
	struct revoke_cache *cache;
	struct source_run *run; /* NULL: nobody may ask; what is kept still counts */
	enum revoke_mode mode;
	struct revoke_settings set;
	const struct revoke_memory *memory; /* NULL: none */
	X509_CRL *const *given;		    /* lists at hand; then every certificate must be covered */
	size_t ngiven;
};

enum revoke_state {
	REVOKE_GOOD,	/* nothing speaks against it; words: "", or what could not be asked */
	REVOKE_REVOKED, /* words: which list or answer says so, its dates, since when, the reason */
	REVOKE_UNKNOWN, /* cannot be told, and the mode says that this matters */
	REVOKE_PENDING, /* an answer is awaited */
};
struct revoke_answer {
	enum revoke_state state;
	size_t at; /* index in the path of which it speaks */
	char words[300];
};
/* path[0] is the certificate, path[n-1] the anchor; pool: certificates that may have signed a list. */
void revoke_path(struct revoke *r, X509 *const *path, size_t n, X509 *const *pool, size_t npool, int64_t at,
    struct revoke_answer *a_r);
/* Is it known from before as revoked? For what is used without a path. */
bool revoke_known(const struct revoke *r, X509 *x, char *words, size_t cap);
const char *revoke_reason(int crl_reason);

#endif
