/* Certificates one after the other, see the header. The outer layers of a SignedData (RFC 5652 5.1) are stepped over
 * by hand, in DER only. */
#include "certstore/cert_split.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "certstore/cert_read.h"

enum { SEQUENCE = 0x30, SET = 0x31, INTEGER = 2, OID = 6, CONTEXT_0 = 0xa0 };

struct tlv {
	const uint8_t *start, *p, *end; /* whole, its value, behind it */
	unsigned tag;
};

/* One with a definite length. 0 / -1. */
static int take(const uint8_t **p, const uint8_t *end, struct tlv *t)
{
	size_t left = (size_t)(end - *p), n, k;

	if (left < 2 || (**p & 0x1f) == 0x1f)
		return -1;
	t->start = *p;
	t->tag = (*p)[0];
	n = (*p)[1];
	k = n & 0x80 ? n & 0x7f : 0;
	if (k > 4 || left < 2 + k || (n & 0x80 && k == 0))
		return -1;
	if (k > 0)
		n = 0;
	for (size_t i = 0; i < k; i++)
		n = n << 8 | (*p)[2 + i];
	if (n > left - 2 - k)
		return -1;
	t->p = *p + 2 + k;
	t->end = t->p + n;
	*p = t->end;
	return 0;
}

static int take_tag(const uint8_t **p, const uint8_t *end, unsigned tag, struct tlv *t)
{
	return take(p, end, t) == 0 && t->tag == tag ? 0 : -1;
}

/* The certificates of a SignedData: certs->p to certs->end. 0; 1: it is something else; -1: there are none. */
static int signed_data(const uint8_t *p, const uint8_t *end, struct tlv *certs)
{
	static const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2};
	struct tlv t, sd;

	if (take_tag(&p, end, SEQUENCE, &t) < 0 || p != end)
		return 1;
	p = t.p;
	end = t.end;
	if (take_tag(&p, end, OID, &t) < 0 || (size_t)(t.end - t.p) != sizeof oid ||
	    memcmp(t.p, oid, sizeof oid) != 0 || take_tag(&p, end, CONTEXT_0, &t) < 0 ||
	    take_tag(&t.p, t.end, SEQUENCE, &sd) < 0)
		return 1;
	p = sd.p;
	if (take_tag(&p, sd.end, INTEGER, &t) < 0 || take_tag(&p, sd.end, SET, &t) < 0 ||
	    take_tag(&p, sd.end, SEQUENCE, &t) < 0 || take_tag(&p, sd.end, CONTEXT_0, certs) < 0)
		return -1;
	return 0;
}

static int bad(struct problem *pr, const char *why)
{
	ERR_clear_error();
	return problem_perm(pr, "%s", why);
}

/* What is in these octets comes next. */
static int enter(struct cert_split *s, const uint8_t *p, size_t n, bool may_be_bag, struct problem *pr)
{
	struct tlv t;
	int rc = may_be_bag ? signed_data(p, p + n, &t) : 1;

	if (rc < 0)
		return bad(pr, "there is no certificate in this PKCS#7 file");
	s->p = rc == 0 ? t.p : p;
	s->end = rc == 0 ? t.end : p + n;
	return 0;
}

int cert_split_begin(struct cert_split *s, const void *file, size_t n, struct problem *pr)
{
	static const char armour[] = "-----BEGIN ";
	const uint8_t *p = file;
	struct tlv t;

	*s = (struct cert_split){.size = n};
	if (n > 0 && p[0] != SEQUENCE && memmem(file, n, armour, sizeof armour - 1)) {
		s->pem = BIO_new_mem_buf(file, (int)n);
		return s->pem ? 0 : bad(pr, "out of memory");
	}
	if (cert_read_no_pkcs12(file, n, pr) < 0)
		return -1;
	if (n < 4 || take_tag(&p, p + n, SEQUENCE, &t) < 0)
		return bad(
		    pr, n > 2 && ((const uint8_t *)file)[0] == SEQUENCE && ((const uint8_t *)file)[1] == 0x80
			    ? "this file is BER of indefinite length: write it as PEM (openssl pkcs7 -inform DER "
			      "-print_certs)"
			    : "this is neither a certificate nor PKCS#7 with certificates in it");
	return enter(s, file, n, true, pr);
}

/* The next block of PEM that may hold certificates. 1, 0 no more, -1. */
static int next_block(struct cert_split *s, struct problem *pr)
{
	char *name = NULL, *header = NULL;
	int rc = 1;

	OPENSSL_clear_free(s->block, (size_t)s->block_n);
	s->block = NULL;
	s->block_n = 0;
	if (PEM_read_bio(s->pem, &name, &header, &s->block, &s->block_n) != 1) {
		bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

		s->block = NULL;
		s->block_n = 0;
		ERR_clear_error();
		return end ? 0 : bad(pr, "a PEM block of this file is damaged or cut off");
	}
	if (strstr(name, "PRIVATE KEY"))
		rc = bad(pr, "there is a private key in this file: it belongs to nobody but its owner; give a file "
			     "with the certificates alone");
	else if (strcmp(name, "CERTIFICATE") == 0 || strcmp(name, "X509 CERTIFICATE") == 0)
		rc = enter(s, s->block, (size_t)s->block_n, false, pr) < 0 ? -1 : 1;
	else if (strcmp(name, "PKCS7") == 0 || strcmp(name, "PKCS #7 SIGNED DATA") == 0 || strcmp(name, "CMS") == 0)
		rc = enter(s, s->block, (size_t)s->block_n, true, pr) < 0 ? -1 : 1;
	OPENSSL_free(name);
	OPENSSL_free(header);
	return rc;
}

int cert_split_next(struct cert_split *s, const uint8_t **der_r, size_t *n_r, struct problem *pr)
{
	struct tlv t;

	for (;;) {
		while (s->p < s->end) {
			if (take(&s->p, s->end, &t) < 0)
				return bad(pr, "a certificate in this file is damaged or cut off");
			if (t.tag != SEQUENCE) /* an attribute certificate: none of ours */
				continue;
			*der_r = t.start;
			*n_r = (size_t)(t.end - t.start);
			s->n++;
			return 1;
		}
		if (s->pem) {
			int rc = next_block(s, pr);

			if (rc < 0)
				return -1;
			if (rc > 0)
				continue;
		}
		return s->n > 0 ? 0 : bad(pr, "there is no certificate in this file");
	}
}

void cert_split_clear(struct cert_split *s)
{
	OPENSSL_clear_free(s->block, (size_t)s->block_n);
	BIO_free(s->pem);
	*s = (struct cert_split){.size = 0};
}
