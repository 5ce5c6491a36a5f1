/*
 * A statement of XSMG (docs/XSMG.md): what one gateway says of its domain. The value, its limits and its words;
 * statement_json.c reads and writes it, statement_cms.c is the signature around it, statement_check.c the checks.
 * Judge, tests. Pure.
 */
#ifndef POSTERN_XSMG_STATEMENT_H
#define POSTERN_XSMG_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATEMENT_OID "2.25.6345284688943069982369138258631214205" /* id-smg-statement */
#define STATEMENT_SERIAL_MAX INT64_C(9007199254740991)		   /* 2^53 - 1 */

enum {
	STATEMENT_MAX = 65536, /* octets of the SignedData */
	STATEMENT_ID = 43,     /* base64url of a SHA-256, without padding and without NUL */
	STATEMENT_CERTS_MAX = 32,
	STATEMENT_SIGNERS_MAX = 2,
	STATEMENT_CHAIN_MAX = 64, /* certificates around the SignerInfos */
	STATEMENT_URLS_MAX = 8,
	STATEMENT_URL_MAX = 255,
	STATEMENT_WORDS_MAX = 8, /* known words of one kind; see the tables */
	STATEMENT_LIFE_MAX = 30 * 86400,
	STATEMENT_CLOCK_MAX = 300,     /* s that clocks may differ */
	STATEMENT_ARENA = 1024 * 1024, /* suffices for reading one statement */
};

enum statement_use { STATEMENT_FOR_STATEMENT = 1, STATEMENT_FOR_SIGN, STATEMENT_FOR_ENCRYPT, STATEMENT_FOR_BOTH };

/* The words of the arrays, each kind from 1 on. */
enum statement_content {
	STATEMENT_AES_256_GCM = 1,
	STATEMENT_AES_128_GCM,
	STATEMENT_AES_256_CBC,
	STATEMENT_AES_128_CBC,
};
enum statement_keys {
	STATEMENT_ECDH_P256 = 1, /* X9.63 KDF with SHA-256, AES-256 key wrap */
	STATEMENT_ECDH_P384,	 /* X9.63 KDF with SHA-384, AES-256 key wrap */
	STATEMENT_OAEP_SHA256,
	STATEMENT_OAEP_SHA1,
	STATEMENT_PKCS1,
};
enum statement_signatures {
	STATEMENT_ECDSA_P256_SHA256 = 1,
	STATEMENT_ECDSA_P384_SHA384,
	STATEMENT_PSS_SHA256,
	STATEMENT_RSA_SHA256,
	STATEMENT_RSA_SHA384,
	STATEMENT_RSA_SHA512,
};
enum statement_formats { STATEMENT_SIGNED_ENVELOPED = 1, STATEMENT_ENVELOPED, STATEMENT_SIGNED };
enum statement_headers { STATEMENT_RFC9788 = 1, STATEMENT_RFC822_WRAP };
enum statement_promise { STATEMENT_PROMISES_NONE, STATEMENT_PROMISES_SOME, STATEMENT_PROMISES_ALL };
/* These are bits. */
enum statement_asserts {
	STATEMENT_SUBMISSION_AUTHENTICATED = 1,
	STATEMENT_SENDER_AUTHORISED = 2,
	STATEMENT_MALWARE_SCANNED = 4,
	STATEMENT_DKIM_ALIGNED = 8,
	STATEMENT_ARCHIVED = 16,
};
enum statement_notices { STATEMENT_DSN = 1, STATEMENT_MDN_PROCESSED = 2, STATEMENT_MDN_DISPATCHED = 4 };

struct statement_octets {
	const uint8_t *p;
	size_t n;
};
struct statement_cert {
	enum statement_use use;
	struct statement_octets der;
	int64_t from, until; /* unix s */
	char sha256[65];     /* hex, of the DER; set when read */
	/* set by statement_check: */
	bool good;
	char why[300]; /* a sentence when it is not */
};
/* Values of one of the enums above, best first, none twice. */
struct statement_words {
	uint8_t word[STATEMENT_WORDS_MAX];
	size_t n;
};
struct statement_read {
	struct statement_words content, keys, signatures, formats, headers;
	uint64_t octets; /* the largest message; 0: not said */
};
struct statement_write {
	bool said;
	enum statement_promise signs, encrypts;
	int64_t until; /* unix s */
	bool test;
};
/* Pointers lead into the arena it was read with; for writing, wherever the caller likes. */
struct statement {
	char domain[256];	 /* A-labels, lower case */
	int64_t serial;		 /* ms */
	int64_t issued, expires; /* unix s */
	bool withdrawn;
	uint8_t signer[32]; /* SHA-256 of the statement certificate */
	struct statement_cert certs[STATEMENT_CERTS_MAX];
	size_t ncerts;
	struct statement_read read;
	struct statement_write write;
	bool demand_signed, demand_encrypted;
	uint8_t asserts, notices; /* bits */
	const char *urls[STATEMENT_URLS_MAX];
	size_t nurls;
	char id[STATEMENT_ID + 1]; /* of the octets it was read from; set by statement_check */
};

/* The tables between words and values; every array of words in a statement is of one of these kinds. */
enum statement_kind {
	STATEMENT_KIND_CONTENT,
	STATEMENT_KIND_KEYS,
	STATEMENT_KIND_SIGNATURES,
	STATEMENT_KIND_FORMATS,
	STATEMENT_KIND_HEADERS,
	STATEMENT_KIND_ASSERTS,
	STATEMENT_KIND_NOTICES,
	STATEMENT_KIND_USE,
	STATEMENT_KIND_PROMISE,
	STATEMENT_KINDS
};
/* The value of n octets, 0 when they are no word of that kind. */
unsigned statement_value(enum statement_kind kind, const char *p, size_t n);
/* The word of a value; NULL: there is none. */
const char *statement_word(enum statement_kind kind, unsigned value);
/* Adds a value that is not among them yet. */
void statement_words_add(struct statement_words *w, unsigned value);
/* Is the value among them? */
bool statement_words_has(const struct statement_words *w, unsigned value);

/* Exactly YYYY-MM-DDThh:mm:ssZ of a moment that exists, from 1970 on, no leap second. 0 / -1. */
int statement_time(const char *p, size_t n, int64_t *unix_s_r) __attribute__((warn_unused_result));
/* https://, then a host; printable ASCII without quotation marks and backslashes, at most STATEMENT_URL_MAX octets.
 */
bool statement_url_ok(const char *p, size_t n);
/* 43 characters of base64url whose two unused bits are 0. */
bool statement_id_ok(const char *p, size_t n);
/* The 32 octets of such characters. 0 / -1. */
int statement_unid(const char *p, size_t n, uint8_t md_r[32]) __attribute__((warn_unused_result));
/* SHA-256. */
void statement_hash(const void *p, size_t n, uint8_t md_r[32]);
/* base64url of the SHA-256 of the content (not of the SignedData around it). */
void statement_id(const void *content, size_t n, char id_r[STATEMENT_ID + 1]);
/* The certificate that shall be used now: of this use (or BOTH, for SIGN and ENCRYPT), good, from <= now < until; of
 * several the one whose time began last, then the first. NULL: none. */
const struct statement_cert *statement_cert_now(const struct statement *s, enum statement_use use, int64_t now);

/* The checks in their order; the first that fails names the refusal, in the log and for the admin only. */
enum statement_step {
	STATEMENT_STEP_NONE,
	STATEMENT_STEP_SIZE,
	STATEMENT_STEP_DER,
	STATEMENT_STEP_TYPE,
	STATEMENT_STEP_SIGNERS,
	STATEMENT_STEP_SIGNATURE,
	STATEMENT_STEP_JSON,
	STATEMENT_STEP_DOMAIN,
	STATEMENT_STEP_ISSUED,
	STATEMENT_STEP_EXPIRES,
	STATEMENT_STEP_SERIAL,
	STATEMENT_STEP_CERTIFICATE,
	STATEMENT_STEPS
};
/* "size", "der", "type", "signers", "signature", "json", "domain", "issued", "expires", "serial", "certificate";
 * "" for NONE. */
const char *statement_step_word(enum statement_step step);

#endif
