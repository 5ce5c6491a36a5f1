/*
 * relay <-> sealer: one job, one message. The request carries what the sealer may know; small content travels inline,
 * larger as descriptors. The sealer answers with any number of JOB_PIECE (sealed octets of an output that stayed in
 * memory), then one JOB_RESULT. Decoders reject left-over octets.
 */
#ifndef POSTERN_PIPELINE_JOB_PROTO_H
#define POSTERN_PIPELINE_JOB_PROTO_H

#include <stdbool.h>
#include <stdint.h>

#include "certstore/judge_proto.h"
#include "gateway/base/arena.h"
#include "gateway/base/ipc.h"
#include "gateway/mail/dsn_read.h"
#include "gateway/mail/address.h"
#include "gateway/queue/queue.h"
#include "gateway/xsmg/statement.h"

enum job_msg { JOB_REQUEST = 200, JOB_PIECE, JOB_RESULT };
enum job_kind {
	JOB_SEAL = 1, /* outbound, before the 250 */
	JOB_CHECK, /* inbound, before the 250: outside structure; mail that is not encrypted is verified and judged as
		      well */
	JOB_OPEN,  /* inbound encrypted, after the 250 */
	JOB_SEVEN, /* in the clear, for a host without 8BITMIME: the message in 7 bits */
};

#define JOB_RCPTS_MAX 1000
#define JOB_MESSAGE_ID_MAX 1000 /* a line of RFC 5322 2.1.1; longer ones are not remembered */
#define JOB_RCPT_OCTETS 16384	/* all recipient addresses together */
#define JOB_VERDICTS_MAX 8	/* different verdicts in one transaction */
#define JOB_IDENTITIES_MAX 16
#define JOB_HIDE_MAX 1000
#define JOB_IDS_MAX 32 /* Message-IDs a reply may name */
#define JOB_INLINE_MAX 65536
#define JOB_FD_INPUT                                                                                                 \
	0 /* order of descriptors, when there are any: input, two scratch files, then one per possible output */
#define JOB_FD_SCRATCH 1
#define JOB_FD_OUTPUT 3

/* What the author's domain promises: nobody is asked; JOB_NEEDS_TRUST where it is not known; it is, of one domain. */
enum job_promises { JOB_PROMISES_NONE, JOB_PROMISES_ASK, JOB_PROMISES_KNOWN };
enum job_answer { JOB_UNASKED, JOB_NO, JOB_YES, JOB_UNKNOWN };
/* Is a delivery report from outside about something that we sent? */
enum job_dsn_answer { JOB_DSN_UNASKED, JOB_DSN_MATCHED, JOB_DSN_UNMATCHED };
#define JOB_DSN_TEXT_MAX 256 /* " id=..." of what it is about; or why it matches nothing */

/* What such a report says. */
struct job_dsn {
	char message_id[DSN_READ_MESSAGE_ID_MAX]; /* of what came back, or "" */
	struct dsn_read read;
};

struct job_rcpt {
	const char *address;
	uint8_t verdict;   /* index */
	bool tls_verified; /* the way to it is under verified TLS: treatment `tls` can be kept */
	bool tls_asked;	   /* the relay's own, not sent: that was asked of the next hop */
};
struct job_request {
	uint8_t kind;
	const char *id, *sender, *trace;
	const char *hostname, *authserv_id;
	struct job_rcpt *rcpts;
	size_t nrcpts;
	/* JOB_SEAL */
	const struct judge_verdict *verdicts[JOB_VERDICTS_MAX];
	size_t nverdicts;
	bool tls_verified;  /* the same of every next hop outside, by configuration */
	bool utf8;	    /* it came with SMTPUTF8 */
	const char *hide;   /* names of fields, between commas, that stand inside an encryption alone */
	uint8_t was_sealed; /* enum job_answer: does the message answer a sealed one? */
	/* JOB_CHECK, JOB_OPEN */
	char our_domain[256];
	struct judge_identity ids[JOB_IDENTITIES_MAX]; /* those that can open */
	size_t nids;
	uint8_t in_rules[4]; /* policy_in_rules in order */
	bool have_trust;
	struct judge_trust trust;
	char trust_from[400]; /* remembered from earlier mail of this author; "": asked about this very message */
	bool released;	      /* the admin released it from hold: deliver with its mark */
	bool foreign_deliver;
	bool subject_mark;
	uint8_t dsn_unmatched;	/* enum policy_in_choice */
	uint8_t encrypted_part; /* the same: an encrypted part beside others */
	uint8_t broken_promise; /* the same: mail that is not what its domain promised (XSMG) */
	uint8_t promises;	/* enum job_promises */
	uint8_t promise;	/* enum judge_promise, of promise_domain */
	char promise_domain[256];
	uint8_t dsn; /* enum job_dsn_answer */
	char dsn_text[JOB_DSN_TEXT_MAX];
	/* limits */
	uint32_t header_max, nesting_max;
	uint64_t message_max;
	/* content */
	uint8_t key[32];
	uint64_t sealed_len;
	struct judge_octets inline_sealed; /* when nfds == 0 */
	int fds[IPC_FDS_MAX];
	int nfds;
};

enum job_status {
	JOB_DONE,	 /* outputs follow the decision */
	JOB_AS_IT_CAME,	 /* JOB_CHECK: encrypted, outside structure good: commit the raw message, open later */
	JOB_NEEDS_IDS,	 /* ask whether any of `ids` was sealed, run again */
	JOB_NEEDS_TRUST, /* ask the judge about `signers`, run again */
	JOB_REFUSE,	 /* pr: before the 250 a reply; JOB_OPEN never gives it */
	JOB_HOLD,	 /* JOB_OPEN: cannot or must not be delivered: `why`; the raw message stays */
	JOB_LATER,	 /* temporary: pr */
	JOB_NEEDS_DSN,	 /* a delivery report: find what `dsn` is about, run again */
};
struct job_output {
	uint8_t key[32];
	uint64_t sealed_len, size;
	bool in_fd;  /* in descriptor JOB_FD_OUTPUT + index of the request, else it came as pieces */
	bool sealed; /* S/MIME encrypted: 7-bit, never re-encoded, Message-ID to be remembered */
	bool eight_bit;
	uint8_t action;	    /* enum policy_in_action for inbound */
	char refused[8];    /* JOB_SEAL: its recipients do not get it, the others do: enhanced code, and why is the
			       sentence; "" it goes out */
	char treatment[12]; /* "seal" "sign" "tls" "clear" "open" */
	char why[640];
	uint16_t *rcpts; /* indexes into the request's recipients */
	size_t nrcpts;
};
struct job_result {
	uint8_t status;
	struct problem pr;
	char why[640];
	char message_id[JOB_MESSAGE_ID_MAX];
	char from_domain[256]; /* whom P9 remembers: the author's domain, or the author when the signer speaks for one
				  person */
	bool protected_in;     /* trusted and sealed: remember the partner as seen protected */
	bool open_failed;      /* counts against P10's limit */
	bool tls_no;	       /* JOB_SEAL: the header says "TLS-Required: No" */
	bool may_hold; /* JOB_CHECK: our domain's rules hold some mail of this kind (signed, or not signed), whatever
			  the signature is worth */
	uint8_t waits; /* held, or an output to be held: ADMIN, TRUST or KEY of enum queue_waits */
	char waits_for[256];
	uint8_t key_hash[32]; /* JOB_CHECK/OPEN of encrypted mail: hash of our encryptedKey */
	bool have_key_hash;
	const char *ids[JOB_IDS_MAX];
	size_t nids;
	const struct job_dsn *dsn; /* with JOB_NEEDS_DSN, else NULL */
	struct judge_signers signers;
	struct job_output outputs[JOB_VERDICTS_MAX];
	size_t noutputs;
	char log[1024]; /* "cipher=aes-256-cbc signer=... result=pass" for the log line */
	/* the statement that a signed one names (named.h): "" none; why: it is ignored */
	char named_domain[256], named_id[STATEMENT_ID + 1], named_url[STATEMENT_URL_MAX + 1], named_why[80];
	uint8_t broken; /* enum judge_promise: bits of what was promised and is not so; TEST: for report only */
	char broken_domain[256];
	bool named_trusted; /* a signature of the domain that is believed covers it */
	char layers[400]; /* of an incoming message: "enveloped(aes-256-cbc)>signed(sha256)=pass", outermost first */
};

void job_request_put(struct ipc_out *o, const struct job_request *m);
/* Strings and octets are copied to the arena; descriptors are taken (caller closes m_r->fds; after -1 none is open).
 */
int job_request_get(struct ipc_in *in, struct arena *a, struct job_request *m_r) __attribute__((warn_unused_result));
void job_piece_put(struct ipc_out *o, uint8_t output, const void *p, size_t n);
int job_piece_get(struct ipc_in *in, uint8_t *output_r, const uint8_t **p_r, size_t *n_r)
    __attribute__((warn_unused_result));
void job_result_put(struct ipc_out *o, const struct job_result *m);
int job_result_get(struct ipc_in *in, struct arena *a, struct job_result *m_r) __attribute__((warn_unused_result));

#endif
