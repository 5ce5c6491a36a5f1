/*
 * RFC 4398: type (2 octets), key tag (2), algorithm (1), and for PKIX the certificate in DER. Key tag and algorithm
 * say nothing about X.509 and are not looked at. IPKIX has a URL; a fingerprint in front of it, with or without an
 * octet that tells its length (as IPGP has it), is checked against what is fetched.
 */
#include "certstore/cert_record.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PKIX = 1, IPKIX = 4, HEAD = 5 };

/* RFC 4398 2.1 */
static const struct {
	unsigned type;
	const char *words;
} others[] = {
    {2, "an SPKI certificate"},
    {3, "an OpenPGP key"},
    {5, "the URL of an SPKI certificate"},
    {6, "the URL of an OpenPGP key"},
    {7, "an attribute certificate"},
    {8, "the URL of an attribute certificate"},
    {253, "of a private kind named by a URI"},
    {254, "of a private kind named by an OID"},
};

static const char *other(unsigned type)
{
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (others[i].type == type)
			return others[i].words;
	return "of a kind that is not known";
}

static int is_url(const uint8_t *p, size_t n)
{
	return (n > 7 && strncasecmp((const char *)p, "http://", 7) == 0) ||
	       (n > 8 && strncasecmp((const char *)p, "https://", 8) == 0);
}

static int is_hash_size(size_t n)
{
	return n == 20 || n == 32 || n == 48 || n == 64;
}

/* Where the URL begins: at once, behind a fingerprint, behind a length octet and a fingerprint. */
static int find_url(const uint8_t *p, size_t n, struct cert_record *r)
{
	static const size_t sizes[] = {20, 32, 48, 64};

	if (is_url(p, n))
		return 0;
	if (n > 1 && is_hash_size(p[0]) && n > 1 + (size_t)p[0] && is_url(p + 1 + p[0], n - 1 - p[0])) {
		r->hash = p + 1;
		r->nhash = p[0];
		return 1 + p[0];
	}
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (n > sizes[i] && is_url(p + sizes[i], n - sizes[i])) {
			r->hash = p;
			r->nhash = sizes[i];
			return (int)sizes[i];
		}
	return -1;
}

static int read_url(const uint8_t *p, size_t n, struct cert_record *r, const char **why_r)
{
	int at = find_url(p, n, r);

	*why_r = "a CERT record of type IPKIX without an http or https URL in it";
	if (at < 0)
		return -1;
	p += at;
	n -= (size_t)at;
	if (n > CERT_RECORD_URL_MAX) {
		*why_r = "a CERT record of type IPKIX whose URL is longer than 1000 octets";
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f) {
			*why_r = "a CERT record of type IPKIX whose URL has octets that no URL has";
			return -1;
		}
	memcpy(r->url, p, n);
	r->url[n] = '\0';
	r->kind = CERT_RECORD_URL;
	*why_r = "";
	return 0;
}

int cert_record_read(const uint8_t *p, size_t n, struct cert_record *r_r, const char **why_r)
{
	unsigned type;

	memset(r_r, 0, sizeof *r_r);
	*why_r = "a CERT record of less than six octets";
	if (n <= HEAD)
		return -1;
	type = (unsigned)p[0] << 8 | p[1];
	if (type == IPKIX)
		return read_url(p + HEAD, n - HEAD, r_r, why_r);
	if (type != PKIX) {
		r_r->kind = CERT_RECORD_OTHER;
		*why_r = other(type);
		return 0;
	}
	*why_r = "";
	r_r->kind = CERT_RECORD_DER;
	r_r->der = p + HEAD;
	r_r->nder = n - HEAD;
	return 0;
}

int cert_record_hash_fits(const struct cert_record *r, const void *p, size_t n)
{
	const EVP_MD *md = r->nhash == 20   ? EVP_sha1()
			   : r->nhash == 32 ? EVP_sha256()
			   : r->nhash == 48 ? EVP_sha384()
					    : EVP_sha512();
	uint8_t h[EVP_MAX_MD_SIZE];
	unsigned k = 0;

	if (r->nhash == 0)
		return 1;
	return EVP_Digest(p, n, h, &k, md, NULL) == 1 && k == r->nhash && memcmp(h, r->hash, k) == 0;
}

int cert_record_owner(const struct address *a, char out[CERT_RECORD_NAME_MAX + 1])
{
	size_t label = 0;

	out[0] = '\0';
	if (!a->local[0] || a->domain[0] == '[')
		return -1;
	for (const char *p = a->local;; p++) {
		if (*p == '.' || *p == '\0') {
			if (label == 0 || label > 63)
				return -1;
			label = 0;
			if (*p == '\0')
				break;
		} else if ((unsigned char)*p <= 0x20 || (unsigned char)*p == 0x7f || *p == '\\') {
			return -1;
		} else {
			label++;
		}
	}
	if (strlen(a->local) + 1 + strlen(a->domain) > CERT_RECORD_NAME_MAX)
		return -1;
	(void)snprintf(out, CERT_RECORD_NAME_MAX + 1, "%s.%s", a->local, a->domain);
	return 0;
}
