/*
 * SMIMECapabilities (RFC 8551 2.5.2): what a signer says its reader can open. Sealer, judge (which keeps what trusted
 * mail said) and tests. Pure; total over any octets; allocates nothing. It is a hint of the sender's and says nothing
 * about trust; what is unknown in it is passed over.
 */
#ifndef POSTERN_CMS_CMS_CAPS_H
#define POSTERN_CMS_CMS_CAPS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/cms/cms_alg.h"

enum {
	CMS_CAPS_DER_MAX = 1024, /* octets of an attribute value that is looked at */
	CMS_CAPS_MAX = 64,	 /* capabilities in it */
	CMS_CAPS_CIPHERS = 6,
};

/* Bits of cms_caps.has; a cipher has the bit 1 << enum cms_cipher. */
enum cms_caps_bit {
	CMS_CAPS_AES_256_CBC = 1 << CMS_AES_256_CBC,
	CMS_CAPS_AES_128_CBC = 1 << CMS_AES_128_CBC,
	CMS_CAPS_AES_256_GCM = 1 << CMS_AES_256_GCM,
	CMS_CAPS_AES_128_GCM = 1 << CMS_AES_128_GCM,
	CMS_CAPS_AES_192_CBC = 1 << CMS_AES_192_CBC,
	CMS_CAPS_AES_192_GCM = 1 << CMS_AES_192_GCM,
	CMS_CAPS_OAEP_SHA1 = 1 << 8,	/* also when OAEP stands there without parameters (RFC 4055 4.1) */
	CMS_CAPS_OAEP_SHA256 = 1 << 9,	/* and the same hash in MGF1, as in the next two */
	CMS_CAPS_OAEP_SHA384 = 1 << 10, /* this and the next: no mail is written with them */
	CMS_CAPS_OAEP_SHA512 = 1 << 11,
	CMS_CAPS_ECDH_SHA1 = 1 << 12, /* dhSinglePass-stdDH with this hash and any AES key wrap (RFC 5753 7.2) */
	CMS_CAPS_ECDH_SHA256 = 1 << 13,
	CMS_CAPS_ECDH_SHA384 = 1 << 14,
	CMS_CAPS_ECDH_SHA512 = 1 << 15,
	CMS_CAPS_PSS = 1 << 16, /* RSASSA-PSS signatures are understood */
};
struct cms_caps {
	uint32_t has;
	uint8_t order[CMS_CAPS_CIPHERS]; /* enum cms_cipher as the signer prefers them, best first, none twice */
	uint8_t norder;
};
/* Reads an attribute value (the SEQUENCE with its header, BER or DER; the value of RFC 4262's certificate extension
 * is the same). 0; -1 when it is malformed, has octets left over or passes the limits: then *caps_r is empty. */
int cms_caps_read(const void *der, size_t n, struct cms_caps *caps_r) __attribute__((warn_unused_result));
/* Appends the attribute value that names the capabilities of `has` in our order: GCM before CBC, long keys first. 0,
 * -1 when `der` is full (at most CMS_CAPS_DER_MAX octets). */
int cms_caps_write(uint32_t has, struct buf *der) __attribute__((warn_unused_result));

#endif
