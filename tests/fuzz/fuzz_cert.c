/* Files with certificates: whatever is taken has facts, words, names and a binding, and is taken again from its own
 * DER. */
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "certstore/trust.h"
#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 8 };

static void look(X509 *x)
{
	struct address who = {.local = "bob", .domain = "lab.example"};
	struct trust_question q = {.who = &who, .extra = &x, .nextra = 1, .at = 1795312800};
	struct cert_facts f;
	char words[300], print[96], why[600];
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	X509 *again = n > 0 ? cert_parse(der, (size_t)n, NULL) : NULL;

	REQUIRE(again && X509_cmp(x, again) == 0);
	cert_facts(x, &f);
	REQUIRE(f.sha256[0] && strlen(cert_words(&f, words, sizeof words)) < sizeof words);
	REQUIRE(f.weak == (f.weak_why[0] != 0));
	for (const char *p = f.names; *p; p++)
		REQUIRE((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
	cert_fingerprint(x, print);
	REQUIRE(strlen(print) == 79);
	(void)cert_bound(x, &who, CERT_TO_SIGN);
	(void)cert_bound(x, &who, CERT_TO_ENCRYPT);
	REQUIRE(trust_check(x, &q, why, sizeof why) == TRUST_BAD && why[0]); /* no anchor: nobody is believed */
	X509_free(again);
	OPENSSL_free(der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	X509 *list[MAX];
	struct problem pr = {0};
	uint8_t *p = malloc(size ? size : 1); /* its own block: reading past the end is seen */
	int n;

	memcpy(p, data, size);
	n = cert_read_any(p, size, list, MAX, &pr);
	REQUIRE(n == -1 ? pr.text[0] != 0 : n >= 1 && n <= MAX && pr.cls == PROBLEM_NONE);
	for (int i = 0; i < n; i++)
		look(list[i]);
	cert_list_free(list, n > 0 ? (size_t)n : 0);
	n = cert_read_chain(p, size, list, MAX, &pr);
	cert_list_free(list, n > 0 ? (size_t)n : 0);
	free(p);
	return 0;
}
