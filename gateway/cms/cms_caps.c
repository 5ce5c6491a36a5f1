/*
 * SMIMECapabilities, both directions from one table. Sealer, judge and tests. SMIMECapability ::= SEQUENCE {
 * capabilityID OBJECT IDENTIFIER, parameters ANY DEFINED BY capabilityID OPTIONAL }; each capability is here the
 * octets that RFC 3565, 5084, 3560, 5753 and 4056 want, and those that are met besides.
 */
#include "gateway/cms/cms_caps.h"

#include <stdbool.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cms/ber.h"

enum { NESTING = 8 };

/* Identifiers and parameters as they stand in the octets, headers included. */
struct octets {
	const char *p;
	size_t n;
};
#define OCTETS(s)                                                                                                    \
	{                                                                                                            \
		s, sizeof(s) - 1                                                                                     \
	}
#define NIST_AES "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01"
#define NIST_HASH "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"
#define OAEP "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"
#define MGF1 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define STD_DH "\x06\x06\x2b\x81\x04\x01\x0b"
/* RSAES-OAEP-params with one hash in both places (RFC 4055 4.1); the hash with or without a NULL */
#define OAEP_NULL(hash)                                                                                              \
	"\x30\x2f\xa0\x0f\x30\x0d" NIST_HASH hash "\x05\x00\xa1\x1c\x30\x1a" MGF1 "\x30\x0d" NIST_HASH hash "\x05"   \
	"\x00"
#define OAEP_BARE(hash) "\x30\x2b\xa0\x0d\x30\x0b" NIST_HASH hash "\xa1\x1a\x30\x18" MGF1 "\x30\x0b" NIST_HASH hash

struct capability {
	uint32_t bit;
	struct octets id, param; /* param.p NULL: whatever stands there */
	bool written;		 /* the form we write */
};
/* Our order (RFC 8551 2.5.2: by preference, within each kind). */
static const struct capability table[] = {
    {CMS_CAPS_AES_256_GCM, OCTETS(NIST_AES "\x2e"), {NULL, 0}, true},
    {CMS_CAPS_AES_192_GCM, OCTETS(NIST_AES "\x1a"), {NULL, 0}, true},
    {CMS_CAPS_AES_128_GCM, OCTETS(NIST_AES "\x06"), {NULL, 0}, true},
    {CMS_CAPS_AES_256_CBC, OCTETS(NIST_AES "\x2a"), {NULL, 0}, true},
    {CMS_CAPS_AES_192_CBC, OCTETS(NIST_AES "\x16"), {NULL, 0}, true},
    {CMS_CAPS_AES_128_CBC, OCTETS(NIST_AES "\x02"), {NULL, 0}, true},
    {CMS_CAPS_OAEP_SHA512, OCTETS(OAEP), OCTETS(OAEP_NULL("\x03")), true},
    {CMS_CAPS_OAEP_SHA512, OCTETS(OAEP), OCTETS(OAEP_BARE("\x03")), false},
    {CMS_CAPS_OAEP_SHA384, OCTETS(OAEP), OCTETS(OAEP_NULL("\x02")), true},
    {CMS_CAPS_OAEP_SHA384, OCTETS(OAEP), OCTETS(OAEP_BARE("\x02")), false},
    {CMS_CAPS_OAEP_SHA256, OCTETS(OAEP), OCTETS(OAEP_NULL("\x01")), true},
    {CMS_CAPS_OAEP_SHA256, OCTETS(OAEP), OCTETS(OAEP_BARE("\x01")), false},
    {CMS_CAPS_OAEP_SHA1, OCTETS(OAEP), OCTETS("\x30\x00"), true},
    {CMS_CAPS_OAEP_SHA1, OCTETS(OAEP), OCTETS(""), false},
    {CMS_CAPS_OAEP_SHA1, OCTETS(OAEP), OCTETS("\x05\x00"), false},
    {CMS_CAPS_ECDH_SHA512, OCTETS(STD_DH "\x03"), OCTETS("\x30\x0b" NIST_AES "\x2d"), true},
    {CMS_CAPS_ECDH_SHA384, OCTETS(STD_DH "\x02"), OCTETS("\x30\x0b" NIST_AES "\x2d"), true},
    {CMS_CAPS_ECDH_SHA384, OCTETS(STD_DH "\x02"), OCTETS("\x30\x0b" NIST_AES "\x05"), false},
    {CMS_CAPS_ECDH_SHA384, OCTETS(STD_DH "\x02"), OCTETS("\x30\x0b" NIST_AES "\x19"), false},
    {CMS_CAPS_ECDH_SHA256, OCTETS(STD_DH "\x01"), OCTETS("\x30\x0b" NIST_AES "\x2d"), true},
    {CMS_CAPS_ECDH_SHA256, OCTETS(STD_DH "\x01"), OCTETS("\x30\x0b" NIST_AES "\x05"), false},
    {CMS_CAPS_ECDH_SHA256, OCTETS(STD_DH "\x01"), OCTETS("\x30\x0b" NIST_AES "\x19"), false},
    {CMS_CAPS_ECDH_SHA512, OCTETS(STD_DH "\x03"), OCTETS("\x30\x0b" NIST_AES "\x05"), false},
    {CMS_CAPS_ECDH_SHA512, OCTETS(STD_DH "\x03"), OCTETS("\x30\x0b" NIST_AES "\x19"), false},
    /* dhSinglePass-stdDH-sha1kdf-scheme 1.3.133.16.840.63.0.2 */
    {CMS_CAPS_ECDH_SHA1, OCTETS("\x06\x09\x2b\x81\x05\x10\x86\x48\x3f\x00\x02"), OCTETS("\x30\x0b" NIST_AES "\x2d"),
	true},
    {CMS_CAPS_ECDH_SHA1, OCTETS("\x06\x09\x2b\x81\x05\x10\x86\x48\x3f\x00\x02"), OCTETS("\x30\x0b" NIST_AES "\x05"),
	false},
    {CMS_CAPS_ECDH_SHA1, OCTETS("\x06\x09\x2b\x81\x05\x10\x86\x48\x3f\x00\x02"), OCTETS("\x30\x0b" NIST_AES "\x19"),
	false},
    {CMS_CAPS_PSS, OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), {NULL, 0}, true},
};
enum { TABLE = sizeof(table) / sizeof(table[0]) };

/* ---- read ---- */

static bool is(const struct octets *o, const uint8_t *p, size_t n)
{
	return o->n == n && memcmp(o->p, p, n) == 0;
}

static void note_order(struct cms_caps *c, uint32_t bit)
{
	for (unsigned cipher = 0; cipher < CMS_CAPS_CIPHERS; cipher++)
		if (bit == 1u << cipher)
			c->order[c->norder++] = (uint8_t)cipher;
}

static void note(struct cms_caps *c, const uint8_t *id, size_t nid, const uint8_t *param, size_t nparam)
{
	for (size_t i = 0; i < TABLE; i++)
		if (is(&table[i].id, id, nid) && (table[i].param.p == NULL || is(&table[i].param, param, nparam))) {
			if (!(c->has & table[i].bit))
				note_order(c, table[i].bit);
			c->has |= table[i].bit;
			return;
		}
}

/* One SMIMECapability, whose header was read. */
static int read_one(struct ber *b, const struct ber_item *it, const uint8_t *der, struct cms_caps *c)
{
	struct ber_item id, param;
	uint64_t at, behind;
	int r;

	if (!ber_is(it, BER_UNIVERSAL, BER_SEQUENCE) || !it->constructed || ber_enter(b, it, NULL) == -1)
		return -1;
	if (ber_next(b, &id, NULL) != 1 || !ber_is(&id, BER_UNIVERSAL, BER_OID) || id.constructed)
		return -1;
	ber_pass(b);
	at = behind = b->pos;
	r = ber_next(b, &param, NULL);
	if (r == 1) {
		r = ber_skip(b, &param, NULL);
		behind = b->pos;
	}
	if (r == -1 || ber_leave(b, NULL) == -1)
		return -1;
	note(c, der + id.off, id.nhead + (size_t)id.len, der + at, (size_t)(behind - at));
	return 0;
}

static int read_all(const uint8_t *der, size_t n, struct cms_caps *c)
{
	struct ber_item it;
	struct ber b;
	int r, count = 0;

	ber_open_mem(&b, der, n, 0, NESTING);
	if (ber_next(&b, &it, NULL) != 1 || !ber_is(&it, BER_UNIVERSAL, BER_SEQUENCE) || !it.constructed ||
	    ber_enter(&b, &it, NULL) == -1)
		return -1;
	while ((r = ber_next(&b, &it, NULL)) == 1)
		if (++count > CMS_CAPS_MAX || read_one(&b, &it, der, c) == -1)
			return -1;
	return r == -1 || ber_leave(&b, NULL) == -1 ? -1 : ber_end(&b, NULL);
}

int cms_caps_read(const void *der, size_t n, struct cms_caps *caps_r)
{
	memset(caps_r, 0, sizeof(*caps_r));
	if (n <= CMS_CAPS_DER_MAX && read_all(der, n, caps_r) == 0)
		return 0;
	memset(caps_r, 0, sizeof(*caps_r));
	return -1;
}

/* ---- write ---- */

static bool wanted(const struct capability *c, uint32_t has)
{
	return c->written && (c->bit & has) != 0;
}

static size_t put(uint8_t *out, const struct octets *o)
{
	if (o->n > 0)
		memcpy(out, o->p, o->n);
	return o->n;
}

int cms_caps_write(uint32_t has, struct buf *der)
{
	uint8_t head[4] = {0x30}, out[CMS_CAPS_DER_MAX];
	size_t n = 0, nhead = 1;

	for (size_t i = 0; i < TABLE; i++) {
		const struct capability *c = &table[i];

		if (!wanted(c, has))
			continue;
		REQUIRE(c->id.n + c->param.n < 128 && n + 2 + c->id.n + c->param.n <= sizeof(out));
		out[n++] = 0x30;
		out[n++] = (uint8_t)(c->id.n + c->param.n);
		n += put(out + n, &c->id);
		n += put(out + n, &c->param);
	}
	if (n >= 256)
		head[nhead++] = 0x82;
	else if (n >= 128)
		head[nhead++] = 0x81;
	if (n >= 256)
		head[nhead++] = (uint8_t)(n >> 8);
	head[nhead++] = (uint8_t)n;
	if (nhead + n > CMS_CAPS_DER_MAX || nhead + n > der->max - der->len)
		return -1;
	return buf_add(der, head, nhead) == 0 ? buf_add(der, out, n) : -1;
}
