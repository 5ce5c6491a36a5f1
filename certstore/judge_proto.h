/*
 * relay <-> judge: encoder and decoder of each message side by side. Decoders reject left-over octets and over-long
 * fields.
 */
#ifndef POSTERN_CERTSTORE_JUDGE_PROTO_H
#define POSTERN_CERTSTORE_JUDGE_PROTO_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/ipc.h"
#include "gateway/base/problem.h"
#include "certstore/format.h"

enum judge_msg {
	JUDGE_RESOLVE = 1, /* relay -> judge; answered by JUDGE_VERDICT with the same id */
	JUDGE_VERDICT,
	JUDGE_IDENTITIES, /* relay -> judge: our identities; answered by JUDGE_IDENTITY_LIST with
			     its number */
	JUDGE_IDENTITY_LIST,
	JUDGE_SIGNERS, /* relay -> judge: is each of these signers, or none, to be believed, and what does the
			  author's domain promise? answered by JUDGE_TRUST */
	JUDGE_TRUST,
	JUDGE_SEEN,    /* relay -> judge: mail with this partner domain was protected (P9); no answer */
	JUDGE_CHANGED, /* judge -> relay: the store changed: forget cached answers; whom it concerns */
};

#define JUDGE_CERTS_MAX 8
#define JUDGE_TRACE_ID 8 /* hex digits */
#define JUDGE_STATEMENT_LINE 340
struct judge_octets {
	const uint8_t *p;
	size_t n;
};
void judge_octets_put(struct ipc_out *o, const struct judge_octets *b);
/* Copied into a; more than most, or a full: the packet is bad. */
void judge_octets_get(struct ipc_in *in, struct arena *a, size_t most, struct judge_octets *b_r);

/* ---- resolve ---- */
struct judge_resolve {
	char sender[400], recipient[400];
};
/* Everything policy_outbound needs (kept as plain numbers: certstore cannot include policy; proc copies), and what
 * the sealer needs to do it. */
struct judge_verdict {
	bool temp; /* the judge could not answer (store away): pr */
	struct problem pr;
	char rule[256];
	uint8_t treatment, strength, certs;  /* values of the policy enums */
	uint8_t any_treatment, any_strength; /* strictest of this verdict and of all rules for the recipient, whoever
						sends: when From is not the envelope sender */
	uint8_t exempt, any_exempt; /* bits of policy's exemptions: of the rule; of every rule for the recipient */
	bool own_domain; /* the recipient is in one of our own domains: the mail does not leave the house */
	bool listed, seen_protected, have_signer;
	char cert_why[400], signer_why[256];
	struct judge_octets
	    rcpt_certs[JUDGE_CERTS_MAX]; /* DER to encrypt to, best first: one is used unless it is personal */
	size_t nrcpt_certs;
	bool personal;	   /* certificate of one person (address-bound): group only with itself when blind */
	char sign_key[64]; /* keeper id */
	struct judge_octets sign_cert, sign_chain,
	    enc_cert;	  /* chain: concatenated DER; enc_cert: ours, for the encryption key preference */
	bool sign_domain; /* domain signature attribute */
	char statement[JUDGE_STATEMENT_LINE]; /* header field that names our statement (XSMG), with its CRLF; "" none
					       */
	uint64_t
	    octets_max; /* the largest message that the partner's gateway takes, as its statement says; 0: not said */
	bool no_signed; /* its gateway reads nothing that is signed and not encrypted, as its statement says */
	struct format format;		/* how the message is written */
	char trace[JUDGE_TRACE_ID + 1]; /* of one that fails: what `postern trace` knows it by; "" */
};
/* ---- identities ---- */
struct judge_identity {
	char domain[256];
	uint8_t use; /* STORE_DECRYPT, STORE_TLS, STORE_SIGN */
	char key_id[64];
	struct judge_octets cert, chain;
};
#define JUDGE_IDENTITIES_MAX 64 /* per packet; `more` set on all but the last packet */
struct judge_identity_list {
	bool more;
	size_t n;
	struct judge_identity v[JUDGE_IDENTITIES_MAX];
};
/* ---- signers ---- */
#define JUDGE_CAPS_MAX 1024
/* Whose certificate it is that did not come with the message (RFC 5652 5.3 SignerIdentifier): issuer and serial, DER
 * of both, or ski, the key identifier's octets. */
#define JUDGE_ISSUER_MAX 2048
#define JUDGE_SERIAL_MAX 64
#define JUDGE_SKI_MAX 64
struct judge_signer_id {
	struct judge_octets issuer, serial, ski;
};
struct judge_signer {
	struct judge_octets cert; /* n == 0: not in the message, id names it */
	struct judge_signer_id id;
	struct judge_octets enc;  /* the certificate that it wants mail encrypted to, none: n == 0 */
	struct judge_octets caps; /* its SMIMECapabilities attribute's value, none: n == 0 */
	int64_t signing_time;	  /* unix s; 0: it gave none */
};
#define JUDGE_NAMED_MAX 17 /* AUTHOR_DOMAINS_MAX and the envelope sender's */
struct judge_signers {
	char our_domain[256];
	char from[400]; /* author's address; "": there is no one author */
	size_t nnamed;	/* without one: the domains that are named, whose promises are asked for */
	char named[JUDGE_NAMED_MAX][256];
	bool opened; /* a layer around them was opened with a key of ours: nothing is fetched from where they say
			(P10) */
	size_t n;
	struct judge_signer v[JUDGE_CERTS_MAX];
	struct judge_octets extra[JUDGE_CERTS_MAX]; /* other certificates inside: possible issuers */
	size_t nextra;
};
enum judge_trust_state {
	JUDGE_TRUST_GOOD,
	JUDGE_TRUST_UNTRUSTED,
	JUDGE_TRUST_UNBOUND,
	JUDGE_TRUST_TEMP,
	JUDGE_TRUST_EXPIRED, /* was good when the message says that it was signed, or in its certificate's last second
			      */
	JUDGE_TRUST_REVOKED,
};
/* A certificate of the author's that the store has and that a signer without one names, weighed like the others. The
 * signature decides whether it is the right one. No more of them, and no more octets in all, than fit into a job. */
#define JUDGE_KNOWN_MAX 4
#define JUDGE_KNOWN_OCTETS 12288
struct judge_known {
	struct judge_octets cert;
	uint8_t state;
	char why[400];
};
/* What the author's domain promises of its mail now, by its trusted statement (XSMG). Bits. */
enum judge_promise {
	JUDGE_PROMISE_SIGNS = 1,
	JUDGE_PROMISE_ENCRYPTS = 2,
	JUDGE_PROMISE_TEST = 4,	  /* report only */
	JUDGE_PROMISE_UNSURE = 8, /* it cannot be told now */
	JUDGE_PROMISE_ALL = 15
};
struct judge_trust {
	uint8_t promise;
	char promise_of[256]; /* whose it is: the author's domain, or of those named the one that promises most */
	size_t n;
	struct {
		uint8_t state;
		char sha256[65]; /* of the certificate; "": there is none in the message, why says who was looked for
				  */
		char caps[65];	 /* sha256 of the capabilities that need not be told again; "": there are none such */
		char why[400];	 /* names subject, serial, dates, anchor or what is missing */
	} v[JUDGE_CERTS_MAX];
	size_t nknown;
	struct judge_known known[JUDGE_KNOWN_MAX];
};

/* encode appends to o (ipc_out_init done by the caller with the matching type); decode reads in, memory of octets
 * from the packet (valid while it is) unless an arena is given. 0 / -1. */
void judge_resolve_put(struct ipc_out *o, const struct judge_resolve *m);
int judge_resolve_get(struct ipc_in *in, struct judge_resolve *m_r) __attribute__((warn_unused_result));
void judge_verdict_put(struct ipc_out *o, const struct judge_verdict *m);
/* octets are copied to the arena */
int judge_verdict_get(struct ipc_in *in, struct arena *a, struct judge_verdict *m_r)
    __attribute__((warn_unused_result));
void judge_identity_list_put(struct ipc_out *o, const struct judge_identity_list *m);
int judge_identity_list_get(struct ipc_in *in, struct arena *a, struct judge_identity_list *m_r)
    __attribute__((warn_unused_result));
void judge_signers_put(struct ipc_out *o, const struct judge_signers *m);
int judge_signers_get(struct ipc_in *in, struct arena *a, struct judge_signers *m_r)
    __attribute__((warn_unused_result));
void judge_trust_put(struct ipc_out *o, const struct judge_trust *m);
int judge_trust_get(struct ipc_in *in, struct arena *a, struct judge_trust *m_r) __attribute__((warn_unused_result));
/* A copy that outlives t's arena. 0, or -1 past a's end. */
int judge_trust_copy(struct arena *a, const struct judge_trust *t, struct judge_trust *t_r)
    __attribute__((warn_unused_result));
void judge_seen_put(struct ipc_out *o, const char *domain);
int judge_seen_get(struct ipc_in *in, char domain[256]) __attribute__((warn_unused_result));
/* Whose signatures or keys may be believed otherwise than before: one domain, "" anybody's, JUDGE_NOBODY no one's. */
#define JUDGE_NOBODY "-"
void judge_changed_put(struct ipc_out *o, const char *whose);
int judge_changed_get(struct ipc_in *in, char whose[256]) __attribute__((warn_unused_result));

#endif
