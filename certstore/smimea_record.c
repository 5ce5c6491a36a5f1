/* RFC 8162, RFC 6698 2.1. Whether a record may be believed (its zone is signed) is the caller's business; what it
 * says about a certificate, trust.c's. */
#include "certstore/smimea_record.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/encode.h"

enum { HEAD = 3, LOCAL_OCTETS = 28, NAME_MAX_OCTETS = 253 };

int smimea_record_read(const uint8_t *p, size_t n, struct trust_dane *r_r, const char **why_r)
{
	*why_r = "an SMIMEA record of less than four octets";
	memset(r_r, 0, sizeof *r_r);
	if (n <= HEAD)
		return -1;
	*why_r = p[0] > 3   ? "an SMIMEA record of an unknown usage"
		 : p[1] > 1 ? "an SMIMEA record of an unknown selector"
		 : p[2] > 2 ? "an SMIMEA record of an unknown matching type"
			    : "";
	if (**why_r)
		return -1;
	*why_r = "an SMIMEA record with a hash of a wrong length";
	if ((p[2] == 1 && n - HEAD != 32) || (p[2] == 2 && n - HEAD != 64))
		return -1;
	*why_r = "";
	*r_r =
	    (struct trust_dane){.usage = p[0], .selector = p[1], .matching = p[2], .data = p + HEAD, .n = n - HEAD};
	return 0;
}

int smimea_record_is_cert(const struct trust_dane *r)
{
	return (r->usage == 1 || r->usage == 3) && r->selector == 0 && r->matching == 0;
}

int smimea_record_owner(const struct address *a, char out[SMIMEA_RECORD_NAME_MAX])
{
	uint8_t h[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n = 0;

	out[0] = '\0';
	if (!a->local[0] || !a->domain[0] || a->domain[0] == '[' ||
	    EVP_Digest(a->local, strlen(a->local), h, &n, EVP_sha256(), NULL) != 1)
		return -1;
	encode_hex(h, LOCAL_OCTETS, hex);
	(void)snprintf(out, SMIMEA_RECORD_NAME_MAX, "%s._smimecert.%s", hex, a->domain);
	return strlen(out) <= NAME_MAX_OCTETS ? 0 : -1;
}
