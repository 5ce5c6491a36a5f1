/* A small reader and writer of BER and DER (X.690): what OpenSSL's interface does not show of a CMS object (the
 * octets of a tag, of an encrypted key), and where to damage it. Total and bounded: octets may be hostile. */
#ifndef INTEROP_DER_H
#define INTEROP_DER_H

#include "interop/kit/util.h"

struct der {
	unsigned char tag;	  /* the identifier octet; tags above 30 are not read */
	bool indefinite;	  /* ends with 00 00 */
	const unsigned char *at;  /* the first octet of the element */
	const unsigned char *p;	  /* its content */
	size_t n;		  /* of the content */
	const unsigned char *end; /* behind the element */
};

enum { DER_INTEGER = 0x02, DER_OCTETS = 0x04, DER_OID = 0x06, DER_SEQUENCE = 0x30, DER_SET = 0x31 };

/* The element at p; nesting of indefinite lengths to 64 levels. 0, or -1: none, or not whole. */
int der_read(const unsigned char *p, size_t n, struct der *out);
/* The i-th element inside; -1: there is none. */
int der_child(const struct der *e, size_t i, struct der *out);
/* The first element inside with this tag, from the i-th on; -1: there is none. */
int der_tagged(const struct der *e, size_t i, unsigned char tag, struct der *out);
/* Elements inside. */
size_t der_count(const struct der *e);
/* The object identifier in dotted form; empty: it is none. */
void der_oid(const struct der *e, struct buf *out);
/* Adds an element with a definite length. */
void der_add(struct buf *b, unsigned char tag, const void *p, size_t n);
void der_add_oid(struct buf *b, const char *dotted); /* dies when it is none */

/* What stands in a CMS object. Elements that are not there have at == NULL. */
enum cms_type { CMS_NONE, CMS_SIGNED, CMS_ENVELOPED, CMS_AUTH_ENVELOPED, CMS_COMPRESSED, CMS_OTHER };

struct cms_parts {
	enum cms_type type;
	struct der whole, body;		/* the ContentInfo; SignedData, EnvelopedData ... */
	struct der content;		/* the element with the (encrypted) content: OCTET STRING, or [0] */
	struct der cipher, parameters;	/* AlgorithmIdentifier of the content encryption, and its parameters */
	struct der recipients, signers; /* the SETs */
	struct der mac;
};

/* 0, or -1: no CMS object. */
int cms_parts_read(const void *p, size_t n, struct cms_parts *out);
/* The octets of an OCTET STRING in one piece or in many. */
void der_octets(const struct der *e, struct buf *out);
/* Puts octets in the place of an element of der, with all lengths around it right again (definite). Elements that
 * were read of it are no longer valid. */
void der_replace(struct buf *der, const struct der *target, const void *p, size_t n);

#endif
