/* What the kit publishes and owns: authorities, certificates with keys, DNS, LDAP, HTTP. Made once by `init` from the
 * statements of all cases (CASES.md, "The world") and kept below DIR/world: ca/{good,sub,evil,tls}.{pem,key};
 * <profile>/<case>/{NAME.pem,NAME.key,NAME.chain.pem}; names (partner domains: "<case> NAME domain" a line);
 *   zones/<zone>[.signed], nsd.conf, trust-anchors; ldap/slapd.conf, data.ldif; http.index ("path TAB type TAB file"
 * a line), http/... and DIR/setup.json, DIR/INSTRUCTIONS.html, DIR/partners.p7b for the operator of the gateway.
 * Certificates of the run's time (issued, expired) count from `init`. */
#ifndef INTEROP_WORLD_H
#define INTEROP_WORLD_H

#include <openssl/x509.h>

#include "interop/kit/case_file.h"
#include "interop/kit/kit.h"

struct credential {
	X509 *cert;
	EVP_PKEY *key;		/* NULL for the gateway's */
	STACK_OF(X509) * chain; /* issuers without the anchor; may be empty, never NULL */
};

struct world;

/* `init`: makes everything that is not there yet (a second init keeps keys and certificates of cases that are there).
 * Takes minutes at most. 0 or -1 with why. */
int world_make(const struct kit *k, const struct case_list *cases, struct buf *why);
/* For serve and run: reads what was made. NULL with why. Safe for threads afterwards. */
struct world *world_open(const struct kit *k, struct buf *why);
void world_close(struct world *w);
/* A certificate of a case, of the world (good, sub, evil, tls), or "gateway" (use: 's' its signing certificate, 'e'
 * the one with an RSA key to encrypt to, 'a' the one with an EC key for that; of no matter for others). NULL: there
 * is none. Lives as long as the world. */
const struct credential *world_credential(struct world *w, const struct case_file *c, const char *name, char use);
/* The domain behind {NAME} of a case; NULL: none. */
const char *world_domain(struct world *w, const struct case_file *c, const char *name);
/* revoke NAME: from now on, to the end of this run, its CRL and OCSP answers say so. */
int world_revoke(struct world *w, const struct case_file *c, const char *name, struct buf *why);
/* CRL (DER) of the authority with this certificate, made anew; kind: "good", "stale", "forged", "brief" (over
 * after BRIEF_S). OCSP: the response (DER) to a request, of the same kinds but for "stale". 0 or -1. Both safe for
 * threads. */
int world_crl(struct world *w, const char *authority, const char *kind, struct buf *out);
int world_ocsp(
    struct world *w, const char *authority, const void *request, size_t n, const char *kind, struct buf *out);

#endif
