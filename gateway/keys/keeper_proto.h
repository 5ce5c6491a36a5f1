/*
 * What the keeper and its clients say to each other: one packet a request, one packet a reply, matched by the
 * sequence number. Role keeper on one side; relay, sealer and judge on the other. Each message is described once and
 * that description both writes and reads it, so the two cannot differ. Reading is total: every field has its limit,
 * every enumeration its range, and octets left over make the packet malformed. Writing applies the same limits, so
 * that data of a stranger (an overlong encryptedKey) can never make a client of ours send a packet for which the
 * keeper would close its channel. No private operation is raw: the keeper signs a named digest, and what it decrypts
 * or agrees is a content or key-encryption key, never octets of the asker's choice.
 */
#ifndef POSTERN_KEYS_KEEPER_PROTO_H
#define POSTERN_KEYS_KEEPER_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ipc.h"
#include "gateway/base/problem.h"
#include "gateway/keys/keys.h"

enum keeper_msg {
	KEEPER_MSG_STATUS = 1,
	KEEPER_MSG_SIGN,
	KEEPER_MSG_DECRYPT,
	KEEPER_MSG_AGREE,
	KEEPER_MSG_WRAP,
	KEEPER_MSG_UNWRAP,
	KEEPER_MSG_GENERATE,
	KEEPER_MSG_IMPORT,
	KEEPER_MSG_CERTIFY,
	KEEPER_MSG_STATEMENT,
	KEEPER_MSG_FORGET,
	KEEPER_MSG_END
};

/* A reply has its request's type with this bit set. */
#define KEEPER_MSG_REPLY 0x8000u

enum keeper_md { KEEPER_MD_SHA1 = 1, KEEPER_MD_SHA224, KEEPER_MD_SHA256, KEEPER_MD_SHA384, KEEPER_MD_SHA512 };
enum keeper_pad { KEEPER_PAD_PKCS1 = 1, KEEPER_PAD_PSS, KEEPER_PAD_ECDSA, KEEPER_PAD_OAEP };

#define KEEPER_DIGEST_MAX 64
#define KEEPER_CIPHERTEXT_MAX 1024
#define KEEPER_LABEL_MAX 256
#define KEEPER_POINT_MAX 256
#define KEEPER_UKM_MAX 4096
#define KEEPER_PKCS8_MAX 8192
#define KEEPER_ATTRS_MAX 4096
#define KEEPER_NAME_MAX 319    /* octets of a name that goes into a certificate */
#define KEEPER_KEY_MAX 32      /* octets of a content or key-encryption key */
#define KEEPER_REPLY_MAX 16384 /* octets of a signature, certificate, public key in a reply */

/* Octets that belong to someone else: the packet, or the sender. */
struct keeper_octets {
	const uint8_t *p;
	size_t n;
};

struct keeper_sign {
	uint8_t pad;   /* enum keeper_pad, not OAEP */
	uint8_t md;    /* enum keeper_md */
	uint16_t salt; /* PSS: octets of salt */
	struct keeper_octets digest;
};

/* RSA key transport. The reply has always the same shape, see struct keeper_cek. */
struct keeper_decrypt {
	uint8_t pad;	/* PKCS1 or OAEP */
	uint8_t md;	/* OAEP: the hash; PKCS1: SHA-256, not looked at */
	uint8_t mgf_md; /* OAEP: the hash of MGF1 */
	uint8_t want;	/* octets the content key must have: 16, 24, 32, or 0 when not known */
	struct keeper_octets label, ciphertext;
};

/* ECDH and the X9.63 key derivation (RFC 5753 7.2). */
struct keeper_agree {
	uint8_t md;
	uint8_t want; /* octets of the key-encryption key: 16, 24, 32 */
	struct keeper_octets point, ukm;
};

struct keeper_make {
	uint8_t use, algo;	    /* algo: generate only */
	struct keeper_octets pkcs8; /* import only */
};

struct keeper_certify {
	uint8_t kind; /* enum keys_cert_kind */
	char common_name[KEEPER_NAME_MAX + 1], organisation[KEEPER_NAME_MAX + 1];
	char dns_name[KEEPER_NAME_MAX + 1], rfc822_name[KEEPER_NAME_MAX + 1];
	uint32_t days;
};

/* The signed attributes of a statement, looked into before they are hashed and signed. */
struct keeper_attrs {
	uint8_t pss; /* 1: RSASSA-PSS with a salt as long as the hash */
	uint8_t md;  /* enum keeper_md */
	struct keeper_octets der;
};

struct keeper_request {
	enum keeper_msg msg;
	uint32_t seq;
	char id[KEYS_ID_MAX + 1]; /* of the key; "" where there is none */
	union {
		struct keeper_sign sign;
		struct keeper_decrypt decrypt;
		struct keeper_agree agree;
		struct keeper_octets key; /* wrap: KEYS_DATA_KEY octets; unwrap: the wrapped ones */
		struct keeper_make make;
		struct keeper_certify certify;
		struct keeper_attrs attrs;
	};
};

/* A content key in a reply: len of the 32 octets count. Always all 32 travel, so that nothing shows which it was. */
struct keeper_cek {
	uint8_t len;
	uint8_t key[KEEPER_KEY_MAX];
};

struct keeper_reply {
	enum keeper_msg msg;
	uint32_t seq;
	bool ok;
	struct problem problem; /* when not ok */
	union {
		struct {
			uint8_t state; /* enum keys_state */
			uint32_t nkeys;
		} status;
		struct keeper_cek cek; /* decrypt */
		struct keeper_octets
		    data; /* the others: signature, key, public key (SubjectPublicKeyInfo), certificate */
	};
};

/* Writes a whole message into o (initialised here, cleared by the caller in any case). 0, or -1 when a field is out
 * of its limits. */
int keeper_proto_put_request(struct ipc_out *o, const struct keeper_request *rq) __attribute__((warn_unused_result));
int keeper_proto_put_reply(struct ipc_out *o, const struct keeper_reply *rp) __attribute__((warn_unused_result));
/* Reads one; octets point into the packet. 0, or -1 malformed. */
int keeper_proto_get_request(struct ipc_in *in, struct keeper_request *rq_r) __attribute__((warn_unused_result));
int keeper_proto_get_reply(struct ipc_in *in, struct keeper_reply *rp_r) __attribute__((warn_unused_result));

/* [a-z0-9.-], 1..63 octets, no leading dot: it becomes a file name. */
bool keeper_proto_id_ok(const char *id);
/* "sign" */
const char *keeper_proto_word(enum keeper_msg msg);

#endif
