/* Missing issuers, from where a certificate says that its issuer's is (RFC 5280 4.2.2.1, caIssuers). Judge; asks
 * through the run. */
#ifndef POSTERN_CERTSTORE_ISSUER_H
#define POSTERN_CERTSTORE_ISSUER_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source_run;

/* How many may be fetched for one question (DIRECT.md; a certificate is written by a stranger). */
#define ISSUER_FETCHES 4

/* A place that gave no answer, or none to be believed: nobody can tell what stands there. */
struct issuer_lost {
	uint64_t place;			   /* issuer_place of its address; 0: there is none such */
	char words[200];		   /* the address and why */
	char missing[200];		   /* of a place that surely has no certificate: the address and why; "" */
	uint64_t answered[ISSUER_FETCHES]; /* issuer_place of those that were there, whatever they had */
	unsigned nanswered;
	bool cut; /* a place was not asked, as no more may be fetched */
};
/* A number for an address that nobody outside can foresee: who writes certificates cannot choose which addresses meet
 * in a table. Never 0; another one after a restart. */
uint64_t issuer_place(const char *url);

/* What stands at x's http and https caIssuers: DER, PEM or PKCS#7; the first that can be read. *left is counted down
 * by each fetch. 0 with n_r certificates (X509_free each; none of them is believed), -1 when an answer is awaited.
 * lost is filled in when nothing was read and a place was silent; else it stays as it is, but for the places that
 * answered, and cut. */
int issuer_fetch(struct source_run *run, X509 *x, unsigned *left, X509 **list, size_t max, size_t *n_r,
    struct issuer_lost *lost) __attribute__((warn_unused_result));

#endif
